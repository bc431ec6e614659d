"""The schema on PostgreSQL: the common migrations in its dialect, and what is its own.

Text compares byte by byte (`COLLATE "C"`), as it does in SQLite, whatever the database's language.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

import psycopg

from handrail.core.lifecycle import TRANSITIONS
from handrail.errors import SetupFailed
from handrail.store.migrations import migrations, postgres_parts

__all__ = ["check_schema", "migrate", "translated"]

_LOCK: Final = 0x68616E64
"""The advisory lock of who migrates ("hand" in ASCII)."""
_VERSION: Final = "schema_version"
_DIGEST: Final = "schema_digest"
_COMMENT: Final = re.compile(r"--[^\n]*")
_STATEMENT: Final = re.compile(r"\s*(CREATE\s+TRIGGER\b.*?\bEND|[^;]+);", re.DOTALL | re.IGNORECASE)
_OWN: Final = re.compile(
    r"(CREATE\s+TRIGGER|DROP\s+TRIGGER|ANALYZE|PRAGMA)\b|(INSERT\s+INTO|DELETE\s+FROM|UPDATE)"
    r"\s+sqlite_",
    re.IGNORECASE,
)
_COMMON: Final = re.compile(
    r"CREATE\s+TABLE|CREATE\s+(UNIQUE\s+)?INDEX|ALTER\s+TABLE|DROP\s+(TABLE|INDEX)|INSERT|UPDATE",
    re.IGNORECASE,
)
_WORDS: Final = (
    (re.compile(r"\)\s*STRICT\b(\s*,\s*WITHOUT\s+ROWID)?", re.IGNORECASE), ")"),
    (re.compile(r"\bINTEGER\b"), "BIGINT"),
    (re.compile(r"\bBLOB\b"), "BYTEA"),
    (re.compile(r"\bTEXT\b"), 'TEXT COLLATE "C"'),
)
# Columns and triggers of our tables: what the promises rest on. An index of one's own is no matter.
_CATALOG: Final = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
      AND NOT a.attisdropped AND c.relname = ANY(%(tables)s)
    UNION ALL
    SELECT c.relname, t.tgname, t.tgtype::text, t.tgenabled::text
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
      AND c.relname = ANY(%(tables)s)
    ORDER BY 1, 2, 3, 4
"""


def translated(migration: str) -> list[str]:
    """The statements of a migration that both dialects share, as PostgreSQL wants them.

    Triggers, statistics and pragmas are left out. Anything else that is not known is refused, so
    that no migration is half translated.
    """
    found = []
    for match in _STATEMENT.finditer(_COMMENT.sub("", migration)):
        statement = match[1].strip()
        if _OWN.match(statement):
            continue
        if not _COMMON.match(statement):
            raise ValueError(f"no dialect is known for: {statement[:60]}")
        for word, ours in _WORDS:
            statement = word.sub(ours, statement)
        found.append(statement)
    return found


def migrate(connection: psycopg.Connection) -> None:
    """Run the migrations that are missing, one transaction each, one gateway at a time."""
    own = postgres_parts()
    for number, common in migrations():
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            done = version(connection)
            if done == 0:
                _refuse_strangers(connection)
            if number <= done:
                continue
            for statement in translated(common):
                _run(connection, statement)
            _run(connection, own.get(number, ""))
            if number == 1:
                pairs = sorted({(a.value, b.value) for (a, _), b in TRANSITIONS.items()})
                connection.cursor().executemany("INSERT INTO transition VALUES (%s, %s)", pairs)
            _set(connection, _VERSION, str(number))
            _set(connection, _DIGEST, catalog_digest(connection))


def check_schema(connection: psycopg.Connection) -> None:
    """Refuse a database of a newer version, one that is not set up, and one that is half set up.

    Raises SetupFailed `store_newer` or `store_damaged`.
    """
    found, newest = version(connection), migrations()[-1][0]
    if found > newest:
        raise SetupFailed(
            "store_newer",
            f"the database has version {found}, this handrail knows up to {newest}: upgrade it",
        )
    if found < newest:
        raise SetupFailed("store_damaged", "the database is not set up")
    if _setting(connection, _DIGEST) != catalog_digest(connection):
        raise SetupFailed(
            "store_damaged",
            "tables or triggers are not as handrail made them: a migration was left half done, or"
            " somebody has changed them",
        )


def version(connection: psycopg.Connection) -> int:
    """The number of the last migration that was run; 0 on an empty database."""
    row = connection.execute(
        "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'meta'"
    ).fetchone()
    if row is None or not row[0]:
        return 0
    return int(_setting(connection, _VERSION) or 0)


def _refuse_strangers(connection: psycopg.Connection) -> None:
    """With no version, there may be nothing yet that has the name of one of our tables."""
    ours = _tables()
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        " AND tablename = ANY(%s)",
        (ours,),
    ).fetchall()
    if rows:
        raise SetupFailed(
            "store_damaged",
            f"there are tables like `{rows[0][0]}` without a version: a migration was left half"
            " done, or it is another program's database",
        )


def catalog_digest(connection: psycopg.Connection) -> str:
    """A digest of our tables' columns and triggers as they are."""
    rows = connection.execute(_CATALOG, {"tables": _tables()}).fetchall()
    return hashlib.sha256(repr([tuple(map(str, row)) for row in rows]).encode()).hexdigest()


def _tables() -> list[str]:
    made = re.compile(r"CREATE\s+TABLE\s+(\w+)", re.IGNORECASE)
    parts = [text for _, text in migrations()] + list(postgres_parts().values())
    return sorted({name for text in parts for name in made.findall(text)})


def _run(connection: psycopg.Connection, text: str) -> None:
    if text:
        connection.execute(text.encode())


def _setting(connection: psycopg.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE name = %s", (name,)).fetchone()
    return None if row is None else str(row[0])


def _set(connection: psycopg.Connection, name: str, value: str) -> None:
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
