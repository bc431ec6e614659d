"""What the tests of several gateways on one PostgreSQL have in common."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import psycopg

from handrail.core import merkle
from handrail.store.postgres import PostgresStore
from handrail.store.protocol import Store
from tests.store.databases import LEASE_MS
from tests.store.samples import DESK
from tests.store.trees import slow_root

__all__ = [
    "BEAT_S",
    "WAIT_S_MAX",
    "Pair",
    "check_log",
    "end_lease",
    "lease_left_s",
    "set_lease",
    "side_by_side",
    "silence",
    "until_true",
    "wait_for_beats",
]

BEAT_S: Final = 0.1
WAIT_S_MAX: Final = 60.0

Pair = tuple[PostgresStore, PostgresStore]


def until_true(true: Callable[[], bool]) -> None:
    """Wait for something that must come true."""
    until = time.monotonic() + WAIT_S_MAX
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def side_by_side(*works: Callable[[], object]) -> None:
    """Do things at the same time; raises what any of them raised."""
    trouble: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if trouble:
        raise trouble[0]


def check_log(store: Store, count: int) -> None:
    """Every entry once, no gap, and the tree is theirs."""
    rows = store.read(lambda tx: list(tx.log.scan(DESK)))
    assert [row[0] for row in rows] == list(range(count))
    assert len({row[3] for row in rows}) == count
    assert store.read(lambda tx: merkle.root(tx.log.head(DESK))) == slow_root(
        [row[3] for row in rows]
    )


def silence(store: PostgresStore) -> None:
    """The process stands still: it renews its lease no more."""
    member = store._membership
    assert member is not None
    member._stopped.set()
    member._ring.send(b".")
    member._thread.join()


def set_lease(store: PostgresStore, fence: int, left_s: float) -> None:
    """Give that gateway so much of its lease, by the clock of the database of `store`."""
    with psycopg.connect(store._address) as db:
        db.execute(
            "UPDATE gateway SET lease_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE fence = %s",
            (left_s, fence),
        )


def lease_left_s(store: PostgresStore, fence: int) -> float:
    """How much it has left."""
    with psycopg.connect(store._address) as db:
        row = db.execute(
            "SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 FROM gateway"
            " WHERE fence = %s",
            (fence,),
        ).fetchone()
    assert row is not None
    return float(row[0])


def end_lease(store: PostgresStore) -> None:
    """The lease of a silent gateway is over, by its own clock and by the database's."""
    member = store._membership
    assert member is not None
    member._ours_until = 0.0
    set_lease(store, store.fence, -1)


def wait_for_beats(store: PostgresStore) -> None:
    """Until a gateway has beaten twice: in between it has looked at every lease."""
    for _ in range(2):
        set_lease(store, store.fence, LEASE_MS / 2_000)
        until_true(lambda: lease_left_s(store, store.fence) > LEASE_MS / 1_500)
