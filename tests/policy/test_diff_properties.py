"""What the semantic diff never passes over: a looser answer, and a setting that is new."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.core.accumulation import Accumulation
from handrail.core.action import ActionKind, Param
from handrail.core.caps import CapRule
from handrail.core.decide import compile_policy
from handrail.core.grade import Axes
from handrail.core.policy import (
    Band,
    CheckRule,
    Cleared,
    Clocks,
    Guard,
    KindRule,
    LaneRule,
    Policy,
)
from handrail.policy.bounds import LONGER_IS
from handrail.policy.diff import compare
from handrail.policy.difference import (
    Difference,
    Direction,
    direction_of,
)
from tests.core import strategies

LOOSER: Final = Direction.LOOSER


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Policy, Policy]:
    """Two policies: nothing in common, or all but one kind or one lane."""
    old = draw(strategies.policies())
    if draw(st.booleans()):
        return old, draw(strategies.policies())
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(old.kinds)))
        kind = draw(strategies.kind_rules(name, sorted(old.kinds)))
        return old, msgspec.structs.replace(old, kinds={**old.kinds, name: kind})
    lane = draw(strategies.lanes("front", sorted(old.kinds)))
    return old, msgspec.structs.replace(old, lanes={**old.lanes, "front": lane})


@settings(max_examples=100, deadline=None)
@given(pairs(), strategies.choosers)
def test_no_looser_answer_is_passed_over(both: tuple[Policy, Policy], chooser: Any) -> None:
    """N2: a lower guard or grade for any input means that a looser class is named, of that kind."""
    old, new = both
    before, after = compile_policy(old), compile_policy(new)
    found = compare(old, new)
    loose = {one.ask.kind for one in found if one.direction is LOOSER and one.ask is not None}
    lanes = {one.where for one in found if one.direction is LOOSER}
    for ask in (*strategies.asks(old, chooser), *strategies.asks(new, chooser)):
        if direction_of(before.decide(ask), after.decide(ask)) is LOOSER:
            assert ask.kind in loose or f"lanes.{ask.lane}" in lanes or _any_undeclared(found), ask


def _any_undeclared(found: tuple[Difference, ...]) -> bool:
    return any("what is not declared" in one.text for one in found if one.direction is LOOSER)


@settings(max_examples=60, deadline=None)
@given(pairs())
def test_every_example_is_true(both: tuple[Policy, Policy]) -> None:
    """What is said of an example is what the two policies decide about it, that way round."""
    old, new = both
    before, after = compile_policy(old), compile_policy(new)
    for one in compare(old, new):
        if one.ask is None:
            continue
        assert (before.decide(one.ask), after.decide(one.ask)) == (one.before, one.after)
        assert direction_of(before.decide(one.ask), after.decide(one.ask)) is one.direction


COMPARED: Final = {
    "Policy": "accumulation assignment attention caps clocks digest kinds lane_order lanes limits"
    " name passkeys version",
    "KindRule": "bands checks cleared facts guard kind",
    "ActionKind": "axes catchable connector name needs params runs_in_agent title undo value"
    " value_from_connector",
    "Param": "chars_max choices name required type",
    "CheckRule": "agent name otherwise require reviewer",
    "Cleared": "bands guard when",
    "LaneRule": "agents any_customer connectors kinds name",
    "CapRule": "currency distinct halts_agent kinds limit name scope when_full window_ms",
    "Accumulation": "bunching currency margin rates weights window_ms",
    "Band": "grade guard up_to_minor",
    "Guard": "checkers control",
    "Axes": "blast_radius reversibility stakes",
}
"""Every field that the comparison knows of; clocks and limits are walked by name."""


@pytest.mark.parametrize(
    "shape",
    [
        *(Policy, KindRule, ActionKind, Param, CheckRule, Cleared, LaneRule),
        *(CapRule, Accumulation, Band, Guard, Axes),
    ],
)
def test_no_setting_is_passed_over(shape: type[msgspec.Struct]) -> None:
    """N2: a field that is new in a policy has to be compared before it stands here."""
    assert " ".join(sorted(shape.__struct_fields__)) == COMPARED[shape.__name__]


def test_each_clock_says_which_way_it_goes() -> None:
    """A clock that is not listed counts as looser either way, which is safe and tells nobody."""
    assert {f"{name}_ms" for name in LONGER_IS} == set(Clocks.__struct_fields__)
