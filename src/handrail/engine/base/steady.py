"""A steady clock: the time of day for as long as it makes sense, and a doubt when it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, MutableMapping
from typing import Final

import msgspec

from handrail.core.pace import SKEW_MS_MAX, Pace, paced

__all__ = ["CLOCK", "SteadyClock"]

CLOCK: Final = "clock"
"""Under which name the clock's doubt stands among a context's doubts."""


class SteadyClock:
    """Milliseconds UTC that never go backwards. Thread-safe.

    While the time of day has jumped, time goes on by the counter, and a reason not to send anything
    stands in `doubts`; it goes away when the time of day is right again, or with the next start.
    """

    def __init__(self, day: Callable[[], int], counter: Callable[[], int]) -> None:
        self.doubts: MutableMapping[str, str] = {}
        self._day = day
        self._counter = counter
        self._lock = threading.Lock()
        now = day()
        self._pace = Pace(day_ms=now, counter_ms=counter(), latest_ms=now)

    def __call__(self) -> int:
        with self._lock:
            self._pace, skew = paced(self._pace, self._day(), self._counter())
            if skew:
                self.doubts[CLOCK] = _said(skew)
            elif CLOCK in self.doubts:
                del self.doubts[CLOCK]
            return self._pace.latest_ms

    def not_before(self, at: int) -> None:
        """Something is written down as of `at`: a clock that stands well before it is wrong."""
        with self._lock:
            if at > self._pace.day_ms + SKEW_MS_MAX:
                self._pace = msgspec.structs.replace(self._pace, day_ms=at)
            latest = max(at, self._pace.latest_ms)
            self._pace = msgspec.structs.replace(self._pace, latest_ms=latest)
        self()


def _said(skew_ms: int) -> str:
    way = "forward" if skew_ms > 0 else "back"
    return (
        f"the clock has jumped {way} by {abs(skew_ms) // 60_000} minutes; nothing is sent until it"
        " is right again, or handrail is started anew"
    )
