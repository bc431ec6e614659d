"""Snoozing over HTTP: a person puts an action off for themselves, and has it again."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.principal import Role
from handrail.engine.deciding.snooze import snooze_unit, wake_unit
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest, SnoozeRequest
from handrail.surfaces.auth import check_role

__all__ = ["OPERATIONS", "SnoozeView", "SnoozesView"]


class SnoozeView(msgspec.Struct, frozen=True, kw_only=True):
    """Until when an action is out of one's own queue, in milliseconds UTC; None if it is not."""

    action: str
    until: int | None


class SnoozesView(msgspec.Struct, frozen=True, kw_only=True):
    """What this person has put off, the first to come back first."""

    items: list[SnoozeView]


async def get_snoozes(call: Incoming) -> SnoozesView:
    """What this person has put off. Others see it as before, and `GET /v1/queue` lists it."""
    me, store = call.by_person(), call.gateway.ctx.store
    found = store.read(lambda tx: tx.snoozes.of(me.desk, me.id, tx.now))
    in_order = sorted(found.items(), key=lambda one: (one[1], one[0]))
    return SnoozesView(items=[SnoozeView(action=id, until=until) for id, until in in_order])


async def snooze_proposal(call: Incoming) -> SnoozeView:
    """Put an action off for oneself. Nothing else changes, its deadline least of all."""
    body: SnoozeRequest = call.body
    me, id = call.by_person(), call.path_id("id", "proposal_not_found")
    check_role(me, Role.REVIEWER, Role.CHECKER, Role.ADMIN)
    unit = snooze_unit(me.desk, id, person=me.id, nap=body.nap)
    snooze = await call.gateway.ctx.store.submit(unit)
    return SnoozeView(action=id, until=snooze.until)


async def wake_proposal(call: Incoming) -> SnoozeView:
    """Have it in one's own queue again. It may have been there all the while."""
    me, id = call.by_person(), call.path_id("id", "proposal_not_found")
    await call.gateway.ctx.store.submit(wake_unit(me.desk, id, person=me.id))
    return SnoozeView(action=id, until=None)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/v1/snoozes",
        summary="What one has put off",
        handle=get_snoozes,
        access=Access.PERSON,
        answer=SnoozesView,
    ),
    Operation(
        method="POST",
        path="/v1/proposals/{id}/snooze",
        summary="Put an action off for oneself",
        handle=snooze_proposal,
        access=Access.PERSON,
        body=SnoozeRequest,
        answer=SnoozeView,
        problems=(
            "proposal_not_found",
            "not_pending",
            "role_missing",
            "snooze_too_late",
            "too_large",
        ),
    ),
    Operation(
        method="POST",
        path="/v1/proposals/{id}/wake",
        summary="See an action again that one had put off",
        handle=wake_proposal,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=SnoozeView,
        problems=("proposal_not_found",),
    ),
)
