"""Content is sealed per customer: nothing personal lies in the open, and erasing is for good."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import pytest

from handrail.errors import Unavailable
from handrail.store.protocol import DESK_SUBJECT, Store, Tx
from tests.store.databases import Database, SqliteDatabase, new_keys
from tests.store.samples import DESK, entry_of

ANN: Final = "ann.olsen@example.com"
BOB: Final = "bob.vance@example.com"
SECRETS: Final = {
    "content": b"Dear Ann Olsen, 1,234.56 USD go back to the card 4111 1111 1111 1111",
    "result": b'{"iban":"DE89370400440532013000"}',
    "review:1": b"she is my neighbour",
}


def _put(store: Store, customer: str = ANN, id: str = "hr_1") -> str:
    """Seal the secrets of one customer under an id; the customer's reference."""

    def unit(tx: Tx) -> str:
        ref = tx.vault.ref_of(DESK, customer, tx.now)
        for slot, data in SECRETS.items():
            tx.vault.put(DESK, id, slot, subject=ref, data=data + id.encode())
        return ref

    return store.write(unit)


def _code(store: Store, id: str = "hr_1", slot: str = "content") -> str:
    with pytest.raises(Unavailable) as refusal:
        store.read(lambda tx: tx.vault.get(DESK, id, slot))
    return refusal.value.code


def _opened(store: Store, slot: str) -> bytes | None:
    return store.read(lambda tx: tx.vault.get(DESK, "hr_1", slot))


def test_content_comes_back(database: Database) -> None:
    """With the same vault key after a restart; what was never put is not there."""
    store = database.open()
    ref = _put(store)
    store.close()
    again = database.open(keys=new_keys())
    for slot, data in SECRETS.items():
        assert _opened(again, slot) == data + b"hr_1"
    assert again.read(lambda tx: tx.vault.get(DESK, "hr_1", "other")) is None
    assert again.read(lambda tx: tx.vault.find_ref(DESK, ANN)) == ref
    assert again.read(lambda tx: tx.vault.customer_of(DESK, ref)) == ANN
    again.close()


def test_a_customer_has_one_reference_per_desk(store: Store) -> None:
    """It says nothing about the customer, and another desk has another."""
    refs = {_put(store, ANN, f"hr_{n}") for n in range(3)}
    assert len(refs) == 1
    other = store.write(lambda tx: tx.vault.ref_of("other", ANN, tx.now))
    nobody = store.write(lambda tx: tx.vault.ref_of(DESK, DESK_SUBJECT, tx.now))
    assert len({*refs, other, nobody}) == 3
    assert "ann" not in f"{refs}{other}".lower()


def test_content_can_be_replaced(store: Store) -> None:
    """Also under another customer: it is then theirs."""
    _put(store)
    bob = store.write(lambda tx: tx.vault.ref_of(DESK, BOB, tx.now))
    store.write(lambda tx: tx.vault.put(DESK, "hr_1", "result", subject=bob, data=b"new"))
    assert store.read(lambda tx: tx.vault.get(DESK, "hr_1", "result")) == b"new"


def test_nothing_personal_lies_in_the_open(database: Database) -> None:
    """Neither in the database nor, for SQLite, in what is not yet written back to the file."""
    store = database.open()
    _put(store)
    _put(store, BOB, "hr_2")
    raw = database.raw()
    store.close()
    raw += database.raw()
    assert b"hr_1" in raw
    words = [ANN.encode(), BOB.encode(), *b" ".join(SECRETS.values()).split()]
    assert [word for word in words if len(word) > 4 and word in raw] == []


SWAPS: Final = {
    "another action's content": "id = 'hr_2' AND slot = 'content'",
    "another slot's content": "id = 'hr_1' AND slot = 'result'",
    "another customer's content": "id = 'hr_3' AND slot = 'content'",
}


@pytest.mark.parametrize("what", SWAPS)
def test_sealed_content_cannot_be_moved(database: Database, what: str) -> None:
    """What is put in the place of something else does not open there."""
    store = database.open()
    _put(store, ANN, "hr_1")
    _put(store, ANN, "hr_2")
    _put(store, BOB, "hr_3")
    store.close()
    database.change(
        f"UPDATE content SET sealed = (SELECT sealed FROM content WHERE {SWAPS[what]})"
        " WHERE id = 'hr_1' AND slot = 'content'"
    )
    store = database.open()
    assert _code(store) == "content_unreadable"
    store.close()


def test_content_cannot_be_given_to_another_customer(database: Database) -> None:
    """Neither by naming another reference, nor by exchanging two customers' keys."""
    store = database.open()
    ann, bob = _put(store, ANN, "hr_1"), _put(store, BOB, "hr_2")
    store.close()
    database.change(f"UPDATE content SET subject = '{bob}' WHERE id = 'hr_1'")
    store = database.open()
    assert _code(store) == "content_unreadable"
    store.close()
    database.change(
        f"UPDATE subject SET sealed_key = (SELECT sealed_key FROM subject WHERE ref = '{bob}')"
        f" WHERE ref = '{ann}'"
    )
    store = database.open(keys=new_keys())
    with pytest.raises(Unavailable) as refusal:
        store.read(lambda tx: tx.vault.customer_of(DESK, ann))
    assert refusal.value.code == "content_unreadable"
    store.close()


