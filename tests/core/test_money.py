"""Money: what is accepted, what is refused and by which name, and that no digit ever changes."""

from __future__ import annotations

import operator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.canonical import canonical
from handrail.core.money import EXPONENTS, MINOR_MAX, Money
from handrail.errors import InvalidInput

CURRENCIES = st.sampled_from(sorted(EXPONENTS))
MINORS = st.integers(1, MINOR_MAX)
AMOUNTS = st.builds(
    lambda minor, currency: Money(minor=minor, currency=currency), MINORS, CURRENCIES
)

ACCEPTED = """
120.00 USD          12000      USD   120.00 USD
USD 120.00          12000      USD   120.00 USD
120 USD             12000      USD   120.00 USD
120.5 USD           12050      USD   120.50 USD
0.01 EUR            1          EUR   0.01 EUR
500 JPY             500        JPY   500 JPY
JPY 500             500        JPY   500 JPY
0.001 KWD           1          KWD   0.001 KWD
12.345 BHD          12345      BHD   12.345 BHD
1.5 TND             1500       TND   1.500 TND
0.0001 CLF          1          CLF   0.0001 CLF
40123.4567 CLF      401234567  CLF   40123.4567 CLF
10000000000000.00 USD  1000000000000000  USD  10000000000000.00 USD
1000000000000000 JPY   1000000000000000  JPY  1000000000000000 JPY
"""

REFUSED_TEXTS = """
money_is_ambiguous      120.00
money_is_ambiguous      120
money_is_ambiguous      0
money_is_ambiguous      -5
money_malformed         12,00
money_malformed         12,00 USD
money_malformed         1e3
money_malformed         1e3 USD
money_malformed         1E308 USD
money_malformed         NaN USD
money_malformed         inf USD
money_malformed         Infinity
money_malformed         0x10 USD
money_malformed         1_000 USD
money_malformed         1,000.00 USD
money_malformed         1.000,00 EUR
money_malformed         +5 USD
money_malformed         --5 USD
money_malformed         - 5 USD
money_malformed         5. USD
money_malformed         .50 USD
money_malformed         1.2.3 USD
money_malformed         007 USD
money_malformed         00.50 USD
money_malformed         12 000 USD
money_malformed         12 USD5
money_malformed         5 -USD
money_malformed         12 000
money_malformed         120.00USD
money_malformed         USD120
money_malformed         $120.00
money_malformed         USD
money_malformed         USD EUR
money_malformed         1 USD EUR
money_malformed         true
money_unknown_currency  120.00 usd
money_unknown_currency  120.00 Usd
money_unknown_currency  120.00 XYZ
money_unknown_currency  120.00 XXX
money_unknown_currency  1 XAU
money_unknown_currency  120.00 $
money_unknown_currency  € 120.00
money_unknown_currency  120.00 DOLLARS
money_unknown_currency  120.00 BTC
money_unknown_currency  -5 usd
money_unknown_currency  0.001 ZZZ
money_negative          -5 USD
money_negative          -5.00 USD
money_negative          USD -5
money_negative          -0 USD
money_negative          -0.004 USD
money_zero              0 USD
money_zero              0.00 USD
money_zero              0 JPY
money_zero              0.000 KWD
money_too_precise       0.004 USD
money_too_precise       120.000 USD
money_too_precise       10.5 JPY
money_too_precise       10.00 JPY
money_too_precise       0.0 JPY
money_too_precise       1.0001 KWD
money_too_large         10000000000000.01 USD
money_too_large         1000000000000001 JPY
money_too_large         99999999999999999999999999 USD
"""

UNUSUAL_TEXTS = [
    ("money_malformed", ""),
    ("money_malformed", " "),
    ("money_malformed", " 120.00 USD"),
    ("money_malformed", "120.00 USD "),
    ("money_malformed", "120.00 USD\n"),
    ("money_malformed", "120.00  USD"),
    ("money_malformed", "120.00\tUSD"),
    ("money_malformed", "120.00\u00a0USD"),
    ("money_malformed", "\u0661\u0662\u0660 USD"),
    ("money_malformed", "\uff11\uff12 USD"),
    ("money_malformed", "1\u200b2 USD"),
    ("money_malformed", "\u202e00.21 USD"),
    ("money_malformed", "\u221e USD"),
    ("money_malformed", "\ud800"),
    ("money_unknown_currency", "1 \uff35\uff33\uff24"),
    ("money_unknown_currency", "1 US\u0410"),
    ("money_too_precise", f"1.{'0' * 10_000} USD"),
]

