"""The artifact: every byte that will leave, in canonical form, and the digests over it.

The digest covers a random nonce that is sealed with the content, so it commits to the content
without giving it away once the customer's key is destroyed.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from handrail.core.action import Params
from handrail.core.canonical import canonical, check_plain
from handrail.errors import InvalidInput

__all__ = [
    "ARTIFACT_BYTES_MAX",
    "Fact",
    "Line",
    "digest_of",
    "encode_artifact",
    "statement_digest",
]

ARTIFACT_BYTES_MAX: Final = 1024 * 1024


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something the gateway itself read from a system of record; never what the agent claims.

    `value` is None when it could not be read. `against` is a sentence when the fact contradicts
    the action.
    """

    name: str
    value: str | int | bool | None
    source: str
    against: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the rendering that a reviewer sees: a label and the literal text."""

    label: str
    text: str


def encode_artifact(
    *,
    desk: str,
    proposal: str,
    nonce: str,
    kind: str,
    connector: str,
    connector_version: str,
    customer: str | None,
    params: Params,
    request: dict[str, object],
) -> bytes:
    """The canonical bytes of an artifact, the literal thing; at most 1 MiB.

    `params` is what was asked, `request` the full outgoing request as the connector will send it;
    it comes from a connector, so it is checked like anything from outside.
    """
    check_plain(request)
    data = canonical(
        {
            "desk": desk,
            "proposal": proposal,
            "nonce": nonce,
            "kind": kind,
            "connector": connector,
            "connector_version": connector_version,
            "customer": customer,
            "params": params,
            "request": request,
        }
    )
    if len(data) > ARTIFACT_BYTES_MAX:
        raise InvalidInput("too_large", "the action is longer than 1 MiB")
    return data


def digest_of(data: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def statement_digest(
    *, artifact: str, rendering: str, facts: str, policy: str, desk: str, nonce: str
) -> str:
    """What a review binds: artifact + rendering + facts + policy + desk + nonce, as one digest."""
    statement = {
        "artifact": artifact,
        "rendering": rendering,
        "facts": facts,
        "policy": policy,
        "desk": desk,
        "nonce": nonce,
    }
    return digest_of(canonical(statement))
