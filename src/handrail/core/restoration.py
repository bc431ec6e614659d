"""Restoration: the record that a log goes on from a backup, and which checkpoints it departs from.

Two named people stand behind it, and the desk's key signs it. Nothing makes what was lost good: the
checkpoints that were departed from stay wherever they are kept, and go on saying that there was
more.
"""

from __future__ import annotations

import hashlib

import msgspec

__all__ = ["Departed", "Restoration"]

Departed = tuple[int, bytes]
"""A signed checkpoint that the log no longer extends: its size and its root."""


class Restoration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One restored backup. The log goes on from `size` entries with this `root` (hex).

    `departed` names every known checkpoint of the lost entries, as `size:root` with spaces between
    them, by size. `restored_by` restored it and `confirmed_by`, another person, confirmed it.
    `note` is the signed note over `statement`. `done_at` is when every action that may have run
    after the backup had been looked up; until then the desk does not open.
    """

    desk: str
    id: str
    at: int
    size: int
    root: str
    departed: str
    restored_by: str
    confirmed_by: str
    note: str = ""
    done_at: int | None = None

    def statement(self) -> str:
        """The text that is signed: everything but when it was done."""
        return (
            f"handrail/{self.desk} restored\n{self.id} {self.at}\n{self.size} {self.root}\n"
            f"{self.digest}\n{self.restored_by}\n{self.confirmed_by}\n"
        )

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the checkpoints that it departs from."""
        return hashlib.sha256(self.departed.encode()).hexdigest()

    def checkpoints(self) -> tuple[Departed, ...]:
        """The checkpoints that it departs from, by size."""
        parts = (one.partition(":") for one in self.departed.split())
        return tuple((int(size), bytes.fromhex(root)) for size, _, root in parts)

    @staticmethod
    def named(departed: frozenset[Departed]) -> str:
        """Checkpoints as `departed` holds them."""
        return " ".join(f"{size}:{root.hex()}" for size, root in sorted(departed))
