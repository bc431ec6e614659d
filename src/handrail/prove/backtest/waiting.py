"""What waits: for a person, for its recall window to end, or for room under a full cap."""

from __future__ import annotations

from typing import TypeVar

from handrail.core.policy import Guard
from handrail.policy.checks import Checked
from handrail.prove.backtest.shapes import Judgment, Shape
from handrail.prove.backtest.traffic import Recorded
from handrail.prove.backtest.windows import NEVER, Window

__all__ = ["Lobby", "Waiter"]

K = TypeVar("K")


class Waiter:
    """An action that has not run yet. `blocked` is the window that had no room for it.

    `told` is what its checks said before the sums were known. `rounds` counts how often it was put
    to people anew, `asked` how often it was put to them.
    """

    __slots__ = (
        "asked",
        "blocked",
        "execute_by",
        "guard",
        "n",
        "order",
        "recorded",
        "rounds",
        "shape",
        "told",
    )

    def __init__(
        self,
        recorded: Recorded,
        shape: Shape,
        verdict: Judgment,
        told: Checked,
        n: int,
        execute_by: int,
    ) -> None:
        self.recorded = recorded
        self.shape = shape
        self.guard: Guard = verdict.guard
        self.order = verdict.order
        self.told = told
        self.n = n
        self.rounds = self.asked = 0
        self.execute_by = execute_by
        self.blocked: Window | None = None


class Lobby:
    """Actions that are tried again until they run or their time is over.

    Live they are tried once a second or so. Here they are tried when that may end otherwise than
    the last time: `wake` is the earliest such moment, at most one every `retry_ms`.
    """

    def __init__(self, retry_ms: int) -> None:
        self.wake = NEVER
        self._retry_ms = retry_ms
        self.all: dict[int, Waiter] = {}
        self._stirred: set[int] = set()
        self._of_customers: dict[str | None, set[int]] = {}
        self._of_cards: dict[str, set[int]] = {}

    def add(self, waiter: Waiter, blocked: Window | None, now: int) -> None:
        """It waits from now on; at once tried when nothing blocks it."""
        waiter.blocked = blocked
        n, recorded = waiter.n, waiter.recorded
        self.all[n] = waiter
        self._of_customers.setdefault(recorded.customer, set()).add(n)
        if recorded.instrument is not None:
            self._of_cards.setdefault(recorded.instrument, set()).add(n)
        if blocked is None:
            self._stirred.add(n)
            self.wake = now
            return
        due = min(waiter.execute_by, blocked.changes_at(now))
        self.wake = min(self.wake, max(now + self._retry_ms, due))

    def stir(self, recorded: Recorded, now: int) -> None:
        """Something ran: caps are fuller, and what adds to the same sums looks again."""
        self.wake = min(self.wake, now + self._retry_ms)
        found = self._of_customers.get(recorded.customer, set())
        if recorded.instrument is not None:
            found = found | self._of_cards.get(recorded.instrument, set())
        self._stirred |= found

    def given_back(self, now: int) -> None:
        """Something that was taken was given back."""
        if self.all:
            self.wake = min(self.wake, now)

    def due(self, now: int) -> list[Waiter]:
        """Take out what is to be tried now, the first first."""
        rooms: dict[Window, int] = {}
        found = [waiter for waiter in self.all.values() if self._is_due(waiter, rooms, now)]
        found.sort(key=lambda waiter: waiter.n)
        for waiter in found:
            self._drop(waiter)
        self.wake = NEVER
        if self.all:
            blocked = {one.blocked for one in self.all.values() if one.blocked is not None}
            first = min(window.changes_at(now) for window in blocked)
            last = min(waiter.execute_by for waiter in self.all.values())
            self.wake = max(now + self._retry_ms, min(first, last))
        return found

    def _is_due(self, waiter: Waiter, rooms: dict[Window, int], now: int) -> bool:
        window = waiter.blocked
        if window is None:
            return True
        room = rooms.get(window)
        if room is None:
            room = rooms[window] = window.room(now)
        if waiter.n in self._stirred or now >= waiter.execute_by:
            return True
        if window.asks(waiter.recorded) <= room:
            return True
        # What comes first of its caps may have become full meanwhile, and refuse it.
        for take in waiter.shape.takes:
            earlier = take.window_of(waiter.recorded)
            if earlier is window:
                return False
            left = rooms.get(earlier)
            if left is None:
                left = rooms[earlier] = earlier.room(now)
            if earlier.asks(waiter.recorded) > left:
                return True
        return False

    def _drop(self, waiter: Waiter) -> None:
        n, recorded = waiter.n, waiter.recorded
        del self.all[n]
        self._stirred.discard(n)
        _discard(self._of_customers, recorded.customer, n)
        if recorded.instrument is not None:
            _discard(self._of_cards, recorded.instrument, n)


def _discard(index: dict[K, set[int]], key: K, n: int) -> None:
    there = index[key]
    there.discard(n)
    if not there:
        del index[key]
