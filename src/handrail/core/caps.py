"""Hard ceilings: reserve, then post or void.

`used = pending + posted within the window counted from settlement`; an amount is admitted iff
`used + amount <= limit`. A reservation leaves the window only one window after it settled, and an
unknown one never leaves, so no rolling window ever exceeds the limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

import msgspec

from handrail.core.money import Money

__all__ = [
    "TRIP_MS_MIN",
    "CapRule",
    "Charge",
    "Deed",
    "Scope",
    "WhenFull",
    "admits",
    "charges_of",
    "has_room_again",
]

TRIP_MS_MIN: Final = 3_600_000
"""How long a cap stays tripped at the least, so that one that flutters tells people once."""
_ROOM_AGAIN: Final = (3, 4)
"""A tripped cap must have been down to this share of its limit before it can trip again."""


class Scope(Enum):
    """Whom a cap counts for.

    OWNER is one person's agents together. ACCOUNT is a connector, for every desk of the store that
    sets a cap of the same name: two desks that pay from one merchant account share it.
    """

    DESK = "desk"
    AGENT = "agent"
    OWNER = "owner"
    CUSTOMER = "customer"
    TASK = "task"
    KIND = "kind"
    ACCOUNT = "account"


class WhenFull(Enum):
    """What happens to an action that meets a full cap."""

    REFUSE = "refuse"
    WAIT = "wait"


class CapRule(msgspec.Struct, frozen=True, kw_only=True):
    """One cap: a limit in minor units of `currency`, or a count when `currency` is None.

    A `distinct` cap counts customers: one whom it counts already takes nothing more. `kinds` names
    the action kinds that it counts; empty means every kind. With `halts_agent` the agent that meets
    it while it is full is stopped as well.
    """

    name: str
    scope: Scope
    limit: int
    window_ms: int
    currency: str | None = None
    distinct: bool = False
    kinds: tuple[str, ...] = ()
    when_full: WhenFull = WhenFull.REFUSE
    halts_agent: bool = False


class Deed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What caps look at of one action.

    `owner` is the identity that answers for the agent, `account` the connector that serves the
    kind, `customer` a subject reference. `of_nobody` says that no customer is touched.
    """

    kind: str
    value: Money | None
    agent: str
    owner: str
    customer: str
    task: str
    account: str
    of_nobody: bool = False


class Charge(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one action takes from one cap: `amount` under the account `scope_key`.

    `member` is the customer for whom a distinct cap is charged, and empty for any other.
    """

    rule: CapRule
    scope_key: str
    amount: int
    member: str = ""

    @property
    def shared(self) -> bool:
        """Whether every desk of the store is counted together."""
        return self.rule.scope is Scope.ACCOUNT


def charges_of(rules: Iterable[CapRule], deed: Deed) -> tuple[Charge, ...]:
    """The charges of an action, sorted by cap name so that every caller locks in one order.

    A money cap counts only values in its own currency; which other currencies may run at all is
    for the bands to say (an unlisted currency takes the strictest guard).
    """
    value = deed.value
    found = []
    for rule in rules:
        if rule.kinds and deed.kind not in rule.kinds:
            continue
        amount, member = 1, ""
        if rule.distinct:
            if deed.of_nobody:
                continue
            member = deed.customer
        elif rule.currency is not None:
            if value is None or value.currency != rule.currency:
                continue
            amount = value.minor
        key = _key(rule, deed)
        found.append(Charge(rule=rule, scope_key=key, amount=amount, member=member))
    found.sort(key=_name)
    return tuple(found)


def _name(charge: Charge) -> str:
    return charge.rule.name


def _key(rule: CapRule, deed: Deed) -> str:
    match rule.scope:
        case Scope.DESK:
            return ""
        case Scope.AGENT:
            return deed.agent
        case Scope.OWNER:
            return deed.owner
        case Scope.CUSTOMER:
            return deed.customer
        case Scope.TASK:
            return deed.task
        case Scope.KIND:
            return deed.kind
        case Scope.ACCOUNT:
            # Desks name their caps on their own: the same name never mixes two measures.
            measure = "customers" if rule.distinct else (rule.currency or "count")
            return f"{deed.account} {measure}"


def admits(used: int, amount: int, limit: int) -> bool:
    """Whether `amount` still fits under `limit` when `used` is taken."""
    return used + amount <= limit


def has_room_again(used: int, limit: int, *, tripped_at: int, now: int) -> bool:
    """Whether a cap that tripped counts as whole again, so that it may trip anew."""
    share, whole = _ROOM_AGAIN
    return used * whole <= limit * share and now - tripped_at >= TRIP_MS_MIN
