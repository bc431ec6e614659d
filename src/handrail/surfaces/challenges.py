"""What a browser is asked to have a passkey sign, and how its answer is read.

The shapes are those of WebAuthn's JSON forms, as browsers take and give them.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from handrail.core.passkey import Passkey, Purpose, Signed, challenge_of
from handrail.core.principal import Principal
from handrail.engine.access.passkeys import (
    NONCE_MS,
    keys_for,
    new_nonce,
    review_challenge,
    site_of,
)
from handrail.engine.base.context import Context
from handrail.errors import InvalidInput, NotFound
from handrail.store.protocol import Tx

__all__ = [
    "Asked",
    "answer_in",
    "asked_to_log_in",
    "asked_to_register",
    "asked_to_sign",
    "signed_in",
]

ANSWER_CHARS_MAX: Final = 20_000


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser is asked: the nonce goes back with the answer, the options to the browser."""

    nonce: str
    options: dict[str, Any]


class _Response(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an assertion that is signed, and the signature."""

    clientDataJSON: str
    authenticatorData: str
    signature: str


class _Credential(msgspec.Struct, frozen=True, kw_only=True):
    """An assertion in WebAuthn's JSON form."""

    id: str
    response: _Response


def asked_to_register(ctx: Context, person: Principal, origin: str) -> Asked:
    """Make a new passkey for a person, on an authenticator that has none of theirs yet."""
    nonce = new_nonce(ctx, person.desk, Purpose.REGISTER, person.id)
    challenge = challenge_of(Purpose.REGISTER, desk=person.desk, nonce=nonce, person=person.id)
    known = ctx.store.read(lambda tx: tx.passkeys.of(person.desk, person.id))
    handle = hashlib.sha256(f"{person.desk}\n{person.id}".encode()).digest()
    return Asked(
        nonce=nonce,
        options={
            "rp": {"id": site_of(origin), "name": "handrail"},
            "user": {"id": _text(handle), "name": person.id, "displayName": person.name},
            "challenge": _text(challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-7, -8, -257)],
            "excludeCredentials": _listed(one for one in known if one.revoked_at is None),
            "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
            "attestation": "none",
            "timeout": NONCE_MS,
        },
    )


def asked_to_log_in(ctx: Context, desk: str, origin: str) -> Asked:
    """Show any passkey of this console; nobody has said yet who they are."""
    nonce = new_nonce(ctx, desk, Purpose.LOGIN)
    challenge = challenge_of(Purpose.LOGIN, desk=desk, nonce=nonce)
    return _asked(nonce, challenge, site_of(origin), ())


def asked_to_sign(ctx: Context, person: Principal, id: str) -> Asked | None:
    """Sign this person's approval of an action as it stands, or None when no passkey must."""
    nonce = new_nonce(ctx, person.desk, Purpose.REVIEW, person.id)

    def look(tx: Tx) -> Asked | None:
        proposal = tx.proposals.look(person.desk, id)
        if proposal is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        keys = keys_for(tx, ctx, proposal, person)
        if keys is None:
            return None
        site = keys[0].site if keys else ""
        usable = [one for one in keys if one.site == site]
        return _asked(nonce, review_challenge(proposal, person, nonce), site, usable)

    return ctx.store.read(look)


def answer_in(text: str) -> dict[str, Any]:
    """What a browser has answered when it made a passkey. Raises InvalidInput `field_malformed`."""
    try:
        return msgspec.json.decode(_bounded(text), type=dict[str, Any])
    except msgspec.DecodeError:
        raise _malformed() from None


def signed_in(text: str, nonce: str) -> Signed:
    """What a browser has answered when a passkey signed. Raises InvalidInput `field_malformed`."""
    try:
        found = msgspec.json.decode(_bounded(text), type=_Credential)
    except msgspec.DecodeError:
        raise _malformed() from None
    return Signed(
        nonce=nonce,
        passkey=found.id,
        client_data=found.response.clientDataJSON,
        authenticator_data=found.response.authenticatorData,
        signature=found.response.signature,
    )


def _asked(nonce: str, challenge: bytes, site: str, keys: Sequence[Passkey]) -> Asked:
    options = {
        "challenge": _text(challenge),
        "rpId": site,
        "allowCredentials": _listed(keys),
        "userVerification": "required",
        "timeout": NONCE_MS,
    }
    return Asked(nonce=nonce, options=options)


def _listed(keys: Any) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": one.id} for one in keys]


def _bounded(text: str) -> bytes:
    if len(text) > ANSWER_CHARS_MAX:
        raise InvalidInput("too_large", "a passkey's answer is shorter than that")
    return text.encode()


def _malformed() -> InvalidInput:
    return InvalidInput("field_malformed", "that is not the answer of a passkey")


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
