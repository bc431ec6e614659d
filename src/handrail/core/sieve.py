"""Sieve: which of the waiting actions somebody wants to see."""

from __future__ import annotations

import msgspec

from handrail.core.grade import Grade
from handrail.core.proposal import Proposal

__all__ = ["Sieve"]


class Sieve(msgspec.Struct, frozen=True, kw_only=True):
    """What an action must be like to pass; what is None is not asked for.

    `minor_min` is an amount in minor units of `currency`. With `narrowed` it must besides be about
    one of `subjects`, belong to one of `tasks`, or have `id_part` (digits from 0 to f) in its id;
    when these are all empty, nothing passes. The store asks the same in SQL, and a test holds the
    two together.
    """

    kind: str | None = None
    grade: Grade | None = None
    agent: str | None = None
    currency: str | None = None
    minor_min: int | None = None
    narrowed: bool = False
    subjects: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    id_part: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return self == _OPEN

    def passes(self, proposal: Proposal) -> bool:
        """Whether this action is one of those that are asked for."""
        if self.kind not in (None, proposal.kind) or self.agent not in (None, proposal.agent):
            return False
        if self.grade not in (None, proposal.grade):
            return False
        if self.currency not in (None, proposal.currency):
            return False
        if self.minor_min is not None and (proposal.value_minor or 0) < self.minor_min:
            return False
        return not self.narrowed or (
            proposal.subject in self.subjects
            or proposal.task in self.tasks
            or (self.id_part is not None and self.id_part in proposal.id)
        )


_OPEN = Sieve()
