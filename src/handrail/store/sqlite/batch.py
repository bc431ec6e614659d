"""A batch: one transaction of the writing connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import apsw

from handrail.core.merkle import Frontier
from handrail.store.sqlite.connection import translated, translation
from handrail.store.sqlite.rows import SqliteRows
from handrail.store.tx import Tx
from handrail.store.vault import Keys
from handrail.store.writer import BatchLost, BatchTorn

__all__ = ["SqliteBatch"]

T = TypeVar("T")


class _Owner(Protocol):
    """What a batch needs of the store that it belongs to."""

    connection: apsw.Connection
    writing: SqliteRows
    trees: dict[str, Frontier]
    keys: Keys
    busy_ms_max: int
    wipe_due: bool
    revocations: int

    def now(self) -> int:
        """The store's clock."""
        ...


class SqliteBatch:
    """One BEGIN IMMEDIATE ... COMMIT on the writing connection."""

    def __init__(self, store: _Owner, savepoints: bool) -> None:
        self._store = store
        self._savepoints = savepoints
        self._changes = store.connection.total_changes
        with translated():
            self._run = store.connection.cursor().execute
            self._run("BEGIN IMMEDIATE")
        self.tx = Tx(store.writing, dict(store.trees), store.keys, store.now())

    def run(self, unit: Callable[[Tx], T]) -> T:
        mark, changes = self.tx.mark(), self._changes()
        self.tx.now = max(self.tx.now, self._store.now())
        if self._savepoints:
            self._run("SAVEPOINT unit")
        try:
            value = unit(self.tx)
        except BaseException as error:
            self.tx.back_to(mark)
            self._roll_back_unit(error, wrote=self._changes() != changes)
            if isinstance(error, apsw.Error):
                raise translation(error) from error
            raise
        if self._savepoints:
            self._run("RELEASE unit")
        return value

    def commit(self) -> None:
        with translated():
            grown = self.tx.finish()
            self._run("COMMIT")
        self._store.trees.update(grown)
        self.tx.vault.settle()
        self._store.revocations += self.tx.tasks.revoked
        if self.tx.vault.erased:
            self._store.wipe_due = True
        if self._store.wipe_due:
            self._store.wipe_due = not self._wiped()

    def _wiped(self) -> bool:
        """Empty the write-ahead log, in which an erased key still stands; not while it is read."""
        self._store.connection.set_busy_timeout(0)
        try:
            rows = self._run("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except apsw.Error:
            return False
        finally:
            self._store.connection.set_busy_timeout(self._store.busy_ms_max)
        return [row[0] for row in rows] == [0]

    def abandon(self) -> None:
        # An interrupt may have come between the commit and what follows it: read the edge again.
        self._store.trees.clear()
        if self._store.connection.in_transaction:
            try:
                self._run("ROLLBACK")
            except apsw.Error:
                self._store.connection.interrupt()

    def _roll_back_unit(self, error: BaseException, *, wrote: bool) -> None:
        """Undo one unit; if SQLite has rolled back everything, the batch is lost."""
        if not self._store.connection.in_transaction:
            cause = translation(error) if isinstance(error, apsw.Error) else error
            raise BatchLost(cause if isinstance(cause, Exception) else Exception(str(cause)))
        if self._savepoints:
            self._run("ROLLBACK TO unit")
            self._run("RELEASE unit")
        elif wrote and isinstance(error, Exception):
            raise BatchTorn
