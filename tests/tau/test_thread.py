"""What is read from a ticket's messages, in rows: what was written, and what that is taken for."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from benchmarks.tau.client import Backend
from benchmarks.tau.facts import RULES
from benchmarks.tau.strategies import pack_of
from benchmarks.tau.thread import CUSTOMER, DESK, Thread

ASKED: Final = (DESK, "I would cancel reservation V75SFJ and return $151. Shall I?")


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [
        ("Yes", True),
        ("YES — please proceed.", True),
        ("Sure, go ahead. Could you also tell me when it arrives?", True),
        ("That works for me; no other changes.", True),
        ("Ok\u2026 do it", True),
        ("Please cancel them all.", True),
        ("Everything looks good!", True),
        ("I'll take the second one.", False),
        ("Is that ok?", False),
        ("Should I confirm?", False),
        ("No.", False),
        ("No, thanks, go ahead with the other one", False),
        ("Yes, but wait until tomorrow", False),
        ("Yes. Hold on, not that one", False),
        ("Ok, I changed my mind", False),
        ("Sure, but don\u2019t book it yet", False),
        ("I do not want to proceed", False),
        ("Yesterday I called already", False),
        ("", False),
    ],
)
def test_an_explicit_yes(answer: str, agreed: bool) -> None:
    """A statement that agrees, and nothing beside it that takes it back or puts it off."""
    assert Thread([ASKED, (CUSTOMER, answer)]).agreed is agreed


@pytest.mark.parametrize(
    ("messages", "agreed"),
    [
        ([], False),
        ([(CUSTOMER, "Yes")], False),
        ([ASKED], False),
        ([ASKED, (CUSTOMER, "Yes"), (DESK, "One moment.")], False),
        ([ASKED, (CUSTOMER, "Yes"), (CUSTOMER, "Please do")], False),
        ([ASKED, (CUSTOMER, "Yes"), ("tool", "{}")], True),
        ([ASKED, (CUSTOMER, "Yes"), (DESK, "  ")], True),
    ],
)
def test_where_a_yes_stands(messages: list[tuple[str, str]], agreed: bool) -> None:
    """It is the customer's last message, and answers the desk's; tools write no messages."""
    assert Thread(messages).agreed is agreed


@pytest.mark.parametrize(
    ("text", "cents", "named"),
    [
        ("It costs $1,234.50.", 123450, True),
        ("It costs 1234.5 dollars", 123450, True),
        ("It costs $1234", 123400, True),
        ("It costs $1,234.00", -123400, True),
        ("It costs 9.05", 905, True),
        ("It costs $11,234", 123400, False),
        ("It costs $1,234.50", 123400, False),
        ("It costs $1234", 12340, False),
        ("It costs 9.5", 905, False),
        ("", 5, False),
    ],
)
def test_an_amount_that_was_named(text: str, cents: int, named: bool) -> None:
    """As it is usually written, and never as a part of another number."""
    assert Thread([(DESK, text)]).names_amount(cents) is named


def test_things_are_named_as_whole_words() -> None:
    """By either side, in any case, and the customer's own words apart."""
    thread = Thread([(DESK, "Order #W12, or #W123?"), (CUSTOMER, "the first; blue\u2011ish")])
    assert thread.names("w12", "W123")
    assert not thread.names("W1")
    assert thread.customer_names("blue-ish")
    assert not thread.customer_names("w12")


def test_what_was_settled() -> None:
    """What the customer wrote, and what the desk wrote last before that; nothing in passing."""
    card, paypal = (DESK, "To the card ending in 1234?"), (DESK, "Refunds go to PayPal.")
    thread = Thread([paypal, (CUSTOMER, "hm"), card, (CUSTOMER, "Yes, to my account"), paypal])
    assert thread.settles("1234", "account")
    assert not thread.settles("paypal")
    assert thread.settles_by(re.compile("card"))
    assert not Thread([card]).settles("1234")


