"""Facts read before a call, against the shops' own records: a table for each tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from benchmarks.tau.client import Backend, BackendWrong
from benchmarks.tau.facts import RULES
from benchmarks.tau.strategies import is_write, pack_of

CARD: Final = "credit_card_6082923"
KEPT: Final = [
    {"flight_number": "HAT070", "date": "2024-05-22"},
    {"flight_number": "HAT297", "date": "2024-05-23"},
]
"""The flights of reservation 1AKIA8: Las Vegas, Atlanta, Dallas; two people, economy, gold."""
MEI: Final = {"first_name": "Mei", "last_name": "Hernandez", "dob": "1981-01-11"}
BOOKING: Final[dict[str, Any]] = {
    "user_id": "mei_hernandez_8984",
    "origin": "LAS",
    "destination": "DFW",
    "flight_type": "one_way",
    "cabin": "economy",
    "flights": KEPT,
    "passengers": [MEI],
    "payment_methods": [{"payment_id": CARD, "amount": 0}],
    "total_baggages": 4,
    "nonfree_baggages": 1,
    "insurance": "no",
}
SWAP: Final = {
    "order_id": "#W5183325",
    "item_ids": ["1421289881"],
    "new_item_ids": ["2299424241"],
    "payment_method_id": "paypal_6151711",
}
BACK: Final = {
    "order_id": "#W6015009",
    "item_ids": ["4241599783", "9672174103"],
    "payment_method_id": "credit_card_5884162",
}
HOME: Final = {
    "address1": "986 Sunset Drive",
    "city": "Denver",
    "state": "CO",
    "country": "USA",
    "zip": "80279",
}

Row = tuple[str, dict[str, Any], dict[str, Any]]

RECORDS: Final[list[Row]] = [
    # cancelling: economy, flown, insured, just booked, cancelled by the airline, unknown
    (
        "cancel_reservation",
        {"reservation_id": "V75SFJ"},
        {
            "already_cancelled": False,
            "flown": False,
            "airline_cancelled": False,
            "cabin_before": "basic_economy",
            "insured": False,
            "minutes_since_booking": 18190,
        },
    ),
    ("cancel_reservation", {"reservation_id": "NQNU5R"}, {"flown": True}),
    ("cancel_reservation", {"reservation_id": "M61CQM"}, {"flown": True}),
    ("cancel_reservation", {"reservation_id": "GYJ4P7"}, {"airline_cancelled": True}),
    ("cancel_reservation", {"reservation_id": "GYJ4P7"}, {"insured": True, "flown": False}),
    ("cancel_reservation", {"reservation_id": "JEPRZB"}, {"minutes_since_booking": 902}),
    ("cancel_reservation", {"reservation_id": "NOBODY"}, {"flown": None, "insured": None}),
    ("cancel_reservation", {"reservation_id": 7}, {"flown": None, "cabin_before": None}),
    # flights: another cabin, other flights, another journey, another day, a missing leg
    (
        "update_reservation_flights",
        {"reservation_id": "1AKIA8", "cabin": "business", "flights": KEPT, "payment_id": CARD},
        {
            "already_cancelled": False,
            "flown": False,
            "cabin_before": "economy",
            "cabin_changes": True,
            "flights_change": False,
            "same_journey": True,
            "connects": True,
            "method": "credit_card",
            "method_is_original": True,
        },
    ),
    *(
        (
            "update_reservation_flights",
            {"reservation_id": "1AKIA8", "cabin": "economy", "flights": flights, "payment_id": id_},
            found,
        )
        for flights, id_, found in (
            (KEPT[:1], CARD, {"same_journey": False, "flights_change": True}),
            (KEPT[::-1], CARD, {"same_journey": False, "connects": False}),
            ([], CARD, {"same_journey": False, "connects": True}),
            ([{"flight_number": "HAT999", "date": "2024-05-22"}], CARD, {"same_journey": None}),
            ([{"date": "2024-05-22"}], CARD, {"flights_change": None, "connects": None}),
            ("HAT070", CARD, {"flights_change": None, "same_journey": None}),
            (KEPT, "certificate_7502997", {"method": "certificate", "flights_change": False}),
            (KEPT, "gift_card_5309492", {"method": "gift_card", "method_is_original": False}),
            (KEPT, "credit_card_1", {"method": "none", "cabin_changes": False}),
        )
    ),
    # bags: gold in economy, three free for each of two
    *(
        (
            "update_reservation_baggages",
            {"reservation_id": "1AKIA8", "total_baggages": bags, "payment_id": CARD},
            {
                "already_cancelled": False,
                "bags_before": 1,
                "bags_due": due,
                "method": "credit_card",
            },
        )
        for bags, due in ((6, 0), (7, 1), (9, 3), (None, None), (1.5, None), (True, None))
    ),
    # passengers
    (
        "update_reservation_passengers",
        {"reservation_id": "1AKIA8", "passengers": [MEI]},
        {"people": 1, "people_before": 2, "already_cancelled": False},
    ),
    (
        "update_reservation_passengers",
        {"reservation_id": "1AKIA8", "passengers": "Mei"},
        {"people": None, "people_before": 2},
    ),
    # certificates: 100 for each of three people, cancelled; 50 for one, delayed and not changed
    *(
        (
            "send_certificate",
            {"user_id": user, "amount": amount},
            {"eligible": eligible, "amount_fits": fits, "due_by_now": due, "sent_before": 0},
        )
        for user, amount, eligible, fits, due in (
            ("noah_silva_2256", 300, True, True, True),
            ("noah_silva_2256", 290, True, False, False),
            ("noah_muller_9847", 50, True, True, False),
            ("noah_muller_9847", 100, True, False, False),
        )
    ),
    (
        "send_certificate",
        {"user_id": "nobody", "amount": 50},
        {"eligible": None, "amount_fits": None, "due_by_now": None, "sent_before": None},
    ),
    # a booking: one person, gold, three free bags; the fare of the day is the airline's
    (
        "book_reservation",
        BOOKING,
        {
            "people": 1,
            "journey_fits": True,
            "connects": True,
            "fares_right": True,
            "bags_due": 1,
            "methods_known": True,
            "methods_allowed": True,
            "price_met": False,
            "balances_cover": True,
        },
    ),
    *(
        ("book_reservation", {**BOOKING, **change}, found)
        for change, found in (
            ({"destination": "ATL"}, {"journey_fits": False}),
            ({"flight_type": "round_trip"}, {"journey_fits": False}),
            ({"flights": [{**KEPT[0], "price": 1}]}, {"fares_right": False}),
            ({"flights": [{**KEPT[0], "date": "2024-06-22"}]}, {"price_met": None}),
            ({"cabin": "business"}, {"bags_due": 0}),
            ({"cabin": "first"}, {"bags_due": None, "price_met": None}),
            ({"passengers": [MEI] * 6}, {"people": 6, "bags_due": 0}),
            ({"payment_methods": "card"}, {"methods_known": None, "price_met": None}),
        )
    ),
    *(
        (
            "book_reservation",
            {**BOOKING, "payment_methods": [{"payment_id": id_, "amount": n} for id_, n in paid]},
            {"methods_known": known, "methods_allowed": allowed, "balances_cover": cover},
        )
        for paid, known, allowed, cover in (
            ([("gift_card_5309492", 98)], True, True, True),
            ([("gift_card_5309492", 99)], True, True, False),
            ([("certificate_7502997", 250), (CARD, 1)], True, True, True),
            ([("certificate_7502997", 1), ("certificate_3321326", 1)], True, False, True),
            ([(CARD, 1), ("credit_card_2140654", 1)], True, False, True),
            ([(CARD, 1), (CARD, 1)], False, False, True),
            ([("credit_card_1", 1)], False, True, True),
            ([(CARD, 0.5)], None, None, None),
        )
    ),
    # retail
    ("cancel_pending_order", {"order_id": "#W5183325"}, {"status": "pending"}),
    ("cancel_pending_order", {"order_id": "#W6310710"}, {"status": "processed"}),
    ("cancel_pending_order", {"order_id": "#W0"}, {"status": None}),
    (
        "return_delivered_order_items",
        BACK,
        {
            "status": "delivered",
            "items_in_order": True,
            "method": "credit_card",
            "method_is_original": True,
        },
    ),
    *(
        ("return_delivered_order_items", {**BACK, **change}, found)
        for change, found in (
            ({"item_ids": ["4241599783"] * 2}, {"items_in_order": False}),
            ({"item_ids": []}, {"items_in_order": False}),
            ({"item_ids": "4241599783"}, {"items_in_order": None}),
            ({"payment_method_id": "paypal_1"}, {"method": "none", "method_is_original": False}),
        )
    ),
    *(
        (tool, {**SWAP, **change}, found)
        for tool in ("exchange_delivered_order_items", "modify_pending_order_items")
        for change, found in (
            (
                {},
                {
                    "status": "pending",
                    "items_in_order": True,
                    "new_items_fit": True,
                    "options_differ": True,
                    "method": "paypal",
                    "method_covers": True,
                },
            ),
            # not in stock, another product, one that does not exist, itself, one too few
            ({"new_item_ids": ["9025753381"]}, {"new_items_fit": False}),
            ({"new_item_ids": ["2193628750"]}, {"new_items_fit": False}),
            ({"new_item_ids": ["0"]}, {"new_items_fit": False, "options_differ": True}),
            ({"new_item_ids": ["1421289881"]}, {"options_differ": False}),
            ({"new_item_ids": []}, {"new_items_fit": False, "options_differ": None}),
            ({"item_ids": ["0"]}, {"items_in_order": False, "new_items_fit": None}),
            ({"payment_method_id": "paypal_1"}, {"method": "none", "method_covers": None}),
        )
    ),
    # a gift card of 51 dollars, and an order of 94.68
    (
        "modify_pending_order_payment",
        {"order_id": "#W6310710", "payment_method_id": "gift_card_4374071"},
        {
            "status": "processed",
            "payments": 1,
            "method": "gift_card",
            "method_is_original": True,
            "total_covered": False,
        },
    ),
    (
        "modify_pending_order_payment",
        {"order_id": "#W6310710", "payment_method_id": "credit_card_8955149"},
        {"method_is_original": False, "total_covered": True},
    ),
    *(
        ("modify_pending_order_address", {"order_id": "#W7678072", **HOME, **change}, found)
        for change, found in (
            ({}, {"status": "delivered", "address_complete": True}),
            ({"zip": " "}, {"address_complete": False}),
            ({"zip": 80279}, {"address_complete": None}),
        )
    ),
    ("modify_user_address", {"user_id": "noah_brown_6181", **HOME}, {"address_complete": True}),
]


def domain_of(tool: str) -> str:
    """The desk that has the tool."""
    return "airline" if tool in pack_of("airline").kinds else "retail"


def read(
    backend: Backend, tool: str, arguments: Mapping[str, Any], *said: tuple[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The facts of the records and of the thread, in a fresh database."""
    session = backend.open(domain_of(tool))
    try:
        backend.hear(session, said)
        return backend.facts(session, tool, arguments)
    finally:
        backend.close(session)


