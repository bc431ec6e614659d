"""What holds of checks and clearances, whatever the policy and whatever is asked of it."""

from __future__ import annotations

from random import Random

import msgspec
from hypothesis import given, settings

from handrail.core.decide import Decision, FailedCheck, compile_policy
from handrail.core.policy import Otherwise, Policy
from tests.core import strategies as some

EVERY_POLICY = settings(max_examples=150, deadline=None)
"""Policies per property; each is asked some two hundred things."""


def _is_at_least(one: Decision, other: Decision) -> bool:
    return one.guard.order >= other.guard.order and one.grade >= other.grade


@EVERY_POLICY
@given(some.policies(), some.choosers)
def test_a_clearance_only_loosens_and_losing_it_only_tightens(
    policy: Policy, chooser: Random
) -> None:
    """A check that cannot be told any more, or that is added, takes a clearance away."""
    decider = compile_policy(policy)
    for ask in some.asks(policy, chooser):
        with_it = decider.decide(msgspec.structs.replace(ask, cleared=True))
        without = decider.decide(msgspec.structs.replace(ask, cleared=False))
        assert _is_at_least(without, with_it), ask


@EVERY_POLICY
@given(some.policies(), some.choosers)
def test_a_check_that_could_not_be_told_is_no_looser_than_one_that_failed(
    policy: Policy, chooser: Random
) -> None:
    """Removing a fact never loosens: from false to unknown everything stays or rises."""
    decider = compile_policy(policy)
    for ask in some.asks(policy, chooser):
        for outcome in Otherwise:
            check = FailedCheck(name="a", outcome=outcome, text="it is too late")
            told = (*ask.failed, check)
            untold = (*ask.failed, msgspec.structs.replace(check, broken=True, unread=("x",)))
            before = decider.decide(msgspec.structs.replace(ask, failed=told))
            after = decider.decide(msgspec.structs.replace(ask, failed=untold))
            assert _is_at_least(after, before), (ask, outcome)
