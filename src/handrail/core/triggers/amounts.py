"""Amounts of money in a text, and figures that contradict what is on record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from handrail.core.money import EXPONENTS, Money
from handrail.core.triggers.figures import NUMBER, minor_readings, money_readings, spelled_out
from handrail.core.triggers.span import About, Flat, Span, Trigger, phrase

__all__ = ["amounts_in"]

_DOLLARS: Final = ("USD", "CAD", "AUD", "NZD", "SGD", "HKD")
_CROWNS: Final = ("SEK", "NOK", "DKK", "CZK", "ISK")
_SIGNS: Final[dict[str, tuple[str, ...]]] = {
    "$": _DOLLARS, "us$": ("USD",), "c$": ("CAD",), "ca$": ("CAD",), "a$": ("AUD",),
    "au$": ("AUD",), "nz$": ("NZD",), "hk$": ("HKD",), "s$": ("SGD",), "nt$": ("TWD",),
    "r$": ("BRL",), "mx$": ("MXN",), "€": ("EUR",), "£": ("GBP",), "¥": ("JPY", "CNY"),
    "₹": ("INR",), "₩": ("KRW",), "₽": ("RUB",), "₺": ("TRY",), "₫": ("VND",), "₪": ("ILS",),
    "฿": ("THB",), "₱": ("PHP",), "₴": ("UAH",), "₦": ("NGN",), "₡": ("CRC",), "₲": ("PYG",),
    "₸": ("KZT",), "₵": ("GHS",), "₾": ("GEL",), "₼": ("AZN",), "元": ("CNY",), "円": ("JPY",),
    "圆": ("CNY",), "圓": ("TWD",), "人民币": ("CNY",), "원": ("KRW",), "zł": ("PLN",),
    "kč": ("CZK",), "kr": _CROWNS, "kr.": _CROWNS, "rs": ("INR", "PKR", "LKR"),
    "rs.": ("INR", "PKR", "LKR"), "﹩": _DOLLARS, "\uffe1": ("GBP",), "\uffe5": ("JPY", "CNY"),
    "\uffe6": ("KRW",),
}  # fmt: skip
_SIGNS_BY_WORD: Final[dict[str, tuple[str, ...]]] = {
    "dollar": _DOLLARS, "dollars": _DOLLARS, "buck": _DOLLARS, "bucks": _DOLLARS,
    "euro": ("EUR",), "euros": ("EUR",), "pound": ("GBP",), "pounds": ("GBP",), "quid": ("GBP",),
    "sterling": ("GBP",), "yen": ("JPY",), "yuan": ("CNY",), "renminbi": ("CNY",),
    "rmb": ("CNY",), "rupee": ("INR",), "rupees": ("INR",), "franc": ("CHF", "XOF", "XAF"),
    "francs": ("CHF", "XOF", "XAF"), "ruble": ("RUB",), "rubles": ("RUB",),
    "roubles": ("RUB",), "peso": ("MXN", "PHP", "ARS"), "pesos": ("MXN", "PHP", "ARS"),
    "krona": ("SEK",), "kronor": ("SEK",), "kroner": ("NOK", "DKK"), "zloty": ("PLN",),
    "lira": ("TRY",), "shekels": ("ILS",), "dirhams": ("AED", "MAD"), "dinars": ("KWD", "BHD"),
}  # fmt: skip
_CENTS: Final = ("USD", "EUR", "CAD", "AUD", "NZD", "SGD", "HKD")
_SMALL: Final = {"cent": _CENTS, "cents": _CENTS, "pence": ("GBP",), "¢": _CENTS}
# Codes that are also words, or abbreviations of something else, when they stand before a number.
_WORD_CODES: Final = frozenset(
    "ALL ANG BAM COP CUP GEL LAK LEK MAD MOP PEN RON SOS TOP TRY BOB STN GIP USN".split()
)
_TIMES: Final = r"(?: ?(k|m|mio|thousand|million)\b)?"
_NAMES: Final = "|".join(
    sorted((re.escape(one) for one in (*_SIGNS, *_SIGNS_BY_WORD, *_SMALL)), key=len, reverse=True)
)
_CODES: Final = "|".join(code.lower() for code in EXPONENTS)
_BEFORE: Final = re.compile(rf"(?:^|(?<=[^a-z])|(?<=\d))({_NAMES}|{_CODES})\s{{0,3}}$")
_AFTER: Final = re.compile(rf"{_TIMES}(?:[.,]-)?\s{{0,3}}-?(?:{_NAMES}|{_CODES})(?![a-z])")
_AFTER_NAME: Final = re.compile(rf"({_NAMES}|{_CODES})$")
_JUST_TIMES: Final = re.compile(_TIMES)
_BEFORE_CHARS: Final = 11
_AFTER_CHARS: Final = 22
_SHOWN_MAX: Final = 3
_MONEY_WORD: Final = re.compile(
    r"\b(?:refund|credit|pay|paid|charg|amount|total|price|cost|fee|discount|compensat|reimburs"
    r"|deduct|invoice|balance)[a-z]*(?: [a-z]+){0,3}[ :]{1,3}$"
)
_MONEY_WORD_CHARS: Final = 40
_UNIT_WORD: Final = re.compile(r" ?(?:%|(?:am|pm|percent|kg|g|cm|mm|m|km|gb|mb|h|hours|days)\b)")
_SPELLED: Final = re.compile(
    r"(?<!\d )\b(?:and )?((?:(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|million|grand|an?|and)[ -]){1,12})"
    r"(dollars?|bucks?|euros?|pounds?|quid|yen|yuan|rupees?|francs?|usd|eur|gbp|jpy)\b"
)
_ARTICLES: Final = frozenset({"a", "an", "and"})
_SPELLED_ENDS: Final = ("dollar", "buck", "euro", "pound", "quid", "yen", "yuan", "rupee", "franc",
                        "usd", "eur", "gbp", "jpy")  # fmt: skip


class _Written(NamedTuple):
    """An amount as it stands in the text; `name` is how it says the currency, empty for not."""

    start: int
    end: int
    number: str
    name: str
    times: str = ""


def amounts_in(text: str, low: str, flat: Flat, about: About) -> Iterator[Span]:
    """Every amount of money, and behind it a contradiction if it is none of those on record."""
    taken = 0
    for found in NUMBER.finditer(low):
        written = _named(text, low, found, taken) or _bare(low, found)
        if written is not None:
            taken = written.end
            yield from _spans(text, written, about)
    if any(end in low for end in _SPELLED_ENDS):
        for words in _SPELLED.finditer(flat.text):
            value = spelled_out(words.group(1))
            if value and set(words.group(1).split()) - _ARTICLES:
                place = flat.span(words, Trigger.MONEY, "")
                number, name = str(value), words.group(2)
                one = _Written(start=place.start, end=place.end, number=number, name=name)
                yield from _spans(text, one, about)


def _named(text: str, low: str, found: re.Match[str], taken: int) -> _Written | None:
    """The number with the currency that stands before or behind it; None without one."""
    start, end, number = found.start(), found.end(), found.group()
    before = low[max(taken, start - _BEFORE_CHARS) : start]
    named = _BEFORE.search(before)
    if named is not None and not _is_a_word(text, start, named.group(1), number):
        times = _JUST_TIMES.match(low, end, end + _AFTER_CHARS)
        return _Written(
            start=start - len(before) + named.start(1),
            end=end if times is None else times.end(),
            number=number,
            name=named.group(1),
            times="" if times is None else times.group(1) or "",
        )
    after = _AFTER.match(low, end, end + _AFTER_CHARS)
    if after is None:
        return None
    name = _last_name(after.group())
    if name.upper() in _WORD_CODES and not text[after.end() - len(name) : after.end()].isupper():
        return None
    return _Written(
        start=start, end=after.end(), number=number, name=name, times=after.group(1) or ""
    )


def _is_a_word(text: str, start: int, name: str, number: str) -> bool:
    """Whether what stands before a number is a word (`TRY 5 times`) and no currency."""
    if name in _SIGNS_BY_WORD or name in _SMALL:
        return name not in ("rmb", "yen", "yuan")
    code = name.upper()
    if code not in _WORD_CODES:
        return False
    written = text[max(0, start - 4) : start].strip()
    return written != code or ("." not in number and "," not in number)


def _last_name(written: str) -> str:
    found = _AFTER_NAME.search(written)
    return "" if found is None else found.group(1)


def _readings(one: _Written, about: About) -> tuple[Money, ...]:
    known = tuple(dict.fromkeys(amount.currency for amount in about.amounts))
    if not one.name:
        return money_readings(one.number, known)
    if one.name in _SMALL:
        return tuple(
            Money(minor=minor, currency=currency)
            for currency in _SMALL[one.name]
            for minor in minor_readings(one.number, 0)
        )
    currencies = _SIGNS.get(one.name) or _SIGNS_BY_WORD.get(one.name) or (one.name.upper(),)
    likely = tuple(currency for currency in currencies if currency in known)
    return money_readings(one.number, likely or currencies, one.times)


def _spans(text: str, one: _Written, about: About) -> Iterator[Span]:
    readings = _readings(one, about)
    what = _said(one.name, readings)
    yield Span(start=one.start, end=one.end, trigger=Trigger.MONEY, what=what)
    if about.amounts and not set(readings) & set(about.amounts):
        shown = [amount.text() for amount in about.amounts[:_SHOWN_MAX]]
        more = ", …" if len(about.amounts) > len(shown) else ""
        what = f"{phrase(text[one.start : one.end])} is none of the amounts on record here:"
        what = f"{what} {', '.join(shown)}{more}"
        yield Span(start=one.start, end=one.end, trigger=Trigger.CONTRADICTION, what=what)


def _said(name: str, readings: tuple[Money, ...]) -> str:
    if not name:
        return "an amount of money that names no currency"
    if not readings:
        return "an amount of money that cannot be read as one"
    currencies = {money.currency for money in readings}
    texts = [money.text() for money in readings]
    if len(currencies) > 2:  # a sign that half the world uses
        alike = [money for money in readings if money.currency == readings[0].currency]
        numbers = " or ".join(money.text().rpartition(" ")[0] for money in alike)
        return f"an amount of money: {numbers}, in a currency that is written {phrase(name)}"
    if len(texts) == 1:
        return f"an amount of money: {texts[0]}"
    return f"an amount of money that can be read as {' or as '.join(texts)}"


def _bare(low: str, found: re.Match[str]) -> _Written | None:
    """A number with two decimals behind a word of money: an amount that names no currency."""
    start, end, number = found.start(), found.end(), found.group()
    if len(number) < 4 or number[-3] not in ".," or _UNIT_WORD.match(low, end):
        return None
    if not _MONEY_WORD.search(low, max(0, start - _MONEY_WORD_CHARS), start):
        return None
    return _Written(start=start, end=end, number=number, name="")
