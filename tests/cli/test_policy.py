"""`handrail policy` and `handrail grade` as installed; tests/policy has the details."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.cli.shell import run, run_each, said

KINDS: Final = """lanes:
  all: {kinds: "*"}
kinds:
  ticket.read:
    title: Read
    connector: desk
    axes: {reversibility: 0, blast_radius: 0, stakes: 0}
    params: {ticket: {type: id}}
    control: run_and_log
"""

BAD_POLICIES: Final = [
    ("kinds: [", ":1: error: not YAML"),
    ("policy: a\npolicy: b\n", ":2: error: `policy` is given twice"),
    (f"policy: a\nversion: 1\nno_such_key: 1\n{KINDS}", ":3: error: "),
    (f"policy: a\nversion: one\n{KINDS}", ":2: error: "),
    (f"policy: a\nversion: 1\n{KINDS}".replace("stakes: 0", "stakes: 7"), ":9: error: "),
]


def test_bad_policy_is_named_with_its_line(tmp_path: Path) -> None:
    """Each problem with file and line, then the code; exit status 2, nothing on the output."""
    files = [tmp_path / f"{number}.yaml" for number in range(len(BAD_POLICIES))]
    for file, (text, _) in zip(files, BAD_POLICIES, strict=True):
        file.write_text(text)
    answers = run_each([("policy", "check", file) for file in files])
    for file, (_, why), done in zip(files, BAD_POLICIES, answers, strict=True):
        assert (done.returncode, done.stdout) == (2, "")
        *problems, last = done.stderr.splitlines()
        assert any(problem.startswith(f"{file}{why}") for problem in problems), done.stderr
        assert last.startswith("handrail: policy_invalid: ")


def test_policy_that_cannot_be_read(tmp_path: Path) -> None:
    """Not there, a directory, not text: one line each."""
    (tmp_path / "bytes.yaml").write_bytes(b"policy: a\n\xff\n")
    words: list[tuple[str | Path, ...]] = [
        ("policy", "check", tmp_path),
        ("policy", "show", "nosuch"),
    ]
    answers = run_each(words)
    assert {said(done) for done in answers} == {"policy_not_found"}
    done = run("policy", "check", tmp_path / "bytes.yaml")
    assert said(done) == "policy_invalid"
    assert "bytes.yaml:2: the file is not UTF-8" in done.stderr


def test_pack_shown_is_a_policy_that_checks(tmp_path: Path) -> None:
    """What `show` prints is a file that `check` accepts; the schema is JSON."""
    shown = run("policy", "show", "support-desk")
    file = tmp_path / "mine.yaml"
    file.write_text(shown.stdout)
    checked = run("policy", "check", file)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.startswith("ok: support-desk, 13 kinds, ")
    assert json.loads(run("policy", "schema").stdout)["$schema"]


def test_grade() -> None:
    """Three axes in, a grade and a control out."""
    done = run("grade", *"--reversibility 3 --blast-radius 1 --stakes 2".split())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("grade: G3\nwhy:\n")
    assert "control: maker_checker, 1 checker" in done.stdout


def test_desk_is_not_made_with_a_bad_policy(tmp_path: Path) -> None:
    """A policy that does not load, or that nobody here can execute, leaves nothing behind."""
    bad = tmp_path / "bad.yaml"
    bad.write_text(f"policy: a\n{KINDS}")
    foreign = tmp_path / "foreign.yaml"
    foreign.write_text(f"policy: a\nversion: 1\n{KINDS}".replace("connector: desk", "connector: x"))
    new = tmp_path / "deep" / "new"
    assert run("policy", "check", foreign).returncode == 0
    for command, policy, code in (
        ("init", bad, "policy_invalid"),
        ("serve", foreign, "connector_unknown"),
    ):
        assert said(run(command, new, "--policy", policy)) == code
        assert not new.parent.exists()
