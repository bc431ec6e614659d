"""Caps and sums in memory: what the store keeps in rows, with the same arithmetic.

When a reservation settles is known from the record, so a window needs no second visit: it keeps
the time of each settlement, and what settled one window ago leaves, when it is looked at. What is
never settled never leaves. A test holds this equal to the store, action by action.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

from handrail.core.caps import TRIP_MS_MIN, CapRule, admits, has_room_again
from handrail.prove.backtest.traffic import Recorded

__all__ = ["LEAVING_MAX", "NEVER", "Customers", "Window"]

NEVER: Final = 2**62
"""When something settles of which nobody knows how it ended."""
LEAVING_MAX: Final = 1000
"""About how much leaves a window at one look, as in the store: what is still in it makes no
difference unless there is no room."""
_UNSETTLED: Final = -1


class Window:
    """What one scope has taken of one cap, or a sum without a limit.

    `fresh` is what was settled since somebody last looked at what leaves: most windows are never
    full, and then nobody ever does.
    """

    __slots__ = ("_settled", "counts_money", "fresh", "limit", "tripped_at", "used", "window_ms")

    def __init__(self, rule: CapRule) -> None:
        self.limit = rule.limit
        self.counts_money = rule.currency is not None
        self.window_ms = rule.window_ms
        self.used = 0
        self.tripped_at: int | None = None
        self.fresh: list[tuple[int, int]] = []
        self._settled: list[tuple[int, int]] = []

    def total(self, now: int) -> int:
        """What is taken, exactly."""
        while self.used > 0 and self._leave(now):
            pass
        return self.used

    def fits(self, amount: int, now: int) -> bool:
        """Whether `amount`, which was added already, fits once what is over has left."""
        while self._leave(now) and not admits(self.used, 0, self.limit):
            pass
        if self.tripped_at is not None and has_room_again(
            self.used - amount, self.limit, tripped_at=self.tripped_at, now=now
        ):
            self.tripped_at = None
        return admits(self.used, 0, self.limit)

    def room(self, now: int) -> int:
        """How much still fits; without bound when the next that does not may trip it anew."""
        used = self.total(now)
        if self.tripped_at is not None and has_room_again(
            used, self.limit, tripped_at=self.tripped_at, now=now
        ):
            return NEVER
        return self.limit - used

    def asks(self, recorded: Recorded) -> int:
        """How much room an action needs."""
        return 1 if not self.counts_money else recorded.value_minor or 0

    def changes_at(self, now: int) -> int:
        """When another try may end otherwise: something leaves, or it may trip anew."""
        due = self._leaves_at()
        if self.tripped_at is not None and self.tripped_at + TRIP_MS_MIN > now:
            due = min(due, self.tripped_at + TRIP_MS_MIN)
        return max(now + 1, due)

    def _leaves_at(self) -> int:
        settled = self._in_order()
        return settled[0][0] + self.window_ms if settled else NEVER

    def _leave(self, now: int) -> bool:
        """Let about `LEAVING_MAX` of what is over leave; whether anything did."""
        before, gone, last = now - self.window_ms, 0, -1
        fresh = self.fresh
        if fresh and not self._settled and len(fresh) <= LEAVING_MAX and max(fresh)[0] <= before:
            self.used -= sum([amount for _, amount in fresh])
            fresh.clear()
            return True
        settled = self._in_order()
        while settled and settled[0][0] <= before:
            if gone > LEAVING_MAX and settled[0][0] != last:
                break
            last, amount = heappop(settled)
            self.used -= amount
            gone += 1
        return gone > 0

    def _in_order(self) -> list[tuple[int, int]]:
        """Every settlement: when and how much, as a heap."""
        settled, fresh = self._settled, self.fresh
        if not fresh:
            return settled
        if settled:
            for one in fresh:
                heappush(settled, one)
            fresh.clear()
            return settled
        heapify(fresh)
        self._settled, self.fresh = fresh, settled
        return fresh


class Customers(Window):
    """A cap that counts customers: one whom it counts already takes nothing more.

    Of each it keeps how many reservations may still be given back, and when the newest settles.
    """

    __slots__ = ("leaving", "members")

    def __init__(self, rule: CapRule) -> None:
        super().__init__(rule)
        self.members: dict[str, list[int]] = {}
        self.leaving: list[tuple[int, str]] = []

    def asks(self, recorded: Recorded) -> int:
        """One customer more, or none."""
        return 0 if (recorded.customer or "") in self.members else 1

    def join(self, member: str) -> bool:
        """One reservation more for a customer; whether they were not counted until now."""
        entry = self.members.get(member)
        if entry is None:
            self.members[member] = [1, _UNSETTLED]
            return True
        entry[0] += 1
        return False

    def come(self, member: str, at: int) -> None:
        """What `join` and, at that time, `stay` do together."""
        entry = self.members.get(member)
        if entry is None:
            entry = self.members[member] = [0, _UNSETTLED]
            self.used += 1
        if at > entry[1]:
            entry[1] = at
            heappush(self.leaving, (at, member))

    def part(self, member: str) -> None:
        """One reservation is given back; without any other, its customer counts no more."""
        entry = self.members[member]
        entry[0] -= 1
        if entry == [0, _UNSETTLED]:
            del self.members[member]
            self.used -= 1

    def stay(self, member: str, at: int) -> None:
        """A reservation of the customer settles at that time."""
        entry = self.members[member]
        entry[0] -= 1
        if at > entry[1]:
            entry[1] = at
            heappush(self.leaving, (at, member))

    def _leaves_at(self) -> int:
        return self.leaving[0][0] + self.window_ms if self.leaving else NEVER

    def _leave(self, now: int) -> bool:
        leaving, before, gone = self.leaving, now - self.window_ms, 0
        held = []
        while leaving and leaving[0][0] <= before:
            at, member = heappop(leaving)
            entry = self.members.get(member)
            if entry is None or entry[1] != at:
                continue  # they came again later
            if entry[0]:
                held.append((at, member))
                continue
            del self.members[member]
            gone += 1
        for one in held:
            heappush(leaving, one)
        self.used -= gone
        return gone > 0
