"""The command line with `--store postgresql://...`: every command, and two servers on one desk."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import typer

from handrail.policy.packs import pack_text
from handrail.surfaces.cli import app
from tests.cli.shell import PASSWORD, run, run_each, said, serving
from tests.patience import HANG_S
from tests.store.databases import PostgresDatabase

POLL_S: Final = 30
"""As long as a poll may be."""
CALLERS: Final = 8
EACH: Final = 6


class Office:
    """A desk on PostgreSQL, with its directory and what every command needs to find it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "desk"
        self.address = PostgresDatabase(folder).address
        self.more = {"HANDRAIL_STORE": self.address}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A desk on which what is shown can be approved at once."""
    made = Office(tmp_path)
    policy = tmp_path / "policy.yaml"
    policy.write_text("attention: {dwell_percent: 0}\n" + pack_text("support-desk"))
    done = run("init", made.folder, "--store", made.address, "--policy", policy)
    assert (done.returncode, done.stderr) == (0, "")
    return made


def test_every_command_finds_the_database(office: Office) -> None:
    """By `--store`, or by the setting; without either there is no desk in the directory."""
    where = (office.folder, "--store", office.address)
    assert run("person", "add", *where, "dana", typed=PASSWORD).returncode == 0
    key = run("agent", "add", *where, "scout", "--owner", "dana").stdout.strip()
    lines: list[tuple[str | Path, ...]] = [
        ("person", "password", office.folder, "dana"),
        ("agent", "key", office.folder, "scout"),
        ("agent", "revoke", office.folder, key),
        ("halt", office.folder, "--agent", "scout"),
        ("halts", office.folder),
        ("log", "verify", office.folder),
        ("log", "show", office.folder),
        ("log", "checkpoint", office.folder),
        ("log", "prove", office.folder, "0"),
    ]
    for line in lines:
        done = run(*line, more=office.more, typed=PASSWORD)
        assert (done.returncode, done.stderr) == (0, ""), line
    assert not (office.folder / "handrail.db").exists()
    assert {said(done) for done in run_each([("log", "verify", office.folder)])} == {
        "desk_not_found"
    }
    assert said(run("init", office.folder, more=office.more)) == "desk_exists"


def test_every_command_with_keys_has_a_store() -> None:
    """Whatever opens a desk opens it wherever it is."""

    def names(group: Any, path: str) -> Iterator[tuple[str, set[str]]]:
        for name, command in getattr(group, "commands", {}).items():
            yield f"{path} {name}", {param.name for param in command.params}
            yield from names(command, f"{path} {name}")

    found = dict(names(typer.main.get_command(app), "handrail"))
    assert "handrail serve" in found
    assert [name for name, has in found.items() if "keys" in has and "store" not in has] == []


def test_an_address_is_not_repeated(tmp_path: Path) -> None:
    """A password on the command line or in the setting is in no message."""
    for address in ("postgresql://a:sesame@127.0.0.1:9/x", "postgres//a:sesame@h/x", "sesame"):
        done = run("serve", tmp_path / "desk", "--store", address)
        assert said(done) in ("store_failed", "setting_malformed")
        assert "sesame" not in done.stderr


@pytest.fixture
def two(office: Office) -> Iterator[tuple[Office, str, str, str]]:
    """Two servers on one desk: where they are, and an agent's key."""
    assert (
        run("person", "add", office.folder, "dana", more=office.more, typed=PASSWORD).returncode
        == 0
    )
    assert (
        run("person", "add", office.folder, "lee", more=office.more, typed=PASSWORD).returncode == 0
    )
    owned = ("agent", "add", office.folder, "scout", "--owner", "lee")
    key = run(*owned, more=office.more).stdout.strip()
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serving("serve", office.folder, "--port", "0", more=office.more))
            for _ in range(2)
        ]
        yield office, servers[0][1], servers[1][1], key
        for process, _ in servers:
            process.terminate()
        for process, _ in servers:
            assert process.wait(HANG_S) == 0


def _bearer(address: str, key: str) -> dict[str, str]:
    bearer = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=address, headers=bearer, timeout=HANG_S) as scout:
        task = scout.post("/v1/tasks", json={"ticket": "T-101"}).json()
    return {"authorization": f"Bearer {task['token']}"}


def test_two_servers_share_the_work(two: tuple[Office, str, str, str]) -> None:
    """E1, G6: the same keys at both from many callers; each action is made once, for all."""
    office, *addresses, key = two
    bearer = _bearer(addresses[0], key)
    answers: dict[str, set[str]] = {}

    def call(caller: int) -> None:
        with httpx.Client(base_url=addresses[caller % 2], timeout=HANG_S) as http:
            for n in range(EACH):
                params = {"order": "O-5001", "amount": f"0.{50 + n} USD", "reason": "damaged"}
                body = {"kind": "refund.issue", "params": params, "key": f"k{n}", "wait_ms": 5000}
                answer = http.post("/v1/proposals", json=body, headers=bearer).json()
                answers.setdefault(f"k{n}", set()).add(answer["id"])

    threads = [threading.Thread(target=call, args=(n,)) for n in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(ids) for ids in answers.values()] == [1] * EACH
    done = run("log", "verify", office.folder, more=office.more)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_decision_at_one_server_wakes_who_waits_at_the_other(
    two: tuple[Office, str, str, str],
) -> None:
    """The long poll ends when the action does, whichever server the reviewer was at.

    It runs once it can no longer be taken back.
    """
    _, here, there, key = two
    bearer = _bearer(here, key)
    params = {"ticket": "T-101", "body": "We are sorry about the mug."}
    ended: list[tuple[float, str]] = []
    with (
        httpx.Client(base_url=here, headers=bearer, timeout=HANG_S) as scout,
        httpx.Client(base_url=there, timeout=HANG_S) as dana,
    ):
        held = scout.post("/v1/proposals", json={"kind": "reply.send", "params": params}).json()
        assert held["state"] == "PENDING"
        path = f"/v1/proposals/{held['id']}"
        login = {"person": "dana", "password": PASSWORD}
        dana.headers["x-csrf-token"] = dana.post("/v1/session", json=login).json()["csrf"]
        verdict = {"verdict": "approve", "digest": dana.get(f"{path}/full").json()["digest"]}

        def wait() -> None:
            begun = time.monotonic()
            answer = scout.get(path, params={"wait_ms": POLL_S * 1_000}).json()
            ended.append((time.monotonic() - begun, answer["state"]))

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert dana.post(f"{path}/reviews", json=verdict).is_success
        waiting.join()
    ((took_s, state),) = ended
    assert state == "SUCCEEDED"
    assert took_s < POLL_S  # not because its own time was over
