"""Money: a whole number of minor units and an ISO 4217 currency code. Never a float.

Every way to make a `Money` checks it, so that one that exists is never below zero, never above
`MINOR_MAX`, and in a currency that the table knows. The two ways in from outside, `Money.parse` and
`Money.of_minor`, refuse zero as well: nobody asks to pay out nothing. Inside, zero is a bound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Self

import msgspec

from handrail.core.canonical import quoted
from handrail.errors import InvalidInput

__all__ = ["EXPONENTS", "MINOR_MAX", "Money"]

MINOR_MAX: Final = 10**15
"""Most minor units that one amount may have: ten trillion in a currency with cents."""

# ISO 4217 list one as published on 2026-01-01, by number of decimals. Left out are the codes
# without a minor unit, which nobody is paid in: metals, bond units, XDR, XSU, XUA, XTS and XXX.
_CODES_BY_EXPONENT: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
        CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
        GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
        LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
        NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
        SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
        XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

EXPONENTS: Final[Mapping[str, int]] = MappingProxyType(
    {code: exponent for exponent, codes in _CODES_BY_EXPONENT.items() for code in codes.split()}
)
"""Decimals of every active ISO 4217 currency: `{"USD": 2, "JPY": 0, "KWD": 3, ...}`."""

_WHOLE_DIGITS_MAX: Final = len(str(MINOR_MAX))
_NUMBER: Final = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")
_NUMBERISH: Final = re.compile(r"[\s\d.,+-]")
_FIELDS: Final = frozenset({"currency", "minor", "amount"})
_FORM: Final = "write it as `120.00 USD`"


class Money(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An amount of money: `minor` units (cents, yen, fils) of `currency`.

    Guarantees: `0 <= minor <= MINOR_MAX`, `currency` is a key of `EXPONENTS`; immutable, hashable,
    equal only in the same currency. Amounts of the same currency are ordered; comparing or adding
    two currencies raises InvalidInput `money_mixed_currency`. Construction raises what `of_minor`
    raises, but takes zero.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int or type(self.currency) is not str:
            raise _type_refusal(self.minor, self.currency)
        if self.currency not in EXPONENTS:
            raise _unknown_currency(self.currency)
        if self.minor < 0:
            raise _negative()
        if self.minor > MINOR_MAX:
            raise _too_large()

    @classmethod
    def of_minor(cls, minor: object, currency: object) -> Self:
        """Return Money of a whole number of minor units.

        Raises InvalidInput, the first that applies: `money_is_float` (NaN and infinity too),
        `money_is_bool`, `money_wrong_type` (for `minor`), `money_unknown_currency` (also for a
        currency that is not text), `money_negative`, `money_zero`, `money_too_large`.
        """
        money = cls(minor=minor, currency=currency)  # type: ignore[arg-type]
        if money.minor == 0:
            raise InvalidInput("money_zero", "the amount is zero")
        return money

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the Money that a value from outside means, or refuse it by name.

        Accepts `"120.00 USD"`, `"USD 120.00"`, `{"currency": "USD", "minor": 12000}`,
        `{"currency": "USD", "amount": "120.00"}` (major units, as text) and Money itself. Fewer
        decimals than the currency has are fine (`"120.5 USD"`); digits are ASCII, with one space,
        no leading zeros, no sign, no grouping.

        Raises InvalidInput. For its type: `money_is_float`, `money_is_bool`, `money_wrong_type`.
        For its form: `money_is_ambiguous` (no currency, a bare number, or both `minor` and
        `amount`), `money_malformed`. Then, the first that applies: `money_unknown_currency`,
        `money_negative`, `money_too_precise`, `money_zero`, `money_too_large`.
        """
        match value:
            case str():
                return cls._of_text(value)
            case dict():
                return cls._of_object(value)
            case cls():
                return cls.of_minor(value.minor, value.currency)
            case bool():
                raise _is_bool()
            case int():
                raise InvalidInput("money_is_ambiguous", f"a bare number has no currency; {_FORM}")
            case float():
                raise _is_float()
            case _:
                raise InvalidInput("money_wrong_type", f"this is not an amount of money; {_FORM}")

    def text(self) -> str:
        """Return the exact amount in major units: `120.00 USD`, `500 JPY`. No locale."""
        exponent = EXPONENTS[self.currency]
        if exponent == 0:
            return f"{self.minor} {self.currency}"
        digits = str(self.minor).zfill(exponent + 1)
        return f"{digits[:-exponent]}.{digits[-exponent:]} {self.currency}"

    def add(self, other: Money) -> Money:
        """Return the sum.

        Raises InvalidInput `money_mixed_currency`, or `money_too_large` beyond `MINOR_MAX`.
        """
        self._require_same_currency(other)
        return Money(minor=self.minor + other.minor, currency=self.currency)

    def __lt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return self.minor <= other.minor

    def __gt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return self.minor > other.minor

    def __ge__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return self.minor >= other.minor

    def _require_same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise InvalidInput(
                "money_mixed_currency", f"`{self.currency}` and `{other.currency}` do not mix"
            )

    @classmethod
    def _of_text(cls, text: str) -> Self:
        first, space, second = text.partition(" ")
        if not space:
            if _NUMBER.fullmatch(text):
                raise InvalidInput("money_is_ambiguous", f"{quoted(text)} has no currency; {_FORM}")
            raise _malformed(text)
        if number := _NUMBER.fullmatch(first):
            currency = second
        elif number := _NUMBER.fullmatch(second):
            currency = first
        else:
            raise _malformed(text)
        # `12 000` is a grouped number and not an unknown currency.
        if not currency or _NUMBERISH.search(currency):
            raise _malformed(text)
        return cls._of_number(number, currency)

    @classmethod
    def _of_object(cls, record: dict[object, object]) -> Self:
        if not record.keys() <= _FIELDS:
            raise InvalidInput(
                "money_malformed", "money has the fields `currency` and `minor` or `amount`"
            )
        if "minor" in record and "amount" in record:
            raise InvalidInput("money_is_ambiguous", "both `minor` and `amount` are given")
        if "minor" in record:
            _refuse_uncounted(record["minor"])
        elif "amount" not in record:
            raise InvalidInput("money_malformed", "neither `minor` nor `amount` is given")
        elif type(record["amount"]) is not str:
            raise _amount_refusal(record["amount"])
        if "currency" not in record:
            raise InvalidInput("money_is_ambiguous", "no `currency` is given")
        if "minor" in record:
            return cls.of_minor(record["minor"], record["currency"])
        amount, currency = record["amount"], record["currency"]
        number = _NUMBER.fullmatch(str(amount))
        if number is None:
            raise _malformed(str(amount))
        if type(currency) is not str:
            raise _unknown_currency(currency)
        return cls._of_number(number, currency)

    @classmethod
    def _of_number(cls, number: re.Match[str], currency: str) -> Self:
        sign, whole, decimals = number.group(1), number.group(2), number.group(3) or ""
        exponent = EXPONENTS.get(currency)
        if exponent is None:
            raise _unknown_currency(currency)
        if sign:
            raise _negative()
        if len(decimals) > exponent:
            most = f"at most {exponent} decimals" if exponent else "no decimals"
            raise InvalidInput("money_too_precise", f"`{currency}` has {most}")
        # The length first: turning thousands of digits into a number takes time or fails.
        if len(whole) > _WHOLE_DIGITS_MAX:
            raise _too_large()
        return cls.of_minor(int(whole + decimals.ljust(exponent, "0")), currency)


