"""Who allowed what: every check on decisions, reviews and the people who gave them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.core.review import Review, Verdict
from tests.sim.rules import AGENTS, PEOPLE, graded, makers, needed
from tests.sim.view import Said, Sight, View

__all__ = [
    "approvals",
    "claims_only_raise",
    "edits_take_nothing_off",
    "everything_open_ends",
    "glass_is_broken_by_two",
    "lacking",
    "makers_do_not_check",
    "one_approval_for_one_action",
    "people_said_it_in_time",
    "was_allowed",
]

PASSED: Final = frozenset(
    (State.READY, State.EXECUTING, State.UNKNOWN, State.SUCCEEDED, State.FAILED)
)
"""States that an action which somebody was asked about reaches only by being approved."""
GLASS_MS_MAX: Final = 3_600_000
LOWERED_GRADE_MAX: Final = 2
"""Who only lowers an amount may pass it as well, up to this grade."""
_ENDS: Final = {
    State.PENDING: "decide_by",
    State.HOLDING: "hold_until",
    State.READY: "execute_by",
    State.EXECUTING: "attempt_until",
    State.UNKNOWN: "attempt_until",
}
"""What bounds each open state; a state without an end would hold for ever."""


def was_allowed(view: View) -> Iterator[str]:
    """I1, I12: what runs, or may run, was approved by enough people who are entitled to it.

    What the policy forbids, hands on or does not know takes a person as well: no agent runs it.
    """
    for sight in view.changed:
        row = sight.row
        if row.state in PASSED and row.undoes is None:
            yield from lacking(view, sight)
        held = row.hold_until is not None and row.updated_at < row.hold_until
        if held and row.state in PASSED and row.state is not State.READY:
            yield f"`{row.id}` left while it could still be taken back"


def lacking(view: View, sight: Sight) -> Iterator[str]:
    """What an action that runs lacks of the approvals that it takes."""
    row = sight.row
    least, _ = needed(row.kind, row.value_minor)
    least = max(least, row.checkers, 1 if row.id in view.asked else 0)
    found = approvals(view, sight)
    if len(found) < least:
        yield f"`{row.id}` ({row.kind}) is {row.state.value} with {len(found)} of {least} approvals"


def own_of(view: View, row: Proposal) -> frozenset[str]:
    """Every identity that may not pass it: its maker's, and everybody's who corrected it.

    Up to G2 who only lowered its amount may.
    """
    own = makers(row.agent) if row.agent in AGENTS else frozenset((row.agent,))
    edits = [view.edits[earlier.id] for earlier in view.line(row)]
    above = int(row.grade) > LOWERED_GRADE_MAX
    return own.union(PEOPLE[one.person].identity for one in edits if above or not one.lowers)


def approvals(view: View, sight: Sight) -> set[str]:
    """The entitled people who approved this very statement."""
    row = sight.row
    _, checkers_only = needed(row.kind, row.value_minor)
    found = set()
    for place, review in enumerate(sight.reviews):
        person = PEOPLE.get(review.person)
        if review.verdict is not Verdict.APPROVE or person is None:
            continue
        if any(withdraws(later, review) for later in sight.reviews[place + 1 :]):
            continue
        limit = person.limit_minor
        over = limit is not None and (row.value_minor or 0) > limit
        entitled = {"reviewer", "checker"} & set(person.roles)
        if checkers_only:
            entitled &= {"checker"}
        if row.control is Control.MAKER_CHECKER and limit is not None and lent(view, sight, review):
            entitled |= {"checker"}
        if entitled and not over and row.statement and review.statement == row.statement:
            found.add(person.identity)
    return found


def lent(view: View, sight: Sight, review: Review) -> bool:
    """Whether break-glass made a checker of this person then, and nobody ended it before it ran.

    It is no maker of the action who confirmed it.
    """
    ran = max((entry.at for entry in sight.entries if "attempt" in entry.data), default=None)
    for grant in view.grants:
        if grant.person != review.person or not grant.covers(review.at):
            continue
        cut = grant.closed_at if grant.closed_at != grant.expires_at else None
        confirmer = PEOPLE[grant.confirmed_by or ""].identity
        if (cut is None or ran is None or ran < cut) and confirmer not in own_of(view, sight.row):
            return True
    return False


def glass_is_broken_by_two(view: View) -> Iterator[str]:
    """I4: who may check for a while was let by an administrator, another person, for an hour."""
    for grant in view.grants:
        if grant.opened_at is None:
            continue
        by = PEOPLE[grant.confirmed_by or ""]
        if (grant.id, by.id) not in view.confirmed or "admin" not in by.roles:
            yield f"`{grant.id}` is in force, and no administrator confirmed it"
        if by.identity == PEOPLE[grant.person].identity:
            yield f"`{grant.person}` confirmed what they had asked for themselves"
        if (grant.expires_at or 0) - grant.opened_at > GLASS_MS_MAX:
            yield f"`{grant.id}` is in force for longer than an hour"


def withdraws(later: Review, review: Review) -> bool:
    """Whether somebody took back, later, what they had said about the same statement."""
    same = (later.identity, later.statement) == (review.identity, review.statement)
    return same and later.verdict is Verdict.TAKE_BACK


def makers_do_not_check(view: View) -> Iterator[str]:
    """I4: nobody approves what they, their agent, or they on another account made."""
    for sight in view.changed:
        own = own_of(view, sight.row)
        for review in sight.reviews:
            person = PEOPLE[review.person]
            stands = review.verdict is Verdict.APPROVE and review.statement == sight.row.statement
            if stands and {person.id, person.identity} & own:
                yield f"`{sight.row.id}` was approved by `{person.id}`, one of its makers"


def edits_take_nothing_off(view: View) -> Iterator[str]:
    """I4, I8: a corrected action is the same agent's, for no more money, under no less a guard."""
    for sight in view.changed:
        for before in view.line(sight.row)[:1]:
            row = sight.row
            if before.state is not State.SUPERSEDED:
                yield f"`{row.id}` took the place of `{before.id}`, which is {before.state.value}"
            if (row.agent, row.kind, row.task) != (before.agent, before.kind, before.task):
                yield f"`{row.id}` is another agent's, kind or task than what it corrects"
            if row.currency != before.currency or (row.value_minor or 0) > (
                before.value_minor or 0
            ):
                yield f"`{row.id}` is worth more than `{before.id}`, which it corrects"
            if row.grade < before.grade or row.checkers < before.checkers:
                yield f"`{row.id}` has less of a guard than `{before.id}`, which it corrects"


