"""Proposed changes of a desk's policy."""

from __future__ import annotations

from typing import Final

from handrail.core.amendment import Amendment, AmendmentState
from handrail.store.rows import Rows, from_row, insert_sql, select_sql, to_row

__all__ = ["Amendments"]

_SELECT: Final = select_sql("amendment", Amendment)


class Amendments:
    """Rows of proposed policies. None is ever removed."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def lock(self, desk: str) -> None:
        """Be the only transaction that changes this desk's policy, until the commit."""
        self._rows.lock(f"policy of {desk}")

    def add(self, amendment: Amendment) -> None:
        """A new one, proposed."""
        self._rows.change(insert_sql("amendment", Amendment), to_row(amendment))

    def get(self, desk: str, id: str) -> Amendment | None:
        """One by its id."""
        row = self._rows.one(_SELECT + " WHERE desk = ? AND id = ?", (desk, id))
        return None if row is None else from_row(Amendment, row)

    def open(self, desk: str) -> list[Amendment]:
        """Every one that is neither activated nor rejected, oldest first."""
        rows = self._rows.all(
            _SELECT + " WHERE desk = ? AND closed_at IS NULL ORDER BY id", (desk,)
        )
        return [from_row(Amendment, row) for row in rows]

    def count_open(self, desk: str) -> int:
        """How many are neither activated nor rejected."""
        row = self._rows.one(
            "SELECT count(*) FROM amendment WHERE desk = ? AND closed_at IS NULL", (desk,)
        )
        return 0 if row is None else int(row[0] or 0)

    def due(self, desk: str, now: int) -> list[str]:
        """The ids of those that were approved and have waited long enough."""
        rows = self._rows.all(
            "SELECT id FROM amendment WHERE desk = ? AND closed_at IS NULL AND state = ?"
            " AND ready_at <= ? ORDER BY id",
            (desk, AmendmentState.APPROVED.value, now),
        )
        return [str(row[0]) for row in rows]

    def latest(self, desk: str, *, most: int) -> list[Amendment]:
        """The newest ones, newest first, open or not."""
        where = " WHERE desk = ? ORDER BY id DESC LIMIT ?"
        return [from_row(Amendment, row) for row in self._rows.all(_SELECT + where, (desk, most))]

    def page(self, desk: str, *, after: str, most: int) -> list[Amendment]:
        """The next ones by id, open or not."""
        where = " WHERE desk = ? AND id > ? ORDER BY id LIMIT ?"
        rows = self._rows.all(_SELECT + where, (desk, after, most))
        return [from_row(Amendment, row) for row in rows]

    def change(self, amendment: Amendment) -> None:
        """Replace what is known of one. The policy's lock is held by whoever changes it."""
        names = [name for name in Amendment.__struct_fields__ if name not in ("desk", "id")]
        values = dict(zip(Amendment.__struct_fields__, to_row(amendment), strict=True))
        self._rows.change(
            f"UPDATE amendment SET {', '.join(f'{name} = ?' for name in names)}"
            " WHERE desk = ? AND id = ?",
            [*(values[name] for name in names), amendment.desk, amendment.id],
        )
