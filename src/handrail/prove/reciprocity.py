"""Reciprocity: people who say yes to each other's work more often than chance would have it.

For each ordered pair (maker, checker) it counts how often the checker approved what the maker
answers for, and compares that with what their shares of all approvals would make of it. A pair is
remarkable when the count is far above that on both ways round, or one way with nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

__all__ = ["Approval", "Pair", "pairs_of"]

_MANY: int = 5
"""Fewer approvals of one pair than this say nothing."""
_TIMES: int = 2
"""How many times what chance would give makes a pair remarkable."""


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One approval that counted: who answered for the action, and who approved it."""

    makers: frozenset[str]
    checker: str


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two people: how often each approved the other's work, and what chance would have given.

    `expected` is in thousandths, for `there` and `back` together.
    """

    one: str
    other: str
    there: int
    back: int
    expected_milli: int

    @property
    def remarkable(self) -> bool:
        """Whether it is worth a look: often enough, and far above chance."""
        count = self.there + self.back
        return count >= _MANY and count * 1_000 > _TIMES * self.expected_milli


def pairs_of(approvals: Iterable[Approval]) -> list[Pair]:
    """Every pair that occurs, the furthest above chance first.

    Chance is independence: approvals of a maker's work times the checker's share of all approvals.
    """
    said = list(approvals)
    made: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    met: Counter[tuple[str, str]] = Counter()
    for one in said:
        checked[one.checker] += 1
        for maker in one.makers:
            made[maker] += 1
            met[maker, one.checker] += 1
    people = sorted({tuple(sorted(pair)) for pair in met if pair[0] != pair[1]})
    found = []
    for first, second in people:
        chance = made[first] * checked[second] + made[second] * checked[first]
        found.append(
            Pair(
                one=first,
                other=second,
                there=met[first, second],
                back=met[second, first],
                expected_milli=chance * 1_000 // len(said),
            )
        )
    return sorted(found, key=_order)


def _order(pair: Pair) -> tuple[int, str, str]:
    return (pair.expected_milli - (pair.there + pair.back) * 1_000, pair.one, pair.other)
