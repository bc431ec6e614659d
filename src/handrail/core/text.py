"""What hides in a message: characters that a person cannot see, or takes for others.

Nothing is normalised or removed: the bytes stay what they are, and `visible` shows them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import msgspec

__all__ = ["Mark", "hidden_marks", "visible"]

_PLAIN: Final = re.compile(r"[\x20-\x7e\n\t\r]*\Z")
_WORD: Final = re.compile(r"[^\W\d_]+")
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANK: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_LOOKALIKE_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Characters `start` to `end` (exclusive) of a text hide something; `what` says what."""

    start: int
    end: int
    what: str


def hidden_marks(text: str) -> tuple[Mark, ...]:
    """Every place where the text a person sees may differ from its characters, in order."""
    if _PLAIN.match(text):
        return ()
    marks = [
        Mark(start=place, end=place + 1, what=what)
        for place, char in enumerate(text)
        if (what := _what_of(char)) is not None
    ]
    for word in _WORD.finditer(text):
        scripts = _scripts(word.group())
        if len(scripts) > 1:
            what = "mixed scripts: " + " and ".join(sorted(scripts)).lower()
            marks.append(Mark(start=word.start(), end=word.end(), what=what))
    return tuple(sorted(marks, key=lambda mark: (mark.start, mark.end)))


def visible(text: str) -> str:
    """The text with every invisible or direction-changing character as a token like `[U+202E]`."""
    if _PLAIN.match(text):
        return text
    return "".join(f"[U+{ord(char):04X}]" if _what_of(char) else char for char in text)


def _what_of(char: str) -> str | None:
    if "\x20" <= char <= "\x7e" or char in "\n\t\r":
        return None
    if char in _BIDI:
        return "changes the direction of text"
    code = ord(char)
    if 0xE0000 <= code <= 0xE01EF:
        return "invisible tag or selector"
    if char in _BLANK:
        return "looks blank"
    category = unicodedata.category(char)
    if category == "Cf":
        return "invisible character"
    if category == "Cc":
        return "control character"
    if category in {"Co", "Cn"}:
        return "character without a meaning"
    if category in {"Zs", "Zl", "Zp"} and char != "\u00a0":
        return "unusual space or line break"
    return None


def _scripts(word: str) -> set[str]:
    if word.isascii():
        return set()
    names = (unicodedata.name(char, "") for char in word)
    return {script for name in names for script in _LOOKALIKE_SCRIPTS if name.startswith(script)}
