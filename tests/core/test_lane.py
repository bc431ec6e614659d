"""Which lanes an agent may take, as a table."""

from __future__ import annotations

from typing import Final

import pytest

from handrail.core.lane import lane_for, may_take
from handrail.core.policy import LaneRule

LANES: Final = {
    lane.name: lane
    for lane in (
        LaneRule(name="front", kinds=("ticket.read", "reply.send"), connectors=("desk", "mail")),
        LaneRule(name="triage", kinds=("ticket.read",), connectors=("desk",)),
        LaneRule(name="roam", kinds=("ticket.read",), connectors=("desk",), any_customer=True),
        LaneRule(name="money", kinds=("refund.issue",), connectors=("desk",)),
        LaneRule(name="plug", kinds=("ticket.read",), connectors=("billing",)),
        LaneRule(name="everything", kinds=("*",)),
        LaneRule(name="refunds", kinds=("*",), agents=("payer",)),
        LaneRule(name="open", kinds=("*",), agents=("*",)),
    )
}

# lane | agent | may take it
CASES = """
front       bot    yes
triage      bot    yes
roam        bot    no
money       bot    no
plug        bot    no
everything  bot    no
refunds     bot    no
refunds     payer  yes
open        bot    yes
nowhere     bot    no
"""


@pytest.mark.parametrize("row", CASES.strip().splitlines())
def test_what_an_agent_may_ask_for(row: str) -> None:
    """The first lane and what is no wider; beyond that, only where the policy names the agent."""
    lane, agent, answer = row.split()
    assert may_take(LANES, lane, agent) is (answer == "yes")


def test_a_first_lane_that_is_not_for_everybody() -> None:
    """Nobody else gets it, or a part of it, by not being named."""
    lanes = {
        "vip": LaneRule(name="vip", kinds=("*",), agents=("gold",)),
        "part": LaneRule(name="part", kinds=("ticket.read",)),
        "all": LaneRule(name="all", kinds=("kb.search",), agents=("*",)),
    }
    assert lane_for(lanes, "gold") == "vip"
    assert lane_for(lanes, "bot") == "all"
    assert not may_take(lanes, "part", "bot")
    assert lane_for({"vip": lanes["vip"]}, "bot") is None
    assert lane_for({}, "bot") is None