CARD: Final = {"reservation_id": "1AKIA8", "total_baggages": 7, "nonfree_baggages": 1}
PAID: Final = {**CARD, "payment_id": "credit_card_6082923"}
OTHER: Final = {**CARD, "payment_id": "gift_card_5309492"}
LEAVE: Final = {"reservation_id": "GYJ4P7"}
BOOK: Final = {
    "user_id": "mei_hernandez_8984",
    "cabin": "basic_economy",
    "flights": [{"flight_number": "HAT070", "date": "2024-05-22"}],
    "passengers": [{"first_name": "Mei", "last_name": "Hernandez", "dob": "1981-01-11"}],
    "payment_methods": [{"payment_id": "gift_card_5309492", "amount": 1}],
    "total_baggages": 1,
    "insurance": "yes",
}
KIM: Final = {"first_name": "Kim", "last_name": "Lee", "dob": "1990-02-03"}
FLY: Final = {
    "reservation_id": "1AKIA8",
    "cabin": "economy",
    "flights": [
        {"flight_number": "HAT070", "date": "2024-05-22"},
        {"flight_number": "HAT001", "date": "2024-05-23"},
    ],
}
SEND: Final = {"user_id": "noah_silva_2256", "amount": 300}
DROP: Final = {"order_id": "#W5183325", "reason": "no longer needed"}
SWAP: Final = {
    "order_id": "#W5183325",
    "item_ids": ["1421289881"],
    "new_item_ids": ["2299424241"],
    "payment_method_id": "paypal_6151711",
}
BACK: Final = {"order_id": "#W7678072", "item_ids": ["2193628750"]}
MOVE: Final = {"order_id": "#W5183325", "address1": "1 Elm Street", "zip": "80014"}

Row = tuple[str, dict[str, Any], str, str, bool | None]


