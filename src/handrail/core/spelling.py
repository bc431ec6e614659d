"""An amount in words, so that a figure that was misread is noticed: `two thousand USD and 40/100`.

As on a cheque: whole units in words, the ISO code, and what is left as a fraction of one unit.
"""

from __future__ import annotations

from typing import Final

from handrail.core.money import EXPONENTS, Money
from handrail.core.policy import KindRule

__all__ = ["needs_words", "spelled"]

_SMALL: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
_TENS: Final = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES: Final = ((10**15, "quadrillion"), (10**12, "trillion"), (10**9, "billion"),
                  (10**6, "million"), (10**3, "thousand"))  # fmt: skip


def spelled(money: Money) -> str:
    """The amount in English words: `one thousand two hundred forty USD and 50/100`, `five JPY`."""
    exponent = EXPONENTS[money.currency]
    unit = 10**exponent
    whole, rest = divmod(money.minor, unit)
    said = f"{_words(whole)} {money.currency}"
    return f"{said} and {rest:0{exponent}d}/{unit}" if rest else said


def needs_words(rule: KindRule | None, value: Money) -> bool:
    """Whether an amount lies in the topmost band of its kind, or in none that is known.

    A kind without bands draws no line, so that none is crossed.
    """
    if rule is None or (rule.bands and value.currency not in rule.bands):
        return True
    limits = [band.up_to_minor for band in rule.bands.get(value.currency, ())]
    bounded = [limit for limit in limits if limit is not None]
    return bool(bounded) and value.minor > max(bounded)


def _words(number: int) -> str:
    for scale, name in _SCALES:
        if number >= scale:
            more, rest = divmod(number, scale)
            said = f"{_words(more)} {name}"
            return f"{said} {_words(rest)}" if rest else said
    if number >= 100:
        more, rest = divmod(number, 100)
        said = f"{_SMALL[more]} hundred"
        return f"{said} {_words(rest)}" if rest else said
    if number < len(_SMALL):
        return _SMALL[number]
    tens, rest = divmod(number, 10)
    return f"{_TENS[tens]}-{_SMALL[rest]}" if rest else _TENS[tens]
