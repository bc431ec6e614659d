"""The database itself lets a proposal move only the ways that `TRANSITIONS` names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from handrail.core.lifecycle import TRANSITIONS, State
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.errors import Unavailable
from handrail.store.protocol import Store, Tx
from tests.store.databases import Database, Refused
from tests.store.samples import DESK, WAYS, entry_of, proposal_in, proposal_of

PAIRS = {(before, after) for (before, _), after in TRANSITIONS.items()}
STARTS = {after for before, after in PAIRS if before is State.PROPOSED}
ALONE = (Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY)


def test_every_state_but_the_first_can_be_walked_to() -> None:
    """The walks that these tests use cover all states; nothing is stored as PROPOSED."""
    assert set(WAYS) == set(State) - {State.PROPOSED}


@pytest.mark.parametrize("before", WAYS, ids=lambda state: state.value)
def test_only_the_written_ways_are_open(store: Store, before: State) -> None:
    """From one state, every other state is tried; exactly the written ones are let through."""
    open_ways = set()
    for after in State:
        if after is before:
            continue
        id = f"hr_{after.value}"
        stands = proposal_in(store, before, id)
        moved = proposal_of(id, state=after, version=stands.version + 1)
        if _let_through(store, stands, moved):
            open_ways.add(after)
        row = store.read(lambda tx: tx.proposals.get(DESK, id))  # noqa: B023
        assert row == (moved if after in open_ways else stands)
    assert open_ways == {after for a, after in PAIRS if a is before} - {before}


def _let_through(store: Store, stands: Proposal, moved: Proposal) -> bool:
    """Whether the database takes the change; refusing is the only other thing that it may do."""
    try:
        return store.write(lambda tx: tx.proposals.replace(stands, moved))
    except Unavailable as refusal:
        if refusal.code != "store_failed" or "cannot move that way" not in refusal.message:
            raise
        return False


@pytest.mark.parametrize("state", WAYS, ids=lambda state: state.value)
def test_standing_still_is_a_way_too(database: Database, state: State) -> None:
    """Behind the store's back, writing the same state again passes only where it is a way."""
    store = database.open()
    proposal_in(store, state)
    store.close()
    change = f"UPDATE proposal SET state = '{state.value}' WHERE id = 'hr_1'"
    if (state, state) in PAIRS:
        database.change(change)
    else:
        with pytest.raises(Refused, match="cannot move that way"):
            database.change(change)


@pytest.mark.parametrize("attempt", [0, 1, 2])
@pytest.mark.parametrize("control", list(Control), ids=lambda control: control.value)
@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
def test_a_proposal_starts_only_where_it_may(
    contract: Store, state: State, control: Control, attempt: int
) -> None:
    """As the policy decided; or running its first attempt, if nobody need be asked."""
    id = f"hr_{state.value}_{control.value}_{attempt}"
    proposal = proposal_of(id, state=state, control=control, attempt=attempt)
    runs = state is State.EXECUTING and attempt == 1 and control in ALONE
    if state in STARTS or runs:
        contract.write(lambda tx: tx.proposals.add(proposal))
        assert contract.read(lambda tx: tx.proposals.get(DESK, id)) == proposal
    else:
        with pytest.raises(Unavailable):
            contract.write(lambda tx: tx.proposals.add(proposal))


@pytest.mark.parametrize("late", ["a start", "a move", "a key that is taken"])
def test_what_the_database_refuses_late_undoes_its_whole_unit(store: Store, late: str) -> None:
    """All that the unit wrote before is gone, and the units beside it land."""
    stands = proposal_in(store, State.READY)
    before = store.read(lambda tx: tx.log.size(DESK))

    def unit(tx: Tx) -> None:
        tx.log.append(entry_of(1))
        tx.proposals.add(proposal_of("hr_2"))
        match late:
            case "a start":
                tx.proposals.add(proposal_of("hr_3", state=State.SUCCEEDED))
            case "a move":
                moved = msgspec.structs.replace(stands, state=State.REJECTED, version=9)
                tx.proposals.replace(stands, moved)
            case _:
                tx.proposals.add(proposal_of("hr_3", key=stands.key))

    beside = [
        store.submit(lambda tx: tx.proposals.add(proposal_of("hr_4"))),
        store.submit(unit),
        store.submit(lambda tx: tx.proposals.add(proposal_of("hr_5"))),
    ]
    with pytest.raises(Unavailable):
        beside[1].result()
    for ticket in (beside[0], beside[2]):
        ticket.result()
    there = store.read(lambda tx: tx.proposals.page(DESK, after="", most=9))
    assert [one.id for one in there] == ["hr_1", "hr_4", "hr_5"]
    assert there[0] == stands
    assert store.read(lambda tx: tx.log.size(DESK)) == before


STALE: dict[str, dict[str, Any]] = {
    "an older version": {"version": 4},
    "a version to come": {"version": 6},
    "another state": {"state": State.PENDING},
    "another desk": {"desk": "other"},
    "another action": {"id": "hr_2"},
}


@pytest.mark.parametrize("what", STALE)
def test_a_stale_change_does_not_land(store: Store, what: str) -> None:
    """A change made from what the row no longer is says so, and changes nothing."""
    stands = proposal_in(store, State.READY)
    now = proposal_of(state=State.READY, version=5)
    assert store.write(lambda tx: tx.proposals.replace(stands, now))
    fields: dict[str, Any] = {"state": State.READY, "version": 5, **STALE[what]}
    believed = proposal_of(**fields)
    wished = msgspec.structs.replace(believed, state=State.EXECUTING, version=6)
    assert store.write(lambda tx: tx.proposals.replace(believed, wished)) is False
    assert store.read(lambda tx: tx.proposals.get(DESK, "hr_1")) == now


def test_of_two_claims_one_lands(store: Store) -> None:
    """Two units that move the same row from the same version: the first wins, in one commit too."""
    stands = proposal_in(store, State.READY)
    claim = proposal_of(state=State.EXECUTING, version=stands.version + 1, attempt=1)
    tickets = [store.submit(lambda tx: tx.proposals.replace(stands, claim)) for _ in range(5)]
    assert [ticket.result() for ticket in tickets] == [True, False, False, False, False]
