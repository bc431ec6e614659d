"""What is known in the tables: the recipient Dana Whitfield, her order, and the shop."""

from __future__ import annotations

from typing import Final

from handrail.core.money import Money
from handrail.core.triggers.find import spans_in
from handrail.core.triggers.span import About, Trigger

__all__ = ["DANA", "NOBODY", "found", "rows", "said"]

DANA: Final = About(
    names=("Dana Whitfield",),
    addresses=("dana.whitfield@example.com", "+1 555 010 1234"),
    ids=("O-5001", "C-1001", "T-101", "R-00ab12"),
    id_prefixes=("C-", "O-", "T-", "R-"),
    amounts=(Money.parse("54.90 USD"), Money.parse("18.50 USD")),
    hosts=("shop.example.com",),
)
NOBODY: Final = About()
"""Nothing is known."""


def rows(table: str) -> list[tuple[str, ...]]:
    """The rows of a table, cell by cell; `~` stands for a line break."""
    cells = [line.split("|") for line in table.strip().splitlines()]
    return [tuple(cell.strip().replace("~", "\n") for cell in row) for row in cells]


def found(text: str, *triggers: Trigger, about: About = DANA) -> list[str]:
    """The parts of a text that set one of these triggers off."""
    return [text[one.start : one.end] for one in spans_in(text, about) if one.trigger in triggers]


def said(text: str, *triggers: Trigger, about: About = DANA) -> list[str]:
    """What is said about those parts."""
    return [one.what for one in spans_in(text, about) if one.trigger in triggers]
