"""The log's entries changed behind its back: found, and the first bad index is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import handrail
from handrail.errors import HandrailError
from handrail.prove.verify import Report
from tests.prove.attacker import Attacker, examined


def _first(report: Report) -> int | None:
    """The lowest index that a finding about the log itself names.

    (A finding about a row names the entry that says otherwise, which is a good one.)
    """
    assert not report.good
    about_log = [one for one in report.findings if "outside the log" not in one.what]
    named = [one.index for one in about_log if one.index is not None]
    return min(named) if named else None


def _flipped(leaf: bytes, at: int) -> bytes:
    """The leaf with one bit of one byte changed."""
    return leaf[:at] + bytes([leaf[at] ^ 1]) + leaf[at + 1 :]


def test_an_honest_log_is_good(folder: Path, small: Path) -> None:
    """With and without the checkpoints kept outside."""
    for place in (folder, small):
        for outside in (True, False):
            report = examined(place, outside=outside)
            assert report.findings == ()
            assert report.good
    assert examined(folder).size > 256 > examined(small).size
    assert examined(folder).witnessed >= 2


@pytest.mark.parametrize("where", ["first", "early", "middle", "tile's end", "after it", "last"])
@pytest.mark.parametrize("byte", ["a digit of a digest", "the opening brace", "a key"])
def test_a_flipped_byte_names_its_entry(folder: Path, where: str, byte: str) -> None:
    """Anywhere in the log, in any part of an entry, whatever else is still intact."""
    with Attacker(folder) as attacker:
        size = attacker.size()
        index = {
            "first": 0,
            "early": 9,
            "middle": size // 2,
            "tile's end": 255,
            "after it": 256,
            "last": size - 1,
        }[where]
        leaf = attacker.leaf(index)
        at = {
            "a digit of a digest": len(leaf) - 5,
            "the opening brace": 0,
            "a key": leaf.index(b'"at"') + 1,
        }[byte]
        attacker.set_leaf(index, _flipped(leaf, at))
    for outside in (True, False):
        assert _first(examined(folder, outside=outside)) == index


def test_a_flipped_byte_of_a_young_log_names_its_entry(small: Path) -> None:
    """Also while there is no full tile to tell which one it was."""
    with Attacker(small) as attacker:
        index = attacker.size() // 2
        attacker.set_leaf(index, _flipped(attacker.leaf(index), len(attacker.leaf(index)) - 5))
    assert _first(examined(small)) == index


@pytest.mark.parametrize(("one", "other"), [(20, 21), (5, 250), (100, 300), (290, 291)])
def test_swapped_entries_are_named(folder: Path, one: int, other: int) -> None:
    """Two leaves exchanged, and two whole rows exchanged."""
    with Attacker(folder) as attacker:
        first, second = attacker.leaf(one), attacker.leaf(other)
        attacker.set_leaf(one, second)
        attacker.set_leaf(other, first)
    assert _first(examined(folder)) == one


def test_swapped_rows_are_named(folder: Path) -> None:
    """The same with everything that lies beside the leaves."""
    with Attacker(folder) as attacker:
        for old, new in ((290, -1), (293, 290), (-1, 293)):
            attacker.run("UPDATE entry SET idx = ? WHERE idx = ?", new, old)
    assert _first(examined(folder)) == 290


@pytest.mark.parametrize("index", [0, 40, 255, 256, 300])
def test_a_removed_entry_is_named(folder: Path, index: int) -> None:
    """A gap, and a gap that was closed."""
    with Attacker(folder) as attacker:
        attacker.run("DELETE FROM entry WHERE idx = ?", index)
    assert _first(examined(folder)) == index
    with Attacker(folder) as attacker:
        attacker.close_gaps()
    assert _first(examined(folder)) == index


@pytest.mark.parametrize("index", [0, 130, 300])
def test_an_inserted_entry_is_named(folder: Path, index: int) -> None:
    """A copy of another entry pushed in between."""
    with Attacker(folder) as attacker:
        for at in reversed(range(index, attacker.size())):
            attacker.run("UPDATE entry SET idx = ? WHERE idx = ?", at + 1, at)
        attacker.run(
            "INSERT INTO entry SELECT desk, ?, tag, person, proposal, leaf, echo FROM entry"
            " WHERE idx = ?",
            index,
            index + 20,
        )
    assert _first(examined(folder)) == index


def test_an_appended_entry_is_named(folder: Path) -> None:
    """Pushed onto the end, beside the tree."""
    with Attacker(folder) as attacker:
        size = attacker.size()
        attacker.run(
            "INSERT INTO entry SELECT desk, ?, tag, person, proposal, leaf, echo FROM entry"
            " WHERE idx = 20",
            size,
        )
    assert _first(examined(folder)) == size


def test_a_log_without_entries_is_found(folder: Path) -> None:
    """All of them gone."""
    with Attacker(folder) as attacker:
        attacker.run("DELETE FROM entry")
    for outside in (True, False):
        assert _first(examined(folder, outside=outside)) == 0


def _cut_tail(attacker: Attacker) -> int:
    """Cut the newest entries and what they record, and make everything fit again."""
    size = attacker.size()
    keep = size - 3
    attacker.run("DELETE FROM entry WHERE idx >= ?", keep)
    attacker.run("DELETE FROM checkpoint WHERE size > ?", keep)
    attacker.mend_tree()
    return keep


def test_a_cut_tail_is_caught_by_a_kept_checkpoint(folder: Path) -> None:
    """Nothing inside the database can tell; the note outside says how long the log was."""
    with Attacker(folder) as attacker:
        keep = _cut_tail(attacker)
    report = examined(folder)
    assert _first(report) == keep
    assert "tail was cut" in str(report.findings)
    with pytest.raises(HandrailError) as refusal:
        handrail.open(folder)
    assert refusal.value.code == "log_shrunk"


REWRITES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "an amount": lambda leaf: leaf.replace(b'"value_minor":12000', b'"value_minor":10000'),
    "an approver": lambda leaf: leaf.replace(b'"actor":"ann"', b'"actor":"bea"'),
    "a time": lambda leaf: leaf.replace(b'"at":1790', b'"at":1780'),
}


@pytest.mark.parametrize("what", REWRITES)
@pytest.mark.parametrize("note", ["left", "removed"])
def test_a_rewritten_history_is_caught_by_a_kept_checkpoint(
    folder: Path, what: str, note: str
) -> None:
    """The whole tree recomputed over changed leaves, the signed notes inside left or removed."""
    with Attacker(folder) as attacker:
        changed = []
        for index in range(attacker.size()):
            leaf = attacker.leaf(index)
            if REWRITES[what](leaf) != leaf:
                attacker.set_leaf(index, REWRITES[what](leaf))
                changed.append(index)
        assert changed
        attacker.mend_echoes()
        attacker.mend_tree()
        if note == "removed":
            attacker.run("DELETE FROM checkpoint")
    report = examined(folder)
    first = _first(report)
    assert first is not None
    assert first <= changed[0]
    assert "no longer give the root that was signed" in str(report.findings)
    with pytest.raises(HandrailError) as refusal:
        handrail.open(folder)
    assert refusal.value.code == "log_damaged"


def test_an_entry_filed_under_another_action_is_named(folder: Path) -> None:
    """The column by which an entry is found must be what the entry says."""
    with Attacker(folder) as attacker:
        index = attacker.index_of("review.recorded")
        attacker.run("UPDATE entry SET proposal = 'hr_other' WHERE idx = ?", index)
    assert _first(examined(folder)) == index


def test_an_entry_filed_under_another_person_is_named(folder: Path) -> None:
    """Who asks what bea did must not be told what ann did."""
    with Attacker(folder) as attacker:
        index = attacker.index_of("action.approved")
        attacker.run("UPDATE entry SET person = 'bea' WHERE idx = ?", index)
    assert _first(examined(folder)) == index


TREES: Final = {
    "the edge": "UPDATE tree SET frontier = zeroblob(length(frontier))",
    "the edge, unreadable": "UPDATE tree SET frontier = x'00'",
    "the size beside it": "UPDATE tree SET size = size - 1",
    "no tree at all": "DELETE FROM tree",
    "a tile": "UPDATE tile SET hashes = zeroblob(8192)",
    "a tile, too short": "UPDATE tile SET hashes = x'00'",
    "no tile at all": "DELETE FROM tile",
    "a tile too many": "INSERT INTO tile SELECT desk, level, n + 1, hashes FROM tile",
}


@pytest.mark.parametrize("what", TREES)
def test_a_damaged_tree_is_found(folder: Path, what: str) -> None:
    """What proofs are made from must be what the entries give."""
    with Attacker(folder) as attacker:
        attacker.run(TREES[what])
    assert not examined(folder).good


NOTES: Final = {
    "another root": "UPDATE checkpoint SET note = replace(note, substr(note, 19, 4), 'AAAA')",
    "another size": "UPDATE checkpoint SET note = replace(note, char(10) || size, char(10) || 7)",
    "nonsense": "UPDATE checkpoint SET note = 'all is well'",
    "the size beside it": "UPDATE checkpoint SET size = size - 1",
    "nothing": "UPDATE checkpoint SET note = ''",
}


@pytest.mark.parametrize("what", NOTES)
def test_an_edited_checkpoint_is_found(folder: Path, what: str) -> None:
    """Inside the database, where anybody with write access can reach."""
    with Attacker(folder) as attacker:
        attacker.run(NOTES[what])
    assert not examined(folder, outside=False).good


def test_an_edited_note_outside_is_found(folder: Path) -> None:
    """The kept ones are signed too."""
    file = folder / "checkpoints" / "main.notes"
    text = file.read_text()
    file.write_text(text.replace("handrail/main\n", "handrail/main\n1", 1))
    assert not examined(folder).good


def test_another_desk_s_checkpoint_is_found(folder: Path, tmp_path: Path) -> None:
    """Signed by a foreign key, it proves nothing about this log."""
    handrail.open(tmp_path / "other").close()
    foreign = (tmp_path / "other" / "checkpoints" / "main.notes").read_text()
    (folder / "checkpoints" / "main.notes").write_text(foreign)
    report = examined(folder)
    assert "not signed by this log's key" in str(report.findings)
