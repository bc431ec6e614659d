"""Direction: which parts of a text are set from right to left, and so stand elsewhere on the line.

Nothing hides in such a part, and Hebrew and Arabic are honest. But figures and words between their
letters change places: what comes first is not what stands on the left. Whoever decides is told.
Source: the Unicode bidirectional algorithm (UAX #9), on the safe side: a part may be told as turned
that is not, never the other way round. Characters that override directions are another matter,
see `core.text`: they are shown as tokens, and do not count here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["turned_parts"]

_MAYBE: Final = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
# Marks that only hint at a direction: honest beside letters that have it, see `core.text`.
_HINTS: Final = "\u061c\u200e\u200f"
_TURNS: Final = ("R", "AL", "AN")


def turned_parts(text: str, hidden: frozenset[int] = frozenset()) -> tuple[tuple[int, int], ...]:
    """Where (start, end exclusive) a text is set from right to left, line by line.

    A line whose first letter is set from right to left is so as a whole. `hidden` are the places of
    characters that are shown as tokens: those have no direction.
    """
    if not _MAYBE.search(text):
        return ()
    found: list[tuple[int, int]] = []
    start = 0
    for line in text.split("\n"):
        found += [(start + first, start + last) for first, last in _of_line(line, start, hidden)]
        start += len(line) + 1
    return tuple(found)


def _of_line(line: str, at: int, hidden: frozenset[int]) -> list[tuple[int, int]]:
    if not _MAYBE.search(line):
        return []
    kinds = [
        "ON" if char in _HINTS or at + place in hidden else unicodedata.bidirectional(char)
        for place, char in enumerate(line)
    ]
    leading = next((kind for kind in kinds if kind in ("L", "R", "AL")), "L")
    if leading != "L":
        return [(0, len(line.rstrip("\r")))]
    found: list[tuple[int, int]] = []
    start: int | None = None
    for place, kind in enumerate(kinds):
        if kind == "L" and start is not None:
            found.append((start, place))
            start = None
        elif kind in _TURNS and start is None:
            start = place
    if start is not None:
        found.append((start, len(line)))
    return [(first, first + len(line[first:last].rstrip())) for first, last in found]
