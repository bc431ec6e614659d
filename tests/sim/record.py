"""What is written down: the log only grows, rows are as it says, and verdicts follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from handrail.core import merkle
from handrail.core.decide import Ask, ReasonCode
from handrail.core.entry import row_commitment
from handrail.core.grade import Grade
from handrail.core.lifecycle import FINAL, TRANSITIONS, State
from handrail.core.money import Money
from handrail.core.policy import Control, Guard
from handrail.core.proposal import Proposal
from handrail.core.text import hidden_marks
from handrail.engine.base.context import Rulebook
from handrail.store.protocol import Tx
from tests.sim.rules import loaded_policy
from tests.sim.view import Sight, View, covers
from tests.store.trees import slow_root

__all__ = [
    "log_is_as_remembered",
    "log_only_grows",
    "rows_are_as_logged",
    "rows_move_by_the_table",
    "verdicts_follow",
]

_FIXED: Final = ("fingerprint", "key", "agent", "kind", "task", "subject", "undoes", "created_at")
_BOUND: Final = ("digest", "statement", "value_minor", "policy", "control", "checkers")
"""What changes only when people are asked anew."""
_RULES: Final = Rulebook(loaded_policy())
_PLACES: Final = {code.value: place for place, code in enumerate(ReasonCode)}
_LATER: Final = tuple(
    code.value
    for code in (
        ReasonCode.CAP_FULL,
        ReasonCode.OPEN_ALREADY,
        ReasonCode.DENIED_BEFORE,
        ReasonCode.TOO_MANY_OPEN,
        ReasonCode.QUEUE_FULL,
    )
)
"""Reasons that come from what others had taken or open, not from the action."""


def _reachable() -> dict[State, frozenset[State]]:
    """Every state that can follow a state in any number of moves, itself included."""
    found = {state: {state} for state in State}
    for _ in State:
        for (before, _), after in TRANSITIONS.items():
            for ways in found.values():
                if before in ways:
                    ways.add(after)
    return {state: frozenset(ways) for state, ways in found.items()}


_REACHABLE: Final = _reachable()


def rows_move_by_the_table(view: View) -> Iterator[str]:
    """I2, I9: nothing disappears, nothing final moves, and what was decided on stays as it was."""
    if view.gone:
        yield f"{view.gone} were there and are gone"
    if view.silent:
        yield f"{view.silent} were changed without a new version"
    for sight in view.changed:
        before, row = sight.before, sight.row
        if before is None:
            continue
        if before.state in FINAL and row.state is not before.state:
            yield f"`{row.id}` was {before.state.value}, is {row.state.value}"
        if row.state not in _REACHABLE[before.state] or row.version < before.version:
            yield f"`{row.id}`: no way {before.state.value} -> {row.state.value}"
        for name in _FIXED + (_BOUND if row.rounds == before.rounds else ()):
            if getattr(before, name) != getattr(row, name):
                yield f"the {name} of `{row.id}` changed"


def rows_are_as_logged(view: View) -> Iterator[str]:
    """I7: the last entry about an action commits to its row as it stands."""
    for sight in view.changed:
        said = [entry.rows["proposal"] for entry in sight.entries if "proposal" in entry.rows]
        if not said or said[-1] != row_commitment(sight.row):
            yield f"`{sight.row.id}` is not as the log says"


def log_only_grows(view: View) -> Iterator[str]:
    """I7: the tree of now begins with the tree of before."""
    for desk, before, head, extends in view.grown:
        if not extends:
            yield f"the log of `{desk}` was {before.size} long and {head.size} does not extend it"


def verdicts_follow(view: View) -> Iterator[str]:
    """I15: the verdict in the log is computed again, from what is stored, to the same words."""
    for sight in view.changed:
        if sight.before is not None or sight.row.rounds:
            continue
        said = sight.entries[0].data
        again = _RULES.decider.decide(_ask_of(view, sight))
        codes = [reason.code.value for reason in again.reasons]
        reasons = [code for code in str(said["reasons"]).split(",") if code not in _LATER]
        guard, grade = again.guard, int(again.grade)
        refused = len(reasons) < len(str(said["reasons"]).split(","))
        if refused and said["control"] == Control.REFUSE.value:
            guard = Guard(control=Control.REFUSE)
        for corrected in view.line(sight.row)[:1]:
            guard = max(guard, corrected.guard, key=lambda one: one.order)
            grade = max(grade, int(corrected.grade))
            codes = sorted([*codes, ReasonCode.EDITED.value], key=_PLACES.__getitem__)
        verdict = (said["control"], said["checkers"], said["grade"], reasons)
        expected = (guard.control.value, guard.checkers, grade, codes)
        if verdict != expected:
            yield f"`{sight.row.id}` was decided {verdict}, and the record says {expected}"


def _ask_of(view: View, sight: Sight) -> Ask:
    """What was decided on, put together from the record alone."""
    row, content, task = sight.row, sight.content, sight.task
    by_agent = row.agent == task.agent
    rule = _RULES.policy.kinds.get(row.kind)
    needs = () if rule is None else rule.kind.needs
    known = {fact.name for fact in content.facts if fact.value is not None}
    graded = rule is not None and _RULES.decider.admits_kind(
        row.kind, task.lane if by_agent else None
    )
    hidden = any(
        hidden_marks(text)
        for record in (sight.params, sight.request)
        for text in record.values()
        if isinstance(text, str)
    )
    lane = _RULES.policy.lanes[task.lane]
    touches = sight.request.get("customer") is not None
    claimed = (content.note or "0")[0]
    together = sight.entries[0].data.get("sum_minor")
    return Ask(
        kind=row.kind,
        lane=task.lane if by_agent else None,
        value=row.value,
        account_in_lane=not (by_agent and touches)
        or lane.any_customer
        or row.subject in task.customers,
        missing=tuple(name for name in needs if name not in known) if graded else (),
        contradicted=tuple(fact.against for fact in content.facts if fact.against is not None),
        hidden=("somewhere",) if hidden else (),
        claim=None if claimed == "0" else Grade(int(claimed)),
        as_undo=row.undoes is not None,
        halted=_halted(view, row),
        late=_late(view, row),
        accumulated=Money(minor=together, currency=row.currency)
        if isinstance(together, int) and row.currency is not None
        else None,
    )


def _halted(view: View, row: Proposal) -> bool:
    """Whether it was stopped when it was proposed."""
    return any(
        halt.desk == row.desk
        and halt.pulled_at <= row.created_at
        and (halt.lifted_at is None or row.created_at < halt.lifted_at)
        and covers(halt, row)
        for halt in view.halts
    )


def _late(view: View, row: Proposal) -> bool:
    """Whether it takes back what could no longer be taken back without asking."""
    undone = None if row.undoes is None else view.sights[row.undoes].row
    return undone is not None and row.created_at >= (undone.undo_until or 0)


def log_is_as_remembered(view: View, tx: Tx) -> Iterator[str]:
    """I7: at the end every entry is the one that was seen when it came, and the root is theirs."""
    for desk, kept in view.leaves.items():
        if [leaf for *_, leaf in tx.log.scan(desk)] != kept:
            yield f"the log of `{desk}` is not what was written"
        if slow_root(kept) != merkle.root(tx.log.head(desk)):
            yield f"the root of `{desk}` is not that of its entries"


def counters_are_states(view: View, tx: Tx) -> Iterator[str]:
    """At the end: the counters are the states of the rows."""
    for desk in view.leaves:
        counted = {
            name.removeprefix("state:"): count
            for name, count in tx.counters.of(desk).items()
            if name.startswith("state:") and count
        }
        states = [row.state.value for row in view.rows if row.desk == desk]
        if counted != {state: states.count(state) for state in set(states)}:
            yield f"the counters of `{desk}` are not the states of its rows"
