"""Signed notes and checkpoints as text: C2SP signed-note and tlog-checkpoint.

A note is a body that ends in a newline, an empty line, and signature lines. A checkpoint is a note
whose body is origin, tree size and root hash. Signing itself is somebody else's: functions here
take `sign(message) -> signature` or `verify(message, signature) -> bool` as arguments, so that no
key library is needed in the core. Signatures are Ed25519 unless another algorithm byte is given.

Key texts are written as the Go checksum database's tools write them, so that those read ours.
No error message repeats any part of a key.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from handrail.core.canonical import quoted
from handrail.core.merkle import HASH_BYTES
from handrail.errors import InvalidInput

__all__ = [
    "ED25519",
    "NOTE_CHARS_MAX",
    "SIGNATURES_MAX",
    "Checkpoint",
    "Signature",
    "SignerKey",
    "VerifierKey",
    "is_signed_by",
    "key_hash",
    "parse_checkpoint",
    "parse_note",
    "parse_signer_key",
    "parse_verifier_key",
    "sign_note",
    "signed",
    "verifier_key",
]

ED25519: Final = 0x01
"""Algorithm byte of plain Ed25519 signatures."""

NOTE_CHARS_MAX: Final = 1_000_000
"""Longest note that is read, in characters."""

SIGNATURES_MAX: Final = 100
"""Most signature lines that are read; the format asks for at least 16."""

_KEY_HASH_BYTES: Final = 4
_KEY_BYTES: Final = 32
_SIZE_MAX: Final = 2**63 - 1
_PRIVATE: Final = "PRIVATE+KEY+"
_DASH: Final = "\N{EM DASH} "

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes], bool]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a log promises at one size: its origin (a unique name), leaf count and root hash.

    Raises InvalidInput `note_malformed` for an origin that is empty or holds a control character,
    a size outside 0 to 2^63 - 1 or a root that is not 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or not _is_note_text(self.origin) or "\n" in self.origin:
            raise _malformed("the origin of a checkpoint is one line of text")
        if not 0 <= self.size <= _SIZE_MAX:
            raise _malformed("the size of a checkpoint is a whole number from zero up")
        if len(self.root) != HASH_BYTES:
            raise _malformed(f"the root of a checkpoint is `{HASH_BYTES}` bytes")

    def body(self) -> str:
        """Return the text that is signed: origin, size and root in base64, each on its line."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


