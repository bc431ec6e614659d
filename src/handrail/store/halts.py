"""Halts: what is stopped, by whom, until when."""

from __future__ import annotations

from typing import Final

from handrail.core.halt import NO_HALTS, ActiveHalts, Halt
from handrail.store.rows import Rows, from_row, insert_sql, select_sql, to_row

__all__ = ["ACTIVE_HALTS_MAX", "Halts"]

ACTIVE_HALTS_MAX: Final = 1_000
"""How many halts of one desk people may have active; whoever needs more halts the desk."""
_SELECT: Final = select_sql("halt", Halt)
_INSERT: Final = insert_sql("halt", Halt)
_ACTIVE: Final = _SELECT + " WHERE desk = ? AND lifted_at IS NULL"


class Halts:
    """Rows of halts. What is active is read once per transaction and desk."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._known: dict[str, ActiveHalts] = {}

    def active(self, desk: str) -> ActiveHalts:
        """What is stopped now. At most one transaction old, in which others may be committed."""
        known = self._known.get(desk)
        if known is None:
            found = self.list_active(desk)
            known = self._known[desk] = ActiveHalts(found) if found else NO_HALTS
        return known

    def list_active(self, desk: str) -> list[Halt]:
        """The halts that are not lifted, oldest first."""
        rows = self._rows.all(_ACTIVE, (desk,))
        return sorted((from_row(Halt, row) for row in rows), key=lambda halt: halt.id)

    def get(self, desk: str, halt: str) -> Halt | None:
        """One halt by its id."""
        row = self._rows.one(_SELECT + " WHERE desk = ? AND id = ?", (desk, halt))
        return None if row is None else from_row(Halt, row)

    def latest(self, desk: str, *, before: str = "~", most: int) -> list[Halt]:
        """Active and lifted ones, newest first; `before` is the last row's id."""
        rows = self._rows.all(
            _SELECT + " WHERE desk = ? AND id < ? ORDER BY id DESC LIMIT ?", (desk, before, most)
        )
        return [from_row(Halt, row) for row in rows]

    def page(self, desk: str, *, after: str, most: int) -> list[Halt]:
        """Halts by id from `after` on, for going through all of them."""
        rows = self._rows.all(
            _SELECT + " WHERE desk = ? AND id > ? ORDER BY id LIMIT ?", (desk, after, most)
        )
        return [from_row(Halt, row) for row in rows]

    def add(self, halt: Halt) -> None:
        """A new halt. The database refuses a second active one of the same."""
        self._rows.change(_INSERT, to_row(halt))
        self.forget()

    def lift(self, halt: Halt) -> bool:
        """Write down who lifted it and when; whether it was still active."""
        changed = self._rows.change(
            "UPDATE halt SET lifted_by = ?, lifted_at = ?"
            " WHERE desk = ? AND id = ? AND lifted_at IS NULL",
            (halt.lifted_by, halt.lifted_at, halt.desk, halt.id),
        )
        self.forget()
        return changed == 1

    def forget(self) -> None:
        """Read again what is active: it was changed, or a change of it was rolled back."""
        self._known.clear()
