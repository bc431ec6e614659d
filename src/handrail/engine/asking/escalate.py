"""Escalate: hand off to a person, always allowed.

At most one hand-off per task, action and cause is open at a time: whoever says it again is given
the open one, and what they say is added to it, up to `CONCERNS_MAX` times.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from handrail.core.canonical import check_plain
from handrail.core.entry import Entry, Tag, row_commitment
from handrail.core.escalation import Cause
from handrail.core.lifecycle import Event, State
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.base.context import GATEWAY, Context, new_id
from handrail.engine.base.record import advance, check_unchanged, sealing_subject
from handrail.errors import Conflict, InvalidInput, NotFound, Tampered, Unavailable
from handrail.store.protocol import DESK_SUBJECT, Escalation, Tx, Unit

__all__ = [
    "CONCERN",
    "CONCERNS_MAX",
    "close_unit",
    "concerns_of",
    "escalate_unit",
    "lapse_unit",
    "open_for",
    "open_for_desk",
    "take_unit",
    "tell_tampered",
    "telling",
]

CONCERN: Final = "concern"
CONCERN_CHARS_MAX: Final = 20_000
CONCERNS_MAX: Final = 10
DUE_MS: Final = 4 * 3_600_000
_TAMPERED: Final = (
    "somebody changed the record of this action in the database; it is left as it is and never"
    " runs. `handrail log verify` names what was changed: find out who could do that, and stop them"
)


class _Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What a hand-off is about."""

    desk: str
    task: str
    agent: str
    proposal: str | None
    subject: str


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
            return _opened(tx, ctx, _whole_task(tx, task), concern, actor=actor, cause=Cause.AGENT)
        found = tx.proposals.get(task.desk, proposal)
        if found is None or found.task != task.id:
            raise NotFound("proposal_not_found", f"there is no action `{proposal}` in this task")
        if found.state is State.PENDING:
            check_unchanged(tx, found)
            found = advance(tx, found, Event.ESCALATE, Tag.ACTION_ESCALATED, actor=actor)
        return open_for(tx, ctx, found, concern, actor=actor, cause=Cause.AGENT)

    return unit


def open_for(
    tx: Tx,
    ctx: Context,
    proposal: Proposal,
    concern: str,
    *,
    actor: str = GATEWAY,
    cause: Cause = Cause.POLICY,
) -> Escalation:
    """Open an escalation about one action, inside a running unit; the open one, if there is one."""
    matter = _Matter(
        desk=proposal.desk,
        task=proposal.task,
        agent=proposal.agent,
        proposal=proposal.id,
        subject=proposal.subject,
    )
    return _opened(tx, ctx, matter, concern, actor=actor, cause=cause)


def open_for_desk(
    tx: Tx, ctx: Context, desk: str, concern: str, *, actor: str = GATEWAY, cause: Cause
) -> Escalation:
    """Open an escalation about the desk as a whole; the open one is continued, if there is one."""
    subject = tx.vault.ref_of(desk, DESK_SUBJECT, tx.now)
    matter = _Matter(desk=desk, task="", agent=GATEWAY, proposal=None, subject=subject)
    return _opened(tx, ctx, matter, concern, actor=actor, cause=cause)


def tell_tampered(ctx: Context, error: Tampered) -> None:
    """Hand to a person what was changed outside handrail, once for each time that it was moved.

    What it is about is taken from the log, and the entry says nothing of the changed row.
    """
    desk, id = error.desk, error.proposal
    if not ctx.store.read(lambda tx: _is_untold(tx, desk, id)):
        return

    def unit(tx: Tx) -> None:
        if _is_untold(tx, desk, id):
            _opened(tx, ctx, _logged(tx, desk, id), _TAMPERED, actor=GATEWAY, cause=Cause.TAMPERED)

    ctx.store.write(unit)


@contextmanager
def telling(ctx: Context) -> Iterator[None]:
    """Around what a caller does: of what was changed outside handrail, people are told too."""
    try:
        yield
    except Tampered as error:
        tell_tampered(ctx, error)
        raise


def take_unit(desk: str, id: str, *, person: str) -> Unit[Escalation]:
    """The unit by which a person makes an escalation theirs. Another may take it over."""

    def unit(tx: Tx) -> Escalation:
        found = _open(tx, desk, id)
        if found.owner == person:
            return found
        taken: Escalation = msgspec.structs.replace(found, owner=person, taken_at=tx.now)
        tx.escalations.change(taken)
        _note_escalation(tx, taken, Tag.ESCALATION_TAKEN, person, by_person=True)
        return taken

    return unit


def close_unit(desk: str, id: str, *, person: str) -> Unit[Escalation]:
    """The unit by which a person says that an escalation is dealt with."""

    def unit(tx: Tx) -> Escalation:
        found = _open(tx, desk, id)
        closed: Escalation = msgspec.structs.replace(
            found, owner=found.owner or person, closed_at=tx.now, closed_by=person
        )
        tx.escalations.change(closed)
        _note_escalation(tx, closed, Tag.ESCALATION_CLOSED, person, by_person=True)
        tx.counters.add(desk, "escalations", -1)
        if found.overdue_at is not None:
            tx.counters.add(desk, "escalations_overdue", -1)
        return closed

    return unit


