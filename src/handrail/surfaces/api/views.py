"""From stored rows to answers: what this caller may see of a thing."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.attention import Look
from handrail.core.ground import TOLD
from handrail.core.halt import Halt, HaltScope
from handrail.core.lifecycle import FINAL, State
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict, counted
from handrail.core.task import Task
from handrail.engine.asking.escalate import CONCERN
from handrail.engine.base.context import Context
from handrail.engine.base.record import RESULT
from handrail.engine.governing.halt import HALT_REASON, why_no_lift
from handrail.engine.proposing.advice import advice_of
from handrail.engine.proposing.undo import undo_is_late, why_no_undo
from handrail.engine.running.execute import Job
from handrail.engine.showing.handoff import HandOff
from handrail.engine.showing.show import Card, Shown
from handrail.errors import Unavailable
from handrail.store.protocol import Escalation, LoggedEntry, Tx
from handrail.surfaces.api.answers import (
    ActionView,
    CardView,
    DetailView,
    EscalationView,
    HaltView,
    HandOffView,
    LogEntryView,
    MessageView,
    ReviewedView,
    ReviewView,
    TaskView,
)

__all__ = [
    "action_view",
    "card_view",
    "detail_view",
    "entry_view",
    "escalation_view",
    "halt_view",
    "hand_off_view",
    "reviewed_view",
    "task_view",
]

_ANSWERED: Final = (State.SUCCEEDED, State.FAILED)
_TO_THE_AGENT: Final = (Verdict.REJECT, Verdict.REQUEST_CHANGES)


def action_view(ctx: Context, proposal: Proposal, job: Job | None = None) -> ActionView:
    """An action as its agent may see it; with the permit when it is the agent's to run."""
    result = reviewer = None
    can_undo = False
    if proposal.state in _ANSWERED:
        data = ctx.store.read(lambda tx: _opened(tx, proposal.desk, proposal.id, RESULT))
        result = None if data is None else msgspec.json.decode(data, type=dict[str, object])
        now = ctx.clock()
        can_undo = why_no_undo(ctx, proposal, now) is None and not undo_is_late(proposal, now)
    elif proposal.state is State.REJECTED:
        reviewer = ctx.store.read(lambda tx: _said(tx, proposal))
    permitted = job is not None and job.permit is not None
    return ActionView(
        id=proposal.id,
        kind=proposal.kind,
        state=proposal.state,
        control=proposal.control,
        says=advice_of(proposal),
        final=proposal.state in FINAL,
        result=result,
        permit=job.permit if job is not None else None,
        params=job.params if job is not None and permitted else None,
        undo_of=proposal.undoes,
        can_undo=can_undo,
        says_reviewer=reviewer,
        supersedes=proposal.supersedes,
        superseded_by=proposal.superseded_by,
    )


def reviewed_view(ctx: Context, proposal: Proposal) -> ReviewedView:
    """An action after a person's verdict."""
    reviews = ctx.store.read(lambda tx: tx.proposals.reviews(proposal.desk, proposal.id))
    fields = msgspec.structs.asdict(action_view(ctx, proposal))
    return ReviewedView(
        **fields,
        reviews_needed=max(1, proposal.checkers),
        reviews_given=sum(
            1
            for review in counted(reviews)
            if review.verdict is Verdict.APPROVE and review.statement == proposal.statement
        ),
    )


def task_view(task: Task) -> TaskView:
    """A task without its customers and token."""
    return TaskView(
        id=task.id,
        lane=task.lane,
        ticket=task.ticket,
        agent=task.agent,
        created_at=task.created_at,
        expires_at=task.expires_at,
        revoked_at=task.revoked_at,
    )


def card_view(card: Card) -> CardView:
    """A row of the queue."""
    proposal = card.proposal
    value, waits = proposal.value, proposal.state is State.PENDING
    return CardView(
        id=proposal.id,
        kind=proposal.kind,
        title=card.title,
        headline=card.headline,
        customer=card.customer,
        state=proposal.state,
        grade=int(proposal.grade),
        control=proposal.control,
        checkers=proposal.checkers,
        value=None if value is None else value.text(),
        agent=proposal.agent,
        task=proposal.task,
        created_at=proposal.created_at,
        # While it waits, when it last changed would tell a checker that another one has spoken.
        updated_at=proposal.created_at if waits else proposal.updated_at,
        decide_by=proposal.decide_by,
        hold_until=proposal.hold_until,
    )


