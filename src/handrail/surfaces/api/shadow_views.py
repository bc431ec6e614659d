"""What a candidate policy has decided, as it is sent, over HTTP and by the command line alike."""

from __future__ import annotations

import msgspec

from handrail.core.contrast import Candidate, Contrast, Leaning
from handrail.engine.proposing.shadow import Shadowed
from handrail.store.protocol import Differing

__all__ = ["CandidateView", "ShadowView", "candidate_view", "shadow_view"]


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


def shadow_view(found: Shadowed) -> ShadowView:
    """The report as it is sent."""
    return ShadowView(
        candidate=candidate_view(found.candidate),
        same=found.same,
        looser=found.count(Leaning.LOOSER),
        tighter=found.count(Leaning.TIGHTER),
        failed=found.failed,
        unread=found.unread,
        sums_apart=found.sums_apart,
        differing=found.differing,
        examples=found.examples,
    )


def candidate_view(candidate: Candidate) -> CandidateView:
    """A candidate as it is sent."""
    return CandidateView(
        id=candidate.id,
        name=candidate.name,
        digest=candidate.digest,
        started_at=candidate.started_at,
        started_by=candidate.started_by,
        stopped_at=candidate.stopped_at,
        stopped_by=candidate.stopped_by,
    )
