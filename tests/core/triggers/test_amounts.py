"""Amounts of money: how they are written, how they can be read, and what contradicts the record."""

from __future__ import annotations

from typing import Final

import pytest

from handrail.core.money import Money
from handrail.core.triggers.figures import minor_readings, spelled_out
from handrail.core.triggers.span import About, Trigger
from tests.core.triggers.known import DANA, NOBODY, found, rows, said

# text | what is marked
MARKED: Final = """
I refund $50 now                       | $50
50 dollars are yours                   | 50 dollars
50~dollars are yours                   | 50~dollars
fifty~dollars are yours                | fifty~dollars
and a hundred euros                    | and a hundred euros
we send 1,000.00 USD                   | 1,000.00 USD
we send USD 1,000.00 today             | USD 1,000.00
1.000,00 € to you                      | 1.000,00 €
50,- EUR                               | 50,- EUR
US$5k                                  | US$5k
£1.2m                                  | £1.2m
¥1000                                  | ¥1000
500元                                  | 500元
4800 円                                | 4800 円
1'000.00 CHF                           | 1'000.00 CHF
1’000.00 CHF                           | 1’000.00 CHF
1 000,00 €                             | 1 000,00 €
₹1,00,000                              | ₹1,00,000
Rs. 500                                | Rs. 500
99 cents                               | 99 cents
99¢                                    | 99¢
＄５０ in wide digits                   | ＄５０
fifty dollars                          | fifty dollars
two hundred and fifty pounds           | two hundred and fifty pounds
a refund of 50.00 to your card         | 50.00
$100-$200                              | $100 $200
ALL 50.00                              | ALL 50.00
50 usd                                 | 50 usd
5 thousand euros                       | 5 thousand euros
"""

PLAIN: Final = """
50% off everything
ALL 50 orders and TRY 5 times
the TOP 10 of 2025
version 2.10 of the app
order O-5003 and ticket 5550123456
at 10.30 am
3 cups, 2 tops and 4 pens
it weighs 12.50 kg
a rating of 4.50
5 ft long
half a dollar sign: $
a refund in 2 days
one and two and three
"""


@pytest.mark.parametrize(("text", "wanted"), rows(MARKED))
def test_money_is_marked(text: str, wanted: str) -> None:
    """B9: an amount is marked however it is written."""
    assert " ".join(found(text, Trigger.MONEY, about=NOBODY)) == wanted


@pytest.mark.parametrize("text", PLAIN.strip().splitlines())
def test_other_numbers_are_not(text: str) -> None:
    """A percentage, an order, a version, a length or a time of day is not money."""
    assert found(text, Trigger.MONEY, about=NOBODY) == []


# text | how it can be read
READ: Final = """
1,000 USD    | an amount of money: 1000.00 USD
1.000 USD    | an amount of money that can be read as 1000.00 USD or as 1.00 USD
1.000,00 USD | an amount of money: 1000.00 USD
1.000 KWD    | an amount of money that can be read as 1.000 KWD or as 1000.000 KWD
1.000 JPY    | an amount of money: 1000 JPY
4800 JPY     | an amount of money: 4800 JPY
48.50 JPY    | an amount of money that cannot be read as one
¥1000        | an amount of money that can be read as 1000 JPY or as 1000.00 CNY
1000元       | an amount of money: 1000.00 CNY
1000円       | an amount of money: 1000 JPY
50 cents     | an amount of money: 0.50, in a currency that is written `cents`
$50          | an amount of money: 50.00, in a currency that is written `$`
1,2,3 USD    | an amount of money that cannot be read as one
total: 50.00 | an amount of money that names no currency
"""


@pytest.mark.parametrize(("text", "wanted"), rows(READ))
def test_how_a_figure_can_be_read(text: str, wanted: str) -> None:
    """B7: separators, signs that two currencies share, and currencies with other decimals."""
    assert said(text, Trigger.MONEY, about=NOBODY) == [wanted]


# amounts on record | text | what contradicts them
AGAINST: Final = """
5000.00 USD             | your refund of $50 is on its way        | $50
5000.00 USD             | your refund of 50.00 is on its way      | 50.00
5000.00 USD             | your refund of $5,000 is on its way     |
5000.00 USD             | your refund of 5k USD is on its way     |
5000.00 USD             | your refund of 5000 EUR is on its way   | 5000 EUR
5000.00 USD             | fifty dollars are on their way          | fifty dollars
50.00 USD               | fifty dollars are on their way          |
4800 JPY                | 48.00 JPY                               | 48.00 JPY
1.500 KWD               | KWD 1.5                                 |
54.90 USD, 18.50 USD    | of the 54.90 USD, 18.50 USD are back    |
54.90 USD, 18.50 USD    | of the 54.90 USD, 19.50 USD are back    | 19.50 USD
"""


@pytest.mark.parametrize(("amounts", "text", "wanted"), rows(AGAINST))
def test_a_figure_that_is_not_on_record(amounts: str, text: str, wanted: str) -> None:
    """B8: the text says one amount, the record or the parameter says another."""
    about = About(amounts=tuple(Money.parse(one) for one in amounts.split(", ")))
    assert " ".join(found(text, Trigger.CONTRADICTION, about=about)) == wanted


def test_what_is_on_record_is_said() -> None:
    """The reviewer reads both amounts; and without any on record nothing contradicts one."""
    assert said("a refund of $50", Trigger.CONTRADICTION) == [
        "`$50` is none of the amounts on record here: 54.90 USD, 18.50 USD"
    ]
    assert said("a refund of $50", Trigger.CONTRADICTION, about=NOBODY) == []
    assert DANA.amounts


@pytest.mark.parametrize(
    ("number", "exponent", "times", "minor"),
    [
        ("50", 2, "", (5000,)),
        ("50.5", 2, "", (5050,)),
        ("1,00,000", 2, "", (10_000_000,)),
        ("1.2", 2, "million", (120_000_000,)),
        ("0.001", 2, "", (100,)),
        ("1.0001", 2, "", ()),
        ("9" * 40, 2, "", ()),
        ("1.000,000,000", 2, "", ()),
    ],
)
def test_readings(number: str, exponent: int, times: str, minor: tuple[int, ...]) -> None:
    """Exact whole minor units, or none."""
    assert minor_readings(number, exponent, times) == minor


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("fifty", 50),
        ("twenty-five", 25),
        ("two hundred and fifty", 250),
        ("a thousand", 1000),
        ("three thousand one hundred", 3100),
        ("hundred", 100),
        ("and", None),
        ("many", None),
    ],
)
def test_numbers_in_words(words: str, value: int | None) -> None:
    """English words for whole numbers."""
    assert spelled_out(words) == value
