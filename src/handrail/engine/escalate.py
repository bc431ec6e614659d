"""Escalate: hand off to a person, always allowed."""

from __future__ import annotations

from typing import Final

from handrail.core.canonical import check_plain
from handrail.core.entry import Entry, Tag, row_commitment
from handrail.core.lifecycle import Event, State
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.context import GATEWAY, Context, new_id
from handrail.engine.record import advance, check_unchanged, sealing_subject
from handrail.errors import Conflict, InvalidInput, NotFound
from handrail.store.protocol import DESK_SUBJECT, Escalation, Tx, Unit

__all__ = ["CONCERN", "close_unit", "escalate_unit", "open_for"]

CONCERN: Final = "concern"
CONCERN_CHARS_MAX: Final = 20_000
DUE_MS: Final = 4 * 3_600_000


def escalate_unit(
    ctx: Context, task: Task, *, actor: str, concern: str, proposal: str | None = None
) -> Unit[Escalation]:
    """The unit that hands a task, or one action of it, to a person. It never needs a permission."""
    check_plain(concern)
    if not concern.strip():
        raise InvalidInput("reason_missing", "say in a few words what a person should look at")
    if len(concern) > CONCERN_CHARS_MAX:
        raise InvalidInput("too_large", f"`concern` is longer than {CONCERN_CHARS_MAX} characters")

    def unit(tx: Tx) -> Escalation:
        if proposal is None:
            subject = (
                task.customers[0]
                if task.customers
                else tx.vault.ref_of(task.desk, DESK_SUBJECT, tx.now)
            )
            return _opened(tx, ctx, task.desk, task.id, task.agent, actor, None, subject, concern)
        found = tx.proposals.get(task.desk, proposal)
        if found is None or found.task != task.id:
            raise NotFound("proposal_not_found", f"there is no action `{proposal}` in this task")
        if found.state is State.PENDING:
            check_unchanged(tx, found)
            found = advance(tx, found, Event.ESCALATE, Tag.ACTION_ESCALATED, actor=actor)
        return open_for(tx, ctx, found, concern, actor=actor)

    return unit


def open_for(
    tx: Tx, ctx: Context, proposal: Proposal, concern: str, *, actor: str = GATEWAY
) -> Escalation:
    """Open an escalation about one action, inside a running unit."""
    return _opened(
        tx,
        ctx,
        proposal.desk,
        proposal.task,
        proposal.agent,
        actor,
        proposal.id,
        proposal.subject,
        concern,
    )


def close_unit(desk: str, id: str, *, person: str) -> Unit[Escalation]:
    """The unit by which a person says that an escalation is dealt with."""

    def unit(tx: Tx) -> Escalation:
        if not tx.escalations.close(desk, id, by=person, at=tx.now):
            if tx.escalations.get(desk, id) is None:
                raise NotFound("proposal_not_found", f"there is no escalation `{id}`")
            raise Conflict("not_pending", "somebody has closed this already")
        closed = tx.escalations.get(desk, id)
        assert closed is not None
        _note_escalation(tx, closed, Tag.ESCALATION_CLOSED, person, by_person=True)
        tx.counters.add(desk, "escalations", -1)
        return closed

    return unit


def _opened(
    tx: Tx,
    ctx: Context,
    desk: str,
    task: str,
    agent: str,
    actor: str,
    proposal: str | None,
    subject: str,
    concern: str,
) -> Escalation:
    escalation = Escalation(
        desk=desk,
        id=new_id("es", tx.now, ctx.entropy),
        task=task,
        agent=agent,
        proposal=proposal,
        subject=subject,
        opened_at=tx.now,
        due_at=tx.now + DUE_MS,
    )
    tx.escalations.add(escalation)
    sealed_for = sealing_subject(tx, desk, subject)
    tx.vault.put(desk, escalation.id, CONCERN, subject=sealed_for, data=concern.encode())
    tx.counters.add(desk, "escalations")
    _note_escalation(tx, escalation, Tag.ESCALATION_OPENED, actor)
    return escalation


def _note_escalation(
    tx: Tx, escalation: Escalation, tag: Tag, actor: str, *, by_person: bool = False
) -> None:
    tx.log.append(
        Entry(
            at=tx.now,
            desk=escalation.desk,
            tag=tag.value,
            actor=actor,
            task=escalation.task,
            proposal=escalation.proposal,
            subject=escalation.subject,
            data={"escalation": escalation.id, "due_at": escalation.due_at},
            rows={f"escalation:{escalation.id}": row_commitment(escalation)},
        ),
        by_person=by_person,
    )
