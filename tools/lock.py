"""Write the hash locks in requirements/ from their *.in files.

`python tools/lock.py` keeps what is locked and adds what is missing; `--upgrade` takes the newest
versions. It needs `uv` on the path. No address of an index gets into a lock: whoever installs
chooses where from, and the hashes say whether it is the same thing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["LOCKS", "command", "foreign_lines", "main"]

FOLDER: Final = Path(__file__).resolve().parents[1] / "requirements"

LOCKS: Final[dict[str, tuple[str, ...]]] = {
    "runtime": (),
    "build": ("runtime",),
    "dev": ("runtime", "build"),
}
"""Each lock with the locks whose versions it must agree with, in the order to make them."""

OPTIONS: Final = (
    "--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --universal --quiet"
    " --python-version 3.11"
).split()


def command(name: str, *, upgrade: bool) -> list[str]:
    """The command that makes one lock, to be run in the repository's top folder."""
    constraints = [part for other in LOCKS[name] for part in ("-c", f"requirements/{other}.txt")]
    return [
        *("uv", "pip", "compile", *OPTIONS, *constraints),
        *(["--upgrade"] if upgrade else []),
        *(f"requirements/{name}.in", "-o", f"requirements/{name}.txt"),
    ]


def foreign_lines(lock: str) -> list[str]:
    """The lines of a lock that say where from instead of what: addresses, paths, options."""
    return [line for line in lock.splitlines() if _says_where(line.strip())]


def main(arguments: list[str]) -> int:
    """Make every lock; 2 when uv is missing, a lock cannot be made, or it names an address."""
    if shutil.which("uv") is None:
        print("lock: needs `uv` on the path (version 0.9 or newer)", file=sys.stderr)
        return 2
    for name in LOCKS:
        made = subprocess.run(
            command(name, upgrade="--upgrade" in arguments), cwd=FOLDER.parent, check=False
        )
        if made.returncode != 0:
            return 2
        foreign = foreign_lines((FOLDER / f"{name}.txt").read_text())
        if foreign:
            print(f"lock: {name}.txt says where from:", *foreign, sep="\n", file=sys.stderr)
            return 2
    return 0


def _says_where(line: str) -> bool:
    if "://" in line or " @ " in line:
        return True
    return line.startswith(("-", "/", ".")) and not line.startswith("--hash=sha256:")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
