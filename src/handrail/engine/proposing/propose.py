"""Propose: from an agent's call to a durable decision.

What `prepare` read is decided and written in one transaction: proposal, content, reservation,
entry, and the first attempt when the action may run now.
"""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.artifact import digest_of, encode_artifact
from handrail.core.caps import WhenFull
from handrail.core.decide import PRECEDENCE, Ask, Decision, Reason, ReasonCode
from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.grade import Grade
from handrail.core.halt import ActiveHalts
from handrail.core.lifecycle import Event, State, after
from handrail.core.policy import Control, Guard
from handrail.core.proposal import Proposal
from handrail.core.reason import codes_of
from handrail.core.task import Task
from handrail.core.urgency import rank_of, stake_of
from handrail.engine.access.tasks import check_task
from handrail.engine.asking.escalate import open_for
from handrail.engine.asking.quorum import staffed, tell_nobody_can
from handrail.engine.base.context import Context, new_id
from handrail.engine.base.record import CONTENT, Content, Data, note_down, statement_of
from handrail.engine.governing.desks import follow_policy
from handrail.engine.proposing.accumulate import Accrued, accrued_of
from handrail.engine.proposing.advice import told_of
from handrail.engine.proposing.background import before_of_plan
from handrail.engine.proposing.bunch import note_amount
from handrail.engine.proposing.flood import Flood, count_refusal, same_again, too_much_open
from handrail.engine.proposing.prepare import Draft, Plan, ask_of, prepare
from handrail.engine.proposing.shadow import compare
from handrail.engine.running.ceilings import deed_of, reserve, tell_of_trip
from handrail.engine.running.execute import Job, intend, job_of
from handrail.errors import Conflict, Unavailable
from handrail.store.protocol import DESK_SUBJECT, Full, KeyedUnit, Tx, Unit

__all__ = ["Decided", "decide_unit", "plan"]

_NONCE_BYTES: Final = 16


_EVENTS: Final = {
    Control.RUN_AND_LOG: Event.RUN,
    Control.RUN_AND_NOTIFY: Event.RUN,
    Control.HOLD_AND_RECALL: Event.HOLD,
    Control.APPROVE: Event.ASK,
    Control.MAKER_CHECKER: Event.ASK,
    Control.ESCALATE: Event.ESCALATE,
    Control.REFUSE: Event.REFUSE,
}


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The durable answer: the proposal, whether this call made it, and the job if it runs now."""

    proposal: Proposal
    fresh: bool
    job: Job | None = None


class _Ruling(msgspec.Struct, frozen=True, kw_only=True):
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


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the transaction itself adds to a plan."""

    id: str
    subject: str
    fingerprint: str
    now: int
    accrued: Accrued | None


def plan(ctx: Context, task: Task, draft: Draft) -> Unit[Decided]:
    """Prepare the action and return the unit that decides and records it.

    Raises InvalidInput by field, `subject_unknown` or `connector_refused` from the system of
    record, and Unavailable `connector_unavailable` when it does not answer.
    """
    return decide_unit(prepare(ctx, task, draft))


def decide_unit(ready: Plan) -> Unit[Decided]:
    """The unit that decides and records what was prepared."""

    def decide(tx: Tx) -> Decided:
        return _decide_and_record(tx, ready)

    key = ready.draft.key
    return decide if key is None else KeyedUnit((ready.task.desk, ready.draft.maker, key), decide)


def _decide_and_record(tx: Tx, ready: Plan) -> Decided:
    task, draft = ready.task, ready.draft
    desk = task.desk
    fingerprint = tx.vault.fingerprint_of(ready.request)
    if draft.key is not None:
        known = tx.proposals.by_key(desk, draft.maker, draft.key)
        if known is not None:
            return _same_again(known, fingerprint)
    if draft.maker == task.agent and draft.editor is None:  # a person needs no task
        check_task(tx, task)
    _check_rules(tx, ready)
    customer = ready.prepared.customer
    subject = tx.vault.ref_of(desk, DESK_SUBJECT if customer is None else customer, tx.now)
    found = _Found(
        id=new_id("hr", tx.now, ready.ctx.entropy),
        subject=subject,
        fingerprint=fingerprint,
        now=tx.now,
        accrued=accrued_of(tx, ready, subject),
    )
    ask = _asked(tx, ready, found)
    ruling = _ruling(tx, ready, _decision(ready, ask), found)
    content = _content(tx, ready, ruling, found, ask)
    proposal, short = _built(ready, ruling, found, content, ask), 0
    if proposal.state is State.PENDING and proposal.control is Control.MAKER_CHECKER:
        proposal, short = staffed(ready.ctx, tx, proposal, content)
    runs = proposal.state is State.READY and ruling.reserved
    intent = intend(ready.ctx, proposal, tx.now) if runs else None
    stands = proposal if intent is None else intent.proposal
    _write(tx, stands, content)
    if ready.ctx.shadows and not _is_halted(ruling.decision):
        accrued = found.accrued
        compare(tx, ready, stands, subject, None if accrued is None else accrued.sums)
    note_amount(tx, ready)
    # INVARIANT: the intent is durable before anything leaves. One entry says both, what was decided
    # and that the first attempt is about to be made.
    note_down(
        tx,
        stands,
        Tag.ACTION_PROPOSED,
        actor=draft.editor or draft.maker,
        data={**_summary(stands), **({} if intent is None else intent.data)},
        by_person=draft.maker != task.agent or draft.editor is not None,
    )
    if intent is not None:
        return Decided(proposal=stands, fresh=True, job=job_of(intent, content.artifact))
    _tell(tx, ready, proposal, ruling)
    if short:
        tell_nobody_can(tx, ready.ctx, proposal, short)
    return Decided(proposal=proposal, fresh=True)


