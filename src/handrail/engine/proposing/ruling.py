"""The ruling: a decision after the caps, and after what is open or was denied already."""

from __future__ import annotations

import msgspec

from handrail.core.caps import WhenFull
from handrail.core.decide import PRECEDENCE, Decision, Reason, ReasonCode
from handrail.core.escalation import Cause
from handrail.core.policy import Control, Guard
from handrail.core.proposal import Proposal
from handrail.engine.proposing.accumulate import Accrued
from handrail.engine.proposing.flood import Flood, same_again, too_much_open
from handrail.engine.proposing.prepare import Plan
from handrail.engine.running.ceilings import deed_of, reserve
from handrail.store.protocol import Full, Tx

__all__ = ["Footing", "Ruling", "at_least", "is_halted", "ruling_on"]


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided at last: after caps, and after what is open or was denied already.

    `reserved` says that the caps are taken; `full` is the one that was not, `alarm` what a person
    is told of a flood, `same_as` the open action that is the same.
    """

    decision: Decision
    reserved: bool = False
    full: Full | None = None
    alarm: tuple[Cause, str] | None = None
    same_as: str | None = None
    denied: tuple[Proposal, ...] = ()


class Footing(msgspec.Struct, frozen=True, kw_only=True):
    """What the transaction itself adds to a plan."""

    id: str
    subject: str
    fingerprint: str
    now: int
    accrued: Accrued | None


def ruling_on(tx: Tx, ready: Plan, decision: Decision, on: Footing) -> Ruling:
    """The decision after the same content elsewhere, the caps, and how much is open."""
    if is_halted(decision):
        return Ruling(decision=decision)
    desk, limits = ready.task.desk, ready.rules.policy.limits
    draft = ready.draft
    agents = draft.maker == ready.task.agent and draft.undoes is None and draft.editor is None
    before = Flood(decision=decision)
    if agents:
        before = same_again(tx, limits, decision, desk=desk, fingerprint=on.fingerprint)
    ruling = _reserve(tx, ready, before.decision, on)
    after = Flood(decision=ruling.decision)
    if agents and not ruling.reserved:
        after = too_much_open(tx, limits, ruling.decision, desk=desk, agent=ready.draft.maker)
    return msgspec.structs.replace(
        ruling,
        decision=after.decision,
        alarm=before.alarm or after.alarm,
        same_as=before.same_as,
        denied=before.denied,
    )


def _reserve(tx: Tx, ready: Plan, decision: Decision, on: Footing) -> Ruling:
    """Take the caps of an action that may run now; a full cap refuses it or lets it wait."""
    control = decision.guard.control
    if control not in (Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY):
        return Ruling(decision=decision)
    desk, draft, rules = ready.task.desk, ready.draft, ready.rules
    if ready.kind is not None and not ready.ctx.may_send(ready.kind.connector, tx.now):
        return Ruling(decision=decision)
    deed = deed_of(
        tx,
        rules,
        desk=desk,
        task=ready.task.id,
        kind=draft.kind,
        value=ready.value,
        agent=draft.maker,
        customer=on.subject,
    )
    more = () if on.accrued is None else on.accrued.charges
    full = reserve(tx, rules, desk, on.id, deed, more)
    if full is None:
        return Ruling(decision=decision, reserved=True)
    rule = full.charge.rule
    reason = Reason(code=ReasonCode.CAP_FULL, text=f"the cap `{rule.name}` is full")
    guard = decision.guard
    if rule.when_full is WhenFull.REFUSE:
        guard = Guard(control=Control.REFUSE)
    reasons = (reason, *decision.reasons)
    return Ruling(
        decision=msgspec.structs.replace(decision, guard=guard, reasons=reasons), full=full
    )


def at_least(decision: Decision, replaced: Proposal) -> Decision:
    """What an edit gets: never less than what it takes the place of was given."""
    text = "a person changed it; at least the guard of what it replaces applies"
    reasons = (Reason(code=ReasonCode.EDITED, text=text), *decision.reasons)
    return msgspec.structs.replace(
        decision,
        guard=decision.guard.at_least(replaced.guard),
        grade=max(decision.grade, replaced.grade),
        reasons=tuple(sorted(reasons, key=lambda reason: PRECEDENCE[reason.code])),
    )


def is_halted(decision: Decision) -> bool:
    """Whether a halt refused it."""
    return decision.reasons[0].code is ReasonCode.HALTED
