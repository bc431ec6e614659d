"""Rows of one apsw connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import apsw

from handrail.store.rows import Value

__all__ = ["SqliteRows"]


class SqliteRows:
    """Rows over one apsw connection. There is one writer, so that nothing need be locked."""

    lock_row, lock_free_row, or_fail = "", "", " OR FAIL"

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._run = connection.cursor().execute

    def lock(self, name: str) -> None: ...

    def all(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        return self._run(sql, values).fetchall()  # type: ignore[return-value]

    def each(self, sql: str, values: Sequence[Value] = ()) -> Iterator[tuple[Value, ...]]:
        return self._connection.cursor().execute(sql, values)

    def one(self, sql: str, values: Sequence[Value] = ()) -> tuple[Value, ...] | None:
        rows = self.all(sql, values)
        return rows[0] if rows else None

    def change(self, sql: str, values: Sequence[Value] = ()) -> int:
        self._run(sql, values)
        return self._connection.changes()

    def put(self, sql: str, values: Sequence[Value] = ()) -> None:
        self._run(sql, values)
