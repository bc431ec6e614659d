"""Amounts in words, and from where on they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.money import EXPONENTS, MINOR_MAX, Money
from handrail.core.spelling import needs_words, spelled
from handrail.core.triggers.figures import spelled_out
from tests.engine.stories import pack

SAID = """
1240.50 USD     one thousand two hundred forty USD and 50/100
5000.00 USD     five thousand USD
5000 JPY        five thousand JPY
1000.000 KWD    one thousand KWD
1.250 KWD       one KWD and 250/1000
0.05 EUR        zero EUR and 05/100
1000.0001 CLF   one thousand CLF and 0001/10000
21.00 GBP       twenty-one GBP
13.00 GBP       thirteen GBP
900.00 GBP      nine hundred GBP
1000001.00 GBP  one million one GBP
"""

# kind, amount | whether words are shown: USD has bands up to 5000.00
SHOWN = """
refund.issue   5000.00 USD  no
refund.issue   5000.01 USD  yes
refund.issue   1.00 USD     no
refund.issue   1.00 SEK     yes
"""


@pytest.mark.parametrize("row", SAID.strip().splitlines())
def test_an_amount_in_words(row: str) -> None:
    """B7: currencies with two decimals, with none, with three and with four."""
    number, currency, *words = row.split()
    assert spelled(Money.parse(f"{number} {currency}")) == " ".join(words)


@given(st.integers(0, MINOR_MAX), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_the_words_say_the_amount(minor: int, currency: str) -> None:
    """B7: read back by the reader of amounts in messages, up to what it knows, it is the same."""
    said = spelled(Money(minor=minor, currency=currency))
    words, _, rest = said.partition(f" {currency}")
    unit = 10 ** EXPONENTS[currency]
    part = int(rest.removeprefix(" and ").partition("/")[0]) if rest else 0
    if minor // unit < 10**9:
        assert spelled_out(words) == minor // unit
    assert part == minor % unit


@pytest.mark.parametrize("row", SHOWN.strip().splitlines())
def test_words_from_the_top_band_on(row: str) -> None:
    """Above the last limit of the kind, and where the policy knows no bands for the currency."""
    kind, number, currency, shown = row.split()
    rule = pack().kinds[kind]
    assert needs_words(rule, Money.parse(f"{number} {currency}")) is (shown == "yes")


def test_a_kind_without_bands_draws_no_line() -> None:
    """Nothing is crossed there; of a kind that nobody knows, everything is."""
    money = Money.parse("9.00 USD")
    assert not needs_words(pack().kinds["reply.send"], money)
    assert needs_words(None, money)
