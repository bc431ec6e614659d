"""How the SQL modules talk to a database, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import astuple

__all__ = ["Rows", "Value", "columns_of", "from_row", "insert_sql", "select_sql", "to_row"]

Value = str | int | bytes | None
S = TypeVar("S", bound=msgspec.Struct)


class Rows(Protocol):
    """Run SQL of the common subset with `?` places.

    Where several gateways write to one database, a unit locks what it will change before it looks
    at it; with a single writer there is nothing to lock. `lock_row` is put behind a SELECT of one
    row: its row then stays as it is until the commit. `lock_free_row` is the same for who would
    rather not wait: a row that somebody else has locked is not found.

    `or_fail` is put behind the INSERT or UPDATE of a single row. It then need not be able to undo
    itself, which SQLite would make ready for wherever a trigger looks on: nothing is changed
    before everything was checked, and the unit is undone whole.
    """

    lock_row: str
    lock_free_row: str
    or_fail: str

    def lock(self, name: str) -> None:
        """Be the only transaction that holds this name, until the commit.

        What is counted together is locked under one name, before its first row is read or changed.
        """
        ...

    def all(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """Every row."""
        ...

    def each(self, sql: str, values: Sequence[Value] = ()) -> Iterator[tuple[Value, ...]]:
        """Every row, streamed. It must be read to its end before the transaction's."""
        ...

    def one(self, sql: str, values: Sequence[Value] = ()) -> tuple[Value, ...] | None:
        """The first row, or None."""
        ...

    def change(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Run a statement that writes; how many rows it changed."""
        ...

    def put(self, sql: str, values: Sequence[Value] = ()) -> None:
        """Run a statement that writes and whose count nobody asks for.

        It may reach a distant database together with the next one; an error in it fails the unit,
        or the batch, no later than the commit.
        """
        ...


def columns_of(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    """The column names of a stored struct: its fields, in order."""
    return shape.__struct_fields__


def select_sql(table: str, shape: type[msgspec.Struct]) -> str:
    """`SELECT every column FROM table`, to be continued with a WHERE."""
    return f"SELECT {', '.join(columns_of(shape))} FROM {table}"


def insert_sql(table: str, shape: type[msgspec.Struct], or_fail: str = "") -> str:
    """`INSERT INTO table (every column) VALUES (places)`."""
    columns = columns_of(shape)
    places = ", ".join("?" * len(columns))
    return f"INSERT{or_fail} INTO {table} ({', '.join(columns)}) VALUES ({places})"


def to_row(record: msgspec.Struct) -> list[Value]:
    """The values of a struct in column order; enums by value, collections as JSON text."""
    return [_flat(value) for value in astuple(record)]


def _flat(value: object) -> Value:
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, int):
        return int(value)
    return msgspec.json.encode(value).decode()


def from_row(shape: type[S], row: Sequence[Value], json_columns: frozenset[str] = frozenset()) -> S:
    """The struct of a row as `to_row` stored it."""
    fields: dict[str, object] = dict(zip(columns_of(shape), row, strict=True))
    for name in json_columns:
        text = fields[name]
        fields[name] = msgspec.json.decode(text if isinstance(text, (str, bytes)) else "null")
    return msgspec.convert(fields, shape, strict=False)
