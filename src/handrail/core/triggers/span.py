"""What a look at a text finds, and what is known about the person it goes to."""

from __future__ import annotations

import re
from bisect import bisect_right
from enum import Enum
from typing import Final

import msgspec

from handrail.core.money import Money

__all__ = ["SPANS_MAX", "About", "Flat", "Span", "Trigger", "flattened", "folded", "phrase"]

SPANS_MAX: Final = 200
"""So many places of each trigger are named; one is enough to ask a person."""
_PHRASE_CHARS_MAX: Final = 80
_GAP: Final = re.compile(r"\s{2,}|[\t\n\r\x0b\x0c]")


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
    **dict.fromkeys(map(ord, "\u00b4\u2018\u2019\u02bc\u2032\uff07"), ord("'")),
    **dict.fromkeys(map(ord, "\u00a0\u202f\u2007\u2009\u3000"), ord(" ")),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), ord("-")),
    **{code: ord(chr(code - 0xFEE0).lower()) for code in range(0xFF01, 0xFF5F)},
    0xFF07: ord("'"),
}


def folded(text: str) -> str:
    """The text in small letters, with plain quotes, dashes and spaces; every character in place."""
    return text.lower() if text.isascii() else text.translate(_Folding(_FOLDING))


class Flat(msgspec.Struct, frozen=True, kw_only=True):
    """A text in one line: every gap is one space. `span` says where a part of it really stands."""

    text: str
    starts: tuple[int, ...] = ()
    shifts: tuple[int, ...] = ()

    def span(self, found: re.Match[str], trigger: Trigger, what: str) -> Span:
        """A match in `text` as a span of what `text` was made from."""
        start, end = self._place(found.start()), self._place(found.end() - 1) + 1
        return Span(start=start, end=end, trigger=trigger, what=what)

    def _place(self, at: int) -> int:
        before = bisect_right(self.starts, at)
        return at + self.shifts[before - 1] if before else at


def flattened(low: str) -> Flat:
    """The text with breaks and runs of spaces as one space, so that no phrase is cut in two."""
    parts: list[str] = []
    starts: list[int] = []
    shifts: list[int] = []
    length = removed = rest = 0
    for gap in _GAP.finditer(low):
        parts += (low[rest : gap.start()], " ")
        length += gap.start() - rest + 1
        removed += gap.end() - gap.start() - 1
        rest = gap.end()
        starts.append(length)
        shifts.append(removed)
    if not parts:
        return Flat(text=low)
    text = "".join((*parts, low[rest:]))
    return Flat(text=text, starts=tuple(starts), shifts=tuple(shifts))


def phrase(text: str) -> str:
    """A part of a text as `what` quotes it: in backticks, on one line, not too long."""
    line = " ".join(text.replace("`", "'").split())
    cut = line if len(line) <= _PHRASE_CHARS_MAX else line[: _PHRASE_CHARS_MAX - 1] + "…"
    return f"`{cut}`"
