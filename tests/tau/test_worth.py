"""Money worked out before a call, against sums done by hand from the shops' records."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.tau.client import Backend

BOOKING: dict[str, Any] = {
    "user_id": "liam_taylor_3449",
    "origin": "BOS",
    "destination": "PHX",
    "flight_type": "one_way",
    "cabin": "economy",
    "flights": [
        {"flight_number": "HAT006", "date": "2024-05-24"},
        {"flight_number": "HAT236", "date": "2024-05-24"},
    ],
    "passengers": [{}, {}],
    "payment_methods": [],
    "total_baggages": 3,
    "nonfree_baggages": 1,
    "insurance": "yes",
}
"""Two people at 120 + 116 and 30 for insurance each, one paid bag: 582 dollars."""

UPGRADE: dict[str, Any] = {
    "reservation_id": "1AKIA8",
    "cabin": "business",
    "flights": [
        {"flight_number": "HAT070", "date": "2024-05-22"},
        {"flight_number": "HAT297", "date": "2024-05-23"},
    ],
    "payment_id": "credit_card_6082923",
}
"""Two people who paid 196 + 169 each; business costs 312 + 240 each."""

BAGS = {"reservation_id": "1AKIA8", "total_baggages": 4, "payment_id": "credit_card_6082923"}


@pytest.mark.parametrize(
    ("tool", "arguments", "cents"),
    [
        ("cancel_pending_order", {"order_id": "#W5183325", "reason": "no longer needed"}, 31660),
        # the reason is the backend's business: what it would move is known without it
        ("cancel_pending_order", {"order_id": "#W5183325"}, 31660),
        (
            "return_delivered_order_items",
            {"order_id": "#W6015009", "item_ids": ["4241599783", "9672174103"]},
            260659,
        ),
        ("return_delivered_order_items", {"order_id": "#W6015009", "item_ids": []}, 0),
        (
            "modify_pending_order_items",
            {"order_id": "#W5183325", "item_ids": ["1421289881"], "new_item_ids": ["9025753381"]},
            26877 - 23158,
        ),
        (
            "exchange_delivered_order_items",
            {"order_id": "#W6015009", "item_ids": ["9025753381"], "new_item_ids": ["1421289881"]},
            23158 - 26877,
        ),
        ("modify_pending_order_payment", {"order_id": "#W5183325"}, 0),
        ("modify_user_address", {"user_id": "noah_brown_6181"}, 0),
        ("get_order_details", {"order_id": "#W5183325"}, 0),
        ("no_such_tool", {}, 0),
    ],
)
def test_retail(backend: Backend, tool: str, arguments: dict[str, Any], cents: int) -> None:
    """A refund is the total or the items' price; a swap is old less new."""
    assert backend.value_cents(backend.open("retail"), tool, arguments) == cents


@pytest.mark.parametrize(
    ("tool", "arguments", "cents"),
    [
        ("book_reservation", BOOKING, -58200),
        ("cancel_reservation", {"reservation_id": "1AKIA8"}, 73000),
        ("update_reservation_flights", UPGRADE, 2 * (19600 + 16900 - 31200 - 24000)),
        # in its own cabin a kept segment keeps its price, so nothing moves
        ("update_reservation_flights", {**UPGRADE, "cabin": "economy"}, 0),
        ("update_reservation_baggages", {**BAGS, "nonfree_baggages": 2}, -10000),
        ("update_reservation_baggages", {**BAGS, "nonfree_baggages": 0}, 0),
        ("send_certificate", {"user_id": "mia_jackson_2156", "amount": 150}, 15000),
        ("send_certificate", {"user_id": "mia_jackson_2156", "amount": "150"}, 15000),
        ("update_reservation_passengers", {"reservation_id": "1AKIA8"}, 0),
    ],
)
def test_airline(backend: Backend, tool: str, arguments: dict[str, Any], cents: int) -> None:
    """Fares, insurance and bags at the shop's prices, whatever the agent wrote."""
    assert backend.value_cents(backend.open("airline"), tool, arguments) == cents


@pytest.mark.parametrize(
    ("domain", "tool", "arguments"),
    [
        ("retail", "cancel_pending_order", {}),
        ("retail", "cancel_pending_order", {"order_id": "#W0"}),
        ("retail", "cancel_pending_order", {"order_id": ["#W5183325"]}),
        ("retail", "return_delivered_order_items", {"order_id": "#W6015009", "item_ids": "9"}),
        (
            "retail",
            "return_delivered_order_items",
            {"order_id": "#W6015009", "item_ids": ["9672174103", "9672174103"]},
        ),
        (
            "retail",
            "modify_pending_order_items",
            {"order_id": "#W5183325", "item_ids": ["1421289881"], "new_item_ids": []},
        ),
        ("airline", "book_reservation", {**BOOKING, "passengers": 2}),
        ("airline", "book_reservation", {**BOOKING, "cabin": "first"}),
        ("airline", "book_reservation", {**BOOKING, "flights": [{"flight_number": "HAT006"}]}),
        ("airline", "update_reservation_baggages", {**BAGS, "nonfree_baggages": None}),
        ("airline", "send_certificate", {"user_id": "nobody", "amount": 1}),
        ("airline", "send_certificate", {"user_id": "mia_jackson_2156", "amount": True}),
        ("airline", "send_certificate", {"user_id": "mia_jackson_2156", "amount": "nan"}),
        ("airline", "send_certificate", {"user_id": "mia_jackson_2156", "amount": "1e99"}),
        ("airline", "send_certificate", {"user_id": "mia_jackson_2156", "amount": 10**12}),
    ],
)
def test_what_cannot_be_worked_out_is_unknown(
    backend: Backend, domain: str, tool: str, arguments: dict[str, Any]
) -> None:
    """Never a guess and never an error: None, which a gateway must treat as the worst."""
    assert backend.value_cents(backend.open(domain), tool, arguments) is None


def test_the_value_follows_what_the_conversation_did(backend: Backend) -> None:
    """After a cancellation there is nothing left to give back."""
    session = backend.open("airline")
    backend.call(session, "cancel_reservation", {"reservation_id": "1AKIA8"})
    assert backend.value_cents(session, "cancel_reservation", {"reservation_id": "1AKIA8"}) == 0


@pytest.mark.parametrize(
    ("domain", "arguments", "customer"),
    [
        ("retail", {"order_id": "#W5183325"}, "ivan_santos_6635"),
        # the record decides, not the agent's word
        ("retail", {"order_id": "#W5183325", "user_id": "noah_brown_6181"}, "ivan_santos_6635"),
        ("retail", {"user_id": "noah_brown_6181"}, "noah_brown_6181"),
        ("retail", {"user_id": "nobody"}, None),
        ("retail", {"order_id": "#W0", "user_id": "noah_brown_6181"}, None),
        ("retail", {"order_id": {}}, None),
        ("retail", {}, None),
        ("airline", {"reservation_id": "1AKIA8"}, "mei_hernandez_8984"),
    ],
)
def test_whose_account_a_call_touches(
    backend: Backend, domain: str, arguments: dict[str, Any], customer: str | None
) -> None:
    """The owner comes from the shop's records."""
    assert backend.customer_of(backend.open(domain), arguments) == customer
