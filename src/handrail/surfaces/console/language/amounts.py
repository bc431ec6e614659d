"""Amounts in the reader's language, and back. The sign before the decimals is all that may differ.

Only a currency of two decimals has another form: two digits behind the last sign are never a group
of three, so that `1.234,50 USD` has one reading for everybody. Any other amount keeps the form that
records have, and so does a language that is not listed here.
"""

from __future__ import annotations

import re
from typing import Final

from handrail.core.money import EXPONENTS
from handrail.surfaces.console.language.reader import reader

__all__ = ["amount_text", "plain_amount", "read_amount"]

_AMOUNT: Final = re.compile(r"([0-9]+)((?:\.[0-9]+)?) ([A-Z]{3})")
_DECIMALS: Final = 2
_GROUP: Final = 3

_COMMA: Final = frozenset(
    "af be bg cs es_CR et fi fr hu hy ka kk ky lt lv nb nn no pl pt_AO pt_CH pt_CV pt_GQ pt_GW"
    " pt_LU pt_MO pt_MZ pt_PT pt_ST pt_TL ru sk sq sv uk uz".split()
)
"""Languages with a comma before the decimals; groups are set apart by space, which is style."""
_COMMA_AND_POINT: Final = frozenset(
    "az bs ca da de el es eu fr_LU hr id is it lb mk nl pt ro sl sr tr vi".split()
)
"""Languages with a comma before the decimals and a point between groups."""
_AS_RECORDED: Final = frozenset(
    "de_CH de_LI it_CH es_BR es_BZ es_CU es_DO es_GT es_HN es_MX es_NI es_PA es_PE es_PR es_SV"
    " es_US fr_RW".split()
)
"""Countries that write a point before the decimals, other than their language."""


def read_amount(text: str) -> tuple[list[str], str, str, str] | None:
    """The parts of an amount like `1234.50 USD` as the reader has them; None for other text.

    The groups of digits, what stands between them (nothing, where style alone sets them apart), the
    decimals with their sign, and the currency.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    whole, decimals, currency = found.groups()
    first = len(whole) % _GROUP or _GROUP
    groups = [whole[:first], *(whole[at : at + _GROUP] for at in range(first, len(whole), _GROUP))]
    comma, between = _signs()
    if not comma or EXPONENTS.get(currency) != _DECIMALS or len(decimals) != 1 + _DECIMALS:
        return groups, "", decimals, currency
    return groups, between, decimals.replace(".", ","), currency


def amount_text(text: str) -> str:
    """An amount as the reader has it, `1.234,50 USD`; other text as it is."""
    parts = read_amount(text)
    if parts is None:
        return text
    groups, between, decimals, currency = parts
    return f"{between.join(groups)}{decimals} {currency}"


def plain_amount(typed: str) -> str:
    """What was typed in the reader's form as records have it: `1234.50 USD`; other text as it is.

    The currency may be left out. What has not two decimals behind a comma is left alone.
    """
    comma, between = _signs()
    if not comma:
        return typed
    apart = "[.]" if between else "[ \u00a0\u202f]"
    form = rf"([0-9]+|[0-9]{{1,3}}(?:{apart}[0-9]{{3}})+),([0-9]{{2}})(?: ?([A-Z]{{3}}))?"
    found = re.fullmatch(form, typed.strip())
    if found is None or EXPONENTS.get(found[3] or "", _DECIMALS) != _DECIMALS:
        return typed
    whole = re.sub(r"[^0-9]", "", found[1])
    return f"{whole}.{found[2]}" + (f" {found[3]}" if found[3] else "")


def _signs() -> tuple[bool, str]:
    """Whether the reader's language has a comma before the decimals, and what is between groups."""
    name = reader().catalogue.language
    base = name.partition("_")[0]
    for one in () if name in _AS_RECORDED else (name, base):
        if one in _COMMA:
            return True, ""
        if one in _COMMA_AND_POINT:
            return True, "."
    return False, ""
