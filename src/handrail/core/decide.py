"""The decision: typed inputs to a guard, a grade and every reason, in a written precedence.

A policy is compiled once; the usual answer for a kind and a band is then a ready-made value, and
only what raises it is computed per action. Nothing here ever lowers a guard or a grade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, assert_never

import msgspec

from handrail.core.grade import Grade
from handrail.core.ladder import base_of, check_rule, cleared_base_of
from handrail.core.money import MINOR_MAX, Money
from handrail.core.policy import (
    ANY_KIND,
    STRICTEST,
    Control,
    Guard,
    LaneRule,
    Otherwise,
    Policy,
)
from handrail.core.reason import PRECEDENCE, Decision, FailedCheck, Reason, ReasonCode

__all__ = [
    "PRECEDENCE",
    "Ask",
    "Decider",
    "Decision",
    "FailedCheck",
    "Reason",
    "ReasonCode",
    "compile_policy",
]


class Ask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a decision is made from.

    `account_in_lane` is False when the system of record says that the action touches a customer
    outside the task; `missing` names facts that could not be read; `contradicted` says which facts
    speak against the action; `hidden` says where invisible or deceptive characters stand;
    `unresolved` names placeholders that were not filled in; `claim`
    is the agent's own idea of the grade, which can only raise; `failure` is an error met while
    preparing. `accumulated` is what the customer was given lately, this action included, in the
    currency of `value`. `lane` is None for what a person does outside any task; `as_undo` is True
    for the reversal of an executed action, which is the only way in which an undo's kind ever runs;
    `halted` is True while a halt stops it, `late` for a reversal whose window is over. `failed` are
    the checks of the policy that did not pass; `cleared` says that all of them did, and what else a
    clearance asks for: it counts for nothing once anything at all speaks against the action.
    """

    kind: str
    lane: str | None
    value: Money | None = None
    account_in_lane: bool = True
    missing: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    claim: Grade | None = None
    failure: str | None = None
    accumulated: Money | None = None
    as_undo: bool = False
    halted: bool = False
    late: bool = False
    failed: tuple[FailedCheck, ...] = ()
    cleared: bool = False


_REFUSE: Final = Guard(control=Control.REFUSE)
_APPROVE: Final = Guard(control=Control.APPROVE)
_ONE_CHECKER: Final = Guard(control=Control.MAKER_CHECKER, checkers=1)
_RUN: Final = Guard(control=Control.RUN_AND_LOG)
_LEAST: Final = {
    Otherwise.FLAG: _RUN,
    Otherwise.RAISE_GRADE: _RUN,
    Otherwise.HOLD: _APPROVE,
    Otherwise.REFUSE: _REFUSE,
}
"""The loosest guard that an action may have once a check with this outcome did not pass."""
_UNKNOWN_KIND: Final = Decision(
    guard=STRICTEST,
    grade=Grade.G3,
    reasons=(
        Reason(
            code=ReasonCode.UNKNOWN_KIND,
            text="the policy does not know this kind of action",
        ),
    ),
)


class Decider:
    """A compiled policy. `decide` is pure and takes a few microseconds."""

    def __init__(self, policy: Policy) -> None:
        for rule in policy.kinds.values():
            check_rule(rule)
        self.policy = policy
        self._axes = {name: rule.kind.grade for name, rule in policy.kinds.items()}
        self._bases = {name: base_of(rule) for name, rule in policy.kinds.items()}
        looser = {
            name: cleared_base_of(policy.kinds[name], base) for name, base in self._bases.items()
        }
        self._cleared = {name: base for name, base in looser.items() if base is not None}
        self._undo_kinds = frozenset(
            rule.kind.undo for rule in policy.kinds.values() if rule.kind.undo is not None
        )
        self._lanes = {name: _compile_lane(lane, policy) for name, lane in policy.lanes.items()}

    def admits_kind(self, kind: str, lane: str | None) -> bool:
        """Whether `lane` lets a task touch `kind` at all."""
        if lane is None:
            return True
        known = self._lanes.get(lane)
        return known is not None and known(kind)

    def decide(self, ask: Ask) -> Decision:
        """Decide one action. Halted, or outside the lane, nothing is graded: refused."""
        if ask.halted:
            return _refused(ReasonCode.HALTED, "work is stopped for now by a halt")
        if not self.admits_kind(ask.kind, ask.lane):
            text = f"`{ask.kind}` is not among what lane `{ask.lane}` may do"
            return _refused(ReasonCode.OUTSIDE_LANE, text)
        if not ask.account_in_lane:
            text = "it touches a customer account that is not part of this task"
            return _refused(ReasonCode.OUTSIDE_LANE, text)
        if ask.kind in self._undo_kinds and not ask.as_undo:
            text = f"`{ask.kind}` only ever reverses an executed action: undo that action instead"
            return _refused(ReasonCode.UNDO_ONLY, text)
        found = _is_found(ask)
        base = self._bases.get(ask.kind)
        if ask.cleared and not found:
            base = self._cleared.get(ask.kind, base)
        usual = _UNKNOWN_KIND if base is None else base(ask.value)
        if ask.accumulated is not None and base is not None:
            usual = _with_sum(usual, base(ask.accumulated), ask.accumulated)
        if ask.claim is None and not found:
            return usual
        return _raised(usual, ask, self._axes.get(ask.kind, Grade.G3))


def compile_policy(policy: Policy) -> Decider:
    """Compile a policy to closures, once.

    Raises PolicyInvalid `policy_invalid` for bands that do not rise to an open one, that get looser
    on the way up, or whose amount could be left out, and for checkers where nobody checks.
    """
    return Decider(policy)


