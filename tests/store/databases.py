"""The databases that the contract of the store is tested on. A new one is one line in `DATABASES`.

A `Database` is a place in which a store can be opened, closed and opened again, and which can be
changed behind the store's back, as somebody with the database's own tools would.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import apsw
import psycopg
import pytest

from handrail.store.postgres import PostgresStore
from handrail.store.protocol import Store
from handrail.store.sqlite import SqliteStore
from handrail.store.vault import Keys
from tests.store.server import Server

__all__ = [
    "DATABASES",
    "LEASE_MS",
    "NOW",
    "VAULT_KEY",
    "Clock",
    "Database",
    "PostgresDatabase",
    "SqliteDatabase",
    "long_leases",
    "new_keys",
]

NOW: Final = 1_790_000_000_000
VAULT_KEY: Final = bytes(range(32))
BUSY_MS: Final = 80
"""How long a store of these tests waits for a locked database."""
LEASE_MS: Final = 3_600_000
"""A gateway of these tests is given up when a test says so, not when the machine stood still."""


class Clock:
    """A clock that stands still until it is moved. Milliseconds UTC."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def new_keys(vault_key: bytes = VAULT_KEY) -> Keys:
    """The keys of a vault, with an empty memory, as after a restart."""
    return Keys(vault_key, os.urandom)


class Database(Protocol):
    """A place for a store. `change` and `rows` go past the store, in their own connection."""

    def open(self, *, clock: Callable[[], int] = ..., keys: Keys | None = None) -> Store:
        """Open a store on it; the first time makes the tables."""
        ...

    def change(self, *statements: str) -> None:
        """Run statements in one transaction; raises `Refused` when the database says no."""
        ...

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Read with SQL."""
        ...

    def raw(self) -> bytes:
        """Everything that is kept, as it lies there."""
        ...


class Refused(Exception):
    """The database itself said no."""


class SqliteDatabase:
    """A SQLite file in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "handrail.db"

    def open(
        self, *, clock: Callable[[], int] | None = None, keys: Keys | None = None
    ) -> SqliteStore:
        """Open a store on the file."""
        return SqliteStore(
            self.path,
            keys=keys or new_keys(),
            clock=clock or Clock(),
            checkpoints=self.folder / "checkpoints",
            busy_ms_max=BUSY_MS,
        )

    def change(self, *statements: str) -> None:
        """Run statements in one transaction of another connection."""
        with self.connected() as db:
            try:
                with db:
                    for statement in statements:
                        db.execute(statement)
            except apsw.Error as error:
                raise Refused(str(error)) from error

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Read in another connection."""
        with self.connected() as db:
            return list(db.execute(sql, tuple(values)))

    @contextmanager
    def connected(self) -> Iterator[apsw.Connection]:
        """Another connection to the same file."""
        db = apsw.Connection(str(self.path))
        try:
            yield db
        finally:
            db.close()

    def raw(self) -> bytes:
        """Every byte that lies on the disk: the file, and what is not yet written back to it."""
        parts = (self.path, self.path.with_name(self.path.name + "-wal"))
        return b"".join(part.read_bytes() for part in parts if part.exists())


class PostgresDatabase:
    """A schema of its own on the tests' PostgreSQL; the folder is for kept checkpoints."""

    _numbers = itertools.count()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.schema = f"t{os.getpid()}_{next(self._numbers)}"
        self.address = Server.running().address(self.schema)

    def open(
        self,
        *,
        clock: Callable[[], int] | None = None,
        keys: Keys | None = None,
        lease_ms: int = LEASE_MS,
        beat_s: float = 1.0,
    ) -> PostgresStore:
        """Open a store on the schema."""
        return PostgresStore(
            self.address,
            keys=keys or new_keys(),
            clock=clock or Clock(),
            checkpoints=self.folder / "checkpoints",
            lease_ms=lease_ms,
            beat_s=beat_s,
        )

    def backup(self) -> bytes:
        """What `pg_dump` says of it."""
        return Server.running().dump(self.schema)

    def put_back(self, backup: bytes) -> None:
        """Put a backup in its place."""
        Server.running().put_back(self.schema, backup)

    def change(self, *statements: str) -> None:
        """Run statements in one transaction of another connection."""
        with psycopg.connect(self.address) as db:
            try:
                for statement in statements:
                    db.execute(_postgres(statement).encode())
            except psycopg.Error as error:
                raise Refused(str(error)) from error

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Read in another connection."""
        with psycopg.connect(self.address) as db:
            return db.execute(sql.encode()).fetchall()

    def raw(self) -> bytes:
        """Every value of every row."""
        tables = self.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        values = [
            value if isinstance(value, bytes) else str(value).encode()
            for (table,) in tables
            for row in self.rows(f"SELECT * FROM {table}")
            for value in row
        ]
        return b"\n".join(values)


@contextmanager
def long_leases() -> Iterator[None]:
    """Gateways that this process opens meanwhile have a lease that no busy machine outlasts."""
    defaults = PostgresStore.__init__.__kwdefaults__
    assert defaults is not None
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(defaults, "lease_ms", LEASE_MS)
        yield


def _postgres(statement: str) -> str:
    """A statement of these tests in PostgreSQL's words. Who may, turns triggers off unseen."""
    if statement.startswith("DROP TRIGGER"):
        return "SET LOCAL session_replication_role = replica"
    bytes_written = re.sub(r"\bx'([0-9a-f]+)'", r"'\\x\1'::bytea", statement)
    return bytes_written.replace("AS BLOB", "AS BYTEA")


DATABASES: Final[dict[str, Callable[[Path], Database]]] = {
    "sqlite": SqliteDatabase,
    "postgres": PostgresDatabase,
}
