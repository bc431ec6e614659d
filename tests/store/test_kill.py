"""kill -9 at any moment: what was acknowledged is there, nothing is half there, the tree is right.

The child is a real process, and the signal is real. The rounds are many and short.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from handrail.core import merkle
from handrail.store.protocol import Tx
from handrail.store.sqlite import SqliteStore
from tests.store.databases import SqliteDatabase
from tests.store.samples import DESK, entry_of, proposal_of
from tests.store.trees import slow_root

SEED: Final = 20260
ROUNDS: Final = 24
YOUNG_ROUNDS: Final = 20
THREADS: Final = 4
WAIT_S_MAX: Final = 0.06
HEARD_MIN: Final = 6
"""How much a child that writes has acknowledged at least before it is killed."""
_ACK: Final = struct.Struct(">q")


def _unit(number: int) -> Callable[[Tx], int]:
    """A unit that leaves a trace in five tables; `number` is in each."""

    def unit(tx: Tx) -> int:
        id = f"hr_{number:08}"
        ref = tx.vault.ref_of(DESK, f"C-{number % 50}", tx.now)
        tx.proposals.add(proposal_of(id, subject=ref))
        tx.vault.put(DESK, id, "content", subject=ref, data=str(number).encode())
        tx.counters.add(DESK, "units")
        tx.log.append(entry_of(number, proposal=id))
        tx.log.append(entry_of(-number, proposal=id))
        return number

    return unit


def _write_until_killed(folder: Path, start: int, acks: int) -> None:
    """The child: write from several threads, and say every number once it is durable."""
    store = SqliteDatabase(folder).open()
    numbers = iter(range(start, start + 10**6))
    turn = threading.Lock()

    def work() -> None:
        while True:
            with turn:
                number = next(numbers)
            os.write(acks, _ACK.pack(store.write(_unit(number))))

    for _ in range(THREADS - 1):
        threading.Thread(target=work, daemon=True).start()
    work()


def _killed_child(folder: Path, start: int, wait_s: float, *, young: bool) -> list[int]:
    """Run a child and kill it; the numbers that it had acknowledged.

    A young child is killed while it is still opening the store, an older one while it writes.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _write_until_killed(folder, start, writing)
        finally:
            os._exit(1)
    os.close(writing)
    heard = b""
    while not young and len(heard) < HEARD_MIN * _ACK.size:
        more = os.read(reading, 1 << 16)
        assert more, "the child ended by itself"
        heard += more
    time.sleep(wait_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reading, 1 << 16):
        heard += more
    os.close(reading)
    whole = heard[: len(heard) // _ACK.size * _ACK.size]
    return [number for (number,) in _ACK.iter_unpack(whole)]


def _check(store: SqliteStore, acknowledged: set[int]) -> None:
    """Every acknowledged unit is there, all are whole, and the tree is that of the entries."""

    def look(tx: Tx) -> None:
        leaves = [leaf for *_, leaf in tx.log.scan(DESK)]
        logged = [tx.log.entry(DESK, at) for at in range(len(leaves))]
        numbers = [int(one.entry.data["n"] or 0) for one in logged if one is not None]
        stored = {int(p.id[3:]) for p in tx.proposals.page(DESK, after="", most=10**6)}
        assert acknowledged <= stored
        assert sorted(numbers) == sorted([*stored, *(-number for number in stored)])
        assert tx.counters.of(DESK).get("units", 0) == len(stored)
        for number in stored:
            content = tx.vault.get(DESK, f"hr_{number:08}", "content")
            assert content == str(number).encode()
        assert merkle.root(tx.log.head(DESK)) == slow_root(leaves)

    store.read(look)


def _rounds(folder: Path, count: int, *, seed: int, young: bool) -> int:
    """Kill, open, check, and go on in the same file; how many units were acknowledged in all."""
    chance = random.Random(seed)
    acknowledged: set[int] = set()
    fence = 0
    for turn in range(count):
        start = 1 + turn * 10**6
        wait_s = chance.random() ** 2 * WAIT_S_MAX
        acknowledged.update(_killed_child(folder, start, wait_s, young=young))
        store = SqliteDatabase(folder).open()
        assert store.fence > fence
        fence = store.fence
        _check(store, acknowledged)
        acknowledged.add(store.write(_unit(start + 10**6 - 1)))
        store.close()
    return len(acknowledged)


def test_kill_while_writing(tmp_path: Path) -> None:
    """Killed again and again in the middle of its commits, always in the same file."""
    assert _rounds(tmp_path, ROUNDS, seed=SEED, young=False) > ROUNDS * 5


def test_kill_while_opening(tmp_path: Path) -> None:
    """Killed while it makes the file, migrates it or has just begun: a new file each time."""
    for turn in range(YOUNG_ROUNDS):
        folder = tmp_path / str(turn)
        folder.mkdir()
        _rounds(folder, 1, seed=SEED + turn, young=True)
