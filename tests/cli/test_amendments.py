"""`handrail policy propose`, `approve`, `reject`, `activate` and `status` as installed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from handrail.policy.loader import source_text
from tests.cli.shell import PASSWORD, contents, run, said, serving

OTHER: Final = "another long password"


def written(folder: Path, version: int, limit: str) -> Path:
    """A file with the pack under a version, with another limit for what runs alone."""
    text = source_text("support-desk").replace("version: 1", f"version: {version}", 1)
    file = folder / f"v{version}-{limit}.yaml"
    file.write_text(text.replace('up_to: "50.00"', f'up_to: "{limit}"'))
    return file


def with_owners(desk: Path) -> None:
    """Pat and Quin may change the policy."""
    add = ("person", "add", desk)
    for name, password in (("pat", PASSWORD), ("quin", OTHER)):
        assert run(*add, name, "--role", "policy_owner", typed=password).returncode == 0
    for name in ("carl", "cora"):
        roles = ("--role", "checker", "--limit", "20000.00 USD")
        more = ("--limit", "20000.00 EUR", "--limit", "20000.00 GBP")
        assert run(*add, name, *roles, *more, typed=PASSWORD).returncode == 0


def test_it_takes_two_people_and_their_passwords(desk: Path, tmp_path: Path) -> None:
    """N2: proposed, approved by another, and still waiting for its time; stricter is at once."""
    with_owners(desk)
    looser = written(tmp_path, 2, "80.00")
    propose = ("policy", "propose", desk, looser, "--by", "pat", "--reason", "they wait too long")
    assert said(run(*propose, typed=OTHER)) == "login_failed"
    done = run(*propose, typed=PASSWORD)
    assert (done.returncode, done.stderr) == (0, "")
    *lines, nextly, id = done.stdout.splitlines()
    assert any(one.startswith("looser: `refund.issue` in USD, above 50.00 up") for one in lines)
    assert nextly == "something gets looser: another policy owner has to approve it"
    listed = run("policy", "proposals", desk).stdout
    assert re.fullmatch(rf"{id}  support-desk 2  proposed  6 looser.*they wait too long\n", listed)
    approve, activate = ("policy", "approve", desk, id), ("policy", "activate", desk, id)
    assert said(run(*activate, "--by", "pat", typed=PASSWORD)) == "amendment_waits"
    assert said(run(*approve, "--by", "pat", typed=PASSWORD)) == "own_authority"
    before = contents(desk)
    assert said(run(*approve, "--by", "quin", typed=PASSWORD)) == "login_failed"
    assert contents(desk) == before
    assert run(*approve, "--by", "quin", typed=OTHER).stdout.startswith("approved: it becomes")
    assert said(run(*activate, "--by", "quin", typed=OTHER)) == "amendment_waits"
    reject = ("policy", "reject", desk, id, "--by", "pat")
    assert run(*reject, typed=PASSWORD).stdout == f"rejected: {id}\n"
    stricter = ("policy", "propose", desk, written(tmp_path, 2, "20.00"), "--by", "pat")
    done = run(*stricter, "--reason", "careful", typed=PASSWORD)
    *_, nextly, id = done.stdout.splitlines()
    assert nextly == "nothing gets looser: it can be activated at once"
    assert "tighter: `refund.issue`" in run("policy", "proposals", desk, id).stdout
    done = run("policy", "activate", desk, id, "--by", "pat", typed=PASSWORD)
    assert done.stdout.startswith("active: support-desk, version 2, ")
    assert run("log", "verify", desk).returncode == 0
    gone = ("policy", "proposals", desk, "am_none")
    assert said(run(*gone)) == "amendment_not_found"


def test_a_file_is_compared_with_what_is_active(desk: Path, tmp_path: Path) -> None:
    """N1: served with a file that was made looser, the last good one stays; status says so."""
    with_owners(desk)
    edited = written(tmp_path, 2, "80.00")
    same = run("policy", "status", desk, "support-desk")
    assert (same.returncode, same.stdout.splitlines()[-1]) == (
        0,
        "`support-desk` is the active policy",
    )
    with serving("serve", desk, "--port", "0", "--policy", edited):
        differs = run("policy", "status", desk, edited)
    assert differs.returncode == 1
    lines = differs.stdout.splitlines()
    assert lines[0].startswith("active: support-desk, version 1, ")
    assert "support-desk 2  proposed  6 looser, 0 tighter  by operator" in lines[2]
    assert "is not the active policy: version 2" in lines[3]
    assert lines[4].startswith("looser: ")
    assert "policy.kept" in run("log", "show", desk).stdout
    assert run("log", "verify", desk).returncode == 0
