"""The macros of the embedded desk: filled by its own records, and refused when there are none."""

from __future__ import annotations

import pytest

from handrail.connectors.protocol import Macros
from handrail.connectors.sandbox import Sandbox
from handrail.connectors.sandbox.macros import MACROS
from handrail.errors import InvalidInput
from tests.connectors.sandbox_road import act, prepare

REPLY = {"ticket": "T-105", "body": "Hello Tom, soon."}


@pytest.mark.parametrize("macro", [one.id for one in MACROS])
def test_every_macro_is_filled_in(desk: Sandbox, macro: str) -> None:
    """No placeholder is left on a ticket; without one the text stays as it is written."""
    assert isinstance(desk, Macros)
    found = desk.macro(macro, {"ticket": "T-105"})
    assert found.text.startswith("Hello Tom,")
    assert "{{" not in found.text
    assert desk.macro(macro, {"ticket": "T-999"}) == {one.id: one for one in MACROS}[macro]


@pytest.mark.parametrize("kind", ["reply.send", "reply.draft"])
def test_a_reply_names_its_macro(desk: Sandbox, kind: str) -> None:
    """It is in the request and on a line of its own, and changes nothing else of the message."""
    named = prepare(desk, kind, {**REPLY, "macro": "M-01"})
    assert named.request == {**prepare(desk, kind, REPLY).request, "macro": "M-01"}
    lines = {line.label: line.text for line in desk.preview(kind, named.request)}
    assert lines["Written from macro"] == "M-01"
    act(desk, kind, {**REPLY, "macro": "M-01"}, "k")
    with pytest.raises(InvalidInput, match="no macro `M-99`") as refusal:
        prepare(desk, kind, {**REPLY, "macro": "M-99"})
    assert refusal.value.code == "subject_unknown"


def test_a_macro_that_is_not_there(desk: Sandbox) -> None:
    """Asking for it is refused by name."""
    with pytest.raises(InvalidInput, match="`M-99`") as refusal:
        desk.macro("M-99", {"ticket": "T-105"})
    assert refusal.value.code == "subject_unknown"
