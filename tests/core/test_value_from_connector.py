"""Money that the connector tells: what is decided when it does, and when it cannot."""

from __future__ import annotations

import pytest

from handrail.core.action import ActionKind, Param, ParamType
from handrail.core.decide import Ask, compile_policy
from handrail.core.grade import Axes, Grade
from handrail.core.money import Money
from handrail.core.policy import Band, Control, Guard, KindRule, Policy
from handrail.errors import PolicyInvalid

RUN = Guard(control=Control.RUN_AND_LOG)
BANDS: dict[str, tuple[Band, ...]] = {
    "USD": (
        Band(up_to_minor=5000, grade=Grade.G1, guard=RUN),
        Band(up_to_minor=None, grade=Grade.G2, guard=Guard(control=Control.APPROVE)),
    )
}
AMOUNT = Param(name="amount", type=ParamType.MONEY)

# bands? | the kind's guard | cents | control, checkers, grade | reason
DECIDED = """
bands  run_and_log   0     run_and_log    0  G1  value_band
bands  run_and_log   5000  run_and_log    0  G1  value_band
bands  run_and_log   5001  approve        0  G2  value_band
bands  run_and_log   -     maker_checker  2  G3  value_unknown
plain  run_and_log   0     run_and_log    0  G1  kind_default
plain  run_and_log   9999  run_and_log    0  G1  kind_default
plain  run_and_log   -     maker_checker  2  G3  value_unknown
plain  escalate      -     escalate       0  G3  value_unknown
"""


def _policy(*, bands: bool, control: str, params: tuple[Param, ...] = ()) -> Policy:
    kind = ActionKind(
        name="order.cancel",
        title="Cancel an order",
        connector="shop",
        axes=Axes(reversibility=1, blast_radius=1, stakes=1),
        params=params,
        value="amount" if params else None,
        value_from_connector=True,
    )
    guard = Guard(control=Control(control))
    rule = KindRule(kind=kind, guard=guard, bands=BANDS if bands else {})
    return Policy(name="p", version=1, kinds={"order.cancel": rule}, lanes={})


@pytest.mark.parametrize("row", DECIDED.strip().splitlines())
def test_nothing_is_the_first_band_and_unknown_the_strictest(row: str) -> None:
    """Zero and unknown are never the same, with bands and without."""
    form, control, cents, decided, checkers, grade, reason = row.split()
    policy = _policy(bands=form == "bands", control=control)
    value = None if cents == "-" else Money(minor=int(cents), currency="USD")
    decision = compile_policy(policy).decide(Ask(kind="order.cancel", lane=None, value=value))
    assert decision.guard == Guard(control=Control(decided), checkers=int(checkers))
    assert decision.grade is Grade[grade]
    assert [one.code.value for one in decision.reasons] == [reason]


def test_an_amount_that_is_stated_as_well_may_not_be_left_out() -> None:
    """The connector knows it too, but whoever proposes still has to say what they want."""
    left_out = Param(name="amount", type=ParamType.MONEY, required=False)
    compile_policy(_policy(bands=True, control="run_and_log", params=(AMOUNT,)))
    with pytest.raises(PolicyInvalid, match="required money parameter"):
        compile_policy(_policy(bands=True, control="run_and_log", params=(left_out,)))