@pytest.mark.parametrize(
    ("tool", "arguments", "fact", "said", "value"),
    [
        # who is who: `C:` begins what the customer wrote, `D:` what the desk wrote
        ("cancel_reservation", LEAVE, "agreed", "D: Cancel GYJ4P7? C: Yes", True),
        ("cancel_reservation", LEAVE, "reservation_told", "D: Cancel gyj4p7?", True),
        ("cancel_reservation", LEAVE, "reservation_told", "D: Cancel GYJ4P70?", False),
        ("cancel_reservation", LEAVE, "covered_reason_told", "C: I am sick.", True),
        ("cancel_reservation", LEAVE, "covered_reason_told", "C: A snowstorm hit us.", True),
        ("cancel_reservation", LEAVE, "covered_reason_told", "C: My plans changed.", False),
        ("cancel_reservation", LEAVE, "covered_reason_told", "D: Are you sick?", False),
        ("cancel_reservation", LEAVE, "amount_told", "D: You get 1 dollar", False),
        ("cancel_reservation", {"reservation_id": "NOBODY"}, "amount_told", "C: $1", None),
        ("update_reservation_baggages", PAID, "amount_told", "D: The bag is $50.", True),
        ("update_reservation_baggages", PAID, "amount_told", "D: The bag is $500.", False),
        ("update_reservation_baggages", PAID, "bags_asked", "C: One more suitcase.", True),
        ("update_reservation_baggages", PAID, "bags_asked", "D: One more suitcase?", False),
        ("update_reservation_baggages", {**PAID, "total_baggages": 1}, "bags_asked", "", True),
        ("update_reservation_baggages", PAID, "method_told", "C: Use the visa ending 3202", True),
        ("update_reservation_baggages", PAID, "method_told", "C: credit_card_6082923", True),
        ("update_reservation_baggages", PAID, "method_told", "C: The original card.", True),
        # two credit cards: any of them
        ("update_reservation_baggages", PAID, "method_told", "C: My credit card.", False),
        ("update_reservation_baggages", OTHER, "method_told", "C: My gift card.", True),
        ("update_reservation_baggages", OTHER, "method_told", "C: The original card.", False),
        ("update_reservation_baggages", OTHER, "method_told", "D: A gift card? C: Yes", True),
        ("update_reservation_baggages", OTHER, "method_told", "D: A gift card?", False),
        ("update_reservation_flights", FLY, "flights_told", "D: HAT001 on the 23rd?", True),
        ("update_reservation_flights", FLY, "flights_told", "D: HAT070 then?", False),
        ("update_reservation_flights", FLY, "cabin_told", "", True),
        ("update_reservation_flights", {**FLY, "cabin": "business"}, "cabin_told", "", False),
        (
            *("update_reservation_flights", {**FLY, "cabin": "business"}),
            *("cabin_told", "C: Business, please", True),
        ),
        ("book_reservation", BOOK, "cabin_told", "C: Basic Economy", True),
        ("book_reservation", BOOK, "cabin_told", "C: Economy", False),
        ("book_reservation", {**BOOK, "cabin": "economy"}, "cabin_told", "C: basic economy", False),
        ("book_reservation", BOOK, "flights_told", "D: HAT070?", True),
        ("book_reservation", BOOK, "methods_told", "C: My gift card.", True),
        ("book_reservation", BOOK, "methods_told", "C: My card.", False),
        ("book_reservation", BOOK, "insurance_asked", "C: With insurance, please.", True),
        ("book_reservation", BOOK, "insurance_asked", "C: No insurance, thanks.", False),
        ("book_reservation", BOOK, "insurance_asked", "C: No insurance. C: Insure me!", True),
        ("book_reservation", BOOK, "insurance_asked", "D: Do you want insurance?", False),
        ("book_reservation", {**BOOK, "insurance": "no"}, "insurance_asked", "", True),
        ("book_reservation", BOOK, "bags_asked", "C: and a bag", True),
        ("book_reservation", BOOK, "bags_asked", "", False),
        ("book_reservation", BOOK, "people_known", "", True),
        ("book_reservation", {**BOOK, "passengers": [KIM]}, "people_known", "", False),
        (
            *("book_reservation", {**BOOK, "passengers": [KIM]}),
            *("people_known", "C: Kim Lee, born February 3rd 1990", True),
        ),
        (
            *("book_reservation", {**BOOK, "passengers": [KIM]}),
            *("people_known", "D: Kim Lee, born 1990-02-03?", False),
        ),
        (
            *("update_reservation_passengers", {"reservation_id": "1AKIA8", "passengers": [KIM]}),
            *("people_known", "C: Kim Lee, 1990-02-03", True),
        ),
        ("send_certificate", SEND, "compensation_asked", "C: I want compensation.", True),
        ("send_certificate", SEND, "compensation_asked", "D: Do you want a certificate?", False),
        ("send_certificate", SEND, "due_is_named", "C: My flight GYJ4P7 was cancelled", True),
        ("send_certificate", SEND, "due_is_named", "C: My flight was cancelled", False),
        ("cancel_pending_order", DROP, "order_told", "C: Order W5183325", True),
        ("cancel_pending_order", DROP, "reason_told", "C: I don't need it.", True),
        ("cancel_pending_order", DROP, "reason_told", "D: As no longer needed? C: Yes", True),
        ("cancel_pending_order", DROP, "reason_told", "C: It is too expensive.", False),
        ("cancel_pending_order", {**DROP, "reason": "bored"}, "reason_told", "C: So?", None),
        ("return_delivered_order_items", BACK, "items_told", "C: The gaming mouse", True),
        ("return_delivered_order_items", BACK, "items_told", "C: Item 2193628750", True),
        ("return_delivered_order_items", BACK, "items_told", "C: The mouse", False),
        ("modify_pending_order_items", SWAP, "new_items_told", "D: Item 2299424241?", True),
        ("modify_pending_order_items", SWAP, "new_items_told", "C: clicky and rgb", True),
        ("modify_pending_order_items", SWAP, "new_items_told", "C: clicky", False),
        ("exchange_delivered_order_items", SWAP, "amount_told", "D: You get $31.29", True),
        ("exchange_delivered_order_items", SWAP, "method_told", "C: Paypal", True),
        ("modify_pending_order_payment", SWAP, "method_told", "C: the card", False),
        ("modify_pending_order_address", MOVE, "address_told", "C: 1 Elm Street, 80014", True),
        ("modify_pending_order_address", MOVE, "address_told", "D: 1 Elm Street, 80014?", False),
        ("modify_pending_order_address", MOVE, "address_told", "C: 11 Elm Street, 80014", False),
        # the address of the customer's own profile
        (
            *("modify_user_address", {"user_id": "ivan_santos_6635", "zip": "75277"}),
            *("address_told", "", None),
        ),
        (
            *(
                "modify_user_address",
                {"user_id": "ivan_santos_6635", "address1": "477 Park Avenue", "zip": "75277"},
            ),
            *("address_told", "", True),
        ),
    ],
)
def test_what_the_messages_say(
    backend: Backend, tool: str, arguments: dict[str, Any], fact: str, said: str, value: bool | None
) -> None:
    """One fact of a call, from what was written before it."""
    assert fact in RULES[tool][1]
    session = backend.open("airline" if tool in pack_of("airline").kinds else "retail")
    turns = re.findall(r"([CD]): (.*?)(?= [CD]: |$)", said)
    backend.hear(session, [(CUSTOMER if who == "C" else DESK, text) for who, text in turns])
    _, found = backend.facts(session, tool, arguments)
    backend.close(session)
    assert found[fact] is value
