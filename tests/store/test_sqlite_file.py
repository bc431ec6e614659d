"""What can be wrong with the file: held by others, newer, foreign, damaged, not writable."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw
import pytest

from handrail.errors import HandrailError, SetupFailed
from handrail.store.migrations import migrations
from handrail.store.protocol import CheckpointRow, Store
from handrail.store.sqlite import SqliteStore
from handrail.store.writer import QueuedTicket
from tests.house.repo import ROOT
from tests.store.databases import NOW, Clock, SqliteDatabase, new_keys
from tests.store.samples import DESK, add_entries, entry_of, person_of

NEWEST: Final = migrations()[-1][0]

SECOND_PROCESS: Final = """
import sys
from pathlib import Path
from handrail.errors import HandrailError
from tests.store.databases import SqliteDatabase
try:
    SqliteDatabase(Path(sys.argv[1])).open().close()
except HandrailError as error:
    print(error.code)
    print(error.message)
"""


@pytest.fixture
def place(tmp_path: Path) -> SqliteDatabase:
    """A folder for a SQLite file."""
    return SqliteDatabase(tmp_path)


def _code(call: Callable[[], object]) -> str:
    """The code of the error that a call ends in."""
    with pytest.raises(HandrailError) as refusal:
        call()
    assert not refusal.value.message.endswith(".")
    return refusal.value.code


def _in_second_process(place: SqliteDatabase) -> list[str]:
    """What another process hears when it opens the same file: code and message."""
    ran = subprocess.run(
        [sys.executable, "-c", SECOND_PROCESS, str(place.folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.splitlines()


def test_a_second_process_is_turned_away(place: SqliteDatabase) -> None:
    """It hears who has the file; once that one is done, it can open it."""
    store = place.open()
    code, message = _in_second_process(place)
    assert code == "store_locked"
    assert f"process {os.getpid()} " in message
    store.write(lambda tx: tx.log.append(entry_of(1)))
    store.close()
    assert _in_second_process(place) == []


def test_a_second_store_in_one_process_is_turned_away(place: SqliteDatabase) -> None:
    """The same for a second opening beside the first, which goes on undisturbed."""
    store = place.open()
    assert _code(place.open) == "store_locked"
    store.write(lambda tx: tx.log.append(entry_of(1)))
    store.close()
    place.open().close()


def test_a_store_that_did_not_open_holds_nothing(place: SqliteDatabase) -> None:
    """A refused opening lets go of the lock: once the cause is gone, the next one works."""
    place.open().close()
    place.change("PRAGMA user_version = 99")
    assert _code(place.open) == "store_newer"
    place.change(f"PRAGMA user_version = {NEWEST}")
    place.open().close()


WRITES: Final[dict[str, Callable[[Store], object]]] = {
    "write": lambda store: store.write(lambda tx: tx.log.append(entry_of(1))),
    "submit and wait": lambda store: store.submit(lambda tx: tx.people.add(person_of())).result(),
    "submit and await": lambda store: asyncio.run(_awaited(store)),
    "a unit that only reads": lambda store: store.write(lambda tx: tx.log.size(DESK)),
    "a checkpoint": lambda store: store.write(
        lambda tx: tx.log.add_checkpoint(DESK, CheckpointRow(size=9, note="n", at=NOW))
    ),
}


async def _awaited(store: Store) -> object:
    return await store.submit(lambda tx: tx.counters.add(DESK, "n"))


@pytest.mark.parametrize("what", WRITES)
def test_a_locked_database_is_a_clear_error(place: SqliteDatabase, what: str) -> None:
    """While another program holds the write lock, writing fails by code and nothing is written."""
    store = place.open()
    add_entries(store, 2)
    with place.connected() as other:
        other.execute("BEGIN IMMEDIATE")
        assert _code(lambda: WRITES[what](store)) == "store_failed"
        assert store.read(lambda tx: tx.log.size(DESK)) == 2
        other.execute("ROLLBACK")
    WRITES[what](store)
    store.write(lambda tx: tx.log.append(entry_of(7)))
    assert store.read(lambda tx: tx.log.size(DESK)) >= 3
    store.close()


def test_a_locked_database_does_not_stop_the_rest(place: SqliteDatabase) -> None:
    """Reading, keeping checkpoints and closing need no write lock."""
    store = place.open()
    add_entries(store, 2)
    with place.connected() as other:
        other.execute("BEGIN IMMEDIATE")
        store.keep_checkpoint(DESK, "a note")
        assert store.kept_checkpoints(DESK) == ["a note\n"]
        assert store.read(lambda tx: tx.log.latest(DESK, before=9, most=9)[0].index) == 1
        waiting = store.submit(lambda tx: tx.log.append(entry_of(1)))
        store.close()
        assert _code(waiting.result) == "store_failed"


def test_a_locked_database_is_not_opened(place: SqliteDatabase) -> None:
    """Opening under another program's lock fails by code, and works afterwards."""
    place.open().close()
    with place.connected() as other:
        other.execute("BEGIN EXCLUSIVE")
        assert _code(place.open) == "store_failed"
    place.open().close()


