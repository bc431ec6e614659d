"""The shop's facts: what its written rules ask about, read from its records and the thread."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.tau.rule import Look, RulesOfTool, agreed, amount_told, method_named, named
from benchmarks.tau.worth import CENTS

__all__ = ["RULES"]

_REASONS: Final = {
    "no longer needed": re.compile(
        r"\bno longer (need|want|require)|\b(don't|do not|doesn't|didn't|not) (really )?"
        r"(need|want)\b|\bchanged my mind\b|\bnot needed\b"
    ),
    "ordered by mistake": re.compile(r"\b(mistake|mistakenly|accident|accidentally|in error)\b"),
}
"""The two reasons that the rules accept, and how a customer says them."""

_ADDRESS: Final = ("address1", "city", "state", "country", "zip")
"""Every part that an address has; the second line is not among them."""


def _order(look: Look) -> Any:
    return look.shop.orders.peek(look.text("order_id"))


def _user(look: Look) -> Any:
    if "user_id" in look.arguments:
        return look.shop.users.peek(look.text("user_id"))
    return look.shop.users.peek(_order(look).user_id)


def status(look: Look) -> str:
    """The state of the order; `pending` no more once its items were changed."""
    return str(_order(look).status)


def items_in_order(look: Look) -> bool:
    """Whether the order has all the items named, each as often as it is named."""
    items = look.texts("item_ids")
    return bool(items) and not Counter(items) - Counter(one.item_id for one in _order(look).items)


def _swaps(look: Look) -> Iterator[tuple[Any, Any]]:
    """Each item of the order with its new variant. LookupError when either does not exist."""
    kept = {one.item_id: one for one in reversed(_order(look).items)}
    for old, new in zip(look.texts("item_ids"), look.texts("new_item_ids"), strict=True):
        item = kept[old]
        yield item, look.shop.products.peek(item.product_id).variants.get(new)


def new_items_fit(look: Look) -> bool:
    """Whether each new item is of the same product and in stock."""
    if len(look.texts("item_ids")) != len(look.texts("new_item_ids")):
        return False
    return all(new is not None and new.available for _, new in _swaps(look))


def options_differ(look: Look) -> bool:
    """Whether each new item is another one than the old."""
    return all(new is None or new.item_id != old.item_id for old, new in _swaps(look))


def method(look: Look) -> str:
    """What kind of payment method of the customer is named, `none` if it is not in the profile."""
    found = _user(look).payment_methods.get(look.text("payment_method_id"))
    return "none" if found is None else str(found.source)


def method_is_original(look: Look) -> bool:
    """Whether that is how the order was paid."""
    return look.text("payment_method_id") in _paid_by(look)


def _paid_by(look: Look) -> set[str]:
    history = _order(look).payment_history
    return {one.payment_method_id for one in history if one.transaction_type == "payment"}


def method_covers(look: Look) -> bool | None:
    """Whether a gift card holds what the customer has to pay; any other method is not asked."""
    found = _user(look).payment_methods[look.text("payment_method_id")]
    if found.source != "gift_card":
        return True
    return None if look.cents is None else round(found.balance * CENTS) >= -look.cents


def total_covered(look: Look) -> bool:
    """Whether a gift card holds the order's total; any other method is not asked."""
    found = _user(look).payment_methods[look.text("payment_method_id")]
    history = _order(look).payment_history
    total = sum(one.amount for one in history if one.transaction_type == "payment")
    return bool(found.source != "gift_card" or found.balance >= total)


def payments(look: Look) -> int:
    """How many entries the payment history has: one, unless it was changed before."""
    return len(_order(look).payment_history)


def address_complete(look: Look) -> bool:
    """Whether no part of the address is empty."""
    return all(look.text(part).strip() for part in _ADDRESS)


def address_told(look: Look) -> bool:
    """Whether the customer wrote the address, or it is one that the customer's records have."""
    street, code = look.text("address1"), look.text("zip")
    user = _user(look)
    kept = [user.address, *(look.shop.orders.peek(one).address for one in user.orders)]
    if any((one.address1, one.zip) == (street, code) for one in kept):
        return True
    return look.thread.customer_names(street, code)


def order_told(look: Look) -> bool:
    """Whether the order stands in the thread."""
    return look.thread.names(look.text("order_id").removeprefix("#"))


def items_told(look: Look) -> bool:
    """Whether every item stands in the thread, by its number or its name."""
    kept = {one.item_id: one for one in _order(look).items}
    return all(
        look.thread.names(one) or look.thread.names(kept[one].name)
        for one in look.texts("item_ids")
    )


def new_items_told(look: Look) -> bool:
    """Whether every new item stands in the thread, by its number or by each option that changes."""
    return all(new is not None and _is_told(look, old, new) for old, new in _swaps(look))


def _is_told(look: Look, old: Any, new: Any) -> bool:
    if look.thread.names(new.item_id):
        return True
    changed = [value for name, value in new.options.items() if old.options.get(name) != value]
    return bool(changed) and look.thread.names(*changed)


def method_told(look: Look) -> bool:
    """Whether the thread names the way of paying, where anything is paid or paid back."""
    id_ = look.text("payment_method_id")
    return method_named(look, _user(look), id_, paid_by=_paid_by(look))


def reason_told(look: Look) -> bool:
    """Whether the reason stands in the thread, or the customer said it in other words."""
    reason = look.text("reason")
    return look.thread.names(reason) or look.thread.customer_says(_REASONS[reason])


RULES: Final[Mapping[str, RulesOfTool]] = {
    "cancel_pending_order": (named(status), named(agreed, amount_told, order_told, reason_told)),
    "return_delivered_order_items": (
        named(status, items_in_order, method, method_is_original),
        named(agreed, amount_told, order_told, items_told, method_told),
    ),
    "exchange_delivered_order_items": (
        named(status, items_in_order, new_items_fit, options_differ, method, method_covers),
        named(agreed, amount_told, order_told, items_told, new_items_told, method_told),
    ),
    "modify_pending_order_items": (
        named(status, items_in_order, new_items_fit, options_differ, method, method_covers),
        named(agreed, amount_told, order_told, items_told, new_items_told, method_told),
    ),
    "modify_pending_order_payment": (
        named(status, payments, method, method_is_original, total_covered),
        named(agreed, order_told, method_told),
    ),
    "modify_pending_order_address": (
        named(status, address_complete),
        named(agreed, order_told, address_told),
    ),
    "modify_user_address": (named(address_complete), named(agreed, address_told)),
}
