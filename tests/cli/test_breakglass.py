"""`handrail breakglass`, `person change`, `agent change` and `report` at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import handrail
from tests.cli.shell import PASSWORD, contents, run, said
from tests.cli.test_people import key_works, principal

OTHER: Final = "another long password"


def test_person_and_agent_change(desk: Path) -> None:
    """D7: what is named is different, the rest stays; what is wrong leaves everything alone."""
    done = run("person", "change", desk, "dana", "--role", "checker", "--limit", "50.00 USD")
    assert (done.returncode, done.stdout, done.stderr) == (0, "changed: dana\n", "")
    more = ("--mail", "dana@example.com", "--customer", "C-1001", "--name", "Dana W")
    assert run("person", "change", desk, "dana", *more).returncode == 0
    dana = principal(desk, "dana")
    assert ([role.value for role in dana.roles], dana.limits) == (["checker"], {"USD": 5_000})
    assert (dana.name, len(dana.subjects)) == ("Dana W", 1)
    assert dana.mail is not None
    assert "dana@example.com" not in dana.mail
    gone = ("--no-role", "--no-limit", "--no-customer", "--disable", "--mail", "")
    assert run("person", "change", desk, "dana", *gone).returncode == 0
    dana = principal(desk, "dana")
    assert (dana.roles, dana.limits, dana.subjects, dana.mail) == ((), {}, (), None)
    assert dana.disabled
    raw = b"".join(path.read_bytes() for path in desk.glob("handrail.db*"))
    assert b"dana@example.com" not in raw
    assert b"C-1001" not in raw
    key = run("agent", "add", desk, "bot", "--owner", "lee").stdout.strip()
    assert run("agent", "change", desk, "bot", "--deployer", "lee", "--disable").returncode == 0
    assert not key_works(desk, key)
    before = contents(desk)
    for words, code in (
        (("person", "change", desk, "nobody", "--disable"), "principal_not_found"),
        (("person", "change", desk, "bot", "--disable"), "principal_not_found"),
        (("agent", "change", desk, "lee", "--disable"), "principal_not_found"),
        (("agent", "change", desk, "bot", "--owner", ""), "setting_malformed"),
        (("agent", "change", desk, "bot", "--delegator", "bot"), "delegation_cycle"),
        (("agent", "change", desk, "bot", "--delegator", "nobody"), "principal_not_found"),
        (("person", "change", desk, "lee", "--mail", "nothing"), "field_malformed"),
    ):
        assert said(run(*words)) == code
    assert contents(desk) == before
    assert run("log", "verify", desk).returncode == 0


def test_breakglass_takes_two_people_and_their_passwords(desk: Path) -> None:
    """D12: nobody asks or confirms in another's name, and nobody confirms their own."""
    add = ("person", "add", desk)
    assert run(*add, "adam", "--role", "admin", typed=OTHER).returncode == 0
    assert run(*add, "nina", typed=PASSWORD).returncode == 0
    ask = ("breakglass", "ask", desk, "nina", "--reason", "all ill", "--minutes", "5")
    assert said(run(*ask, typed=OTHER)) == "login_failed"
    asked = run(*ask, typed=PASSWORD)
    assert (asked.returncode, asked.stderr) == (0, "")
    grant = asked.stdout.strip()
    confirm = ("breakglass", "confirm", desk, grant, "--by")
    assert said(run(*confirm, "adam", typed=PASSWORD)) == "login_failed"
    assert said(run(*confirm, "nina", typed=PASSWORD)) == "role_missing"
    listed = run("breakglass", "list", desk).stdout
    assert "not in force  all ill" in listed
    done = run(*confirm, "adam", typed=OTHER)
    assert done.stdout == "in force: `nina` may check for 5 minutes\n"
    assert "nina  in force" in run("breakglass", "list", desk).stdout
    close = ("breakglass", "close", desk, grant, "--by", "nina")
    assert run(*close, typed=PASSWORD).stdout == f"closed: {grant}\n"
    assert run("breakglass", "list", desk).stdout == ""
    assert said(run(*close, typed=PASSWORD)) == "grant_not_open"
    assert run("log", "verify", desk).returncode == 0


def test_reciprocity(tmp_path: Path) -> None:
    """D9: two who always approve each other's agents stand on top; a quiet desk has nothing."""
    place = tmp_path / "desk"
    with handrail.open(place) as desk:
        for name in ("amy", "ben", "cleo"):
            desk.person(name)
            desk.agent(f"bot-{name}", owner=name)
        for maker, checker in (
            ("amy", "ben"),
            ("ben", "amy"),
            ("amy", "ben"),
            ("ben", "amy"),
            ("amy", "ben"),
            ("cleo", "amy"),
            ("cleo", "ben"),
        ):
            task = desk.task(ticket="T-103", agent=f"bot-{maker}")
            action = desk.propose(task, "reply.send", ticket="T-103", body="Hello")
            desk.review(action.id, "approve", by=checker, digest=action.digest)
    lines = run("report", "reciprocity", place).stdout.splitlines()
    assert lines[0] == "7 approvals, 3 pairs"
    assert lines[1].startswith("amy and ben: 3 and 2, ")
    assert run("report", "reciprocity", tmp_path / "none").returncode == 2
