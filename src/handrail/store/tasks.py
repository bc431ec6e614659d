"""Tasks."""

from __future__ import annotations

from typing import Final

from handrail.core.task import Task
from handrail.store.rows import Rows, Value, from_row, insert_sql, select_sql, to_row

__all__ = ["Tasks"]

_SELECT: Final = select_sql("task", Task)
_INSERT: Final = insert_sql("task", Task)
_JSON: Final = frozenset({"customers"})


class Tasks:
    """Rows of tasks. `revoked` says that this transaction has ended one."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._met: dict[tuple[str, str], Task] = {}
        self.revoked = False

    def forget(self) -> None:
        """Read anew: what was read may be of a unit that was rolled back."""
        self._met.clear()

    def add(self, task: Task) -> None:
        """A new task."""
        self._rows.change(_INSERT, to_row(task))

    def get(self, desk: str, task: str) -> Task | None:
        """One task by its id, read once a transaction."""
        known = self._met.get((desk, task))
        if known is not None:
            return known
        row = self._rows.one(_SELECT + " WHERE desk = ? AND id = ?", (desk, task))
        if row is None:
            return None
        found = self._met[desk, task] = from_row(Task, row, _JSON)
        return found

    def by_token(self, token_hash: str) -> Task | None:
        """The task that a token belongs to, whichever desk."""
        row = self._rows.one(_SELECT + " WHERE token_hash = ?", (token_hash,))
        return None if row is None else from_row(Task, row, _JSON)

    def page(self, desk: str, *, after: str, most: int) -> list[Task]:
        """Tasks by id from `after` on, for going through all of them."""
        rows = self._rows.all(
            _SELECT + " WHERE desk = ? AND id > ? ORDER BY id LIMIT ?", (desk, after, most)
        )
        return [from_row(Task, row, _JSON) for row in rows]

    def of_ticket(self, desk: str, ticket: str, *, most: int) -> list[Task]:
        """The tasks that were issued for a ticket, newest first."""
        rows = self._rows.all(
            _SELECT + " WHERE desk = ? AND ticket = ? ORDER BY id DESC LIMIT ?",
            (desk, ticket, most),
        )
        return [from_row(Task, row, _JSON) for row in rows]

    def open_of(
        self, desk: str, agent: str, now: int, *, customer: str | None = None, most: int
    ) -> list[str]:
        """The ids of an agent's tasks whose tokens still count; with `customer`, only theirs."""
        where = " WHERE desk = ? AND agent = ? AND revoked_at IS NULL AND expires_at > ?"
        values: list[Value] = [desk, agent, now]
        if customer is not None:
            where += " AND customers LIKE ?"
            values.append(f'%"{customer}"%')
        rows = self._rows.all(
            f"SELECT id FROM task{where} ORDER BY expires_at, id LIMIT ?", [*values, most]
        )
        return [str(row[0]) for row in rows]

    def has_open(self, desk: str, agent: str, now: int, *, at_least: int) -> bool:
        """Whether so many of an agent's tasks still count."""
        row = self._rows.one(
            "SELECT id FROM task WHERE desk = ? AND agent = ? AND revoked_at IS NULL"
            " AND expires_at > ? ORDER BY expires_at, id LIMIT 1 OFFSET ?",
            (desk, agent, now, at_least - 1),
        )
        return row is not None

    def revoke(self, desk: str, task: str, at: int) -> bool:
        """End a task's token; whether it was still open."""
        self.forget()
        self.revoked = True
        changed = self._rows.change(
            "UPDATE task SET revoked_at = ? WHERE desk = ? AND id = ? AND revoked_at IS NULL",
            (at, desk, task),
        )
        return changed == 1
