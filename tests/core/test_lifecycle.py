"""The states of a proposal: the table of the architecture, word for word, and what follows."""

from __future__ import annotations

import pytest

from handrail.core.lifecycle import FINAL, OPEN, TRANSITIONS, Event, State, after
from handrail.errors import InvariantBroken

WAYS = """
PROPOSED   run               READY
PROPOSED   ask               PENDING
PROPOSED   hold              HOLDING
PROPOSED   refuse            REFUSED
PROPOSED   escalate          ESCALATED
PENDING    approve           READY
PENDING    reject            REJECTED
PENDING    expire            EXPIRED
PENDING    withdraw          WITHDRAWN
PENDING    edit              SUPERSEDED
PENDING    escalate          ESCALATED
HOLDING    release           READY
HOLDING    recall            WITHDRAWN
HOLDING    ask_again         PENDING
READY      claim             EXECUTING
READY      wait              READY
READY      ask_again         PENDING
READY      take_back         PENDING
READY      expire            EXPIRED
READY      withdraw          WITHDRAWN
EXECUTING  succeed           SUCCEEDED
EXECUTING  fail              FAILED
EXECUTING  lose              UNKNOWN
UNKNOWN    found             SUCCEEDED
UNKNOWN    absent            READY
UNKNOWN    abandon           FAILED
UNKNOWN    confirm_done      SUCCEEDED
PENDING    doubt             UNKNOWN
HOLDING    doubt             UNKNOWN
READY      doubt             UNKNOWN
UNKNOWN    confirm_not_done  FAILED
"""

ENDS = "SUCCEEDED FAILED REFUSED REJECTED EXPIRED WITHDRAWN SUPERSEDED ESCALATED"

TABLE = {
    (State(before), Event(event)): State(then)
    for before, event, then in (row.split() for row in WAYS.strip().splitlines())
}


def test_the_table_is_the_architecture() -> None:
    """No way more and no way less than the document draws."""
    assert TRANSITIONS == TABLE


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_a_way_exists_or_the_worker_stops(state: State, event: Event) -> None:
    """All 336 pairs: the listed ones lead on, every other one is a broken invariant."""
    if (state, event) in TABLE:
        assert after(state, event) is TABLE[state, event]
    else:
        with pytest.raises(InvariantBroken, match=f"no way from {state.value} by"):
            after(state, event)


def test_nothing_enters_executing_but_from_ready() -> None:
    """There is one door to the outside world."""
    doors = {before for (before, _), then in TRANSITIONS.items() if then is State.EXECUTING}
    assert doors == {State.READY}


def test_nobody_is_passed_by_time() -> None:
    """A timeout never leads to READY, and what waits for a person gets there by approval alone."""
    assert {after(*way) for way in TRANSITIONS if way[1] is Event.EXPIRE} == {State.EXPIRED}
    passed = {
        event
        for (before, event), then in TRANSITIONS.items()
        if before is State.PENDING and then is State.READY
    }
    assert passed == {Event.APPROVE}


def test_final_states_have_no_way_out() -> None:
    """Exactly the eight ends are final, and no event moves them."""
    assert {State(name) for name in ENDS.split()} == FINAL
    assert not [way for way in TRANSITIONS if way[0] in FINAL]
    assert set(State) - FINAL == OPEN


def test_every_state_is_reached_from_proposed_and_reaches_an_end() -> None:
    """No state is an orphan and none is a trap."""
    reached = _closure({State.PROPOSED}, [(way[0], then) for way, then in TRANSITIONS.items()])
    assert reached == set(State)
    ending = _closure(set(FINAL), [(then, way[0]) for way, then in TRANSITIONS.items()])
    assert ending == set(State)


def test_every_event_moves_something() -> None:
    """An event that no transition uses is a word without a meaning."""
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_an_unknown_outcome_is_left_only_by_finding_out() -> None:
    """UNKNOWN does not expire, is not withdrawn, and is not simply claimed again."""
    ways = {event for before, event in TRANSITIONS if before is State.UNKNOWN}
    assert ways == {
        Event.FOUND,
        Event.ABSENT,
        Event.ABANDON,
        Event.CONFIRM_DONE,
        Event.CONFIRM_NOT_DONE,
    }


def _closure(seeds: set[State], edges: list[tuple[State, State]]) -> set[State]:
    seen = set(seeds)
    while True:
        more = {then for before, then in edges if before in seen} - seen
        if not more:
            return seen
        seen |= more
