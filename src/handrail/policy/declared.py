"""What two policies say otherwise of a kind and of a lane, beside their bands and their reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from handrail.core.action import ActionKind, Param
from handrail.core.grade import Catchable
from handrail.core.lane import lane_for, may_take
from handrail.core.policy import ANY_KIND, Policy
from handrail.policy.checked import checked_otherwise
from handrail.policy.difference import Difference, Direction

__all__ = ["declared_otherwise"]

LOOSER: Final = Direction.LOOSER
TIGHTER: Final = Direction.TIGHTER
DIFFERENT: Final = Direction.DIFFERENT

ANYBODY: Final = "~any agent that is not named~"
"""No agent's id: an id has no space in it."""
_AXES: Final = ("reversibility", "blast_radius", "stakes")
_CATCHABLE: Final = (Catchable.NO, Catchable.UNSURE, Catchable.YES)


def declared_otherwise(old: Policy, new: Policy) -> Iterator[Difference]:
    """Every difference in how kinds are declared, and in who may ask for which lane."""
    for name, rule in old.kinds.items():
        now = new.kinds.get(name)
        if now is not None:
            for direction, text in (*_kind(rule.kind, now.kind), *checked_otherwise(rule, now)):
                said = f"`{name}`: {text}"
                yield Difference(direction=direction, where=f"kinds.{name}", text=said)
    yield from _lanes(old, new)


def _kind(was: ActionKind, now: ActionKind) -> Iterator[tuple[Direction, str]]:
    for axis in _AXES:
        before, after = getattr(was.axes, axis), getattr(now.axes, axis)
        if before != after:
            text = f"axis `{axis}` {before} -> {after}"
            yield LOOSER if after < before else TIGHTER, text
    if was.catchable is not now.catchable:
        more = _CATCHABLE.index(now.catchable) > _CATCHABLE.index(was.catchable)
        text = f"catchable: {was.catchable.value} -> {now.catchable.value}"
        yield LOOSER if more else TIGHTER, text
    for need in was.needs:
        if need not in now.needs:
            yield LOOSER, f"the fact `{need}` is no longer needed"
    for need in now.needs:
        if need not in was.needs:
            yield TIGHTER, f"the fact `{need}` is needed"
    if was.connector != now.connector:
        yield LOOSER, f"served by `{now.connector}`, not `{was.connector}`"
    if was.runs_in_agent is not now.runs_in_agent:
        said = "runs in the agent's process" if now.runs_in_agent else "runs in the gateway"
        yield LOOSER if now.runs_in_agent else TIGHTER, said
    if was.undo != now.undo:
        yield from _undo(was.undo, now.undo)
    yield from _value(was, now)
    yield from _params(was, now)
    if was.title != now.title:
        yield DIFFERENT, f"called `{now.title}`, not `{was.title}`"


def _undo(was: str | None, now: str | None) -> Iterator[tuple[Direction, str]]:
    if was is None:
        yield DIFFERENT, f"what ran can be reversed by `{now}`"
    elif now is None:
        yield LOOSER, "what ran can no longer be reversed"
    else:
        yield LOOSER, f"reversed by `{now}`, not `{was}`"


def _value(was: ActionKind, now: ActionKind) -> Iterator[tuple[Direction, str]]:
    if was.value_from_connector and not now.value_from_connector:
        yield LOOSER, "the connector no longer says how much it moves"
    elif now.value_from_connector and not was.value_from_connector:
        yield TIGHTER, "the connector says how much it moves"
    if was.value != now.value:
        before, after = ("nothing" if one is None else f"`{one}`" for one in (was.value, now.value))
        direction = TIGHTER if was.value is None else LOOSER
        yield direction, f"bands and caps look at {after}, not {before}"


def _params(was: ActionKind, now: ActionKind) -> Iterator[tuple[Direction, str]]:
    before, after = ({one.name: one for one in kind.params} for kind in (was, now))
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old is None and new is not None:
            direction = TIGHTER if new.required and not before else LOOSER
            yield direction, f"takes a parameter `{name}`"
        elif new is None and old is not None:
            yield LOOSER if old.required else TIGHTER, f"no longer takes the parameter `{name}`"
        elif old is not None and new is not None and old != new:
            yield _param(old, new), f"the parameter `{name}` takes something else"


def _param(old: Param, new: Param) -> Direction:
    """TIGHTER when whatever is taken now was taken before, in the same type."""
    narrower = (
        old.type is new.type
        and (new.required or not old.required)
        and set(new.choices) <= set(old.choices)
        and new.chars_max <= old.chars_max
    )
    return TIGHTER if narrower else LOOSER


def _lanes(old: Policy, new: Policy) -> Iterator[Difference]:
    named = [agent for one in (old, new) for lane in one.lanes.values() for agent in lane.agents]
    agents = [one for one in dict.fromkeys(named) if one != ANY_KIND] + [ANYBODY]
    for name in dict.fromkeys((*old.lanes, *new.lanes)):
        where, was, now = f"lanes.{name}", old.lanes.get(name), new.lanes.get(name)
        if was is not None and now is not None and was.any_customer is not now.any_customer:
            verb = "may touch" if now.any_customer else "no longer touches"
            text = f"lane `{name}` {verb} customers that the task does not name"
            direction = LOOSER if now.any_customer else TIGHTER
            yield Difference(direction=direction, where=where, text=text)
        for direction, verb in ((LOOSER, "may ask"), (TIGHTER, "may no longer ask")):
            moved = (False, True) if direction is LOOSER else (True, False)
            who = [
                agent
                for agent in agents
                if (may_take(old.lanes, name, agent), may_take(new.lanes, name, agent)) == moved
            ]
            if who:
                text = f"{', '.join(map(_agent, who))} {verb} for lane `{name}`"
                yield Difference(direction=direction, where=where, text=text)
    for agent in agents:
        was_in, is_in = lane_for(old.lanes, agent), lane_for(new.lanes, agent)
        if was_in != is_in:
            text = f"{_agent(agent)} works in lane `{is_in}` unless it asks, not `{was_in}`"
            yield Difference(direction=DIFFERENT, where="lanes", text=text)


def _agent(agent: str) -> str:
    return "any agent that no lane names" if agent == ANYBODY else f"`{agent}`"
