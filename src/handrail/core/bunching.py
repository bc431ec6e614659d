"""Bunching: whether too many amounts lie just below a limit to be there by chance.

The test is the one-sided exact binomial test, in whole numbers: under the baseline each amount lies
near the limit with the same probability, and the share is alarming when at least so many near ones
would come up less often than once in a thousand times.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ODDS", "is_bunched", "is_near"]

ODDS: Final = 1000
"""One in so many: how rare the share must be under the baseline."""
_COUNTED_MAX: Final = 1000
_NEAR: Final = (4, 5)


def is_near(minor: int, limit: int) -> bool:
    """Whether an amount lies in the fifth just below a limit, the limit included."""
    part, whole = _NEAR
    return limit * part <= minor * whole and minor <= limit


def is_bunched(near: int, counted: int, percent: int) -> bool:
    """Whether `near` of `counted` amounts are more than chance explains at a baseline of `percent`.

    P(X >= near) < 1/ODDS for X binomial. More than a thousand amounts are scaled down to a
    thousand, which only ever makes the answer milder.
    """
    if counted > _COUNTED_MAX:
        near, counted = near * _COUNTED_MAX // counted, _COUNTED_MAX
    if near * 100 <= percent * counted:
        return False
    other = 100 - percent
    # Each term is C(n, i) p^i q^(n-i), from the last one down; the division leaves no rest.
    term = tail = percent**counted
    for i in range(counted, near, -1):
        term = term * i * other // ((counted - i + 1) * percent)
        tail += term
    return bool(tail * ODDS < 100**counted)
