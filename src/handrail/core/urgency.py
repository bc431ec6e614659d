"""Urgency: the order in which what waits is put to people.

The first to run out of time comes first; of those that run out within the same quarter of an hour,
the one with most at stake. Both stand in one whole number, so that a queue of any length is read
in this order from an index.
"""

from __future__ import annotations

from typing import Final

from handrail.core.grade import Grade
from handrail.core.money import Money
from handrail.core.policy import Policy

__all__ = ["SLOT_MS", "STAKE_MAX", "due_rank", "rank_of", "stake_of"]

SLOT_MS: Final = 15 * 60_000
"""Deadlines within one slot are as urgent as each other."""
STAKE_MAX: Final = 10**12 - 1
_SLOT: Final = STAKE_MAX + 1
_BY_GRADE: Final = {Grade.G0: 0, Grade.G1: 1_00, Grade.G2: 100_00, Grade.G3: 5_000_00}
"""What an action is taken to be worth at the least, in minor units, whatever it moves."""


def stake_of(policy: Policy, kind: str, value: Money | None, grade: Grade) -> int:
    """What is at stake, in minor units of the currency of the policy's sums; at most `STAKE_MAX`.

    More than everything where an amount is looked at and not known, or cannot be converted.
    """
    rule = policy.kinds.get(kind)
    valued = rule is not None and (rule.kind.value is not None or rule.kind.value_from_connector)
    least = _BY_GRADE[grade]
    if value is None:
        return STAKE_MAX if valued else least
    worth = value.minor if policy.accumulation is None else policy.accumulation.converted(value)
    return min(STAKE_MAX, max(least, worth))


def rank_of(decide_by: int, stake: int) -> int:
    """The place in the queue: lower comes first. Fits into 63 bits until the year 2100."""
    return (decide_by // SLOT_MS + 1) * _SLOT - min(stake, STAKE_MAX)


def due_rank(now: int) -> int:
    """The highest rank that anything can have whose time is over."""
    return (now // SLOT_MS + 1) * _SLOT
