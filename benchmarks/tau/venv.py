"""The benchmark's own library, in a virtual environment of its own beside the repository's.

Its dependencies have nothing to do with handrail's, so they never share an environment. Built on
first use from the hash lock beside this file; a stamp says which lock it was built from.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["LOCK", "ROOT", "VENV", "VenvFailed", "ensure_venv"]

ROOT: Final = Path(__file__).resolve().parents[2]
"""Root of the repository."""
VENV: Final = ROOT / ".venv-tau"
LOCK: Final = Path(__file__).with_name("requirements.txt")
INSTALL_S_MAX: Final = 600


class VenvFailed(RuntimeError):
    """The environment cannot be built; the message carries the installer's last words."""


def ensure_venv(venv: Path = VENV, lock: Path = LOCK) -> Path:
    """Path of the environment's Python, after building it if that was not done from this lock.

    Two processes may call it at once: one builds, the other waits. A half-built environment has no
    stamp and is built again. Raises VenvFailed.
    """
    python = venv / "bin" / "python"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    venv.mkdir(exist_ok=True)
    with (venv / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        stamp = venv / ".stamp"
        if not (stamp.is_file() and stamp.read_text() == wanted and python.exists()):
            _empty(venv)
            _build(python, lock)
            stamp.write_text(wanted)
    return python


def _empty(venv: Path) -> None:
    """Remove all but the lock file, which a waiting process may have open."""
    for entry in venv.iterdir():
        if entry.name == ".lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    # what is inside is never part of the repository
    (venv / ".gitignore").write_text("*\n")


def _build(python: Path, lock: Path) -> None:
    print(f"setting up {python.parents[1].name} (once) ...", file=sys.stderr, flush=True)
    _run([sys.executable, "-m", "venv", str(python.parents[1])])
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    exactly = ["--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(lock)]
    _run(install + exactly)


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_S_MAX)
    except subprocess.TimeoutExpired as error:
        raise VenvFailed(f"no answer in {INSTALL_S_MAX} s from `{' '.join(command)}`") from error
    except (subprocess.CalledProcessError, OSError) as error:
        said = getattr(error, "stderr", "") or str(error)
        last = "\n".join(said.strip().splitlines()[-5:])
        raise VenvFailed(f"`{' '.join(command)}` failed:\n{last}") from error
