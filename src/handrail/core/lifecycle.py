"""The states of a proposal, and every way from one to the next, as data.

`TRANSITIONS` is the whole truth: the docs draw it, the database enforces it, and nothing enters
EXECUTING but from READY.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from handrail.errors import InvariantBroken

__all__ = ["FINAL", "OPEN", "TRANSITIONS", "UNDER_WAY", "Event", "State", "after"]


class State(Enum):
    """Where a proposal stands."""

    # A member is one object, so its identity will do. Enum's own hash is written in Python.
    __hash__ = object.__hash__

    PROPOSED = "PROPOSED"
    PENDING = "PENDING"
    HOLDING = "HOLDING"
    READY = "READY"
    EXECUTING = "EXECUTING"
    UNKNOWN = "UNKNOWN"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    REFUSED = "REFUSED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"
    SUPERSEDED = "SUPERSEDED"
    ESCALATED = "ESCALATED"


class Event(Enum):
    """What moves a proposal from one state to the next."""

    __hash__ = object.__hash__

    RUN = "run"
    ASK = "ask"
    HOLD = "hold"
    REFUSE = "refuse"
    ESCALATE = "escalate"
    APPROVE = "approve"
    REJECT = "reject"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    EDIT = "edit"
    RELEASE = "release"
    RECALL = "recall"
    CLAIM = "claim"
    WAIT = "wait"
    ASK_AGAIN = "ask_again"
    TAKE_BACK = "take_back"
    SUCCEED = "succeed"
    FAIL = "fail"
    LOSE = "lose"
    FOUND = "found"
    ABSENT = "absent"
    ABANDON = "abandon"
    CONFIRM_DONE = "confirm_done"
    CONFIRM_NOT_DONE = "confirm_not_done"
    DOUBT = "doubt"


TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    (State.PROPOSED, Event.RUN): State.READY,
    (State.PROPOSED, Event.ASK): State.PENDING,
    (State.PROPOSED, Event.HOLD): State.HOLDING,
    (State.PROPOSED, Event.REFUSE): State.REFUSED,
    (State.PROPOSED, Event.ESCALATE): State.ESCALATED,
    (State.PENDING, Event.APPROVE): State.READY,
    (State.PENDING, Event.REJECT): State.REJECTED,
    (State.PENDING, Event.EXPIRE): State.EXPIRED,
    (State.PENDING, Event.WITHDRAW): State.WITHDRAWN,
    (State.PENDING, Event.EDIT): State.SUPERSEDED,
    (State.PENDING, Event.ESCALATE): State.ESCALATED,
    (State.HOLDING, Event.RELEASE): State.READY,
    (State.HOLDING, Event.RECALL): State.WITHDRAWN,
    (State.HOLDING, Event.ASK_AGAIN): State.PENDING,
    (State.READY, Event.CLAIM): State.EXECUTING,
    (State.READY, Event.WAIT): State.READY,
    (State.READY, Event.ASK_AGAIN): State.PENDING,
    (State.READY, Event.TAKE_BACK): State.PENDING,
    (State.READY, Event.EXPIRE): State.EXPIRED,
    (State.READY, Event.WITHDRAW): State.WITHDRAWN,
    (State.EXECUTING, Event.SUCCEED): State.SUCCEEDED,
    (State.EXECUTING, Event.FAIL): State.FAILED,
    (State.EXECUTING, Event.LOSE): State.UNKNOWN,
    (State.UNKNOWN, Event.FOUND): State.SUCCEEDED,
    (State.UNKNOWN, Event.ABSENT): State.READY,
    (State.UNKNOWN, Event.ABANDON): State.FAILED,
    (State.UNKNOWN, Event.CONFIRM_DONE): State.SUCCEEDED,
    (State.UNKNOWN, Event.CONFIRM_NOT_DONE): State.FAILED,
    (State.PENDING, Event.DOUBT): State.UNKNOWN,
    (State.HOLDING, Event.DOUBT): State.UNKNOWN,
    (State.READY, Event.DOUBT): State.UNKNOWN,
}

FINAL: Final = frozenset(State) - {before for before, _ in TRANSITIONS}
"""States that nothing leaves."""

OPEN: Final = frozenset(State) - FINAL
"""States in which something may still happen."""

UNDER_WAY: Final = frozenset((State.READY, State.EXECUTING))
"""Allowed and not over: nobody is asked any more, and it ends by itself."""


def after(state: State, event: Event) -> State:
    """The state that `event` leads to; a transition that does not exist breaks an invariant."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise InvariantBroken(
            "invariant_broken", f"no way from {state.value} by `{event.value}`"
        ) from None
