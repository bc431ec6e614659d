"""The files of this repository, as the house rules see them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import Final

__all__ = ["CODE_ROOMS", "ROOT", "python_files", "read_text", "repository_files"]

ROOT: Final = Path(__file__).resolve().parents[2]
CODE_ROOMS: Final = ("src", "tests", "benchmarks", "tools")
LEFT_OUT: Final = frozenset({".git", "__pycache__", "build", "dist", "node_modules"})


def repository_files() -> list[PurePosixPath]:
    """Every file that is in the repository or would be added to it, sorted, relative to ROOT.

    Git answers where it can; an unpacked archive without git is walked instead.
    """
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        names = {name for name in listed.stdout.decode().split("\0") if name}
        found = [PurePosixPath(name) for name in names if (ROOT / name).is_file()]
    else:
        found = [
            PurePosixPath(path.relative_to(ROOT).as_posix())
            for path in ROOT.rglob("*")
            if path.is_file() and not _is_left_out(path.relative_to(ROOT).parts)
        ]
    return sorted(found)


def python_files(*rooms: str) -> list[PurePosixPath]:
    """The Python files below the named top folders; below all code rooms when none is named."""
    wanted = rooms or CODE_ROOMS
    return [path for path in repository_files() if path.suffix == ".py" and path.parts[0] in wanted]


def read_text(path: PurePosixPath) -> str | None:
    """The text of a file, or None when it is not text."""
    raw = (ROOT / path).read_bytes()
    if b"\0" in raw:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _is_left_out(parts: tuple[str, ...]) -> bool:
    hidden = parts[0].startswith(".") and parts[0] not in {".ci", ".gitignore"}
    return hidden or any(part in LEFT_OUT for part in parts)
