"""What is held back: it goes out by itself unless somebody recalls it in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.engine.deciding.withdraw import RECALLERS, recall_unit
from handrail.engine.showing.show import Card, cards_of
from handrail.store.protocol import Tx
from handrail.surfaces.console.pages import Visitor, redirect
from handrail.surfaces.console.text.lines import consequence, lines_of, summary

__all__ = ["HeldRow", "held", "may_recall", "recall"]

HELD_MOST: Final = 100


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """One action that is held back: what it would do, and where it would go."""

    card: Card
    does: str
    summary: str


async def held(visitor: Visitor) -> Response:
    """The page of what is held back, the first to go out first."""
    ctx, desk = visitor.gateway.ctx, visitor.desk

    def look(tx: Tx) -> list[HeldRow]:
        found = []
        for card in cards_of(ctx, tx, tx.proposals.held(desk, most=HELD_MOST)):
            lines = lines_of(tx, card.proposal)
            found.append(
                HeldRow(
                    card=card,
                    does=consequence(card.proposal, card.title, lines),
                    summary=summary(card.proposal, card.title, lines),
                )
            )
        return found

    return visitor.render(
        "held.html", rows=ctx.store.read(look), most=HELD_MOST, may_recall=may_recall(visitor)
    )


async def recall(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Take it back; then to where the button was."""
    id = visitor.request.path_params["id"]
    await visitor.gateway.moved(recall_unit(visitor.desk, id, by=visitor.person.id))
    return redirect("/held" if form.get("back") == "held" else f"/actions/{id}")


def may_recall(visitor: Visitor) -> bool:
    """Whether this person may take back what has not left."""
    return bool(set(RECALLERS) & set(visitor.person.roles))
