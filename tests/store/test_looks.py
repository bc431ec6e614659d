"""What the store promises of looks: who was shown what, who has taken it, and what was decided."""

from __future__ import annotations

from typing import Any

import msgspec

from handrail.core.attention import Look
from handrail.core.lifecycle import State
from handrail.core.review import Verdict
from handrail.store.protocol import Store, Tx
from tests.store.databases import NOW
from tests.store.samples import DESK, proposal_in, proposal_of

MINUTE = 60_000


def look_of(person: str = "ann", **changes: Any) -> Look:
    """That somebody was shown `hr_1`."""
    fields: dict[str, Any] = {
        "desk": DESK,
        "proposal": "hr_1",
        "statement": "5e",
        "person": person,
        "first_at": NOW,
        "seen_at": NOW,
        "dwell_ms": 6_000,
    }
    return Look(**{**fields, **changes})


def shown(store: Store, *looks: Look) -> None:
    """Keep these."""

    def unit(tx: Tx) -> None:
        for look in looks:
            tx.looks.show(look)

    store.write(unit)


def test_the_first_showing_stays(store: Store) -> None:
    """Shown again, it keeps when it was first shown and how long it takes; a new version is new."""
    first = look_of()
    again = look_of(first_at=NOW + 9, seen_at=NOW + 9, dwell_ms=0)
    shown(store, first, again, look_of(statement="6f", first_at=NOW + 9))
    kept = msgspec.structs.replace(first, seen_at=NOW + 9)
    assert store.read(lambda tx: tx.looks.get(DESK, "hr_1", "5e", "ann")) == kept
    newer = store.read(lambda tx: tx.looks.get(DESK, "hr_1", "6f", "ann"))
    assert newer is not None
    assert newer.first_at == NOW + 9
    for other in ("hr_1", "5e", "bea"), ("hr_2", "5e", "ann"), ("hr_1", "7a", "ann"):
        assert store.read(lambda tx: tx.looks.get(DESK, *other)) is None  # noqa: B023
    assert store.read(lambda tx: tx.looks.get("other", "hr_1", "5e", "ann")) is None


def test_who_is_at_it(store: Store) -> None:
    """Whoever was shown it since, and whoever has taken it still; of these actions on this desk."""
    shown(
        store,
        look_of("ann", seen_at=NOW),
        look_of("bea", seen_at=NOW - MINUTE),
        look_of("cem", seen_at=NOW - MINUTE),
        look_of("dev", proposal="hr_2"),
        look_of("eve", desk="other"),
    )

    def take(tx: Tx) -> None:
        tx.looks.take(look_of("bea"), NOW + 1)
        tx.looks.take(look_of("cem"), NOW)

    store.write(take)

    def around(*ids: str) -> list[str]:
        found = store.read(lambda tx: tx.looks.around(DESK, ids, since=NOW - 30_000, now=NOW))
        return [one.person for one in found]

    assert around("hr_1") == ["ann", "bea"]
    assert around("hr_1", "hr_2") == ["ann", "bea", "dev"]
    assert around() == []
    store.write(lambda tx: tx.looks.take(look_of("bea"), None))
    assert around("hr_1") == ["ann"]
    since = NOW - MINUTE
    assert store.read(lambda tx: tx.looks.people_since(DESK, since)) == ["ann", "dev"]
    assert store.read(lambda tx: tx.looks.people_since(DESK, since - 1)) == [
        "ann",
        "bea",
        "cem",
        "dev",
    ]


