"""`handrail serve`: it starts, is alone, says where it is, and ends cleanly."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import handrail
from tests.cli.shell import PASSWORD, contents, finish, run, run_each, said, serving, start
from tests.patience import HANG_S


def size_of(note: str) -> int:
    """The size that a checkpoint covers."""
    return int(note.splitlines()[1])


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_cleanly(desk: Path, end: signal.Signals) -> None:
    """Exit status 0, a checkpoint over everything, and the next start finds the desk free."""
    before = size_of(run("log", "checkpoint", desk).stdout)
    with serving("serve", desk, "--port", "0") as (process, address):
        login = {"person": "dana", "password": PASSWORD}
        assert httpx.post(f"{address}/v1/session", json=login, timeout=HANG_S).is_success
        process.send_signal(end)
        assert process.wait(HANG_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert not list(desk.glob("*-wal"))
    assert size_of(run("log", "checkpoint", desk).stdout) == before + 1
    assert run("log", "verify", desk).returncode == 0
    with serving("serve", desk, "--port", "0") as (process, address):
        assert httpx.get(f"{address}/readyz", timeout=HANG_S).is_success
        process.send_signal(end)
        assert process.wait(HANG_S) == 0


def test_new_directory_is_made_by_serving(tmp_path: Path) -> None:
    """A desk with the default policy, and a first person can be added afterwards."""
    new = tmp_path / "deep" / "desk"
    with serving("serve", new, "--port", "0") as (process, address):
        assert httpx.get(f"{address}/readyz", timeout=HANG_S).is_success
        process.terminate()
        assert process.wait(HANG_S) == 0
    assert run("person", "add", new, "dana", typed=PASSWORD).returncode == 0


def test_desk_is_held_by_one_process(desk: Path) -> None:
    """Whoever would write is told which process to stop; whoever reads may read."""
    with serving("serve", desk, "--port", "0") as (process, address):
        before = contents(desk)
        lines = (("serve", desk), ("person", "add", desk, "x"))
        for done in run_each(lines):
            assert said(done) == "store_locked"
            assert f"process {process.pid} has " in done.stderr
        reading = (("verify", desk), ("show", desk), ("checkpoint", desk), ("prove", desk, "0"))
        for done in run_each([("log", *words) for words in reading]):
            assert (done.returncode, done.stderr) == (0, "")
        assert contents(desk) == before
        assert httpx.get(f"{address}/readyz", timeout=HANG_S).is_success


def test_killed_server_leaves_a_whole_desk(desk: Path) -> None:
    """After kill -9 the lock is gone and the log verifies."""
    with serving("serve", desk, "--port", "0") as (process, _):
        process.kill()
        process.wait(HANG_S)
    with handrail.open(desk) as opened:
        assert opened.verify().good


def test_busy_port(desk: Path) -> None:
    """A port that somebody listens on is named; the desk is closed again and free."""
    before = contents(desk)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run("serve", desk, "--port", str(port))
        assert said(done) == "port_in_use"
        assert f"127.0.0.1:{port}" in done.stderr
        assert contents(desk) == before
    with handrail.open(desk) as opened:
        assert opened.verify().good


def test_address_that_is_not_ours(copies: Callable[[int], list[Path]]) -> None:
    """An address that this machine does not have, or that is none."""
    hosts = ("192.0.2.1", "no such host")
    desks = copies(len(hosts))
    before = contents(desks[0])
    lines = [("serve", desk, "--host", host) for desk, host in zip(desks, hosts, strict=True)]
    assert {said(done) for done in run_each(lines)} == {"setting_malformed"}
    assert all(contents(desk) == before for desk in desks)


def test_ended_while_it_starts(desk: Path) -> None:
    """A signal at any moment of the start leaves a desk that opens, and no traceback."""
    for after_s in (0.1, 0.25, 0.4):
        process = start("serve", desk, "--port", "0")
        time.sleep(after_s)
        process.send_signal(signal.SIGTERM)
        done = finish(process)
        assert done.returncode in (0, -signal.SIGTERM)
        assert done.stderr == ""
    assert run("agent", "key", desk, "scout").returncode == 0
