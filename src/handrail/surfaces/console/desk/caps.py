"""Caps and counts: how full every ceiling is, and how many actions are in each state."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.caps import CapRule, Scope
from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.policy import Policy
from handrail.engine.base.context import Context
from handrail.store.protocol import Tx
from handrail.surfaces.console.language.times import span_text
from handrail.surfaces.console.language.words import STATE_TONES, STATES
from handrail.surfaces.console.pages import Visitor

__all__ = ["CapRow", "CapShare", "cap_row", "caps"]

_NEARLY_FULL: Final = 80
_FULL: Final = 100
_SCOPES: Final = {
    Scope.DESK: "the whole desk",
    Scope.AGENT: "each agent",
    Scope.OWNER: "each owner's agents together",
    Scope.CUSTOMER: "each customer",
    Scope.TASK: "each task",
    Scope.KIND: "each kind of action",
    Scope.ACCOUNT: "each connector, over all desks",
}


class CapShare(msgspec.Struct, frozen=True, kw_only=True):
    """How much one scope has taken of a cap; `percent` is at most 100."""

    who: str
    used: str
    share: str
    percent: int
    tone: str


class CapRow(msgspec.Struct, frozen=True, kw_only=True):
    """One cap in words, with the fullest scopes under it."""

    name: str
    counts: str
    per: str
    limit: str
    window: str
    shares: tuple[CapShare, ...]


async def caps(visitor: Visitor) -> Response:
    """The page of caps and counts."""
    ctx, desk = visitor.gateway.ctx, visitor.desk
    policy = ctx.rulebook(desk).policy
    rows = ctx.store.read(lambda tx: _rows(ctx, tx, desk, policy))
    counts = ctx.store.read(lambda tx: tx.counters.of(desk))
    states = [
        (STATES[state], max(0, counts.get(f"state:{state.value}", 0)), STATE_TONES.get(state, ""))
        for state in State
        if state is not State.PROPOSED
    ]
    return visitor.render("caps.html", rows=rows, states=states, policy=policy)


def _rows(ctx: Context, tx: Tx, desk: str, policy: Policy) -> list[CapRow]:
    taken: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for use in tx.caps.uses(desk, policy.caps, tx.now):
        if use.used > 0:
            taken[use.cap].append((use.scope_key, use.used))
    return [
        cap_row(
            policy, rule, tuple(_share(tx, desk, rule, key, used) for key, used in taken[rule.name])
        )
        for rule in policy.caps
    ]


def cap_row(policy: Policy, rule: CapRule, shares: tuple[CapShare, ...] = ()) -> CapRow:
    """A cap in words, with what is taken of it if that is known."""
    return CapRow(
        name=rule.name,
        counts=_titles(policy, rule),
        per=_SCOPES[rule.scope],
        limit=_amount(rule, rule.limit),
        window=span_text(rule.window_ms),
        shares=shares,
    )


def _share(tx: Tx, desk: str, rule: CapRule, key: str, used: int) -> CapShare:
    percent = min(_FULL, used * _FULL // rule.limit) if rule.limit else _FULL
    tone = "" if percent < _NEARLY_FULL else "warn" if percent < _FULL else "bad"
    return CapShare(
        who=_scope_name(tx, desk, rule.scope, key),
        used=_amount(rule, used),
        share=f"{percent} %" if percent else "under 1 %",
        percent=max(1, percent),
        tone=tone,
    )


def _scope_name(tx: Tx, desk: str, scope: Scope, key: str) -> str:
    match scope:
        case Scope.DESK:
            return "desk"
        case Scope.CUSTOMER:
            customer = tx.vault.customer_of(desk, key)
            return "erased customer" if customer is None else customer or "no customer"
        case Scope.ACCOUNT:
            return key.partition(" ")[0]
        case Scope.AGENT | Scope.OWNER | Scope.TASK | Scope.KIND:
            return key


def _amount(rule: CapRule, n: int) -> str:
    if rule.currency is None:
        return f"{n} {'customer' if n == 1 else 'customers'}" if rule.distinct else str(n)
    return Money(minor=n, currency=rule.currency).text()


def _titles(policy: Policy, rule: CapRule) -> str:
    if not rule.kinds:
        return "every kind of action"
    titles = [
        policy.kinds[kind].kind.title if kind in policy.kinds else kind for kind in rule.kinds
    ]
    return ", ".join(titles)
