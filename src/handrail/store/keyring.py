"""The keys of a desk's directory: one that signs checkpoints, one that seals content.

They lie in files of their own, outside the database, readable by their owner only. A database
remembers which keys it was made with, so that a missing, edited or foreign key file is refused
before anything is read or written with it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handrail.core.note import (
    SignerKey,
    VerifierKey,
    parse_signer_key,
    sign_note,
    verifier_key,
)
from handrail.errors import HandrailError, SetupFailed
from handrail.store.durable import sync_folder

__all__ = ["Keyring"]

KEY_NAME: Final = "handrail"
_LOG_FILE: Final = "log.key"
_VAULT_FILE: Final = "vault.key"
_VAULT_PREFIX: Final = "handrail-vault-key-1"
_CHECK_CHARS: Final = 8


class Keyring:
    """The opened keys of one directory."""

    def __init__(self, *, seed: bytes, vault_key: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.vault_key = vault_key
        self.verifier: VerifierKey = verifier_key(KEY_NAME, _public_of(seed))

    def sign(self, body: str) -> str:
        """A signed note over `body`."""
        return sign_note(body, self.verifier, self._private.sign)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature over the message is this key's."""
        try:
            self._private.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @classmethod
    def create(cls, folder: Path, entropy: Callable[[int], bytes]) -> Keyring:
        """Make new keys in `folder`, both or none; refuses to overwrite."""
        seed, vault_key = entropy(32), entropy(32)
        signer = SignerKey(public=verifier_key(KEY_NAME, _public_of(seed)), seed=seed)
        # Made beside and moved as one: a crash leaves no folder with half of the keys.
        making = folder.with_name(f".{folder.name}.new")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(mode=0o700)
            _write_secret(making / _LOG_FILE, signer.text())
            _write_secret(making / _VAULT_FILE, _vault_text(vault_key))
            sync_folder(making)
            making.rename(folder)
            sync_folder(folder.parent)
        except OSError as error:
            shutil.rmtree(making, ignore_errors=True)
            raise SetupFailed(
                "directory_unwritable", f"cannot write keys in `{folder}`: {error.strerror}"
            ) from None
        return cls(seed=seed, vault_key=vault_key)

    @classmethod
    def load(cls, folder: Path) -> Keyring:
        """Read the keys of `folder`.

        Raises SetupFailed `key_missing` or `key_malformed`; no message repeats any of a key.
        """
        signer_text = _read_secret(folder / _LOG_FILE)
        vault_text = _read_secret(folder / _VAULT_FILE)
        try:
            signer = parse_signer_key(signer_text.strip(), _public_of)
        except HandrailError:
            raise _malformed(folder / _LOG_FILE) from None
        return cls(seed=signer.seed, vault_key=_vault_key_of(vault_text, folder / _VAULT_FILE))


def _public_of(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _write_secret(path: Path, text: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise SetupFailed(
            "key_missing", f"the key file `{path}` is missing; put it back from your backup"
        ) from None
    except UnicodeDecodeError:
        raise _malformed(path) from None
    except OSError as error:
        raise SetupFailed("key_missing", f"cannot read `{path}`: {error.strerror}") from None


def _vault_text(key: bytes) -> str:
    check = hashlib.sha256(key).hexdigest()[:_CHECK_CHARS]
    return f"{_VAULT_PREFIX}+{check}+{b64encode(key).decode()}"


def _vault_key_of(text: str, path: Path) -> bytes:
    prefix, _, rest = text.strip().partition("+")
    check, _, encoded = rest.partition("+")
    try:
        key = b64decode(encoded, validate=True)
    except Base64Error:
        raise _malformed(path) from None
    if prefix != _VAULT_PREFIX or len(key) != 32 or _vault_text(key) != text.strip():
        raise _malformed(path)
    if check != hashlib.sha256(key).hexdigest()[:_CHECK_CHARS]:
        raise _malformed(path)
    return key


def _malformed(path: Path) -> SetupFailed:
    return SetupFailed(
        "key_malformed", f"the key file `{path}` was changed; put it back from your backup"
    )
