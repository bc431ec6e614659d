"""Ask again: what was allowed has changed, so a person decides on it anew, and sees what changed.

The action keeps its id and its place; everything that a review binds is new: content under a new
nonce, digest, statement, reasons and deadline. What was decided on before stays sealed beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

import msgspec

from handrail.core.artifact import Fact, Line, digest_of, encode_artifact
from handrail.core.decide import Ask, Decision, Reason, ReasonCode
from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.lifecycle import Event, State
from handrail.core.policy import Control, Guard
from handrail.core.proposal import Proposal
from handrail.core.reason import codes_of
from handrail.core.urgency import rank_of, stake_of
from handrail.engine.asking.escalate import open_for
from handrail.engine.base.context import GATEWAY, Context
from handrail.engine.base.record import CONTENT, Content, Data, advance, content_of, statement_of
from handrail.engine.proposing.advice import told_of
from handrail.engine.proposing.prepare import Plan
from handrail.store.protocol import Tx

__all__ = [
    "ROUNDS_MAX",
    "Again",
    "Anew",
    "Change",
    "ask_again",
    "before_of",
    "changes_between",
    "expire",
    "first_of",
    "lines_between",
    "texts_of",
]

ROUNDS_MAX: Final = 3
"""How often one action is put to people anew. After that it expires, and a person looks at it."""

_NONCE_BYTES: Final = 16
_ASKS: Final = Guard(control=Control.APPROVE)


class Again(Enum):
    """Why an action that had been allowed is put to a person anew."""

    STALE = "stale"
    TARGET_CHANGED = "target_changed"
    CONNECTOR_CHANGED = "connector_changed"
    POLICY_TIGHTENED = "policy_tightened"
    APPROVAL_VOID = "approval_void"
    SUM_ROSE = "sum_rose"


_WHY: Final[dict[Again, str]] = {
    Again.STALE: "it was allowed, but a fact is not what it was then",
    Again.TARGET_CHANGED: "it was allowed, but what would be sent is not what was shown then",
    Again.CONNECTOR_CHANGED: "it was allowed, but what carries it out has changed since then",
    Again.POLICY_TIGHTENED: "it was allowed, but the policy has become stricter since then",
    Again.APPROVAL_VOID: "it was allowed by somebody who may no longer allow it",
    Again.SUM_ROSE: "it was allowed, but more has gone to this customer since then",
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs from what was decided on before; None where there was, or is, none."""

    label: str
    before: str | None
    now: str | None


class Anew(msgspec.Struct, frozen=True, kw_only=True):
    """An action as it was read and judged just now.

    `decision` is what the policy says now to `ask`, `earlier` what the customer was given before,
    `history` what happened before, as far as it is read anew.
    """

    plan: Plan
    decision: Decision
    ask: Ask
    earlier: int = 0
    history: tuple[Line, ...] = ()


def ask_again(
    tx: Tx, ctx: Context, proposal: Proposal, why: Again, anew: Anew | None = None
) -> Proposal:
    """Put a READY or HOLDING action before a person anew, in the running unit.

    Without `anew`, content stays as it is but for the nonce. The stricter of the decision then and
    now applies, and at least one person is asked. Only what has not been sent yet may change what
    it would send.

    An action that the policy now refuses or hands on, and one that was asked about `ROUNDS_MAX`
    times, expires instead and is escalated. The row is as its log says: call `check_unchanged`
    before.
    """
    guard = proposal.guard.at_least(_ASKS)
    if anew is not None:
        guard = guard.at_least(anew.decision.guard)
    if guard.control in (Control.REFUSE, Control.ESCALATE):
        return expire(tx, ctx, proposal, Again.POLICY_TIGHTENED.value, escalate=True)
    if proposal.rounds >= ROUNDS_MAX:
        return expire(tx, ctx, proposal, "asked_too_often", escalate=True)
    before = content_of(tx, proposal)
    content = _content(ctx, proposal, before, anew, why)
    tx.caps.void(proposal.desk, proposal.id, tx.now)
    _keep(tx, proposal, before, content)
    return _put_to_people(tx, ctx, proposal, content, why, _changes(proposal, guard, anew))


