"""What can stand in a policy file, from the very tables by which the loader reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from handrail.policy.form import POLICY_FORM
from handrail.policy.shape import (
    AmountShape,
    AnyOrShape,
    ChoiceShape,
    CurrencyShape,
    FlagShape,
    ListShape,
    MapShape,
    MoneyShape,
    RecordShape,
    Shape,
    SpanShape,
    TextShape,
    WholeShape,
)

__all__ = ["HELP", "HelpKey", "HelpTable"]


class HelpKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key: what it takes, and what it means."""

    name: str
    takes: str
    required: bool
    default: str | None
    about: str


class HelpTable(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of one kind of record; `one_of` are those of which exactly one stands there."""

    name: str
    keys: tuple[HelpKey, ...]
    one_of: tuple[str, ...]


def _tables(record: RecordShape, seen: set[str]) -> Iterator[HelpTable]:
    """The table of a record, then those of the records inside it, each once."""
    if record.name in seen:
        return
    seen.add(record.name)
    yield HelpTable(
        name=record.phrase.removeprefix("a ").removeprefix("the ").capitalize(),
        keys=tuple(
            HelpKey(
                name=field.name,
                takes=_takes(field.shape),
                required=field.required,
                default=field.default,
                about=field.about,
            )
            for field in record.fields
        ),
        one_of=record.one_of,
    )
    for field in record.fields:
        for inner in _records(field.shape):
            yield from _tables(inner, seen)


def _records(shape: Shape) -> Iterator[RecordShape]:
    match shape:
        case RecordShape():
            yield shape
        case MapShape():
            yield from _records(shape.value)
        case ListShape():
            yield from _records(shape.item)
        case _:
            return


def _takes(shape: Shape | CurrencyShape) -> str:
    match shape:
        case TextShape():
            return shape.what
        case WholeShape():
            return f"a whole number from {shape.low} to {shape.high}"
        case SpanShape():
            return "a span of time such as 30s, 4h or 30d"
        case AmountShape():
            return "an amount such as 50.00"
        case MoneyShape():
            return "money such as 20000.00 USD"
        case CurrencyShape():
            return "a currency"
        case ChoiceShape():
            return f"one of {', '.join(shape.of)}"
        case FlagShape():
            return "yes or no"
        case AnyOrShape():
            return f'"*" for all, or {_takes(shape.names)}'
        case ListShape():
            return f"a list: {_takes(shape.item)}"
        case MapShape():
            return f"by {_key(shape.key)}: {_takes(shape.value)}"
        case RecordShape():
            return f"{shape.phrase}, see below"


def _key(shape: TextShape | CurrencyShape) -> str:
    return "currency" if isinstance(shape, CurrencyShape) else "name"


HELP: Final = tuple(_tables(POLICY_FORM, set()))