REFUSED_VALUES: list[tuple[str, object]] = [
    ("money_is_float", 120.0),
    ("money_is_float", 1e308),
    ("money_is_float", float("nan")),
    ("money_is_float", float("inf")),
    ("money_is_float", -0.0),
    ("money_is_float", {"currency": "USD", "minor": 12000.0}),
    ("money_is_float", {"currency": "USD", "minor": float("nan")}),
    ("money_is_float", {"currency": "USD", "amount": 120.0}),
    ("money_is_bool", True),
    ("money_is_bool", False),
    ("money_is_bool", {"currency": "USD", "minor": True}),
    ("money_is_bool", {"currency": "USD", "amount": False}),
    ("money_is_ambiguous", 120),
    ("money_is_ambiguous", 0),
    ("money_is_ambiguous", -5),
    ("money_is_ambiguous", {"minor": 12000}),
    ("money_is_ambiguous", {"amount": "120.00"}),
    ("money_is_ambiguous", {"currency": "USD", "amount": 120}),
    ("money_is_ambiguous", {"currency": "USD", "minor": 12000, "amount": "120.00"}),
    ("money_wrong_type", None),
    ("money_wrong_type", ["120.00", "USD"]),
    ("money_wrong_type", b"120.00 USD"),
    ("money_wrong_type", Decimal("120.00")),
    ("money_wrong_type", {"currency": "USD", "minor": "12000"}),
    ("money_wrong_type", {"currency": "USD", "minor": None}),
    ("money_wrong_type", {"currency": "USD", "minor": Decimal(1)}),
    ("money_wrong_type", {"currency": "USD", "amount": None}),
    ("money_wrong_type", {"currency": "USD", "amount": Decimal(1)}),
    ("money_malformed", {}),
    ("money_malformed", {"currency": "USD"}),
    ("money_malformed", {"currency": "USD", "amount": "12,00"}),
    ("money_malformed", {"currency": "USD", "amount": "120.00 USD"}),
    ("money_malformed", {"currency": "USD", "minor": 12000, "scale": 2}),
    ("money_malformed", {"currency": "USD", "minor": 12000, 7: 2}),
    ("money_unknown_currency", {"currency": "usd", "minor": 12000}),
    ("money_unknown_currency", {"currency": "", "amount": "1"}),
    ("money_unknown_currency", {"currency": None, "minor": 12000}),
    ("money_unknown_currency", {"currency": 840, "amount": "1"}),
    ("money_unknown_currency", {"currency": ["USD"], "amount": "1"}),
    ("money_negative", {"currency": "USD", "minor": -1}),
    ("money_negative", {"currency": "USD", "amount": "-1"}),
    ("money_zero", {"currency": "USD", "minor": 0}),
    ("money_zero", {"currency": "USD", "amount": "0.00"}),
    ("money_too_precise", {"currency": "USD", "amount": "0.004"}),
    ("money_too_large", {"currency": "USD", "minor": MINOR_MAX + 1}),
]


def refusal(call: Any, *args: Any) -> str:
    """The code of the InvalidInput that a call must raise."""
    with pytest.raises(InvalidInput) as caught:
        call(*args)
    return caught.value.code


@pytest.mark.parametrize("row", ACCEPTED.strip().splitlines())
def test_accepted(row: str) -> None:
    """One row: the text that came in, minor units, currency, and the text that goes out."""
    left, right, minor, currency, out, out_currency = row.split()
    money = Money.parse(f"{left} {right}")
    assert money == Money(minor=int(minor), currency=currency)
    assert money.text() == f"{out} {out_currency}"


@pytest.mark.parametrize("row", REFUSED_TEXTS.strip().splitlines())
def test_refused_text(row: str) -> None:
    """One row: the refusal, and the text that gets it."""
    code, text = row.split(maxsplit=1)
    assert refusal(Money.parse, text) == code


