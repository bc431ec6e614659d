"""The tool that finds or installs the browser for the browser tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.house.repo import ROOT
from tools.browser import apt_commands

TOOL: Final = ROOT / "tools" / "browser.py"


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tool with only what is given in its environment."""
    return subprocess.run(
        [sys.executable, str(TOOL)], env=environment, capture_output=True, text=True, check=False
    )


def script(path: Path, answer: int) -> Path:
    """A program that stands for a browser and exits with `answer`."""
    path.write_text(f"#!/bin/sh\nexit {answer}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_browser_on_the_path_is_taken(tmp_path: Path, name: str) -> None:
    """Any of the usual names will do."""
    browser = script(tmp_path / name, 0)
    done = run(PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, f"browser: {browser}\n")


def test_browser_that_is_named_is_taken(tmp_path: Path) -> None:
    """HANDRAIL_BROWSER goes before what is on the path."""
    named = script(tmp_path / "mine", 0)
    script(tmp_path / "chromium", 0)
    done = run(PATH=str(tmp_path), HANDRAIL_BROWSER=str(named))
    assert (done.returncode, done.stdout) == (0, f"browser: {named}\n")


def test_named_browser_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    """A wrong HANDRAIL_BROWSER is said, not quietly replaced."""
    named = script(tmp_path / "mine", 1)
    script(tmp_path / "chromium", 0)
    done = run(PATH=str(tmp_path), HANDRAIL_BROWSER=str(named))
    assert done.returncode == 2
    assert "does not answer --version" in done.stderr


def test_without_apt_the_tool_says_what_to_do(tmp_path: Path) -> None:
    """A machine that cannot install a browser gets a clear message and status 2."""
    done = run(PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "apt-get install chromium fonts-dejavu-core" in done.stderr
    assert "HANDRAIL_BROWSER" in done.stderr


@pytest.mark.parametrize(
    ("is_root", "has_apt", "has_sudo", "first_words"),
    [
        (True, True, False, ["env"]),
        (True, True, True, ["env"]),
        (False, True, True, ["sudo", "-n"]),
        (False, True, False, None),
        (True, False, True, None),
    ],
)
def test_apt_is_used_only_where_it_can_be(
    is_root: bool, has_apt: bool, has_sudo: bool, first_words: list[str] | None
) -> None:
    """Root installs directly, others through sudo that must not ask, the rest not at all."""
    commands = apt_commands(is_root=is_root, has_apt=has_apt, has_sudo=has_sudo)
    if first_words is None:
        assert commands == []
    else:
        assert [command[: len(first_words)] for command in commands] == [first_words] * 2
