"""What is unusual about an action that is otherwise like those approved just before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

__all__ = ["ALIKE_MAX", "ALIKE_MIN", "Unusual", "unusual_in"]

ALIKE_MIN: Final = 5
"""With fewer to compare with, nothing is called usual."""
ALIKE_MAX: Final = 10
"""How many of the latest are compared with."""


class Unusual(msgspec.Struct, frozen=True, kw_only=True):
    """The one line that differs: what it says now, and what the `count` like it all said."""

    label: str
    now: str | None
    usual: str
    count: int


def unusual_in(
    lines: Mapping[str, str | None], approved: Sequence[Mapping[str, str | None]]
) -> Unusual | None:
    """The one line in which an action departs from those approved lately, or None.

    `approved` are the renderings by label, of the same kind and agent. Lines that differ among
    themselves say nothing. Of those that never did, at least one must be as ever and exactly one
    must not be: what differs in more than that is not nearly the same.
    """
    if len(approved) < ALIKE_MIN:
        return None
    first = approved[0]
    steady = {
        label: text
        for label, text in first.items()
        if text is not None and all(one.get(label) == text for one in approved)
    }
    odd = [label for label, text in steady.items() if lines.get(label) != text]
    if len(odd) != 1 or len(steady) < 2:
        return None
    label = odd[0]
    return Unusual(label=label, now=lines.get(label), usual=steady[label], count=len(approved))
