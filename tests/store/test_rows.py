"""What the nouns promise: counters, keys, queues, tasks, people and their credentials."""

from __future__ import annotations

import msgspec
import pytest

from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.core.urgency import SLOT_MS, rank_of
from handrail.errors import Unavailable
from handrail.store.protocol import (
    Credential,
    CredentialKind,
    DeskRow,
    Escalation,
    Means,
    PolicyVersion,
    Session,
    Store,
    Tx,
)
from tests.store.databases import NOW
from tests.store.samples import DESK, person_of, proposal_in, proposal_of, review_of

MINUTE = 60_000


def _ids(proposals: list[Proposal]) -> list[str]:
    return [proposal.id for proposal in proposals]


def test_counters_add_up(store: Store) -> None:
    """Over units, commits and desks, and down again."""
    for n in (3, 4, -5):
        store.write(lambda tx: tx.counters.add(DESK, "a", n))  # noqa: B023
    store.write(lambda tx: tx.counters.add(DESK, "b"))
    store.write(lambda tx: tx.counters.add("other", "a", 7))
    assert store.read(lambda tx: tx.counters.of(DESK)) == {"a": 2, "b": 1}
    assert store.read(lambda tx: tx.counters.of(DESK, ["b", "c"])) == {"b": 1}
    assert store.read(lambda tx: tx.counters.of("other")) == {"a": 7}


def test_a_key_belongs_to_one_action_of_an_agent(store: Store) -> None:
    """The same key again is refused by the database; another agent or desk may use it."""
    store.write(lambda tx: tx.proposals.add(proposal_of(key="k")))
    for n, other in enumerate(({"agent": "bot2"}, {"desk": "other"})):
        added = proposal_of(f"hr_{n}", key="k", **other)
        _add(store, added)
    with pytest.raises(Unavailable):
        store.write(lambda tx: tx.proposals.add(proposal_of("hr_9", key="k")))
    found = store.read(lambda tx: tx.proposals.by_key(DESK, "bot", "k"))
    assert found == proposal_of(key="k")
    assert store.read(lambda tx: tx.proposals.by_key(DESK, "bot", "other")) is None


def _add(store: Store, proposal: Proposal) -> None:
    store.write(lambda tx: tx.proposals.add(proposal))


def test_one_provider_reference_belongs_to_one_action(store: Store) -> None:
    """The database refuses to file one effect under two actions of a connector."""
    for id in ("hr_1", "hr_2"):
        proposal_in(store, State.EXECUTING, id)

    def unit(tx: Tx, id: str) -> bool:
        stands = tx.proposals.get(DESK, id)
        assert stands is not None
        done = proposal_of(
            id, state=State.SUCCEEDED, version=stands.version + 1, provider_ref="R-1"
        )
        return tx.proposals.replace(stands, done)

    assert store.write(lambda tx: unit(tx, "hr_1"))
    with pytest.raises(Unavailable):
        store.write(lambda tx: unit(tx, "hr_2"))


def test_the_queue_is_by_rank(store: Store) -> None:
    """Pages of it hang together, and only what is pending is in it."""
    deadlines = {"hr_a": 3 * SLOT_MS, "hr_b": SLOT_MS, "hr_c": 2 * SLOT_MS, "hr_d": SLOT_MS}

    def unit(tx: Tx) -> None:
        for id, due in deadlines.items():
            rank = rank_of(NOW + due, 0)
            tx.proposals.add(proposal_of(id, decide_by=NOW + due, rank=rank))
        tx.proposals.add(proposal_of("hr_e", state=State.READY, control=Control.RUN_AND_LOG))

    store.write(unit)
    whole = store.read(lambda tx: tx.proposals.queue(DESK, most=10))
    assert _ids(whole) == ["hr_b", "hr_d", "hr_c", "hr_a"]
    last = whole[1]
    after = store.read(
        lambda tx: tx.proposals.queue(DESK, after=(last.rank or 0, last.id), most=10)
    )
    assert _ids(after) == ["hr_c", "hr_a"]
    due = store.read(lambda tx: tx.proposals.overdue(DESK, NOW + 2 * SLOT_MS, most=10))
    assert sorted(_ids(due)) == ["hr_b", "hr_c", "hr_d"]