def _changes(proposal: Proposal, guard: Guard, anew: Anew | None) -> dict[str, object]:
    """What of the row follows from what was read and decided just now."""
    changes: dict[str, object] = {"control": guard.control, "checkers": guard.checkers}
    if anew is not None:
        plan, decision = anew.plan, anew.decision
        changes["connector"] = "" if plan.kind is None else plan.kind.connector
        changes["value_minor"] = None if plan.value is None else plan.value.minor
        changes["currency"] = None if plan.value is None else plan.value.currency
        changes["grade"] = max(proposal.grade, decision.grade)
        changes["told"] = told_of(decision)
        sum_now = anew.ask.accumulated
        changes["sum_minor"] = None if sum_now is None else sum_now.minor
    return changes


def _put_to_people(
    tx: Tx,
    ctx: Context,
    proposal: Proposal,
    content: Content,
    why: Again,
    anew: dict[str, object],
) -> Proposal:
    """Move it to PENDING under its new digest, statement, policy and deadline."""
    policy = ctx.rulebook(proposal.desk).policy
    digest = digest_of(content.artifact)
    stands = msgspec.structs.replace(proposal, **anew)
    stake = stake_of(policy, proposal.kind, stands.value, stands.grade)
    anew |= {
        "rank": rank_of(tx.now + policy.clocks.approval_ms, stake),
        "rounds": proposal.rounds + 1,
        "reasons": codes_of(content.reasons),
        "digest": digest,
        "statement": statement_of(content, digest, policy.digest, proposal.desk),
        "policy": policy.digest,
        "decide_by": tx.now + policy.clocks.approval_ms,
        "execute_by": None,
        "hold_until": None,
    }
    data: Data = {
        "why": why.value,
        "round": proposal.rounds + 1,
        "was": proposal.digest,
        "digest": digest,
        "policy": policy.digest,
    }
    return advance(
        tx,
        proposal,
        Event.ASK_AGAIN,
        Tag.ACTION_REOPENED,
        actor=GATEWAY,
        data=data,
        by_person=False,
        rows=None,
        **anew,
    )


def expire(
    tx: Tx, ctx: Context, proposal: Proposal, why: str, *, escalate: bool = False
) -> Proposal:
    """End a READY action that may not run any more; with `escalate` a person is told."""
    tx.caps.void(proposal.desk, proposal.id, tx.now)
    event = Event.RECALL if proposal.state is State.HOLDING else Event.EXPIRE
    tag = Tag.ACTION_WITHDRAWN if event is Event.RECALL else Tag.ACTION_EXPIRED
    expired = advance(tx, proposal, event, tag, actor=GATEWAY, data={"why": why})
    if why == "execution_expired" and ReasonCode.HALTED.value in proposal.reasons.split(","):
        concern = "this was allowed, and ran out of time while work was stopped"
        open_for(tx, ctx, expired, concern, cause=Cause.HALTED)
    elif escalate:
        open_for(tx, ctx, expired, _CONCERNS.get(why, _CONCERN), cause=Cause.EXPIRED)
    return expired


_CONCERN: Final = "this was allowed, and did not run: it is no longer possible as it was decided"
_CONCERNS: Final[dict[str, str]] = {
    "policy_tightened": "this was allowed, and did not run: the policy does not allow it any more",
    "asked_too_often": "this was allowed several times, and changed each time before it could run",
    "subject_unknown": "this was allowed, and did not run: what it is about is no longer there",
    "connector_refused": "this was allowed, and did not run: the system of record cannot take it",
    "key_expired": "this was tried, certainly not done, and is not tried again: the system of"
    " record may have forgotten that it was asked before",
    "target_changed": "this was allowed, and did not run: what it touches is someone else's now",
}


def before_of(tx: Tx, proposal: Proposal) -> Content | None:
    """What was decided on in the round before this one; None for what is in its first."""
    if not proposal.rounds:
        return None
    sealed = tx.vault.get(proposal.desk, proposal.id, _slot(proposal.rounds - 1))
    return None if sealed is None else msgspec.msgpack.decode(sealed, type=Content)


def first_of(tx: Tx, proposal: Proposal) -> Content:
    """What was decided on when it was proposed."""
    sealed = tx.vault.get(proposal.desk, proposal.id, _slot(0)) if proposal.rounds else None
    if sealed is None:
        return content_of(tx, proposal)
    return msgspec.msgpack.decode(sealed, type=Content)


