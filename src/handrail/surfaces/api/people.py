"""Administrators invite people to link their login at a provider."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import msgspec

from handrail.engine.access.identities import invite_unit
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest

__all__ = ["OPERATIONS", "InvitationView"]


class InvitationView(msgspec.Struct, frozen=True, kw_only=True):
    """The path of a link to give to a person. It is shown this once, and counts once."""

    path: str


async def invite_person(call: Incoming) -> InvitationView:
    """Invite a person to link their login at the provider with their account."""
    me, ctx = call.by_person(), call.gateway.ctx
    whom: str = call.scope["path_params"]["id"]
    token = await ctx.store.submit(invite_unit(ctx, me.desk, whom, actor=me.id))
    about = "" if me.desk == call.gateway.desk else f"&desk={quote(me.desk, safe='')}"
    return InvitationView(path=f"/login/invited?token={token}{about}")


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/people/{id}/invitation",
        summary="Invite a person to link their login at a provider",
        handle=invite_person,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=InvitationView,
        problems=("principal_not_found", "role_missing", "own_authority"),
    ),
)