def test_lists_are_newest_first_and_page(store: Store) -> None:
    """All of a desk, what ran alone, and what concerns one customer."""

    def unit(tx: Tx) -> None:
        for n in range(6):
            ran = {"state": State.READY, "control": Control.RUN_AND_NOTIFY} if n % 2 else {}
            tx.proposals.add(proposal_of(f"hr_{n}", subject=f"sub_{n % 3}", **ran))
        tx.proposals.add(proposal_of("hr_7", desk="other"))

    store.write(unit)
    newest = [f"hr_{n}" for n in reversed(range(6))]
    assert store.read(lambda tx: _ids(tx.proposals.latest(DESK, most=4))) == newest[:4]
    assert store.read(lambda tx: _ids(tx.proposals.latest(DESK, before="hr_2", most=4))) == [
        "hr_1",
        "hr_0",
    ]
    assert store.read(lambda tx: _ids(tx.proposals.ran_alone(DESK, most=9))) == newest[0::2]
    assert store.read(lambda tx: _ids(tx.proposals.of_subject(DESK, "sub_1", most=9))) == [
        "hr_4",
        "hr_1",
    ]
    assert store.read(lambda tx: tx.proposals.count(DESK)) == 6
    pages = store.read(
        lambda tx: [_ids(tx.proposals.page(DESK, after=at, most=4)) for at in ("", "hr_3")]
    )
    assert pages == [["hr_0", "hr_1", "hr_2", "hr_3"], ["hr_4", "hr_5"]]


@pytest.mark.parametrize("state", [State.READY, State.EXECUTING, State.UNKNOWN, State.HOLDING])
def test_open_work_is_found_by_its_state(store: Store, state: State) -> None:
    """Of every desk, oldest first."""
    for id in ("hr_2", "hr_1"):
        proposal_in(store, state, id)
    proposal_in(store, State.PENDING, "hr_3")
    assert store.read(lambda tx: _ids(tx.proposals.in_state(state, most=9))) == ["hr_1", "hr_2"]


def test_reviews_are_kept_in_order(store: Store) -> None:
    """With everything that was said of them."""
    reviews = [review_of(n, person=name, identity=name) for n, name in ((1, "ann"), (2, "bob"))]

    def unit(tx: Tx) -> None:
        for review in reversed(reviews):
            tx.proposals.add_review(review)

    store.write(unit)
    assert store.read(lambda tx: tx.proposals.reviews(DESK, "hr_1")) == reviews
    assert store.read(lambda tx: tx.proposals.reviews("other", "hr_1")) == []


def test_people_are_kept_whole(store: Store) -> None:
    """Roles and limits come back as they went in, and changes replace them."""
    ann = person_of(roles=(Role.CHECKER, Role.ADMIN), limits={"USD": 500_000, "JPY": 7})
    bot = Principal(
        desk=DESK,
        id="bot",
        kind=PrincipalKind.AGENT,
        name="Bot",
        identity="bot",
        owner="ann",
        operator="olga",
        deployer="dan",
        created_at=NOW,
    )
    for one in (ann, bot):
        store.write(lambda tx: tx.people.add(one))  # noqa: B023
    assert store.read(lambda tx: tx.people.get(DESK, "ann")) == ann
    assert store.read(lambda tx: tx.people.get("other", "ann")) is None
    assert store.read(lambda tx: tx.people.all(DESK, PrincipalKind.AGENT)) == [bot]
    gone = person_of(name="Ann B", disabled=True)
    store.write(lambda tx: tx.people.change(gone))
    assert store.read(lambda tx: tx.people.get(DESK, "ann")) == gone


def test_credentials_end_once(store: Store) -> None:
    """A revoked credential stays known, and is revoked only once."""
    key = Credential(
        desk=DESK,
        id="hra_1",
        principal="bot",
        kind=CredentialKind.API_KEY,
        secret_hash="5e",
        created_at=NOW,
    )
    store.write(lambda tx: tx.people.add_credential(key))
    assert store.read(lambda tx: tx.people.credential("hra_1")) == key
    assert store.write(lambda tx: tx.people.revoke_credential("other", "hra_1", NOW)) is False
    assert store.write(lambda tx: tx.people.revoke_credential(DESK, "hra_1", NOW)) is True
    assert store.write(lambda tx: tx.people.revoke_credential(DESK, "hra_1", NOW)) is False
    found = store.read(lambda tx: tx.people.credentials(DESK, "bot", CredentialKind.API_KEY))
    assert [(one.id, one.revoked_at) for one in found] == [("hra_1", NOW)]


