"""Retyping: at G3 whoever approves types once more what it is about, and it has to be the same.

An amount is compared as whole minor units and currency, however its digits were grouped. What can
be read in two ways is no answer, unless it is the very text on the page: `1.234 KWD` has no other
form, and whoever takes it for thousands passes less than they think. Where no money moves, it is
the customer's id; without a customer, the name of the kind.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

import msgspec

from handrail.core.money import EXPONENTS, Money
from handrail.core.text import visible
from handrail.core.triggers.figures import NUMBER, money_readings
from handrail.errors import InvalidInput

__all__ = ["RETYPED_CHARS_MAX", "Retype", "Retyped", "check_retyped", "retype_of"]

RETYPED_CHARS_MAX: Final = 300
_CODE: Final = re.compile(r"[A-Za-z]{3}")


class Retyped(Enum):
    """What is typed once more."""

    AMOUNT = "amount"
    CUSTOMER = "customer"
    KIND = "kind"


class Retype(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be typed: `text` as it stands on the page, `value` when it is an amount."""

    what: Retyped
    text: str
    value: Money | None = None


def retype_of(value: Money | None, customer: str | None, kind: str) -> Retype:
    """What whoever approves an action types once more.

    An id in which something cannot be seen is not asked for: nobody could type it.
    """
    if value is not None:
        return Retype(what=Retyped.AMOUNT, text=value.text(), value=value)
    if customer and visible(customer) == customer and customer.strip():
        return Retype(what=Retyped.CUSTOMER, text=customer)
    return Retype(what=Retyped.KIND, text=kind)


def check_retyped(retype: Retype, typed: str) -> None:
    """Raises InvalidInput `retype_missing` for nothing, `retype_wrong` for anything else."""
    said = typed.strip()
    if not said:
        raise InvalidInput("retype_missing", f"type the {_NAMES[retype.what]} once more to approve")
    if len(said) > RETYPED_CHARS_MAX:
        raise InvalidInput("retype_wrong", f"that is not the {_NAMES[retype.what]} of this action")
    if _folded(said) == _folded(retype.text):
        return
    if retype.value is None:
        raise InvalidInput("retype_wrong", f"that is not the {_NAMES[retype.what]} of this action")
    if _amount(said) != retype.value:
        raise InvalidInput("retype_wrong", "that is not the amount of this action")


_NAMES: Final = {
    Retyped.AMOUNT: "amount",
    Retyped.CUSTOMER: "customer's id",
    Retyped.KIND: "name of the kind",
}


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _amount(typed: str) -> Money:
    """The one amount that was typed: a number in any grouping, and a currency's three letters.

    Raises InvalidInput `retype_wrong` when there is none, or when it can be two.
    """
    plain = " ".join(typed.split())  # a thousands separator may be a space of any width
    number = NUMBER.search(plain)
    rest = "" if number is None else (plain[: number.start()] + plain[number.end() :]).strip()
    if number is None or (rest and not _CODE.fullmatch(rest)):
        raise InvalidInput(
            "retype_wrong", "that is no amount; type it with its currency, like `12.50 EUR`"
        )
    currency = rest.upper()
    if currency not in EXPONENTS:
        raise InvalidInput(
            "retype_wrong", "type the currency as well, by its three letters: `12.50 EUR`"
        )
    readings = money_readings(number.group(), (currency,))
    if len(readings) > 1:
        raise InvalidInput(
            "retype_wrong", "that can be read as two amounts; type it with all of its decimals"
        )
    if not readings:
        raise InvalidInput("retype_wrong", "that is not the amount of this action")
    return readings[0]
