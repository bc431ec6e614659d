"""Reciprocity as a count: who approves whom, against what chance would give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handrail.prove.reciprocity import Approval, pairs_of


def said(text: str) -> list[Approval]:
    """Approvals as `maker>checker`, with how often: `a>b*3 b>a`."""
    found = []
    for word in text.split():
        pair, _, times = word.partition("*")
        maker, checker = pair.split(">")
        found += [Approval(makers=frozenset({maker}), checker=checker)] * int(times or 1)
    return found


# approvals | the pair on top, there, back, whether it is remarkable
TABLE = """
a>b*9 b>a*9 c>d*9 d>c*9 a>c b>d  | a b 9 9 yes
a>b*2 b>a*2                      | a b 2 2 no
a>b*9                            | a b 9 0 no
a>b*3 a>c*3 b>a*3 b>c*3 c>a*3 c>b*3 | a b 3 3 no
"""


def test_pairs() -> None:
    """D9: often, and far above chance, both at once."""
    for row in TABLE.strip().splitlines():
        text, expected = row.split("|")
        one, other, there, back, remarkable = expected.split()
        top = pairs_of(said(text))[0]
        assert (top.one, top.other, top.there, top.back) == (one, other, int(there), int(back)), row
        assert top.remarkable is (remarkable == "yes"), row


def test_nothing_said_is_nothing_found() -> None:
    """A desk without approvals has no pairs; nobody is a pair with themselves."""
    assert pairs_of([]) == []
    assert pairs_of(said("a>a*9")) == []


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=40))
def test_every_approval_between_two_is_in_one_pair(rows: list[tuple[str, str]]) -> None:
    """The counts add up, and no order of the rows matters."""
    approvals = [Approval(makers=frozenset({maker}), checker=checker) for maker, checker in rows]
    pairs = pairs_of(approvals)
    assert sum(pair.there + pair.back for pair in pairs) == sum(a != b for a, b in rows)
    assert pairs_of(reversed(approvals)) == pairs
