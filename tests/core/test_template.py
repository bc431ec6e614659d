"""Placeholders that nobody filled in, and what only looks like one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.template import MARKERS_MAX, unresolved_markers

# text | what is marked
LEFT = """
Write to {{customer.email}} please     | {{customer.email}}
Dear {{ first_name }},                 | {{ first_name }}
{{{raw}}} at the start                 | {{raw}}
{% if paid %}Thanks{% endif %}         | {% if paid %} {% endif %}
Dear ${name}, your ${ order.id }       | ${name} ${ order.id }
Dear #{name}                           | #{name}
Dear {first_name}                      | {first_name}
Dear %NAME%, see %%ORDER_ID%%          | %NAME% %%ORDER_ID%%
Dear %(name)s                          | %(name)s
Dear <<Customer Name>>                 | <<Customer Name>>
Dear <customer name>,                  | <customer name>
Dear <YOUR_NAME>                       | <YOUR_NAME>
Dear [[name]]                          | [[name]]
Call [INSERT PHONE NUMBER] now         | [INSERT PHONE NUMBER]
Regards, [Your Name]                   | [Your Name]
Dear [CUSTOMER NAME]                   | [CUSTOMER NAME]
Dear [name]                            | [name]
See [order number]                     | [order number]
[TODO: check this]                     | [TODO: check this]
"""

HONEST = [
    "We refund 100% of it, 50% now and 50% later",
    "20% OFF and 30% ON TOP, 5%!",
    "a < b and b > c",
    "<b>bold</b> and <br>",
    "see [your order](https://shop.example/orders) for more",
    "[URGENT] from the customer",
    "footnote [1], [2] and [sic]",
    '{"json": true}',
    "{ }",
    "if (x) { return; }",
    "a smile :-} and {",
    "$5 {and some}",
    "1 << 2 >> 1",
    "<<<<<<< HEAD",
    "100%",
    "%20%2F",
    "",
]


@pytest.mark.parametrize("row", LEFT.strip().splitlines())
def test_what_was_left_is_marked(row: str) -> None:
    """A4: each usual form of placeholder is found, where it stands."""
    text, _, wanted = (part.strip() for part in row.rpartition("|"))
    marks = unresolved_markers(text)
    assert " ".join(text[mark.start : mark.end] for mark in marks) == wanted
    assert [mark.what for mark in marks] == [text[mark.start : mark.end] for mark in marks]


@pytest.mark.parametrize("text", HONEST)
def test_what_is_meant_is_not(text: str) -> None:
    """A percentage, a link, a tag or a footnote holds nothing up."""
    assert unresolved_markers(text) == ()


@given(st.text(alphabet="{}[]<>%$# aN_.\n", max_size=300))
def test_marks_are_in_order_and_inside(text: str) -> None:
    """They never overlap, and each is a part of the text."""
    marks = unresolved_markers(text)
    ends = [0, *(mark.end for mark in marks)]
    assert all(end <= mark.start < mark.end for end, mark in zip(ends, marks, strict=False))
    assert not marks or marks[-1].end <= len(text)


@pytest.mark.parametrize("piece", ["{{", "[[", "<<", "${", "[A ", "%A", "{a", "[insert ", "<your "])
def test_no_text_is_slow(piece: str) -> None:
    """A hundred thousand characters of beginnings without an end take well under a second."""
    text = piece * (100_000 // len(piece))
    start = time.perf_counter()
    unresolved_markers(text)
    assert time.perf_counter() - start < 1.0


def test_so_many_are_named() -> None:
    """The list ends; a long one is not shown in full."""
    assert len(unresolved_markers("{{a}} " * 500)) == MARKERS_MAX
    assert unresolved_markers("{{" + "a" * 100 + "}}")[0].what == "a long placeholder"
