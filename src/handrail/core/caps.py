"""Hard ceilings: reserve, then post or void.

`used = pending + posted within the window counted from settlement`; an amount is admitted iff
`used + amount <= limit`. A reservation leaves the window only one window after it settled, and an
unknown one never leaves, so no rolling window ever exceeds the limit.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from handrail.core.money import Money

__all__ = ["CapRule", "Charge", "Scope", "WhenFull", "admits", "charges_of"]


class Scope(Enum):
    """Whom a cap counts for."""

    DESK = "desk"
    AGENT = "agent"
    CUSTOMER = "customer"
    KIND = "kind"


class WhenFull(Enum):
    """What happens to an action that meets a full cap."""

    REFUSE = "refuse"
    WAIT = "wait"


class CapRule(msgspec.Struct, frozen=True, kw_only=True):
    """One cap: a limit in minor units of `currency`, or a count when `currency` is None.

    `kinds` names the action kinds that it counts; empty means every kind.
    """

    name: str
    scope: Scope
    limit: int
    window_ms: int
    currency: str | None = None
    kinds: tuple[str, ...] = ()
    when_full: WhenFull = WhenFull.REFUSE


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What one action takes from one cap: `amount` under the account `scope_key`."""

    rule: CapRule
    scope_key: str
    amount: int


def charges_of(
    rules: tuple[CapRule, ...],
    *,
    kind: str,
    value: Money | None,
    agent: str,
    customer: str,
) -> tuple[Charge, ...]:
    """The charges of an action, sorted by cap name so that every caller locks in one order.

    A money cap counts only values in its own currency; which other currencies may run at all is
    for the bands to say (an unlisted currency takes the strictest guard).
    """
    found = []
    for rule in rules:
        if rule.kinds and kind not in rule.kinds:
            continue
        if rule.currency is None:
            amount = 1
        elif value is not None and value.currency == rule.currency:
            amount = value.minor
        else:
            continue
        found.append(
            Charge(rule=rule, scope_key=_key(rule.scope, kind, agent, customer), amount=amount)
        )
    return tuple(sorted(found, key=lambda charge: charge.rule.name))


def _key(scope: Scope, kind: str, agent: str, customer: str) -> str:
    match scope:
        case Scope.DESK:
            return ""
        case Scope.AGENT:
            return agent
        case Scope.CUSTOMER:
            return customer
        case Scope.KIND:
            return kind


def admits(used: int, amount: int, limit: int) -> bool:
    """Whether `amount` still fits under `limit` when `used` is taken."""
    return used + amount <= limit
