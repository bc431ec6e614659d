"""Signed notes and checkpoints: the reference example byte for byte, and nothing else gets in."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.note import (
    NOTE_CHARS_MAX,
    SIGNATURES_MAX,
    Checkpoint,
    Signature,
    SignerKey,
    VerifierKey,
    is_signed_by,
    key_hash,
    parse_checkpoint,
    parse_note,
    parse_signer_key,
    parse_verifier_key,
    sign_note,
    signed,
    verifier_key,
)
from handrail.errors import InvalidInput

# The example of the format's reference implementation (Go's sumdb/note): keys, text and note.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpR"
    "Zb6KE6RyyBwJnAM=\n"
)
NOTE = f"{TEXT}\n{LINE}"

# The example of the tlog-checkpoint specification.
CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q"
    "1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)

SEED = bytes(range(32))


def public_key_of(seed: bytes) -> bytes:
    """The Ed25519 public key of a seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign_with(seed: bytes) -> Any:
    """A signing function that holds a private key."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign


def verify_with(key: VerifierKey) -> Any:
    """A verifying function for a public key."""

    def verify(message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verify


def refusal(call: Any, *args: Any, **options: Any) -> str:
    """The code of the InvalidInput that a call must raise."""
    with pytest.raises(InvalidInput) as caught:
        call(*args, **options)
    return caught.value.code


def opens(note: str, key: VerifierKey) -> bool:
    """Whether the note can be read and the key has signed it."""
    return is_signed_by(*parse_note(note), key, verify_with(key))


def test_reference_example_is_written_byte_for_byte() -> None:
    """From the published private key to the published note."""
    key = parse_signer_key(SKEY, public_key_of)
    assert sign_note(TEXT, key.public, sign_with(key.seed)) == NOTE
    assert key.public.text() == VKEY
    assert key.text() == SKEY


def test_reference_example_is_read() -> None:
    """From the published note back to its text and signature."""
    key = parse_verifier_key(VKEY)
    body, signatures = parse_note(NOTE)
    assert body == TEXT
    assert [(one.name, one.key_hash.hex()) for one in signatures] == [("PeterNeumann", "c74f20a3")]
    assert opens(NOTE, key)
    assert signatures[0].line() == LINE


def test_checkpoint_example_is_read_and_written() -> None:
    """The specification's checkpoint, there and back."""
    body, signatures = parse_note(CHECKPOINT)
    checkpoint = parse_checkpoint(body)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.root.hex().startswith("0ac5186a91863e8e1d90c808014aa89b")
    assert checkpoint.body() == body
    (line,) = signatures
    assert signed(body, line.name, line.key_hash, line.signature) == CHECKPOINT


def test_key_hash_is_the_start_of_a_sha_256() -> None:
    """SHA-256(name || newline || algorithm || public key), the first four bytes."""
    public = public_key_of(SEED)
    wanted = sha256(b"desk.example/log\n\x01" + public).digest()[:4]
    assert key_hash("desk.example/log", public) == wanted
    assert key_hash("desk.example/log", public, 0x04) != wanted


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"], exclude_characters="+"), min_size=1)
)
def test_keys_are_read_back(name: str) -> None:
    """Any name without spaces, plus signs and controls makes keys that can be read again."""
    key = SignerKey(public=verifier_key(name, public_key_of(SEED)), seed=SEED)
    assert parse_verifier_key(key.public.text()) == key.public
    assert parse_signer_key(key.text(), public_key_of) == key


def test_mangled_keys_are_refused() -> None:
    """Every part of the published key, and every one-character change, in both halves."""
    for text, parse in (
        (VKEY, parse_verifier_key),
        (SKEY, lambda skey: parse_signer_key(skey, public_key_of)),
    ):
        for start in range(len(text)):
            for end in range(start + 1, len(text) + 1):
                if (start, end) != (0, len(text)):
                    assert refusal(parse, text[start:end]) == "key_malformed"
        for at, character in enumerate(text):
            changed = text[:at] + chr(ord(character) + 1) + text[at + 1 :]
            assert refusal(parse, changed) == "key_malformed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "++",
        f" {VKEY}",
        f"{VKEY}\n",
        f"{VKEY}=",
        VKEY.replace("c74f20a3", "C74F20A3"),
        VKEY.replace("c74f20a3", "0c74f20a3"),
        VKEY.replace("PeterNeumann", "Peter Neumann"),
        VKEY.replace("+ARpc", "+Bxpc"),
        VKEY.removesuffix("TW") + "\u00e9\u00e9",
        SKEY,
        "\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_malformed_verifier_keys(text: str) -> None:
    """Spaces, another algorithm, upper case, a private key: not a verifier key."""
    assert refusal(parse_verifier_key, text) == "key_malformed"


