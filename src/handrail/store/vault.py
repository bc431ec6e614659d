"""Content, encrypted under a key per customer.

Artifacts, facts, prose and results lie sealed with AES-256-GCM under the key of the customer they
are about (or of the desk, when they are about none). The customer's key is sealed under the vault
key, which never lies in the database. Erasing a customer destroys the sealed key: the content and
the nonces inside it are then gone for good, while the log, which holds only digests over them,
still verifies.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from handrail.errors import NotFound, SetupFailed, Unavailable
from handrail.store.rows import Rows

__all__ = ["DESK_SUBJECT", "Keys", "Vault"]

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_REF_BYTES: Final = 12
_CACHE_MAX: Final = 10_000
DESK_SUBJECT: Final = ""
"""The customer id that stands for "no customer": content of the desk itself."""


class Keys:
    """The vault key's derived keys, and a bounded cache of opened customer keys."""

    def __init__(self, vault_key: bytes, entropy: Callable[[int], bytes]) -> None:
        if len(vault_key) != KEY_BYTES:
            raise SetupFailed("key_malformed", f"a vault key has {KEY_BYTES} bytes")
        self.entropy = entropy
        self.wrapping = AESGCM(_derived(vault_key, b"wrapping"))
        self._lookup = _derived(vault_key, b"lookup")
        self._fingerprint = _derived(vault_key, b"fingerprint")
        self.check = hmac.digest(vault_key, b"handrail vault check", "sha256").hex()
        self._refs: dict[tuple[str, str], str] = {}
        self._opened: dict[tuple[str, str], AESGCM] = {}
        self._gone: set[tuple[str, str]] = set()
        self.generation = 0

    def lookup_of(self, desk: str, customer: str) -> str:
        """A keyed hash by which a customer is found without storing the id."""
        text = f"{desk}\n{customer}".encode()
        return hashlib.blake2b(text, key=self._lookup, digest_size=16).hexdigest()

    def fingerprint_of(self, content: bytes) -> str:
        """A keyed hash of a request, to tell whether two are the same."""
        return hashlib.blake2b(content, key=self._fingerprint, digest_size=16).hexdigest()

    def known_ref(self, desk: str, customer: str) -> str | None:
        """The reference of a customer met lately."""
        return self._refs.get((desk, customer))

    def known_cipher(self, desk: str, ref: str) -> AESGCM | None:
        """The opened key of a reference met lately."""
        return self._opened.get((desk, ref))

    def remember(self, desk: str, ref: str, cipher: AESGCM, generation: int) -> None:
        """Keep an opened key at hand; never an erased customer's.

        `generation` is the one in which the transaction began that has read the key.
        """
        if generation != self.generation:
            return
        if len(self._opened) >= _CACHE_MAX:
            self._opened.clear()
        self._opened[desk, ref] = cipher
        # INVARIANT: a snapshot from before the erasure, read in another thread, brings no key back.
        if (desk, ref) in self._gone:
            self._opened.pop((desk, ref), None)

    def remember_refs(self, refs: dict[tuple[str, str], str], generation: int) -> None:
        """Keep references at hand that are certainly stored."""
        if generation != self.generation:
            return
        if len(self._refs) + len(refs) > _CACHE_MAX:
            self._refs.clear()
        self._refs.update(
            {(desk, who): ref for (desk, who), ref in refs.items() if (desk, ref) not in self._gone}
        )

    def forget_all(self) -> None:
        """Begin a new generation with nothing at hand: another process has erased somebody."""
        self.generation += 1
        self._opened.clear()
        self._refs.clear()

    def forget(self, desk: str, ref: str) -> None:
        """Drop an erased customer's key, for good."""
        self._gone.add((desk, ref))
        self._opened.pop((desk, ref), None)
        for key in [key for key, kept in self._refs.items() if kept == ref]:
            del self._refs[key]


