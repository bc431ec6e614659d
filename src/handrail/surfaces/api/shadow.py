"""The candidate policy over HTTP: start it, stop it, see where it decides otherwise."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.principal import Role
from handrail.engine.governing.candidates import follow_candidates, start_unit, stop_unit
from handrail.engine.proposing.shadow import shadowed_by
from handrail.policy.loader import load_text
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest
from handrail.surfaces.api.shadow_views import (
    CandidateView,
    ShadowView,
    candidate_view,
    shadow_view,
)
from handrail.surfaces.auth import check_role

__all__ = ["OPERATIONS"]


class ShadowRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole policy file that is to decide beside the active policy."""

    policy: str


async def start(call: Incoming) -> CandidateView:
    """From now on the candidate decides beside the active policy; nothing acts on it."""
    body: ShadowRequest = call.body
    person, ctx = call.by_person(), call.gateway.ctx
    check_role(person, Role.POLICY_OWNER, Role.ADMIN)
    policy = load_text(body.policy, source="policy")
    candidate = await ctx.store.submit(start_unit(ctx, person.desk, policy, by=person.id))
    follow_candidates(ctx)
    return candidate_view(candidate)


async def stop(call: Incoming) -> CandidateView:
    """The candidate decides nothing any more; what it has decided stays to be read."""
    person, ctx = call.by_person(), call.gateway.ctx
    candidate = await ctx.store.submit(stop_unit(person.desk, by=person.id))
    follow_candidates(ctx)
    return candidate_view(candidate)


async def report(call: Incoming) -> ShadowView:
    """Where the newest candidate decides otherwise, which way, and how often."""
    person, ctx = call.by_person(), call.gateway.ctx
    check_role(person, Role.POLICY_OWNER, Role.ADMIN, Role.AUDITOR)
    return shadow_view(ctx.store.read(shadowed_by(person.desk)))


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/shadow",
        summary="Let a candidate policy decide beside the active one",
        handle=start,
        access=Access.PERSON,
        body=ShadowRequest,
        answer=CandidateView,
        status=201,
        problems=("role_missing", "policy_invalid"),
    ),
    Operation(
        method="POST",
        path="/v1/shadow/stop",
        summary="End the candidate",
        handle=stop,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=CandidateView,
        problems=("role_missing", "shadow_not_found"),
    ),
    Operation(
        method="GET",
        path="/v1/shadow",
        summary="Where the candidate decides otherwise",
        handle=report,
        access=Access.PERSON,
        answer=ShadowView,
        problems=("role_missing", "shadow_not_found"),
    ),
)
