"""The decision: typed inputs to a guard, a grade and every reason, in a written precedence.

A policy is compiled once; the usual answer for a kind and a band is then a ready-made value, and
only what raises it is computed per action. Nothing here ever lowers a guard or a grade.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from enum import Enum
from typing import Final

import msgspec

from handrail.core.action import ParamType
from handrail.core.grade import Grade
from handrail.core.money import MINOR_MAX, Money
from handrail.core.policy import ANY_KIND, STRICTEST, Control, Guard, KindRule, LaneRule, Policy
from handrail.errors import PolicyInvalid

__all__ = ["PRECEDENCE", "Ask", "Decider", "Decision", "Reason", "ReasonCode", "compile_policy"]


class ReasonCode(Enum):
    """Why a decision is what it is. The order here is the order in which reasons are given."""

    HALTED = "halted"
    OUTSIDE_LANE = "outside_lane"
    UNDO_ONLY = "undo_only"
    DENIED_BEFORE = "denied_before"
    OPEN_ALREADY = "open_already"
    TOO_MANY_OPEN = "too_many_open"
    QUEUE_FULL = "queue_full"
    EVALUATION_FAILED = "evaluation_failed"
    UNKNOWN_KIND = "unknown_kind"
    UNLISTED_CURRENCY = "unlisted_currency"
    VALUE_UNKNOWN = "value_unknown"
    ASKED_AGAIN = "asked_again"
    FACTS_MISSING = "facts_missing"
    FACTS_CONTRADICT = "facts_contradict"
    HIDDEN_CONTENT = "hidden_content"
    UNRESOLVED_REFERENCE = "unresolved_reference"
    LATE_UNDO = "late_undo"
    CLAIMED_GRADE = "claimed_grade"
    EDITED = "edited"
    CAP_FULL = "cap_full"
    ACCUMULATED = "accumulated"
    VALUE_BAND = "value_band"
    KIND_DEFAULT = "kind_default"


PRECEDENCE: Final = {code: place for place, code in enumerate(ReasonCode)}


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason: a stable code and a sentence for the reviewer."""

    code: ReasonCode
    text: str


