"""Break-glass grants."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.breakglass import Grant
from handrail.store.rows import Rows, from_row, insert_sql, select_sql, to_row

__all__ = ["Grants"]

LATEST_MAX: Final = 100
_NEWEST: Final = select_sql("breakglass", Grant) + " WHERE desk = ? ORDER BY id DESC LIMIT ?"


class Grants:
    """Rows of break-glass grants. None is ever removed."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._latest: dict[str, list[Grant]] = {}

    def forget(self) -> None:
        """Read anew: grants were changed, or a change of them was rolled back."""
        self._latest.clear()

    def add(self, grant: Grant) -> None:
        """A new grant, asked for."""
        self.forget()
        self._rows.change(insert_sql("breakglass", Grant), to_row(grant))

    def get(self, desk: str, grant: str) -> Grant | None:
        """One grant by its id."""
        where = " WHERE desk = ? AND id = ?"
        row = self._rows.one(select_sql("breakglass", Grant) + where, (desk, grant))
        return None if row is None else from_row(Grant, row)

    def open(self, desk: str) -> list[Grant]:
        """Every grant that is asked for or in force, and not closed."""
        where = " WHERE desk = ? AND closed_at IS NULL ORDER BY id"
        rows = self._rows.all(select_sql("breakglass", Grant) + where, (desk,))
        return [from_row(Grant, row) for row in rows]

    def latest(self, desk: str) -> list[Grant]:
        """The newest grants, oldest first: more than can be in force in any one hour of use.

        Read once a transaction.
        """
        known = self._latest.get(desk)
        if known is None:
            rows = self._rows.all(_NEWEST, (desk, LATEST_MAX))
            known = self._latest[desk] = [from_row(Grant, row) for row in reversed(rows)]
        return known

    def everything(self, desk: str) -> list[Grant]:
        """Every grant there ever was, by id."""
        where = " WHERE desk = ? ORDER BY id"
        rows = self._rows.all(select_sql("breakglass", Grant) + where, (desk,))
        return [from_row(Grant, row) for row in rows]

    def change(self, grant: Grant) -> None:
        """Replace what is known of a grant."""
        self.forget()
        fields = msgspec.structs.asdict(grant)
        names = [name for name in fields if name not in ("desk", "id")]
        changes = ", ".join(f"{name} = ?" for name in names)
        self._rows.change(
            f"UPDATE breakglass SET {changes} WHERE desk = ? AND id = ?",
            [*(fields[name] for name in names), grant.desk, grant.id],
        )
