"""How bad an action can be: three axes from 0 to 3, and the grade they make."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final

import msgspec

from handrail.errors import InvalidInput

__all__ = ["AXIS_MAX", "AXIS_MEANINGS", "Axes", "Catchable", "Grade", "grade_of"]

AXIS_MAX: Final = 3

AXIS_MEANINGS: Final[dict[str, tuple[str, str, str, str]]] = {
    "reversibility": (
        "instantly undone",
        "undone with a little work",
        "undone with effort or loss",
        "cannot be undone",
    ),
    "blast_radius": (
        "nothing outside is touched",
        "one customer",
        "several customers or one system",
        "many customers or systems",
    ),
    "stakes": (
        "none",
        "small",
        "money or trust of one customer",
        "severe money or trust",
    ),
}


class Grade(IntEnum):
    """G0 (harmless) to G3 (severe). Comparable: a higher grade is worse."""

    G0 = 0
    G1 = 1
    G2 = 2
    G3 = 3


class Catchable(Enum):
    """Can a person realistically catch this mistake in time? Asked of G2 and G3."""

    YES = "yes"
    UNSURE = "unsure"
    NO = "no"


class Axes(msgspec.Struct, frozen=True, kw_only=True):
    """The three axes of an action kind, each a whole number from 0 to 3."""

    reversibility: int
    blast_radius: int
    stakes: int

    def __post_init__(self) -> None:
        for name in ("reversibility", "blast_radius", "stakes"):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= AXIS_MAX:
                raise InvalidInput(
                    "field_malformed", f"axis `{name}` must be a whole number from 0 to 3"
                )


def grade_of(axes: Axes) -> Grade:
    """The highest axis sets the grade."""
    return Grade(max(axes.reversibility, axes.blast_radius, axes.stakes))
