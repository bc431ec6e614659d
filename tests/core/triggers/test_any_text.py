"""Whatever the text: a look ends, never raises, and says where."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.text import hidden_marks
from handrail.core.triggers.find import ANY, counts_of, pressure_of, spans_in
from handrail.core.triggers.personal import is_luhn
from handrail.core.triggers.span import SPANS_MAX, Trigger, folded
from tests.core.triggers.known import DANA, NOBODY, found

ANY_CHARACTER: Final = st.characters(exclude_categories=())
PIECES: Final = st.lists(
    st.sampled_from(
        "$ € 50 1,000 1.000,00 4242 DE89 3704 + ( ) [ ]( http:// xn-- @ a.com bob evil.test Dear Hi"
        " , Maria O- 5003 we will within days by tomorrow [internal note {{ }} \u202e \u200b \u0130"
        " ﬁ ß 月 \U0001f468 \ud800 <a href= > ' \u2019 \n % - / : . `".split(" ")
    ),
    max_size=40,
).map("".join)


@given(st.text(ANY_CHARACTER, max_size=300) | PIECES)
def test_spans_are_parts_of_the_text(text: str) -> None:
    """In order, inside the text, never empty, with a phrase on one line; nothing raises."""
    for about in (DANA, NOBODY):
        spans = spans_in(text, about)
        assert list(spans) == sorted(spans, key=lambda one: (one.start, one.end))
        for one in spans:
            assert 0 <= one.start < one.end <= len(text)
            assert one.what
            assert "\n" not in one.what
    for one in pressure_of(text):
        assert 0 <= one.start < one.end <= len(text)


@given(st.text(ANY_CHARACTER, max_size=300))
def test_folding_keeps_places(text: str) -> None:
    """Every character stays where it is, also one whose small letter is two."""
    assert len(folded(text)) == len(text)


@given(st.text(ANY_CHARACTER, max_size=200))
def test_what_hides_is_found_as_it_is_shown(text: str) -> None:
    """B1, B2: the very marks of `core.text`, none written twice."""
    marks = [(mark.start, mark.end) for mark in hidden_marks(text)]
    spans = [
        (one.start, one.end) for one in spans_in(text, NOBODY) if one.trigger is Trigger.HIDDEN
    ]
    assert spans == marks


@given(st.integers(2 * 10**14, 7 * 10**14 - 1), st.sampled_from(["", " ", "-"]))
def test_every_card_is_found(first: int, joint: str) -> None:
    """Sixteen digits with the right last one, in groups of four however they are joined."""
    number = next(f"{first}{last}" for last in range(10) if is_luhn(f"{first}{last}"))
    groups = [number[at : at + 4] for at in range(0, len(number), 4)]
    written = joint.join(groups)
    assert found(f"card {written}, thanks", Trigger.CARD) == [written]


@given(st.text("ab 12$.,@:/-[]()\n", max_size=60), st.text("ab 12$.,@:/-[]()\n", max_size=60))
def test_more_text_on_another_line_hides_nothing(text: str, more: str) -> None:
    """A promise at the end is found, whatever stands before and behind it."""
    spoken = f"{text}\nwe will do it by tomorrow\n{more}"
    assert "we will" in found(spoken, Trigger.PROMISE)
    assert "by tomorrow" in found(spoken, Trigger.DATE)


def test_a_promise_behind_twenty_screens() -> None:
    """B9: what stands at the end of a long message is lifted out, with its place."""
    filler = "Please hold the button for a moment and look whether the light comes on.\n" * 400
    text = f"{filler}P.S. we will refund 500.00 USD"
    spans = spans_in(text, NOBODY)
    assert [text[one.start : one.end] for one in spans] == ["we will", "500.00 USD"]
    assert spans[0].start == len(filler) + len("P.S. ")


ENDLESS: Final = [
    *(
        "a",
        "1",
        "1 ",
        "4 ",
        "1-",
        "$1 ",
        "1,",
        "1.",
        "a.",
        "a-",
        "@",
        "a@",
        "a@b",
        "[",
        "[a](",
        "](",
    ),
    *(
        "<a ",
        "<a href=",
        "://",
        "http://",
        "www.",
        "%",
        "(",
        "+1",
        "+1 ",
        "do not ",
        "we will",
        "we ",
    ),
    *(
        "in a few ",
        "one ",
        "and ",
        "\nhello ",
        "o-",
        "o-1",
        "internal ",
        "\u4e00",
        "\u200b",
        "xn--",
    ),
    *("de89", "de89 ", "by ", "refund ", "a b c d e f g h ", "\n", "\t", "call 1", "{{", "' ", "`"),
]


@pytest.mark.parametrize("piece", ENDLESS)
def test_no_text_is_endless(piece: str) -> None:
    """A hundred thousand characters of beginnings without an end come to an end."""
    spans = spans_in(piece * (100_000 // len(piece)), DANA)
    for trigger in Trigger:
        assert sum(one.trigger is trigger for one in spans) <= 2 * SPANS_MAX


def test_counts() -> None:
    """One number a trigger, zeros included, and their sum; the note's trigger is not among them."""
    counts = counts_of(spans_in("Dear Maria, we will refund $50 and $60", NOBODY))
    assert counts[ANY] == 4
    assert (counts["money"], counts["promise"], counts["wrong_name"]) == (2, 1, 1)
    assert set(counts) == {ANY, *(one.value for one in Trigger)} - {Trigger.PRESSURE.value}
    assert sum(counts.values()) == 2 * counts[ANY]
    assert set(counts_of(()).values()) == {0}
