"""Which lanes an agent may ask for: what the policy says, and never a wider one than that.

The policy names the agents of a lane. A lane that names none is for every agent when it is the
first one, or holds nothing that the first one does not hold: asking for less is always allowed.
"""

from __future__ import annotations

from collections.abc import Mapping

from handrail.core.policy import ANY_KIND, LaneRule

__all__ = ["lane_for", "may_take"]


def may_take(lanes: Mapping[str, LaneRule], name: str, agent: str) -> bool:
    """Whether `agent` may have a task in the lane; False for one that there is not."""
    lane = lanes.get(name)
    if lane is None:
        return False
    if lane.agents:
        return ANY_KIND in lane.agents or agent in lane.agents
    first = next(iter(lanes.values()))
    if first is lane:
        return True
    return may_take(lanes, first.name, agent) and _within(lane, first)


def lane_for(lanes: Mapping[str, LaneRule], agent: str) -> str | None:
    """The lane of an agent that asks for none: the first that it may take."""
    return next((name for name in lanes if may_take(lanes, name, agent)), None)


def _within(narrow: LaneRule, wide: LaneRule) -> bool:
    """Whether everything that the narrow lane holds is in the wide one too."""
    return (
        _covers(wide.kinds, narrow.kinds)
        and _covers(wide.connectors, narrow.connectors)
        and (wide.any_customer or not narrow.any_customer)
    )


def _covers(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    return ANY_KIND in wide or (ANY_KIND not in narrow and set(narrow) <= set(wide))
