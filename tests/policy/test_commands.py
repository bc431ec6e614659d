"""`handrail policy` and `handrail grade`, as typed into a shell."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner, Result

from handrail.errors import HandrailError
from handrail.policy.loader import load
from handrail.policy.packs import pack_text
from handrail.policy.schema import policy_schema
from handrail.surfaces.cli import app
from tests.policy.sample import GOOD, spoiled


def run(*words: str) -> Result:
    """The command's output and exit status; its input is not a terminal."""
    result = CliRunner().invoke(app, list(words))
    if isinstance(result.exception, HandrailError):
        # As `main` says it.
        result.stderr_bytes = (
            result.stderr_bytes or b""
        ) + f"handrail: {result.exception}\n".encode()
        result.exit_code = 2
    return result


def test_check_says_ok(tmp_path: Path) -> None:
    """Name, number of kinds and digest, on one line."""
    file = tmp_path / "desk.yaml"
    file.write_text(GOOD)
    result = run("policy", "check", str(file))
    assert result.exit_code == 0
    assert result.stdout == f"ok: small-desk, 3 kinds, {load(file).digest}\n"
    assert result.stderr == ""


def test_check_takes_the_name_of_a_pack() -> None:
    """The packs can be checked like files."""
    result = run("policy", "check", "support-desk")
    assert result.exit_code == 0
    assert result.stdout.startswith("ok: support-desk, 13 kinds, ")


def test_check_prints_problems_with_lines(tmp_path: Path) -> None:
    """Every problem with file and line, then the code; nothing on the standard output."""
    file = tmp_path / "desk.yaml"
    file.write_text(spoiled("version: 3", "version: 0").replace("undo: refund.reverse", "undo: x"))
    result = run("policy", "check", str(file))
    assert result.exit_code == 2
    assert result.stdout == ""
    first, second, last = result.stderr.splitlines()
    assert first.startswith(f"{file}:2: error: `version` must be")
    assert second.startswith(f"{file}:34: error: the undo `x` is not a kind")
    assert last.startswith("handrail: policy_invalid: 2 errors in ")


def test_check_with_a_warning_is_still_ok(tmp_path: Path) -> None:
    """A warning is said, and does not fail."""
    file = tmp_path / "desk.yaml"
    file.write_text(spoiled('support: {kinds: "*"}', "support: {kinds: [ticket.read]}"))
    result = run("policy", "check", str(file))
    assert result.exit_code == 0
    assert result.stderr == f"{file}:19: warning: no lane lets a task touch `refund.issue`\n"
    assert result.stdout.startswith("ok: ")


@pytest.mark.parametrize("words", [("check", "no/such.yaml"), ("check", "x"), ("show", "x")])
def test_policy_that_is_not_there(words: tuple[str, str]) -> None:
    """Its code and exit status 2."""
    result = run("policy", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith("handrail: policy_not_found: ")


def test_schema_and_packs_are_printed() -> None:
    """What comes out can be piped into a file."""
    assert json.loads(run("policy", "schema").stdout) == policy_schema()
    assert run("policy", "show", "support-desk").stdout == pack_text("support-desk")


def test_grade_from_options() -> None:
    """Grade, why, control and YAML."""
    words = "--reversibility 2 --blast-radius 1 --stakes 2 --catchable unsure --undo --money"
    result = run("grade", *words.split())
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:2] == ["grade: G2", "why:"]
    assert "control: hold_and_recall, with a cap" in lines
    assert "    axes: {reversibility: 2, blast_radius: 1, stakes: 2}" in lines
    assert "    undo: your.action.undo" in lines
    assert "    value: amount" in lines


def test_grade_from_the_axes_alone() -> None:
    """What is not said and cannot be asked is taken to be the less comfortable answer."""
    result = run("grade", "--reversibility", "3", "--blast-radius", "1", "--stakes", "1")
    assert result.exit_code == 0
    assert result.stdout.startswith("grade: G3\n")
    assert "control: maker_checker, 1 checker, with a cap\n" in result.stdout
    assert 'catchable: "unsure"\n' in result.stdout
    assert "undo:" not in result.stdout


BAD_OPTIONS: Final = [
    ("--stakes 1", "setting_malformed: missing --reversibility 0..3, --blast-radius 0..3"),
    ("--reversibility 4 --blast-radius 0 --stakes 0", "--reversibility"),
    ("--reversibility -1 --blast-radius 0 --stakes 0", "--reversibility"),
    ("--reversibility 1.5 --blast-radius 0 --stakes 0", "--reversibility"),
    ("--reversibility 1 --blast-radius 0 --stakes 0 --catchable maybe", "--catchable"),
]


@pytest.mark.parametrize(("words", "said"), BAD_OPTIONS)
def test_grade_refuses_bad_options(words: str, said: str) -> None:
    """The option is named; exit status 2; nothing is graded."""
    result = run("grade", *words.split())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


def on_a_terminal(*words: str, typed: str) -> tuple[int, str]:
    """Exit status and screen of `grade` when a person types `typed`, line by line."""
    ours, theirs = pty.openpty()
    code = "import typer; from handrail.surfaces.cli_policy import grade; typer.run(grade)"
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        screen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end closed: how Linux ends a terminal
                break
            if not part:
                break
            screen += part
    os.close(ours)
    return process.returncode, screen.decode()


def test_grade_asks_one_by_one_on_a_terminal() -> None:
    """Each axis with its steps in words, then what else decides; slips are asked again."""
    status, screen = on_a_terminal(typed="2\n9\n1\n0\nperhaps\nyes\nn\ny\n")
    assert status == 0
    assert "How hard is it to undo?" in screen
    assert "3  cannot be undone" in screen
    assert "a number from 0 to 3, please" in screen
    assert "yes/unsure/no, please" in screen
    assert "grade: G2" in screen
    assert "control: approve" in screen
    assert "value: amount" in screen


def test_grade_asks_only_what_is_missing() -> None:
    """Options that were given are not asked; below G2 nobody asks whether it is catchable."""
    words = ("--reversibility", "1", "--blast-radius", "0", "--money")
    status, screen = on_a_terminal(*words, typed="1\ny\n")
    assert status == 0
    assert "How much can it cost?" in screen
    assert "How hard is it to undo?" not in screen
    assert "catch a mistake" not in screen
    assert "grade: G1" in screen
    assert "control: run_and_notify, with a cap" in screen
