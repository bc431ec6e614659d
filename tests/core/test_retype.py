"""Retyping what an action is about: every way to write the same amount, and no other amount."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.money import EXPONENTS, Money
from handrail.core.retype import Retyped, check_retyped, retype_of
from handrail.errors import InvalidInput

LARGE = 10**11
"""Minor units. A thousand times as much still is an amount."""

# the amount | what was typed | whether it is that
TYPED = """
1240.00 USD   | 1240 USD          | yes
1240.00 USD   | 1240.00 USD       | yes
1240.00 USD   | 1,240.00 USD      | yes
1240.00 USD   | 1.240,00 USD      | yes
1240.00 USD   | 1'240.00 USD      | yes
1240.00 USD   | 1 240,00 USD      | yes
1240.00 USD   | USD 1240          | yes
1240.00 USD   | 1240usd           | yes
1240.00 USD   | 1240              | no
1240.00 USD   | $1240             | no
1240.00 USD   | 1240 CAD          | no
1240.00 USD   | 1.240 USD         | no
1240.00 USD   | 12.40 USD         | no
1240.00 USD   | 124000 USD        | no
1240.00 USD   | 1240.001 USD      | no
1240.00 USD   | -1240 USD         | no
1240.00 USD   | 1240 USD 5        | no
1240.00 USD   | 1240 or 5 USD     | no
1240.00 USD   | twelve USD        | no
1240.00 USD   | USD               | no
1240.00 USD   | 1240 元           | no
1000 JPY      | 1,000 JPY         | yes
1000 JPY      | 1000 JPY          | yes
1000 JPY      | 1000 CNY          | no
1000 JPY      | 10.00 JPY         | no
1000 JPY      | ¥1000             | no
1.000 KWD     | 1 KWD             | yes
1.000 KWD     | 1.000 KWD         | yes
1.234 KWD     | 1.234 kwd         | yes
1.234 KWD     | 1,234 KWD         | no
1234.000 KWD  | 1.234 KWD         | no
1.000 KWD     | 1,000 KWD         | no
1000.000 KWD  | 1000 KWD          | yes
1000.000 KWD  | 1,000.000 KWD     | yes
1000.000 KWD  | 1,000 KWD         | no
"""


def code_of(retype: object, typed: str) -> str | None:
    """The code with which something typed is turned down, or None."""
    try:
        check_retyped(retype, typed)  # type: ignore[arg-type]
    except InvalidInput as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize("row", TYPED.strip().splitlines())
def test_an_amount_is_compared_in_minor_units(row: str) -> None:
    """B7: separators of any country, the currency by its letters; two readings are no answer."""
    amount, typed, same = (part.strip() for part in row.split("|"))
    retype = retype_of(Money.parse(amount), "C-1", "refund.issue")
    assert retype.what is Retyped.AMOUNT
    assert code_of(retype, typed) == (None if same == "yes" else "retype_wrong")


@pytest.mark.parametrize("typed", ["", " ", "\n"])
@pytest.mark.parametrize("value", [Money.parse("5 USD"), None])
def test_nothing_is_no_answer(value: Money | None, typed: str) -> None:
    """An empty field has a code of its own."""
    assert code_of(retype_of(value, "C-1", "k"), typed) == "retype_missing"


@given(
    st.integers(1, LARGE),
    st.integers(1, LARGE),
    st.sampled_from(sorted(EXPONENTS)),
    st.sampled_from(sorted(EXPONENTS)),
)
def test_no_other_amount_passes(asked: int, typed: int, currency: str, other: str) -> None:
    """B7: whatever is typed with all of its decimals, only the same minor units and currency do."""
    money, said = Money(minor=asked, currency=currency), Money(minor=typed, currency=other)
    passed = code_of(retype_of(money, None, "k"), said.text()) is None
    assert passed == (money == said)


@pytest.mark.parametrize(
    ("customer", "what", "right", "wrong"),
    [
        ("C-1005", Retyped.CUSTOMER, " c-1005 ", "C-1006"),
        (None, Retyped.KIND, "login.change", "login"),
        ("C-\u202e5001", Retyped.KIND, "login.change", "C-1005"),
        (" ", Retyped.KIND, "login.change", ""),
    ],
)
def test_without_an_amount_it_is_whom_it_is_about(
    customer: str | None, what: Retyped, right: str, wrong: str
) -> None:
    """The customer's id; the kind's name when there is none, or none that anybody could type."""
    retype = retype_of(None, customer, "login.change")
    assert retype.what is what
    assert code_of(retype, right) is None
    assert code_of(retype, wrong) in ("retype_wrong", "retype_missing")
    assert code_of(retype, "x" * 301) == "retype_wrong"
