"""Every check of the packs: facts with which it passes, and a change with which it does not."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import pytest

from benchmarks.tau.strategies import pack_of
from handrail.core.policy import KindRule, Otherwise
from handrail.policy.checks import KindChecks, compile_checks
from handrail.policy.conditions import Given

TOLD: Final = {"agreed": True, "amount_told": True, "method_told": True}
TRIP: Final = {**TOLD, "already_cancelled": False, "reservation_told": True}
ITEMS: Final = {
    **TOLD,
    "to_customer_cents": 0,
    "items_in_order": True,
    "new_items_fit": True,
    "options_differ": True,
    "method": "paypal",
    "method_covers": True,
    "order_told": True,
    "items_told": True,
    "new_items_told": True,
}
GOOD: Final[dict[str, dict[str, Any]]] = {
    "cancel_pending_order": {**TOLD, "status": "pending", "order_told": True, "reason_told": True},
    "return_delivered_order_items": {
        **{**ITEMS, "status": "delivered", "method": "credit_card", "method_is_original": True}
    },
    "exchange_delivered_order_items": {**ITEMS, "status": "delivered"},
    "modify_pending_order_items": {**ITEMS, "status": "pending"},
    "modify_pending_order_payment": {
        **TOLD,
        "status": "pending (item modified)",
        "payments": 1,
        "method": "gift_card",
        "method_is_original": False,
        "total_covered": True,
        "order_told": True,
    },
    "modify_pending_order_address": {
        **TOLD,
        "status": "pending",
        "address_complete": True,
        "order_told": True,
        "address_told": True,
    },
    "modify_user_address": {"agreed": True, "address_complete": True, "address_told": True},
    "book_reservation": {
        **TOLD,
        "to_customer_cents": -5000,
        "people": 5,
        "journey_fits": True,
        "connects": True,
        "fares_right": True,
        "bags_due": 1,
        "methods_known": True,
        "methods_allowed": True,
        "price_met": True,
        "balances_cover": True,
        "flights_told": True,
        "cabin_told": True,
        "methods_told": True,
        "people_known": True,
        "bags_asked": True,
        "insurance_asked": True,
    },
    "cancel_reservation": {
        **TRIP,
        "flown": False,
        "airline_cancelled": False,
        "cabin_before": "economy",
        "insured": True,
        "minutes_since_booking": 1441,
        "covered_reason_told": True,
    },
    "update_reservation_flights": {
        **TRIP,
        "to_customer_cents": 5000,
        "flown": False,
        "cabin_before": "economy",
        "cabin_changes": False,
        "flights_change": True,
        "same_journey": True,
        "connects": True,
        "method": "gift_card",
        "method_is_original": False,
        "flights_told": True,
        "cabin_told": True,
    },
    "update_reservation_baggages": {
        **TRIP,
        "to_customer_cents": 0,
        "bags_before": 2,
        "bags_due": 1,
        "method": "credit_card",
        "bags_asked": True,
    },
    "update_reservation_passengers": {
        **TRIP,
        "people": 2,
        "people_before": 2,
        "people_known": True,
    },
    "send_certificate": {
        "eligible": True,
        "amount_fits": True,
        "due_by_now": True,
        "sent_before": 0,
        "compensation_asked": True,
        "due_is_named": True,
    },
}
"""Facts with which nothing speaks against the call."""

PARAMS: Final[dict[str, dict[str, object]]] = {
    "book_reservation": {"total_baggages": 3, "nonfree_baggages": 1},
    "update_reservation_baggages": {"total_baggages": 2, "nonfree_baggages": 1},
}
"""The parameters that checks look at."""

REFUSED: Final = """
cancel_pending_order | status=pending (item modified) | pending
return_delivered_order_items | status=return requested | delivered
return_delivered_order_items | items_in_order=no | items_in_order
return_delivered_order_items | method=none,method_is_original=no | method_known refund_goes_back
return_delivered_order_items | method=paypal,method_is_original=no | refund_goes_back
exchange_delivered_order_items | status=exchange requested | delivered
exchange_delivered_order_items | items_in_order=no | items_in_order
exchange_delivered_order_items | new_items_fit=no | new_items_fit
exchange_delivered_order_items | method=none | method_known
exchange_delivered_order_items | method_covers=no | method_covers
modify_pending_order_items | status=pending (item modified) | pending
modify_pending_order_items | items_in_order=no | items_in_order
modify_pending_order_items | new_items_fit=no | new_items_fit
modify_pending_order_items | method=none | method_known
modify_pending_order_items | method_covers=no | method_covers
modify_pending_order_payment | status=processed | still_pending
modify_pending_order_payment | payments=3 | paid_once
modify_pending_order_payment | method=none | method_known
modify_pending_order_payment | method_is_original=yes | another_method
modify_pending_order_payment | total_covered=no | total_covered
modify_pending_order_address | status=delivered | still_pending
book_reservation | people=6 | few_enough
book_reservation | people=0 | few_enough
book_reservation | journey_fits=no | journey_fits
book_reservation | bags_due=2 | bags_right
book_reservation | bags_due=0 | bags_right
book_reservation | methods_known=no | methods_known
book_reservation | methods_allowed=no | methods_allowed
book_reservation | price_met=no | price_met
book_reservation | balances_cover=no | balances_cover
cancel_reservation | already_cancelled=yes | not_cancelled
update_reservation_flights | already_cancelled=yes | not_cancelled
update_reservation_flights | cabin_before=basic_economy | not_basic_economy upgraded_first
update_reservation_flights | cabin_changes=yes,flown=yes | cabin_not_flown nothing_flown
update_reservation_flights | same_journey=no | same_journey
update_reservation_flights | method=certificate | method_allowed
update_reservation_flights | method=none | method_allowed
update_reservation_baggages | already_cancelled=yes | not_cancelled
update_reservation_baggages | bags_before=3 | none_removed
update_reservation_baggages | bags_due=0 | bags_right
update_reservation_baggages | method=certificate | method_allowed
update_reservation_passengers | already_cancelled=yes | not_cancelled
update_reservation_passengers | people=1 | same_number
send_certificate | eligible=no | eligible
send_certificate | amount_fits=no | amount_fits
"""

HELD: Final = """
cancel_pending_order | agreed=no | agreed
cancel_pending_order | order_told=no | order_told
cancel_pending_order | reason_told=no | reason_told
return_delivered_order_items | agreed=no | agreed
return_delivered_order_items | order_told=no | order_told
return_delivered_order_items | items_told=no | items_told
return_delivered_order_items | method_told=no | method_told
exchange_delivered_order_items | options_differ=no | options_differ
exchange_delivered_order_items | agreed=no | agreed
exchange_delivered_order_items | order_told=no | order_told
exchange_delivered_order_items | items_told=no | items_told
exchange_delivered_order_items | new_items_told=no | new_items_told
exchange_delivered_order_items | method_told=no | method_told
modify_pending_order_items | options_differ=no | options_differ
modify_pending_order_items | agreed=no | agreed
modify_pending_order_items | order_told=no | order_told
modify_pending_order_items | items_told=no | items_told
modify_pending_order_items | new_items_told=no | new_items_told
modify_pending_order_items | method_told=no | method_told
modify_pending_order_payment | agreed=no | agreed
modify_pending_order_payment | order_told=no | order_told
modify_pending_order_payment | method_told=no | method_told
modify_pending_order_address | address_complete=no | address_complete
modify_pending_order_address | agreed=no | agreed
modify_pending_order_address | order_told=no | order_told
modify_pending_order_address | address_told=no | address_told
modify_user_address | address_complete=no | address_complete
modify_user_address | agreed=no | agreed
modify_user_address | address_told=no | address_told
book_reservation | connects=no | connects
book_reservation | fares_right=no | fares_right
book_reservation | agreed=no | agreed
book_reservation | flights_told=no | details_told
book_reservation | cabin_told=no | details_told
book_reservation | methods_told=no | methods_told
book_reservation | people_known=no | people_known
book_reservation | bags_asked=no | bags_asked
book_reservation | insurance_asked=no | insurance_asked
cancel_reservation | flown=yes | not_flown
cancel_reservation | insured=no | may_cancel
cancel_reservation | covered_reason_told=no | reason_covered
cancel_reservation | agreed=no | agreed
cancel_reservation | reservation_told=no | reservation_told
update_reservation_flights | cabin_before=basic_economy,cabin_changes=yes | upgraded_first
update_reservation_flights | flown=yes | nothing_flown
update_reservation_flights | flights_change=no | something_changes
update_reservation_flights | connects=no | connects
update_reservation_flights | agreed=no | agreed
update_reservation_flights | reservation_told=no | reservation_told
update_reservation_flights | flights_told=no | details_told
update_reservation_flights | cabin_told=no | details_told
update_reservation_flights | method_told=no | method_told
update_reservation_baggages | agreed=no | agreed
update_reservation_baggages | reservation_told=no | reservation_told
update_reservation_baggages | bags_asked=no | bags_asked
update_reservation_baggages | method_told=no | method_told
update_reservation_passengers | agreed=no | agreed
update_reservation_passengers | reservation_told=no | reservation_told
update_reservation_passengers | people_known=no | people_known
send_certificate | due_by_now=no | due_by_now
send_certificate | sent_before=1 | first_one
send_certificate | compensation_asked=no | compensation_asked
send_certificate | due_is_named=no | due_is_named
"""

FINE: Final = """
return_delivered_order_items | method=gift_card,method_is_original=no |
cancel_reservation | insured=no,minutes_since_booking=1440,covered_reason_told=no |
cancel_reservation | insured=no,airline_cancelled=yes,covered_reason_told=no |
cancel_reservation | insured=no,cabin_before=business,covered_reason_told=no |
update_reservation_flights | cabin_before=basic_economy,cabin_changes=yes,flights_change=no |
update_reservation_flights | method=credit_card |
"""
"""What the rules allow as well."""

Row = tuple[str, dict[str, Any], set[str]]


def rows(table: str) -> list[Row]:
    """Kind, the facts that are otherwise, and the checks that then do not pass."""
    found = []
    for line in table.strip().splitlines():
        kind, changes, names = (cell.strip() for cell in line.split("|"))
        pairs = (one.split("=", 1) for one in changes.split(","))
        given = {name: value_of(text) for name, text in pairs}
        found.append((kind, given, set(names.split())))
    return found


def value_of(text: str) -> str | int | bool:
    """A fact as a table writes it."""
    if text in ("yes", "no"):
        return text == "yes"
    return int(text) if text.isdigit() else text


@cache
def packs() -> dict[str, tuple[KindRule, KindChecks]]:
    """The rule and the compiled checks of every write of both desks."""
    return {
        name: (pack.kinds[name], checks)
        for pack in (pack_of("retail"), pack_of("airline"))
        for name, checks in compile_checks(pack).items()
    }


def failed(kind: str, facts: dict[str, Any]) -> dict[str, tuple[Otherwise, bool]]:
    """The checks of a kind that do not pass: what each does, and whether it could not be told."""
    given = Given(params=PARAMS.get(kind, {}), facts=facts, value=None, now=0)
    verdict = packs()[kind][1].early(given)
    return {one.name: (one.outcome, one.broken) for one in verdict.failed}


@pytest.mark.parametrize("kind", GOOD)
def test_good_facts_pass_every_check(kind: str) -> None:
    """And without any fact none passes: what is not known is never taken for good."""
    assert failed(kind, GOOD[kind]) == {}
    checks = {check.name for check in packs()[kind][0].checks}
    unknown = failed(kind, {})
    assert unknown.keys() == checks
    assert all(broken for _, broken in unknown.values())


@pytest.mark.parametrize(("kind", "change", "names"), rows(REFUSED) + rows(HELD))
def test_one_thing_that_is_otherwise(kind: str, change: dict[str, Any], names: set[str]) -> None:
    """The check that is about it does not pass, and no other."""
    assert failed(kind, GOOD[kind] | change).keys() == names


@pytest.mark.parametrize(("kind", "change", "names"), rows(FINE))
def test_what_the_rules_allow(kind: str, change: dict[str, Any], names: set[str]) -> None:
    """A rule of several ways is met by any of them."""
    assert failed(kind, GOOD[kind] | change).keys() == names == set()


@pytest.mark.parametrize(
    ("table", "worst"),
    [(REFUSED, Otherwise.REFUSE), (HELD, Otherwise.HOLD)],
    ids=["refuse", "hold"],
)
def test_what_a_check_does(table: str, worst: Otherwise) -> None:
    """Refused is only what the written rules leave no room for; a person decides on the rest."""
    for kind, change, _ in rows(table):
        outcomes = {outcome for outcome, _ in failed(kind, GOOD[kind] | change).values()}
        assert worst in outcomes, (kind, change)
        assert outcomes <= {Otherwise.REFUSE, Otherwise.HOLD}
        assert worst is Otherwise.REFUSE or outcomes == {worst}


def test_no_check_is_without_a_row() -> None:
    """Each check of each kind is in one of the tables."""
    shown = {(kind, name) for kind, _, names in rows(REFUSED) + rows(HELD) for name in names}
    written = {(name, check.name) for name, (rule, _) in packs().items() for check in rule.checks}
    assert shown == written
