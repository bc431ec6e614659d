"""The pages of the docs, and what can be asked about them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.house.markdown import Block, code_in, says
from tests.house.repo import ROOT, python_files, read_text

__all__ = ["commands", "failure", "pages", "settings", "unsaid"]

SETTING: Final = re.compile(r"HANDRAIL_[A-Z0-9_]*[A-Z0-9]")
BLOCK_S_MAX: Final = 120


def pages() -> list[Path]:
    """The pages of the docs: the README and everything below docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def unsaid(terms: list[str], *texts: str) -> list[str]:
    """The terms that no page sets as code."""
    code = "\n".join(code_in(text) for text in texts)
    return [term for term in terms if not says(code, term)]


def commands(group: Any, words: str) -> Iterator[str]:
    """Every command below a typer group, written as one types it; hidden ones are left out."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from commands(command, f"{words} {name}")
        else:
            yield f"{words} {name}"


def settings() -> list[str]:
    """Every HANDRAIL_ setting that the sources read."""
    texts = (read_text(path) or "" for path in python_files("src"))
    return sorted({name for text in texts for name in SETTING.findall(text)})


def failure(block: Block, folder: Path) -> str | None:
    """What went wrong when the block ran in `folder` (or was compiled, if it is not to run)."""
    if not block.runs:
        try:
            compile(block.text, "block", "exec")
        except SyntaxError as error:
            return str(error)
        return None
    clean = {name: text for name, text in os.environ.items() if not name.startswith("HANDRAIL_")}
    program = folder / "block.py"
    program.write_text(block.text)
    done = subprocess.run(
        [sys.executable, program.name],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        timeout=BLOCK_S_MAX,
        check=False,
    )
    return None if done.returncode == 0 else done.stdout + done.stderr
