"""Every query finds its rows by an index: none walks a table or a whole desk."""

from __future__ import annotations

import re
from collections.abc import Callable

import apsw
import pytest

import handrail
from handrail.core.caps import CapRule, Scope
from handrail.core.escalation import Cause
from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.principal import PrincipalKind
from handrail.core.sieve import Sieve
from handrail.store.protocol import CredentialKind, Tx
from handrail.store.sqlite import SqliteStore
from handrail.surfaces.embedded import Desk

DESK = "main"
WALKS = re.compile(r"^SCAN (?!CONSTANT)|USING PRIMARY KEY \(desk=\?\)$")
CAPS = (
    CapRule(name="usd", scope=Scope.DESK, limit=1, window_ms=1, currency="USD"),
    CapRule(name="who", scope=Scope.AGENT, limit=1, window_ms=1, distinct=True),
    CapRule(name="all", scope=Scope.ACCOUNT, limit=1, window_ms=1),
)
SMALL_TABLES = (
    "amendment",
    "breakglass",
    "candidate",
    "channel",
    "checkpoint",
    "counter",
    "restoration",
    "desk",
    "principal",
    "policy_version",
    "meta",
    "notice_cursor",
)

SIFTED = Sieve(
    kind="k",
    grade=Grade.G2,
    agent="bot",
    currency="USD",
    minor_min=1,
    narrowed=True,
    subjects=("sub_1",),
    tasks=("tk_1",),
    id_part="00ff",
)

