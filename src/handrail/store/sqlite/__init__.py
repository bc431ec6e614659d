"""The store on SQLite: WAL, synchronous=FULL, STRICT tables, exactly one writer process."""

from __future__ import annotations

from handrail.store.sqlite.connection import APPLICATION_ID
from handrail.store.sqlite.store import SqliteStore

__all__ = ["APPLICATION_ID", "SqliteStore"]
