"""What a look at a text finds, and what is known about the person it goes to."""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from handrail.core.money import Money

__all__ = ["SPANS_MAX", "About", "Span", "Trigger", "folded", "phrase"]

SPANS_MAX: Final = 200
"""So many places of each trigger are named; one is enough to ask a person."""
_PHRASE_CHARS_MAX: Final = 80


class Trigger(Enum):
    """The kinds of thing that are looked for. All but PRESSURE are looked for in what is sent."""

    MONEY = "money"
    CONTRADICTION = "contradiction"
    DATE = "date"
    PROMISE = "promise"
    LINK = "link"
    DISGUISED_LINK = "disguised_link"
    CARD = "card"
    IBAN = "iban"
    PHONE = "phone"
    EMAIL = "email"
    OTHER_CUSTOMER = "other_customer"
    WRONG_NAME = "wrong_name"
    INTERNAL_NOTE = "internal_note"
    HIDDEN = "hidden"
    PLACEHOLDER = "placeholder"
    OTHER_LANGUAGE = "other_language"
    PRESSURE = "pressure"


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Characters `start` to `end` (exclusive) of a text, and in words what they are.

    What is quoted from the text stands in backticks in `what`, on one line, cut when it is long.
    """

    start: int
    end: int
    trigger: Trigger
    what: str


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the systems of record know about the recipient of a text, and about the desk.

    `names` are the recipient's; empty means nobody knows them, and then no name is right.
    `addresses` are theirs: e-mail and phone. `ids` belong to them; `id_prefixes` is how the desk's
    ids begin (`O-`), so that those of others can be told. `amounts` are on their record: a figure
    that is none of them contradicts it; without any, none does. `hosts` are the desk's own.
    """

    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    id_prefixes: tuple[str, ...] = ()
    amounts: tuple[Money, ...] = ()
    hosts: tuple[str, ...] = ()


class _Folding(dict[int, int]):
    """Each character as the detectors compare it: one for one, so that places stay the same."""

    def __missing__(self, code: int) -> int:
        low = chr(code).lower()
        self[code] = found = ord(low) if len(low) == 1 else code
        return found


_FOLDING: Final = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\uff07"), ord("'")),
    **dict.fromkeys(map(ord, "\u00a0\u202f\u2007\u2009\u3000"), ord(" ")),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), ord("-")),
    **{code: ord(chr(code - 0xFEE0).lower()) for code in range(0xFF01, 0xFF5F)},
    0xFF07: ord("'"),
}


def folded(text: str) -> str:
    """The text in small letters, with plain quotes, dashes and spaces; every character in place."""
    return text.lower() if text.isascii() else text.translate(_Folding(_FOLDING))


def phrase(text: str) -> str:
    """A part of a text as `what` quotes it: in backticks, on one line, not too long."""
    line = " ".join(text.replace("`", "'").split())
    cut = line if len(line) <= _PHRASE_CHARS_MAX else line[: _PHRASE_CHARS_MAX - 1] + "…"
    return f"`{cut}`"
