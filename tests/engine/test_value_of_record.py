"""How much money an action moves: what is stated, what the system of record says, and caps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

import handrail
from handrail.connectors.protocol import (
    Capability,
    Found,
    Looked,
    Prepared,
    Promise,
    Receipt,
    Reversal,
)
from handrail.core.action import Params
from handrail.core.artifact import Line
from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.policy import Control
from handrail.errors import InvalidInput
from handrail.policy.loader import load_text
from handrail.surfaces.embedded import Action, Desk

POLICY: Final = """\
policy: p
version: 1
lanes: {all: {kinds: "*"}}
caps: {per-day: {scope: desk, money: 80.00 USD, window: 1d, kinds: [cancel]}}
kinds:
  cancel:
    title: Cancel
    connector: till
    axes: {reversibility: 1, blast_radius: 1, stakes: 1}
    PARAMS
    bands:
      USD:
        - {up_to: "50.00", grade: G1, control: run_and_log}
        - {grade: G2, control: approve}
"""
STATED: Final = "params: {amount: {type: money}}\n    value: amount"
RECORDED: Final = "value_from: connector"
BOTH: Final = f"{STATED}\n    {RECORDED}"


class Till:
    """A system of record that knows what one action moves, or does not."""

    name = "till"
    version = "1"

    def __init__(self, value: Money | None) -> None:
        self.value = value

    def kinds(self) -> Mapping[str, Capability]:
        """One kind, served under our keys."""
        return {"cancel": Capability(kind="cancel", promise=Promise.KEYED)}

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        """What is known about it."""
        return Prepared(customer=None, request={"tool": kind}, value=self.value)

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        """The name of what is done."""
        return [Line(label="tool", text=kind)]

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        """It always works."""
        return Receipt()

    def lookup(self, kind: str, key: str) -> Found:
        """Nothing was ever lost."""
        return Found(looked=Looked.NOT_DONE)

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        """Nothing is undone here."""
        raise InvalidInput("undo_unavailable", "nothing is undone here")


def desk_with(folder: Path, params: str, till: Till) -> Desk:
    """A desk in front of the till."""
    policy = load_text(POLICY.replace("PARAMS", params), source="p")
    return handrail.open(folder, policy=policy, connectors={"till": till})


def proposed(desk: Desk, stated: str) -> Action:
    """A cancellation, with the amount that the agent states, if it states one."""
    task = desk.task()
    return desk.propose(task, "cancel", {} if stated == "-" else {"amount": stated})


def money(text: str) -> Money | None:
    """`-` for unknown, and zero, which nobody can ask for, as the till says it."""
    if text == "-":
        return None
    amount, currency = text.split()
    return Money(minor=int(amount.replace(".", "")), currency=currency)


# policy | the agent states | the record says | control | value of the proposal
VALUES = """
stated    40.00 USD  -          run_and_log    40.00 USD
stated    60.00 USD  -          approve        60.00 USD
stated    40.00 USD  60.00 USD  approve        60.00 USD
stated    60.00 USD  40.00 USD  approve        60.00 USD
recorded  -          40.00 USD  run_and_log    40.00 USD
recorded  -          60.00 USD  approve        60.00 USD
recorded  -          0.00 USD   run_and_log    0.00 USD
recorded  -          -          maker_checker  -
both      40.00 USD  60.00 USD  approve        60.00 USD
both      60.00 USD  0.00 USD   approve        60.00 USD
both      40.00 USD  -          maker_checker  -
"""


@pytest.mark.parametrize("row", VALUES.strip().splitlines())
def test_what_an_action_is_worth(tmp_path: Path, row: str) -> None:
    """The higher of the two counts, and unknown is never small."""
    form, stated, recorded, control, worth = re.split(r"\s{2,}", row)
    params = {"stated": STATED, "recorded": RECORDED, "both": BOTH}[form]
    with desk_with(tmp_path, params, Till(money(recorded))) as desk:
        action = proposed(desk, stated)
        proposal = desk.ctx.store.read(lambda tx: tx.proposals.get(desk.id, action.id))
    assert proposal is not None
    assert (proposal.control, proposal.value) == (Control(control), money(worth))


def test_caps_count_what_the_record_says(tmp_path: Path) -> None:
    """An action without an amount of its own fills a money cap all the same."""
    with desk_with(tmp_path, RECORDED, Till(Money(minor=4500, currency="USD"))) as desk:
        states = [proposed(desk, "-").state for _ in range(2)]
    assert states == [State.SUCCEEDED, State.REFUSED]


def test_two_currencies_are_a_mistake(tmp_path: Path) -> None:
    """Euros are stated where the record moves dollars: nothing is decided, the caller is told."""
    with (
        desk_with(tmp_path, STATED, Till(Money(minor=1, currency="USD"))) as desk,
        pytest.raises(InvalidInput, match="money_mixed_currency"),
    ):
        proposed(desk, "1.00 EUR")
