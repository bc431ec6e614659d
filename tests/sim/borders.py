"""I14: two desks in one store; what belongs to one is nothing to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handrail.engine.deciding.withdraw import withdraw_unit
from handrail.errors import HandrailError
from handrail.surfaces.embedded import Desk
from tests.sim.rules import STRANGERS
from tests.sim.view import OTHER, View

__all__ = ["everything_is_at_home", "trespasses"]


def everything_is_at_home(view: View) -> Iterator[str]:
    """I14: an action, its task, its maker, its reviewers and its entries are of one desk."""
    for sight in view.changed:
        row = sight.row
        if sight.task.desk != row.desk or {entry.desk for entry in sight.entries} != {row.desk}:
            yield f"`{row.id}` of `{row.desk}` stands with what is another desk's"
        foreign = row.desk == OTHER
        for person in (row.agent, *(review.person for review in sight.reviews)):
            if person != "operator" and (person in STRANGERS) is not foreign:
                yield f"`{person}` had a part in `{row.id}` of `{row.desk}`"


def trespasses(other: Desk, id: str, digest: str) -> Iterator[str]:
    """What of another desk's action can be read or decided from here: nothing may."""
    by = STRANGERS[0]
    ways: dict[str, Callable[[], object]] = {
        "get": lambda: other.get(id),
        "show": lambda: other.show(id, by=by),
        "review": lambda: other.review(id, "approve", by=by, digest=digest),
        "undo": lambda: other.undo(id, by=by),
        "withdraw": lambda: other.ctx.store.write(withdraw_unit(other.id, id, actor=by, task=None)),
    }
    for name, way in ways.items():
        try:
            way()
        except HandrailError as error:
            if error.code != "proposal_not_found":
                yield f"`{name}` of another desk's action says `{error.code}`"
            continue
        yield f"`{name}` reached another desk's action"
