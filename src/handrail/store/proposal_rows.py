"""A proposal as a row, and back. Written out: every decision writes one and reads several."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from msgspec.structs import astuple

from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.errors import Unavailable
from handrail.store.rows import Value, columns_of, insert_sql

__all__ = ["any_of", "difference", "new_sql", "proposal_of", "readable", "row_of", "update_sql"]

_COLUMNS: Final = columns_of(Proposal)
_STATES: Final = {state.value: state for state in State}
_GRADES: Final = {grade.value: grade for grade in Grade}
_CONTROLS: Final = {control.value: control for control in Control}
_ENUMS: Final = tuple(_COLUMNS.index(name) for name in ("state", "grade", "control"))


def any_of(*states: State) -> str:
    """SQL that is true in these states, word for word as the index of just these says it."""
    said = " OR ".join(f"state = '{state.value}'" for state in states)
    return f"({said}) IS TRUE"


def row_of(proposal: Proposal) -> list[Value]:
    """The values of a new row, in the order of the columns."""
    values: list[Any] = list(astuple(proposal))
    for place in _ENUMS:
        values[place] = values[place].value
    return values


def proposal_of(row: Sequence[Value]) -> Proposal:
    """The proposal of a row. Written out, for a list of a page is made of fifty.

    Raises Unavailable `store_newer` for a state, grade or control that this version does not know.
    """
    fields: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    try:
        fields["state"] = _STATES[fields["state"]]
        fields["grade"] = _GRADES[fields["grade"]]
        fields["control"] = _CONTROLS[fields["control"]]
    except KeyError:
        what = f"`{fields['id']}` is in a form that this version of handrail does not know"
        raise Unavailable("store_newer", what) from None
    return Proposal(**fields)


def readable(rows: Sequence[Sequence[Value]]) -> list[Proposal]:
    """The proposals of those rows that this version can read."""
    found = []
    for row in rows:
        try:
            found.append(proposal_of(row))
        except Unavailable:
            continue
    return found


def difference(before: Proposal, after: Proposal) -> tuple[tuple[str, ...], list[Value]]:
    """The columns that differ, and their new values."""
    pairs = zip(_COLUMNS, astuple(before), astuple(after), strict=True)
    changed = [(name, new) for name, old, new in pairs if new is not old and new != old]
    names = tuple(name for name, _ in changed)
    return names, [new.value if isinstance(new, Enum) else new for _, new in changed]


@lru_cache(maxsize=2)
def new_sql(or_fail: str) -> str:
    """The statement that writes a new row."""
    return insert_sql("proposal", Proposal, or_fail)


@lru_cache(maxsize=256)
def update_sql(names: tuple[str, ...], or_fail: str) -> str:
    """The statement that writes these columns, if the row still is as it was read."""
    changes = ", ".join(f"{name} = ?" for name in names)
    where = "desk = ? AND id = ? AND state = ? AND version = ?"
    return f"UPDATE{or_fail} proposal SET {changes} WHERE {where}"