def _is_found(ask: Ask) -> bool:
    """Whether anything speaks against the action, or could not be told."""
    return bool(
        ask.failed
        or ask.missing
        or ask.contradicted
        or ask.hidden
        or ask.unresolved
        or ask.late
        or ask.failure is not None
    )


def _refused(code: ReasonCode, text: str) -> Decision:
    reason = Reason(code=code, text=text)
    return Decision(guard=_REFUSE, grade=Grade.G3, reasons=(reason,))


def _compile_lane(lane: LaneRule, policy: Policy) -> Callable[[str], bool]:
    any_kind = ANY_KIND in lane.kinds
    any_connector = ANY_KIND in lane.connectors
    allowed = frozenset(
        name
        for name, rule in policy.kinds.items()
        if (any_kind or name in lane.kinds)
        and (any_connector or rule.kind.connector in lane.connectors)
    )
    known = frozenset(policy.kinds)

    def admits(kind: str) -> bool:
        return kind in allowed or (any_kind and any_connector and kind not in known)

    return admits


def _raised(usual: Decision, ask: Ask, axes: Grade) -> Decision:
    """Raise `usual` by what was found, and give it at least the guard of the grade reached.

    A claim counts when it is above `axes`, the grade of the kind itself: measured against the band,
    the same claim would bring a guard for a small amount and none for a larger one.
    """
    guard, grade = usual.guard, usual.grade
    reasons = list(usual.reasons)
    weighs = False
    for found in _findings(ask):
        reasons.append(Reason(code=found.code, text=found.text))
        guard = guard.at_least(found.guard)
        grade = max(found.grade, Grade(min(Grade.G3, grade + found.steps)))
        weighs |= found.code is not ReasonCode.CHECK_FLAGGED
    if ask.claim is not None and ask.claim > axes:
        text = f"the agent itself says {ask.claim.name}"
        reasons.append(Reason(code=ReasonCode.CLAIMED_GRADE, text=text))
        grade = max(grade, ask.claim)
        weighs = True
    if weighs:
        guard = guard.at_least(_floor_of(grade))
    reasons.sort(key=lambda reason: PRECEDENCE[reason.code])
    return Decision(guard=guard, grade=grade, reasons=tuple(reasons), failed=ask.failed)


class _Finding(NamedTuple):
    """One thing that speaks against an action: the least guard and grade, and steps upward."""

    code: ReasonCode
    text: str
    guard: Guard = _APPROVE
    grade: Grade = Grade.G2
    steps: int = 0


def _findings(ask: Ask) -> Iterator[_Finding]:
    """Everything that was found about an action, each raising what those before it left."""
    if ask.failure is not None:
        yield _Finding(ReasonCode.EVALUATION_FAILED, ask.failure, STRICTEST, Grade.G3)
    if ask.missing:
        text = "could not be read: " + ", ".join(ask.missing)
        yield _Finding(ReasonCode.FACTS_MISSING, text)
    if ask.contradicted:
        text = "the facts speak against it: " + "; ".join(ask.contradicted)
        yield _Finding(ReasonCode.FACTS_CONTRADICT, text)
    if ask.hidden:
        text = "hidden, or cannot be looked into: " + "; ".join(ask.hidden)
        yield _Finding(ReasonCode.HIDDEN_CONTENT, text, grade=Grade.G0, steps=1)
    if ask.unresolved:
        text = "not filled in: " + "; ".join(ask.unresolved)
        yield _Finding(ReasonCode.UNRESOLVED_REFERENCE, text)
    if ask.late:
        text = "the time in which it could be undone by one click is over"
        yield _Finding(ReasonCode.LATE_UNDO, text, steps=1)
    for check in ask.failed:
        yield _found_by(check)


def _found_by(check: FailedCheck) -> _Finding:
    """What a check that did not pass brings; the strictest besides when it could not be told."""
    least, said = _LEAST[check.outcome], check.text.rstrip(".")
    if check.broken:
        code = ReasonCode.CHECK_FAILED if check.unread else ReasonCode.EVALUATION_FAILED
        why = "is not known: " + ", ".join(check.unread) if check.unread else "cannot be evaluated"
        text = f"{said} (could not be checked; {why})"
        return _Finding(code, text, least.at_least(STRICTEST), Grade.G3)
    match check.outcome:
        case Otherwise.FLAG:
            return _Finding(ReasonCode.CHECK_FLAGGED, said, least, Grade.G0)
        case Otherwise.RAISE_GRADE:
            return _Finding(ReasonCode.CHECK_FAILED, said, least, Grade.G0, 1)
        case Otherwise.HOLD:
            return _Finding(ReasonCode.CHECK_FAILED, said, least)
        case Otherwise.REFUSE:
            return _Finding(ReasonCode.CHECK_FAILED, said, least, Grade.G3)
        case _:
            assert_never(check.outcome)


def _with_sum(usual: Decision, by_sum: Decision, total: Money) -> Decision:
    """The stricter of what the amount and the sum ask for; unchanged when the sum asks for less."""
    guard, grade = usual.guard.at_least(by_sum.guard), max(usual.grade, by_sum.grade)
    if (guard, grade) == (usual.guard, usual.grade):
        return usual
    text = "what this customer was given lately cannot be summed up, so it counts as too much"
    if total.minor < MINOR_MAX:
        text = f"with what this customer was given lately it makes {total.text()}"
    reason = Reason(code=ReasonCode.ACCUMULATED, text=text)
    return Decision(guard=guard, grade=grade, reasons=(reason, *usual.reasons))


def _floor_of(grade: Grade) -> Guard:
    """The loosest guard that an action of `grade` may have once something was found about it."""
    match grade:
        case Grade.G3:
            return _ONE_CHECKER
        case Grade.G2:
            return _APPROVE
        case _:
            return _RUN