@pytest.mark.parametrize(
    ("name", "public"),
    [("", SEED), ("a b", SEED), ("a+b", SEED), ("a\u2003b", SEED), ("a\nb", SEED), ("a\x00", SEED),
     ("\udc00", SEED), ("a", SEED[:31]), ("a", b"")],
)  # fmt: skip
def test_keys_that_cannot_be_made(name: str, public: bytes) -> None:
    """A name or a key that the text form could not carry."""
    assert refusal(verifier_key, name, public) == "key_malformed"


def test_no_message_and_no_repr_repeats_a_private_key() -> None:
    """Whatever is wrong with a private key, its text is not printed."""
    secret = SKEY.rsplit("+", 1)[1]
    for text in (SKEY[:-1], SKEY.replace("c74f", "d74f"), SKEY.removeprefix("PRIVATE"), secret):
        with pytest.raises(InvalidInput) as caught:
            parse_signer_key(text, public_key_of)
        assert secret[:12] not in str(caught.value)
    key = parse_signer_key(SKEY, public_key_of)
    shown = f"{key!r} {key}"
    assert "PeterNeumann" in shown
    assert repr(key.seed)[2:-1] not in shown


def test_only_the_signed_bytes_verify() -> None:
    """A changed text, name, hash or signature is not signed by the key."""
    key = parse_verifier_key(VKEY)
    assert not opens(NOTE.replace("answer", "Answer"), key)
    assert not opens(NOTE.replace("— PeterNeumann", "— PeterNeumanN"), key)
    assert not opens(NOTE.replace("— PeterNeumann x0", "— PeterNeumann x1"), key)
    assert not opens(NOTE.replace("JnAM=", "JnBM="), key)
    assert not opens(NOTE, verifier_key("PeterNeumann", public_key_of(SEED)))


def test_strangers_signatures_are_left_alone() -> None:
    """Other people's lines do not matter; one bad line under the own key does."""
    key = parse_verifier_key(VKEY)
    stranger = Signature(name="witness.example", key_hash=b"\x01\x02\x03\x04", signature=b"x" * 72)
    forged = Signature(name=key.name, key_hash=key.key_hash, signature=b"x" * 64)
    assert opens(f"{NOTE}{stranger.line()}", key)
    assert opens(f"{TEXT}\n{stranger.line()}{LINE}", key)
    assert not opens(f"{TEXT}\n{stranger.line()}", key)
    assert not opens(f"{NOTE}{forged.line()}", key)
    assert not opens(f"{TEXT}\n{forged.line()}{LINE}", key)


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n"), max_size=80)
)
def test_any_text_is_signed_and_read_back(text: str) -> None:
    """Empty lines and look-alike signature lines in the text do not confuse the reader."""
    key = verifier_key("desk.example/log", public_key_of(SEED))
    note = sign_note(f"{text}\n", key, sign_with(SEED))
    assert parse_note(note)[0] == f"{text}\n"
    assert opens(note, key)


def test_a_note_inside_a_note_is_only_text() -> None:
    """A text that ends in somebody's signature lines is not signed by them."""
    key = verifier_key("desk.example/log", public_key_of(SEED))
    outer = sign_note(NOTE, key, sign_with(SEED))
    assert opens(outer, key)
    assert not opens(outer, parse_verifier_key(VKEY))
    assert parse_note(outer)[0] == NOTE


MALFORMED_NOTES = [
    "",
    "\n",
    "\n\n",
    TEXT,
    f"{TEXT}\n",
    f"{TEXT}{LINE}",
    NOTE.removesuffix("\n"),
    f"{NOTE}\n",
    f"{NOTE}more\n",
    f"{TEXT}\n{LINE}\n{LINE}".replace("\n\n", "\n"),
    NOTE.replace("— ", "– "),
    NOTE.replace("— ", "- "),
    NOTE.replace("— ", "—"),
    NOTE.replace("— ", "—  "),
    NOTE.replace("PeterNeumann x", "PeterNeumann  x"),
    NOTE.replace("PeterNeumann ", "Peter+Neumann "),
    NOTE.replace("PeterNeumann ", "Peter\u2003Neumann "),
    NOTE.replace("PeterNeumann ", ""),
    NOTE.replace("x08go/", "x08go_"),
    NOTE.replace("JnAM=", "JnAM"),
    NOTE.replace("JnAM=", "JnAN="),
    NOTE.replace("JnAM=\n", "JnAM= \n"),
    f"{TEXT}\n— PeterNeumann \n",
    f"{TEXT}\n— PeterNeumann x08gow==\n",
    NOTE.replace("\n", "\r\n"),
    NOTE.replace("If", "I\tf"),
    NOTE.replace("If", "I\x00f"),
    NOTE.replace("If", "I\ud800f"),
    f"{TEXT}\n{LINE * (SIGNATURES_MAX + 1)}",
    f"{'x' * NOTE_CHARS_MAX}\n\n{LINE}",
]


