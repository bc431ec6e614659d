"""Personal data in a text: cards, bank accounts, telephone numbers, e-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from handrail.core.triggers.span import About, Span, Trigger, phrase

__all__ = ["accounts_in", "cards_in", "is_iban", "is_luhn", "mails_in", "phones_in"]

_RUN: Final = re.compile(r"\d(?:[ -]?\d){12,}")
_GROUP: Final = re.compile(r"\d+")
_CARD_DIGITS: Final = range(13, 20)
_FIRST_DIGITS: Final = "23456"
"""What the numbers of payment cards begin with (ISO/IEC 7812-1, major industry identifiers)."""

_CHECK_DIGITS: Final = re.compile(r"\d\d[ -]?[a-z0-9]")
# Length of an IBAN by country: the SWIFT IBAN registry (ISO 13616), release 99.
_IBAN_LENGTHS: Final = {
    country.lower(): length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_IBAN_SPAN_MAX: Final = 80

_ABROAD: Final = re.compile(
    r"(?<![\w+])(?:\+|00)[1-9]\d{0,2}[ .()/-]{0,2}\d(?:[ .()/-]{0,2}\d){4,13}(?!\d)"
)
_US_FORM: Final = re.compile(
    r"(?<![\w.+/-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}(?![\w-]|[.,]\d)"
)
_NATIONAL: Final = re.compile(
    r"(?<![\w.,+-])\(?\d{1,12}\)?(?:[ ./-]{1,2}\d{2,8}){0,4}(?![\w-]|[.,]\d)"
)
_NEAR_A_PHONE: Final = re.compile(r"[+(\d][\d .()/-]{5,40}")
_CALL: Final = re.compile(
    r"\b(?:call|phone|tel(?:ephone)?|mobile|cell|whatsapp|ring|dial|text|sms|hotline|fax)\b"
    r"(?: (?:me|us|him|her|them|number|no|line))?(?: (?:on|at|is|under|directly))?[ .:]{1,3}$"
)
_CALL_CHARS: Final = 32
_PHONE_DIGITS: Final = range(7, 16)
"""E.164 has at most fifteen digits."""

_LOCAL: Final = re.compile(r"[\w.!#$%&'*+=?^{|}~-]{1,64}$")
_DOMAIN: Final = re.compile(r"(?:[^\W_](?:[\w-]{0,62})\.){1,8}[^\W\d_][\w-]{1,62}")
_LOCAL_CHARS_MAX: Final = 64
_SPELLED_AT: Final = ("at)", "at]", "at}", "at )", "at ]", "@)", "@]", "@ ]", "@ )")
_SPELLED: Final = re.compile(
    r"(?<![\w.])[\w.+-]{1,64} ?[\[({] ?(?:at|@) ?[\])}] ?[\w-]{1,63}"
    r"(?: ?(?:\.|[\[({] ?(?:dot|\.) ?[\])}]) ?[a-z]{2,24}){1,4}"
)


def is_luhn(digits: str) -> bool:
    """Whether the last digit checks the others: ISO/IEC 7812-1 annex B (Luhn, US 2950048)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_iban(account: str) -> bool:
    """Whether an account without spaces is an IBAN: length by country, ISO 7064 MOD 97-10."""
    low = account.lower()
    if _IBAN_LENGTHS.get(low[:2]) != len(low) or not (low.isascii() and low.isalnum()):
        return False
    return int("".join(str(int(char, 36)) for char in low[4:] + low[:4])) % 97 == 1


def cards_in(low: str) -> Iterator[Span]:
    """Every payment card number, also one between other digits."""
    for run in _RUN.finditer(low):
        yield from _cards_of(run)


def accounts_in(text: str, low: str) -> Iterator[Span]:
    """Every IBAN."""
    end = 0
    for found in _CHECK_DIGITS.finditer(low):
        start = found.start() - 2
        length = _IBAN_LENGTHS.get(low[max(0, start) : found.start()])
        if length is None or start < end or low[max(0, start - 1) : start].isalnum():
            continue
        place = start
        chars: list[str] = []
        stop = min(len(low), place + _IBAN_SPAN_MAX)
        while place < stop and len(chars) < length and (low[place].isalnum() or low[place] in " -"):
            if low[place].isalnum():
                chars.append(low[place])
            place += 1
        if not low[place : place + 1].isalnum() and is_iban("".join(chars)):
            end = place
            what = f"a bank account (IBAN): {phrase(text[start:end])}"
            yield Span(start=start, end=end, trigger=Trigger.IBAN, what=what)


