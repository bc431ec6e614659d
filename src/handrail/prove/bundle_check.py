"""Checking a bundle with nothing but the desk's public key: no desk, no network, no clock."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from handrail.core import merkle
from handrail.core.artifact import digest_of
from handrail.core.canonical import canonical
from handrail.core.entry import decode_entry, row_commitment
from handrail.core.note import (
    Checkpoint,
    VerifierKey,
    is_signed_by,
    parse_checkpoint,
    parse_note,
)
from handrail.core.passkey import key_name
from handrail.errors import HandrailError, InvalidInput
from handrail.policy.loader import digest_body
from handrail.prove.bundle import FILES, MANIFEST, Proved, ProvedEntry, packed
from handrail.prove.life import odd_content, odd_escalations
from handrail.prove.rows import Kept, odd_kept
from handrail.prove.verify import Verify
from handrail.store.protocol import LoggedEntry, PolicyVersion

__all__ = ["BUNDLE_BYTES_MAX", "BundleReport", "check_bundle"]

BUNDLE_BYTES_MAX: Final = 512 * 1024 * 1024
_HEAD_LINES: Final = 4
T = TypeVar("T")


class BundleReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle shows: whose life, exported when, how much of it; `wrong` is what does not fit.

    `signed` counts approvals that a passkey signed, `erased` actions whose content is gone.
    """

    about: str
    made: str
    desk: str
    size: int
    actions: int
    entries: int
    signed: int
    erased: int
    wrong: tuple[str, ...]


def check_bundle(data: bytes, key: VerifierKey, verify: Verify) -> BundleReport:
    """Check everything in a bundle. `verify(message, signature)` is that of `key`.

    Raises InvalidInput `bundle_malformed` for what is no bundle, or is not signed by that key at
    all: then nothing in it is worth reading.
    """
    texts = _unpacked(data)
    body, about, made = _manifest(texts, key, verify)
    wrong = [*_files(texts, body, key)]
    origin = body.split("\n", 1)[0]
    checkpoint = _checkpoint(texts["checkpoint.txt"], key, verify)
    if checkpoint is None or checkpoint.origin != origin:
        wrong.append("checkpoint.txt is not signed by that key, for this desk")
    if packed(texts) != data:
        wrong.append("the zip file itself is not as it was written")
    proofs = _read(texts, "entries.jsonl", ProvedEntry, wrong)
    lives = _read(texts, "actions.jsonl", Proved, wrong)
    policies = _read(texts, "policies.jsonl", PolicyVersion, wrong)
    desk = origin.removeprefix("handrail/")
    if checkpoint is not None:
        wrong += _inclusions(proofs, checkpoint)
    entries = [*_entries(proofs, wrong)]
    wrong += [f"{one} is no entry of this desk" for one in _strangers(entries, desk)]
    for life in lives:
        wrong += [f"{life.proposal.id}: {what}" for what in _life(life, desk, entries, policies)]
    return BundleReport(
        about=about,
        made=made,
        desk=desk,
        size=0 if checkpoint is None else checkpoint.size,
        actions=len(lives),
        entries=len(entries),
        signed=sum(len(life.assertions) for life in lives),
        erased=sum(life.erased for life in lives),
        wrong=tuple(wrong),
    )


