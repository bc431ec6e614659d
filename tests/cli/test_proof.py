"""`handrail log key` and `handrail log check-proof`: exported records, checked without the desk."""

from __future__ import annotations

from pathlib import Path

import pytest

import handrail
from handrail.core.lifecycle import State
from handrail.prove.export import export_action
from tests.cli.shell import run, run_each, said


@pytest.fixture
def exported(desk: Path) -> Path:
    """A proof about the refund that ran, taken by an auditor."""
    with handrail.open(desk) as opened:
        ava = opened.person("ava", roles=["auditor"])
        everything = opened.ctx.store.read(lambda tx: tx.proposals.latest("main", most=9))
        (ran,) = (one for one in everything if one.state is State.SUCCEEDED)
        made = export_action(opened.ctx, ran.id, ava)
    file = desk.with_name("proof.zip")
    file.write_bytes(made.data)
    return file


def test_a_proof_is_checked(desk: Path, exported: Path) -> None:
    """Exit status 0 with the key as text or in a file, though the desk is gone; 1 when changed."""
    key = run("log", "key", desk).stdout.strip()
    kept = desk.with_name("key.txt")
    kept.write_text(f"{key}\n")
    desk.rename(desk.with_name("gone"))
    for given in (key, kept):
        done = run("log", "check-proof", exported, "--key", given)
        assert (done.returncode, done.stderr) == (0, "")
        first, second = done.stdout.splitlines()
        assert first.startswith("ok: action hr_")
        assert second.startswith("1 actions, 2 entries of a log of ")
    data = exported.read_bytes()
    exported.write_bytes(data + b"!")
    done = run("log", "check-proof", exported, "--key", key)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[0] == "BAD: the zip file itself is not as it was written"
    assert done.stdout.splitlines()[-1] == "do not trust this file"


def test_what_cannot_be_checked(desk: Path, exported: Path, tmp_path: Path) -> None:
    """Exit status 2 and a code: another desk's key, a file that is none, a key that is none."""
    with handrail.open(tmp_path / "other") as other:
        stranger = other.ctx.signer.verifier.text()
    key = run("log", "key", desk).stdout.strip()
    cases: list[tuple[Path, str | Path, str]] = [
        (exported, stranger, "bundle_malformed"),
        (desk / "handrail.db", key, "bundle_malformed"),
        (tmp_path / "nothing", key, "setting_malformed"),
        (exported, "a+b+c", "key_malformed"),
        (exported, exported, "too_large"),
        (exported, tmp_path / "nothing", "setting_malformed"),
    ]
    lines: list[list[str | Path]] = [
        ["log", "check-proof", file, "--key", given] for file, given, _ in cases
    ]
    answers = run_each(lines)
    assert [said(done) for done in answers] == [code for *_, code in cases]
