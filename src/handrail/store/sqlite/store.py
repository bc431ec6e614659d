"""The store on SQLite, and its readers."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from handrail.core.merkle import Frontier
from handrail.errors import SetupFailed, Unavailable
from handrail.store.kept import keep_note, kept_notes
from handrail.store.lock import lock_file
from handrail.store.protocol import Unit
from handrail.store.sqlite.batch import SqliteBatch
from handrail.store.sqlite.connection import (
    BUSY_MS_MAX,
    check_version,
    connect,
    migrate,
    translated,
)
from handrail.store.sqlite.rows import SqliteRows
from handrail.store.tx import Tx
from handrail.store.vault import Keys
from handrail.store.writer import QueuedTicket, Writer

__all__ = ["SqliteStore"]

T = TypeVar("T")


class SqliteStore:
    """All desks of one file. See `protocol.Store` for what it promises.

    Opening raises SetupFailed: `store_locked`, `store_newer`, `store_damaged`, `store_failed`,
    `directory_unwritable`. A file that is refused is not touched.
    """

    def __init__(
        self,
        path: Path,
        *,
        keys: Keys,
        clock: Callable[[], int],
        checkpoints: Path,
        read_only: bool = False,
        busy_ms_max: int = BUSY_MS_MAX,
    ) -> None:
        self.path = path
        self.keys = keys
        self.now = clock
        self.trees: dict[str, Frontier] = {}
        self.busy_ms_max = busy_ms_max
        self.wipe_due = False
        self.revocations = 0
        self._checkpoints = checkpoints
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()
        self._readers_lock = threading.Lock()
        self._local = threading.local()
        self._closed = False
        self._fence = 0
        self._lock_file = None if read_only else lock_file(path)
        try:
            self.connection = connect(path, read_only=read_only, busy_ms_max=busy_ms_max)
            try:
                self._start(read_only=read_only)
            except BaseException:
                self.connection.close()
                raise
        except Unavailable as error:
            self._unlock()
            raise SetupFailed(error.code, error.message) from error
        except BaseException:
            self._unlock()
            raise
        self.writing = SqliteRows(self.connection)
        self._writer = Writer(lambda savepoints, _: SqliteBatch(self, savepoints))

    @property
    def fence(self) -> int:
        return self._fence

    def holds(self, fence: int | None) -> bool:
        return fence == self._fence

    def is_gone(self, fence: int | None) -> bool:
        return fence != self._fence

    def listen(self, moved: Callable[[str], None]) -> None: ...

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def commits(self) -> int:
        """How many batches have been committed since opening."""
        return self._writer.commits

    def submit(self, unit: Unit[T]) -> QueuedTicket[T]:
        return self._writer.submit(unit)

    def write(self, unit: Unit[T]) -> T:
        return self._writer.submit(unit).result()

    def read(self, look: Unit[T]) -> T:
        if self._closed:
            raise _closed()
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = _Reader(self)
            with self._readers_lock:
                self._readers.add(reader)
        return reader.read(look)

    def keep_checkpoint(self, desk: str, note: str) -> None:
        if self._closed:
            raise _closed()
        keep_note(self._checkpoints, desk, note)

    def kept_checkpoints(self, desk: str) -> list[str]:
        return kept_notes(self._checkpoints, desk)

    def close(self) -> None:
        if self._closed:
            return
        self._writer.close()
        self._closed = True
        try:
            with self._readers_lock:
                readers = list(self._readers)
            for reader in readers:
                reader.close()
            self.connection.close()
        finally:
            self._unlock()

    def _unlock(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _start(self, *, read_only: bool) -> None:
        if read_only:
            check_version(self.connection)
            return
        migrate(self.connection)
        check_version(self.connection)
        self._fence = self._next_fence()

    def _next_fence(self) -> int:
        sql = (
            "INSERT INTO meta (name, value) VALUES ('fence', '1') ON CONFLICT (name)"
            " DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) RETURNING value"
        )
        with translated():
            return int(str(self.connection.execute(sql).fetchall()[0][0]))


class _Reader:
    """A read-only connection of one thread."""

    def __init__(self, store: SqliteStore) -> None:
        connection = connect(store.path, read_only=True, busy_ms_max=store.busy_ms_max)
        self._connection = connection
        self._store, self._rows = store, SqliteRows(connection)
        self._run = connection.cursor().execute
        self._busy = threading.RLock()

    def close(self) -> None:
        """Close after the read that is going on."""
        with self._busy:
            self._connection.close()

    def read(self, look: Unit[T]) -> T:
        with self._busy, translated():
            if self._store.closed:
                raise _closed()
            self._run("BEGIN")
            try:
                return look(Tx(self._rows, {}, self._store.keys, self._store.now()))
            finally:
                self._run("COMMIT")


def _closed() -> Unavailable:
    return Unavailable("store_closed", "the desk is closed")
