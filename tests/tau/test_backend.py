"""The real shops behind the socket: isolation, refusals, keys, and what bad input gets."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from benchmarks.tau.backend import LINE_BYTES_MAX
from benchmarks.tau.client import Backend, BackendRefused, BackendWrong, start_backend

ORDER = "#W7678072"
MOUSE = {"order_id": ORDER, "item_ids": ["2193628750"], "payment_method_id": "paypal_5727330"}


def raw(backend: Backend, line: bytes) -> dict[str, Any]:
    """Send these bytes on a connection of their own and return the answer."""
    with socket.create_connection(("127.0.0.1", backend.port), timeout=10) as plain:
        plain.sendall(line)
        with plain.makefile("rb") as lines:
            answer: dict[str, Any] = json.loads(lines.readline())
    return answer


def test_what_one_conversation_changes_no_other_sees(backend: Backend) -> None:
    """Every session is a fresh database, and closing it leaves the shared one as it was."""
    mine, other = backend.open("retail"), backend.open("retail")
    backend.call(mine, "return_delivered_order_items", MOUSE)
    assert backend.peek(mine, "orders", ORDER)["status"] == "return requested"
    assert backend.peek(other, "orders", ORDER)["status"] == "delivered"
    assert backend.changed(mine) == {"orders": [ORDER]}
    assert backend.changed(other) == {}
    backend.close(mine)
    again = backend.open("retail")
    assert backend.peek(again, "orders", ORDER)["status"] == "delivered"
    assert backend.is_pristine("retail")


def test_a_session_sees_its_own_earlier_changes(backend: Backend) -> None:
    """The second call of a conversation meets what the first one did."""
    session = backend.open("retail")
    backend.call(session, "return_delivered_order_items", MOUSE)
    with pytest.raises(BackendRefused, match="Non-delivered order cannot be returned"):
        backend.call(session, "return_delivered_order_items", MOUSE)


def test_a_booking_takes_seats_and_money_of_its_own_session_only(backend: Backend) -> None:
    """A write that touches three tables is isolated in all of them."""
    session = backend.open("airline")
    flight = backend.peek(session, "flights", "HAT006")
    price = flight["dates"]["2024-05-24"]["prices"]["economy"]
    booking = {
        "user_id": "liam_taylor_3449",
        "origin": flight["origin"],
        "destination": flight["destination"],
        "flight_type": "one_way",
        "cabin": "economy",
        "flights": [{"flight_number": "HAT006", "date": "2024-05-24"}],
        "passengers": [{"first_name": "Liam", "last_name": "Taylor", "dob": "1986-11-14"}],
        "payment_methods": [{"payment_id": "gift_card_2103866", "amount": price}],
        "total_baggages": 0,
        "nonfree_baggages": 0,
        "insurance": "no",
    }
    backend.call(session, "book_reservation", booking)
    assert backend.changed(session) == {
        "flights": ["HAT006"],
        "reservations": ["HATHAT"],
        "users": ["liam_taylor_3449"],
    }
    assert backend.customer_of(session, {"reservation_id": "HATHAT"}) == "liam_taylor_3449"
    backend.close(session)
    assert backend.is_pristine("airline")


def test_a_read_changes_nothing(backend: Backend) -> None:
    """Reading by key, by search and by name leaves no trace in the session."""
    session = backend.open("airline")
    where = {"origin": "BOS", "destination": "PHX", "date": "2024-05-24"}
    backend.call(session, "search_onestop_flight", where)
    backend.call(session, "get_user_details", {"user_id": "liam_taylor_3449"})
    assert backend.changed(session) == {}


def test_a_refused_call_is_put_back(backend: Backend) -> None:
    """A tool that fails half-way has changed nothing: that is what a refusal promises."""
    session = backend.open("airline")
    before = backend.peek(session, "users", "mei_hernandez_8984")
    # the shop takes half a dollar from the gift card, then fails to write down the payment
    half = {
        "reservation_id": "1AKIA8",
        "total_baggages": 2,
        "nonfree_baggages": 0.01,
        "payment_id": "gift_card_5309492",
    }
    with pytest.raises(BackendRefused, match="fractional part"):
        backend.call(session, "update_reservation_baggages", half)
    assert backend.peek(session, "users", "mei_hernandez_8984") == before
    assert backend.changed(session) == {}


def test_the_same_key_runs_once(backend: Backend) -> None:
    """A repeated key gives the first answer; used for another call it is a mistake."""
    session = backend.open("airline")
    send = {"user_id": "mia_jackson_2156", "amount": 50}
    assert backend.lookup("k1") == (False, None)
    first = backend.call(session, "send_certificate", send, key="k1")
    assert backend.call(session, "send_certificate", send, key="k1") == first
    assert backend.lookup("k1") == (True, first)
    methods = backend.peek(session, "users", "mia_jackson_2156")["payment_methods"]
    assert sorted(methods) == ["certificate_3221322", "gift_card_4636647"]
    with pytest.raises(BackendWrong, match="the key `k1` was used for another call"):
        backend.call(session, "send_certificate", {**send, "amount": 60}, key="k1")


def test_a_refused_call_leaves_its_key_free(backend: Backend) -> None:
    """A lookup never says "done" for what the shop refused."""
    session = backend.open("airline")
    with pytest.raises(BackendRefused):
        backend.call(session, "cancel_reservation", {"reservation_id": "NOPE"}, key="k2")
    assert backend.lookup("k2") == (False, None)


@pytest.mark.parametrize(
    ("domain", "reads", "writes", "generic"),
    [("retail", 6, 7, 3), ("airline", 6, 6, 3)],
)
def test_tools_are_listed_with_their_type_and_schema(
    backend: Backend, domain: str, reads: int, writes: int, generic: int
) -> None:
    """What a policy pack is written from: every tool, its type, its parameters."""
    listed = backend.tools(domain)
    kinds = [tool["type"] for tool in listed]
    assert [kinds.count(kind) for kind in ("read", "write", "generic")] == [reads, writes, generic]
    assert all(tool["parameters"]["type"] == "object" for tool in listed)
    assert not [tool for tool in listed if tool["moves_money"] and tool["type"] != "write"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"nonsense\n", "not a line of JSON"),
        (b"\xff\xfe\n", "not a line of JSON"),
        (b"[1]\n", "not a JSON object"),
        (b"{}\n", "`op` must be a text"),
        (b'{"op": 1}\n', "`op` must be a text"),
        (b'{"op": "drop"}\n', "no operation `drop`"),
        (b'{"op": "open"}\n', "`domain` must be a text"),
        (b'{"op": "open", "domain": "telecom"}\n', "no domain `telecom`"),
        (b'{"op": "close", "session": "retail-0"}\n', "no open session `retail-0`"),
        (b'{"op": "lookup", "key": NaN}\n', "`NaN` is not JSON"),
        (b'{"op": "lookup", "key": 1e999}\n', "`1e999` is too large"),
        (b'{"op": ' + b"[" * 100_000 + b"\n", "not a line of JSON"),
        (b'{"op": "' + b"x" * LINE_BYTES_MAX + b'"}\n', "the line is over 1 MiB"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else None,
)
def test_a_bad_line_gets_an_answer(backend: Backend, line: bytes, says: str) -> None:
    """Nothing that is sent ends the process; the answer says what was wrong."""
    answer = raw(backend, line)
    assert (answer["ok"], answer["why"]) == (False, "request")
    assert says in answer["error"]
    assert backend.open("retail")


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"op": "call", "tool": "x", "arguments": []}, "`arguments` must be an object"),
        ({"op": "call", "tool": None, "arguments": {}}, "`tool` must be a text"),
        ({"op": "call", "tool": "x", "arguments": {}, "key": 1}, "`key` must be a text"),
        ({"op": "peek", "table": "tools", "id": "x"}, "no table `tools`"),
        ({"op": "peek", "table": "orders", "id": "x"}, "no record `x` in `orders`"),
        ({"op": "peek", "table": "orders", "id": ["x"]}, "`id` must be a text"),
    ],
)
def test_a_wrong_request_is_told_apart_from_a_refusal(
    backend: Backend, request_: dict[str, object], says: str
) -> None:
    """`why` is "request" for the caller's mistakes and "refused" only for the shop's own no."""
    answer = backend.ask(session=backend.open("retail"), **request_)
    assert (answer["ok"], answer["why"]) == (False, "request")
    assert says in answer["error"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("no_such_tool", {}),
        ("__init__", {}),
        ("cancel_pending_order", {}),
        ("cancel_pending_order", {"order_id": ORDER, "reason": "no longer needed", "extra": 1}),
        ("cancel_pending_order", {"order_id": [], "reason": "no longer needed"}),
        ("cancel_pending_order", {"self": 1}),
        ("cancel_pending_order", {"": 1, "tool_name": 2}),
        ("return_delivered_order_items", {**MOUSE, "item_ids": 7}),
        ("return_delivered_order_items", {**MOUSE, "item_ids": [None]}),
        ("calculate", {"expression": "9**9**9**9"}),
        ("calculate", {"expression": "9* *9"}),
        ("calculate", {"expression": "(" * 150}),
        ("calculate", {"expression": "1/0"}),
        ("calculate", {"expression": None}),
    ],
)
def test_bad_arguments_are_refused(
    backend: Backend, tool: str, arguments: dict[str, object]
) -> None:
    """A call that no shop would carry out is a refusal, and the session is as before."""
    session = backend.open("retail")
    with pytest.raises(BackendRefused):
        backend.call(session, tool, arguments)
    assert backend.changed(session) == {}


def test_the_process_ends_with_who_started_it() -> None:
    """Closing its stdin is enough: no shop outlives a killed run."""
    started = start_backend()
    process = started._process
    assert process is not None
    started.stop()
    assert process.returncode == 0
    with pytest.raises(OSError, match="refused"):
        Backend(started.port)
