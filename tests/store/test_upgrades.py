"""A database of an older version is brought up to date, and is then as if it were made today."""

from __future__ import annotations

from typing import Final

import psycopg
import pytest

from handrail.core.caps import CapRule, Charge, Scope
from handrail.core.lifecycle import State
from handrail.store.migrations import migrations
from handrail.store.proposal_rows import any_of
from tests.store.databases import NOW, Database, PostgresDatabase, Refused
from tests.store.samples import DESK, WAYS, proposal_in

OLDER: Final = 17
"""A version whose tables the statements of today still fit."""
MOVING: Final = (State.READY, State.EXECUTING, State.UNKNOWN, State.HOLDING)
WAITING: Final = (State.PENDING, State.HOLDING, State.READY)
STANDS: Final = (*WAITING, State.EXECUTING, State.UNKNOWN, State.REJECTED, State.REFUSED)
USD: Final = CapRule(name="usd", scope=Scope.DESK, limit=100, window_ms=60_000, currency="USD")
CHARGES: Final = (Charge(rule=USD, scope_key="", amount=7),)


def test_an_older_database_is_brought_up_to_date(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it holds is found as before, and the rules of what may start and move still stand."""
    older = [(number, sql) for number, sql in migrations() if number <= OLDER]
    for home in ("sqlite.connection", "postgres.schema"):
        monkeypatch.setattr(f"handrail.store.{home}.migrations", lambda: older)
    store = database.open()
    walked = {state: proposal_in(store, state, f"hr_{state.value}") for state in WAYS}
    for id in ("hr_a", "hr_b"):
        assert store.write(lambda tx: tx.caps.reserve(DESK, id, CHARGES, NOW)) is None  # noqa: B023
    store.close()
    monkeypatch.undo()

    store = database.open()
    store.write(lambda tx: tx.caps.post(DESK, "hr_a", NOW))
    store.write(lambda tx: tx.caps.void(DESK, "hr_b", NOW))
    posted = store.read(lambda tx: tx.caps.posted(DESK, "usd", "", NOW - 1, most=9))
    assert [(one.proposal, one.amount, one.at) for one in posted] == [("hr_a", 7, NOW)]
    for state in MOVING:
        found = store.read(lambda tx: tx.proposals.in_state(state, most=9))  # noqa: B023
        assert found == [walked[state]]
    same = store.read(lambda tx: tx.proposals.same(DESK, "f0", most=99))
    assert {one.state for one in same} == set(STANDS)
    assert store.read(lambda tx: tx.proposals.waiting_of(DESK, "bot", most=99)) == len(WAITING)
    store.close()
    with pytest.raises(Refused, match=r"reservation|CHECK"):
        database.change("UPDATE reservation SET state = 'open'")
    columns = (
        "desk, task, agent, kind, connector, version, grade, control, checkers, reasons, subject,"
        " fingerprint, digest, statement, policy, created_at, updated_at, attempt, assigned,"
        " recused, rounds"
    )
    copied = f"SELECT {columns}, 'hr_new', 'new', 'SUCCEEDED' FROM proposal LIMIT 1"
    with pytest.raises(Refused, match="cannot start in this state"):
        database.change(f"INSERT INTO proposal ({columns}, id, key, state) {copied}")
    with pytest.raises(Refused, match="cannot move that way"):
        database.change("UPDATE proposal SET state = 'READY' WHERE id = 'hr_SUCCEEDED'")
    with pytest.raises(Refused, match="never deleted"):
        database.change("DELETE FROM proposal")


@pytest.mark.parametrize(
    ("index", "where"),
    [
        ("proposal_open", f"state = 'READY' AND {any_of(*MOVING)}"),
        ("proposal_same", f"fingerprint = 'f0' AND grade > 0 AND {any_of(*STANDS)}"),
        ("proposal_waiting", f"agent = 'bot' AND {any_of(*WAITING)}"),
    ],
)
def test_postgres_takes_the_indexes_of_a_few_states_too(
    postgres: PostgresDatabase, index: str, where: str
) -> None:
    """It sees that a query says, word for word, what such an index says, as SQLite does."""
    postgres.open().close()
    with psycopg.connect(postgres.address) as db:
        db.execute("SET LOCAL enable_seqscan = off")
        sql = f"EXPLAIN SELECT id FROM proposal WHERE desk = 'main' AND {where}"
        plan = str(db.execute(sql.encode()).fetchall())
    assert index in plan
