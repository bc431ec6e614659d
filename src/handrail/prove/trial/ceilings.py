"""Tries every cap: filled to its limit, the last unit passes and the next one is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import msgspec

from handrail.core.caps import CapRule, Scope, WhenFull
from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.policy import Control, KindRule, Policy
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.policy.loader import digest_policy
from handrail.prove.trial.inputs import Inputs
from handrail.prove.trial.outcome import Sides, Trial, attempt
from handrail.prove.trial.stage import START_MS, Opener, Scratch

__all__ = ["cap_trials"]

ACTIONS_MAX: Final = 250
"""Actions that one trial makes; a cap that takes more to fill is not shown."""


class _Step(msgspec.Struct, frozen=True, kw_only=True):
    """One action of a filling: how much, and whose."""

    amount: Money | None
    agent: str
    customer: str


def cap_trials(opener: Opener, policy: Policy) -> Iterator[Trial]:
    """One trial for every cap of a policy."""
    for cap in policy.caps:
        yield attempt(f"cap {cap.name}", partial(_try_cap, opener, policy, cap))


def _try_cap(opener: Opener, policy: Policy, cap: CapRule) -> Trial:
    limit = str(cap.limit)
    if cap.currency is not None:
        limit = Money(minor=cap.limit, currency=cap.currency).text()
    case = Sides(f"cap {cap.name}", f"filled to {limit}, and one unit more")
    rule = _kind_for(policy, cap)
    if rule is None:
        case.unshown("no kind that it counts can be brought to run")
        return case.ended()
    with Scratch(opener, _alone(policy, cap)) as stage:
        steps = list(_steps(cap))
        if steps and len(steps) > ACTIONS_MAX:
            case.unshown(f"it takes more than {ACTIONS_MAX} actions to fill")
            return case.ended()
        filling = _Filling(stage, cap, rule, Inputs(rule, policy, START_MS))
        rows = [filling.do(step) for step in steps]
        over = filling.do(_over(cap)) if filling.held else None
        if not all(row is not None for row in rows):
            case.unshown("no inputs were found by which the checks of the kind pass")
            return case.ended()
        filling.release()
        ran = [row for row in rows if row is not None and stage.ran(row)]
        case.lets(len(ran) == len(rows), f"{len(rows)} actions up to its limit ran")
        if cap.distinct and not filling.held:
            again = filling.do(_Step(amount=None, agent=_agent(cap, 0), customer="C-10"))
            case.lets(again is not None and stage.ran(again), "a customer it counts came again")
        over = over or filling.do(_over(cap))
        if over is None:
            case.unshown("no inputs were found for one unit more")
            return case.ended()
        _judge(case, stage, cap, over)
    return case.ended()


def _judge(case: Sides, stage: Scratch, cap: CapRule, over: Proposal) -> None:
    """The next unit did not run, and the log says that it was this cap."""
    case.stops(not stage.ran(over), "the next unit was stopped")
    state = stage.row(over.id).state
    if not stage.ran(over) and cap.name not in stage.tripped():
        case.unshown(f"that it was this cap: it is {state.value.lower()}, and the cap not tripped")
    if cap.when_full is WhenFull.WAIT:
        case.stops(state is State.READY, "it waits for room")
    if cap.halts_agent:
        halted = {halt.target for halt in stage.desk.halts()}
        case.stops(over.agent in halted, "its agent was stopped")


class _Filling:
    """Fills one cap with actions that differ in everything but what the cap counts together."""

    def __init__(self, stage: Scratch, cap: CapRule, rule: KindRule, inputs: Inputs) -> None:
        self._stage = stage
        self._cap = cap
        self._rule = rule
        self._inputs = inputs
        self._task: Task | None = None
        self.held = False
        """Whether its actions are held back: then all go out at one moment, the last one over."""

    def do(self, step: _Step) -> Proposal | None:
        """One action, with every approval that it takes; None when no inputs were found."""
        amount = step.amount or _smallest(self._rule)
        situation = self._inputs.plain(amount)
        if situation is None:
            return None
        task = None
        if self._cap.scope is Scope.TASK:
            if self._task is None:
                whose = [_customer(self._cap, place) for place in range(self._cap.limit + 1)]
                whose = list(dict.fromkeys(whose)) if self._cap.distinct else [step.customer]
                self._task = self._stage.wide_task(
                    self._rule.kind.name, agent="agent-1", customers=whose
                )
            task = self._task
        row = self._stage.propose(
            self._rule, situation, agent=step.agent, customer=step.customer, task=task
        )
        self._stage.now += 1  # so that they go out in this order
        for person in self._stage.approvers(row):
            if self._stage.row(row.id).state is not State.PENDING:
                break
            self._stage.says(row, person)
        self.held |= row.state is State.HOLDING
        return self._stage.row(row.id)

    def release(self) -> None:
        """What is held back goes out; time stands still otherwise, so that no window moves on."""
        if self.held:
            self._stage.later(self._stage.policy.clocks.recall_ms)


def _steps(cap: CapRule) -> Iterator[_Step]:
    """What fills the cap: money in two actions, the last of one minor unit; else one by one."""
    if cap.currency is not None:
        parts = [cap.limit - 1, 1] if cap.limit > 1 else [1]
        for place, minor in enumerate(parts):
            amount = Money(minor=minor, currency=cap.currency)
            yield _step(cap, place, amount)
        return
    for place in range(min(cap.limit, ACTIONS_MAX + 1)):
        yield _step(cap, place, None)


def _over(cap: CapRule) -> _Step:
    amount = None if cap.currency is None else Money(minor=1, currency=cap.currency)
    return _step(cap, cap.limit if cap.currency is None else 2, amount)


def _step(cap: CapRule, place: int, amount: Money | None) -> _Step:
    """Different agents and customers, but for the one whom the cap is about."""
    return _Step(amount=amount, agent=_agent(cap, place), customer=_customer(cap, place))


def _customer(cap: CapRule, place: int) -> str:
    one = cap.scope is Scope.CUSTOMER or (cap.scope is Scope.TASK and not cap.distinct)
    return "C-9" if one else f"C-{10 + place}"


def _agent(cap: CapRule, place: int) -> str:
    by_agent = cap.scope in (Scope.AGENT, Scope.OWNER, Scope.TASK)
    return "agent-1" if by_agent else f"agent-{2 + place % 5}"


def _smallest(rule: KindRule) -> Money:
    currency = next(iter(rule.bands), "USD")
    return Money(minor=1, currency=currency)


def _kind_for(policy: Policy, cap: CapRule) -> KindRule | None:
    """The kind by which it is filled most easily: one that it counts, and that can run at all."""
    reversals = {rule.kind.undo for rule in policy.kinds.values()}
    found = [
        rule
        for name, rule in policy.kinds.items()
        if (not cap.kinds or name in cap.kinds)
        and name not in reversals
        and not rule.kind.runs_in_agent
        and rule.guard.control not in (Control.REFUSE, Control.ESCALATE)
        and (cap.currency is None or rule.kind.value or rule.kind.value_from_connector)
    ]
    return min(found, key=lambda rule: rule.guard.order, default=None)


def _alone(policy: Policy, cap: CapRule) -> Policy:
    """The policy with no other cap, and without sums: they would stop the filling first."""
    bare = msgspec.structs.replace(policy, caps=(cap,), accumulation=None)
    return msgspec.structs.replace(bare, digest=digest_policy(bare))
