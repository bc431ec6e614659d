"""Why something is handed to a person."""

from __future__ import annotations

from enum import Enum

__all__ = ["Cause"]


class Cause(Enum):
    """What a hand-off comes from. `AGENT` and `REVIEWER` asked for it; the others are automatic."""

    AGENT = "agent"
    REVIEWER = "reviewer"
    POLICY = "policy"
    POLICY_ERROR = "policy_error"
    CAP = "cap"
    BUNCHING = "bunching"
    DENIED_AGAIN = "denied_again"
    EXPIRED = "expired"
    UNKNOWN_OUTCOME = "unknown_outcome"
    UNDO_UNVERIFIED = "undo_unverified"
    QUORUM = "quorum"
    BREAK_GLASS = "break_glass"
    POLICY_KEPT = "policy_kept"
    HALTED = "halted"
    TAMPERED = "tampered"
    RESTORED = "restored"
