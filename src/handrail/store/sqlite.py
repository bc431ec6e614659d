"""The store on SQLite: WAL, synchronous=FULL, STRICT tables, exactly one writer process."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

from handrail.core.lifecycle import TRANSITIONS
from handrail.core.merkle import Frontier
from handrail.errors import HandrailError, SetupFailed, Unavailable
from handrail.store.kept import keep_note, kept_notes
from handrail.store.lock import lock_file
from handrail.store.migrations import migrations
from handrail.store.protocol import Unit
from handrail.store.rows import Value
from handrail.store.tx import Tx
from handrail.store.vault import Keys
from handrail.store.writer import BatchLost, BatchTorn, QueuedTicket, Writer

__all__ = ["APPLICATION_ID", "SqliteStore"]

T = TypeVar("T")

APPLICATION_ID: Final = 0x68616E64
"""Marks the file as handrail's ("hand" in ASCII)."""
_CACHE_KIB: Final = 32 * 1024
_WAL_PAGES: Final = 4_000
_STATEMENTS: Final = 300
BUSY_MS_MAX: Final = 5_000
"""How long a call waits while something else, a backup say, has the database locked."""


class _Rows:
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


class _Batch:
    """One BEGIN IMMEDIATE ... COMMIT on the writing connection."""

    def __init__(self, store: SqliteStore, savepoints: bool) -> None:
        self._store = store
        self._savepoints = savepoints
        self._changes = store.connection.total_changes
        with _translated():
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
                raise _translation(error) from error
            raise
        if self._savepoints:
            self._run("RELEASE unit")
        return value

    def commit(self) -> None:
        with _translated():
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
            cause = _translation(error) if isinstance(error, apsw.Error) else error
            raise BatchLost(cause if isinstance(cause, Exception) else Exception(str(cause)))
        if self._savepoints:
            self._run("ROLLBACK TO unit")
            self._run("RELEASE unit")
        elif wrote and isinstance(error, Exception):
            raise BatchTorn


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
            self.connection = _connect(path, read_only=read_only, busy_ms_max=busy_ms_max)
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
        self.writing = _Rows(self.connection)
        self._writer = Writer(lambda savepoints, _: _Batch(self, savepoints))

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
            _check_version(self.connection)
            return
        _migrate(self.connection)
        _check_version(self.connection)
        self._fence = self._next_fence()

    def _next_fence(self) -> int:
        sql = (
            "INSERT INTO meta (name, value) VALUES ('fence', '1') ON CONFLICT (name)"
            " DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) RETURNING value"
        )
        with _translated():
            return int(str(self.connection.execute(sql).fetchall()[0][0]))


class _Reader:
    """A read-only connection of one thread."""

    def __init__(self, store: SqliteStore) -> None:
        connection = _connect(store.path, read_only=True, busy_ms_max=store.busy_ms_max)
        self._connection = connection
        self._store, self._rows = store, _Rows(connection)
        self._run = connection.cursor().execute
        self._busy = threading.RLock()

    def close(self) -> None:
        """Close after the read that is going on."""
        with self._busy:
            self._connection.close()

    def read(self, look: Unit[T]) -> T:
        with self._busy, _translated():
            if self._store.closed:
                raise _closed()
            self._run("BEGIN")
            try:
                return look(Tx(self._rows, {}, self._store.keys, self._store.now()))
            finally:
                self._run("COMMIT")


def _connect(path: Path, *, read_only: bool, busy_ms_max: int) -> apsw.Connection:
    flags = (
        apsw.SQLITE_OPEN_READONLY
        if read_only
        else (apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
    )
    with _translated():
        connection = apsw.Connection(str(path), flags=flags, statementcachesize=_STATEMENTS)
        try:
            connection.set_busy_timeout(busy_ms_max)
            _set_up(connection, read_only=read_only)
        except BaseException:
            connection.close()
            raise
        return connection


def _set_up(connection: apsw.Connection, *, read_only: bool) -> None:
    if not read_only:
        # Before anything is set: setting the journal's mode writes to the file.
        _refuse_newer(connection)
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = FULL")
        # What is erased is overwritten, or the key of an erased customer could be found again.
        connection.execute("PRAGMA secure_delete = ON").fetchall()
        connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}").fetchall()
    # WHY NOT: let it look at the bound values. It would plan every statement with an ORDER BY anew
    # at each run, which costs several times the statement itself.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB if not read_only else 8192}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA trusted_schema = OFF")


def _migrate(connection: apsw.Connection) -> None:
    """Run the migrations that are missing, one transaction each."""
    with _translated():
        done = _version(connection)
        for number, sql in migrations():
            if number <= done:
                continue
            with connection:
                connection.execute(sql)
                if number == 1:
                    pairs = {(a.value, b.value) for (a, _), b in TRANSITIONS.items()}
                    connection.executemany("INSERT INTO transition VALUES (?, ?)", sorted(pairs))
                    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")
        # The migrations write the planner's statistics; this connection must read them as well.
        connection.execute("ANALYZE sqlite_schema")


def _version(connection: apsw.Connection) -> int:
    found = int(connection.pragma("user_version"))
    application = int(connection.pragma("application_id"))
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()[0][0]
    if application not in (0, APPLICATION_ID) or (application == 0 and tables):
        raise SetupFailed("store_damaged", "the file is another program's database")
    return found


def _refuse_newer(connection: apsw.Connection) -> None:
    found, newest = _version(connection), migrations()[-1][0]
    if found > newest:
        raise SetupFailed(
            "store_newer",
            f"the database has version {found}, this handrail knows up to {newest}: upgrade it",
        )


def _check_version(connection: apsw.Connection) -> None:
    with _translated():
        _refuse_newer(connection)
        if _version(connection) < migrations()[-1][0]:
            raise SetupFailed("store_damaged", "the database is not set up")


def _closed() -> Unavailable:
    return Unavailable("store_closed", "the desk is closed")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except apsw.Error as error:
        raise _translation(error) from error


_MEANINGS: Final[tuple[tuple[type[Any], str, str], ...]] = (
    (apsw.FullError, "store_full", "the disk is full; nothing was written"),
    (apsw.ReadOnlyError, "directory_unwritable", "the database cannot be written"),
    (apsw.CantOpenError, "directory_unwritable", "the database file cannot be opened"),
    (apsw.NotADBError, "store_damaged", "the file is not a database"),
    (apsw.CorruptError, "store_damaged", "the database file is damaged"),
)


def _translation(error: apsw.Error) -> HandrailError:
    for kind, code, message in _MEANINGS:
        if isinstance(error, kind):
            return Unavailable(code, message)
    return Unavailable("store_failed", f"the database says: {error}")