@pytest.mark.parametrize(("tool", "arguments", "expected"), RECORDS)
def test_what_the_records_say(
    backend: Backend, tool: str, arguments: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Each value as the records have it; what cannot be worked out is None, and nothing else is."""
    records, _ = read(backend, tool, arguments)
    assert {name: records[name] for name in expected} == expected


@pytest.mark.parametrize("domain", ["retail", "airline"])
def test_every_tool_that_writes_has_facts_and_a_row(domain: str) -> None:
    """And reads have none: nothing is looked up for them."""
    writes = {name for name, rule in pack_of(domain).kinds.items() if is_write(rule)}
    assert writes == {name for name in RULES if name in pack_of(domain).kinds}
    shown: dict[str, set[str]] = {}
    for tool, _, expected in RECORDS:
        shown.setdefault(tool, set()).update(expected)
    for tool in writes:
        assert shown[tool] == set(RULES[tool][0]), tool


@pytest.mark.parametrize("tool", RULES)
def test_nothing_is_known_about_nothing(backend: Backend, tool: str) -> None:
    """Without arguments no fact of the records is known, and no message was written."""
    records, said = read(backend, tool, {})
    assert set(records.values()) == {None}
    assert set(said.values()) <= {None, False}


def test_what_a_conversation_changed_is_seen(backend: Backend) -> None:
    """Facts are those of the records as they are now: a cancellation is known at once."""
    session = backend.open("airline")
    cancel = {"reservation_id": "V75SFJ"}
    before, _ = backend.facts(session, "cancel_reservation", cancel)
    backend.call(session, "cancel_reservation", cancel)
    after, _ = backend.facts(session, "cancel_reservation", cancel)
    assert (before["already_cancelled"], after["already_cancelled"]) == (False, True)
    backend.close(session)


def test_a_certificate_for_a_delay_is_due_after_the_change(backend: Backend) -> None:
    """The delayed flight of 4OG6T3 counts once the reservation was changed, and one is enough."""
    session = backend.open("airline")
    send = {"user_id": "noah_muller_9847", "amount": 50}
    backend.call(session, "cancel_reservation", {"reservation_id": "4OG6T3"})
    records, _ = backend.facts(session, "send_certificate", send)
    assert (records["due_by_now"], records["sent_before"]) == (True, 0)
    backend.call(session, "send_certificate", send)
    records, _ = backend.facts(session, "send_certificate", send)
    assert records["sent_before"] == 1
    backend.close(session)


def test_an_order_whose_payment_was_changed(backend: Backend) -> None:
    """It has more than one entry in its history afterwards, and a changed order is not pending."""
    session = backend.open("retail")
    backend.call(session, "modify_pending_order_items", SWAP)
    records, _ = backend.facts(session, "modify_pending_order_payment", SWAP)
    assert (records["status"], records["payments"]) == ("pending (item modified)", 2)
    backend.close(session)


@pytest.mark.parametrize("messages", ["hello", [["user"]], [["user", 1]], [{"role": "user"}], None])
def test_messages_of_a_wrong_shape(backend: Backend, messages: object) -> None:
    """They are a wrong request, and the thread stays as it was."""
    session = backend.open("retail")
    answer = backend.ask(op="hear", session=session, messages=messages)
    assert (answer["ok"], answer["why"]) == (False, "request")
    with pytest.raises(BackendWrong):
        backend.hear("nowhere", [])
    backend.close(session)
