"""A reviewer's attention over HTTP: their load, what overflows, and taking an action a while."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.attention import Load
from handrail.core.overflow import Overflow
from handrail.engine.deciding.attention import crew_of, is_lead, load_for, outlook
from handrail.engine.showing.looks import leave_unit, take_unit
from handrail.store.protocol import Tx
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest

__all__ = ["OPERATIONS", "AttentionView", "BudgetView", "ReviewerView", "TakenView"]


class ReviewerView(msgspec.Struct, frozen=True, kw_only=True):
    """One reviewer of the desk and what they have decided."""

    id: str
    name: str
    load: Load


class BudgetView(msgspec.Struct, frozen=True, kw_only=True):
    """How many decisions one person may come to before G3 goes to others; None for any number."""

    per_hour: int | None
    per_day: int | None


class AttentionView(msgspec.Struct, frozen=True, kw_only=True):
    """One's own load and the policy's budget, and what cannot be reviewed in time.

    `crew` is everybody who reviews on the desk, for an administrator; None for anybody else.
    """

    own: Load
    budget: BudgetView
    overflow: Overflow
    crew: list[ReviewerView] | None


class TakenView(msgspec.Struct, frozen=True, kw_only=True):
    """Until when this person has taken the action, in milliseconds UTC; None once let go."""

    until: int | None


async def get_attention(call: Incoming) -> AttentionView:
    """What this person has decided lately, and what cannot be reviewed in time."""
    me, ctx = call.by_person(), call.gateway.ctx
    policy = ctx.rulebook(me.desk).policy.attention
    budget = BudgetView(per_hour=policy.per_hour, per_day=policy.per_day)

    def look(tx: Tx) -> AttentionView:
        crew = None
        if is_lead(me):
            crew = [
                ReviewerView(id=one.person.id, name=one.person.name, load=one.load)
                for one in crew_of(tx, me)
            ]
        own, overflow = load_for(tx, me), outlook(tx, me.desk)
        return AttentionView(own=own, budget=budget, overflow=overflow, crew=crew)

    return ctx.store.read(look)


async def take_proposal(call: Incoming) -> TakenView:
    """Take a waiting action for a while, so that others look at something else first."""
    me, id = call.by_person(), call.path_id("id", "proposal_not_found")
    look = await call.gateway.ctx.store.submit(take_unit(me.desk, id, person=me))
    return TakenView(until=look.taken_until)


async def leave_proposal(call: Incoming) -> TakenView:
    """Let go of an action that one has taken."""
    me, id = call.by_person(), call.path_id("id", "proposal_not_found")
    await call.gateway.ctx.store.submit(leave_unit(me.desk, id, person=me))
    return TakenView(until=None)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/v1/attention",
        summary="One's own load, and what cannot be reviewed in time",
        handle=get_attention,
        access=Access.PERSON,
        answer=AttentionView,
    ),
    Operation(
        method="POST",
        path="/v1/proposals/{id}/take",
        summary="Take a waiting action for a while",
        handle=take_proposal,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=TakenView,
        problems=(
            "proposal_not_found",
            "not_pending",
            "stale_digest",
            "taken_already",
            "checked_blind",
            "not_entitled",
        ),
    ),
    Operation(
        method="POST",
        path="/v1/proposals/{id}/leave",
        summary="Let go of an action that one has taken",
        handle=leave_proposal,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=TakenView,
        problems=("proposal_not_found",),
    ),
)
