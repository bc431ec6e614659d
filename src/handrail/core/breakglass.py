"""Break-glass: for at most an hour, a person may check though their role is missing or too new.

One person asks and says why, another one, an administrator, confirms. It lifts the role of a
checker and how long it must have been held, and nothing else: no independence, no limit, no number
of checkers, no cap.
"""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["GRANT_MS_MAX", "Grant"]

GRANT_MS_MAX: Final = 60 * 60_000


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One grant: asked for by `person`, who gets it once `confirmed_by` has confirmed."""

    desk: str
    id: str
    person: str
    span_ms: int
    asked_at: int
    confirmed_by: str | None = None
    opened_at: int | None = None
    expires_at: int | None = None
    closed_at: int | None = None
    closed_by: str | None = None

    def covers(self, at: int) -> bool:
        """Whether it was in force at `at`."""
        if self.opened_at is None or self.expires_at is None:
            return False
        ended = self.expires_at if self.closed_at is None else min(self.expires_at, self.closed_at)
        return self.opened_at <= at < ended
