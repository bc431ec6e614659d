"""What is held back: people see it, and recall it by one click while its time lasts."""

from __future__ import annotations

from typing import Final

from handrail.engine.deciding.withdraw import recall_unit
from handrail.engine.showing.show import cards_of
from handrail.store.protocol import Tx
from handrail.surfaces.api.answers import ActionView, HeldView
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest, EscalationsQuery
from handrail.surfaces.api.views import action_view, card_view

__all__ = ["OPERATIONS"]


async def get_held(call: Incoming) -> HeldView:
    """What is held back and can still be recalled, the first to go out first."""
    query: EscalationsQuery = call.query
    desk, ctx = call.by_person().desk, call.gateway.ctx

    def look(tx: Tx) -> HeldView:
        cards = cards_of(ctx, tx, tx.proposals.held(desk, most=query.limit))
        return HeldView(items=[card_view(card) for card in cards])

    return ctx.store.read(look)


async def recall_proposal(call: Incoming) -> ActionView:
    """Take back what is held back, or allowed and has not left yet."""
    id = call.path_id("id", "proposal_not_found")
    person, gateway = call.by_person(), call.gateway
    moved = await gateway.moved(recall_unit(person.desk, id, by=person.id))
    return action_view(gateway.ctx, moved)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/v1/held",
        summary="What is held back",
        handle=get_held,
        access=Access.PERSON,
        query=EscalationsQuery,
        answer=HeldView,
    ),
    Operation(
        method="POST",
        path="/v1/proposals/{id}/recall",
        summary="Recall what has not left",
        handle=recall_proposal,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=ActionView,
        problems=(
            "proposal_not_found",
            "not_pending",
            "not_entitled",
            "tampered",
            "invariant_broken",
        ),
    ),
)
