"""A second `decide`, slow and obvious, written from the specification and not from the first one.

It walks everything for every question: each rule adds findings, each finding asks for a guard and a
grade, and the strictest of all wins. The tests compare guard, grade and reason codes of the two.
Rules in words, in the order in which their reasons are given:

outside_lane        a lane names kinds, connectors and customers; outside it nothing is graded:
                    G3, refuse, and no other reason. An unknown lane holds nothing. A kind that the
                    policy does not declare has no connector: only a fully open lane holds it.
undo_only           a kind that reverses another kind runs as a reversal, or not at all
evaluation_failed   errors take the strictest control: two checkers, G3
unknown_kind        G3 and held
unlisted_currency   the strictest control, and never less than any band of the kind
value_unknown       money whose amount nobody knows: the same
facts_missing       at least G2
facts_contradict    at least G2
hidden_content      one grade higher
claimed_grade       what the agent claims counts when it is above what the kind's axes say
accumulated         what the customer was given lately, this action included, is looked up in the
                    bands as well; when that asks for more than the amount alone, it counts
value_band          the first band, from below, whose limit the amount does not exceed
kind_default        a kind without bands

Whatever was found is for a person to look at: approve at the least. When anything was found, or
claimed, the guard is at least the usual one of the grade reached: approve at G2, one checker at G3.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from handrail.core.decide import Ask
from handrail.core.grade import Axes, Grade
from handrail.core.money import Money
from handrail.core.policy import Control, Guard, KindRule, LaneRule, Policy

CONTROLS_LOOSE_TO_STRICT = (
    Control.RUN_AND_LOG,
    Control.RUN_AND_NOTIFY,
    Control.HOLD_AND_RECALL,
    Control.APPROVE,
    Control.MAKER_CHECKER,
    Control.ESCALATE,
    Control.REFUSE,
)
TWO_CHECKERS = Guard(control=Control.MAKER_CHECKER, checkers=2)
ONE_CHECKER = Guard(control=Control.MAKER_CHECKER, checkers=1)
APPROVE = Guard(control=Control.APPROVE)
REFUSE = Guard(control=Control.REFUSE)
RUN = Guard(control=Control.RUN_AND_LOG)


class Answer(NamedTuple):
    """What the two deciders are compared by."""

    guard: Guard
    grade: Grade
    codes: tuple[str, ...]


def decide(policy: Policy, ask: Ask) -> Answer:
    """Decide by the book."""
    if not inside_lane(policy, ask):
        return Answer(REFUSE, Grade.G3, ("outside_lane",))
    if reverses(policy, ask.kind) and not ask.as_undo:
        return Answer(REFUSE, Grade.G3, ("undo_only",))
    guard, grade, code = usual(policy, ask)
    tail = [code]
    if ask.accumulated is not None:
        by_sum, grade_of_sum, _ = usual(policy, msgspec.structs.replace(ask, value=ask.accumulated))
        if strictest([guard, by_sum]) != guard or grade_of_sum > grade:
            guard, grade = strictest([guard, by_sum]), max(grade, grade_of_sum)
            tail = ["accumulated", code]
    raised_grade, found = raised(policy, ask, grade)
    wanted = [guard]
    if found:
        wanted.append(guard_of_grade(raised_grade))
        wanted.append(APPROVE if found != ["claimed_grade"] else RUN)
    if "evaluation_failed" in found:
        wanted.append(TWO_CHECKERS)
    before = [name for name in found if name == "evaluation_failed"]
    after = [name for name in found if name != "evaluation_failed"]
    of_the_amount = code in ("value_band", "kind_default")
    codes = [*before, *after, *tail] if of_the_amount else [*before, *tail, *after]
    return Answer(strictest(wanted), raised_grade, tuple(codes))


def inside_lane(policy: Policy, ask: Ask) -> bool:
    """Whether the task may touch this kind, through this connector, for this customer."""
    if not ask.account_in_lane:
        return False
    if ask.lane is None:
        return True
    if ask.lane not in policy.lanes:
        return False
    lane: LaneRule = policy.lanes[ask.lane]
    kind_named = "*" in lane.kinds or (ask.kind in lane.kinds and ask.kind in policy.kinds)
    if "*" in lane.connectors:
        connector_named = True
    elif ask.kind in policy.kinds:
        connector_named = policy.kinds[ask.kind].kind.connector in lane.connectors
    else:
        connector_named = False
    return kind_named and connector_named


def reverses(policy: Policy, kind: str) -> bool:
    """Whether some kind names this one as its undo."""
    return any(rule.kind.undo == kind for rule in policy.kinds.values())


def usual(policy: Policy, ask: Ask) -> tuple[Guard, Grade, str]:
    """What the policy says when nothing was found: guard, grade and the code of the reason."""
    if ask.kind not in policy.kinds:
        return TWO_CHECKERS, Grade.G3, "unknown_kind"
    rule = policy.kinds[ask.kind]
    if len(rule.bands) == 0:
        return rule.guard, grade_of_axes(rule.kind.axes), "kind_default"
    if ask.value is None:
        return strictest_of_kind(rule), Grade.G3, "value_unknown"
    if ask.value.currency not in rule.bands:
        return strictest_of_kind(rule), Grade.G3, "unlisted_currency"
    guard, grade = band_of(rule, ask.value)
    return guard, grade, "value_band"


def band_of(rule: KindRule, value: Money) -> tuple[Guard, Grade]:
    """Climb the bands one by one; a limit belongs to the band below it."""
    for band in rule.bands[value.currency]:
        if band.up_to_minor is None or value.minor <= band.up_to_minor:
            return band.guard, max(band.grade, grade_of_axes(rule.kind.axes))
    raise AssertionError("the last band has no limit")


def raised(policy: Policy, ask: Ask, grade: Grade) -> tuple[Grade, list[str]]:
    """The grade after everything that was found, and the codes of what was found."""
    found: list[str] = []
    if ask.failure is not None:
        found.append("evaluation_failed")
        grade = Grade.G3
    if len(ask.missing) > 0:
        found.append("facts_missing")
        grade = max(grade, Grade.G2)
    if len(ask.contradicted) > 0:
        found.append("facts_contradict")
        grade = max(grade, Grade.G2)
    if len(ask.hidden) > 0:
        found.append("hidden_content")
        grade = Grade.G3 if grade >= Grade.G2 else Grade(grade + 1)
    known = policy.kinds.get(ask.kind)
    said_by_axes = Grade.G3 if known is None else grade_of_axes(known.kind.axes)
    if ask.claim is not None and ask.claim > said_by_axes:
        found.append("claimed_grade")
        grade = max(grade, ask.claim)
    return grade, found


def strictest_of_kind(rule: KindRule) -> Guard:
    """What doubt gets, or what the strictest band gets when that is more."""
    everywhere = [band.guard for bands in rule.bands.values() for band in bands]
    return strictest([TWO_CHECKERS, *everywhere])


def guard_of_grade(grade: Grade) -> Guard:
    """What a raised action of this grade gets at the least."""
    return {Grade.G0: RUN, Grade.G1: RUN, Grade.G2: APPROVE, Grade.G3: ONE_CHECKER}[grade]


def grade_of_axes(axes: Axes) -> Grade:
    """The highest axis, found by looking from the top."""
    for level in (3, 2, 1):
        if level in (axes.reversibility, axes.blast_radius, axes.stakes):
            return Grade(level)
    return Grade.G0


def strictest(guards: list[Guard]) -> Guard:
    """The last one in the written order of controls; among equal controls, the most checkers."""
    best = guards[0]
    for guard in guards[1:]:
        here = CONTROLS_LOOSE_TO_STRICT.index(guard.control)
        there = CONTROLS_LOOSE_TO_STRICT.index(best.control)
        if here > there or (here == there and guard.checkers > best.checkers):
            best = guard
    return best