def detail_view(
    shown: Shown, escalations: list[EscalationView], look: Look | None = None
) -> DetailView:
    """One action's page, as data; `look` is that it was shown to this person now."""
    return DetailView(
        card=card_view(shown.card),
        digest=shown.card.proposal.statement,
        approve_from=None if look is None else look.first_at + look.dwell_ms,
        lines=shown.lines,
        history=shown.history,
        facts=shown.facts,
        changed=shown.changed,
        reasons=shown.reasons,
        failed=shown.failed,
        found=shown.found,
        artifact=shown.artifact,
        note=shown.note,
        pressure=shown.pressure,
        makers=shown.makers,
        result=shown.result,
        reviews=[
            ReviewView(
                person=given.review.person,
                name=given.name,
                verdict=given.review.verdict,
                reason=given.reason,
                at=given.review.at,
                ground=given.review.ground,
            )
            for given in shown.reviews
        ],
        escalations=escalations,
        entries=[entry_view(logged) for logged in shown.entries],
        witnesses=shown.witnesses,
        why_not=shown.why_not,
        why_nobody=shown.why_nobody,
        retype=None if shown.retype is None else shown.retype.what,
        editable=shown.editable,
        why_no_undo=shown.why_no_undo,
        why_not_testify=shown.why_not_testify,
    )


def escalation_view(tx: Tx, escalation: Escalation) -> EscalationView:
    """A hand-off with what was said."""
    concern = _opened(tx, escalation.desk, escalation.id, CONCERN)
    return EscalationView(
        id=escalation.id,
        task=escalation.task,
        agent=escalation.agent,
        action=escalation.proposal,
        concern=None if concern is None else concern.decode(),
        cause=escalation.cause,
        opened_at=escalation.opened_at,
        due_at=escalation.due_at,
        overdue=escalation.closed_at is None and tx.now >= escalation.due_at,
        owner=escalation.owner,
        taken_at=escalation.taken_at,
        said=escalation.said,
        closed_at=escalation.closed_at,
        closed_by=escalation.closed_by,
    )


def halt_view(tx: Tx, halt: Halt, viewer: Principal | None) -> HaltView:
    """A halt as people see it: a customer by their own id again."""
    target: str | None = halt.target
    if halt.scope is HaltScope.CUSTOMER:
        try:
            target = tx.vault.customer_of(halt.desk, halt.target)
        except Unavailable:
            target = None
    reason = _opened(tx, halt.desk, halt.id, HALT_REASON)
    refusal = why_no_lift(tx, halt, viewer) if halt.active else None
    return HaltView(
        id=halt.id,
        scope=halt.scope,
        target=target,
        reason=None if reason is None else reason.decode(),
        pulled_by=halt.pulled_by,
        pulled_at=halt.pulled_at,
        lifted_by=halt.lifted_by,
        lifted_at=halt.lifted_at,
        why_no_lift=None if refusal is None else refusal[1],
    )


def hand_off_view(tx: Tx, found: HandOff) -> HandOffView:
    """A hand-off in full, as data."""
    messages = found.conversation
    return HandOffView(
        escalation=escalation_view(tx, found.escalation),
        said=list(found.said),
        ticket=found.ticket,
        customer=found.customer,
        about=None if found.about is None else card_view(found.about),
        ran=[card_view(card) for card in found.ran],
        waits=[card_view(card) for card in found.waits],
        ended=[card_view(card) for card in found.ended],
        facts=found.facts,
        conversation=None
        if messages is None
        else [MessageView(**msgspec.structs.asdict(one)) for one in messages],
    )


def entry_view(logged: LoggedEntry) -> LogEntryView:
    """An entry of the log."""
    return LogEntryView(index=logged.index, leaf=logged.leaf, entry=logged.entry)


def _said(tx: Tx, proposal: Proposal) -> str | None:
    """What a person has for the agent when they said no: the ground, and what they wrote."""
    for review in tx.proposals.reviews(proposal.desk, proposal.id):
        if review.verdict in _TO_THE_AGENT:
            data = _opened(tx, proposal.desk, proposal.id, f"review:{review.n}")
            ground = None if review.ground is None else TOLD.get(review.ground)
            words = None if data is None else data.decode()
            return " ".join(one for one in (ground, words) if one) or None
    return None


def _opened(tx: Tx, desk: str, id: str, slot: str) -> bytes | None:
    """Sealed content; None also when its customer was erased."""
    try:
        return tx.vault.get(desk, id, slot)
    except Unavailable as error:
        if error.code != "content_erased":
            raise
        return None