class Ask(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a decision is made from.

    `account_in_lane` is False when the system of record says that the action touches a customer
    outside the task; `missing` names facts that could not be read; `contradicted` says which facts
    speak against the action; `hidden` says where invisible or deceptive characters stand;
    `unresolved` names placeholders that were not filled in; `claim`
    is the agent's own idea of the grade, which can only raise; `failure` is an error met while
    preparing. `accumulated` is what the customer was given lately, this action included, in the
    currency of `value`. `lane` is None for what a person does outside any task; `as_undo` is True
    for the reversal of an executed action, which is the only way in which an undo's kind ever runs;
    `halted` is True while a halt stops it, `late` for a reversal whose window is over.
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


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A guard, a grade, and every reason in the order of precedence."""

    guard: Guard
    grade: Grade
    reasons: tuple[Reason, ...]


Base = Callable[[Money | None], Decision]

_REFUSE: Final = Guard(control=Control.REFUSE)
_APPROVE: Final = Guard(control=Control.APPROVE)
_ONE_CHECKER: Final = Guard(control=Control.MAKER_CHECKER, checkers=1)
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
            _check_rule(rule)
        self.policy = policy
        self._axes = {name: rule.kind.grade for name, rule in policy.kinds.items()}
        self._bases: dict[str, Base] = {
            name: _compile_kind(rule) for name, rule in policy.kinds.items()
        }
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
        base = self._bases.get(ask.kind)
        usual = _UNKNOWN_KIND if base is None else base(ask.value)
        if ask.accumulated is not None and base is not None:
            usual = _with_sum(usual, base(ask.accumulated), ask.accumulated)
        if ask.claim is None and not (
            ask.missing
            or ask.contradicted
            or ask.hidden
            or ask.unresolved
            or ask.late
            or ask.failure is not None
        ):
            return usual
        return _raised(usual, ask, self._axes.get(ask.kind, Grade.G3))


def compile_policy(policy: Policy) -> Decider:
    """Compile a policy to closures, once.

    Raises PolicyInvalid `policy_invalid` for bands that do not rise to an open one, that get looser
    on the way up, or whose amount could be left out, and for checkers where nobody checks.
    """
    return Decider(policy)


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


def _check_rule(rule: KindRule) -> None:
    """Lint says all of this with line numbers; here it keeps a policy made by hand from running."""
    ladders = rule.bands.values()
    for guard in (rule.guard, *(band.guard for bands in ladders for band in bands)):
        if (guard.checkers > 0) is not (guard.control is Control.MAKER_CHECKER):
            raise _invalid(rule, "`checkers` stands with `maker_checker`, and only there")
    amount = {param.name for param in rule.kind.params if param.type is ParamType.MONEY}
    required = {param.name for param in rule.kind.params if param.required}
    # INVARIANT: an amount that caps and bands look at is never left out by whoever proposes.
    stated = bool(rule.bands) and not rule.kind.value_from_connector
    if (stated or rule.kind.value is not None) and rule.kind.value not in amount & required:
        raise _invalid(rule, "`value` must name a required money parameter")
    for bands in ladders:
        limits = [band.up_to_minor for band in bands]
        closed = [limit for limit in limits[:-1] if limit is not None and limit >= 0]
        if not limits or limits[-1] is not None or len(closed) != len(limits) - 1:
            raise _invalid(rule, "the last band, and no other, is open")
        for place in range(1, len(bands)):
            low, high = bands[place - 1], bands[place]
            if high.up_to_minor is not None and high.up_to_minor <= (low.up_to_minor or 0):
                raise _invalid(rule, "bands must rise")
            if high.guard.order < low.guard.order or high.grade < low.grade:
                raise _invalid(rule, "more money may not get a looser guard or a lower grade")


def _invalid(rule: KindRule, why: str) -> PolicyInvalid:
    return PolicyInvalid("policy_invalid", f"`{rule.kind.name}`: {why}")


def _compile_kind(rule: KindRule) -> Base:
    if not rule.bands:
        return _unbanded(rule)
    by_currency = {currency: _ladder(rule, currency) for currency in rule.bands}
    strictest = max(
        (band.guard for bands in rule.bands.values() for band in bands),
        key=lambda guard: guard.order,
    ).at_least(STRICTEST)
    valueless = _valueless(strictest)

    def decide(value: Money | None) -> Decision:
        if value is None:
            return valueless
        ladder = by_currency.get(value.currency)
        if ladder is None:
            text = f"the policy lists no bands for {value.currency}"
            return _one(ReasonCode.UNLISTED_CURRENCY, text, strictest, Grade.G3)
        limits, decisions = ladder
        return decisions[bisect_left(limits, value.minor)]

    return decide


def _unbanded(rule: KindRule) -> Base:
    text = f"the policy's rule for `{rule.kind.name}`"
    usual = _one(ReasonCode.KIND_DEFAULT, text, rule.guard, rule.kind.grade)
    if not rule.kind.value_from_connector:
        return lambda value: usual
    # Caps look at it too, and none can count what the connector does not know.
    valueless = _valueless(rule.guard.at_least(STRICTEST))
    return lambda value: valueless if value is None else usual


def _valueless(strictest: Guard) -> Decision:
    text = "how much money it moves is not known"
    return _one(ReasonCode.VALUE_UNKNOWN, text, strictest, Grade.G3)


def _ladder(rule: KindRule, currency: str) -> tuple[list[int], list[Decision]]:
    """Limits and the ready-made decision of each band; bisect_left makes a limit inclusive."""
    limits: list[int] = []
    decisions: list[Decision] = []
    floor: int | None = None
    for band in rule.bands[currency]:
        text = _band_text(floor, band.up_to_minor, currency)
        grade = max(band.grade, rule.kind.grade)
        decisions.append(_one(ReasonCode.VALUE_BAND, text, band.guard, grade))
        if band.up_to_minor is not None:
            limits.append(band.up_to_minor)
            floor = band.up_to_minor
    return limits, decisions


def _band_text(floor: int | None, up_to: int | None, currency: str) -> str:
    high = None if up_to is None else Money(minor=up_to, currency=currency).text()
    if floor is None:
        return "any amount" if high is None else f"the amount is up to {high}"
    low = Money(minor=floor, currency=currency).text()
    return f"the amount is above {low}" + ("" if high is None else f" and up to {high}")


def _one(code: ReasonCode, text: str, guard: Guard, grade: Grade) -> Decision:
    return Decision(guard=guard, grade=grade, reasons=(Reason(code=code, text=text),))


def _raised(usual: Decision, ask: Ask, axes: Grade) -> Decision:
    """Raise `usual` by what was found, and give it at least the guard of the grade reached.

    A claim counts when it is above `axes`, the grade of the kind itself: measured against the band,
    the same claim would bring a guard for a small amount and none for a larger one.
    """
    guard, grade = usual.guard, usual.grade
    reasons = list(usual.reasons)
    if ask.failure is not None:
        reasons.append(Reason(code=ReasonCode.EVALUATION_FAILED, text=ask.failure))
        guard, grade = guard.at_least(STRICTEST), Grade.G3
    if ask.missing:
        text = "could not be read: " + ", ".join(ask.missing)
        reasons.append(Reason(code=ReasonCode.FACTS_MISSING, text=text))
        guard, grade = guard.at_least(_APPROVE), max(grade, Grade.G2)
    if ask.contradicted:
        text = "the facts speak against it: " + "; ".join(ask.contradicted)
        reasons.append(Reason(code=ReasonCode.FACTS_CONTRADICT, text=text))
        guard, grade = guard.at_least(_APPROVE), max(grade, Grade.G2)
    if ask.hidden:
        text = "hidden or deceptive characters: " + "; ".join(ask.hidden)
        reasons.append(Reason(code=ReasonCode.HIDDEN_CONTENT, text=text))
        guard, grade = guard.at_least(_APPROVE), Grade(min(Grade.G3, grade + 1))
    if ask.unresolved:
        text = "not filled in: " + "; ".join(ask.unresolved)
        reasons.append(Reason(code=ReasonCode.UNRESOLVED_REFERENCE, text=text))
        guard, grade = guard.at_least(_APPROVE), max(grade, Grade.G2)
    if ask.late:
        text = "the time in which it could be undone by one click is over"
        reasons.append(Reason(code=ReasonCode.LATE_UNDO, text=text))
        risen = max(Grade.G2, Grade(min(Grade.G3, grade + 1)))
        guard, grade = guard.at_least(_APPROVE), risen
    if ask.claim is not None and ask.claim > axes:
        text = f"the agent itself says {ask.claim.name}"
        reasons.append(Reason(code=ReasonCode.CLAIMED_GRADE, text=text))
        grade = max(grade, ask.claim)
    if len(reasons) > len(usual.reasons):
        guard = guard.at_least(_floor_of(grade))
    reasons.sort(key=lambda reason: PRECEDENCE[reason.code])
    return Decision(guard=guard, grade=grade, reasons=tuple(reasons))


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
            return Guard(control=Control.RUN_AND_LOG)
