"""C8: amounts just below a limit: the exact test, against fractions and a table."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.core.bunching import is_bunched, is_near

# near | counted | baseline in percent | too many
TABLE: Final = """
0     0     40  no
7     7     40  no
8     8     40  yes
16    20    40  yes
15    20    40  no
500   1000  40  yes
400   1000  40  no
440   1000  40  no
450   1000  40  yes
50000 100000 40 yes
40100 100000 40 no
1000  1000  99  yes
20    20    99  no
1     1     1   no
2     2     1   yes
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines())
def test_what_is_too_many(row: str) -> None:
    """C8: beyond chance, at one in a thousand; a few prove nothing."""
    near, counted, percent, bunched = row.split()
    assert is_bunched(int(near), int(counted), int(percent)) is (bunched == "yes")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 99))
def test_against_the_sum_of_fractions(near: int, more: int, percent: int) -> None:
    """C8: the same as the tail of the binomial distribution, summed with exact fractions."""
    counted, p = near + more, Fraction(percent, 100)
    tail = sum(comb(counted, i) * p**i * (1 - p) ** (counted - i) for i in range(near, counted + 1))
    above = near * 100 > percent * counted
    assert is_bunched(near, counted, percent) is (above and tail < Fraction(1, 1000))


@pytest.mark.parametrize(
    ("minor", "near"), [(3999, False), (4000, True), (5000, True), (5001, False), (0, False)]
)
def test_the_fifth_below_a_limit(minor: int, near: bool) -> None:
    """From four fifths of the limit to the limit itself."""
    assert is_near(minor, 5000) is near
