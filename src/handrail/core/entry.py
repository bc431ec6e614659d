"""Log entries: what one leaf of the append-only log says. Nothing in a leaf is personal.

A leaf is canonical JSON with subject references instead of customers and digests instead of
content. `rows` maps each business row that the entry's transaction changed to the SHA-256 of the
row as it then stood, so that an edited row no longer matches its entry.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Final

import msgspec

from handrail.core.canonical import canonical
from handrail.errors import InvalidInput

__all__ = ["LEAF_BYTES_MAX", "Entry", "Tag", "decode_entry", "encode_entry", "row_commitment"]

LEAF_BYTES_MAX: Final = 8 * 1024


class Tag(Enum):
    """What happened, in the past tense."""

    DESK_OPENED = "desk.opened"
    POLICY_ACTIVATED = "policy.activated"
    POLICY_PROPOSED = "policy.proposed"
    POLICY_APPROVED = "policy.approved"
    POLICY_REJECTED = "policy.rejected"
    POLICY_KEPT = "policy.kept"
    SHADOW_STARTED = "shadow.started"
    SHADOW_STOPPED = "shadow.stopped"
    PRINCIPAL_ADDED = "principal.added"
    PRINCIPAL_CHANGED = "principal.changed"
    CREDENTIAL_ISSUED = "credential.issued"
    CREDENTIAL_REVOKED = "credential.revoked"
    SESSION_OPENED = "session.opened"
    SESSION_CLOSED = "session.closed"
    SESSION_PROVED = "session.proved"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REVOKED = "passkey.revoked"
    TASK_ISSUED = "task.issued"
    TASK_REVOKED = "task.revoked"
    HALT_PULLED = "halt.pulled"
    HALT_LIFTED = "halt.lifted"
    LOG_RESTORED = "log.restored"
    LOG_RECONCILED = "log.reconciled"
    CUSTOMER_ERASED = "customer.erased"
    PROOF_EXPORTED = "proof.exported"
    CHANNEL_ADDED = "channel.added"
    CHANNEL_ENDED = "channel.ended"
    ACTION_PROPOSED = "action.proposed"
    REVIEW_RECORDED = "review.recorded"
    REVIEW_WITHDRAWN = "review.withdrawn"
    ACTION_APPROVED = "action.approved"
    ACTION_REJECTED = "action.rejected"
    ACTION_EXPIRED = "action.expired"
    ACTION_WITHDRAWN = "action.withdrawn"
    ACTION_ASSIGNED = "action.assigned"
    ACTION_RECUSED = "action.recused"
    ACTION_SUPERSEDED = "action.superseded"
    ACTION_ESCALATED = "action.escalated"
    ACTION_RELEASED = "action.released"
    ACTION_WAITED = "action.waited"
    ACTION_REOPENED = "action.reopened"
    ACTION_DOUBTED = "action.doubted"
    ACTION_RECONCILED = "action.reconciled"
    ACTION_UNDONE = "action.undone"
    EXECUTION_INTENDED = "execution.intended"
    EXECUTION_SUCCEEDED = "execution.succeeded"
    EXECUTION_FAILED = "execution.failed"
    EXECUTION_LOST = "execution.lost"
    EXECUTION_FOUND = "execution.found"
    EXECUTION_ABSENT = "execution.absent"
    EXECUTION_ABANDONED = "execution.abandoned"
    EXECUTION_RETURNED = "execution.returned"
    EXECUTION_TESTIFIED = "execution.testified"
    EXECUTION_CONFIRMED = "execution.confirmed"
    CAP_TRIPPED = "cap.tripped"
    BREAKGLASS_ASKED = "breakglass.asked"
    BREAKGLASS_OPENED = "breakglass.opened"
    BREAKGLASS_CLOSED = "breakglass.closed"
    BUNCHING_ALARMED = "bunching.alarmed"
    ESCALATION_OPENED = "escalation.opened"
    ESCALATION_CONTINUED = "escalation.continued"
    ESCALATION_TAKEN = "escalation.taken"
    ESCALATION_OVERDUE = "escalation.lapsed"
    ESCALATION_CLOSED = "escalation.closed"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One entry. `actor` is a principal id; `data` holds short facts, never content."""

    v: int = 1
    at: int
    desk: str
    tag: str
    actor: str | None = None
    task: str | None = None
    proposal: str | None = None
    subject: str | None = None
    data: dict[str, str | int | bool | None] = {}
    rows: dict[str, str] = {}


_decoder: Final = msgspec.json.Decoder(Entry)


def encode_entry(entry: Entry) -> bytes:
    """The leaf of an entry: canonical JSON of at most 8 KiB."""
    leaf = canonical(entry)
    if len(leaf) > LEAF_BYTES_MAX:
        raise InvalidInput("leaf_too_large", f"the entry `{entry.tag}` is longer than 8 KiB")
    return leaf


def decode_entry(leaf: bytes) -> Entry:
    """The entry that a leaf holds."""
    return _decoder.decode(leaf)


def row_commitment(row: msgspec.Struct) -> str:
    """SHA-256 (hex) over the canonical form of a business row.

    Rows leave out what stands at its default, so that a field added later, with a default, does not
    change what was committed to before.
    """
    return hashlib.sha256(canonical(row)).hexdigest()
