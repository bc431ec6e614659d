"""What PostgreSQL is asked for once a batch, and by which plan it answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

import psycopg

from handrail.store.postgres import PostgresStore
from handrail.store.postgres.link import numbered
from handrail.store.proposals import BY_KEY
from handrail.store.protocol import KeyedUnit, Tx
from tests.store.databases import PostgresDatabase
from tests.store.gateways import Pair, side_by_side, until_true
from tests.store.samples import DESK, proposal_of

KEYED_ROUNDS: Final = 8


def test_what_was_read_ahead_is_never_older_than_its_batch(pair: Pair) -> None:
    """A batch asks for all its keys at once; each key still makes one action, here and elsewhere.

    The same keys come twice in one batch, and from two gateways at the same time.
    """
    keys = [f"key-{n}" for n in range(40)]

    def propose(store: PostgresStore, side: int, round: int) -> Callable[[], None]:
        def unit(key: str, n: int) -> KeyedUnit[str]:
            def run(tx: Tx) -> str:
                known = tx.proposals.by_key(DESK, "bot", key)
                if known is not None:
                    return known.id
                made = proposal_of(f"hr_{round}_{side}_{n}", key=key)
                tx.proposals.add(made)
                return made.id

            return KeyedUnit((DESK, "bot", key), run)

        def work() -> None:
            wanted = [f"{round}/{key}" for key in keys for _ in range(2)]
            tickets = [store.submit(unit(key, n)) for n, key in enumerate(wanted)]
            for key, ticket in zip(wanted, tickets, strict=True):
                found.setdefault(key, set()).add(ticket.result())

        return work

    found: dict[str, set[str]] = {}
    for round in range(KEYED_ROUNDS):
        side_by_side(*(propose(store, side, round) for side, store in enumerate(pair)))
    assert len(found) == KEYED_ROUNDS * len(keys)
    assert {key: ids for key, ids in found.items() if len(ids) != 1} == {}


def test_a_young_table_is_looked_at_whenever_it_has_doubled(
    postgres: PostgresDatabase, pair: Pair
) -> None:
    """What was planned while it was empty is planned anew, by what is in it."""
    with psycopg.connect(postgres.address, autocommit=True) as db:
        db.execute("PREPARE look AS " + numbered(BY_KEY).decode())

        def plan() -> str:
            rows = db.execute("EXPLAIN EXECUTE look('main', 'bot', 'key-1')").fetchall()
            return str(rows[0][0])

        made = itertools.count()

        def add(count: int) -> None:
            def unit(tx: Tx) -> None:
                for n in itertools.islice(made, count):
                    tx.proposals.add(proposal_of(f"hr_{n}", key=f"key-{n}"))

            pair[0].write(unit)

        def keeps_up(rows: int) -> bool:
            # The server would count what a connection has changed about once a second.
            pair[0].writing_link().ask("SELECT pg_stat_force_next_flush()")
            return "proposal_by_key" in plan() and _analyzed(db) >= rows

        add(400)
        until_true(lambda: keeps_up(400))
        add(600)
        until_true(lambda: keeps_up(1_000))


def _analyzed(db: psycopg.Connection[Any]) -> int:
    row = db.execute("SELECT reltuples FROM pg_class WHERE oid = 'proposal'::regclass").fetchone()
    assert row is not None
    return int(row[0])
