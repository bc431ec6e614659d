"""Amendments: proposed changes of a desk's policy, as rows.

Stricter takes effect at once. Looser takes two people and a delay: one proposes, another approves,
and it is activated no sooner than the active policy's `loosening` clock says.
"""

from __future__ import annotations

from enum import Enum

import msgspec

__all__ = ["Amendment", "AmendmentState"]


class AmendmentState(Enum):
    """Where an amendment stands. The last two are for good."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    ACTIVATED = "activated"
    REJECTED = "rejected"


class Amendment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One proposed policy, whole, with what it changes against the policy `base` that was active.

    `version` is the one that its file says. `looser` and `tighter` count the classes of inputs and
    settings that move that way from `base`; `ready_at` is when an approved one may be activated.
    """

    desk: str
    id: str
    digest: str
    name: str
    version: int
    body: str
    base: str
    looser: int
    tighter: int
    state: AmendmentState
    proposed_by: str
    proposed_at: int
    approved_by: str | None = None
    approved_at: int | None = None
    ready_at: int | None = None
    closed_by: str | None = None
    closed_at: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still come to be the active policy."""
        return self.closed_at is None
