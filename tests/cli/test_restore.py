"""`handrail restore`: what is lost, who stands behind it, and what `log verify` says after."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import handrail
from tests.cli.shell import run, said

PASSWORDS = "the first password\nthe second password\n"


def test_two_people_go_on_from_a_backup(desk: Path) -> None:
    """K4: refused; named; restored with both passwords; halted; verified as what it is."""
    assert run("person", "add", desk, "boss", "--role", "checker", typed=PASSWORDS).returncode == 0
    ada = ("person", "add", desk, "ada", "--role", "admin")
    assert run(*ada, typed="the second password\n").returncode == 0
    assert said(run("restore", desk)) == "nothing_lost"
    shutil.copy(desk / "handrail.db", desk.parent / "backup")
    with handrail.open(desk) as opened:
        opened.halt(reason="something to lose")
    shutil.copy(desk.parent / "backup", desk / "handrail.db")

    assert said(run("halt", desk)) == "log_shrunk"
    done = run("restore", desk)
    assert done.returncode == 0
    assert re.search(r"has \d+ entries.* tell of \d+: at least \d are lost", done.stdout)
    assert said(run("restore", desk, "--by", "boss")) == "setting_malformed"
    two = ("restore", desk, "--by", "boss", "--confirmed-by", "ada")
    done = run(*two, typed="wrong\nthe second password\n")
    assert (done.returncode, done.stderr.split(":")[1]) == (2, " login_failed")
    assert said(run("halt", desk)) == "log_shrunk"
    done = run(*two, typed=PASSWORDS)
    assert done.returncode == 0, done.stderr
    assert "another person than `boss`" in done.stdout
    verified = run("log", "verify", desk)
    assert verified.returncode == 3
    assert "by `boss`, confirmed by `ada`" in verified.stdout
    assert "ok: " in verified.stdout
    with handrail.open(desk) as opened:
        assert [halt.pulled_by for halt in opened.halts()] == ["boss"]
    assert run("log", "verify", desk).returncode == 3
