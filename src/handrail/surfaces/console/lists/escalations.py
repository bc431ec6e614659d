"""Escalations: what an agent, or a reviewer, has handed to a person."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.engine.access.tasks import revoke_unit
from handrail.engine.asking.escalate import CONCERN, close_unit, take_unit
from handrail.engine.base.context import Context
from handrail.engine.showing.handoff import hand_off
from handrail.engine.showing.show import Card, cards_of
from handrail.errors import Unavailable
from handrail.store.protocol import Escalation, Tx
from handrail.surfaces.auth import check_role
from handrail.surfaces.console.case.action import DECIDERS, shown_facts
from handrail.surfaces.console.language.words import CAUSES, STATES
from handrail.surfaces.console.pages import Visitor, redirect, safe_path
from handrail.surfaces.console.text.literal import hidden_notes

__all__ = ["HandedOver", "close", "end_task", "escalation", "escalations", "take"]

ESCALATIONS_MOST: Final = 100


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """One open escalation. `concern` is None when it was erased with its customer."""

    escalation: Escalation
    concern: str | None
    hidden: tuple[str, ...]
    customer: str | None
    ticket: str | None
    card: Card | None


async def escalations(visitor: Visitor) -> Response:
    """The page of what is open, by the time it is due."""
    ctx, desk = visitor.gateway.ctx, visitor.desk

    def look(tx: Tx) -> list[HandedOver]:
        found = tx.escalations.open(desk, most=ESCALATIONS_MOST)
        return [_handed_over(ctx, tx, one) for one in found]

    return visitor.render(
        "escalations.html",
        rows=ctx.store.read(look),
        causes=CAUSES,
        most=ESCALATIONS_MOST,
        may_close=bool(set(DECIDERS) & set(visitor.person.roles)),
    )


async def escalation(visitor: Visitor) -> Response:
    """The page of one escalation, with everything that is known about it."""
    ctx, desk = visitor.gateway.ctx, visitor.desk
    id = visitor.request.path_params["id"]
    # The helpdesk is asked for the conversation.
    found = await visitor.gateway.runner.call(partial(hand_off, ctx, desk, id))
    task = ctx.store.read(lambda tx: tx.tasks.get(desk, found.escalation.task))
    return visitor.render(
        "escalation.html",
        found=found,
        cause=CAUSES[found.escalation.cause],
        said=[(text, hidden_notes(text)) for text in found.said],
        facts=shown_facts(found.facts),
        states=STATES,
        task_open=task is not None and not task.ended(ctx.clock()),
        may_close=bool(set(DECIDERS) & set(visitor.person.roles)),
    )


async def take(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """A person makes an escalation theirs."""
    check_role(visitor.person, *DECIDERS)
    id = visitor.request.path_params["id"]
    await visitor.gateway.ctx.store.submit(take_unit(visitor.desk, id, person=visitor.person.id))
    return redirect(f"/escalations/{id}")


async def end_task(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """End the token of an agent's task at once; then back to where the button was."""
    check_role(visitor.person, *DECIDERS)
    id = visitor.request.path_params["id"]
    await visitor.gateway.ctx.store.submit(revoke_unit(visitor.desk, id, by=visitor.person.id))
    return redirect(safe_path(form.get("back")))


async def close(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """A person says that an escalation is dealt with."""
    check_role(visitor.person, *DECIDERS)
    id = visitor.request.path_params["id"]
    await visitor.gateway.ctx.store.submit(close_unit(visitor.desk, id, person=visitor.person.id))
    return redirect("/escalations")


def _handed_over(ctx: Context, tx: Tx, escalation: Escalation) -> HandedOver:
    desk = escalation.desk
    try:
        data = tx.vault.get(desk, escalation.id, CONCERN)
        concern = None if data is None else data.decode()
        customer = tx.vault.customer_of(desk, escalation.subject)
    except Unavailable:
        concern = customer = None
    task = tx.tasks.get(desk, escalation.task)
    proposal = None
    if escalation.proposal is not None:
        proposal = tx.proposals.get(desk, escalation.proposal)
    return HandedOver(
        escalation=escalation,
        concern=concern,
        hidden=tuple(hidden_notes(concern or "")),
        customer=customer or None,
        ticket=None if task is None else task.ticket,
        card=None if proposal is None else cards_of(ctx, tx, [proposal])[0],
    )
