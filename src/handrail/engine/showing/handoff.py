"""Hand-off in full: what a person who takes an escalation needs to know, put together when read.

Nothing is copied when it is opened: the conversation is read from the helpdesk by the gateway's own
access, and what ran and what waits are the rows as they stand now.
"""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.artifact import Fact
from handrail.core.lifecycle import OPEN, State
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.asking.escalate import concerns_of
from handrail.engine.base.context import Context
from handrail.engine.base.record import content_of
from handrail.engine.showing.conversation import Message, read_conversation
from handrail.engine.showing.show import Card, cards_of
from handrail.errors import NotFound, Tampered, Unavailable
from handrail.store.protocol import DESK_SUBJECT, Escalation, Tx

__all__ = ["HandOff", "hand_off"]

ACTIONS_MAX: Final = 50


class HandOff(msgspec.Struct, frozen=True, kw_only=True):
    """One escalation with its context.

    `said` are the concerns, oldest first. `ran`, `waits` and `ended` are the task's actions, newest
    first. `facts` are those that the latest of them was decided on, with their sources.
    `conversation` is None when the helpdesk could not be read, or there is no ticket.
    """

    escalation: Escalation
    said: tuple[str, ...]
    ticket: str | None
    customer: str | None
    about: Card | None
    ran: tuple[Card, ...]
    waits: tuple[Card, ...]
    ended: tuple[Card, ...]
    facts: tuple[Fact, ...]
    conversation: tuple[Message, ...] | None


def hand_off(ctx: Context, desk: str, id: str) -> HandOff:
    """One escalation in full. Raises NotFound `proposal_not_found`."""
    found = ctx.store.read(lambda tx: _assembled(tx, ctx, desk, id))
    read = read_conversation(ctx, desk, found.ticket)
    messages = None if read.silence is not None else read.messages
    return msgspec.structs.replace(found, conversation=messages)


def _assembled(tx: Tx, ctx: Context, desk: str, id: str) -> HandOff:
    escalation = tx.escalations.get(desk, id)
    if escalation is None:
        raise NotFound("proposal_not_found", f"there is no escalation `{id}`")
    task = tx.tasks.get(desk, escalation.task)
    actions = _actions(tx, escalation, task)
    about = None
    if escalation.proposal is not None:
        about = next((one for one in actions if one.id == escalation.proposal), None)
    waits = [one for one in actions if one.state in OPEN]
    ran = [one for one in actions if one.state is State.SUCCEEDED]
    ended = [one for one in actions if one not in waits and one not in ran]
    return HandOff(
        escalation=escalation,
        said=concerns_of(tx, escalation),
        ticket=None if task is None else task.ticket,
        customer=_customer(tx, escalation),
        about=None if about is None else cards_of(ctx, tx, [about])[0],
        ran=tuple(cards_of(ctx, tx, ran)),
        waits=tuple(cards_of(ctx, tx, waits)),
        ended=tuple(cards_of(ctx, tx, ended)),
        facts=_facts(tx, about, actions),
        conversation=None,
    )


def _actions(tx: Tx, escalation: Escalation, task: Task | None) -> list[Proposal]:
    """The latest actions of the task, newest first: found by the customers that it touches."""
    desk = escalation.desk
    subjects = {escalation.subject, *(() if task is None else task.customers)}
    of_desk = tx.vault.find_ref(desk, DESK_SUBJECT)
    found = {
        one.id: one
        for subject in subjects | ({of_desk} if of_desk is not None else set())
        for one in tx.proposals.of_subject(desk, subject, most=4 * ACTIONS_MAX)
        if one.task == escalation.task
    }
    if escalation.proposal is not None and escalation.proposal not in found:
        about = tx.proposals.look(desk, escalation.proposal)
        found |= {} if about is None else {about.id: about}
    return [found[id] for id in sorted(found, reverse=True)][:ACTIONS_MAX]


def _facts(tx: Tx, about: Proposal | None, actions: list[Proposal]) -> tuple[Fact, ...]:
    """The facts of the action that it is about; else of the latest that had any."""
    for proposal in actions if about is None else [about]:
        try:
            facts = content_of(tx, proposal).facts
        except (Tampered, Unavailable):
            continue
        if facts:
            return facts
    return ()


def _customer(tx: Tx, escalation: Escalation) -> str | None:
    try:
        return tx.vault.customer_of(escalation.desk, escalation.subject) or None
    except Unavailable:
        return None
