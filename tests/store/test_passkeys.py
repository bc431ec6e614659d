"""Passkeys, what they signed, and answered challenges: the same on both databases."""

from __future__ import annotations

from functools import partial

import msgspec
import pytest

from handrail.core.passkey import Assertion, Passkey
from handrail.errors import HandrailError
from handrail.store.protocol import Store, Tx
from tests.store.databases import NOW, Database
from tests.store.samples import DESK


def passkey(id: str, person: str = "ann", at: int = NOW) -> Passkey:
    """One of a person."""
    return Passkey(
        desk=DESK,
        id=id,
        person=person,
        label="a key",
        public_key="pk",
        origin="https://desk.example.com",
        site="desk.example.com",
        created_at=at,
    )


ASSERTION = Assertion(
    desk=DESK,
    proposal="hr_1",
    n=1,
    person="ann",
    amount=None,
    nonce="n",
    passkey="k1",
    public_key="pk",
    origin="https://desk.example.com",
    site="desk.example.com",
    client_data="c",
    authenticator_data="a",
    signature="s",
)


def _add(one: Passkey, tx: Tx) -> None:
    tx.passkeys.add(one)


def _use(counter: int, tx: Tx) -> None:
    tx.passkeys.use(DESK, "k1", counter, NOW + counter)


def test_passkeys_are_found_and_ended_once(store: Store) -> None:
    """By id, by person, a page at a time; another desk's id is not there."""
    keys = [passkey("k2", at=NOW + 1), passkey("k1"), passkey("k3", "bob")]
    for one in keys:
        store.write(partial(_add, one))
    assert store.read(lambda tx: tx.passkeys.get(DESK, "k2")) == keys[0]
    assert store.read(lambda tx: tx.passkeys.get("other", "k2")) is None
    assert store.read(lambda tx: [one.id for one in tx.passkeys.of(DESK, "ann")]) == ["k1", "k2"]
    page = store.read(lambda tx: tx.passkeys.page(DESK, after="k1", most=9))
    assert [one.id for one in page] == ["k2", "k3"]
    assert store.write(lambda tx: tx.passkeys.revoke("other", "k1", NOW)) is False
    assert store.write(lambda tx: tx.passkeys.revoke(DESK, "k1", NOW + 2)) is True
    assert store.write(lambda tx: tx.passkeys.revoke(DESK, "k1", NOW + 3)) is False
    ended = store.read(lambda tx: tx.passkeys.get(DESK, "k1"))
    assert ended == msgspec.structs.replace(keys[1], revoked_at=NOW + 2)
    with pytest.raises(HandrailError):
        store.write(lambda tx: tx.passkeys.add(passkey("k3", "eve")))


def test_a_counter_is_kept(store: Store) -> None:
    """Zero before the first use; the last one counts."""
    assert store.write(lambda tx: tx.passkeys.used(DESK, "k1")) == (0, 0)
    for counter in (4, 9):
        store.write(partial(_use, counter))
    assert store.write(lambda tx: tx.passkeys.used(DESK, "k1")) == (9, NOW + 9)


def test_a_challenge_is_answered_once(store: Store) -> None:
    """M4: and forgotten when nobody could answer it any more."""
    assert store.write(lambda tx: tx.passkeys.spend("n1", NOW + 5)) is True
    assert store.write(lambda tx: tx.passkeys.spend("n1", NOW + 5)) is False
    assert store.write(lambda tx: tx.passkeys.spend("n2", NOW + 6)) is True
    assert store.write(lambda tx: tx.passkeys.sweep(NOW + 5)) == 1
    assert store.write(lambda tx: tx.passkeys.spend("n2", NOW + 6)) is False


def test_what_was_signed_stays(store: Store) -> None:
    """One for each review, as it was written."""
    store.write(lambda tx: tx.passkeys.add_assertion(ASSERTION))
    second = msgspec.structs.replace(ASSERTION, n=2, amount="5.00 USD")
    store.write(lambda tx: tx.passkeys.add_assertion(second))
    assert store.read(lambda tx: tx.passkeys.assertions(DESK, "hr_1")) == [ASSERTION, second]
    assert store.read(lambda tx: tx.passkeys.count_assertions(DESK)) == 2
    assert store.read(lambda tx: tx.passkeys.count_assertions("other")) == 0
    with pytest.raises(HandrailError):
        store.write(lambda tx: tx.passkeys.add_assertion(second))


@pytest.mark.parametrize("sql", ["UPDATE assertion SET signature = 'x'", "DELETE FROM assertion"])
def test_the_database_refuses_to_change_it(database: Database, sql: str) -> None:
    """D11: neither updated nor deleted."""
    with_rows = database.open()
    with_rows.write(lambda tx: tx.passkeys.add_assertion(ASSERTION))
    with_rows.close()
    with pytest.raises(Exception, match="an assertion is never"):
        database.change(sql)
