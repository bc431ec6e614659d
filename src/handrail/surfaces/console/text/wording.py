"""How one text differs from another, word by word, exactly: nothing is left out or trimmed."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from enum import Enum
from typing import Final

import msgspec

__all__ = ["Side", "Stretch", "reworded"]

_WORD: Final = re.compile(r"\S+\s*|\s+")
STEPS_MAX: Final = 8_000_000
"""Steps that comparing may take at worst: a text that repeats itself endlessly must not hold up."""


class Side(Enum):
    """Which text a stretch stands in: both, only the one of now, or only the one before."""

    BOTH = "both"
    NOW = "now"
    BEFORE = "before"


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of text, and where it stands."""

    side: Side
    text: str


def reworded(before: str, now: str) -> tuple[Stretch, ...]:
    """The stretches from one text to the other, in reading order; what was before comes first.

    Guarantees: BOTH and NOW, joined, are `now`; BOTH and BEFORE are `before`. A
    word is compared with the space behind it. Where too much lies between the first and the last
    difference, all of that is one change.
    """
    old, new = _WORD.findall(before), _WORD.findall(now)
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    was, became = old[head : len(old) - tail], new[head : len(new) - tail]
    if _steps(was, became) <= STEPS_MAX:
        between = _between(was, became)
    else:
        between = _replaced("".join(was), "".join(became))
    first, last = "".join(new[:head]), "".join(new[len(new) - tail :])
    return _joined(
        [Stretch(side=Side.BOTH, text=first), *between, Stretch(side=Side.BOTH, text=last)]
    )


def _steps(old: list[str], new: list[str]) -> int:
    """How long the comparison takes at worst: pairs of equal words, looked through for each one."""
    counts = Counter(new)
    pairs = sum(n * counts[word] for word, n in Counter(old).items())
    return pairs * min(len(old), len(new)) + len(old) + len(new)


def _alike(old: list[str], new: list[str]) -> int:
    """How many of the first are the same."""
    n = 0
    while n < min(len(old), len(new)) and old[n] == new[n]:
        n += 1
    return n


def _between(old: list[str], new: list[str]) -> list[Stretch]:
    # WHY NOT: its own guess at what is too frequent to count. Words are frequent, and count.
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    found: list[Stretch] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            found.append(Stretch(side=Side.BOTH, text="".join(new[c:d])))
        else:
            found += _replaced("".join(old[a:b]), "".join(new[c:d]))
    return found


def _replaced(old: str, new: str) -> list[Stretch]:
    return [Stretch(side=Side.BEFORE, text=old), Stretch(side=Side.NOW, text=new)]


def _joined(stretchs: list[Stretch]) -> tuple[Stretch, ...]:
    """Neighbours of one kind as one; nothing empty."""
    found: list[Stretch] = []
    for stretch in stretchs:
        if not stretch.text:
            continue
        if found and found[-1].side is stretch.side:
            stretch = Stretch(side=stretch.side, text=found.pop().text + stretch.text)
        found.append(stretch)
    return tuple(found)
