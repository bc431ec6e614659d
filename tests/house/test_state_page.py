"""The states page draws what the code does, edge by edge."""

from __future__ import annotations

from pathlib import Path

from handrail.core.lifecycle import TRANSITIONS
from tools.state_diagram import diagram

PAGE = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_page_holds_the_generated_diagram() -> None:
    """The diagram in docs/states.md is the one that `tools/state_diagram.py` prints."""
    assert diagram() in PAGE.read_text()


def test_the_page_has_a_sentence_for_every_edge() -> None:
    """Each edge has its own row in the table of edges."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    described = {tuple(cell.strip(" `") for cell in row.split("|")[1:4]) for row in rows}
    for (before, event), after in TRANSITIONS.items():
        assert (before.value, event.value, after.value) in described
