"""The ledger: what every scope has taken of every cap, and every sum, of one policy."""

from __future__ import annotations

from collections import Counter
from heapq import heappush
from typing import Final, Protocol

from handrail.core.caps import CapRule, Deed, Scope, charges_of
from handrail.core.money import MINOR_MAX
from handrail.core.policy import Policy
from handrail.prove.backtest.traffic import Recorded
from handrail.prove.backtest.windows import NEVER, Customers, Window

__all__ = ["Ledger", "Take", "Taken"]

Taken = list[tuple[Window, int, str]]
"""What one action has taken: from which window, how much, and for which customer."""

_MOVING: Final = frozenset((Scope.AGENT, Scope.OWNER, Scope.CUSTOMER, Scope.TASK))
"""Scopes of which the key is not the same for every action of a shape."""


class Take:
    """What an action of a shape takes from one cap: one window, or one per agent, customer, ..."""

    __slots__ = ("fixed", "money", "rule", "windows")

    def __init__(self, rule: CapRule, money: bool, windows: dict[str, Window], key: str) -> None:
        self.rule = rule
        self.money = money
        self.windows = windows
        self.fixed = None if rule.scope in _MOVING else self.window(key)

    def window_of(self, recorded: Recorded) -> Window:
        """The window that an action takes from."""
        if self.fixed is not None:
            return self.fixed
        match self.rule.scope:
            case Scope.AGENT:
                return self.window(recorded.agent)
            case Scope.OWNER:
                return self.window(recorded.owner or recorded.agent)
            case Scope.CUSTOMER:
                return self.window(recorded.customer or "")
            case _:
                return self.window(recorded.task)

    def window(self, key: str) -> Window:
        """The window under a key."""
        found = self.windows.get(key)
        if found is None:
            found = Customers(self.rule) if self.rule.distinct else Window(self.rule)
            self.windows[key] = found
        return found


class Taking(Protocol):
    """What takes from caps, and whether it adds to the sums."""

    takes: tuple[Take, ...]
    adds: bool


class Ledger:
    """Every window of one policy: of each cap by its scope's key, and the two kinds of sums.

    `trips` counts how often each cap was met full after it had been whole.
    """

    def __init__(self, policy: Policy) -> None:
        self.trips: Counter[str] = Counter()
        self.of_caps: dict[str, dict[str, Window]] = {cap.name: {} for cap in policy.caps}
        self.of_customers: dict[str, Window] = {}
        self.of_instruments: dict[str, Window] = {}
        self._policy = policy
        self._sum = CapRule(
            name="sum",
            scope=Scope.CUSTOMER,
            limit=NEVER,
            window_ms=0 if policy.accumulation is None else policy.accumulation.window_ms,
        )

    def takes(self, probe: Deed) -> tuple[Take, ...]:
        """Which caps count an action like `probe`, whose amount, if any, is `MINOR_MAX`."""
        return tuple(
            Take(
                charge.rule,
                charge.amount == MINOR_MAX,
                self.of_caps[charge.rule.name],
                charge.scope_key,
            )
            for charge in charges_of(self._policy.caps, probe)
        )

    def sums(self, customer: str, instrument: str | None) -> tuple[Window, ...]:
        """The sums that an action adds to: of its instrument, and of its customer."""
        one = self._of(self.of_customers, customer)
        return (one,) if instrument is None else (self._of(self.of_instruments, instrument), one)

    def reserve(self, recorded: Recorded, shape: Taking, now: int) -> Taken | Take:
        """Take every cap and add to the sums, or nothing and say which cap is full."""
        taken: Taken = []
        for take in shape.takes:
            window = take.fixed or take.window_of(recorded)
            amount, member = 1, ""
            if take.money:
                amount = recorded.value_minor or 0
            elif isinstance(window, Customers):
                member = recorded.customer or ""
                amount = 1 if window.join(member) else 0
            window.used += amount
            taken.append((window, amount, member))
            if window.tripped_at is None and window.used <= window.limit:
                continue
            if not window.fits(amount, now):
                self.give_back(taken)
                if window.tripped_at is None:
                    window.tripped_at = now
                    self.trips[take.rule.name] += 1
                return take
        if shape.adds:
            self._add_up(recorded, taken)
        return taken

    def settle(self, taken: Taken, at: int) -> None:
        """What was taken becomes final at a time, and leaves its windows one window later."""
        last = (at, 0)
        for window, amount, member in taken:
            if isinstance(window, Customers):
                window.stay(member, at)
                continue
            if last[1] != amount:
                last = (at, amount)
            heappush(window.settled, last)

    def give_back(self, taken: Taken) -> None:
        """It certainly did not happen."""
        for window, amount, member in taken:
            if isinstance(window, Customers):
                window.part(member)
            else:
                window.used -= amount

    def _add_up(self, recorded: Recorded, taken: Taken) -> None:
        adds = self._policy.accumulation
        assert adds is not None
        worth = adds.worth(recorded.kind, recorded.value)
        if worth:
            for window in self.sums(recorded.customer or "", recorded.instrument):
                window.used += worth
                taken.append((window, worth, ""))

    def _of(self, windows: dict[str, Window], key: str) -> Window:
        found = windows.get(key)
        if found is None:
            found = windows[key] = Window(self._sum)
        return found
