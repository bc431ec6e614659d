"""Passkeys: what a person's authenticator signs, and what is kept of it.

For an approval it signs a challenge that is the SHA-256 of the canonical text of who approves what:
the statement digest, the verdict, the amount, the person and a nonce of the server. Whoever holds
the review, the action and the assertion can compute that challenge again, years later.
"""

from __future__ import annotations

import hashlib
from enum import Enum

import msgspec

from handrail.core.canonical import canonical
from handrail.core.review import Verdict

__all__ = ["Assertion", "Passkey", "Purpose", "Signed", "challenge_of", "key_name"]


class Purpose(Enum):
    """What a challenge is for; an answer to one is worth nothing for another."""

    REGISTER = "register"
    LOGIN = "login"
    REVIEW = "review"


class Passkey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One passkey of an account. `id` and `public_key` (COSE) are base64url.

    `origin` is the address of the console at which it was made, `site` its relying party id.
    """

    desk: str
    id: str
    person: str
    label: str
    public_key: str
    origin: str
    site: str
    created_at: int
    revoked_at: int | None = None


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an authenticator answered to a challenge made from `nonce`; all of it base64url."""

    nonce: str
    passkey: str
    client_data: str
    authenticator_data: str
    signature: str


class Assertion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was signed for one review, with the key that it is checked by.

    `amount` is the one in the challenge: that of the action as it then was.
    """

    desk: str
    proposal: str
    n: int
    person: str
    amount: str | None
    nonce: str
    passkey: str
    public_key: str
    origin: str
    site: str
    client_data: str
    authenticator_data: str
    signature: str


def challenge_of(
    purpose: Purpose,
    *,
    desk: str,
    nonce: str,
    person: str = "",
    proposal: str | None = None,
    statement: str | None = None,
    verdict: Verdict | None = None,
    amount: str | None = None,
) -> bytes:
    """The 32 bytes that an authenticator signs: which person, what for, and about what.

    For a review: which action, the digest of what was shown, the verdict, and the amount as text.
    """
    said: dict[str, str | int | None] = {
        "v": 1,
        "purpose": purpose.value,
        "desk": desk,
        "person": person,
        "nonce": nonce,
        "proposal": proposal,
        "statement": statement,
        "verdict": None if verdict is None else verdict.value,
        "amount": amount,
    }
    return hashlib.sha256(canonical(said)).digest()


def key_name(id: str) -> str:
    """The name of a passkey in the log: a digest of its id, which is nobody's business."""
    return hashlib.sha256(id.encode()).hexdigest()[:32]
