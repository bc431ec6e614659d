"""Contrast: one action that a candidate policy decides otherwise than the active one."""

from __future__ import annotations

from enum import Enum

import msgspec

from handrail.core.decide import Decision

__all__ = ["Candidate", "Contrast", "Leaning", "direction_of"]


class Leaning(Enum):
    """Which way a candidate differs. A guard weighs more than a grade.

    OTHER is the same guard and grade for other reasons: no difference to anybody.
    """

    LOOSER = "looser"
    TIGHTER = "tighter"
    OTHER = "other"


class Candidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy that decides beside the active one. `body` is its canonical form."""

    desk: str
    id: str
    digest: str
    name: str
    body: str
    started_at: int
    started_by: str
    stopped_at: int | None = None
    stopped_by: str | None = None


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """How one action was decided live, and how the candidate would have decided it.

    Reasons are codes with commas between them: nothing in it is content.
    """

    desk: str
    candidate: str
    proposal: str
    kind: str
    at: int
    direction: str
    live_control: str
    live_checkers: int
    live_grade: int
    live_reasons: str
    control: str
    checkers: int
    grade: int
    reasons: str


def direction_of(live: Decision, candidate: Decision) -> Leaning:
    """Which way the candidate differs from the live decision."""
    was, became = (live.guard.order, live.grade), (candidate.guard.order, candidate.grade)
    if was == became:
        return Leaning.OTHER
    return Leaning.TIGHTER if became > was else Leaning.LOOSER
