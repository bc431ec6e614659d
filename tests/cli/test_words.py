"""What is typed wrongly is answered in one line; what is asked is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from handrail import __version__
from tests.cli.shell import run, run_each, said


def test_version() -> None:
    """The version, and nothing else."""
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"handrail {__version__}\n", "")


def test_help_of_a_group() -> None:
    """Help goes to the standard output; a group without a command shows the same, as a mistake."""
    asked, bare = run("log", "--help"), run("log")
    assert (asked.returncode, bare.returncode) == (0, 2)
    assert asked.stderr == bare.stderr == ""
    assert "prove" in asked.stdout
    assert bare.stdout.split() == asked.stdout.split()


MISTYPED: Final = [
    ("nosuch", "no such command `nosuch`; see `handrail --help`"),
    ("log verify", "missing argument `directory`; see `handrail log verify --help`"),
    ("log show x --customer C --person P", "give one of `--customer`, `--proposal` and `--person`"),
    ("serve x --port 65536", "invalid value for `--port`"),
    ("person add x ann --role boss", "`boss` is not one of `reviewer`, `checker`"),
    ("agent add x scout", "missing option `--owner`"),
    ("grade --stakes 3", "missing --reversibility 0..3, --blast-radius 0..3"),
]


def test_mistyped_words(tmp_path: Path) -> None:
    """One line that says what is wrong, and nothing is made."""
    answers = run_each([words.split() for words, _ in MISTYPED], cwd=tmp_path)
    for (_, why), done in zip(MISTYPED, answers, strict=True):
        assert said(done) == "setting_malformed"
        assert why in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_hostile_words_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    """A line break or an escape sequence in a name does not break the line or the terminal."""
    done = run("log", "verify", "a\nhandrail: ok\x1b[2J", cwd=tmp_path)
    assert said(done) == "desk_not_found"
    assert "\x1b" not in done.stderr


def test_unwritable_answer() -> None:
    """An answer that cannot be written is an error, not a traceback."""
    with Path("/dev/full").open("wb") as full:
        done = run("policy", "schema", out=full.fileno())
    assert done.returncode == 2
    assert done.stderr == "handrail: store_full: the disk is full\n"


def test_answer_in_a_narrow_alphabet(worked: Path) -> None:
    """A terminal without the dash of a signed note gets it all the same: a note is UTF-8."""
    plain, narrow = (
        run("log", "checkpoint", worked, more=more) for more in ({}, {"PYTHONIOENCODING": "ascii"})
    )
    assert narrow.returncode == 0
    assert narrow.stdout == plain.stdout
    assert "\N{EM DASH}" in narrow.stdout
