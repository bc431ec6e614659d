"""`handrail person` and `handrail agent`: all of it or nothing."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import handrail
from handrail.core.principal import Principal
from handrail.engine.access.people import agent_of_key
from handrail.errors import NotAuthenticated
from handrail.surfaces.auth import Logins, login
from tests.cli.shell import (
    AT_ONCE,
    HANDRAIL,
    PASSWORD,
    clean_environment,
    contents,
    finish,
    run,
    run_each,
    said,
    start,
)


def principal(desk: Path, id: str) -> Principal:
    """The row of a person or agent."""
    with handrail.open(desk) as opened:
        found = opened.ctx.store.read(lambda tx: tx.people.get("main", id))
    assert found is not None
    return found


def can_log_in(desk: Path, person: str, password: str) -> bool:
    """Whether the desk lets them in with that password."""
    logins = Logins()
    with handrail.open(desk) as opened:
        try:
            asyncio.run(login(opened.ctx, logins, "main", person, password))
        except NotAuthenticated:
            return False
        finally:
            logins.close()
    return True


def test_person(desk: Path) -> None:
    """Roles, limits and name as given; the password opens the door, and only the newest one."""
    words = "--role checker --role auditor --limit".split()
    limits = ("5000.00 USD", "--limit", "500000 JPY")
    done = run("person", "add", desk, "kim", *words, *limits, "--name", "Kim", typed=PASSWORD)
    assert (done.returncode, done.stdout, done.stderr) == (0, "added: kim\n", "")
    kim = principal(desk, "kim")
    assert [role.value for role in kim.roles] == ["checker", "auditor"]
    assert (kim.name, kim.limits) == ("Kim", {"USD": 500_000, "JPY": 500_000})
    done = run("person", "password", desk, "kim", typed="another one\n")
    assert (done.returncode, done.stdout) == (0, "password set: kim\n")
    assert can_log_in(desk, "kim", "another one")
    assert not can_log_in(desk, "kim", PASSWORD)


REFUSED: Final[list[tuple[str, str | bytes, str]]] = [
    ("add kim --limit 5", PASSWORD, "money_is_ambiguous"),
    ("add kim --limit 5.00_USD --limit 6.00_USD", PASSWORD, "setting_malformed"),
    ("add dana", PASSWORD, "principal_exists"),
    ("add kim", "", "setting_malformed"),
    ("add kim", "short", "field_malformed"),
    ("add kim", b"\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc", "text_not_unicode"),
    ("add k\u00efm", PASSWORD, "field_malformed"),
    ("add kim --desk other", PASSWORD, "desk_not_found"),
    ("password nobody", PASSWORD, "principal_not_found"),
]


def test_refused_person_leaves_nothing(copies: Callable[[int], list[Path]]) -> None:
    """No person without a password, no password without a person, nothing in the log."""
    desks = copies(len(REFUSED))
    before = contents(desks[0])
    started = []
    for desk, (words, typed, code) in zip(desks, REFUSED, strict=True):
        what, *rest = (word.replace("_", " ") for word in words.split())
        started.append((desk, code, start("person", what, desk, *rest, typed=typed)))
        if len(started) == AT_ONCE or desk is desks[-1]:
            for where, expected, process in started:
                assert said(finish(process)) == expected
                assert contents(where) == before
            started.clear()


def key_works(desk: Path, key: str) -> bool:
    """Whether the key still opens the API."""
    with handrail.open(desk) as opened:
        try:
            return agent_of_key(opened.ctx, key).id == "bot"
        except NotAuthenticated:
            return False


def test_agent_and_its_keys(desk: Path) -> None:
    """A key is printed alone and works; a second one replaces it; revoking ends one at once."""
    assert run("person", "add", desk, "lee2", "--identity", "lee", typed=PASSWORD).returncode == 0
    first = run("agent", "add", desk, "bot", "--owner", "lee2", "--operator", "dana")
    assert (first.returncode, first.stderr) == (0, "")
    # The natural person answers for the agent, from whichever account.
    bot = principal(desk, "bot")
    assert (bot.owner, bot.operator) == ("lee", "dana")
    second = run("agent", "key", desk, "bot")
    old, new = first.stdout.strip(), second.stdout.strip()
    assert key_works(desk, old)
    assert key_works(desk, new)
    done = run("agent", "revoke", desk, old)
    assert done.stdout == f"revoked: {old.rpartition('_')[0]}\n"
    assert not key_works(desk, old)
    assert key_works(desk, new)
    assert said(run("agent", "revoke", desk, old)) == "credential_unknown"
    # The public part is enough.
    assert run("agent", "revoke", desk, new.rpartition("_")[0]).returncode == 0
    assert not key_works(desk, new)


REFUSED_AGENTS: Final = [
    ("add bot --owner nobody", "principal_not_found"),
    ("add bot --owner lee --operator nobody", "principal_not_found"),
    ("add scout --owner lee", "principal_exists"),
    ("add lee --owner lee", "principal_exists"),
    ("key nobody", "principal_not_found"),
    ("revoke hra_000000000000", "credential_unknown"),
]


def test_refused_agent_leaves_nothing(copies: Callable[[int], list[Path]]) -> None:
    """No agent without a person who answers for it, no key without its agent."""
    desks = copies(len(REFUSED_AGENTS))
    before = contents(desks[0])
    lines: list[tuple[str | Path, ...]] = []
    for desk, (words, _) in zip(desks, REFUSED_AGENTS, strict=True):
        what, *rest = words.split()
        lines.append(("agent", what, desk, *rest))
    assert [said(done) for done in run_each(lines)] == [code for _, code in REFUSED_AGENTS]
    assert all(contents(desk) == before for desk in desks)


def on_a_terminal(*words: str | Path, typed: list[str]) -> tuple[int, str]:
    """Exit status and screen when a person answers each question."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [HANDRAIL, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=clean_environment(),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        screen = b""
        while True:
            try:
                screen += os.read(ours, 4096)
            except OSError:  # the other end closed: how Linux ends a terminal
                break
            if screen.endswith(b": ") and typed:
                os.write(ours, typed.pop(0).encode() + b"\n")
    os.close(ours)
    return process.returncode, screen.decode()


def test_password_is_asked_twice_and_not_shown(desk: Path) -> None:
    """On a terminal; a slip is found, and then nobody is added."""
    before = contents(desk)
    status, screen = on_a_terminal("person", "add", desk, "kim", typed=[PASSWORD, "slip"])
    assert status == 2
    assert "handrail: setting_malformed: the two passwords differ" in screen
    assert contents(desk) == before
    status, screen = on_a_terminal("person", "add", desk, "kim", typed=[PASSWORD, PASSWORD])
    assert (status, PASSWORD in screen) == (0, False)
    assert screen.endswith("added: kim\r\n")
