"""What differs between two texts, word by word: exact, literal, and not by colour alone."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.surfaces.console.text.diffs import diff_markup
from handrail.surfaces.console.text.wording import Side, reworded

WORDS = st.text(alphabet="ab \n.\u202e<", max_size=60)
MARKS = {Side.BOTH: "{}", Side.BEFORE: "[-{}-]", Side.NOW: "{{+{}+}}"}

# before | now | the difference
CHANGED = """
pay 120.00 USD now     | pay 210.00 USD now      | pay [-120.00 -]{+210.00 +}USD now
we may refund it       | we will refund it       | we [-may -]{+will +}refund it
hello                  | hello there             | [-hello-]{+hello there+}
one two three          | one three               | one [-two -]three
same                   | same                    | same
"""


def drawn(before: str, now: str) -> str:
    """The difference as plain text."""
    return "".join(MARKS[one.side].format(one.text) for one in reworded(before, now))


@pytest.mark.parametrize("row", CHANGED.strip().splitlines())
def test_word_by_word(row: str) -> None:
    """B7: a transposed digit is a changed word, and stands out as one."""
    before, now, said = (part.strip() for part in row.split(" | "))
    assert drawn(before, now) == said


@given(WORDS, WORDS)
def test_nothing_is_left_out(before: str, now: str) -> None:
    """Both texts can be put together again from the stretches, to the character."""
    found = reworded(before, now)
    assert "".join(one.text for one in found if one.side is not Side.BEFORE) == now
    assert "".join(one.text for one in found if one.side is not Side.NOW) == before
    assert all(one.text for one in found)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("a " * 50_000, "a b " * 25_000),
        ("x" * 100_000, "y" * 100_000),
        ("a\n" * 9_000, "b a\n" * 9_000),
    ],
    ids=["repeating", "one word", "lines"],
)
def test_a_text_that_repeats_itself_holds_nothing_up(before: str, now: str) -> None:
    """An agent's text of full length is compared as a whole rather than for minutes."""
    began = time.process_time()
    found = reworded(before, now)
    assert time.process_time() - began < 20
    assert "".join(one.text for one in found if one.side is not Side.BEFORE) == now


def test_marks_are_literal_and_are_said() -> None:
    """B1: what hides in a word is a token there too; a screen reader hears what was added."""
    shown = str(diff_markup("pay <b>\u202e5</b> now", "pay nothing now"))
    assert re.search(r"<del><span class=\"unseen\">removed: </span>nothing </del>", shown)
    assert '<ins><span class="unseen">added: </span>&lt;b&gt;' in shown
    assert "[U+202E]" in shown
    assert "\u202e" not in shown
