"""What the agent hears: what happened and what to do, never a threshold, a rule or a name."""

from __future__ import annotations

import re
from typing import Final

import pytest

from handrail.connectors.sandbox import Fault
from handrail.core.lifecycle import State
from handrail.core.policy import Policy
from handrail.engine.proposing.advice import advice_of
from handrail.surfaces.embedded import Action
from tests.engine.stories import HOUR, HUGE, LARGE, MIDDLE, SMALL, Story, pack
from tests.store.samples import proposal_of

STATES: Final = [state for state in State if state is not State.PROPOSED]
_NUMBERS: Final = re.compile(r"\d+(?:[.,]\d+)?")


def _figures(policy: Policy) -> set[str]:
    """Every threshold of a policy as one might write it: in minor and in major units."""
    found: set[str] = set()
    limits = [cap.limit for cap in policy.caps]
    for rule in policy.kinds.values():
        for bands in rule.bands.values():
            limits += [band.up_to_minor for band in bands if band.up_to_minor is not None]
    for limit in limits:
        found |= {str(limit), str(limit // 100), f"{limit / 100:.2f}", f"{limit // 100:,}"}
    return found


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.value)
@pytest.mark.parametrize("reasons", ["value_band", "outside_lane", "cap_full", "hidden_content"])
def test_every_state_has_words_without_a_figure(state: State, reasons: str) -> None:
    """Besides the action's id there is not a digit in it, and no word of the rules."""
    proposal = proposal_of("hr_x", state=state, reasons=reasons)
    text = advice_of(proposal)
    assert len(text) > 20
    assert "hr_x" in text
    assert not _NUMBERS.search(text)
    for word in ("policy", "threshold", "limit", "cap", "band", "grade", "checker", "rule"):
        assert word not in text.lower().split()


def _every_answer(story: Story) -> list[Action]:
    """One action on each road, with all that its agent is ever told."""
    small_cap = pack(("money: 20000.00 USD, window: 24h", "money: 321.00 USD, window: 24h"))
    heard = [story.refund(amount, "O-5005") for amount in (SMALL, MIDDLE, LARGE, HUGE)]
    heard.append(story.approve(heard[1]))
    heard.append(story.approve(heard[2], by="carl"))
    heard.append(
        story.desk.review(heard[3].id, "reject", by="cora", digest=heard[3].digest, reason="no")
    )
    heard.append(story.desk.propose(story.task("T-103"), "ticket.read", ticket="T-101"))
    heard.append(story.desk.propose(story.task("T-103"), "database.drop", x="1"))
    waiting = story.refund(MIDDLE)
    story.later(4 * HOUR)
    story.desk.work()
    heard.append(story.desk.get(waiting.id))
    story.fail(Fault.BEFORE_EFFECT)
    heard.append(story.refund(SMALL))
    story.fail(None)
    story.reopen(small_cap)
    heard.append(story.refund("49.00 USD", "O-5003"))
    return heard


def test_no_answer_names_a_threshold(story: Story) -> None:
    """Nothing that an agent gets back in any state holds a figure of the policy in force."""
    forbidden = _figures(pack()) | {"321", "321.00", "32100"}
    own = {"18.50", "120.00", "2400.00", "6000.00", "49.00", "120", "2400", "6000"}
    for action in _every_answer(story):
        said = action.says.replace(action.id, "")
        told = f"{said} {action.kind} {action.state.value}"
        numbers = set(_NUMBERS.findall(told))
        assert not numbers & (forbidden - own), told
        assert not numbers, told


def test_a_refusal_gives_no_hint_for_the_next_try(story: Story) -> None:
    """One cent above and a thousand above the same ceiling sound the same."""
    story.reopen(pack(("money: 10000.00 USD, window: 30d", "money: 20.00 USD, window: 30d")))
    near, far = story.refund("20.01 USD"), story.refund("49.99 USD")
    assert near.state is far.state is State.REFUSED
    assert near.says.replace(near.id, "") == far.says.replace(far.id, "")
