"""`handrail serve`: it starts, is alone, says where it is, and ends cleanly."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.shell import PASSWORD, contents, run, said, serving

STOP_S_MAX = 15


def size_of(note: str) -> int:
    """The size that a checkpoint covers."""
    return int(note.splitlines()[1])


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_cleanly(desk: Path, end: signal.Signals) -> None:
    """Exit status 0, a checkpoint over everything, and the next start finds the desk free."""
    before = size_of(run("log", "checkpoint", desk).stdout)
    with serving("serve", desk, "--port", "0") as (process, address):
        login = {"person": "dana", "password": PASSWORD}
        assert httpx.post(f"{address}/v1/session", json=login).is_success
        process.send_signal(end)
        assert process.wait(STOP_S_MAX) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert not list(desk.glob("*-wal"))
    assert size_of(run("log", "checkpoint", desk).stdout) == before + 1
    assert run("log", "verify", desk).returncode == 0
    with serving("serve", desk, "--port", "0") as (process, address):
        assert httpx.get(f"{address}/readyz").is_success
        process.send_signal(end)
        assert process.wait(STOP_S_MAX) == 0


def test_waiting_caller_does_not_hold_it_up(desk: Path) -> None:
    """Who waits for an action's end is answered as it stands, and the server is gone at once."""
    key = run("agent", "key", desk, "scout").stdout.strip()
    with (
        serving("serve", desk, "--port", "0") as (process, address),
        ThreadPoolExecutor() as beside,
        Handrail(address, api_key=key) as agent,
    ):
        task = agent.task(ticket="T-109")
        waiting = beside.submit(
            task.propose, "reply.send", ticket="T-109", body="Hello", wait=60
        )
        while not agent.task(ticket="T-109"):
            pass
        process.terminate()
        assert process.wait(STOP_S_MAX) == 0


def test_new_directory_is_made_by_serving(tmp_path: Path) -> None:
    """A desk with the default policy, and a first person can be added afterwards."""
    new = tmp_path / "deep" / "desk"
    with serving("serve", new, "--port", "0") as (process, address):
        assert httpx.get(f"{address}/readyz").is_success
        process.terminate()
        assert process.wait(STOP_S_MAX) == 0
    assert run("person", "add", new, "dana", typed=PASSWORD).returncode == 0


def test_desk_is_held_by_one_process(desk: Path) -> None:
    """Whoever would write is told which process to stop; whoever reads may read."""
    with serving("serve", desk, "--port", "0") as (process, address):
        before = contents(desk)
        for words in (
            ("serve", desk, "--port", "0"),
            ("person", "add", desk, "kim"),
            ("agent", "key", desk, "scout"),
            ("erase", desk, "C-1001"),
        ):
            done = run(*words, typed=PASSWORD)
            assert said(done) == "store_locked"
            assert f"process {process.pid} has " in done.stderr
        for what in ("verify", "show", "checkpoint"):
            done = run("log", what, desk)
            assert (done.returncode, done.stderr) == (0, "")
        assert run("log", "prove", desk, "0").returncode == 0
        assert contents(desk) == before
        assert httpx.get(f"{address}/readyz").is_success


def test_killed_server_leaves_a_whole_desk(desk: Path) -> None:
    """After kill -9 the lock is gone and the log verifies."""
    with serving("serve", desk, "--port", "0") as (process, _):
        process.kill()
        process.wait(STOP_S_MAX)
    assert run("log", "verify", desk).returncode == 0
    assert run("agent", "key", desk, "scout").returncode == 0


def test_busy_port(desk: Path) -> None:
    """A port that somebody listens on is named; the desk is closed again and free."""
    before = contents(desk)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run("serve", desk, "--port", str(port))
        assert said(done) == "port_in_use"
        assert f"127.0.0.1:{port}" in done.stderr
        assert contents(desk) == before
        new = desk.with_name("new")
        assert said(run("serve", new, "--port", str(port))) == "port_in_use"
    assert run("agent", "key", desk, "scout").returncode == 0


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "::x"])
def test_address_that_is_not_ours(worked: Path, host: str) -> None:
    """An address that this machine does not have."""
    before = contents(worked)
    assert said(run("serve", worked, "--host", host, "--port", "0")) == "setting_malformed"
    assert contents(worked) == before


def test_ended_while_it_starts(desk: Path) -> None:
    """A signal at any moment of the start leaves a desk that opens."""
    for after_s in (0.1, 0.2, 0.3, 0.4):
        with serving("serve", desk, "--port", "0", wait=False) as (process, _):
            time.sleep(after_s)
            process.send_signal(signal.SIGINT)
            assert process.wait(STOP_S_MAX) in (0, 130, -signal.SIGINT)
    assert run("agent", "key", desk, "scout").returncode == 0
