"""Once per key: the row in `effects` and the effect itself are one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

import apsw
import msgspec

from handrail.connectors.protocol import NotDone, Receipt
from handrail.core.canonical import canonical

__all__ = ["Stamp", "do_once", "receipt_of", "request_digest"]

ID_DIGITS: Final = 20
"""Hexadecimal digits of the id that an effect gets: 80 bits of the key's hash."""

_DECODER: Final = msgspec.json.Decoder(Receipt)


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Under which idempotency key something is done, and when."""

    key: str
    now: int

    def effect_id(self, prefix: str) -> str:
        """The id of what is made: the same key gives the same id, on any machine."""
        return f"{prefix}-{hashlib.sha256(self.key.encode()).hexdigest()[:ID_DIGITS]}"


def request_digest(kind: str, request: Mapping[str, object]) -> str:
    """SHA-256 (hex) over the kind and the whole request."""
    return hashlib.sha256(canonical({"kind": kind, "request": dict(request)})).hexdigest()


def do_once(
    db: apsw.Connection,
    *,
    kind: str,
    digest: str,
    stamp: Stamp,
    perform: Callable[[apsw.Connection, Stamp], Receipt],
) -> Receipt:
    """Perform it unless the key is known; a known key answers with the receipt of the first time.

    Raises NotDone when the key was used for another request, and whatever `perform` raises.
    """
    row = db.execute(
        "SELECT request_digest, receipt FROM effects WHERE key = ?", (stamp.key,)
    ).fetchone()
    if row is not None:
        known, receipt = row
        if known != digest:
            raise NotDone("the key was used for another request, and this one was not done")
        return _DECODER.decode(str(receipt))
    done = perform(db, stamp)
    db.execute(
        "INSERT INTO effects (key, kind, request_digest, receipt, done_at) VALUES (?, ?, ?, ?, ?)",
        (stamp.key, kind, digest, msgspec.json.encode(done).decode(), stamp.now),
    )
    return done


def receipt_of(db: apsw.Connection, *, kind: str, key: str) -> Receipt | None:
    """The receipt of what was done under a key, or None when nothing of that kind was."""
    row = db.execute(
        "SELECT receipt FROM effects WHERE key = ? AND kind = ?", (key, kind)
    ).fetchone()
    return None if row is None else _DECODER.decode(str(row[0]))
