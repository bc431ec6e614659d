"""What a call would move, worked out from the shop's database before the call is made.

Every rule here comes from the desks' own written rules and the records the backend keeps; rules.md
says which. Nothing is taken from the agent's words beyond the arguments of the call itself, and
nothing was fitted to the labels: score.py compares afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

__all__ = ["MOVES", "customer_of", "value_cents"]

Tables: TypeAlias = Any
"""The tables of one conversation: `orders`, `products`, `users` or `flights`, `reservations`,
`users`, each looked up through `Overlay.peek`."""

Arguments: TypeAlias = Mapping[str, Any]

CENTS: Final = 100
BAG_USD: Final = 50
"""Each bag above the free allowance (airline rules, "Book flight")."""
INSURANCE_USD: Final = 30
"""Travel insurance for each passenger (airline rules, "Book flight")."""
MAX_USD: Final = 1_000_000_000
"""Above this a number is a mistake, and treated as one: it cannot be worked out."""

NOT_COMPUTABLE: Final = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What arguments of a wrong shape, or naming a thing that does not exist, raise below."""


def value_cents(shop: Tables, tool: str, arguments: Arguments) -> int | None:
    """Money that moves to the customer if this call is carried out, in US cents.

    Negative when the customer pays; 0 for a tool that moves nothing. None when it cannot be worked
    out: an unknown thing is named, or an argument has a wrong shape. Never raises for bad input.
    """
    rule = MOVES.get(tool)
    if rule is None:
        return 0
    try:
        amount = rule(shop, arguments)
        if not abs(amount) <= MAX_USD:
            return None
        return int((amount * CENTS).to_integral_value())
    except NOT_COMPUTABLE:
        return None


def customer_of(shop: Tables, arguments: Arguments) -> str | None:
    """Whose account the call touches, by the shop's own records; None when it names nobody known.

    The owner of the order or reservation named, else the customer named by `user_id`.
    """
    try:
        if "order_id" in arguments:
            return str(shop.orders.peek(arguments["order_id"]).user_id)
        if "reservation_id" in arguments:
            return str(shop.reservations.peek(arguments["reservation_id"]).user_id)
        if "user_id" in arguments:
            return str(shop.users.peek(arguments["user_id"]).user_id)
    except NOT_COMPUTABLE:
        return None
    return None


def _usd(amount: object) -> Decimal:
    """A number as it is written. ValueError for what is not one: True is not 1."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float, str)):
        raise TypeError("not an amount")
    return Decimal(str(amount))


def _total(amounts: Sequence[object]) -> Decimal:
    return sum((_usd(amount) for amount in amounts), Decimal(0))


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _texts(value: object) -> list[str]:
    texts = _list(value)
    if not all(isinstance(one, str) for one in texts):
        raise TypeError("not a list of texts")
    return texts


def _paid_for_order(shop: Tables, arguments: Arguments) -> Decimal:
    """Cancelling gives the total back: what was paid, less what already went back."""
    history = shop.orders.peek(arguments["order_id"]).payment_history
    paid = [one.amount for one in history if one.transaction_type == "payment"]
    back = [one.amount for one in history if one.transaction_type == "refund"]
    return _total(paid) - _total(back)


def _prices_of_items(order: Any, item_ids: Sequence[str]) -> list[object]:
    """What was charged for each of these items. LookupError if the order has fewer of one."""
    if Counter(item_ids) - Counter(item.item_id for item in order.items):
        raise LookupError("the order does not have all these items")
    charged = {item.item_id: item.price for item in reversed(order.items)}
    return [charged[item_id] for item_id in item_ids]


def _returned_items(shop: Tables, arguments: Arguments) -> Decimal:
    """A return gives back what was charged for the items."""
    order = shop.orders.peek(arguments["order_id"])
    return _total(_prices_of_items(order, _texts(arguments["item_ids"])))


def _swapped_items(shop: Tables, arguments: Arguments) -> Decimal:
    """A change or exchange of items pays the difference, old price less new price."""
    order = shop.orders.peek(arguments["order_id"])
    old = _texts(arguments["item_ids"])
    new = _texts(arguments["new_item_ids"])
    if len(old) != len(new):
        raise ValueError("as many new items as old ones")
    product = {item.item_id: item.product_id for item in order.items}
    before = _total(_prices_of_items(order, old))
    after = [
        shop.products.peek(product[old_id]).variants[new_id].price
        for old_id, new_id in zip(old, new, strict=True)
    ]
    return before - _total(after)


def _booking(shop: Tables, arguments: Arguments) -> Decimal:
    """A booking costs fare, insurance and bags, at the shop's prices, whatever the agent wrote."""
    people = len(_list(arguments["passengers"]))
    flights = _list(arguments["flights"])
    fares = _total([_fare(shop, one, arguments["cabin"]) for one in flights])
    insured = INSURANCE_USD if arguments["insurance"] == "yes" else 0
    bags = BAG_USD * _usd(arguments["nonfree_baggages"])
    return -((fares + insured) * people + bags)


def _fare(shop: Tables, flight: Mapping[str, Any], cabin: str) -> object:
    """Price of a seat. AttributeError when that flight is not for sale on that day."""
    return shop.flights.peek(flight["flight_number"]).dates[flight["date"]].prices[cabin]


def _paid_for_reservation(shop: Tables, arguments: Arguments) -> Decimal:
    """Cancelling gives back all that was paid, less what already went back."""
    history = shop.reservations.peek(arguments["reservation_id"]).payment_history
    return _total([one.amount for one in history])


def _changed_flights(shop: Tables, arguments: Arguments) -> Decimal:
    """A change pays the fare difference; a segment kept in its cabin keeps the price it had."""
    reservation = shop.reservations.peek(arguments["reservation_id"])
    cabin = arguments["cabin"]
    kept = {(one.flight_number, one.date): one.price for one in reversed(reservation.flights)}
    if cabin != reservation.cabin:
        kept = {}
    after: list[object] = []
    for flight in _list(arguments["flights"]):
        segment = (flight["flight_number"], flight["date"])
        after.append(kept[segment] if segment in kept else _fare(shop, flight, cabin))
    before = [one.price for one in reservation.flights]
    return (_total(before) - _total(after)) * len(reservation.passengers)


def _added_bags(shop: Tables, arguments: Arguments) -> Decimal:
    """Bags above the free allowance that were not yet paid for; fewer bags give nothing back."""
    reservation = shop.reservations.peek(arguments["reservation_id"])
    more = _usd(arguments["nonfree_baggages"]) - _usd(reservation.nonfree_baggages)
    return -BAG_USD * max(Decimal(0), more)


def _certificate(shop: Tables, arguments: Arguments) -> Decimal:
    """A certificate is worth its amount; there must be a customer to send it to."""
    shop.users.peek(arguments["user_id"])
    return _usd(arguments["amount"])


MOVES: Final[Mapping[str, Callable[[Tables, Arguments], Decimal]]] = {
    "cancel_pending_order": _paid_for_order,
    "return_delivered_order_items": _returned_items,
    "modify_pending_order_items": _swapped_items,
    "exchange_delivered_order_items": _swapped_items,
    "book_reservation": _booking,
    "cancel_reservation": _paid_for_reservation,
    "update_reservation_flights": _changed_flights,
    "update_reservation_baggages": _added_bags,
    "send_certificate": _certificate,
}
"""The tools that move money, each with the rule for how much, in US dollars to the customer."""
