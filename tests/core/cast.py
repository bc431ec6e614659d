"""The people, the agent and the action that the tests of reviews are played with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from handrail.core.grade import Grade
from handrail.core.ground import Ground
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.core.review import Outcome, Review, Verdict, judge
from handrail.errors import HandrailError

NOW = 1_790_000_000_000
STATEMENT = "5e" * 32

AGENT = Principal(
    desk="main",
    id="agent_1",
    kind=PrincipalKind.AGENT,
    name="Bot",
    identity="agent_1",
    owner="olga",
    operator="oscar",
    deployer="dana",
    created_at=NOW,
)


def person_of(name: str, *roles: Role, **changes: Any) -> Principal:
    """A person who may pass up to 5,000.00 USD; `changes` say otherwise."""
    fields: dict[str, Any] = {
        "desk": "main",
        "id": f"per_{name}",
        "kind": PrincipalKind.PERSON,
        "name": name.title(),
        "identity": name,
        "roles": roles or (Role.REVIEWER, Role.CHECKER),
        "limits": {"USD": 500_000},
        "created_at": NOW - 10_000,
    }
    return Principal(**{**fields, **changes})


def proposal_of(**changes: Any) -> Proposal:
    """A pending refund of 2,400.00 USD that the agent proposed; one checker is enough."""
    fields: dict[str, Any] = {
        "desk": "main",
        "id": "hr_1",
        "task": "task_1",
        "agent": AGENT.id,
        "kind": "refund.issue",
        "connector": "billing",
        "state": State.PENDING,
        "version": 1,
        "grade": Grade.G3,
        "control": Control.MAKER_CHECKER,
        "checkers": 1,
        "reasons": "[]",
        "value_minor": 240_000,
        "currency": "USD",
        "subject": "sub_1",
        "key": "k",
        "fingerprint": "f",
        "digest": "d",
        "statement": STATEMENT,
        "policy": "p",
        "created_at": NOW - 1000,
        "updated_at": NOW - 1000,
        "decide_by": NOW + 1000,
    }
    return Proposal(**{**fields, **changes})


def review_by(person: str, verdict: Verdict = Verdict.APPROVE, **changes: Any) -> Review:
    """What a person said before."""
    fields: dict[str, Any] = {
        "desk": "main",
        "proposal": "hr_1",
        "n": 1,
        "person": f"per_{person.removeprefix('per_')}",
        "identity": person,
        "verdict": verdict,
        "statement": STATEMENT,
        "at": NOW - 10,
    }
    return Review(**{**fields, **changes})


def verdict_of(
    reviewer: Principal | None = None,
    proposal: Proposal | None = None,
    *,
    verdict: Verdict = Verdict.APPROVE,
    makers: frozenset[str] | None = None,
    statement: str = STATEMENT,
    reason: str = "because",
    prior: Sequence[Review] = (),
    now: int = NOW,
    ground: Ground | None = None,
) -> Outcome:
    """What the desk does with a verdict; by default ann's approval of the refund."""
    return judge(
        proposal=proposal or proposal_of(),
        makers=AGENT.makers() if makers is None else makers,
        reviewer=reviewer or person_of("ann"),
        verdict=verdict,
        statement=statement,
        reason=reason,
        prior=prior,
        now=now,
        ground=ground,
    )


def code_of(*args: Any, **kwargs: Any) -> str:
    """The code with which the desk turns a verdict down."""
    with pytest.raises(HandrailError) as refusal:
        verdict_of(*args, **kwargs)
    return refusal.value.code