def changes_between(before: Content, now: Content) -> tuple[Change, ...]:
    """What a person sees changed, in the order of what they are shown: lines, then facts."""
    facts = _differing(_values_of(before.facts), _values_of(now.facts))
    return (*lines_between(before, now), *facts)


def lines_between(before: Content, now: Content) -> tuple[Change, ...]:
    """What differs in the renderings of two actions, in the order of what is shown now."""
    return tuple(_differing(texts_of(before.lines), texts_of(now.lines)))


def _differing(before: dict[str, str | None], now: dict[str, str | None]) -> Iterable[Change]:
    for label in {**now, **before}:
        old, new = before.get(label), now.get(label)
        if old != new:
            yield Change(label=label, before=old, now=new)


def texts_of(lines: Iterable[Line]) -> dict[str, str | None]:
    """The rendering by label; a label that stands twice is counted on."""
    found: dict[str, str | None] = {}
    for line in lines:
        label, n = line.label, 1
        while label in found:
            n += 1
            label = f"{line.label} {n}"
        found[label] = line.text
    return found


def _values_of(facts: Iterable[Fact]) -> dict[str, str | None]:
    return {fact.name: _said(fact) for fact in facts}


def _said(fact: Fact) -> str | None:
    """A fact as a person reads it, with what it says against the action."""
    said = None if fact.value is None else str(fact.value)
    if isinstance(fact.value, bool):
        said = "yes" if fact.value else "no"
    if fact.against is None:
        return said
    return fact.against if said is None else f"{said}: {fact.against}"


def _slot(round: int) -> str:
    return f"{CONTENT}:{round}"


def _keep(tx: Tx, proposal: Proposal, before: Content, content: Content) -> None:
    """Seal the new content in the old one's place, and keep the old one beside it."""
    desk, id, subject = proposal.desk, proposal.id, proposal.subject
    old, new = msgspec.msgpack.encode(before), msgspec.msgpack.encode(content)
    tx.vault.put_new(desk, id, _slot(proposal.rounds), subject=subject, data=old)
    tx.vault.put(desk, id, CONTENT, subject=subject, data=new)


def _reasons(before: Content, decision: Decision | None, why: Again) -> tuple[Reason, ...]:
    """Why a person is asked: what changed, then what the policy says now.

    The agent's own claim is not asked for twice; it stays as it was.
    """
    said = before.reasons if decision is None else decision.reasons
    kept = () if decision is None else before.reasons
    claimed = tuple(one for one in kept if one.code is ReasonCode.CLAIMED_GRADE)
    rest = tuple(
        one for one in said if one.code not in (ReasonCode.ASKED_AGAIN, ReasonCode.CAP_FULL)
    )
    return (Reason(code=ReasonCode.ASKED_AGAIN, text=_WHY[why]), *rest, *claimed)


def _content(
    ctx: Context, proposal: Proposal, before: Content, anew: Anew | None, why: Again
) -> Content:
    stored = msgspec.json.decode(before.artifact)
    plan = None if anew is None else anew.plan
    kind = None if plan is None else plan.kind
    nonce = ctx.entropy(_NONCE_BYTES).hex()
    artifact = encode_artifact(
        desk=proposal.desk,
        proposal=proposal.id,
        nonce=nonce,
        kind=proposal.kind,
        connector=stored["connector"] if kind is None else kind.connector,
        connector_version=stored["connector_version"] if plan is None else plan.version,
        customer=stored["customer"],
        params=stored["params"],
        request=stored["request"] if plan is None else plan.prepared.request,
    )
    reasons = _reasons(before, None if anew is None else anew.decision, why)
    content = msgspec.structs.replace(before, artifact=artifact, nonce=nonce, reasons=reasons)
    if anew is None:
        return content
    return msgspec.structs.replace(
        content,
        facts=anew.plan.prepared.facts,
        lines=anew.plan.lines,
        history=anew.history or before.history,
        failed=anew.decision.failed,
        ask=anew.ask,
        earlier=anew.earlier,
        spans=anew.plan.spans,
    )