def _refuse_uncounted(minor: object) -> None:
    if isinstance(minor, float):
        raise _is_float()
    if isinstance(minor, bool):
        raise _is_bool()
    if type(minor) is not int:
        raise InvalidInput("money_wrong_type", "minor units are a whole number")


def _amount_refusal(amount: object) -> InvalidInput:
    match amount:
        case float():
            return _is_float()
        case bool():
            return _is_bool()
        case int():
            return InvalidInput(
                "money_is_ambiguous", "a bare number may be major or minor units; send text"
            )
        case _:
            return InvalidInput("money_wrong_type", "an amount is text like `120.00`")


def _type_refusal(minor: object, currency: object) -> InvalidInput:
    try:
        _refuse_uncounted(minor)
    except InvalidInput as refusal:
        return refusal
    return _unknown_currency(currency)


def _negative() -> InvalidInput:
    return InvalidInput("money_negative", "money is never below zero here")


def _too_large() -> InvalidInput:
    return InvalidInput("money_too_large", f"more than `{MINOR_MAX}` minor units")


def _unknown_currency(currency: object) -> InvalidInput:
    if not isinstance(currency, str):
        return InvalidInput("money_unknown_currency", "a currency is text like `USD`")
    return InvalidInput(
        "money_unknown_currency",
        f"{quoted(currency)} is not an ISO 4217 currency in capital letters",
    )


def _malformed(text: str) -> InvalidInput:
    return InvalidInput("money_malformed", f"{quoted(text)} is not an amount; {_FORM}")


def _is_float() -> InvalidInput:
    return InvalidInput("money_is_float", f"floating point numbers are not exact; {_FORM}")


def _is_bool() -> InvalidInput:
    return InvalidInput("money_is_bool", f"true and false are not money; {_FORM}")