def test_changed_content_does_not_open(database: Database) -> None:
    """A single byte is enough, and so is another vault key."""
    store = database.open()
    _put(store)
    store.close()
    stranger = database.open(keys=new_keys(b"\x07" * 32))
    assert _code(stranger) == "content_unreadable"
    stranger.close()
    database.change(
        "UPDATE content SET sealed = CAST(substr(sealed, 2) || substr(sealed, 1, 1) AS BLOB)"
        " WHERE id = 'hr_1'"
    )
    store = database.open()
    assert _code(store) == "content_unreadable"
    store.close()


def test_erasing_is_for_good(database: Database) -> None:
    """The customer's content is gone at once and after a restart; others keep theirs."""
    store = database.open()
    ref = _put(store, ANN, "hr_1")
    _put(store, BOB, "hr_2")
    assert store.write(lambda tx: tx.vault.erase(DESK, ref, tx.now)) is True
    assert store.write(lambda tx: tx.vault.erase(DESK, ref, tx.now)) is False
    for _ in range(2):
        assert _code(store) == "content_erased"
        assert store.read(lambda tx: tx.vault.customer_of(DESK, ref)) is None
        assert store.read(lambda tx: tx.vault.find_ref(DESK, ANN)) is None
        assert store.read(lambda tx: tx.vault.get(DESK, "hr_2", "content")) is not None
        store.close()
        store = database.open(keys=new_keys())
    store.close()


def test_an_erased_customer_comes_back_as_another(store: Store) -> None:
    """Under a new reference and a new key; the old content stays closed."""
    old = _put(store, ANN, "hr_1")
    store.write(lambda tx: tx.vault.erase(DESK, old, tx.now))
    assert _put(store, ANN, "hr_2") != old
    assert _code(store) == "content_erased"
    assert store.read(lambda tx: tx.vault.get(DESK, "hr_2", "content")) is not None


def test_erasing_and_writing_in_one_commit(store: Store) -> None:
    """What is put for the customer after the erasure is theirs anew, whatever shares the commit."""
    old = _put(store)
    erased = store.submit(lambda tx: tx.vault.erase(DESK, old, tx.now))
    new = store.submit(lambda tx: tx.vault.ref_of(DESK, ANN, tx.now))
    assert erased.result() is True
    assert new.result() != old
    assert store.read(lambda tx: tx.vault.find_ref(DESK, ANN)) == new.result()


def test_an_erasure_that_failed_erased_nothing(store: Store) -> None:
    """Rolled back with its unit, the customer is as before."""
    ref = _put(store)

    def unit(tx: Tx) -> None:
        tx.vault.erase(DESK, ref, tx.now)
        raise LookupError

    with pytest.raises(LookupError):
        store.write(unit)
    assert store.read(lambda tx: tx.vault.find_ref(DESK, ANN)) == ref
    assert store.read(lambda tx: tx.vault.get(DESK, "hr_1", "content")) is not None


def test_a_read_during_the_erasure_keeps_no_key(store: Store) -> None:
    """A snapshot from before may still see the content; nobody who looks later does."""
    ref = _put(store)

    def look(tx: Tx) -> bytes | None:
        tx.log.size(DESK)
        eraser = threading.Thread(
            target=lambda: store.write(lambda tx: tx.vault.erase(DESK, ref, tx.now))
        )
        eraser.start()
        eraser.join()
        return tx.vault.get(DESK, "hr_1", "content")

    assert store.read(look) is not None
    assert _code(store) == "content_erased"


def test_an_erased_key_is_not_found_in_the_file(tmp_path: Path) -> None:
    """Not in freed space either: with the vault key, it would open everything again."""
    place = SqliteDatabase(tmp_path)
    store = place.open()
    refs = [_put(store, f"C-{n}", f"hr_{n}") for n in range(60)]
    keys = {
        str(ref): bytes(key)  # type: ignore[call-overload]
        for ref, key in place.rows("SELECT ref, sealed_key FROM subject")
    }
    gone, kept = refs[::2], refs[1::2]
    for ref in gone:
        store.write(lambda tx: tx.vault.erase(DESK, ref, tx.now))  # noqa: B023
    for stage in ("while open", "when closed"):
        raw = place.raw()
        assert [ref for ref in gone if keys[ref] in raw] == [], stage
        assert [ref for ref in kept if keys[ref] not in raw] == [], stage
        store.close()


def test_nothing_more_is_kept_of_an_erased_customer(store: Store) -> None:
    """Whatever is still put under the old reference is dropped; the unit goes on."""
    ref = _put(store)
    store.write(lambda tx: tx.vault.erase(DESK, ref, tx.now))

    def unit(tx: Tx) -> None:
        tx.vault.put(DESK, "hr_1", "late", subject=ref, data=b"about Ann")
        tx.log.append(entry_of(1))

    store.write(unit)
    assert store.read(lambda tx: tx.log.size(DESK)) == 1
    assert store.read(lambda tx: tx.vault.get(DESK, "hr_1", "late")) is None