def _unpacked(data: bytes) -> dict[str, bytes]:
    if len(data) > BUNDLE_BYTES_MAX:
        raise _malformed(f"longer than {BUNDLE_BYTES_MAX} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sorted(one.filename for one in members) != sorted((*FILES, MANIFEST)):
                raise _malformed("it has not the files of a bundle")
            if any(one.compress_type != zipfile.ZIP_STORED for one in members):
                raise _malformed("its files are compressed, which handrail never does")
            return {one.filename: archive.read(one) for one in members}
    except InvalidInput:
        raise
    except Exception as error:
        # WHY NOT: name what zipfile raises. A file that was damaged on purpose raises anything.
        raise _malformed(f"it cannot be read as a zip file ({type(error).__name__})") from None


def _manifest(texts: Mapping[str, bytes], key: VerifierKey, verify: Verify) -> tuple[str, str, str]:
    """The body of the manifest, whose life it is about, and when it was made."""
    try:
        body, signatures = parse_note(texts[MANIFEST].decode())
    except (HandrailError, UnicodeDecodeError):
        raise _malformed("its manifest is not a signed note") from None
    lines = body.split("\n")
    if not is_signed_by(body, signatures, key, verify) or len(lines) <= _HEAD_LINES:
        raise _malformed("its manifest is not signed by that key")
    if lines[1] != "proof of records":
        raise _malformed("its manifest is a note about something else")
    return body, lines[2], lines[3]


def _files(texts: Mapping[str, bytes], body: str, key: VerifierKey) -> Iterator[str]:
    listed = body.split("\n")[_HEAD_LINES:]
    if listed != [*(f"{digest_of(texts[name])} {name}" for name in FILES), ""]:
        known = dict(zip(FILES, listed, strict=False))
        for name in FILES:
            if known.get(name) != f"{digest_of(texts[name])} {name}":
                yield f"{name} was changed after the export"
    # One key may sign more than once; the text itself must still be what is read here.
    if texts["key.txt"] != f"{key.text()}\n".encode():
        yield "key.txt is another key"


def _checkpoint(text: bytes, key: VerifierKey, verify: Verify) -> Checkpoint | None:
    try:
        body, signatures = parse_note(text.decode())
        if not is_signed_by(body, signatures, key, verify):
            return None
        return parse_checkpoint(body)
    except (HandrailError, UnicodeDecodeError):
        return None


def _read(texts: Mapping[str, bytes], name: str, kind: type[T], wrong: list[str]) -> list[T]:
    """The records of a file, each of which must be written as it is written."""
    found = []
    for line in texts[name].splitlines(keepends=True):
        try:
            record = msgspec.json.decode(line, type=kind)
            if canonical(record) + b"\n" != line:
                raise ValueError
        except (msgspec.MsgspecError, HandrailError, ValueError, TypeError):
            wrong.append(f"{name} has a line that cannot be read")
            continue
        found.append(record)
    return found


def _inclusions(proofs: Sequence[ProvedEntry], checkpoint: Checkpoint) -> Iterator[str]:
    for one in proofs:
        try:
            path = [bytes.fromhex(node) for node in one.path]
        except ValueError:
            path = []
        hashed = merkle.leaf_hash(one.leaf.encode())
        if not merkle.verify_inclusion(hashed, one.index, checkpoint.size, path, checkpoint.root):
            yield f"entry {one.index} is not in the log that was signed"


def _entries(proofs: Sequence[ProvedEntry], wrong: list[str]) -> Iterator[LoggedEntry]:
    before = -1
    for one in proofs:
        if one.index <= before:
            wrong.append(f"entry {one.index} is not in its place")
        before = one.index
        try:
            leaf = one.leaf.encode()
            yield LoggedEntry(index=one.index, leaf=leaf, entry=decode_entry(leaf))
        except (msgspec.MsgspecError, UnicodeEncodeError):
            wrong.append(f"entry {one.index} cannot be read")


def _strangers(entries: Sequence[LoggedEntry], desk: str) -> list[int]:
    return [one.index for one in entries if one.entry.desk != desk]


def _life(
    life: Proved, desk: str, entries: Sequence[LoggedEntry], policies: Sequence[PolicyVersion]
) -> Iterator[str]:
    """Everything about one action that does not fit."""
    proposal = life.proposal
    own = tuple(one for one in entries if one.entry.proposal == proposal.id)
    if proposal.desk != desk or not own:
        yield "no entry of this desk's log is about it"
        return
    kept = Kept(
        proposal=proposal,
        entries=own,
        reviews=life.reviews,
        assertions=life.assertions,
        passkeys=life.passkeys,
    )
    for what, _ in (*odd_kept(kept), *odd_escalations(kept, life.escalations)):
        yield what
    yield from _keys(life, entries)
    if life.erased != (life.content is None):
        yield "its content is missing, and no customer was erased"
    if life.content is not None:
        yield from odd_content(proposal, life.content)
    bodies = [one.body for one in policies if one.digest == proposal.policy]
    if len(bodies) != 1 or _digest(bodies[0]) != proposal.policy:
        yield "the policy that decided it is not the one of its digest"


def _keys(life: Proved, entries: Sequence[LoggedEntry]) -> Iterator[str]:
    """Passkeys that the log had not named before they signed."""
    first = min((review.at for review in life.reviews), default=0)
    for passkey in life.passkeys:
        name = f"passkey:{key_name(passkey.id)}"
        added = msgspec.structs.replace(passkey, revoked_at=None)
        said = [one.entry.rows.get(name) for one in entries if one.entry.at <= first]
        if row_commitment(added) not in said:
            yield "a passkey that signed is not one that the log had named before"


def _digest(body: str) -> str:
    try:
        return digest_body(body)
    except (msgspec.MsgspecError, HandrailError, TypeError):
        return ""


def _malformed(why: str) -> InvalidInput:
    return InvalidInput("bundle_malformed", f"this is no proof that can be checked: {why}")
