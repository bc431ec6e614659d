"""What becomes of a commit when the connection, or the database's memory, is lost."""

from __future__ import annotations

import pytest

from handrail.errors import InvariantBroken, Unavailable
from handrail.store.postgres.link import Link, ServerRefused
from handrail.store.protocol import Tx
from tests.store.databases import PostgresDatabase
from tests.store.gateways import Pair, until_true
from tests.store.samples import DESK, add_entries, entry_of, proposal_of


def _terminate(postgres: PostgresDatabase) -> None:
    """The server throws everybody out who writes, as when it is restarted."""
    postgres.change(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND application_name = 'handrail'"
    )


def test_a_lost_connection_loses_one_commit(postgres: PostgresDatabase, pair: Pair) -> None:
    """The unit that was under way hears of it, nothing of it is written, and work goes on."""

    def unit(tx: Tx) -> None:
        tx.proposals.add(proposal_of())
        _terminate(postgres)
        tx.proposals.get(DESK, "hr_1")

    with pytest.raises(Unavailable) as refusal:
        pair[0].write(unit)
    assert refusal.value.code == "store_failed"
    assert pair[0].write(lambda tx: tx.proposals.get(DESK, "hr_1")) is None
    add_entries(pair[0], 1)
    until_true(lambda: pair[0].holds(pair[0].fence))


@pytest.mark.parametrize("done", [True, False], ids=["was done", "was not done"])
def test_a_commit_whose_answer_was_lost_is_asked_after(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    """K1: the connection breaks at the commit; the database itself says what became of it."""
    ask = Link.ask

    def breaking(link: Link, sql: str, values: tuple[()] = ()) -> object:
        if sql != "COMMIT":
            return ask(link, sql, values)
        if done:
            ask(link, sql)
        link.close()
        raise ServerRefused("", "gone")

    monkeypatch.setattr(Link, "ask", breaking)
    ticket = pair[0].submit(lambda tx: tx.log.append(entry_of(1)))
    if done:
        ticket.result()
    else:
        with pytest.raises(Unavailable) as refusal:
            ticket.result()
        assert refusal.value.code == "store_failed"
    monkeypatch.undo()
    assert pair[1].read(lambda tx: tx.log.size(DESK)) == int(done)


def test_a_database_that_lost_commits_is_noticed(postgres: PostgresDatabase, pair: Pair) -> None:
    """K1: after a failover that lost what was acknowledged, nothing more is written."""
    add_entries(pair[0], 3)
    kept = postgres.rows("SELECT encode(frontier, 'hex') FROM tree")[0][0]
    add_entries(pair[0], 2, start=10)
    postgres.change(
        "DROP TRIGGER entry_stays",
        "DELETE FROM entry WHERE idx >= 3",
        f"UPDATE tree SET size = 3, frontier = decode('{kept}', 'hex')",
    )
    with pytest.raises(InvariantBroken) as refusal:
        add_entries(pair[0], 1, start=20)
    assert refusal.value.code == "log_shrunk"
    assert postgres.rows("SELECT count(*) FROM entry") == [(3,)]
