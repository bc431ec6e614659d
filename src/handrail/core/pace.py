"""The pace of a clock: whether the time of day has moved as much as time has passed.

Two readings are compared, the time of day and a counter that only ever goes forward. Within
`SKEW_MS_MAX` the time of day is believed, as it is set right now and then. Beyond it, it has
jumped: from then on time goes on by the counter alone, and the caller is told by how much.
"""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["SKEW_MS_MAX", "Pace", "paced"]

SKEW_MS_MAX: Final = 10 * 60_000
"""A clock that moved this much more, or less, than time has passed is not believed."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The last believed pair of readings, and the latest time that was given out."""

    day_ms: int
    counter_ms: int
    latest_ms: int


def paced(pace: Pace, day_ms: int, counter_ms: int) -> tuple[Pace, int]:
    """The next pace, with `latest_ms` as the time now, and by how much the clock has jumped.

    The time never goes backwards. A jump of 0 means that the clock is believed.
    """
    if day_ms == pace.day_ms and counter_ms == pace.counter_ms:
        return pace, 0  # read again within the millisecond
    due = pace.day_ms + max(0, counter_ms - pace.counter_ms)
    skew = day_ms - due
    if abs(skew) <= SKEW_MS_MAX:
        latest = max(pace.latest_ms, day_ms)
        return Pace(day_ms=day_ms, counter_ms=counter_ms, latest_ms=latest), 0
    return msgspec.structs.replace(pace, latest_ms=max(pace.latest_ms, due)), skew