def test_sessions_end_by_logging_out_and_by_time(store: Store) -> None:
    """A swept or ended session is gone."""

    def session(name: str, until: int) -> Session:
        return Session(
            token_hash=name,
            desk=DESK,
            person="ann",
            csrf="c",
            created_at=NOW,
            expires_at=until,
            seen_at=NOW,
            proved_at=NOW,
            means=Means.PASSKEY,
            browser="Lynx",
        )

    names = {"a": MINUTE, "b": 2 * MINUTE, "c": 3 * MINUTE}

    def unit(tx: Tx) -> None:
        for name, wait in names.items():
            tx.people.add_session(session(name, NOW + wait))

    store.write(unit)
    assert store.read(lambda tx: tx.people.session("b")) == session("b", NOW + 2 * MINUTE)
    store.write(lambda tx: tx.people.saw_session("b", NOW + 1))
    seen = store.read(lambda tx: tx.people.sessions(DESK, "ann"))
    assert [(one.token_hash, one.seen_at - NOW) for one in seen] == [("a", 0), ("b", 1), ("c", 0)]
    assert store.read(lambda tx: tx.people.sessions(DESK, "bob")) == []
    assert store.write(lambda tx: tx.people.end_session("b")) is True
    assert store.write(lambda tx: tx.people.end_session("b")) is False
    assert store.write(lambda tx: tx.people.sweep_sessions(NOW + MINUTE)) == 1
    left = store.read(lambda tx: [name for name in names if tx.people.session(name)])
    assert left == ["c"]


def test_tasks_are_found_by_their_token(store: Store) -> None:
    """And revoked once."""
    task = Task(
        desk=DESK,
        id="tk_1",
        agent="bot",
        lane="support",
        ticket="T-1",
        customers=("sub_1", "sub_2"),
        token_hash="5e",
        created_at=NOW,
        expires_at=NOW + MINUTE,
    )
    store.write(lambda tx: tx.tasks.add(task))
    assert store.read(lambda tx: (tx.tasks.get(DESK, "tk_1"), tx.tasks.by_token("5e"))) == (
        task,
        task,
    )
    assert store.write(lambda tx: tx.tasks.revoke(DESK, "tk_1", NOW)) is True
    assert store.write(lambda tx: tx.tasks.revoke(DESK, "tk_1", NOW)) is False
    revoked = store.read(lambda tx: tx.tasks.get(DESK, "tk_1"))
    assert revoked is not None
    assert revoked.ended(NOW)


def test_escalations_are_closed_once(store: Store) -> None:
    """Open ones are listed by deadline, closed ones stay known."""

    def escalation(id: str, due: int) -> Escalation:
        return Escalation(
            desk=DESK,
            id=id,
            task="tk_1",
            agent="bot",
            proposal="hr_1",
            subject="sub_1",
            opened_at=NOW,
            due_at=NOW + due,
        )

    opened = [escalation("es_1", 20), escalation("es_2", 10)]
    for one in opened:
        store.write(lambda tx: tx.escalations.add(one))  # noqa: B023
    listed = store.read(lambda tx: tx.escalations.open(DESK, most=9))
    assert [one.id for one in listed] == ["es_2", "es_1"]
    ended = msgspec.structs.replace(opened[1], owner="ann", closed_at=NOW, closed_by="ann")
    assert store.write(lambda tx: tx.escalations.change(ended)) is True
    assert store.write(lambda tx: tx.escalations.change(opened[1])) is False
    assert store.read(lambda tx: tx.escalations.open(DESK, most=9)) == [opened[0]]
    closed = store.read(lambda tx: tx.escalations.get(DESK, "es_2"))
    assert closed is not None
    assert (closed.closed_by, closed.owner) == ("ann", "ann")
    assert len(store.read(lambda tx: tx.escalations.of_proposal(DESK, "hr_1"))) == 2


def test_policies_keep_every_version(store: Store) -> None:
    """The newest is the active one; older ones stay readable by their digest."""

    def version(n: int) -> PolicyVersion:
        return PolicyVersion(
            desk=DESK,
            version=n,
            digest=f"d{n}",
            name="p",
            body="{}",
            activated_at=NOW,
            activated_by="ann",
        )

    store.write(lambda tx: tx.desks.add(DeskRow(id=DESK, name="Main", created_at=NOW)))
    for n in (1, 2):
        store.write(lambda tx: tx.desks.activate(version(n)))  # noqa: B023
    assert store.read(lambda tx: tx.desks.all()) == [
        DeskRow(id=DESK, name="Main", created_at=NOW, policy="d2")
    ]
    assert store.read(lambda tx: tx.desks.latest_policy(DESK)) == version(2)
    assert store.read(lambda tx: tx.desks.policy(DESK, "d1")) == version(1)
    store.write(lambda tx: tx.desks.set_all({"a": "1", "b": "2"}))
    store.write(lambda tx: tx.desks.set_all({"a": "3"}))
    assert store.read(lambda tx: [tx.desks.setting(name) for name in "abc"]) == ["3", "2", None]
