"""How a number in a text can be read: `1,000.00`, `1.000,00`, `1'000`, `1,00,000`, `5k`."""

from __future__ import annotations

import re
from typing import Final

from handrail.core.money import EXPONENTS, MINOR_MAX, Money

__all__ = ["NUMBER", "minor_readings", "money_readings", "spelled_out"]

# One number as it is written, with its separators inside; at most 31 characters of it.
NUMBER: Final = re.compile(
    r"\d(?:[\d.,'\u066b\u066c]{0,30}\d)?(?: \d{3}(?!\d)){0,5}(?:[.,]\d{1,3}(?!\d))?"
)
_DIGITS_MAX: Final = 15
_GROUPED: Final = re.compile(r"\d{1,3}(?:[.,]\d{2,3}){0,8}[.,]\d{3}")
_MULTIPLES: Final = {"k": 10**3, "thousand": 10**3, "m": 10**6, "mio": 10**6, "million": 10**6}

_UNITS: Final = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
        " fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS: Final = {
    word: 10 * value
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_WORDS: Final = {**_UNITS, **_TENS, "a": 1, "an": 1}
_SCALES: Final = {"thousand": 10**3, "million": 10**6, "grand": 10**3}


def minor_readings(number: str, exponent: int, times: str = "") -> tuple[int, ...]:
    """The minor units that a number as written can mean, the likeliest first; () for none.

    `exponent` is how many decimals the currency has, `times` a word like `k` behind the number.
    """
    plain = number.replace("\u066b", ".").replace("\u066c", ",")
    plain = plain.replace("'", "").replace(" ", "")
    multiple = _MULTIPLES.get(times, 1)
    found = []
    for whole, decimals in _splits(plain, exponent):
        digits = whole + decimals
        if len(digits) > _DIGITS_MAX:
            continue
        minor, rest = divmod(int(digits) * multiple * 10**exponent, 10 ** len(decimals))
        if rest == 0 and minor <= MINOR_MAX and minor not in found:
            found.append(minor)
    return tuple(found)


def money_readings(number: str, currencies: tuple[str, ...], times: str = "") -> tuple[Money, ...]:
    """The amounts that a number in one of these currencies can mean, the likeliest first."""
    return tuple(
        Money(minor=minor, currency=currency)
        for currency in currencies
        for minor in minor_readings(number, EXPONENTS[currency], times)
    )


def spelled_out(words: str) -> int | None:
    """The whole number that English words say, `two hundred and fifty`; None for others."""
    total = current = 0
    seen = False
    for word in words.replace("-", " ").split():
        if word == "and":
            continue
        seen = True
        if word in _WORDS:
            current += _WORDS[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in _SCALES:
            total += max(current, 1) * _SCALES[word]
            current = 0
        else:
            return None
        if total + current > MINOR_MAX:
            return None
    return total + current if seen else None


def _splits(plain: str, exponent: int) -> list[tuple[str, str]]:
    """Whole part and decimals, by what the separators can be."""
    dots, commas = plain.count("."), plain.count(",")
    if not dots and not commas:
        return [(plain, "")]
    bare = plain.replace(".", "").replace(",", "")
    last = max(plain.rfind("."), plain.rfind(","))
    behind = plain[last + 1 :]
    if dots and commas:
        point = plain[last]
        if plain.count(point) > 1:  # `1.000,000,000` is nothing
            return []
        return [(bare[: -len(behind)], behind)]
    if dots + commas > 1:
        return [(bare, "")] if _GROUPED.fullmatch(plain) else []
    as_decimals = (plain[:last], behind)
    if len(behind) != 3:
        return [as_decimals]
    if exponent == 0:
        return [(bare, "")]
    # `1.000 KWD` is one dinar or a thousand; `1.000 USD` a thousand, and one to those who write
    # the thousands with a comma.
    if exponent >= 3:
        return [as_decimals, (bare, "")]
    return [(bare, ""), as_decimals] if dots else [(bare, "")]