def _asked(tx: Tx, ready: Plan, found: _Found) -> Ask:
    """What is decided on: what was prepared, the sums, and whether a halt stops it."""
    sums = None if found.accrued is None else found.accrued.sums
    ask = ask_of(tx, ready, found.subject, sums)
    halts = tx.halts.active(ready.task.desk)
    if halts and _stopped(halts, ready, found.subject):
        return msgspec.structs.replace(ask, halted=True)
    return ask


def _decision(ready: Plan, ask: Ask) -> Decision:
    """What the policy says; an edit gets at least what it takes the place of had."""
    decision = ready.rules.decider.decide(ask)
    replaced = ready.draft.replaces
    return decision if replaced is None else _at_least(decision, replaced)


def _tell(tx: Tx, ready: Plan, proposal: Proposal, ruling: _Ruling) -> None:
    """Hand to a person what a person is to be told, once."""
    if ruling.full is not None:
        tell_of_trip(tx, ready.ctx, proposal, ruling.full)
    if ruling.alarm is not None:
        cause, concern = ruling.alarm
        open_for(tx, ready.ctx, proposal, concern, cause=cause)
    if any(one.code is ReasonCode.EVALUATION_FAILED for one in ruling.decision.reasons):
        concern = "the policy could not be evaluated for this, so the strictest control applies"
        open_for(tx, ready.ctx, proposal, concern, cause=Cause.POLICY_ERROR)
    if proposal.state is State.ESCALATED:
        open_for(tx, ready.ctx, proposal, "the policy hands this to a person")
    refused = proposal.state is State.REFUSED and not _is_halted(ruling.decision)
    if refused and ready.draft.maker == ready.task.agent and ready.draft.editor is None:
        count_refusal(tx, ready.ctx, ready.rules.policy.limits, proposal)


def _at_least(decision: Decision, replaced: Proposal) -> Decision:
    """What an edit gets: never less than what it takes the place of was given."""
    text = "a person changed it; at least the guard of what it replaces applies"
    reasons = (Reason(code=ReasonCode.EDITED, text=text), *decision.reasons)
    return msgspec.structs.replace(
        decision,
        guard=decision.guard.at_least(replaced.guard),
        grade=max(decision.grade, replaced.grade),
        reasons=tuple(sorted(reasons, key=lambda reason: PRECEDENCE[reason.code])),
    )


def _write(tx: Tx, proposal: Proposal, content: Content) -> None:
    tx.proposals.add(proposal)
    data = msgspec.msgpack.encode(content)
    tx.vault.put_new(proposal.desk, proposal.id, CONTENT, subject=proposal.subject, data=data)
    tx.counters.add(proposal.desk, f"state:{proposal.state.value}")
    tx.counters.add(proposal.desk, f"control:{proposal.control.value}")
    if proposal.state is State.REFUSED:
        tx.counters.add(proposal.desk, f"refused:{proposal.reasons.partition(',')[0]}")


def _same_again(known: Proposal, fingerprint: str) -> Decided:
    """Same key, same content: same answer. Same key, other content: conflict."""
    if known.fingerprint != fingerprint:
        raise Conflict(
            "idempotency_conflict", f"the key was used for `{known.id}` with different content"
        )
    return Decided(proposal=known, fresh=False)


def _check_rules(tx: Tx, ready: Plan) -> None:
    """What was read and typed under another policy is not decided under this one."""
    desk = ready.task.desk
    follow_policy(tx, ready.ctx, desk)
    if tx.active and ready.rules.policy.digest != tx.active.get(desk):
        raise Unavailable("policy_moved", "the policy changed just now; nothing was done")


def _stopped(halts: ActiveHalts, ready: Plan, subject: str) -> bool:
    draft, task = ready.draft, ready.task.id
    found = halts.over(agent=draft.maker, kind=draft.kind, task=task, customers=(subject,))
    return found is not None


def _is_halted(decision: Decision) -> bool:
    return decision.reasons[0].code is ReasonCode.HALTED


def _ruling(tx: Tx, ready: Plan, decision: Decision, found: _Found) -> _Ruling:
    """The decision after the same content elsewhere, the caps, and how much is open."""
    if _is_halted(decision):
        return _Ruling(decision=decision)
    desk, limits = ready.task.desk, ready.rules.policy.limits
    draft = ready.draft
    agents = draft.maker == ready.task.agent and draft.undoes is None and draft.editor is None
    before = Flood(decision=decision)
    if agents:
        before = same_again(tx, limits, decision, desk=desk, fingerprint=found.fingerprint)
    ruling = _reserve(tx, ready, before.decision, found)
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


