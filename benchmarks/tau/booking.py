"""The facts of a booking: what the airline's written rules ask about before one is made."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.tau.airline import (
    bags_asked,
    bags_owed,
    cabin_told,
    connects,
    flights_told,
    goes,
    people,
    people_known,
    user_of,
)
from benchmarks.tau.rule import Look, RulesOfTool, agreed, amount_told, method_named, named
from benchmarks.tau.worth import CENTS

__all__ = ["RULES"]

_INSURANCE: Final = re.compile(r"\binsur\w*")
_NO_INSURANCE: Final = re.compile(
    r"\b(no|not|without|don't|skip|decline)\b[^.!?\n]{0,30}\binsur\w*|\binsur\w*: *(no|none)\b"
)


def journey_fits(look: Look) -> bool:
    """Whether the flights of a booking go where it says, and back if it says so."""
    return goes(look, look.text("origin"), look.text("destination"), look.text("flight_type"))


def bags_due(look: Look) -> int:
    """Bags of a booking that have to be paid for."""
    return bags_owed(look, look.text("cabin"), heads=people(look), paid=0)


def _methods(look: Look) -> Iterator[tuple[str, int, Any]]:
    """Each payment of a booking: id, dollars, and the method of the customer, None if unknown."""
    known = user_of(look).payment_methods
    for one in look.entries("payment_methods"):
        if type(one["amount"]) is not int:
            raise TypeError("not a whole amount")
        yield one["payment_id"], one["amount"], known.get(one["payment_id"])


def methods_known(look: Look) -> bool:
    """Whether every payment method is in the customer's profile, and named once."""
    found = list(_methods(look))
    return len({id_ for id_, _, _ in found}) == len(found) and all(one for _, _, one in found)


def methods_allowed(look: Look) -> bool:
    """At most one certificate, one credit card and three gift cards."""
    used = Counter(one.source for _, _, one in _methods(look) if one is not None)
    return used["certificate"] <= 1 and used["credit_card"] <= 1 and used["gift_card"] <= 3


def price_met(look: Look) -> bool | None:
    """Whether the payments add up to the price by the airline's own fares."""
    if look.cents is None:
        return None
    return sum(amount for _, amount, _ in _methods(look)) * CENTS == -look.cents


def balances_cover(look: Look) -> bool:
    """Whether no gift card or certificate is asked for more than it holds."""
    return all(
        method is None or method.source == "credit_card" or amount <= method.amount
        for _, amount, method in _methods(look)
    )


def fares_right(look: Look) -> bool:
    """Whether no fare that the agent wrote beside a flight differs from the airline's."""
    cabin = look.text("cabin")
    return all(
        "price" not in one
        or one["price"]
        == look.shop.flights.peek(one["flight_number"]).dates[one["date"]].prices[cabin]
        for one in look.entries("flights")
    )


def methods_told(look: Look) -> bool:
    """Whether the thread names every way of paying of a booking."""
    user = user_of(look)
    return all(method_named(look, user, id_, paid_by=set()) for id_, _, _ in _methods(look))


def insurance_asked(look: Look) -> bool:
    """Whether the customer spoke of the insurance and did not decline it, or none is sold."""
    wanted = look.text("insurance") == "yes"
    return not wanted or look.thread.customer_says(_INSURANCE, unless=_NO_INSURANCE)


RULES: Final[Mapping[str, RulesOfTool]] = {
    "book_reservation": (
        named(people, journey_fits, connects, fares_right, bags_due)
        | named(methods_known, methods_allowed, price_met, balances_cover),
        named(agreed, amount_told, flights_told, cabin_told, methods_told, people_known)
        | named(bags_asked, insurance_asked),
    )
}
