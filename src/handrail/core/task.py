"""A task: one unit of agent work, usually one ticket. The server issues it."""

from __future__ import annotations

import msgspec

__all__ = ["Task"]


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One task. `customers` are subject references that it may touch; `lane` names the rule.

    `token_hash` is the SHA-256 (hex) of the bearer token that proposals of the task carry.
    """

    desk: str
    id: str
    agent: str
    lane: str
    ticket: str | None
    customers: tuple[str, ...]
    token_hash: str
    created_at: int
    expires_at: int
    revoked_at: int | None = None

    def ended(self, now: int) -> bool:
        """Whether the task's token no longer counts at `now`."""
        return self.revoked_at is not None or now >= self.expires_at
