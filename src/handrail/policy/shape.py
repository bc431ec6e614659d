"""The forms that a value in a policy file can have. `form` says where each one stands."""

from __future__ import annotations

import re
from typing import Final

import msgspec

__all__ = [
    "AMOUNT_PATTERN",
    "MONEY_PATTERN",
    "SPAN_MS_MAX",
    "SPAN_PATTERN",
    "AmountShape",
    "AnyOrShape",
    "ChoiceShape",
    "CurrencyShape",
    "Field",
    "FlagShape",
    "Goes",
    "ListShape",
    "MapShape",
    "MoneyShape",
    "RecordShape",
    "ScalarShape",
    "Shape",
    "SpanShape",
    "TextShape",
    "WholeShape",
    "span_ms",
    "span_text",
]

AMOUNT_PATTERN: Final = r"(0|[1-9][0-9]*)(\.[0-9]+)?"
MONEY_PATTERN: Final = AMOUNT_PATTERN + " [A-Z]{3}"
SPAN_PATTERN: Final = r"([1-9][0-9]{0,8})(ms|s|m|h|d)"
SPAN_MS_MAX: Final = 366 * 86_400_000
"""Longest span of time in a policy: 366 days."""

_UNIT_MS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_SPAN: Final = re.compile(SPAN_PATTERN)


class TextShape(msgspec.Struct, frozen=True, kw_only=True):
    """One line of text. `what` describes the pattern in words."""

    what: str
    pattern: str = r"\S(.*\S)?"
    chars_max: int


class WholeShape(msgspec.Struct, frozen=True, kw_only=True):
    """A whole number from `low` to `high`."""

    low: int
    high: int


class SpanShape(msgspec.Struct, frozen=True, kw_only=True):
    """A span of time: `30s`, `2m`, `4h`, `30d`. Read as milliseconds."""


class AmountShape(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in major units as text, `50.00`; its currency is the key of the list around it."""


class MoneyShape(msgspec.Struct, frozen=True, kw_only=True):
    """An amount with its currency: `20000.00 USD`. Read as Money."""


class CurrencyShape(msgspec.Struct, frozen=True, kw_only=True):
    """An ISO 4217 code, as the key of a map."""


class ChoiceShape(msgspec.Struct, frozen=True, kw_only=True):
    """One of a few words."""

    of: tuple[str, ...]


class FlagShape(msgspec.Struct, frozen=True, kw_only=True):
    """`yes` or `no`; `true` and `false` mean the same. Read as a bool."""


class ListShape(msgspec.Struct, frozen=True, kw_only=True):
    """A list of one to `items_max` values; `unique` refuses one that stands there twice."""

    item: Shape
    items_max: int
    unique: bool = False


class AnyOrShape(msgspec.Struct, frozen=True, kw_only=True):
    """`"*"` for all, or a list of names. Read as a tuple, ("*",) for all."""

    names: ListShape


class MapShape(msgspec.Struct, frozen=True, kw_only=True):
    """Named values, at least `entries_min` and at most `entries_max` of them."""

    key: TextShape | CurrencyShape
    value: Shape
    entries_min: int = 1
    entries_max: int


class Goes(msgspec.Struct, frozen=True, kw_only=True):
    """Field `field` stands only where field `other` is `value`, and then, if `needed`, must."""

    field: str
    other: str
    value: str
    needed: bool = False


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a record. `about` explains it in one sentence, in editors and in the docs.

    `default` is written as in a file; without one the value of an optional key is None.
    """

    name: str
    shape: Shape
    about: str
    required: bool = False
    default: str | None = None


class RecordShape(msgspec.Struct, frozen=True, kw_only=True):
    """A map with known keys. Exactly one of the keys in `one_of` must stand there."""

    name: str
    phrase: str
    fields: tuple[Field, ...]
    goes: tuple[Goes, ...] = ()
    one_of: tuple[str, ...] = ()


ScalarShape = (
    TextShape | WholeShape | SpanShape | AmountShape | MoneyShape | ChoiceShape | FlagShape
)
Shape = ScalarShape | AnyOrShape | ListShape | MapShape | RecordShape


def span_ms(text: str) -> int | None:
    """Milliseconds of a span such as `30s`, or None when it is not one, or longer than a year."""
    found = _SPAN.fullmatch(text)
    if found is None:
        return None
    span = int(found.group(1)) * _UNIT_MS[found.group(2)]
    return span if span <= SPAN_MS_MAX else None


def span_text(span: int) -> str:
    """The shortest text that `span_ms` reads as `span` milliseconds."""
    unit, factor = next((u, f) for u, f in _UNIT_MS.items() if span % f == 0)
    return f"{span // factor}{unit}"
