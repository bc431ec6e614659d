"""Both databases have one schema: the same tables, columns, indexes and triggers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from handrail.store.postgres.schema import translated
from tests.store.databases import PostgresDatabase, SqliteDatabase

OWN_TABLES: Final = {"gateway"}
"""What only several gateways need."""
OWN_TRIGGERS: Final = {
    "subject_erased",
    "task_ended",
    "desk_ruled",
    "proposal_moved",
    "proposal_asked",
}
TYPES: Final = {"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[SqliteDatabase, PostgresDatabase]:
    """Each database, set up."""
    folder = tmp_path_factory.mktemp("schema")
    places = SqliteDatabase(folder), PostgresDatabase(folder)
    for place in places:
        place.open().close()
    return places


def test_tables_and_columns(both: tuple[SqliteDatabase, PostgresDatabase]) -> None:
    """The same names in the same order, of matching types, and the same may be missing."""
    sqlite, postgres = both
    ours = {
        str(table): [
            (name, TYPES[str(kind)], bool(required) or bool(key))
            for _, name, kind, required, _, key in sqlite.rows(f"PRAGMA table_info({table})")
        ]
        for (table,) in sqlite.rows(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    }
    theirs: dict[str, list[tuple[object, str, bool]]] = {}
    for table, name, kind, nullable in postgres.rows(
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
    ):
        theirs.setdefault(str(table), []).append((name, str(kind), nullable == "NO"))
    assert set(theirs) - set(ours) == OWN_TABLES
    assert {table: theirs[table] for table in ours} == ours


def test_indexes(both: tuple[SqliteDatabase, PostgresDatabase]) -> None:
    """Every index, and which of them are unique."""
    sqlite, postgres = both
    ours = {
        (name, str(sql).upper().startswith("CREATE UNIQUE"))
        for name, sql in sqlite.rows(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
        )
    }
    theirs = {
        (name, str(sql).startswith("CREATE UNIQUE"))
        for name, sql in postgres.rows(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
            " AND indexname NOT LIKE '%_pkey'"
        )
    }
    assert theirs == ours


def test_triggers(both: tuple[SqliteDatabase, PostgresDatabase]) -> None:
    """Whatever SQLite refuses, PostgreSQL refuses too; and it refuses to be emptied."""
    sqlite, postgres = both
    ours = {row[0] for row in sqlite.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    theirs = {
        row[0]
        for row in postgres.rows(
            "SELECT DISTINCT trigger_name FROM information_schema.triggers"
            " WHERE trigger_schema = current_schema()"
        )
    }
    assert ours <= theirs
    assert theirs - ours == OWN_TRIGGERS


@pytest.mark.parametrize(
    "table",
    ["entry", "tile", "checkpoint", "review", "proposal", "halt", "amendment", "assertion"],
)
def test_nothing_is_emptied(both: tuple[SqliteDatabase, PostgresDatabase], table: str) -> None:
    """TRUNCATE passes row triggers by; it is refused by a trigger of its own."""
    with pytest.raises(Exception, match=r"append-only|never deleted"):
        both[1].change(f"TRUNCATE {table}")


def test_text_is_ordered_byte_by_byte(tmp_path: Path) -> None:
    """Whatever language the database speaks: pages and queues go by the same order everywhere."""
    place = PostgresDatabase(tmp_path)
    place.open().close()
    rows = place.rows(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
    )
    assert rows == []


def test_a_statement_without_a_known_dialect_is_refused() -> None:
    """A migration is never half translated."""
    good = "CREATE TABLE a (b INTEGER, c TEXT) STRICT;\n-- why; so\nANALYZE;"
    assert translated(good) == ['CREATE TABLE a (b BIGINT, c TEXT COLLATE "C")']
    with pytest.raises(ValueError, match="no dialect"):
        translated("VACUUM;")
