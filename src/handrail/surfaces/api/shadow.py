"""The candidate policy over HTTP: start it, stop it, see where it decides otherwise."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.contrast import Candidate, Contrast, Leaning
from handrail.core.principal import Role
from handrail.engine.shadow import Shadowed, follow_candidates, shadowed_by, start_unit, stop_unit
from handrail.policy.loader import load_text
from handrail.store.protocol import Differing
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest
from handrail.surfaces.auth import check_role

__all__ = ["OPERATIONS", "shadow_view"]


class ShadowRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole policy file that is to decide beside the active policy."""

    policy: str


class CandidateView(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate: which policy, since when, until when."""

    id: str
    name: str
    digest: str
    started_at: int
    started_by: str
    stopped_at: int | None
    stopped_by: str | None


class ShadowView(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate has decided beside the active policy; `examples` are the newest."""

    candidate: CandidateView
    same: int
    looser: int
    tighter: int
    failed: int
    unread: int
    sums_apart: bool
    differing: tuple[Differing, ...]
    examples: tuple[Contrast, ...]


async def start(call: Incoming) -> CandidateView:
    """From now on the candidate decides beside the active policy; nothing acts on it."""
    body: ShadowRequest = call.body
    person, ctx = call.by_person(), call.gateway.ctx
    check_role(person, Role.POLICY_OWNER, Role.ADMIN)
    policy = load_text(body.policy, source="policy")
    candidate = await ctx.store.submit(start_unit(ctx, person.desk, policy, by=person.id))
    follow_candidates(ctx)
    return _view(candidate)


async def stop(call: Incoming) -> CandidateView:
    """The candidate decides nothing any more; what it has decided stays to be read."""
    person, ctx = call.by_person(), call.gateway.ctx
    candidate = await ctx.store.submit(stop_unit(person.desk, by=person.id))
    follow_candidates(ctx)
    return _view(candidate)


async def report(call: Incoming) -> ShadowView:
    """Where the newest candidate decides otherwise, which way, and how often."""
    person, ctx = call.by_person(), call.gateway.ctx
    check_role(person, Role.POLICY_OWNER, Role.ADMIN, Role.AUDITOR)
    return shadow_view(ctx.store.read(shadowed_by(person.desk)))


def shadow_view(found: Shadowed) -> ShadowView:
    """The report as it is sent."""
    return ShadowView(
        candidate=_view(found.candidate),
        same=found.same,
        looser=found.count(Leaning.LOOSER),
        tighter=found.count(Leaning.TIGHTER),
        failed=found.failed,
        unread=found.unread,
        sums_apart=found.sums_apart,
        differing=found.differing,
        examples=found.examples,
    )


def _view(candidate: Candidate) -> CandidateView:
    return CandidateView(
        id=candidate.id,
        name=candidate.name,
        digest=candidate.digest,
        started_at=candidate.started_at,
        started_by=candidate.started_by,
        stopped_at=candidate.stopped_at,
        stopped_by=candidate.stopped_by,
    )


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
