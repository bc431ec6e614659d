"""Flood control: the same thing twice, the same thing denied again, too much open at once.

What is too much is refused, never queued in silence and never let through, and a person is told
once. It looks at what an agent proposes by itself: not at people, not at undos, not at what is
harmless (G0).
"""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.decide import Decision, Reason, ReasonCode
from handrail.core.escalation import Cause
from handrail.core.grade import Grade
from handrail.core.lifecycle import OPEN, State
from handrail.core.policy import Control, Guard, Limits
from handrail.core.proposal import Proposal
from handrail.engine.access.tasks import revoke_in
from handrail.engine.asking.escalate import open_for
from handrail.engine.base.context import GATEWAY, Context
from handrail.store.protocol import Tx

__all__ = ["Flood", "count_refusal", "same_again", "too_much_open"]

DENIED_MS: Final = 30 * 24 * 3_600_000
"""How long a denial of the same content is remembered."""
_OPEN: Final = "@open"
_QUEUE: Final = "@queue"
_REFUSED: Final = "@refused"
_SAME_MAX: Final = 50
_REFUSE: Final = Guard(control=Control.REFUSE)
_ASKS: Final = (Control.APPROVE, Control.MAKER_CHECKER)
_PASSING: Final = frozenset(
    code.value
    for code in (
        ReasonCode.HALTED,
        ReasonCode.OPEN_ALREADY,
        ReasonCode.TOO_MANY_OPEN,
        ReasonCode.QUEUE_FULL,
        ReasonCode.CAP_FULL,
    )
)
"""Refusals that say nothing against the action itself: it may well fit another time."""


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """What the flood control says: the decision, maybe now a refusal.

    `alarm` is what a person is to be told, None when they were told already or need not be.
    `same_as` is the open action that is the same, `denied` those that were denied.
    """

    decision: Decision
    alarm: tuple[Cause, str] | None = None
    same_as: str | None = None
    denied: tuple[Proposal, ...] = ()


def same_again(tx: Tx, limits: Limits, decision: Decision, *, desk: str, fingerprint: str) -> Flood:
    """Whether the same content is open already, or was denied too often; by anybody on the desk."""
    if decision.grade is Grade.G0 or (
        limits.same_action_open is None and limits.same_action_denied is None
    ):
        return Flood(decision=decision)
    same = tx.proposals.same(desk, fingerprint, most=_SAME_MAX)
    if not same:
        return Flood(decision=decision)
    is_open = [one for one in same if one.state in OPEN]
    since = tx.now - DENIED_MS
    denied = tuple(one for one in same if one.created_at > since and _is_denied(one))
    if limits.same_action_denied is not None and len(denied) >= limits.same_action_denied:
        text = f"the same was denied {len(denied)} times before, last as `{denied[0].id}`"
        alarm = (Cause.DENIED_AGAIN, f"it is tried again: {text}")
        first = len(denied) == limits.same_action_denied
        refused = _refused(decision, ReasonCode.DENIED_BEFORE, text)
        return Flood(decision=refused, alarm=alarm if first else None, denied=denied)
    if limits.same_action_open is not None and len(is_open) >= limits.same_action_open:
        text = f"the same is under way already as `{is_open[0].id}`"
        refused = _refused(decision, ReasonCode.OPEN_ALREADY, text)
        return Flood(decision=refused, same_as=is_open[0].id, denied=denied)
    return Flood(decision=decision, denied=denied)


def too_much_open(tx: Tx, limits: Limits, decision: Decision, *, desk: str, agent: str) -> Flood:
    """Whether what is about to stay open is more than the agent, or the queue, may have open."""
    control = decision.guard.control
    if control in (Control.REFUSE, Control.ESCALATE):
        return Flood(decision=decision)
    most = limits.open_per_agent
    if most is not None and _is_over(
        tx, desk, _OPEN, agent, tx.proposals.waiting_of(desk, agent, most=most), most
    ):
        text = "this agent has as much open as it may"
        return _stopped(tx, desk, (_OPEN, agent), decision, ReasonCode.TOO_MANY_OPEN, text)
    most = limits.waiting_per_desk
    if most is None or control not in _ASKS:
        return Flood(decision=decision)
    waiting = tx.counters.now(desk, f"state:{State.PENDING.value}")
    if _is_over(tx, desk, _QUEUE, "", waiting, most):
        text = "as much waits for people as may wait"
        return _stopped(tx, desk, (_QUEUE, ""), decision, ReasonCode.QUEUE_FULL, text)
    return Flood(decision=decision)


def count_refusal(tx: Tx, ctx: Context, limits: Limits, proposal: Proposal) -> None:
    """Count a refusal against its task; the last one that is answered ends the task."""
    most = limits.refused_per_task
    if most is None or tx.caps.count(proposal.desk, _REFUSED, proposal.task) != most:
        return
    revoke_in(tx, proposal.desk, proposal.task, by=GATEWAY)
    concern = "so much was refused in this task that it was ended"
    open_for(tx, ctx, proposal, concern, cause=Cause.DENIED_AGAIN)


def _is_denied(proposal: Proposal) -> bool:
    if proposal.state is State.REFUSED:
        return not _PASSING.intersection(proposal.reasons.split(","))
    return proposal.state is State.REJECTED


def _is_over(tx: Tx, desk: str, name: str, key: str, found: int, most: int) -> bool:
    """Whether there is no room; with a quarter of it free again, the next time is told anew."""
    if found * 4 <= most * 3:
        tx.caps.untrip(desk, name, key)
    return found >= most


def _stopped(
    tx: Tx, desk: str, place: tuple[str, str], decision: Decision, code: ReasonCode, text: str
) -> Flood:
    trips = tx.caps.trip(desk, *place, tx.now)
    alarm = (Cause.CAP, f"{text}: what comes on top is refused") if trips else None
    return Flood(decision=_refused(decision, code, text), alarm=alarm)


def _refused(decision: Decision, code: ReasonCode, text: str) -> Decision:
    reasons = (Reason(code=code, text=text), *decision.reasons)
    return msgspec.structs.replace(decision, guard=_REFUSE, reasons=reasons)
