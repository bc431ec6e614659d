"""Records to store, and units that store them."""

from __future__ import annotations

from typing import Any, Final

from handrail.core.entry import Entry
from handrail.core.grade import Grade
from handrail.core.lifecycle import TRANSITIONS, State
from handrail.core.policy import Control
from handrail.core.principal import Principal, PrincipalKind
from handrail.core.proposal import Proposal
from handrail.core.review import Review, Verdict
from handrail.core.task import Task
from handrail.store.protocol import Store, Tx
from tests.store.databases import NOW

__all__ = [
    "DESK",
    "WAYS",
    "add_entries",
    "entry_of",
    "person_of",
    "proposal_in",
    "proposal_of",
    "review_of",
    "task_of",
]

DESK: Final = "main"


def entry_of(n: int, *, desk: str = DESK, **changes: Any) -> Entry:
    """The entry with number `n` in it."""
    fields: dict[str, Any] = {"at": NOW, "desk": desk, "tag": "desk.opened", "data": {"n": n}}
    return Entry(**{**fields, **changes})


def add_entries(store: Store, count: int, *, desk: str = DESK, start: int = 0) -> None:
    """Append entries with the numbers from `start` on, in one unit."""

    def unit(tx: Tx) -> None:
        for n in range(start, start + count):
            tx.log.append(entry_of(n, desk=desk))

    store.write(unit)


def proposal_of(id: str = "hr_1", **changes: Any) -> Proposal:
    """A pending refund of 120.00 USD."""
    fields: dict[str, Any] = {
        "desk": DESK,
        "id": id,
        "task": "tk_1",
        "agent": "bot",
        "kind": "refund.issue",
        "connector": "desk",
        "state": State.PENDING,
        "version": 1,
        "grade": Grade.G2,
        "control": Control.APPROVE,
        "checkers": 0,
        "reasons": "value_band",
        "value_minor": 12_000,
        "currency": "USD",
        "subject": "sub_1",
        "key": f"key of {id}",
        "fingerprint": "f0",
        "digest": "d0",
        "statement": "5e",
        "policy": "p0",
        "created_at": NOW,
        "updated_at": NOW,
        "decide_by": NOW + 1000,
    }
    return Proposal(**{**fields, **changes})


def review_of(n: int = 1, **changes: Any) -> Review:
    """Ann's approval of `hr_1`."""
    fields: dict[str, Any] = {
        "desk": DESK,
        "proposal": "hr_1",
        "n": n,
        "person": "ann",
        "identity": "ann",
        "verdict": Verdict.APPROVE,
        "statement": "5e",
        "at": NOW,
    }
    return Review(**{**fields, **changes})


def person_of(id: str = "ann", **changes: Any) -> Principal:
    """A person without roles."""
    fields: dict[str, Any] = {
        "desk": DESK,
        "id": id,
        "kind": PrincipalKind.PERSON,
        "name": id.title(),
        "identity": id,
        "created_at": NOW,
    }
    return Principal(**{**fields, **changes})


def task_of(id: str = "tk_1", **changes: Any) -> Task:
    """The agent's task on a ticket."""
    fields: dict[str, Any] = {
        "desk": DESK,
        "id": id,
        "agent": "bot",
        "lane": "support",
        "ticket": "T-1",
        "customers": (),
        "token_hash": f"hash of {id}",
        "created_at": NOW,
        "expires_at": NOW + 60_000,
    }
    return Task(**{**fields, **changes})


def _ways() -> dict[State, tuple[State, ...]]:
    """For every state that can be reached, the states on the shortest way to it."""
    ways: dict[State, tuple[State, ...]] = {State.PROPOSED: ()}
    reached = [State.PROPOSED]
    for place in reached:
        for (before, _), after in TRANSITIONS.items():
            if before is place and after not in ways:
                ways[after] = (*ways[place], after)
                reached.append(after)
    return {state: way for state, way in ways.items() if way}


WAYS: Final = _ways()


def proposal_in(store: Store, state: State, id: str = "hr_1") -> Proposal:
    """A stored proposal, walked to `state` step by step."""
    first, *rest = WAYS[state]

    def unit(tx: Tx) -> Proposal:
        stands = proposal_of(id, state=first)
        tx.proposals.add(stands)
        for step in rest:
            moved = proposal_of(id, state=step, version=stands.version + 1)
            assert tx.proposals.replace(stands, moved)
            stands = moved
        return stands

    return store.write(unit)
