"""Tries every check of a policy: with inputs by which it is true, and by which it is false."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from handrail.core.lifecycle import State
from handrail.core.policy import CheckRule, Control, KindRule, Otherwise, Policy
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.prove.trial.guards import settings_of
from handrail.prove.trial.inputs import Inputs, Situation
from handrail.prove.trial.outcome import Sides, Trial, attempt
from handrail.prove.trial.stage import START_MS, Opener, Scratch

__all__ = ["check_trials"]


def check_trials(opener: Opener, policy: Policy) -> Iterator[Trial]:
    """One trial for every check of every kind."""
    for rule in policy.kinds.values():
        inputs = Inputs(rule, policy, START_MS)
        for check in rule.checks:
            act = partial(_try_check, opener, policy, rule, check, inputs)
            yield attempt(f"{rule.kind.name} check {check.name}", act)


def _try_check(
    opener: Opener, policy: Policy, rule: KindRule, check: CheckRule, inputs: Inputs
) -> Trial:
    case = Sides(f"{rule.kind.name} check {check.name}: {check.otherwise.value}", check.require)
    found = _pair(rule, check, inputs)
    if found is None:
        case.unshown("no inputs were found by which it alone is true, and false")
        return case.ended()
    passing, failing = found
    with Scratch(opener, policy) as stage:
        row = stage.propose(rule, passing)
        case.lets("check_" not in row.reasons, "with it true, no check spoke against it")
        task = stage.task(rule.kind.name, agent="agent-2", customer="C-9")
        if not _come_first(stage, rule, passing, failing, task):
            case.unshown("what has to come first did not, or did not stay open")
            return case.ended()
        other = stage.propose(rule, failing, customer="C-9", task=task)
        _outcome(case, stage, check, row, other)
    return case.ended()


def _come_first(
    stage: Scratch, rule: KindRule, passing: Situation, failing: Situation, task: Task
) -> bool:
    """Whether all that has to come before it did: what waits is open, and what is done ran."""
    for n in range(failing.waiting + failing.done):
        row = stage.propose(rule, passing, customer="C-9", task=task)
        if n < failing.waiting and row.state not in (State.PENDING, State.HOLDING):
            return False
        if n >= failing.waiting:
            stage.drive(row)
            stage.later(0)
            if not stage.ran(row):
                return False
    return True


def _pair(rule: KindRule, check: CheckRule, inputs: Inputs) -> tuple[Situation, Situation] | None:
    """Inputs with which it passes and fails, as far as can be at the same amount."""
    for setting in settings_of(rule):
        passing = inputs.plain(setting.amount)
        failing = inputs.failing(check.name, setting.amount)
        if passing is not None and failing is not None:
            return passing, failing
    return None


def _outcome(
    case: Sides, stage: Scratch, check: CheckRule, passing: Proposal, failing: Proposal
) -> None:
    stage.later(0)
    match check.otherwise:
        case Otherwise.REFUSE:
            said = "with it false, refused"
            case.stops(failing.control is Control.REFUSE and not stage.ran(failing), said)
        case Otherwise.HOLD:
            asks = failing.control.strictness >= Control.APPROVE.strictness
            case.stops(asks and not stage.ran(failing), "with it false, held for a person")
        case Otherwise.RAISE_GRADE:
            raised = failing.grade > passing.grade or failing.grade == 3
            case.stops(raised and "check_failed" in failing.reasons, "with it false, graded up")
        case Otherwise.FLAG:
            case.stops("check_flagged" in failing.reasons, "with it false, marked")
