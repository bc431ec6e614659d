"""Runs every trial of a policy."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.core.policy import Policy
from handrail.prove.trial.borders import absent, border_trials
from handrail.prove.trial.ceilings import cap_trials
from handrail.prove.trial.conditions import check_trials
from handrail.prove.trial.floods import flood_trials
from handrail.prove.trial.guards import guard_trials
from handrail.prove.trial.outcome import Trial
from handrail.prove.trial.stage import Opener

__all__ = ["try_policy"]


def try_policy(policy: Policy, opener: Opener) -> Iterator[Trial]:
    """Every declared control with what it lets by and what it stops, one after another.

    `opener` opens a new scratch desk with the connectors and the clock that it is given. The real
    connectors are never asked.
    """
    yield from guard_trials(opener, policy)
    yield from check_trials(opener, policy)
    if not any(rule.checks for rule in policy.kinds.values()):
        yield absent("checks", "no kind has any")
    yield from cap_trials(opener, policy)
    if not policy.caps:
        yield absent("caps", "the policy sets none")
    yield from flood_trials(opener, policy)
    yield from border_trials(opener, policy)
