"""What people have put off. It decides nothing, so that it is not in the log."""

from __future__ import annotations

from typing import Final

from handrail.core.snooze import Snooze
from handrail.store.rows import Rows, from_row, insert_sql, select_sql, to_row

__all__ = ["SNOOZES_MAX", "Snoozes"]

SNOOZES_MAX: Final = 200
"""How much one person may have put off at the same time."""
_SELECT: Final = select_sql("snooze", Snooze)
_PUT: Final = insert_sql("snooze", Snooze) + (
    " ON CONFLICT (desk, person, proposal) DO UPDATE SET until = excluded.until"
)


class Snoozes:
    """Rows of what was put off, by person."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def put(self, snooze: Snooze) -> None:
        """Put an action off, or put it off anew."""
        self._rows.change(_PUT, to_row(snooze))

    def end(self, desk: str, person: str, proposal: str) -> None:
        """Show an action again."""
        self._rows.change(
            "DELETE FROM snooze WHERE desk = ? AND person = ? AND proposal = ?",
            (desk, person, proposal),
        )

    def clear(self, desk: str, person: str, now: int) -> None:
        """Forget what has come back to this person."""
        self._rows.change(
            "DELETE FROM snooze WHERE desk = ? AND person = ? AND until <= ?", (desk, person, now)
        )

    def of(self, desk: str, person: str, now: int) -> dict[str, int]:
        """What a person has put off, with when it comes back, the first to come back first."""
        rows = self._rows.all(
            _SELECT + " WHERE desk = ? AND person = ? AND until > ? ORDER BY proposal LIMIT ?",
            (desk, person, now, SNOOZES_MAX),
        )
        found = sorted((from_row(Snooze, row) for row in rows), key=lambda one: one.until)
        return {one.proposal: one.until for one in found}
