"""An authenticator in software, which can also be told to lie."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from handrail.core.passkey import Passkey, Purpose, Signed, challenge_of
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.engine.access.passkeys import add_passkey_unit, new_nonce, review_challenge
from handrail.engine.base.context import Context
from handrail.store.protocol import Means, Session

ORIGIN = "https://console.example.com"
SITE = "console.example.com"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


@dataclass(kw_only=True)
class Authenticator:
    """One credential on one device. `counter` goes up by itself."""

    id: bytes
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    counter: int = 0

    def made(self, challenge: bytes, *, origin: str = ORIGIN, site: str = SITE) -> dict[str, Any]:
        """The answer to a request for a new passkey."""
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        credential = bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(cose)
        data = self._data(site, PRESENT | VERIFIED | ATTESTED) + credential
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = _client("webauthn.create", challenge, origin)
        return {
            "id": text(self.id),
            "rawId": text(self.id),
            "type": "public-key",
            "response": {"clientDataJSON": text(client), "attestationObject": text(attested)},
        }

    def signed(
        self,
        challenge: bytes,
        nonce: str,
        *,
        type: str = "webauthn.get",
        origin: str = ORIGIN,
        site: str = SITE,
        flags: int = PRESENT | VERIFIED,
    ) -> Signed:
        """The answer to a request for a signature."""
        self.counter += 1
        client, data = _client(type, challenge, origin), self._data(site, flags)
        told = data + hashlib.sha256(client).digest()
        return Signed(
            nonce=nonce,
            passkey=text(self.id),
            client_data=text(client),
            authenticator_data=text(data),
            signature=text(self.key.sign(told, ec.ECDSA(hashes.SHA256()))),
        )

    def approves(self, ctx: Context, proposal: Proposal, person: Principal, **lies: Any) -> Signed:
        """Sign a person's approval of an action as it stands."""
        nonce = new_nonce(ctx, proposal.desk, Purpose.REVIEW, person.id)
        return self.signed(review_challenge(proposal, person, nonce), nonce, **lies)

    def _data(self, site: str, flags: int) -> bytes:
        return hashlib.sha256(site.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4)


def enrol(ctx: Context, desk: str, person: str, device: Authenticator) -> Passkey:
    """Add a device's passkey to an account."""
    now = ctx.clock()
    session = Session(
        token_hash="0" * 64,
        desk=desk,
        person=person,
        csrf="",
        created_at=now,
        expires_at=now + 1,
        seen_at=now,
        proved_at=now,
        means=Means.PASSWORD,
    )
    nonce = new_nonce(ctx, desk, Purpose.REGISTER, person)
    challenge = challenge_of(Purpose.REGISTER, desk=desk, nonce=nonce, person=person)
    answer = device.made(challenge)
    unit = add_passkey_unit(session, nonce=nonce, answer=answer, label="a key", origin=ORIGIN)
    return ctx.store.write(unit)


def _client(type: str, challenge: bytes, origin: str) -> bytes:
    said = {"type": type, "challenge": text(challenge), "origin": origin, "crossOrigin": False}
    return json.dumps(said).encode()