def phones_in(text: str, low: str, about: About) -> Iterator[Span]:
    """Every telephone number that is not on the record of who it concerns."""
    own = {digits for one in about.addresses if (digits := _digits(one))}
    for near in _NEAR_A_PHONE.finditer(low):
        end = near.start()
        for start, stop, asks in _phones_of(low, near):
            if start < end or len(digits := _digits(low[start:stop])) not in _PHONE_DIGITS:
                continue
            if asks and not _CALL.search(low, max(0, start - _CALL_CHARS), start):
                continue
            end = stop
            if digits not in own:
                number = phrase(text[start:stop])
                what = f"a telephone number that is not on the customer's record: {number}"
                yield Span(start=start, end=stop, trigger=Trigger.PHONE, what=what)


def _phones_of(low: str, near: re.Match[str]) -> list[tuple[int, int, bool]]:
    """Places of what could be numbers, and whether it takes a word before it to be one."""
    begin, end = near.start(), min(len(low), near.end() + 2)
    return sorted(
        (*one.span(), form is _NATIONAL)
        for form in (_ABROAD, _US_FORM, _NATIONAL)
        for one in form.finditer(low, begin, end)
    )


def mails_in(text: str, low: str, about: About) -> Iterator[Span]:
    """Every e-mail address that is neither the recipient's nor of the desk's own hosts."""
    own = {address.lower() for address in about.addresses}
    hosts = {host.lower() for host in about.hosts}
    at = low.find("@")
    while at >= 0:
        local = _LOCAL.search(low[max(0, at - _LOCAL_CHARS_MAX) : at])
        domain = None if local is None else _DOMAIN.match(low, at + 1)
        if local is not None and domain is not None:
            start, end = at - len(local.group()), domain.end()
            if low[start:end] not in own and domain.group() not in hosts:
                yield _mail(text, start, end)
        at = low.find("@", at + 1)
    if any(at in low for at in _SPELLED_AT):
        for found in _SPELLED.finditer(low):
            yield _mail(text, found.start(), found.end())


def _mail(text: str, start: int, end: int) -> Span:
    what = f"an e-mail address that is not on the customer's record: {phrase(text[start:end])}"
    return Span(start=start, end=end, trigger=Trigger.EMAIL, what=what)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal()).lstrip("0")


def _cards_of(run: re.Match[str]) -> Iterator[Span]:
    """Windows of a run of digits, from group to group, that are the number of a card."""
    groups = [found.span() for found in _GROUP.finditer(run.group())]
    digits = "".join(run.group()[start:end] for start, end in groups)
    ends = _sums([end - start for start, end in groups])[1:]
    first = 0
    odd, even = _luhn_sums(digits)
    while first < len(groups):
        begin = ends[first] - (groups[first][1] - groups[first][0])
        last = _last_group(digits, ends, first, begin, (odd, even))
        if last is None:
            first += 1
            continue
        start, end = run.start() + groups[first][0], run.start() + groups[last][1]
        what = f"the number of a payment card that ends in {digits[ends[last] - 4 : ends[last]]}"
        yield Span(start=start, end=end, trigger=Trigger.CARD, what=what)
        first = last + 1


def _last_group(
    digits: str, ends: list[int], first: int, begin: int, sums: tuple[list[int], list[int]]
) -> int | None:
    """The group with which a card ends that begins with the group `first`; None for none."""
    if digits[begin] not in _FIRST_DIGITS:
        return None
    best = None
    for last in range(first, len(ends)):
        length = ends[last] - begin
        if length >= _CARD_DIGITS.stop:
            break
        doubled = sums[ends[last] % 2]
        if length in _CARD_DIGITS and (doubled[ends[last]] - doubled[begin]) % 10 == 0:
            best = last
    return best


def _luhn_sums(digits: str) -> tuple[list[int], list[int]]:
    """Sums from the left with every digit at an even place doubled, and at an odd place."""
    values = [int(digit) for digit in digits]
    twice = [2 * value - 9 if value > 4 else 2 * value for value in values]
    even, odd = list(values), list(values)
    even[::2], odd[1::2] = twice[::2], twice[1::2]
    return _sums(even), _sums(odd)


def _sums(values: list[int]) -> list[int]:
    """What the first 0, 1, 2, ... values add up to."""
    sums = [0]
    for value in values:
        sums.append(sums[-1] + value)
    return sums