@pytest.mark.parametrize("note", MALFORMED_NOTES, ids=lambda note: ascii(note)[-40:])
def test_malformed_notes(note: str) -> None:
    """Anything but text, an empty line and exact signature lines is refused."""
    assert refusal(parse_note, note) == "note_malformed"


def test_limits_themselves_pass() -> None:
    """The longest note, the most signatures (the format asks for 16) and the largest size."""
    text = "x" * (NOTE_CHARS_MAX - len(LINE) - 2)
    assert parse_note(f"{text}\n\n{LINE}")[0] == f"{text}\n"
    assert refusal(parse_note, f"x{text}\n\n{LINE}") == "note_malformed"
    assert parse_checkpoint(f"log\n{2**63 - 1}\n{ROOT}\n").size == 2**63 - 1
    assert SIGNATURES_MAX >= 16
    assert len(parse_note(f"{TEXT}\n{LINE * SIGNATURES_MAX}")[1]) == SIGNATURES_MAX


@pytest.mark.parametrize(
    ("body", "name", "hashed", "signature"),
    [
        ("no newline", "a", b"1234", b"s"),
        ("tab\t\n", "a", b"1234", b"s"),
        ("half \ud800\n", "a", b"1234", b"s"),
        ("text\n", "", b"1234", b"s"),
        ("text\n", "a b", b"1234", b"s"),
        ("text\n", "a\n— b", b"1234", b"s"),
        ("text\n", "a", b"123", b"s"),
        ("text\n", "a", b"1234", b""),
    ],
)
def test_notes_that_cannot_be_made(body: str, name: str, hashed: bytes, signature: bytes) -> None:
    """What could not be read back is not written."""
    assert refusal(signed, body, name, hashed, signature) == "note_malformed"


ORIGINS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)


@given(ORIGINS, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_are_read_back(origin: str, size: int, root: bytes) -> None:
    """Origin, size and root survive the text."""
    checkpoint = Checkpoint(origin=origin, size=size, root=root)
    assert parse_checkpoint(checkpoint.body()) == checkpoint
    assert checkpoint.body() == f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


ROOT = base64.b64encode(SEED).decode()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "log\n",
        "log\n5\n",
        f"log\n5\n{ROOT}",
        f"\n5\n{ROOT}\n",
        f"log\n\n5\n{ROOT}\n",
        f"log\n\n{ROOT}\n",
        f"log\n05\n{ROOT}\n",
        f"log\n00\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
        f"log\n+5\n{ROOT}\n",
        f"log\n5.0\n{ROOT}\n",
        f"log\n5 \n{ROOT}\n",
        f"log\n\u0665\n{ROOT}\n",
        f"log\n9223372036854775808\n{ROOT}\n",
        f"log\n{'9' * 5000}\n{ROOT}\n",
        f"log\n5\n{ROOT[:-4]}\n",
        f"log\n5\n{ROOT[:-1]}\n",
        f"log\n5\n{ROOT[:-2]}9=\n",
        f"log\n5\n {ROOT}\n",
        f"log\n5\n{ROOT}\n\n",
        f"log\n5\n{ROOT}\nextension\n\n",
        f"log\x00\n5\n{ROOT}\n",
    ],
)
def test_malformed_checkpoints(body: str) -> None:
    """A checkpoint has one spelling."""
    assert refusal(parse_checkpoint, body) == "note_malformed"


def test_extension_lines_are_left_out() -> None:
    """They are allowed and say nothing about the tree."""
    assert parse_checkpoint(f"log\n5\n{ROOT}\nextra\n") == Checkpoint(
        origin="log", size=5, root=SEED
    )


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 5, SEED),
        ("log\n999", 5, SEED),
        ("log\t", 5, SEED),
        ("\ud800", 5, SEED),
        ("log", -1, SEED),
        ("log", 2**63, SEED),
        ("log", 5, SEED[:31]),
    ],
)
def test_checkpoints_that_cannot_be_made(origin: str, size: int, root: bytes) -> None:
    """An origin that would frame another checkpoint, and numbers out of range."""
    made = refusal(Checkpoint, origin=origin, size=size, root=root)
    assert made == "note_malformed"
