"""A full disk: every caller of the commit hears of it, nothing is half written, work goes on."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from handrail.core import merkle
from handrail.errors import HandrailError, SetupFailed, Unavailable
from handrail.store.protocol import Tx
from handrail.store.sqlite import SqliteStore
from tests.house.repo import ROOT
from tests.store.databases import SqliteDatabase
from tests.store.samples import DESK, add_entries, entry_of, proposal_of
from tests.store.trees import slow_root

ROOMY: Final = 1_000_000
UNITS: Final = 30


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store with a few entries, on a SQLite file."""
    opened = SqliteDatabase(tmp_path).open()
    add_entries(opened, 3)
    yield opened
    opened.close()


def _fill(store: SqliteStore) -> None:
    """From now on the file cannot grow by a single page."""
    store.connection.pragma("max_page_count", 1)


def _make_room(store: SqliteStore) -> None:
    store.connection.pragma("max_page_count", ROOMY)


def _unit(tx: Tx) -> None:
    id = f"hr_{tx.log.size(DESK)}_{os.urandom(4).hex()}"
    tx.proposals.add(proposal_of(id))
    tx.counters.add(DESK, "seen")
    tx.log.append(entry_of(0, data={"filler": "x" * 600}))


def _written_until_full(store: SqliteStore) -> int:
    """How many units were written before one heard that the disk is full."""
    for done in range(40):
        try:
            store.write(_unit)
        except Unavailable as refusal:
            if refusal.code != "store_full":
                raise
            return done
    raise AssertionError("the disk never filled")


def _state(store: SqliteStore) -> tuple[object, ...]:
    return store.read(
        lambda tx: (
            tx.log.size(DESK),
            len(list(tx.log.scan(DESK))),
            tx.proposals.count(DESK),
            tx.counters.of(DESK),
            merkle.root(tx.log.head(DESK)),
        )
    )


def _check_tree(store: SqliteStore) -> None:
    leaves = store.read(lambda tx: [leaf for *_, leaf in tx.log.scan(DESK)])
    assert store.read(lambda tx: merkle.root(tx.log.head(DESK))) == slow_root(leaves)


def test_every_caller_of_the_commit_hears_it(store: SqliteStore) -> None:
    """Also those whose own unit had gone well: it was not committed."""
    before = _state(store)
    _fill(store)
    tickets = [store.submit(_unit) for _ in range(UNITS)]
    for ticket in tickets:
        with pytest.raises(Unavailable) as refusal:
            ticket.result()
        assert refusal.value.code == "store_full"
    assert _state(store) == before


def test_tasks_of_a_loop_hear_it_too(store: SqliteStore) -> None:
    """The same error for who awaits."""

    async def ask() -> None:
        await store.submit(_unit)

    async def main() -> list[BaseException | None]:
        return await asyncio.gather(*(ask() for _ in range(UNITS)), return_exceptions=True)

    _fill(store)
    heard = asyncio.run(main())
    assert [getattr(error, "code", None) for error in heard] == ["store_full"] * UNITS


def test_work_goes_on_when_there_is_room_again(store: SqliteStore) -> None:
    """Full and roomy in turn: what is committed is whole, and the log has no hole."""
    committed = 0
    for _ in range(4):
        _fill(store)
        committed += _written_until_full(store)
        assert store.read(lambda tx: tx.proposals.count(DESK)) == committed
        _make_room(store)
        store.write(_unit)
        committed += 1
    size, rows, proposals, counters, _ = _state(store)
    assert (size, rows, proposals) == (committed + 3, committed + 3, committed)
    assert counters == {"seen": committed}
    _check_tree(store)


def test_reading_works_on_a_full_disk(store: SqliteStore) -> None:
    """What is there can still be looked at."""
    _fill(store)
    _written_until_full(store)
    assert store.read(lambda tx: len(list(tx.log.scan(DESK)))) >= 3


def test_opening_on_a_full_disk(tmp_path: Path) -> None:
    """It is said by its code, and nothing of the attempt stays in the way of the next one."""
    SqliteDatabase(tmp_path).open().close()
    room = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, room[1]))
    try:
        with pytest.raises(SetupFailed) as refusal:
            SqliteDatabase(tmp_path).open()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
    assert refusal.value.code in ("store_failed", "store_full", "directory_unwritable")
    store = SqliteDatabase(tmp_path).open()
    store.write(_unit)
    store.close()


def _write_until_it_fails(folder: Path, limit: int) -> None:
    """In a process of its own: commit until the system refuses to let the files grow."""
    store = SqliteDatabase(folder).open()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    done, codes = 0, set()
    for _ in range(400):
        tickets = [store.submit(_unit) for _ in range(5)]
        for ticket in tickets:
            try:
                ticket.result()
                done += 1
            except HandrailError as error:
                codes.add(error.code)
        if codes:
            break
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.write(_unit)
    print(done + 1, ",".join(sorted(codes)), flush=True)
    os._exit(0)


@pytest.mark.parametrize("limit", [150_000, 333_333, 1_000_000])
def test_a_write_that_fails_in_the_commit_loses_the_whole_commit(
    tmp_path: Path, limit: int
) -> None:
    """The system cuts a write short: nobody was told that it was done, and it was not."""
    program = (
        "import sys; from pathlib import Path; from tests.store import test_full_disk as t;"
        " t._write_until_it_fails(Path(sys.argv[1]), int(sys.argv[2]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), str(limit)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    done, codes = ran.stdout.split()
    assert codes in ("store_failed", "store_full")
    store = SqliteDatabase(tmp_path).open()
    size, rows, proposals, counters, _ = _state(store)
    assert (size, rows, proposals, counters) == (
        int(done),
        int(done),
        int(done),
        {"seen": int(done)},
    )
    _check_tree(store)
    store.close()
