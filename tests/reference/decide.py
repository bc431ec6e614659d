"""A second `decide`, slow and obvious, written from the specification and not from the first one.

It walks everything for every question: each rule adds findings, each finding asks for a guard and a
grade, and the strictest of all wins. The tests compare guard, grade and reason codes of the two.
Rules in words, in the order in which their reasons are given:

halted              a halt stops it: G3, refuse, and no other reason
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
check_failed        a check with `raise_grade` makes it one grade higher, `hold` at least G2,
                    `refuse` refuses; one that could not be told does so and meets two checkers, G3
hidden_content      one grade higher
unresolved_reference  at least G2
check_flagged       a check that only marks: guard and grade stay as they are
late_undo           one grade higher, and at least G2
claimed_grade       what the agent claims counts when it is above what the kind's axes say
accumulated         what the customer was given lately, this action included, is looked up in the
                    bands as well; when that asks for more than the amount alone, it counts
cleared             every check passed: the bands, or the control, of the clearance; for a kind, a
                    currency and an amount that it says nothing about, and once anything at all but
                    a claim was found, it is as if there were none
value_band          the first band, from below, whose limit the amount does not exceed
kind_default        a kind without bands

Whatever was found is for a person to look at: approve at the least. When anything was found, or
claimed, the guard is at least the usual one of the grade reached: approve at G2, one checker at G3.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from handrail.core.decide import Ask, FailedCheck
from handrail.core.grade import Axes, Grade
from handrail.core.money import Money
from handrail.core.policy import Band, Control, Guard, KindRule, LaneRule, Otherwise, Policy

CONTROLS_LOOSE_TO_STRICT = (
    Control.RUN_AND_LOG,
    Control.RUN_AND_NOTIFY,
    Control.HOLD_AND_RECALL,
    Control.APPROVE,
    Control.MAKER_CHECKER,
    Control.ESCALATE,
    Control.REFUSE,
)
ORDER_OF_FOUND = (
    "check_failed",
    "facts_missing",
    "facts_contradict",
    "hidden_content",
    "unresolved_reference",
    "check_flagged",
    "late_undo",
    "claimed_grade",
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
    if ask.halted:
        return Answer(REFUSE, Grade.G3, ("halted",))
    if not inside_lane(policy, ask):
        return Answer(REFUSE, Grade.G3, ("outside_lane",))
    if reverses(policy, ask.kind) and not ask.as_undo:
        return Answer(REFUSE, Grade.G3, ("undo_only",))
    if anything_found(ask):
        ask = msgspec.structs.replace(ask, cleared=False)
    guard, grade, code = usual(policy, ask)
    tail = [code]
    if ask.accumulated is not None:
        by_sum, grade_of_sum, _ = usual(policy, msgspec.structs.replace(ask, value=ask.accumulated))
        if strictest([guard, by_sum]) != guard or grade_of_sum > grade:
            guard, grade = strictest([guard, by_sum]), max(grade, grade_of_sum)
            tail = ["accumulated", code]
    raised_grade, found = raised(policy, ask, grade)
    wanted = [guard]
    weighing = [name for name in found if name != "check_flagged"]
    if weighing:
        wanted.append(guard_of_grade(raised_grade))
    if set(weighing) - {"claimed_grade", "check_failed", "evaluation_failed"}:
        wanted.append(APPROVE)
    if ask.failure is not None:
        wanted.append(TWO_CHECKERS)
    for check in ask.failed:
        wanted += guards_of_check(check)
    before = [name for name in found if name == "evaluation_failed"]
    after = [name for name in found if name != "evaluation_failed"]
    after.sort(key=ORDER_OF_FOUND.index)
    of_the_amount = code in ("value_band", "kind_default", "cleared")
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
    clear = by_clearance(rule, ask)
    if clear is not None:
        return clear
    if len(rule.bands) == 0:
        return rule.guard, grade_of_axes(rule.kind.axes), "kind_default"
    if ask.value is None:
        return strictest_of_kind(rule), Grade.G3, "value_unknown"
    if ask.value.currency not in rule.bands:
        return strictest_of_kind(rule), Grade.G3, "unlisted_currency"
    guard, grade = band_of(rule, rule.bands, ask.value)
    return guard, grade, "value_band"


def by_clearance(rule: KindRule, ask: Ask) -> tuple[Guard, Grade, str] | None:
    """What the clearance of the kind says, if there is one and it says anything of this amount."""
    if not ask.cleared or rule.cleared is None:
        return None
    if len(rule.cleared.bands) == 0:
        return rule.cleared.guard, grade_of_axes(rule.kind.axes), "cleared"
    if ask.value is None or ask.value.currency not in rule.cleared.bands:
        return None
    guard, grade = band_of(rule, rule.cleared.bands, ask.value)
    return guard, grade, "cleared"


def band_of(
    rule: KindRule, bands: dict[str, tuple[Band, ...]], value: Money
) -> tuple[Guard, Grade]:
    """Climb the bands one by one; a limit belongs to the band below it."""
    for band in bands[value.currency]:
        if band.up_to_minor is None or value.minor <= band.up_to_minor:
            return band.guard, max(band.grade, grade_of_axes(rule.kind.axes))
    raise AssertionError("the last band has no limit")


def anything_found(ask: Ask) -> bool:
    """Whether anything but a claim was found."""
    lists = (ask.missing, ask.contradicted, ask.hidden, ask.unresolved, ask.failed)
    return any(len(found) > 0 for found in lists) or ask.late or ask.failure is not None


def guards_of_check(check: FailedCheck) -> list[Guard]:
    """The guards that a check asks for which did not pass."""
    asked = [TWO_CHECKERS] if check.broken else []
    if check.outcome is Otherwise.HOLD:
        asked.append(APPROVE)
    if check.outcome is Otherwise.REFUSE:
        asked.append(REFUSE)
    return asked


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
    if len(ask.unresolved) > 0:
        found.append("unresolved_reference")
        grade = max(grade, Grade.G2)
    if ask.late:
        found.append("late_undo")
        grade = Grade.G2 if grade <= Grade.G1 else Grade.G3
    for check in ask.failed:
        grade, code = after_check(check, grade)
        found.append(code)
    known = policy.kinds.get(ask.kind)
    said_by_axes = Grade.G3 if known is None else grade_of_axes(known.kind.axes)
    if ask.claim is not None and ask.claim > said_by_axes:
        found.append("claimed_grade")
        grade = max(grade, ask.claim)
    return grade, found


def after_check(check: FailedCheck, grade: Grade) -> tuple[Grade, str]:
    """The grade after a check that did not pass, and the code that is given for it."""
    if check.broken:
        return Grade.G3, "check_failed" if check.unread else "evaluation_failed"
    if check.outcome is Otherwise.FLAG:
        return grade, "check_flagged"
    if check.outcome is Otherwise.RAISE_GRADE:
        return (Grade.G3 if grade >= Grade.G2 else Grade(grade + 1)), "check_failed"
    return (Grade.G3 if check.outcome is Otherwise.REFUSE else max(grade, Grade.G2)), "check_failed"


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