@pytest.mark.parametrize(("code", "text"), UNUSUAL_TEXTS)
def test_refused_unusual_text(code: str, text: str) -> None:
    """White space, other scripts' digits, look-alikes, and texts too long to turn into numbers."""
    assert refusal(Money.parse, text) == code


@pytest.mark.parametrize(("code", "value"), REFUSED_VALUES)
def test_refused_value(code: str, value: object) -> None:
    """Everything that is not a text: one refusal each."""
    assert refusal(Money.parse, value) == code


@pytest.mark.parametrize(
    ("code", "minor", "currency"),
    [
        ("money_is_float", 1.0, "USD"),
        ("money_is_float", float("nan"), "usd"),
        ("money_is_bool", True, "USD"),
        ("money_wrong_type", "1", "USD"),
        ("money_wrong_type", None, None),
        ("money_unknown_currency", -1, "usd"),
        ("money_unknown_currency", 1, None),
        ("money_unknown_currency", 1, b"USD"),
        ("money_negative", -1, "USD"),
        ("money_zero", 0, "USD"),
        ("money_too_large", MINOR_MAX + 1, "USD"),
    ],
)
def test_of_minor_refuses(code: str, minor: object, currency: object) -> None:
    """Whole minor units of a known currency, or a refusal; the first that applies."""
    assert refusal(Money.of_minor, minor, currency) == code


def test_endless_digits_are_refused() -> None:
    """Numbers too long to print get their refusal, and no failure on the way."""
    assert refusal(Money.parse, 10**5000) == "money_is_ambiguous"
    assert refusal(Money.of_minor, 10**5000, "USD") == "money_too_large"
    assert refusal(Money.of_minor, -(10**5000), "USD") == "money_negative"
    assert refusal(Money.parse, f"{'9' * 10_000} USD") == "money_too_large"


def test_objects_are_accepted() -> None:
    """Both spellings of an object, and Money itself, mean the same."""
    twelve = Money.of_minor(1200, "USD")
    assert Money.parse({"currency": "USD", "minor": 1200}) == twelve
    assert Money.parse({"currency": "USD", "amount": "12.00"}) == twelve
    assert Money.parse(twelve) == twelve
    assert Money.of_minor(MINOR_MAX, "JPY").minor == MINOR_MAX


def test_no_way_around_the_checks() -> None:
    """Building, decoding and replacing check the same things; inside, zero is allowed."""
    good = Money(minor=0, currency="USD")
    assert good.text() == "0.00 USD"
    for wrong in ({"minor": -1}, {"minor": MINOR_MAX + 1}, {"currency": "usd"}, {"minor": 1.5}):
        values: dict[str, Any] = {"minor": 1, "currency": "USD", **wrong}
        with pytest.raises(InvalidInput):
            Money(**values)
        with pytest.raises(InvalidInput):
            msgspec.structs.replace(good, **wrong)
    with pytest.raises(InvalidInput):
        msgspec.json.decode(b'{"minor":-1,"currency":"USD"}', type=Money)
    with pytest.raises(AttributeError):
        good.minor = 5  # type: ignore[misc]


@given(AMOUNTS)
def test_text_is_read_back(money: Money) -> None:
    """What is shown to a person means exactly what was stored, in each spelling."""
    number, currency = money.text().split(" ")
    assert Money.parse(money.text()) == money
    assert Money.parse(f"{currency} {number}") == money
    assert Money.parse({"currency": currency, "amount": number}) == money
    assert Money.parse(msgspec.json.decode(canonical(money))) == money


@given(AMOUNTS)
def test_text_is_exact(money: Money) -> None:
    """The text is the fraction minor / 10**exponent, with all of the currency's decimals."""
    number = money.text().split(" ")[0]
    exponent = EXPONENTS[money.currency]
    assert Fraction(number) == Fraction(money.minor, 10**exponent)
    assert len(number.partition(".")[2]) == exponent