class Signature(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One signature line of a note: who signed (name and key hash), and the signature's bytes."""

    name: str
    key_hash: bytes
    signature: bytes

    def line(self) -> str:
        """Return the line as it stands in the note, newline included."""
        return f"{_DASH}{self.name} {_base64(self.key_hash + self.signature)}\n"


class VerifierKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A public key under a name; made by `verifier_key` or `parse_verifier_key`."""

    name: str
    key_hash: bytes
    public_key: bytes

    def text(self) -> str:
        """Return `name+hexhash+base64(0x01 || public key)`."""
        return _key_text(self.name, self.key_hash, self.public_key)


class SignerKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A private key: its public half and the 32-byte seed. Its `repr` does not show the seed."""

    public: VerifierKey
    seed: bytes

    def text(self) -> str:
        """Return `PRIVATE+KEY+name+hexhash+base64(0x01 || seed)`. Secret."""
        return _PRIVATE + _key_text(self.public.name, self.public.key_hash, self.seed)

    def __repr__(self) -> str:
        return f"SignerKey(public={self.public!r}, seed=...)"


def key_hash(name: str, public_key: bytes, algorithm: int = ED25519) -> bytes:
    """Return the key's 4-byte id: the first of SHA-256(name || newline || algorithm || key)."""
    named = name.encode() + b"\n" + bytes((algorithm,)) + public_key
    return sha256(named).digest()[:_KEY_HASH_BYTES]


def verifier_key(name: str, public_key: bytes) -> VerifierKey:
    """Return the Ed25519 verifier key of that name.

    Raises InvalidInput `key_malformed` unless the name is non-empty, without spaces, plus signs
    and control characters, and the key is 32 bytes.
    """
    if not _is_key_name(name):
        raise _bad_key("a key's name has no spaces, plus signs or control characters")
    if len(public_key) != _KEY_BYTES:
        raise _bad_key(f"a public key is `{_KEY_BYTES}` bytes")
    return VerifierKey(name=name, key_hash=key_hash(name, public_key), public_key=public_key)


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a verifier key's text, without any surrounding space or newline.

    Raises InvalidInput `key_malformed` for anything else, another algorithm included, and for a
    key hash that does not belong to the name and key.
    """
    name, claimed, public_key = _key_parts(text)
    key = verifier_key(name, public_key)
    if key.key_hash.hex() != claimed:
        raise _bad_key("the key does not belong to that name")
    return key


def parse_signer_key(text: str, public_key_of: Callable[[bytes], bytes]) -> SignerKey:
    """Read a signer key's text; `public_key_of(seed)` gives the Ed25519 public key of a seed.

    Raises InvalidInput `key_malformed` for anything else, and for a key hash that does not belong
    to the name and key: a key with one wrong character never signs anything.
    """
    if not text.startswith(_PRIVATE):
        raise _bad_key("this is not a private key")
    name, claimed, seed = _key_parts(text.removeprefix(_PRIVATE))
    key = verifier_key(name, public_key_of(seed))
    if key.key_hash.hex() != claimed:
        raise _bad_key("the key does not belong to that name")
    return SignerKey(public=key, seed=seed)


def signed(body: str, name: str, key_hash: bytes, signature: bytes) -> str:
    """Return the note with one signature line; `signature` is over the UTF-8 bytes of `body`.

    Raises InvalidInput `note_malformed` when the parts do not make a note that can be read back.
    """
    if not body.endswith("\n") or not _is_note_text(body):
        raise _malformed("a note's text ends in a newline and has no control characters")
    if not _is_key_name(name) or len(key_hash) != _KEY_HASH_BYTES or not signature:
        raise _malformed("a signature line needs a name, a key hash and a signature")
    return f"{body}\n{Signature(name=name, key_hash=key_hash, signature=signature).line()}"


def sign_note(body: str, key: VerifierKey, sign: Sign) -> str:
    """Return the note signed by `sign`, which holds the private half of `key`."""
    return signed(body, key.name, key.key_hash, sign(body.encode()))


def parse_note(text: str) -> tuple[str, tuple[Signature, ...]]:
    """Split a note into its body (with its last newline) and its signatures, verifying nothing.

    Nothing in the body may be believed before `is_signed_by` is True for a trusted key.

    Raises InvalidInput `note_malformed` for text that is not exactly in the format: control
    characters, no empty line, a signature line of another form, none or more than
    `SIGNATURES_MAX` of them, or more than `NOTE_CHARS_MAX` characters.
    """
    if len(text) > NOTE_CHARS_MAX:
        raise _malformed(f"longer than `{NOTE_CHARS_MAX}` characters")
    if not _is_note_text(text):
        raise _malformed("a note has no control characters")
    body, found, lines = text.rpartition("\n\n")
    if not found or not lines.endswith("\n"):
        raise _malformed("a note is a text, an empty line and signature lines")
    rows = lines.removesuffix("\n").split("\n")
    if len(rows) > SIGNATURES_MAX:
        raise _malformed(f"more than `{SIGNATURES_MAX}` signatures")
    return f"{body}\n", tuple(_parse_signature(row) for row in rows)


def is_signed_by(
    body: str, signatures: Sequence[Signature], key: VerifierKey, verify: Verify
) -> bool:
    """Return whether `key` signed the body: its name and hash are there, and `verify` agrees.

    False also when one of several signatures by that key fails: the format says to reject then.
    """
    own = [one for one in signatures if (one.name, one.key_hash) == (key.name, key.key_hash)]
    message = body.encode()
    return bool(own) and all(verify(message, one.signature) for one in own)


def parse_checkpoint(body: str) -> Checkpoint:
    """Read a note's body as a checkpoint. Extension lines, if any, are left out of the answer.

    Raises InvalidInput `note_malformed` for anything that is not a checkpoint: leading zeros in the
    size, a root of another length, an empty line.
    """
    lines = body.split("\n")
    if len(lines) < 4 or lines.pop() != "" or "" in lines:
        raise _malformed("a checkpoint is an origin, a size and a root, each on its line")
    origin, digits, root = lines[:3]
    if not digits.isascii() or not digits.isdigit() or len(digits) > len(str(_SIZE_MAX)):
        raise _malformed(f"the size {quoted(digits)} is not a whole number")
    if digits != str(int(digits)):
        raise _malformed(f"the size {quoted(digits)} has leading zeros")
    decoded = _from_base64(root)
    if decoded is None:
        raise _malformed("the root is not base64")
    return Checkpoint(origin=origin, size=int(digits), root=decoded)


def _parse_signature(row: str) -> Signature:
    name, space, encoded = row.removeprefix(_DASH).partition(" ")
    decoded = _from_base64(encoded)
    if not (row.startswith(_DASH) and space and _is_key_name(name) and decoded):
        raise _malformed(f"the signature line {quoted(row)} is not of the right form")
    if len(decoded) <= _KEY_HASH_BYTES:
        raise _malformed(f"the signature line {quoted(row)} is too short")
    return Signature(
        name=name, key_hash=decoded[:_KEY_HASH_BYTES], signature=decoded[_KEY_HASH_BYTES:]
    )


def _key_parts(text: str) -> tuple[str, str, bytes]:
    """Return name, key hash in hex and the 32 key bytes; the key itself may contain a plus."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise _bad_key("a key is a name, a hash and the key, with plus signs between")
    name, claimed, encoded = parts
    decoded = _from_base64(encoded)
    if decoded is None or len(decoded) != 1 + _KEY_BYTES or decoded[0] != ED25519:
        raise _bad_key("this is not an Ed25519 key")
    return name, claimed, decoded[1:]


def _key_text(name: str, hashed: bytes, key: bytes) -> str:
    return f"{name}+{hashed.hex()}+{_base64(bytes((ED25519,)) + key)}"


def _is_key_name(name: str) -> bool:
    return (
        bool(name)
        and "+" not in name
        and not any(character.isspace() for character in name)
        and _is_note_text(name)
    )


def _is_note_text(text: str) -> bool:
    """Return whether text is valid Unicode without ASCII control characters but newline."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        return False
    return not any(byte < 0x20 and byte != 0x0A for byte in encoded)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: str) -> bytes | None:
    """Return the bytes, or None unless the text is exactly how they are written."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if _base64(data) == text else None


def _malformed(message: str) -> InvalidInput:
    return InvalidInput("note_malformed", message)


def _bad_key(message: str) -> InvalidInput:
    return InvalidInput("key_malformed", message)
