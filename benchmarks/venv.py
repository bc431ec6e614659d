"""The environments of the systems that handrail is measured against, one each.

Built on first use from the hash lock in peers/, and again only when that lock changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.tau.venv import ROOT, ensure_venv

__all__ = ["LOCKS", "ROOT", "ensure", "peers"]

LOCKS: Final = Path(__file__).with_name("peers")


def peers() -> list[str]:
    """The names of all systems that there is a lock for, sorted."""
    return sorted(lock.stem for lock in LOCKS.glob("*.txt"))


def ensure(name: str) -> Path:
    """Path of the Python that has the peer `name`, after building its environment if need be.

    Raises ValueError for a name without a lock, VenvFailed when the installer fails.
    """
    if name not in peers():
        raise ValueError(f"no lock for the peer `{name}`; there are: {', '.join(peers())}")
    return ensure_venv(ROOT / f".venv-bench-{name}", LOCKS / f"{name}.txt")
