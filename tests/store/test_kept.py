"""Checkpoints kept outside the database survive crashes, full disks and odd names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from handrail.errors import Unavailable
from handrail.store.kept import READ_BYTES_MAX, keep_note, kept_notes
from handrail.store.protocol import Store
from tests.store.databases import Database

NOTES: Final = [
    f"handrail/main\n{size}\nroot{size}\n\n— handrail AAAA{size}\n" for size in (1, 20, 300)
]


def test_notes_come_back_in_order(database: Database) -> None:
    """As they were kept, per desk, also after a restart."""
    store = database.open()
    assert store.kept_checkpoints("main") == []
    for note in NOTES:
        store.keep_checkpoint("main", note)
    store.keep_checkpoint("other", NOTES[0])
    store.close()
    again = database.open()
    assert again.kept_checkpoints("main") == NOTES
    assert again.kept_checkpoints("other") == NOTES[:1]
    again.close()


def test_a_closed_store_keeps_nothing_more(store: Store) -> None:
    """Keeping a checkpoint is a call like the others."""
    store.close()
    with pytest.raises(Unavailable) as refusal:
        store.keep_checkpoint("main", NOTES[0])
    assert refusal.value.code == "store_closed"


@pytest.mark.parametrize("lost", range(1, len(NOTES[1]) + 3, 7))
def test_a_torn_note_is_passed_over(tmp_path: Path, lost: int) -> None:
    """A note whose writing was cut off was never kept; the next one takes its place."""
    for note in NOTES[:2]:
        keep_note(tmp_path, "main", note)
    file = tmp_path / "main.notes"
    data = file.read_bytes()
    file.write_bytes(data[:-lost])
    assert kept_notes(tmp_path, "main") == NOTES[:1]
    keep_note(tmp_path, "main", NOTES[2])
    assert kept_notes(tmp_path, "main") == [NOTES[0], NOTES[2]]


def test_a_first_note_that_is_torn_is_none(tmp_path: Path) -> None:
    """Nothing was kept yet."""
    (tmp_path / "main.notes").write_text("handrail/ma")
    assert kept_notes(tmp_path, "main") == []
    keep_note(tmp_path, "main", NOTES[0])
    assert kept_notes(tmp_path, "main") == NOTES[:1]


@pytest.mark.parametrize("desk", ["../../escape", "a/b", "..", "ü b", "A\nB"])
def test_a_desk_s_name_does_not_lead_out_of_the_folder(tmp_path: Path, desk: str) -> None:
    """Whatever a desk is called, its notes lie in the folder."""
    folder = tmp_path / "deep" / "checkpoints"
    keep_note(folder, desk, NOTES[0])
    assert kept_notes(folder, desk) == NOTES[:1]
    assert [path.parent for path in tmp_path.rglob("*") if path.is_file()] == [folder]


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    """A file stands where the folder should be: an error by code, and the file is as it was."""
    place = tmp_path / "checkpoints"
    place.write_text("mine")
    with pytest.raises(Unavailable) as refusal:
        keep_note(place, "main", NOTES[0])
    assert refusal.value.code == "store_failed"
    with pytest.raises(Unavailable) as refusal:
        kept_notes(place, "main")
    assert refusal.value.code == "store_failed"
    assert place.read_text() == "mine"


def test_of_a_long_file_the_newest_notes_are_read(tmp_path: Path) -> None:
    """Whole ones only, and the reading stays bounded however long the desk has run."""
    note = NOTES[2].replace("300", "9" * 100)
    file = tmp_path / "main.notes"
    count = READ_BYTES_MAX // len(note.encode()) + 50
    file.write_bytes((note.rstrip("\n").encode() + b"\n\n\n") * count)
    keep_note(tmp_path, "main", NOTES[0])
    notes = kept_notes(tmp_path, "main")
    assert notes[-1] == NOTES[0]
    assert set(notes[:-1]) == {note}
    assert 0 < len(notes) < count
