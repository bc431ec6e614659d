"""A shop as a connector: what it reads before a call, and that it acts only when told to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from benchmarks.tau.client import Backend
from benchmarks.tau.connector import ShopConnector
from handrail.connectors.protocol import Looked, NotDone, Receipt
from handrail.core.artifact import Line
from handrail.core.money import Money
from handrail.errors import InvalidInput

NOW = 1_715_803_200_000
CANCEL: dict[str, Any] = {"order_id": "#W5183325", "reason": "no longer needed"}
SWAP: dict[str, Any] = {
    "order_id": "#W5183325",
    "item_ids": ["1421289881"],
    "new_item_ids": ["9025753381"],
    "payment_method_id": "paypal_6151711",
}


@pytest.fixture
def shop(backend: Backend) -> Iterator[ShopConnector]:
    """The retail shop, with a fresh database open."""
    connector = ShopConnector(backend, "retail")
    with connector.visit():
        yield connector


@pytest.mark.parametrize(
    ("kind", "params", "customer", "value"),
    [
        ("cancel_pending_order", CANCEL, "ivan_santos_6635", 31660),
        ("modify_pending_order_items", SWAP, "ivan_santos_6635", 3719),
        # the customer pays: nothing moves out
        (
            "modify_pending_order_items",
            {**SWAP, "item_ids": ["9025753381"], "new_item_ids": ["1421289881"]},
            "ivan_santos_6635",
            None,
        ),
        ("modify_user_address", {"user_id": "noah_brown_6181"}, "noah_brown_6181", None),
        ("cancel_pending_order", {"order_id": "#W0"}, None, None),
        ("find_user_id_by_email", {"email": "nobody@example.com"}, None, None),
    ],
)
def test_what_is_read_before_a_call(
    shop: ShopConnector,
    kind: str,
    params: dict[str, Any],
    customer: str | None,
    value: int | None,
) -> None:
    """Owner and money come from the shop's records; what is not known is None and never zero."""
    prepared = shop.prepare(kind, params, now=NOW)
    assert prepared.customer == customer
    assert prepared.value == (None if value is None else Money(minor=value, currency="USD"))
    facts = {fact.name: fact.value for fact in prepared.facts}
    assert facts["owner"] == customer
    assert facts.get("to_customer_cents") == value
    assert prepared.request["tool"] == kind
    sent = prepared.request["arguments"]
    assert isinstance(sent, dict)
    assert {name: sent[name] for name in params} == params


def test_a_text_that_was_left_out_is_sent_empty(shop: ShopConnector) -> None:
    """The request is complete: an address without a second line has an empty one."""
    address = dict.fromkeys(("address1", "city", "state", "country", "zip"), "x")
    params: dict[str, object] = {"user_id": "noah_brown_6181", **address}
    prepared = shop.prepare("modify_user_address", params, now=NOW)
    assert prepared.request["arguments"] == {**params, "address2": ""}


def test_money_from_the_customer_moves_nothing_out(backend: Backend) -> None:
    """A difference that the customer pays is zero for the bands, and told with its sign."""
    shop = ShopConnector(backend, "airline")
    upgrade: dict[str, Any] = {
        "reservation_id": "1AKIA8",
        "cabin": "business",
        "flights": [
            {"flight_number": "HAT070", "date": "2024-05-22"},
            {"flight_number": "HAT297", "date": "2024-05-23"},
        ],
        "payment_id": "credit_card_6082923",
    }
    with shop.visit():
        prepared = shop.prepare("update_reservation_flights", upgrade, now=NOW)
    assert prepared.value == Money(minor=0, currency="USD")
    assert [fact.value for fact in prepared.facts if fact.name == "to_customer_cents"] == [-37400]


def test_looking_changes_nothing_and_a_key_acts_once(shop: ShopConnector, backend: Backend) -> None:
    """Only `execute` acts; the same key again gives the first answer."""
    prepared = shop.prepare("cancel_pending_order", CANCEL, now=NOW)
    session = str(prepared.request["session"])
    assert shop.preview("cancel_pending_order", prepared.request) == [
        Line(label="order_id", text="#W5183325"),
        Line(label="reason", text="no longer needed"),
    ]
    assert shop.lookup("cancel_pending_order", "key-looking").looked is Looked.NOT_DONE
    assert backend.changed(session) == {}

    first = shop.execute("cancel_pending_order", prepared.request, "key-looking", now=NOW)
    assert msgspec.json.decode(str(first.result["answer"]))["status"] == "cancelled"
    assert shop.execute("cancel_pending_order", prepared.request, "key-looking", now=NOW) == first
    found = shop.lookup("cancel_pending_order", "key-looking")
    assert (found.looked, found.receipt) == (Looked.DONE, first)
    with pytest.raises(NotDone, match="Non-pending order"):
        shop.execute("cancel_pending_order", prepared.request, "key-again", now=NOW)


def test_nothing_can_be_taken_back(shop: ShopConnector) -> None:
    """No tool of the shops reverses another, and none is promised."""
    assert not any(capability.undoable for capability in shop.kinds().values())
    with pytest.raises(InvalidInput, match="undo_unavailable"):
        shop.undo("cancel_pending_order", {}, Receipt())


def test_between_conversations_the_shop_is_closed(backend: Backend) -> None:
    """Without a visit there is no database to read from."""
    shop = ShopConnector(backend, "retail")
    with pytest.raises(InvalidInput, match="connector_refused"):
        shop.prepare("cancel_pending_order", CANCEL, now=NOW)
