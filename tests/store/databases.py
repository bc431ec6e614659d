"""The databases that the contract of the store is tested on. A new one is one line in `DATABASES`.

A `Database` is a place in which a store can be opened, closed and opened again, and which can be
changed behind the store's back, as somebody with the database's own tools would.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import apsw

from handrail.store.protocol import Store
from handrail.store.sqlite import SqliteStore
from handrail.store.vault import Keys

__all__ = ["DATABASES", "NOW", "VAULT_KEY", "Clock", "Database", "SqliteDatabase", "new_keys"]

NOW: Final = 1_790_000_000_000
VAULT_KEY: Final = bytes(range(32))
BUSY_MS: Final = 80
"""How long a store of these tests waits for a locked database."""


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


DATABASES: Final[dict[str, Callable[[Path], Database]]] = {
    "sqlite": SqliteDatabase,
}
