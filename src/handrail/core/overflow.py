"""Overflow: what waits and cannot be reviewed in time, as an estimate from what is known now.

It assumes that so many people do nothing else from now on, each takes the most urgent action that
can still be decided in time, and each decision takes as long as the measured median. What comes in
later, and who goes home, it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

__all__ = ["Overflow", "estimate"]


class Overflow(msgspec.Struct, frozen=True, kw_only=True):
    """How many of `looked` waiting actions run out of time, and the first that does.

    `people` work on them, `each_ms` is what one decision takes. `first_at` is a deadline in
    milliseconds UTC, None when all can be reviewed. `present` says that those people are at work
    and not only on the roster, `measured` that the time was measured here.
    """

    looked: int
    missed: int
    first_at: int | None
    people: int
    each_ms: int
    present: bool = False
    measured: bool = False


def estimate(
    waiting: Sequence[tuple[int, int]], *, people: int, each_ms: int, now: int
) -> Overflow:
    """What cannot be reviewed in time. `waiting` is (deadline, decisions needed), by urgency.

    Without anybody everything is missed. What would not be ready by its deadline is left out, and
    takes nobody's time.
    """
    missed = [due for due, _ in waiting] if people < 1 else []
    free = [now] * max(0, people)
    for due, needed in waiting if people > 0 else ():
        # Those who are free first decide it; it takes as many different people as it needs.
        takers = sorted(range(people), key=free.__getitem__)[: max(1, needed)]
        if len(takers) < needed or any(free[one] + each_ms > due for one in takers):
            missed.append(due)
            continue
        for one in takers:
            free[one] += each_ms
    return Overflow(
        looked=len(waiting),
        missed=len(missed),
        first_at=min(missed, default=None),
        people=people,
        each_ms=each_ms,
    )
