"""What adds up: whole numbers, pinned rates, rounded up, and unknown is never little."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.accumulation import Accumulation
from handrail.core.money import EXPONENTS, MINOR_MAX, Money

KIND: Final = "refund.issue"
HALF: Final = "voucher.send"
ADDS: Final = Accumulation(
    window_ms=1,
    currency="USD",
    weights={KIND: 100, HALF: 50, "gift.card": 150},
    rates={"EUR": 1_100_000_000, "JPY": 6_700_000, "KWD": 3_250_000_000},
    margin=5,
)

# kind | value | worth in cents
WORTH: Final = """
refund.issue | 49.00 USD | 4900
voucher.send | 49.00 USD | 2450
voucher.send | 0.01 USD  | 1
gift.card    | 10.00 USD | 1500
refund.issue | 10.00 EUR | 1155
refund.issue | 0.01 EUR  | 2
refund.issue | 1000 JPY  | 704
refund.issue | 1.000 KWD | 342
refund.issue | 1.00 CHF  | 1000000000000000
refund.issue | unknown   | 1000000000000000
"""

# kind | value | earlier in cents | together
TOGETHER: Final = """
refund.issue | 10.00 USD | 4000 | 50.00 USD
voucher.send | 10.00 USD | 4000 | 45.00 USD
refund.issue | 10.00 EUR | 1100 | 20.00 EUR
refund.issue | 10.00 EUR | 1101 | 20.01 EUR
refund.issue | 100 JPY   | 670  | 1100 JPY
refund.issue | 10.00 CHF | 0    | 10000000000000.00 CHF
refund.issue | 1.00 USD  | 1000000000000000 | 10000000000000.00 USD
"""


@pytest.mark.parametrize("row", WORTH.strip().splitlines())
def test_what_an_action_adds(row: str) -> None:
    """C6, C7: by the weight of its kind, at the pinned rate and the margin, rounded up."""
    kind, value, worth = (part.strip() for part in row.split("|"))
    money = None if value == "unknown" else Money.parse(value)
    assert ADDS.worth(kind, money) == int(worth)


@pytest.mark.parametrize("row", TOGETHER.strip().splitlines())
def test_what_the_bands_look_at(row: str) -> None:
    """C6: the sum in the currency of the action; without a rate it is above every limit."""
    kind, value, earlier, together = (part.strip() for part in row.split("|"))
    assert ADDS.with_earlier(kind, Money.parse(value), int(earlier)) == Money.parse(together)


@given(
    minor=st.integers(0, MINOR_MAX),
    currency=st.sampled_from(sorted(EXPONENTS)),
    rate=st.integers(1, 10**15),
    margin=st.integers(0, 100),
    weight=st.integers(1, 1000),
)
def test_against_exact_fractions(
    minor: int, currency: str, rate: int, margin: int, weight: int
) -> None:
    """G7: the same as with fractions of any size, rounded up once, and never above the most."""
    adds = Accumulation(
        window_ms=1, currency="USD", weights={KIND: weight}, rates={currency: rate}, margin=margin
    )
    exact = Fraction(minor * weight, 100)
    if currency != "USD":
        exact *= Fraction(rate, 10**9) * Fraction(100 + margin, 100)
        exact *= Fraction(10 ** EXPONENTS["USD"], 10 ** EXPONENTS[currency])
    found = adds.worth(KIND, Money(minor=minor, currency=currency))
    assert found == min(MINOR_MAX, -(-exact.numerator // exact.denominator))
    total = adds.with_earlier(KIND, Money(minor=minor, currency=currency), found)
    assert total.minor >= min(MINOR_MAX, minor * weight // 100)


@given(st.integers(0, MINOR_MAX), st.integers(0, MINOR_MAX), st.integers(0, MINOR_MAX))
def test_more_before_is_never_less_together(minor: int, earlier: int, more: int) -> None:
    """C1: the sum only ever rises with what was before."""
    value = Money(minor=minor, currency="EUR")
    less = ADDS.with_earlier(KIND, value, min(earlier, more))
    assert less.minor <= ADDS.with_earlier(KIND, value, max(earlier, more)).minor