def test_what_was_decided(store: Store) -> None:
    """Newest first, since a time. Who was not shown it has no row, and none is made.

    D10: what everybody decided leaves out what still waits for others.
    """
    proposal_in(store, State.SUCCEEDED, "hr_1")
    store.write(lambda tx: tx.proposals.add(proposal_of("hr_2")))
    shown(store, look_of(), look_of(proposal="hr_2"), look_of("bea"))

    def decide(tx: Tx) -> None:
        tx.looks.decide(DESK, "hr_1", "5e", "ann", Verdict.APPROVE, NOW + 5)
        tx.looks.decide(DESK, "hr_2", "5e", "ann", Verdict.APPROVE, NOW + 6)
        tx.looks.decide(DESK, "hr_1", "5e", "bea", Verdict.REJECT, NOW + 7)
        tx.looks.decide(DESK, "hr_1", "5e", "cem", Verdict.REJECT, NOW + 8)

    store.write(decide)

    def own(since: int, most: int = 9) -> list[tuple[str, int | None]]:
        looks = store.read(lambda tx: tx.looks.decided_by(DESK, "ann", since=since, most=most))
        return [(one.proposal, one.took_ms) for one in looks]

    assert own(NOW) == [("hr_2", 6), ("hr_1", 5)]
    assert own(NOW + 5) == own(NOW, 1) == [("hr_2", 6)]
    every = store.read(lambda tx: tx.looks.decided(DESK, since=NOW, most=9))
    assert [(one.person, one.verdict) for one in every] == [
        ("bea", Verdict.REJECT),
        ("ann", Verdict.APPROVE),
    ]
    assert store.read(lambda tx: tx.looks.decided("other", since=NOW, most=9)) == []


def test_what_is_forgotten(store: Store) -> None:
    """Looks at what ended before then, some at a time; never one at what is open or just ended."""
    for id, state in {"hr_1": State.REJECTED, "hr_2": State.READY, "hr_3": State.PENDING}.items():
        proposal_in(store, state, id)
    ended = store.read(lambda tx: tx.proposals.look(DESK, "hr_1"))
    assert ended is not None
    long_ago = ended.updated_at - MINUTE
    people = ("ann", "bea", "cem")
    shown(
        store,
        *(look_of(one, first_at=long_ago, seen_at=long_ago + n) for n, one in enumerate(people)),
        look_of("dev", first_at=long_ago, seen_at=ended.updated_at + 9),
        *(look_of(proposal=id, seen_at=long_ago) for id in ("hr_2", "hr_3")),
        look_of("eve", desk="other", seen_at=long_ago),
    )

    def left(id: str = "hr_1") -> list[str]:
        return [one.person for one in store.read(lambda tx: tx.looks.of_action(DESK, id))]

    def prune(before: int, most: int = 9) -> int:
        return store.write(lambda tx: tx.looks.prune(DESK, before, most=most))

    assert left() == ["ann", "bea", "cem", "dev"]
    assert prune(ended.updated_at) == 0
    assert prune(ended.updated_at + 9, most=2) == 2
    assert left() == ["cem", "dev"]
    assert [prune(ended.updated_at + 9) for _ in range(2)] == [1, 0]
    assert (left(), left("hr_2"), left("hr_3")) == (["dev"], ["ann"], ["ann"])
    assert store.read(lambda tx: tx.looks.get("other", "hr_1", "5e", "eve")) is not None


def test_deadlines_of_what_waits(store: Store) -> None:
    """By rank, with how many people each takes: at least one."""
    rows = {"hr_1": (NOW + 3, 2, 0), "hr_2": (NOW + 2, 1, 2), "hr_3": (NOW + 1, 3, 1)}
    for id, (due, rank, checkers) in rows.items():
        fields = {"decide_by": due, "rank": rank, "checkers": checkers}
        store.write(lambda tx: tx.proposals.add(proposal_of(id, **fields)))  # noqa: B023
    proposal_in(store, State.REJECTED, "hr_4")
    expected = [(NOW + 2, 2), (NOW + 3, 1), (NOW + 1, 1)]
    assert store.read(lambda tx: tx.proposals.deadlines(DESK, most=9)) == expected
    assert store.read(lambda tx: tx.proposals.deadlines(DESK, most=2)) == expected[:2]
