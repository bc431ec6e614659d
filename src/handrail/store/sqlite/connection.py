"""A connection as the store needs it, its migrations, and what the driver's errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from handrail.core.lifecycle import TRANSITIONS
from handrail.errors import HandrailError, SetupFailed, Unavailable
from handrail.store.migrations import migrations

__all__ = [
    "APPLICATION_ID",
    "BUSY_MS_MAX",
    "check_version",
    "connect",
    "migrate",
    "translated",
    "translation",
]

APPLICATION_ID: Final = 0x68616E64
"""Marks the file as handrail's ("hand" in ASCII)."""
_CACHE_KIB: Final = 32 * 1024
_WAL_PAGES: Final = 4_000
_STATEMENTS: Final = 300
BUSY_MS_MAX: Final = 5_000
"""How long a call waits while something else, a backup say, has the database locked."""


def connect(path: Path, *, read_only: bool, busy_ms_max: int) -> apsw.Connection:
    """A connection that is set up.

    Raises Unavailable by what the driver says, and SetupFailed `store_newer` or `store_damaged`.
    """
    flags = (
        apsw.SQLITE_OPEN_READONLY
        if read_only
        else (apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
    )
    with translated():
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


def migrate(connection: apsw.Connection) -> None:
    """Run the migrations that are missing, one transaction each."""
    with translated():
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


def check_version(connection: apsw.Connection) -> None:
    """Raise SetupFailed `store_newer`, or `store_damaged` when migrations are missing."""
    with translated():
        _refuse_newer(connection)
        if _version(connection) < migrations()[-1][0]:
            raise SetupFailed("store_damaged", "the database is not set up")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except apsw.Error as error:
        raise translation(error) from error


_MEANINGS: Final[tuple[tuple[type[Any], str, str], ...]] = (
    (apsw.FullError, "store_full", "the disk is full; nothing was written"),
    (apsw.ReadOnlyError, "directory_unwritable", "the database cannot be written"),
    (apsw.CantOpenError, "directory_unwritable", "the database file cannot be opened"),
    (apsw.NotADBError, "store_damaged", "the file is not a database"),
    (apsw.CorruptError, "store_damaged", "the database file is damaged"),
)


def translation(error: apsw.Error) -> HandrailError:
    """The driver's error as ours."""
    for kind, code, message in _MEANINGS:
        if isinstance(error, kind):
            return Unavailable(code, message)
    return Unavailable("store_failed", f"the database says: {error}")
