"""What is checked of corrections can fail: break one part, and its check trips, with the seed."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from handrail.engine.deciding import edit
from handrail.engine.proposing import propose
from tests.sim import people
from tests.sim.breaking import broken
from tests.sim.rules import PEOPLE


def test_an_edit_that_raises_an_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one who corrects asks for more money than the agent did."""
    monkeypatch.setattr(edit, "_check_value", lambda before, after: None)
    assert re.match("I4 .*is worth more than .*, which it corrects", broken())


def test_an_edit_that_nobody_is_a_maker_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wrote the text that is sent approves it as well."""
    draft = edit._draft

    def nobodys(*given: Any, **more: Any) -> Any:
        return msgspec.structs.replace(draft(*given, **more), lowers=True)

    monkeypatch.setattr(edit, "_draft", nobodys)
    # So few review that somebody soon meets what they have corrected themselves.
    few = ("bea", "rita", "rita-2", "ada", "boss")
    monkeypatch.setattr(people, "PEOPLE", {name: PEOPLE[name] for name in few})
    assert re.match("I4 .*was approved by .*, one of its makers", broken())


def test_an_edit_that_sheds_its_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lower amount is decided as if nobody had asked for the higher one."""
    monkeypatch.setattr(propose, "at_least", lambda decision, replaced: decision)
    assert re.match("I4 .*less of a guard than .*, which it corrects", broken())
