"""What the store promises of halts, of tasks that still count, and of what is late or held back."""

from __future__ import annotations

import msgspec
import pytest

from handrail.core.escalation import Cause
from handrail.core.halt import Halt, HaltScope
from handrail.core.lifecycle import State
from handrail.errors import Unavailable
from handrail.store.protocol import Escalation, Store, Tx
from tests.store.databases import NOW
from tests.store.gateways import Pair
from tests.store.samples import DESK, proposal_in, proposal_of, task_of

MINUTE = 60_000


def halt(id: str = "ha_1", scope: HaltScope = HaltScope.DESK, target: str = "") -> Halt:
    """A halt that counts."""
    return Halt(desk=DESK, id=id, scope=scope, target=target, pulled_by="ann", pulled_at=NOW)


def test_one_counts_at_a_time_and_is_lifted_once(store: Store) -> None:
    """The same halt twice is refused by the database, until the first is lifted."""
    store.write(lambda tx: tx.halts.add(halt()))
    with pytest.raises(Unavailable):
        store.write(lambda tx: tx.halts.add(halt("ha_2")))
    store.write(lambda tx: tx.halts.add(halt("ha_3", HaltScope.AGENT, "bot")))
    assert [one.id for one in store.read(lambda tx: tx.halts.list_active(DESK))] == ["ha_1", "ha_3"]
    lifted = msgspec.structs.replace(halt(), lifted_by="bea", lifted_at=NOW)
    assert store.write(lambda tx: tx.halts.lift(lifted)) is True
    assert store.write(lambda tx: tx.halts.lift(lifted)) is False
    assert store.read(lambda tx: tx.halts.get(DESK, "ha_1")) == lifted
    store.write(lambda tx: tx.halts.add(halt("ha_4")))
    assert [one.id for one in store.read(lambda tx: tx.halts.latest(DESK, most=9))] == [
        "ha_4",
        "ha_3",
        "ha_1",
    ]
    assert store.read(lambda tx: tx.halts.list_active("other")) == []


def test_what_a_unit_pulled_counts_in_the_same_transaction(store: Store) -> None:
    """I13: looked up before and after, and not any more once the unit was rolled back."""

    def pull(tx: Tx) -> bool:
        assert not tx.halts.active(DESK)
        tx.halts.add(halt())
        return bool(tx.halts.active(DESK))

    def fail(tx: Tx) -> None:
        pull(tx)
        raise Unavailable("store_failed", "this unit comes to nothing")

    with pytest.raises(Unavailable):
        store.write(fail)
    assert store.write(lambda tx: bool(tx.halts.active(DESK))) is False
    assert store.write(pull) is True
    assert store.read(lambda tx: bool(tx.halts.active(DESK))) is True


def test_tasks_that_still_count(store: Store) -> None:
    """By agent, maybe by customer; not what was ended or has run out."""
    tasks: dict[str, dict[str, object]] = {
        "tk_1": {"customers": ("sub_1",)},
        "tk_2": {"customers": ("sub_2", "sub_1")},
        "tk_3": {"agent": "other"},
        "tk_4": {"expires_at": NOW - 1},
        "tk_5": {"revoked_at": NOW - 1},
    }
    for id, changes in tasks.items():
        fields: dict[str, object] = {"token_hash": id, "expires_at": NOW + MINUTE, **changes}
        store.write(lambda tx: tx.tasks.add(task_of(id, **fields)))  # noqa: B023

    def look(tx: Tx) -> tuple[list[str], list[str], list[str]]:
        return (
            tx.tasks.open_of(DESK, "bot", NOW, most=9),
            tx.tasks.open_of(DESK, "bot", NOW, customer="sub_2", most=9),
            tx.tasks.open_of(DESK, "bot", NOW, most=1),
        )

    assert store.read(look) == (["tk_1", "tk_2"], ["tk_2"], ["tk_1"])
    assert store.read(lambda tx: tx.tasks.has_open(DESK, "bot", NOW, at_least=2))
    assert not store.read(lambda tx: tx.tasks.has_open(DESK, "bot", NOW, at_least=3))


def test_what_is_held_back_is_listed(store: Store) -> None:
    """One desk's, in the order in which they go out."""
    first = proposal_in(store, State.HOLDING, "hr_1")
    second = proposal_in(store, State.HOLDING, "hr_2")
    proposal_in(store, State.PENDING, "hr_3")
    store.write(
        lambda tx: tx.proposals.add(
            proposal_of("hr_4", desk="other", state=State.HOLDING, key="elsewhere")
        )
    )
    assert store.read(lambda tx: tx.proposals.held(DESK, most=9)) == [first, second]


def test_hand_offs_that_are_late_or_of_the_same(store: Store) -> None:
    """Late ones until they are noticed; the open one about an action, or about a whole task."""

    def escalation(id: str, **changes: object) -> Escalation:
        fields: dict[str, object] = {
            "desk": DESK,
            "id": id,
            "task": "tk_1",
            "agent": "bot",
            "proposal": None,
            "subject": "sub_1",
            "opened_at": NOW,
            "due_at": NOW + MINUTE,
        }
        return msgspec.convert({**fields, **changes}, Escalation)

    whole = escalation("es_1")
    about = escalation("es_2", proposal="hr_1", due_at=NOW, cause=Cause.CAP)
    for one in (whole, about):
        store.write(lambda tx: tx.escalations.add(one))  # noqa: B023

    def same(proposal: str | None, cause: Cause) -> Escalation | None:
        return store.read(lambda tx: tx.escalations.open_of(DESK, "tk_1", proposal, cause))

    assert same(None, Cause.AGENT) == whole
    assert same("hr_1", Cause.CAP) == about
    assert same("hr_1", Cause.AGENT) is None
    assert store.read(lambda tx: tx.escalations.late(DESK, NOW, most=9)) == [about]
    noticed = msgspec.structs.replace(about, overdue_at=NOW)
    assert store.write(lambda tx: tx.escalations.change(noticed)) is True
    assert store.read(lambda tx: tx.escalations.late(DESK, NOW, most=9)) == []


def test_a_halt_counts_on_every_gateway_at_once(pair: Pair) -> None:
    """I13: pulled on one gateway, it is seen by the next unit of the other; so is its lift."""
    here, there = pair
    assert not there.write(lambda tx: bool(tx.halts.active(DESK)))
    here.write(lambda tx: tx.halts.add(halt()))
    assert there.write(lambda tx: bool(tx.halts.active(DESK)))
    lifted = msgspec.structs.replace(halt(), lifted_by="bea", lifted_at=NOW)
    there.write(lambda tx: tx.halts.lift(lifted))
    assert not here.write(lambda tx: bool(tx.halts.active(DESK)))
