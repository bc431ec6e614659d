"""One way in which two policies differ: what it is about, which way it goes, and an example."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

import msgspec

from handrail.core.decide import Ask, Decision
from handrail.core.policy import Control, Guard

__all__ = [
    "Difference",
    "Direction",
    "Example",
    "PlainDifference",
    "Ruled",
    "direction_of",
    "guard_text",
    "is_loosening",
    "plain_of",
    "report_text",
]


class Direction(Enum):
    """Which way a policy moves.

    LOOSER is also what nobody can tell: two people look at it. DIFFERENT is neither, such as a
    title.
    """

    LOOSER = "looser"
    TIGHTER = "tighter"
    DIFFERENT = "different"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One class of inputs that is decided otherwise, or one setting that stands otherwise.

    `where` is the place in the policy, `text` a sentence. `ask` is an example, with the decision
    `before` and `after`; a setting has none.
    """

    direction: Direction
    where: str
    text: str
    ask: Ask | None = None
    before: Decision | None = None
    after: Decision | None = None


class Ruled(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided about an example, for who reads JSON."""

    control: Control
    checkers: int
    grade: str


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a class: `amount` as text, None where there is none or it is not known.

    `lane` is None where the lane does not matter; `found` names what was found about the action,
    `cleared` says that every check passed.
    """

    kind: str
    lane: str | None
    amount: str | None
    as_undo: bool
    cleared: bool
    found: list[str]
    before: Ruled
    after: Ruled


class PlainDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A difference for who reads JSON; `example` is None for a setting."""

    direction: Direction
    where: str
    text: str
    example: Example | None


_FOUND: Final = ("missing", "contradicted", "hidden", "unresolved", "late", "failure", "claim")
_HEADINGS: Final = {
    Direction.LOOSER: "looser",
    Direction.TIGHTER: "tighter",
    Direction.DIFFERENT: "neither",
}


def direction_of(before: Decision, after: Decision) -> Direction | None:
    """LOOSER when the guard or the grade is lower, else TIGHTER when one is higher; None if same.

    A higher guard does not make up for a lower grade.
    """
    if after.guard.order < before.guard.order or after.grade < before.grade:
        return Direction.LOOSER
    if after.guard.order > before.guard.order or after.grade > before.grade:
        return Direction.TIGHTER
    return None


def guard_text(guard: Guard) -> str:
    """A guard in words: `run and notify`, `2 checkers`."""
    if guard.control is Control.MAKER_CHECKER:
        return "1 checker" if guard.checkers == 1 else f"{guard.checkers} checkers"
    return str(guard.control.value).replace("_", " ")


def is_loosening(differences: Iterable[Difference]) -> bool:
    """Whether anything gets looser: then it takes two people and a delay."""
    return any(one.direction is Direction.LOOSER for one in differences)


def report_text(differences: Iterable[Difference]) -> str:
    """Every difference on a line of its own, the looser ones first."""
    found = list(differences)
    lines = []
    for direction, heading in _HEADINGS.items():
        lines += [f"{heading}: {one.text}" for one in found if one.direction is direction]
    return "\n".join(lines) if lines else "no difference"


def plain_of(difference: Difference) -> PlainDifference:
    """A difference as it is written in JSON."""
    one = difference
    example = None
    if one.ask is not None and one.before is not None and one.after is not None:
        value = one.ask.value
        example = Example(
            kind=one.ask.kind,
            lane=one.ask.lane,
            amount=None if value is None else value.text(),
            as_undo=one.ask.as_undo,
            cleared=one.ask.cleared,
            found=[name for name in _FOUND if getattr(one.ask, name) not in ((), None, False)],
            before=_ruled(one.before),
            after=_ruled(one.after),
        )
    return PlainDifference(direction=one.direction, where=one.where, text=one.text, example=example)


def _ruled(decision: Decision) -> Ruled:
    guard = decision.guard
    return Ruled(control=guard.control, checkers=guard.checkers, grade=decision.grade.name)
