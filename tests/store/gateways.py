"""What the tests of several gateways on one PostgreSQL have in common."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from handrail.core import merkle
from handrail.store.postgres import PostgresStore
from handrail.store.protocol import Store
from tests.store.samples import DESK
from tests.store.trees import slow_root

__all__ = ["LEASE_MS", "WAIT_S_MAX", "Pair", "check_log", "side_by_side", "silence", "until_true"]

LEASE_MS: Final = 400
WAIT_S_MAX: Final = 10.0

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
