"""What two policies say otherwise of the checks of a kind.

A condition is known by its name and its text alone. Nobody can tell what another text lets through,
so that it counts as looser.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from handrail.core.policy import CheckRule, Cleared, KindRule, Otherwise
from handrail.policy.difference import Direction

__all__ = ["checked_otherwise"]

LOOSER: Final = Direction.LOOSER
TIGHTER: Final = Direction.TIGHTER
DIFFERENT: Final = Direction.DIFFERENT


def checked_otherwise(was: KindRule, now: KindRule) -> Iterator[tuple[Direction, str]]:
    """Every difference in facts, checks and what clears, as a direction and a sentence."""
    for name in dict.fromkeys((*was.facts, *now.facts)):
        old, new = was.facts.get(name), now.facts.get(name)
        if old is None:
            yield DIFFERENT, f"conditions may name the fact `{name}`"
        elif new is None:
            yield DIFFERENT, f"conditions no longer name the fact `{name}`"
        elif old is not new:
            yield LOOSER, f"the fact `{name}` holds {new.value}, not {old.value}: nobody can tell"
    before, after = ({check.name: check for check in rule.checks} for rule in (was, now))
    for name in dict.fromkeys((*before, *after)):
        yield from _check(name, before.get(name), after.get(name))
    yield from _cleared(was.cleared, now.cleared)


def _check(
    name: str, was: CheckRule | None, now: CheckRule | None
) -> Iterator[tuple[Direction, str]]:
    said = f"check `{name}`"
    if was is None or now is None:
        if now is not None:
            yield TIGHTER, f"{said} is new: {_does(now.otherwise)} unless {now.require}"
        elif was is not None:
            yield LOOSER, f"{said} is gone: it {_does(was.otherwise)} unless {was.require}"
        return
    if was.require != now.require:
        text = f"{was.require} -> {now.require}"
        yield LOOSER, f"{said} asks something else, and nobody can tell what it lets by: {text}"
    if was.otherwise is not now.otherwise:
        text = f"{said}, when it fails: {was.otherwise.value} -> {now.otherwise.value}"
        # A hold asks one person, a raised grade perhaps a checker: neither is the stricter one.
        stricter = now.otherwise is Otherwise.REFUSE or was.otherwise is Otherwise.FLAG
        yield TIGHTER if stricter else LOOSER, text
    if was.reviewer != now.reviewer:
        yield DIFFERENT, f"{said} tells the reviewer: {now.reviewer}"
    if was.agent != now.agent:
        yield DIFFERENT, f"{said} tells the agent: {now.agent or 'nothing of its own'}"


def _does(outcome: Otherwise) -> str:
    return {
        Otherwise.FLAG: "marks",
        Otherwise.RAISE_GRADE: "raises the grade",
        Otherwise.HOLD: "holds",
        Otherwise.REFUSE: "refuses",
    }[outcome]


def _cleared(was: Cleared | None, now: Cleared | None) -> Iterator[tuple[Direction, str]]:
    """Whether anything is cleared, and when; what it then gets is asked of the deciders."""
    if was is None or now is None:
        if now is not None:
            yield LOOSER, "what passes every check has bands of its own"
        elif was is not None:
            yield TIGHTER, "what passes every check no longer has bands of its own"
        return
    if was.when != now.when:
        text = f"{was.when or 'always'} -> {now.when or 'always'}"
        direction = TIGHTER if was.when is None else LOOSER
        yield direction, f"when every check passes, it is cleared otherwise: {text}"