def one_approval_for_one_action(view: View) -> Iterator[str]:
    """I3: no two actions share what a review binds, and no person counts twice for one."""
    if not view.changed:
        return
    bound: dict[str, str] = {}
    for row in view.rows:
        if row.statement and bound.setdefault(row.statement, row.id) != row.id:
            yield f"`{row.id}` and `{bound[row.statement]}` are bound by one statement"
    for sight in view.changed:
        stands: set[tuple[str, str]] = set()
        for review in sight.reviews:
            given = (review.identity, review.statement)
            taken = review.verdict is Verdict.TAKE_BACK
            if taken and given not in stands:
                yield f"`{review.person}` took back on `{sight.row.id}` what they had not said"
            elif not taken and given in stands:
                yield f"one person reviewed `{sight.row.id}` twice"
            stands ^= {given}


def people_said_it_in_time(view: View) -> Iterator[str]:
    """I12: a verdict was really given, while it could be; one no ends it."""
    for sight in view.changed:
        row = sight.row
        for review in sight.reviews:
            said = Said(person=review.person, proposal=row.id, verdict=review.verdict.value)
            if said not in view.said:
                yield f"nobody said what stands as {said}"
            if review.statement != row.statement or review.verdict is Verdict.TAKE_BACK:
                continue
            if row.decide_by is None or review.at >= row.decide_by:
                yield f"`{row.id}` was reviewed after its time by `{review.person}`"
            if review.verdict is not Verdict.APPROVE and row.state in PASSED:
                yield f"`{row.id}` goes on against `{review.person}`"


def everything_open_ends(view: View) -> Iterator[str]:
    """I12: nothing is left undecided, and every open state has an end."""
    for sight in view.changed:
        row = sight.row
        if row.state is State.PROPOSED:
            yield f"`{row.id}` was left undecided"
        bound = _ENDS.get(row.state)
        if bound is not None and getattr(row, bound) is None:
            yield f"`{row.id}` is {row.state.value} with no end"


def claims_only_raise(view: View) -> Iterator[str]:
    """I8: the grade is at least what the kind, the amount and the agent's own claim come to."""
    for sight in view.changed:
        row = sight.row
        least = graded(row.kind, row.value_minor, row.currency)
        claimed = int((sight.content.note or "0")[0])
        if int(row.grade) < max(least, claimed):
            yield f"`{row.id}` is graded {row.grade.name}, at least {max(least, claimed)} is due"
