"""The log, the reviews and the proposals stay: hygiene against slips, not evidence."""

from __future__ import annotations

import pytest

from handrail.store.protocol import CheckpointRow
from tests.store.databases import NOW, Database, Refused
from tests.store.samples import DESK, add_entries, proposal_of, review_of

FIXED = {
    "an entry's leaf": "UPDATE entry SET leaf = CAST('x' AS BLOB) WHERE idx = 3",
    "an entry's place": "UPDATE entry SET idx = 9999 WHERE idx = 3",
    "an entry's person": "UPDATE entry SET person = 'eve' WHERE idx = 3",
    "every entry": "UPDATE entry SET tag = tag",
    "a tile": "UPDATE tile SET hashes = CAST('x' AS BLOB)",
    "a checkpoint": "UPDATE checkpoint SET note = 'x'",
    "a checkpoint's size": "UPDATE checkpoint SET size = 1",
    "a review": "UPDATE review SET verdict = 'reject'",
    "a review's time": "UPDATE review SET at = 1",
}
STAYING = {
    "an entry": "DELETE FROM entry WHERE idx = 3",
    "the newest entry": "DELETE FROM entry WHERE idx = 299",
    "all entries": "DELETE FROM entry",
    "a tile": "DELETE FROM tile",
    "a checkpoint": "DELETE FROM checkpoint",
    "a review": "DELETE FROM review",
    "a proposal": "DELETE FROM proposal",
}
TABLES = "entry tile checkpoint review proposal".split()


def _filled(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """A database with something in every table, closed again; what it holds."""
    store = database.open()
    add_entries(store, 300)
    store.write(lambda tx: tx.proposals.add(proposal_of()))
    store.write(lambda tx: tx.proposals.add_review(review_of()))
    row = CheckpointRow(size=300, note="a note", at=NOW)
    store.write(lambda tx: tx.log.add_checkpoint(DESK, row))
    store.close()
    held = _held(database)
    assert all(held[table] for table in TABLES)
    return held


def _held(database: Database) -> dict[str, list[tuple[object, ...]]]:
    return {table: database.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in TABLES}


@pytest.mark.parametrize("what", FIXED)
def test_what_is_written_is_not_changed(database: Database, what: str) -> None:
    """The database refuses, and every row is as it was."""
    before = _filled(database)
    with pytest.raises(Refused, match=r"append-only|never changed"):
        database.change(FIXED[what])
    assert _held(database) == before


@pytest.mark.parametrize("what", STAYING)
def test_what_is_written_is_not_removed(database: Database, what: str) -> None:
    """The database refuses, and every row is still there."""
    before = _filled(database)
    with pytest.raises(Refused, match=r"append-only|never deleted"):
        database.change(STAYING[what])
    assert _held(database) == before


def test_one_size_never_gets_two_checkpoints(database: Database) -> None:
    """The first note for a size stays."""
    _filled(database)
    store = database.open()
    store.write(
        lambda tx: tx.log.add_checkpoint(DESK, CheckpointRow(size=300, note="another", at=NOW))
    )
    assert [row.note for row in store.read(lambda tx: tx.log.checkpoints(DESK))] == ["a note"]
    store.close()


def test_a_person_reviews_once(database: Database) -> None:
    """Two accounts of one person are one person, for the database too."""
    _filled(database)
    with pytest.raises(Refused, match=r"(?i)unique"):
        database.change(
            "INSERT INTO review VALUES"
            " ('main', 'hr_1', 2, 'ann-at-home', 'ann', 'approve', '5e', 1, 0, NULL)"
        )
