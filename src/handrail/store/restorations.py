"""Restorations: from which backups a desk's log went on."""

from __future__ import annotations

from typing import Final

from handrail.core.restoration import Restoration
from handrail.store.rows import Rows, from_row, insert_sql, select_sql, to_row

__all__ = ["Restorations"]

_SELECT: Final = select_sql("restoration", Restoration)


class Restorations:
    """Rows of restorations. None is ever removed."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, restoration: Restoration) -> None:
        """A new one."""
        self._rows.change(insert_sql("restoration", Restoration), to_row(restoration))

    def everything(self, desk: str) -> list[Restoration]:
        """Every one of a desk, oldest first."""
        rows = self._rows.all(_SELECT + " WHERE desk = ? ORDER BY id", (desk,))
        return [from_row(Restoration, row) for row in rows]

    def end(self, restoration: Restoration) -> None:
        """Write down that everything was looked up."""
        self._rows.change(
            "UPDATE restoration SET done_at = ? WHERE desk = ? AND id = ? AND done_at IS NULL",
            (restoration.done_at, restoration.desk, restoration.id),
        )