@given(st.decimals(allow_nan=False, allow_infinity=False, places=5), CURRENCIES)
def test_no_digit_is_lost_or_made_up(amount: Decimal, currency: str) -> None:
    """A decimal is taken exactly when it is a whole number of minor units, and then exactly."""
    plain = format(amount.normalize(), "f")
    minor = Fraction(amount) * 10 ** EXPONENTS[currency]
    try:
        money = Money.parse(f"{plain} {currency}")
    except InvalidInput:
        assert minor.denominator != 1 or not 0 < minor <= MINOR_MAX
    else:
        assert money.minor == minor


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No other exception comes out, and what is accepted has its digits in the text."""
    try:
        money = Money.parse(text)
    except InvalidInput:
        return
    assert money.currency in text
    assert str(money.minor).rstrip("0") in text.replace(".", "")


@given(MINORS, MINORS, CURRENCIES)
def test_order_and_sum_are_those_of_the_minor_units(left: int, right: int, currency: str) -> None:
    """Within a currency, money behaves like its minor units."""
    one, other = Money(minor=left, currency=currency), Money(minor=right, currency=currency)
    assert (one < other, one <= other) == (left < right, left <= right)
    assert (one > other, one >= other) == (left > right, left >= right)
    assert (one == other, hash(one) == hash(other)) == (left == right, left == right)
    if left + right <= MINOR_MAX:
        assert one.add(other) == Money(minor=left + right, currency=currency)
    else:
        assert refusal(one.add, other) == "money_too_large"


def test_currencies_do_not_mix() -> None:
    """Equal digits in another currency are not equal, not ordered and not added."""
    dollars, euros = Money.parse("5 USD"), Money.parse("5 EUR")
    assert dollars != euros
    assert len({dollars, euros, Money.parse("5.00 USD")}) == 2
    for mixed in (
        lambda: dollars < euros,
        lambda: dollars <= euros,
        lambda: dollars > euros,
        lambda: dollars >= euros,
        lambda: dollars.add(euros),
    ):
        assert refusal(mixed) == "money_mixed_currency"


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_money_is_not_compared_with_numbers(compare: Any) -> None:
    """Five of what? A bare number has no currency, so there is no answer."""
    with pytest.raises(TypeError):
        compare(Money.parse("5 USD"), 5)


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("USD", 2), ("EUR", 2), ("GBP", 2), ("CHF", 2), ("XCG", 2), ("ZWG", 2), ("SLE", 2),
        ("JPY", 0), ("KRW", 0), ("ISK", 0), ("UGX", 0), ("VND", 0), ("CLP", 0), ("XOF", 0),
        ("KWD", 3), ("BHD", 3), ("JOD", 3), ("TND", 3), ("CLF", 4), ("UYW", 4),
        ("HRK", None), ("BGN", None), ("ANG", None), ("ZWL", None), ("XTS", None), ("XXX", None),
    ],
)  # fmt: skip
def test_decimals(currency: str, decimals: int | None) -> None:
    """Well-known currencies have their decimals; withdrawn and test codes are not money."""
    assert EXPONENTS.get(currency) == decimals


def test_the_table_is_whole() -> None:
    """As many codes of each kind as ISO 4217 list one had on 2026-01-01, and none twice."""
    counts = {size: list(EXPONENTS.values()).count(size) for size in set(EXPONENTS.values())}
    assert counts == {0: 17, 2: 139, 3: 7, 4: 2}
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.004 USD", "`USD` has at most 2 decimals"),
        ("10.00 JPY", "`JPY` has no decimals"),
        ("120.00", "`120.00` has no currency; write it as `120.00 USD`"),
        ("5 usd", "`usd` is not an ISO 4217 currency in capital letters"),
    ],
)
def test_messages_say_what_to_do(text: str, words: str) -> None:
    """The sentence that the caller reads."""
    with pytest.raises(InvalidInput) as caught:
        Money.parse(text)
    assert caught.value.message == words


def test_messages_hide_nothing() -> None:
    """Somebody's text comes back short, in backticks, with invisible characters made visible."""
    with pytest.raises(InvalidInput) as caught:
        Money.parse("\u202e00.21 USD" + "x" * 100)
    assert caught.value.message.startswith("`\\u202e00.21 USDxxx")
    assert len(caught.value.message) < 120