def lapse_unit(desk: str, *, most: int) -> Unit[int]:
    """The unit that notices which open escalations are past their deadline; how many."""

    def unit(tx: Tx) -> int:
        late = tx.escalations.late(desk, tx.now, most=most)
        for found in late:
            lapsed: Escalation = msgspec.structs.replace(found, overdue_at=tx.now)
            tx.escalations.change(lapsed)
            tx.counters.add(desk, "escalations_overdue")
            _note_escalation(tx, lapsed, Tag.ESCALATION_OVERDUE, GATEWAY)
        return len(late)

    return unit


def concerns_of(tx: Tx, escalation: Escalation) -> tuple[str, ...]:
    """What was said, oldest first; nothing any more once its customer was erased."""
    said = []
    for n in range(1, escalation.said + 1):
        try:
            data = tx.vault.get(escalation.desk, escalation.id, _slot(n))
        except Unavailable as error:
            if error.code != "content_erased":
                raise
            continue
        if data is not None:
            said.append(data.decode())
    return tuple(said)


def _open(tx: Tx, desk: str, id: str) -> Escalation:
    found = tx.escalations.get(desk, id)
    if found is None:
        raise NotFound("proposal_not_found", f"there is no escalation `{id}`")
    if found.closed_at is not None:
        raise Conflict("not_pending", "somebody has closed this already")
    return found


def _is_untold(tx: Tx, desk: str, id: str) -> bool:
    moved = [
        logged.entry.at
        for logged in tx.log.of_proposal(desk, id)
        if not logged.entry.tag.startswith("escalation.")
    ]
    return not any(
        one.cause is Cause.TAMPERED and one.opened_at >= max(moved, default=0)
        for one in tx.escalations.of_proposal(desk, id)
    )


def _logged(tx: Tx, desk: str, id: str) -> _Matter:
    """The action as the log knows it; one that it does not know is the desk's own matter."""
    entries = [logged.entry for logged in tx.log.of_proposal(desk, id)]
    known = next((one for one in entries if one.tag == Tag.ACTION_PROPOSED.value), None)
    if known is None or known.subject is None:
        subject = tx.vault.ref_of(desk, DESK_SUBJECT, tx.now)
        return _Matter(desk=desk, task="", agent=GATEWAY, proposal=id, subject=subject)
    return _Matter(
        desk=desk,
        task=known.task or "",
        agent=known.actor or GATEWAY,
        proposal=id,
        subject=known.subject,
    )


def _whole_task(tx: Tx, task: Task) -> _Matter:
    subject = (
        task.customers[0] if task.customers else tx.vault.ref_of(task.desk, DESK_SUBJECT, tx.now)
    )
    return _Matter(desk=task.desk, task=task.id, agent=task.agent, proposal=None, subject=subject)


def _opened(
    tx: Tx, ctx: Context, matter: _Matter, concern: str, *, actor: str, cause: Cause
) -> Escalation:
    known = tx.escalations.open_of(matter.desk, matter.task, matter.proposal, cause)
    if known is not None:
        return _continued(tx, known, concern, actor)
    escalation = Escalation(
        desk=matter.desk,
        id=new_id("es", tx.now, ctx.entropy),
        task=matter.task,
        agent=matter.agent,
        proposal=matter.proposal,
        subject=matter.subject,
        opened_at=tx.now,
        due_at=tx.now + DUE_MS,
        cause=cause,
    )
    tx.escalations.add(escalation)
    _seal(tx, escalation, concern)
    tx.counters.add(matter.desk, "escalations")
    _note_escalation(tx, escalation, Tag.ESCALATION_OPENED, actor)
    return escalation


def _continued(tx: Tx, known: Escalation, concern: str, actor: str) -> Escalation:
    """Add what was said to the open hand-off, unless it was said already or too often."""
    if known.said >= CONCERNS_MAX or concern in concerns_of(tx, known):
        return known
    more: Escalation = msgspec.structs.replace(known, said=known.said + 1)
    tx.escalations.change(more)
    _seal(tx, more, concern)
    _note_escalation(tx, more, Tag.ESCALATION_CONTINUED, actor)
    return more


def _slot(n: int) -> str:
    return CONCERN if n == 1 else f"{CONCERN}:{n}"


def _seal(tx: Tx, escalation: Escalation, concern: str) -> None:
    subject = sealing_subject(tx, escalation.desk, escalation.subject)
    slot = _slot(escalation.said)
    tx.vault.put(escalation.desk, escalation.id, slot, subject=subject, data=concern.encode())


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
            data={
                "escalation": escalation.id,
                "cause": escalation.cause.value,
                "due_at": escalation.due_at,
            },
            rows={f"escalation:{escalation.id}": row_commitment(escalation)},
        ),
        by_person=by_person,
    )
