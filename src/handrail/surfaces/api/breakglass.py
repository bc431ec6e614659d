"""Break-glass over HTTP: ask, confirm, end, and see what is in force."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.breakglass import Grant
from handrail.engine.access.breakglass import (
    MINUTE_MS,
    ask_glass_unit,
    close_glass_unit,
    confirm_glass_unit,
    grant_reason,
)
from handrail.store.protocol import Tx
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest, GlassRequest

__all__ = ["OPERATIONS"]


class GrantView(msgspec.Struct, frozen=True, kw_only=True):
    """A break-glass grant, asked for or confirmed."""

    id: str
    person: str
    reason: str
    in_force: bool
    asked_at: int
    confirmed_by: str | None
    expires_at: int | None
    closed_at: int | None


class GrantsView(msgspec.Struct, frozen=True, kw_only=True):
    """Break-glass grants that are asked for or in force."""

    items: list[GrantView]


async def ask_glass(call: Incoming) -> GrantView:
    """Ask to check for a while, and say why it cannot wait. Nothing is granted by asking."""
    body: GlassRequest = call.body
    person, ctx = call.by_person(), call.gateway.ctx
    unit = ask_glass_unit(
        ctx,
        person.desk,
        person=person.id,
        reason=body.reason,
        span_ms=body.minutes * MINUTE_MS,
    )
    return _viewed(call, await ctx.store.submit(unit))


async def confirm_glass(call: Incoming) -> GrantView:
    """Put a grant in force that another person has asked for. Everybody is told."""
    person, ctx = call.by_person(), call.gateway.ctx
    id = call.path_id("id", "grant_not_found")
    unit = confirm_glass_unit(ctx, person.desk, id, by=person.id)
    return _viewed(call, await ctx.store.submit(unit))


async def close_glass(call: Incoming) -> GrantView:
    """End a grant, or a request for one, at once."""
    person, ctx = call.by_person(), call.gateway.ctx
    id = call.path_id("id", "grant_not_found")
    return _viewed(call, await ctx.store.submit(close_glass_unit(person.desk, id, by=person.id)))


async def get_glass(call: Incoming) -> GrantsView:
    """Every grant that is asked for or in force."""
    desk = call.by_person().desk

    def look(tx: Tx) -> list[GrantView]:
        return [_view(tx, grant) for grant in tx.grants.open(desk)]

    return GrantsView(items=call.gateway.ctx.store.read(look))


def _viewed(call: Incoming, grant: Grant) -> GrantView:
    return call.gateway.ctx.store.read(lambda tx: _view(tx, grant))


def _view(tx: Tx, grant: Grant) -> GrantView:
    return GrantView(
        id=grant.id,
        person=grant.person,
        reason=grant_reason(tx, grant),
        in_force=grant.covers(tx.now),
        asked_at=grant.asked_at,
        confirmed_by=grant.confirmed_by,
        expires_at=grant.expires_at,
        closed_at=grant.closed_at,
    )


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/breakglass",
        summary="Ask to check for a while",
        handle=ask_glass,
        access=Access.PERSON,
        body=GlassRequest,
        answer=GrantView,
        status=201,
        problems=("not_entitled", "reason_missing", "grant_not_open"),
    ),
    Operation(
        method="GET",
        path="/v1/breakglass",
        summary="What is asked for or in force",
        handle=get_glass,
        access=Access.PERSON,
        answer=GrantsView,
    ),
    Operation(
        method="POST",
        path="/v1/breakglass/{id}/confirm",
        summary="Put a grant in force that another person has asked for",
        handle=confirm_glass,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=GrantView,
        problems=(
            "grant_not_found",
            "role_missing",
            "own_authority",
            "not_entitled",
            "grant_not_open",
        ),
    ),
    Operation(
        method="POST",
        path="/v1/breakglass/{id}/close",
        summary="End a grant at once",
        handle=close_glass,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=GrantView,
        problems=("grant_not_found", "not_entitled", "grant_not_open"),
    ),
)
