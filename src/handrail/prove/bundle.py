"""A bundle: what a desk hands out about one action or one customer, to be checked elsewhere.

It is a zip file of plain texts: the entries with their inclusion proofs, the signed checkpoint that
they lead to, the rows and the content that the entries commit to, and a signed list of the digest
of every file. `bundle_check` needs nothing else but the desk's public key. The zip itself is
written in one way only, so that not a byte of it can differ.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from handrail.core import merkle
from handrail.core.artifact import digest_of
from handrail.core.canonical import canonical
from handrail.core.entry import Tag
from handrail.core.passkey import Assertion, Passkey, key_name
from handrail.core.proposal import Proposal
from handrail.core.review import Review
from handrail.engine.base.context import Signer
from handrail.engine.base.record import Content
from handrail.prove.life import Life, Showing
from handrail.store.protocol import Escalation, LoggedEntry, PolicyVersion, Tx

__all__ = [
    "FILES",
    "MANIFEST",
    "Proved",
    "ProvedEntry",
    "bundle_of",
    "manifest_head",
    "packed",
    "supports_of",
]

MANIFEST: Final = "manifest.txt"
FILES: Final = (
    "README.txt",
    "actions.jsonl",
    "checkpoint.txt",
    "entries.csv",
    "entries.jsonl",
    "key.txt",
    "policies.jsonl",
)
"""What the manifest lists, in this order."""
_PASSKEYS_MAX: Final = 1_000
_MADE: Final = (1980, 1, 1, 0, 0, 0)
_CALCULATES: Final = tuple("=+-@\t\r")


class ProvedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `entries.jsonl`: the leaf as text, and the hashes from it to the root."""

    index: int
    leaf: str
    path: tuple[str, ...]


class Proved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `actions.jsonl`: the life of an action without its entries.

    `erased` says that its customer was erased: then there is no content, answer or reason. `shown`
    is left out where nothing is kept of it: a bundle that is older reads the same.
    """

    proposal: Proposal
    reviews: tuple[Review, ...]
    reasons: dict[str, str]
    assertions: tuple[Assertion, ...]
    passkeys: tuple[Passkey, ...]
    escalations: tuple[Escalation, ...]
    said: dict[str, tuple[str, ...]]
    content: Content | None
    answer: dict[str, object] | None
    erased: bool
    shown: tuple[Showing, ...] = ()


def supports_of(tx: Tx, desk: str, lives: Iterable[Life]) -> list[LoggedEntry]:
    """The entries by which passkeys that signed something were added to their accounts."""
    found: dict[int, LoggedEntry] = {}
    for passkey in {one.id: one for life in lives for one in life.kept.passkeys}.values():
        name = f"passkey:{key_name(passkey.id)}"
        tag = Tag.PASSKEY_ADDED.value
        for logged in tx.log.tagged(desk, passkey.person, tag, most=_PASSKEYS_MAX):
            if name in logged.entry.rows:
                found[logged.index] = logged
    return list(found.values())


def bundle_of(
    tx: Tx, desk: str, lives: Sequence[Life], *, about: str, size: int, note: str, signer: Signer
) -> bytes:
    """The bundle about `lives`, in a snapshot in which `note` is the checkpoint of `size` entries.

    `about` says in a few words whose life it is. Every entry must be under the checkpoint.
    """
    entries = {one.index: one for life in lives for one in life.kept.entries}
    entries |= {one.index: one for one in supports_of(tx, desk, lives)}
    ordered = [entries[index] for index in sorted(entries)]

    @cache
    def hash_at(level: int, n: int) -> bytes:
        return tx.log.hash_at(desk, level, n)

    proofs = [
        ProvedEntry(
            index=one.index,
            leaf=one.leaf.decode(),
            path=tuple(h.hex() for h in merkle.inclusion_proof(one.index, size, hash_at)),
        )
        for one in ordered
    ]
    policies = {life.policy.digest: life.policy for life in lives if life.policy is not None}
    texts = {
        "README.txt": _readme(),
        "actions.jsonl": _lines(_proved(life) for life in lives),
        "checkpoint.txt": note.encode(),
        "entries.csv": _table(ordered),
        "entries.jsonl": _lines(proofs),
        "key.txt": f"{signer.verifier.text()}\n".encode(),
        "policies.jsonl": _lines(_by_version(policies)),
    }
    body = manifest_head(desk, about, tx.now) + "".join(
        f"{digest_of(texts[name])} {name}\n" for name in FILES
    )
    return packed({**texts, MANIFEST: signer.sign(body).encode()})


def manifest_head(desk: str, about: str, at: int) -> str:
    """The first lines of a manifest: no checkpoint begins like that."""
    made = datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"handrail/{desk}\nproof of records\n{about}\n{made}\n"


def packed(texts: Mapping[str, bytes]) -> bytes:
    """The zip file of these texts: nothing is compressed, and nothing depends on when or where."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(texts):
            info = zipfile.ZipInfo(name, _MADE)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, texts[name], zipfile.ZIP_STORED)
    return out.getvalue()


def _proved(life: Life) -> Proved:
    kept = life.kept
    return Proved(
        proposal=kept.proposal,
        reviews=kept.reviews,
        reasons=life.reasons,
        assertions=kept.assertions,
        passkeys=kept.passkeys,
        escalations=life.escalations,
        said=life.said,
        content=life.content,
        answer=life.answer,
        erased=life.erased,
        shown=life.shown,
    )


def _by_version(policies: Mapping[str, PolicyVersion]) -> list[PolicyVersion]:
    return sorted(policies.values(), key=lambda one: one.version)


def _lines(records: Iterable[msgspec.Struct]) -> bytes:
    return b"".join(canonical(one) + b"\n" for one in records)


def _table(entries: Iterable[LoggedEntry]) -> bytes:
    """The entries for a spreadsheet. What one would take for a formula is written as text."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("index", "time", "what", "who", "action", "facts"))
    for logged in entries:
        entry = logged.entry
        at = datetime.fromtimestamp(entry.at / 1000, UTC).isoformat(timespec="milliseconds")
        facts = "; ".join(f"{name}={value}" for name, value in sorted(entry.data.items()))
        cells = (at, entry.tag, entry.actor or "", entry.proposal or "", facts)
        rows.writerow((logged.index, *map(_cell, cells)))
    return out.getvalue().encode()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_CALCULATES) else text


def _readme() -> bytes:
    return resources.files("handrail.prove").joinpath("bundle.txt").read_bytes()