def test_a_newer_database_is_refused_untouched(place: SqliteDatabase) -> None:
    """The message names both versions; not a byte of the file changes."""
    place.open().close()
    place.change("PRAGMA user_version = 99")
    before = place.path.read_bytes()
    with pytest.raises(SetupFailed, match=rf"version 99, .* up to {NEWEST}:") as refusal:
        place.open()
    assert refusal.value.code == "store_newer"
    assert place.path.read_bytes() == before


def test_another_program_s_database_is_refused_untouched(place: SqliteDatabase) -> None:
    """A SQLite file with other tables in it is nobody's to change."""
    db = apsw.Connection(str(place.path))
    db.execute("CREATE TABLE cookies (host TEXT)")
    db.close()
    before = place.path.read_bytes()
    assert _code(place.open) == "store_damaged"
    assert place.path.read_bytes() == before


DAMAGE: Final[dict[str, bytes]] = {
    "text": b"dear diary, " * 1000,
    "zeros": bytes(8192),
    "a broken header": b"SQLite format 3\0" + b"\xff" * 8000,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
}


@pytest.mark.parametrize("what", DAMAGE)
def test_garbage_is_refused_untouched(place: SqliteDatabase, what: str) -> None:
    """A file that is no database at all."""
    place.path.write_bytes(DAMAGE[what])
    assert _code(place.open) == "store_damaged"
    assert place.path.read_bytes() == DAMAGE[what]


def test_a_cut_file_is_refused(place: SqliteDatabase) -> None:
    """A database whose end is missing does not pass for one."""
    store = place.open()
    add_entries(store, 900)
    store.close()
    data = place.path.read_bytes()
    place.path.write_bytes(data[: len(data) // 3])
    assert _code(lambda: _scanned(place)) == "store_damaged"


def _scanned(place: SqliteDatabase) -> int:
    store = place.open()
    try:
        return store.read(lambda tx: len(list(tx.log.scan(DESK))))
    finally:
        store.close()


def test_an_empty_file_becomes_a_database(place: SqliteDatabase) -> None:
    """A file that a crash left before anything was in it is not in the way."""
    place.path.touch()
    store = place.open()
    add_entries(store, 1)
    store.close()


def test_a_folder_is_not_a_database(place: SqliteDatabase) -> None:
    """Something else lies where the file should be."""
    place.path.mkdir()
    assert _code(place.open) == "directory_unwritable"


def test_a_commit_waits_for_the_disk(place: SqliteDatabase) -> None:
    """What kill -9 cannot show and a power cut would: each commit is synced, in a WAL."""
    store = place.open()
    assert store.connection.pragma("synchronous") == 2
    assert store.connection.pragma("journal_mode") == "wal"
    assert store.connection.pragma("wal_autocheckpoint") > 0
    store.close()


def test_a_call_that_slips_in_at_the_end_is_told(place: SqliteDatabase) -> None:
    """A unit that was queued after the last commit hears that the desk is closed."""
    store = place.open()
    store.close()
    ticket = QueuedTicket(store._writer, lambda tx: None)
    store._writer._queue.append(ticket)
    assert _code(ticket.result) == "store_closed"


def test_reading_alone_changes_nothing(place: SqliteDatabase) -> None:
    """A store that is opened to read only needs no lock, and cannot write."""
    writing = place.open()
    add_entries(writing, 3)
    reading = SqliteStore(
        place.path, keys=new_keys(), clock=Clock(), checkpoints=place.folder, read_only=True
    )
    assert reading.read(lambda tx: tx.log.size(DESK)) == 3
    assert _code(lambda: add_entries(reading, 1)) == "directory_unwritable"
    add_entries(writing, 1)
    assert reading.read(lambda tx: tx.log.size(DESK)) == 4
    reading.close()
    writing.close()


def test_threads_that_ended_keep_no_file_open(place: SqliteDatabase) -> None:
    """A thread's own reading connection goes when the thread goes."""
    store = place.open()
    ended = [_connections_after_a_thread(store) for _ in range(30)]
    assert ended[-1] <= ended[0]
    store.close()


def _connections_after_a_thread(store: Store) -> int:
    thread = threading.Thread(target=lambda: store.read(lambda tx: tx.log.size(DESK)))
    thread.start()
    thread.join()
    return len(apsw.connections())


def test_opening_failures_leave_no_connection(place: SqliteDatabase) -> None:
    """A refused file is closed at once, not at some later time."""
    place.path.write_bytes(DAMAGE["text"])
    before = len(apsw.connections())
    for _ in range(3):
        with pytest.raises(SetupFailed):
            place.open()
    assert len(apsw.connections()) == before
