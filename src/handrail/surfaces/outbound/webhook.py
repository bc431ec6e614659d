"""Webhooks, signed as the standard-webhooks specification says (version 1, HMAC-SHA256)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import Final

import msgspec

from handrail.core.canonical import canonical
from handrail.engine.telling.channels import SIGNING_PREFIX
from handrail.engine.telling.deliver import Parcel
from handrail.surfaces.outbound.egress import NotSent, post
from handrail.surfaces.outbound.words import SENTENCES, link_of

__all__ = ["send_webhook", "signature_of"]

_TYPE: Final = "handrail.notice"


def send_webhook(mail: Parcel, now: int) -> None:
    """Send it. Raises NotSent unless the answer is a success."""
    seconds = now // 1_000
    body = _body(mail, now)
    signed = signature_of(mail.secrets.signing, mail.letter.id, seconds, body)
    headers = {
        "content-type": "application/json",
        "webhook-id": mail.letter.id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signed,
    }
    status = post(mail.secrets.url, body, headers, inside=mail.channel.inside)
    if not 200 <= status < 300:
        raise NotSent(f"it answered {status}")


def signature_of(secret: str, id: str, seconds: int, body: bytes) -> str:
    """The value of `webhook-signature`: over id, time and body, so that none can be exchanged."""
    key = b64decode(secret.removeprefix(SIGNING_PREFIX))
    digest = hmac.digest(key, f"{id}.{seconds}.".encode() + body, hashlib.sha256)
    return f"v1,{b64encode(digest).decode()}"


def _body(mail: Parcel, now: int) -> bytes:
    items = [
        {
            "topic": item.topic.value,
            "says": SENTENCES[item.topic],
            "link": link_of(mail, item),
            "lines": [msgspec.structs.asdict(line) for line in item.lines],
        }
        for item in mail.items
    ]
    data = {"desk": mail.channel.desk, "items": items, "more": mail.more}
    return canonical({"type": _TYPE, "timestamp": now, "data": data})
