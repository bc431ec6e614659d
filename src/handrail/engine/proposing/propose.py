"""Propose: from an agent's call to a durable decision.

What `prepare` read is decided and written in one transaction: proposal, content, reservation,
entry, and the first attempt when the action may run now.
"""

from __future__ import annotations

import msgspec

from handrail.core.decide import Ask, Decision, ReasonCode
from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.halt import ActiveHalts
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.access.tasks import check_task
from handrail.engine.asking.escalate import open_for
from handrail.engine.asking.quorum import staffed, tell_nobody_can
from handrail.engine.base.context import Context, new_id
from handrail.engine.base.record import CONTENT, Content, note_down
from handrail.engine.governing.desks import follow_policy
from handrail.engine.proposing.accumulate import accrued_of
from handrail.engine.proposing.bunch import note_amount
from handrail.engine.proposing.flood import count_refusal
from handrail.engine.proposing.prepare import Draft, Plan, ask_of, prepare
from handrail.engine.proposing.ruling import Footing, Ruling, at_least, is_halted, ruling_on
from handrail.engine.proposing.shadow import compare
from handrail.engine.proposing.written import content_of_plan, proposal_of_plan, summary_of
from handrail.engine.running.ceilings import tell_of_trip
from handrail.engine.running.execute import Job, intend, job_of
from handrail.errors import Conflict, Unavailable
from handrail.store.protocol import DESK_SUBJECT, KeyedUnit, Tx, Unit

__all__ = ["Decided", "decide_unit", "plan"]


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The durable answer: the proposal, whether this call made it, and the job if it runs now."""

    proposal: Proposal
    fresh: bool
    job: Job | None = None


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
    found = Footing(
        id=new_id("hr", tx.now, ready.ctx.entropy),
        subject=subject,
        fingerprint=fingerprint,
        now=tx.now,
        accrued=accrued_of(tx, ready, subject),
    )
    ask = _asked(tx, ready, found)
    ruling = ruling_on(tx, ready, _decision(ready, ask), found)
    content = content_of_plan(tx, ready, ruling, found, ask)
    proposal, short = proposal_of_plan(ready, ruling, found, content, ask), 0
    if proposal.state is State.PENDING and proposal.control is Control.MAKER_CHECKER:
        proposal, short = staffed(ready.ctx, tx, proposal, content)
    runs = proposal.state is State.READY and ruling.reserved
    intent = intend(ready.ctx, proposal, tx.now) if runs else None
    stands = proposal if intent is None else intent.proposal
    _write(tx, stands, content)
    if ready.ctx.shadows and not is_halted(ruling.decision):
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
        data={**summary_of(stands), **({} if intent is None else intent.data)},
        by_person=draft.maker != task.agent or draft.editor is not None,
    )
    if intent is not None:
        return Decided(proposal=stands, fresh=True, job=job_of(intent, content.artifact))
    _tell(tx, ready, proposal, ruling)
    if short:
        tell_nobody_can(tx, ready.ctx, proposal, short)
    return Decided(proposal=proposal, fresh=True)


def _asked(tx: Tx, ready: Plan, found: Footing) -> Ask:
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
    return decision if replaced is None else at_least(decision, replaced)


def _tell(tx: Tx, ready: Plan, proposal: Proposal, ruling: Ruling) -> None:
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
    refused = proposal.state is State.REFUSED and not is_halted(ruling.decision)
    if refused and ready.draft.maker == ready.task.agent and ready.draft.editor is None:
        count_refusal(tx, ready.ctx, ready.rules.policy.limits, proposal)


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
