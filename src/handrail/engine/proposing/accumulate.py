"""Accumulate: what a customer was given lately counts beside the amount of the action itself.

The sums are reservations in a ledger without a limit, one per customer and one per instrument (a
card, a bank account): they count what runs, ran, or may have run, and leave the window as caps do.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from handrail.core.accumulation import Accumulation, Sums
from handrail.core.artifact import Line
from handrail.core.canonical import canonical
from handrail.core.caps import CapRule, Charge, Scope
from handrail.core.money import MINOR_MAX, Money
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.engine.base.context import Rulebook
from handrail.engine.proposing.prepare import Plan, ask_of
from handrail.store.protocol import Tx

__all__ = ["Accrued", "accrued_of", "history_of", "owed"]

VALUE: Final = "@value"
INSTRUMENT: Final = "@instrument"
"""No cap of a policy has such a name, and both come before any of those in their order."""
_NO_LIMIT: Final = 2**62
_SHOWN_MAX: Final = 10
_ALONE: Final = frozenset((Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY))


class Accrued(msgspec.Struct, frozen=True, kw_only=True):
    """Where a customer stands with an action, and what the action adds to which ledgers.

    What was earlier is in the ledger `cap` under `scope_key`, the larger of the two.
    `instrument` is the keyed hash of what the money goes to.
    """

    sums: Sums
    charges: tuple[Charge, ...]
    cap: str
    scope_key: str
    instrument: str | None


def accrued_of(tx: Tx, plan: Plan, subject: str, *, exact: bool = False) -> Accrued | None:
    """Read and lock the sums that an action adds to; None for a kind that adds nothing up.

    Unless they are asked for `exact`, the sums may count what has left the window a while ago, as
    long as that makes no difference: when an action would run alone all the same.
    """
    adds, kind = plan.rules.policy.accumulation, plan.draft.kind
    if adds is None or kind not in adds.weights:
        return None
    desk = plan.task.desk
    # In the order of the names, as caps are charged.
    ledgers = [(_ledger(adds, VALUE), subject)]
    if plan.prepared.instrument is not None:
        # A keyed hash: the card is known again, and nothing of it is kept.
        card = tx.vault.fingerprint_of(canonical([desk, plan.prepared.instrument]))
        ledgers.insert(0, (_ledger(adds, INSTRUMENT), card))
    if not exact and not _always_asks(plan):
        held = [tx.caps.held(desk, rule, key) for rule, key in ledgers]
        accrued = _summed(adds, plan, ledgers, held)
        ask = ask_of(tx, plan, subject, accrued.sums)
        if not accrued.sums.earlier or plan.rules.decider.decide(ask).guard.control in _ALONE:
            return accrued
    sums = [tx.caps.total(desk, rule, key, tx.now) for rule, key in ledgers]
    return _summed(adds, plan, ledgers, sums)


def _always_asks(plan: Plan) -> bool:
    """Whether actions of the kind are put to a person whatever the sums are."""
    rule = plan.rules.policy.kinds.get(plan.draft.kind)
    if rule is None or rule.bands or rule.cleared is not None:
        return False
    return rule.guard.control not in _ALONE


def owed(rules: Rulebook, proposal: Proposal, instrument: str | None) -> tuple[Charge, ...]:
    """What an action adds to the sums, by what is stored of it; in the order of the ledgers."""
    adds = rules.policy.accumulation
    if adds is None or proposal.kind not in adds.weights:
        return ()
    worth = adds.worth(proposal.kind, proposal.value)
    ledgers = [(_ledger(adds, VALUE), proposal.subject)]
    if instrument is not None:
        ledgers.insert(0, (_ledger(adds, INSTRUMENT), instrument))
    return tuple(Charge(rule=rule, scope_key=key, amount=worth) for rule, key in ledgers if worth)


def _summed(
    adds: Accumulation, plan: Plan, ledgers: list[tuple[CapRule, str]], sums: list[int]
) -> Accrued:
    kind, value = plan.draft.kind, plan.value
    worth = adds.worth(kind, value)
    earlier = max(sums)
    widest, key = ledgers[sums.index(earlier)]
    return Accrued(
        sums=Sums(total=adds.judged(kind, value, earlier), earlier=earlier, worth=worth),
        charges=tuple(
            Charge(rule=rule, scope_key=key, amount=worth) for rule, key in ledgers if worth
        ),
        cap=widest.name,
        scope_key=key,
        instrument=next((card for rule, card in ledgers if rule.name == INSTRUMENT), None),
    )


def _ledger(adds: Accumulation, name: str) -> CapRule:
    return CapRule(
        name=name,
        scope=Scope.CUSTOMER,
        limit=_NO_LIMIT,
        window_ms=adds.window_ms,
        currency=adds.currency,
    )


def history_of(tx: Tx, rules: Rulebook, desk: str, accrued: Accrued | None) -> tuple[Line, ...]:
    """What makes up the sum, for the person who is asked: newest first, and then the sum."""
    adds = rules.policy.accumulation
    if adds is None or accrued is None or accrued.sums.total is None or not accrued.sums.earlier:
        return ()
    since = tx.now - adds.window_ms
    settled = tx.caps.posted(desk, accrued.cap, accrued.scope_key, since, most=_SHOWN_MAX)
    amounts = tx.proposals.amounts(desk, [one.proposal for one in settled])
    lines = []
    for one in settled:
        if one.proposal not in amounts:
            continue
        of_kind, value = amounts[one.proposal]
        kind = rules.kind(of_kind)
        amount = "an unknown amount" if value is None else value.text()
        label = of_kind if kind is None else kind.title
        lines.append(Line(label=label, text=f"{amount} on {when_text(one.at)} as {one.proposal}"))
    rest = accrued.sums.earlier - sum(one.amount for one in settled)
    if rest > 0:
        lines.append(Line(label="Under way, or further back", text=_text(rest, adds.currency)))
    lines.append(Line(label="Together with this one", text=_text_of(accrued.sums.total)))
    return tuple(lines)


def when_text(at: int) -> str:
    """A time as a person reads it in a history."""
    return _minute_text(at // 60_000)


@lru_cache(maxsize=4096)
def _minute_text(minute: int) -> str:
    return f"{datetime.fromtimestamp(minute * 60, UTC).isoformat(' ', 'minutes')[:16]} UTC"


def _text(minor: int, currency: str) -> str:
    return _text_of(Money(minor=min(minor, MINOR_MAX), currency=currency))


def _text_of(money: Money) -> str:
    return "more than can be summed up" if money.minor >= MINOR_MAX else money.text()
