"""Proposed policies as rows: kept for good, found by state, and closed once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from handrail.core.amendment import Amendment, AmendmentState
from handrail.store.protocol import Store
from tests.store.databases import NOW, Database
from tests.store.samples import DESK


def amendment_of(id: str = "am_1", **changes: Any) -> Amendment:
    """Pat's proposal of a looser policy."""
    fields: dict[str, Any] = {
        "desk": DESK,
        "id": id,
        "digest": "d2",
        "name": "support-desk",
        "version": 2,
        "body": "{}",
        "base": "d1",
        "looser": 3,
        "tighter": 0,
        "state": AmendmentState.PROPOSED,
        "proposed_by": "pat",
        "proposed_at": NOW,
    }
    return Amendment(**{**fields, **changes})


def test_what_is_written_is_read(store: Store) -> None:
    """Every field, before and after a change; other desks see nothing of it."""
    first = amendment_of()
    store.write(lambda tx: tx.amendments.add(first))
    assert store.read(lambda tx: tx.amendments.get(DESK, "am_1")) == first
    assert store.read(lambda tx: tx.amendments.get("other", "am_1")) is None
    approved: Amendment = msgspec.structs.replace(
        first,
        state=AmendmentState.APPROVED,
        approved_by="quin",
        approved_at=NOW + 1,
        ready_at=NOW + 10,
        looser=4,
        base="d3",
    )
    store.write(lambda tx: tx.amendments.change(approved))
    assert store.read(lambda tx: tx.amendments.get(DESK, "am_1")) == approved
    assert store.read(lambda tx: tx.amendments.latest("other", most=9)) == []


def test_open_due_and_latest(store: Store) -> None:
    """Open ones by age, due ones by time and state, the newest first, pages by id."""
    ready = {"state": AmendmentState.APPROVED, "approved_by": "quin", "approved_at": NOW}
    rows = [
        amendment_of("am_1"),
        amendment_of("am_2", **ready, ready_at=NOW + 5),
        amendment_of("am_3", state=AmendmentState.REJECTED, closed_by="quin", closed_at=NOW),
        amendment_of("am_4", ready_at=NOW),
        amendment_of("am_5", desk="other", **ready, ready_at=NOW),
    ]

    def unit(tx: Any) -> None:
        tx.amendments.lock(DESK)
        for row in rows:
            tx.amendments.add(row)

    store.write(unit)
    assert [one.id for one in store.read(lambda tx: tx.amendments.open(DESK))] == [
        "am_1",
        "am_2",
        "am_4",
    ]
    assert store.read(lambda tx: tx.amendments.count_open(DESK)) == 3
    assert store.read(lambda tx: tx.amendments.count_open("nobody")) == 0
    assert store.read(lambda tx: tx.amendments.due(DESK, NOW + 4)) == []
    assert store.read(lambda tx: tx.amendments.due(DESK, NOW + 5)) == ["am_2"]
    latest = store.read(lambda tx: tx.amendments.latest(DESK, most=2))
    assert [one.id for one in latest] == ["am_4", "am_3"]
    page = store.read(lambda tx: tx.amendments.page(DESK, after="am_1", most=2))
    assert [one.id for one in page] == ["am_2", "am_3"]


def test_what_has_ended_is_never_changed(database: Database) -> None:
    """N3: neither brought back nor removed, also by who writes into the database."""
    store = database.open()
    ended = amendment_of(state=AmendmentState.REJECTED, closed_by="quin", closed_at=NOW)
    store.write(lambda tx: tx.amendments.add(ended))
    store.close()
    for sql, words in (
        ("UPDATE amendment SET closed_at = NULL", "never changed"),
        ("DELETE FROM amendment", "never deleted"),
    ):
        with pytest.raises(Exception, match=words):
            database.change(sql)