LOOKS: dict[str, Callable[[Tx], object]] = {
    "queue": lambda tx: tx.proposals.queue(DESK, most=50),
    "queue, next page": lambda tx: tx.proposals.queue(DESK, after=(1, "hr_1"), most=50),
    "queue, sifted": lambda tx: tx.proposals.queue(DESK, sieve=SIFTED, after=(1, "hr_1"), most=50),
    "queue, by kind": lambda tx: tx.proposals.queue(DESK, sieve=Sieve(kind="k"), most=50),
    "queue, by agent": lambda tx: tx.proposals.queue(DESK, sieve=Sieve(agent="bot"), most=50),
    "what moved": lambda tx: tx.proposals.moved(DESK, 1, most=50),
    "tasks of a ticket": lambda tx: tx.tasks.of_ticket(DESK, "T-1", most=50),
    "ran alone": lambda tx: tx.proposals.ran_alone(DESK, most=50),
    "ran alone, next page": lambda tx: tx.proposals.ran_alone(DESK, before="hr_1", most=50),
    "overdue": lambda tx: tx.proposals.overdue(DESK, 1, most=50),
    "by key": lambda tx: tx.proposals.by_key(DESK, "agent", "key"),
    "by id": lambda tx: tx.proposals.get(DESK, "hr_1"),
    "amounts by id": lambda tx: tx.proposals.amounts(DESK, ["hr_1", "hr_2"]),
    "by the provider's reference": lambda tx: tx.proposals.by_provider(DESK, "desk", "R-1"),
    "undo of": lambda tx: tx.proposals.undo_of(DESK, "hr_1"),
    "of a customer": lambda tx: tx.proposals.of_subject(DESK, "sub_1", most=50),
    "everything about a customer": lambda tx: tx.proposals.about(DESK, "sub_1", most=50),
    "what was said to a customer": lambda tx: tx.proposals.about(
        DESK, "sub_1", kinds=["reply.send", "x"], after="hr_1", most=50
    ),
    "payouts of a customer": lambda tx: tx.proposals.moving_money(DESK, subject="sub_1", most=20),
    "payouts of a task": lambda tx: tx.proposals.moving_money(DESK, task="tk_1", most=20),
    "ran alone, of a kind and an agent": lambda tx: tx.proposals.ran_alone(
        DESK, kind="reply.draft", agent="bot", most=50
    ),
    "ran alone, of a customer": lambda tx: tx.proposals.ran_alone(DESK, subject="s", most=50),
    "one sort of entries of a person": lambda tx: tx.log.tagged(DESK, "dana", "x", most=50),
    "channels": lambda tx: (tx.channels.live(DESK), tx.channels.get(DESK, "ch_1")),
    "how a channel fares": lambda tx: tx.channels.state(DESK, "ch_1"),
    "how far people are told": lambda tx: tx.notices.cursor(DESK),
    "notices that wait": lambda tx: (
        tx.notices.recipients(DESK),
        tx.notices.unsent(DESK, "ch_1", "dana", most=50),
    ),
    "notices of a letter": lambda tx: tx.notices.inside(DESK, "nl_1"),
    "letters that are due": lambda tx: tx.notices.due(DESK, 1, most=50),
    "letters to forget": lambda tx: tx.notices.prune(DESK, "nl_1", most=50),
    "the last letter": lambda tx: tx.notices.last_to(DESK, "ch_1", "dana"),
    "entries from an index on": lambda tx: tx.log.following(DESK, 1, most=50),
    "the same again": lambda tx: tx.proposals.same(DESK, "f0", most=50),
    "what an agent has waiting": lambda tx: tx.proposals.waiting_of(DESK, "bot", most=200),
    "a counter": lambda tx: tx.counters.now(DESK, "state:PENDING"),
    "what settled under a cap": lambda tx: tx.caps.posted(DESK, "@value", "sub_1", 1, most=20),
    "what is taken of caps": lambda tx: tx.caps.uses(DESK, CAPS, 1),
    "drawn by lot": lambda tx: tx.proposals.drawn(DESK, most=50),
    "break-glass": lambda tx: (tx.grants.open(DESK), tx.grants.latest(DESK)),
    "a grant": lambda tx: tx.grants.get(DESK, "bg_1"),
    "proposed policies": lambda tx: (tx.amendments.open(DESK), tx.amendments.due(DESK, 1)),
    "how many are proposed": lambda tx: tx.amendments.count_open(DESK),
    "a proposed policy": lambda tx: tx.amendments.get(DESK, "am_1"),
    "latest proposed policies": lambda tx: tx.amendments.latest(DESK, most=9),
    "restored backups": lambda tx: tx.restorations.everything(DESK),
    "reviews": lambda tx: tx.proposals.reviews(DESK, "hr_1"),
    "ready": lambda tx: tx.proposals.in_state(State.READY, most=50),
    "unknown": lambda tx: tx.proposals.in_state(State.UNKNOWN, most=50),
    "task by token": lambda tx: tx.tasks.by_token("hash"),
    "task": lambda tx: tx.tasks.get(DESK, "tk_1"),
    "session": lambda tx: tx.people.session("hash"),
    "sessions of a person": lambda tx: tx.people.sessions(DESK, "dana"),
    "credential by its secret": lambda tx: tx.people.by_secret(DESK, CredentialKind.IDENTITY, "5e"),
    "passkeys of a person": lambda tx: tx.passkeys.of(DESK, "dana"),
    "a passkey": lambda tx: (tx.passkeys.get(DESK, "id"), tx.passkeys.used(DESK, "id")),
    "passkeys, page": lambda tx: tx.passkeys.page(DESK, after="", most=50),
    "what was signed": lambda tx: tx.passkeys.assertions(DESK, "hr_1"),
    "credential": lambda tx: tx.people.credential("hra_1"),
    "people": lambda tx: tx.people.all(DESK, PrincipalKind.PERSON),
    "escalations": lambda tx: tx.escalations.open(DESK, most=50),
    "escalations of an action": lambda tx: tx.escalations.of_proposal(DESK, "hr_1"),
    "open escalation of a task": lambda tx: tx.escalations.open_of(DESK, "tk_1", None, Cause.AGENT),
    "held back": lambda tx: tx.proposals.held(DESK, most=50),
    "late escalations": lambda tx: tx.escalations.late(DESK, 1, most=50),
    "a look": lambda tx: tx.looks.get(DESK, "hr_1", "5e", "dana"),
    "who is at some actions": lambda tx: tx.looks.around(DESK, ["hr_1", "hr_2"], since=1, now=1),
    "what a person decided": lambda tx: tx.looks.decided_by(DESK, "dana", since=1, most=50),
    "what everybody decided": lambda tx: tx.looks.decided(DESK, since=1, most=50),
    "who was at work": lambda tx: tx.looks.people_since(DESK, 1),
    "looks at an action": lambda tx: tx.looks.of_action(DESK, "hr_1"),
    "looks to forget": lambda tx: tx.looks.prune(DESK, 1, most=1_000),
    "deadlines": lambda tx: tx.proposals.deadlines(DESK, most=1_000),
    "active halts": lambda tx: tx.halts.active(DESK),
    "latest halts": lambda tx: tx.halts.latest(DESK, most=50),
    "halts, page": lambda tx: tx.halts.page(DESK, after="ha_1", most=50),
    "open tasks": lambda tx: tx.tasks.open_of(DESK, "bot", 1, most=50),
    "many open tasks": lambda tx: tx.tasks.has_open(DESK, "bot", 1, at_least=2_000),
    "open tasks of a customer": lambda tx: tx.tasks.open_of(DESK, "bot", 1, customer="s", most=9),
    "the candidate": lambda tx: (tx.candidates.running(DESK), tx.candidates.latest(DESK)),
    "what a candidate differs in": lambda tx: tx.candidates.contrasts(DESK, "cd_1", most=50),
    "how often it differs": lambda tx: tx.candidates.differing(DESK, "cd_1"),
    "entry": lambda tx: tx.log.entry(DESK, 1),
    "entries of an action": lambda tx: tx.log.of_proposal(DESK, "hr_1"),
    "entries of a person": lambda tx: tx.log.of_person(DESK, "dana", most=50),
    "latest entries": lambda tx: tx.log.latest(DESK, before=5, most=50),
    "checkpoint": lambda tx: tx.log.latest_checkpoint(DESK),
    "content": lambda tx: tx.vault.get(DESK, "hr_1", "content"),
    "customer's reference": lambda tx: tx.vault.find_ref(DESK, "C-9"),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk of its own."""
    return handrail.open(tmp_path_factory.mktemp("plans"))


def walks(connection: apsw.Connection, sql: str) -> list[str]:
    """The steps of a query's plan that walk a table whose size grows with use."""
    places = [None] * sql.count("?")
    steps = [str(row[3]) for row in connection.execute("EXPLAIN QUERY PLAN " + sql, places)]
    return [
        step
        for step in steps
        if WALKS.search(step) and not any(f" {table} " in f"{step} " for table in SMALL_TABLES)
    ]


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_uses_an_index(desk: Desk, name: str) -> None:
    """Each way of looking is run once, and every query that it sends is explained."""
    sent = sent_by(desk, LOOKS[name])
    store = desk.ctx.store
    assert isinstance(store, SqliteStore)
    assert sent
    assert {sql: walks(store.connection, sql) for sql in sent} == {sql: [] for sql in sent}


@pytest.mark.parametrize("name", [name for name in LOOKS if name.startswith("queue")])
def test_the_queue_is_read_from_its_own_index(desk: Desk, name: str) -> None:
    """What is sifted out is never fetched: the index has every column that is asked for."""
    store = desk.ctx.store
    assert isinstance(store, SqliteStore)
    (sql,) = sent_by(desk, LOOKS[name])
    plan = str(
        store.connection.execute("EXPLAIN QUERY PLAN " + sql, [None] * sql.count("?")).fetchall()
    )
    covering = "," in name and "next page" not in name
    assert f"USING {'COVERING INDEX' if covering else 'INDEX'} proposal_queue" in plan


def test_a_walk_would_be_seen(desk: Desk) -> None:
    """A query without an index is named as a walk."""
    store = desk.ctx.store
    assert isinstance(store, SqliteStore)
    assert walks(store.connection, "SELECT id FROM proposal WHERE digest = ?")
    assert walks(store.connection, "SELECT idx FROM entry WHERE desk = ? AND tag = ?")


def sent_by(desk: Desk, look: Callable[[Tx], object]) -> list[str]:
    """The queries that a look sends, as the writing connection sees them."""
    store = desk.ctx.store
    assert isinstance(store, SqliteStore)
    sent: list[str] = []

    def trace(cursor: object, sql: str, values: object) -> bool:
        if sql.startswith("SELECT"):
            sent.append(sql)
        return True

    store.connection.exec_trace = trace
    try:
        store.write(look)
    finally:
        store.connection.exec_trace = None
    return sent


def test_the_desk_is_where_it_should_be(desk: Desk) -> None:
    """The statistics are in the file, so a second opening plans the same."""
    store = desk.ctx.store
    assert isinstance(store, SqliteStore)
    rows = store.connection.execute("SELECT count(*) FROM sqlite_stat1").fetchall()
    assert rows[0][0] not in (None, 0)
