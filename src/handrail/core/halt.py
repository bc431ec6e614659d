"""Halts: the emergency stop of a desk, an agent, a kind of action, a task or a customer."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

import msgspec

__all__ = ["NO_HALTS", "ActiveHalts", "Halt", "HaltScope"]


class HaltScope(Enum):
    """What a halt stops. The widest comes first."""

    DESK = "desk"
    AGENT = "agent"
    KIND = "kind"
    TASK = "task"
    CUSTOMER = "customer"


class Halt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stop. It counts from `pulled_at` until it is lifted.

    `target` names the agent, the kind, the task, or the customer by subject reference; it is empty
    for a desk. `pulled_by` is whoever pulled it, and nobody is asked to justify it: what they said,
    if anything, lies sealed in the vault under the halt's id.
    """

    desk: str
    id: str
    scope: HaltScope
    target: str
    pulled_by: str
    pulled_at: int
    lifted_by: str | None = None
    lifted_at: int | None = None

    @property
    def active(self) -> bool:
        """Whether it still stops anything."""
        return self.lifted_at is None


class ActiveHalts:
    """What is stopped on a desk now. False when nothing is."""

    __slots__ = ("_by_target",)

    def __init__(self, halts: Iterable[Halt] = ()) -> None:
        self._by_target = {(halt.scope, halt.target): halt for halt in halts if halt.active}

    def __bool__(self) -> bool:
        return bool(self._by_target)

    def on(self, scope: HaltScope, target: str) -> Halt | None:
        """The halt of exactly this."""
        return self._by_target.get((scope, target))

    def over(
        self,
        *,
        agent: str,
        kind: str | None = None,
        task: str | None = None,
        customers: tuple[str, ...] = (),
    ) -> Halt | None:
        """The widest halt that stops such an action, or None. None for a part: it has none."""
        found = self._by_target
        places = [(HaltScope.DESK, ""), (HaltScope.AGENT, agent)]
        if kind is not None:
            places.append((HaltScope.KIND, kind))
        if task is not None:
            places.append((HaltScope.TASK, task))
        places += [(HaltScope.CUSTOMER, customer) for customer in customers]
        return next((found[place] for place in places if place in found), None)


NO_HALTS: Final = ActiveHalts()
"""Nothing is stopped: by far the usual case, made once."""
