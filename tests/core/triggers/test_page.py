"""The page `docs/replies.md`: every trigger has a row, and every example sets it off."""

from __future__ import annotations

import re
from typing import Final

import pytest

from handrail.core.triggers.find import pressure_of, spans_in
from handrail.core.triggers.span import Trigger
from tests.core.triggers.known import DANA
from tests.house.repo import ROOT

_ROW: Final = re.compile(r"\| `([a-z_]+)` \| .+ \| (.+) \|")
ROWS: Final = _ROW.findall((ROOT / "docs/replies.md").read_text())


def test_every_trigger_is_on_the_page() -> None:
    """Each once, in the order of the code."""
    assert [name for name, _ in ROWS] == [trigger.value for trigger in Trigger]


@pytest.mark.parametrize(("name", "examples"), ROWS)
def test_every_example_sets_it_off(name: str, examples: str) -> None:
    """What the page shows is what is found."""
    shown = re.findall("`([^`]+)`", examples)
    assert shown
    for example in shown:
        spans = pressure_of(example) if name == "pressure" else spans_in(example, DANA)
        assert Trigger(name) in {one.trigger for one in spans}, example
