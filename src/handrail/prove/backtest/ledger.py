"""The ledger: what every scope has taken of every cap, and every sum, of one policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from operator import attrgetter
from typing import Final, Protocol

from handrail.core.caps import CapRule, Deed, Scope, charges_of
from handrail.core.money import MINOR_MAX
from handrail.core.policy import Policy
from handrail.prove.backtest.traffic import Recorded
from handrail.prove.backtest.windows import NEVER, Customers, Window

__all__ = ["Ledger", "Take", "Taken"]

Taken = list[tuple[Window, int, str]]
"""What one action has taken: from which window, how much, and for which customer."""

_KEYS: Final[dict[Scope, Callable[[Recorded], str]]] = {
    Scope.AGENT: attrgetter("agent"),
    Scope.OWNER: lambda recorded: recorded.owner or recorded.agent,
    Scope.CUSTOMER: lambda recorded: recorded.customer or "",
    Scope.TASK: attrgetter("task"),
}
"""Scopes of which the key is not the same for every action of a shape, and how it is read."""


class Take:
    """What an action of a shape takes from one cap: one window, or one per agent, customer, ..."""

    __slots__ = ("_key", "_windows", "distinct", "fixed", "money", "rule")

    def __init__(self, rule: CapRule, money: bool, windows: dict[str, Window], key: str) -> None:
        self.rule = rule
        self.money = money
        self.distinct = rule.distinct
        self._windows = windows
        self._key = _KEYS.get(rule.scope)
        self.fixed = None if self._key is not None else self._window(key)

    def window_of(self, recorded: Recorded) -> Window:
        """The window that an action takes from."""
        if self._key is None:
            assert self.fixed is not None
            return self.fixed
        key = self._key(recorded)
        return self._windows.get(key) or self._window(key)

    def _window(self, key: str) -> Window:
        """The window under a key."""
        found = self._windows.get(key)
        if found is None:
            found = Customers(self.rule) if self.rule.distinct else Window(self.rule)
            self._windows[key] = found
        return found


class Taking(Protocol):
    """What takes from caps, and whether it adds to the sums; `plainly` when its amount does."""

    takes: tuple[Take, ...]
    adds: bool
    plainly: bool
    only: Take | None


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
        one = self.of_customers.get(customer) or self._of(self.of_customers, customer)
        if instrument is None:
            return (one,)
        return self.of_instruments.get(instrument) or self._of(self.of_instruments, instrument), one

    def post(self, recorded: Recorded, shape: Taking, at: int) -> bool:
        """Take every cap and add to the sums, final at a time, where it plainly fits.

        False when a look at what has left is needed: nothing has changed then, and `reserve` looks.
        """
        if shape.only is not None:
            window = shape.only.window_of(recorded)
            if window.used >= window.limit or window.tripped_at is not None:
                return False
            window.used += 1
            window.fresh.append((at, 1))
            return True
        minor, windows = recorded.value_minor or 0, []
        for take in shape.takes:
            window = take.fixed or take.window_of(recorded)
            after = window.used + (minor if take.money else 1)
            if after > window.limit or window.tripped_at is not None:
                return False
            windows.append(window)
        money = (at, minor)
        for take, window in zip(shape.takes, windows, strict=True):
            if take.money:
                window.used += minor
                window.fresh.append(money)
            elif isinstance(window, Customers):
                window.come(recorded.customer or "", at)
            else:
                window.used += 1
                window.fresh.append((at, 1))
        if shape.adds:
            worth = minor if shape.plainly else self._worth(recorded)
            if worth:
                for window in self.sums(recorded.customer or "", recorded.instrument):
                    window.used += worth
                    window.fresh.append((at, worth))
        return True

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
            window.fresh.append(last)

    def give_back(self, taken: Taken) -> None:
        """It certainly did not happen."""
        for window, amount, member in taken:
            if isinstance(window, Customers):
                window.part(member)
            else:
                window.used -= amount

    def _add_up(self, recorded: Recorded, taken: Taken) -> None:
        worth = self._worth(recorded)
        if worth:
            for window in self.sums(recorded.customer or "", recorded.instrument):
                window.used += worth
                taken.append((window, worth, ""))

    def _worth(self, recorded: Recorded) -> int:
        adds = self._policy.accumulation
        assert adds is not None
        return adds.worth(recorded.kind, recorded.value)

    def _of(self, windows: dict[str, Window], key: str) -> Window:
        found = windows.get(key)
        if found is None:
            found = windows[key] = Window(self._sum)
        return found
