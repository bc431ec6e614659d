"""Rows over one link, inside a transaction that others open and end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from handrail.store.postgres.link import Link, ServerRefused
from handrail.store.rows import Value

__all__ = ["PostgresRows"]

Row = tuple[Value, ...]

_STREAMED_ROWS: Final = 512
_LOCK_NAME: Final = "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))"
_LOCK_ROW: Final = " FOR UPDATE"


class PostgresRows:
    """SQL of the common subset. For reading, nothing is locked.

    `writes` counts statements that write. `torn` says that the server has refused a statement:
    nothing more of this transaction will be kept. `on_lock` is called once a lock is ours.
    """

    or_fail = ""

    def __init__(self, link: Link, *, writing: bool) -> None:
        self._link = link
        self._writing = writing
        self._held: set[str] = set()
        self._streams = itertools.count()
        self.lock_row = _LOCK_ROW if writing else ""
        self.lock_free_row = f"{_LOCK_ROW} SKIP LOCKED" if writing else ""
        self.writes = 0
        self.torn = False
        self.on_lock: Callable[[], None] = _nothing

    def lock(self, name: str) -> None:
        if self._writing and name not in self._held:
            self.all(_LOCK_NAME, (name,))
            self._held.add(name)
            self.on_lock()

    def all(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        if not sql.startswith("SELECT"):
            self.writes += 1
        try:
            found = self._link.rows(sql, values)
        except ServerRefused:
            self.torn = True
            raise
        if sql.endswith(_LOCK_ROW):
            self.on_lock()
        return found

    def each(self, sql: str, values: Sequence[Value] = ()) -> Iterator[Row]:
        name = f"stream_{next(self._streams)}"
        self._link.ask(f"DECLARE {name} NO SCROLL CURSOR FOR {sql}", values)
        fetch = f"FETCH {_STREAMED_ROWS} FROM {name}"
        while found := self._link.rows(fetch):
            yield from found
        self._link.ask(f"CLOSE {name}")

    def one(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        rows = self.all(sql, values)
        return rows[0] if rows else None

    def first_of_each(self, sql: str, each: Sequence[Sequence[Value]]) -> list[Row | None]:
        """The first row that a question gives for each of some values, asked in one journey."""
        try:
            answers = self._link.rows_of_each(sql, each)
        except ServerRefused:
            self.torn = True
            raise
        return [rows[0] if rows else None for rows in answers]

    def change(self, sql: str, values: Sequence[Value] = ()) -> int:
        self.writes += 1
        try:
            return self._link.ask(sql, values).command_tuples or 0
        except ServerRefused:
            self.torn = True
            raise

    def put(self, sql: str, values: Sequence[Value] = ()) -> None:
        self.writes += 1
        try:
            self._link.send(sql, values)
        except ServerRefused:
            self.torn = True
            raise

    def let_go(self) -> None:
        """After a rollback to a savepoint: the names locked since are no longer ours."""
        self._held.clear()
        self.torn = False


def _nothing() -> None:
    pass