def _reserve(tx: Tx, ready: Plan, decision: Decision, found: _Found) -> _Ruling:
    """Take the caps of an action that may run now; a full cap refuses it or lets it wait."""
    control = decision.guard.control
    if control not in (Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY):
        return _Ruling(decision=decision)
    desk, draft, rules = ready.task.desk, ready.draft, ready.rules
    if ready.kind is not None and not ready.ctx.may_send(ready.kind.connector, tx.now):
        return _Ruling(decision=decision)
    deed = deed_of(
        tx,
        rules,
        desk=desk,
        task=ready.task.id,
        kind=draft.kind,
        value=ready.value,
        agent=draft.maker,
        customer=found.subject,
    )
    more = () if found.accrued is None else found.accrued.charges
    full = reserve(tx, rules, desk, found.id, deed, more)
    if full is None:
        return _Ruling(decision=decision, reserved=True)
    rule = full.charge.rule
    reason = Reason(code=ReasonCode.CAP_FULL, text=f"the cap `{rule.name}` is full")
    guard = decision.guard
    if rule.when_full is WhenFull.REFUSE:
        guard = Guard(control=Control.REFUSE)
    reasons = (reason, *decision.reasons)
    return _Ruling(
        decision=msgspec.structs.replace(decision, guard=guard, reasons=reasons), full=full
    )


def _content(tx: Tx, ready: Plan, ruling: _Ruling, found: _Found, ask: Ask) -> Content:
    """The artifact under a fresh nonce, and what is sealed with it."""
    nonce = ready.ctx.entropy(_NONCE_BYTES).hex()
    artifact = encode_artifact(
        desk=ready.task.desk,
        proposal=found.id,
        nonce=nonce,
        kind=ready.draft.kind,
        connector="" if ready.kind is None else ready.kind.connector,
        connector_version=ready.version,
        customer=ready.prepared.customer,
        params=ready.params,
        request=ready.prepared.request,
    )
    return Content(
        artifact=artifact,
        nonce=nonce,
        facts=ready.prepared.facts,
        lines=ready.lines,
        reasons=ruling.decision.reasons,
        note=ready.draft.note,
        failed=ruling.decision.failed,
        ask=ask,
        earlier=0 if found.accrued is None else found.accrued.sums.earlier,
        history=before_of_plan(
            tx, ready, found.subject, ruling.decision, ruling.denied, found.accrued
        ),
        instrument=None if found.accrued is None else found.accrued.instrument,
        spans=ready.spans,
    )


def _built(ready: Plan, ruling: _Ruling, found: _Found, content: Content, ask: Ask) -> Proposal:
    decision = ruling.decision
    task, draft, value = ready.task, ready.draft, ready.value
    policy = ready.rules.policy
    state = after(State.PROPOSED, _EVENTS[decision.guard.control])
    digest = digest_of(content.artifact)
    asked = state is State.PENDING
    clocks, now = policy.clocks, found.now
    return Proposal(
        desk=task.desk,
        id=found.id,
        task=task.id,
        agent=draft.maker,
        kind=draft.kind,
        connector="" if ready.kind is None else ready.kind.connector,
        state=state,
        version=1,
        grade=decision.grade,
        control=decision.guard.control,
        checkers=decision.guard.checkers,
        reasons=codes_of(decision.reasons),
        value_minor=None if value is None else value.minor,
        currency=None if value is None else value.currency,
        subject=found.subject,
        key=draft.key if draft.key is not None else found.id,
        fingerprint=found.fingerprint,
        digest=digest,
        statement=statement_of(content, digest, policy.digest, task.desk) if asked else "",
        policy=policy.digest,
        editor=None if draft.lowers and decision.grade <= Grade.G2 else draft.editor,
        undoes=draft.undoes,
        same_as=ruling.same_as,
        told=told_of(decision),
        sum_minor=None if ask.accumulated is None else ask.accumulated.minor,
        supersedes=None if draft.replaces is None else draft.replaces.id,
        created_at=now,
        updated_at=now,
        decide_by=now + clocks.approval_ms if asked else None,
        rank=rank_of(now + clocks.approval_ms, stake_of(policy, draft.kind, value, decision.grade))
        if asked
        else None,
        hold_until=now + clocks.recall_ms if state is State.HOLDING else None,
        execute_by=now + clocks.execution_ms if state is State.READY else None,
    )


def _summary(proposal: Proposal) -> Data:
    return {
        "state": proposal.state.value,
        "kind": proposal.kind,
        "grade": int(proposal.grade),
        "control": proposal.control.value,
        "checkers": proposal.checkers,
        "reasons": proposal.reasons,
        "value_minor": proposal.value_minor,
        "currency": proposal.currency,
        "digest": proposal.digest,
        "policy": proposal.policy,
        "undoes": proposal.undoes,
        **({} if proposal.sum_minor is None else {"sum_minor": proposal.sum_minor}),
        **({} if proposal.supersedes is None else {"supersedes": proposal.supersedes}),
        **({"people": proposal.assigned} if proposal.assigned else {}),
    }