def _derived(vault_key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(vault_key, b"handrail " + purpose, "sha256")


class Vault:
    """Sealed content by (id, slot), and the customers it is about by random reference.

    `erased` says that this transaction destroyed a key, so that the store wipes what is left of it.
    """

    def __init__(self, rows: Rows, keys: Keys) -> None:
        self._rows = rows
        self._keys = keys
        self._generation = keys.generation
        self._met: dict[tuple[str, str], str] = {}
        self._without: set[str] = set()
        self.erased = False

    def mark(self) -> int:
        """How many customers this transaction has met so far."""
        return len(self._met)

    def back_to(self, mark: int) -> None:
        """Forget whom a failed unit met: their rows are gone with it."""
        self._without.clear()
        while len(self._met) > mark:
            self._met.popitem()

    def settle(self) -> None:
        """After the commit: what this transaction met is durable and may be remembered."""
        self._keys.remember_refs(self._met, self._generation)

    def ref_of(self, desk: str, customer: str, now: int) -> str:
        """The random reference of a customer; made on first sight. Must run in a writing unit."""
        if customer == DESK_SUBJECT:
            self._without.discard(desk)
        known = self.find_ref(desk, customer)
        if known is not None:
            return known
        ref = "sub_" + self._keys.entropy(_REF_BYTES).hex()
        key = self._keys.entropy(KEY_BYTES)
        self._rows.put(
            "INSERT INTO subject (desk, ref, lookup, sealed_key, sealed_id, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                desk,
                ref,
                self._keys.lookup_of(desk, customer),
                self._sealed(self._keys.wrapping, key, f"{desk}/{ref}"),
                self._sealed(AESGCM(key), customer.encode(), f"{desk}/{ref}/id"),
                now,
            ),
        )
        return ref

    def is_nobody(self, desk: str, ref: str) -> bool:
        """Whether a reference is the desk's own: of what is about no customer.

        That there is none yet is asked once a transaction; whoever makes it asks again.
        """
        if desk in self._without:
            return False
        own = self.find_ref(desk, DESK_SUBJECT)
        if own is None:
            self._without.add(desk)
        return own == ref

    def find_ref(self, desk: str, customer: str) -> str | None:
        """The reference of a customer, if it is known."""
        known = self._keys.known_ref(desk, customer)
        if known is not None:
            return known
        row = self._rows.one(
            "SELECT ref FROM subject WHERE desk = ? AND lookup = ?",
            (desk, self._keys.lookup_of(desk, customer)),
        )
        if row is None:
            return None
        # WHY NOT: remember it at once. The row may be of a unit that is still rolled back.
        self._met[desk, customer] = str(row[0])
        return str(row[0])

    def erased_at(self, desk: str, ref: str) -> int | None:
        """When the customer behind a reference was erased; None for one who was not.

        Raises NotFound `subject_unknown` for a reference that was never made.
        """
        row = self._rows.one(
            "SELECT erased_at FROM subject WHERE desk = ? AND ref = ?", (desk, ref)
        )
        if row is None:
            raise NotFound("subject_unknown", "no customer has that reference")
        return None if row[0] is None else int(row[0])

    def customer_of(self, desk: str, ref: str) -> str | None:
        """The customer id behind a reference; None once erased."""
        row = self._rows.one(
            "SELECT sealed_id FROM subject WHERE desk = ? AND ref = ?", (desk, ref)
        )
        if row is None or not isinstance(row[0], bytes):
            return None
        cipher = self._cipher(desk, ref)
        return self._opened(cipher, row[0], f"{desk}/{ref}/id").decode()

    def fingerprint_of(self, content: bytes) -> str:
        """A keyed hash of a request, to tell whether two are the same."""
        return self._keys.fingerprint_of(content)

    def put_new(self, desk: str, id: str, slot: str, *, subject: str, data: bytes) -> None:
        """`put` for a place that is certainly free."""
        sealed = self._sealed(self._cipher(desk, subject), data, f"{desk}/{id}/{slot}")
        self._rows.put(
            "INSERT INTO content (desk, id, slot, subject, sealed) VALUES (?, ?, ?, ?, ?)",
            (desk, id, slot, subject, sealed),
        )

    def put(self, desk: str, id: str, slot: str, *, subject: str, data: bytes) -> None:
        """Seal `data` under the subject's key. Of an erased customer nothing more is kept."""
        try:
            cipher = self._cipher(desk, subject)
        except Unavailable as error:
            if error.code != "content_erased":
                raise
            return
        sealed = self._sealed(cipher, data, f"{desk}/{id}/{slot}")
        self._rows.put(
            "INSERT INTO content (desk, id, slot, subject, sealed) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (desk, id, slot)"
            " DO UPDATE SET subject = excluded.subject, sealed = excluded.sealed",
            (desk, id, slot, subject, sealed),
        )

    def can_seal(self, desk: str, ref: str) -> bool:
        """Whether there is a key to seal under; False once the customer was erased."""
        if self._keys.known_cipher(desk, ref) is not None:
            return True
        row = self._rows.one(
            "SELECT sealed_key FROM subject WHERE desk = ? AND ref = ?", (desk, ref)
        )
        return row is not None and row[0] is not None

    def get(self, desk: str, id: str, slot: str) -> bytes | None:
        """Open what was sealed; None when there is none.

        Raises Unavailable `content_erased` after the customer was erased, and
        `content_unreadable` when the stored bytes were changed.
        """
        row = self._rows.one(
            "SELECT subject, sealed FROM content WHERE desk = ? AND id = ? AND slot = ?",
            (desk, id, slot),
        )
        if row is None:
            return None
        subject, sealed = row
        assert isinstance(sealed, bytes)
        return self._opened(self._cipher(desk, str(subject)), sealed, f"{desk}/{id}/{slot}")

    def erase(self, desk: str, ref: str, now: int) -> bool:
        """Destroy a customer's key and id; whether there was one to destroy."""
        changed = self._rows.change(
            "UPDATE subject SET lookup = NULL, sealed_key = NULL, sealed_id = NULL, erased_at = ?"
            " WHERE desk = ? AND ref = ? AND sealed_key IS NOT NULL",
            (now, desk, ref),
        )
        self._keys.forget(desk, ref)
        self.erased = True
        return changed == 1

    def _cipher(self, desk: str, ref: str) -> AESGCM:
        known = self._keys.known_cipher(desk, ref)
        if known is not None:
            return known
        row = self._rows.one(
            "SELECT sealed_key FROM subject WHERE desk = ? AND ref = ?", (desk, ref)
        )
        if row is None or not isinstance(row[0], bytes):
            raise Unavailable("content_erased", f"the customer `{ref}` was erased")
        cipher = AESGCM(self._opened(self._keys.wrapping, row[0], f"{desk}/{ref}"))
        self._keys.remember(desk, ref, cipher, self._generation)
        return cipher

    def _sealed(self, cipher: AESGCM, data: bytes, place: str) -> bytes:
        nonce = self._keys.entropy(NONCE_BYTES)
        return nonce + cipher.encrypt(nonce, data, place.encode())

    def _opened(self, cipher: AESGCM, sealed: bytes, place: str) -> bytes:
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except InvalidTag:
            raise Unavailable("content_unreadable", f"`{place}` does not open") from None
