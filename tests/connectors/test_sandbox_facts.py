"""What the embedded desk finds out about an action, and what a reviewer is shown of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from handrail.connectors.protocol import NotDone
from handrail.connectors.sandbox import Sandbox
from handrail.connectors.sandbox.served import amount_text, date_text
from handrail.core.action import ActionKind
from handrail.core.artifact import encode_artifact
from handrail.core.grade import Axes
from handrail.core.policy import FactType
from handrail.errors import InvalidInput
from handrail.policy.conditions import Given, variables_of
from tests.connectors.sandbox_road import (
    DAY_MS,
    EVERY_KIND,
    NOW,
    act,
    against,
    facts,
    prepare,
    take_back,
)


def test_facts_of_a_refund(desk: Sandbox) -> None:
    """A refund comes with the order, its payment, its owner, and what the owner already got."""
    prepared = prepare(desk, "refund.issue", EVERY_KIND["refund.issue"])
    assert prepared.customer == "C-1001"
    assert prepared.missing == ()
    assert {name: fact.value for name, fact in facts(prepared).items()} == {
        "order_owner": "C-1001",
        "order_status": "delivered",
        "order_date": "2026-02-21",
        "order_total": "54.90 USD",
        "payment_method": "card ending 4242",
        "captured": "54.90 USD",
        "already_refunded": "0.00 USD",
        "refundable": "54.90 USD",
        "account_status": "active",
        "refunds_30d": 0,
        "refunds_30d_sum": "0.00 USD",
        "credits_30d": 0,
        "credits_30d_sum": "0.00 USD",
        "requester": "dana.whitfield@example.com",
        "requester_is_customer": True,
        "last_customer_message": "<t-101.1@mail.shop.example.com>",
    }
    assert against(prepared) == {}


def test_history_counts_thirty_days_and_what_still_stands(desk: Sandbox) -> None:
    """Earlier refunds and credits count for thirty days unless they were taken back."""
    given = {"order": "O-5003", "amount": "120.00 USD", "reason": "wrong_item"}
    names = ("refunds_30d", "refunds_30d_sum", "credits_30d", "credits_30d_sum")

    def history(now: int = NOW) -> list[object]:
        found = facts(prepare(desk, "refund.issue", given, now=now))
        return [found[name].value for name in names]

    assert history() == [1, "29.00 USD", 1, "10.00 USD"]
    receipt = act(desk, "refund.issue", given, "k")
    assert history() == [2, "149.00 USD", 1, "10.00 USD"]
    take_back(desk, "refund.issue", receipt, "u")
    assert history(NOW + 8 * DAY_MS) == [0, "0.00 USD", 1, "10.00 USD"]
    assert history(NOW + 11 * DAY_MS) == [0, "0.00 USD", 0, "0.00 USD"]


@pytest.mark.parametrize(
    ("kind", "given", "sentences"),
    [
        (
            "refund.issue",
            {"order": "O-5001", "amount": "54.91 USD", "reason": "damaged"},
            {"refundable": "54.91 USD is more than the 54.90 USD that can still be refunded"},
        ),
        (
            "refund.issue",
            {"order": "O-5013", "amount": "45.00 USD", "reason": "other", "ticket": "T-115"},
            {
                "order_status": "the order was cancelled",
                "refundable": "45.00 USD is more than the 0.00 USD that can still be refunded",
                "account_status": "the account is cancelled",
            },
        ),
        (
            "refund.issue",
            {"order": "O-5001", "amount": "54.90 USD", "reason": "damaged", "ticket": "T-108"},
            {"requester_is_customer": "ticket `T-108` is from another customer, `C-1011`"},
        ),
        (
            "payout.change",
            EVERY_KIND["payout.change"],
            {
                "requester_is_customer": "`ruth.abernathy@mail.test` is not an address on file for"
                " this customer"
            },
        ),
        (
            "reply.send",
            {"ticket": "T-112", "body": "Hello"},
            {
                "requester_is_customer": "`layla@haddad.test` is not an address on file for this"
                " customer"
            },
        ),
        (
            "account.cancel",
            EVERY_KIND["account.cancel"],
            {
                "orders_under_way": "an order of this customer is still under way",
                "has_store_credit": "the customer still has store credit",
            },
        ),
        (
            "account.update",
            {"customer": "C-1009", "field": "name", "value": "Oliver Penhaligon"},
            {"current_value": "it is that already"},
        ),
        ("reply.send", EVERY_KIND["reply.send"], {}),
        ("credit.grant", EVERY_KIND["credit.grant"], {}),
    ],
)
def test_contradictions_are_sentences(
    desk: Sandbox, kind: str, given: Mapping[str, object], sentences: dict[str, str]
) -> None:
    """A fact that contradicts the action says so; the others are silent."""
    assert against(prepare(desk, kind, given)) == sentences


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_request_is_shown_whole(desk: Sandbox, kind: str) -> None:
    """Every value of the request stands in the rendering, and it fits into an artifact."""
    prepared = prepare(desk, kind, EVERY_KIND[kind])
    request = dict(prepared.request)
    shown = "\n".join(line.text for line in desk.preview(kind, request))
    if "amount_minor" in request:
        assert type(request["amount_minor"]) is int
        request["amount_minor"] = amount_text(request["amount_minor"], str(request["currency"]))
    hidden = [name for name, value in request.items() if str(value) not in shown]
    assert hidden == []
    assert encode_artifact(
        desk="d",
        proposal="p",
        nonce="n",
        kind=kind,
        connector=desk.name,
        connector_version=desk.version,
        customer=prepared.customer,
        params={},
        request=prepared.request,
    )


@pytest.mark.parametrize(
    ("kind", "given", "lines"),
    [
        (
            "refund.issue",
            EVERY_KIND["refund.issue"],
            [
                ("Refund", "18.50 USD"),
                ("To", "card ending 4242 of Dana Whitfield"),
                ("Order", "O-5001"),
                ("Reason", "damaged"),
            ],
        ),
        (
            "refund.issue",
            {"order": "O-5006", "amount": "4800 JPY", "reason": "damaged"},
            [("Refund", "4800 JPY"), ("To", "JCB 0106 of 佐藤 遥")],
        ),
        (
            "reply.send",
            {"ticket": "T-101", "body": "Dear Dana,\n\u202enot what it seems"},
            [
                ("Recipient", "dana.whitfield@example.com"),
                ("From", "support@shop.example.com"),
                ("Subject", "Re: One mug arrived broken"),
                ("Message", "Dear Dana,\n\u202enot what it seems"),
            ],
        ),
        (
            "payout.change",
            EVERY_KIND["payout.change"],
            [
                ("New payout account", "US00 TEST 0000 5589"),
                ("In place of", "account ending 6402"),
                ("Account", "C-1012 of Ruth Abernathy"),
            ],
        ),
    ],
)
def test_rendering_is_literal(
    desk: Sandbox, kind: str, given: Mapping[str, object], lines: list[tuple[str, str]]
) -> None:
    """A reviewer reads the literal text, the exact amount with its code, and where it goes."""
    shown = desk.preview(kind, prepare(desk, kind, given).request)
    assert [(line.label, line.text) for line in shown][: len(lines)] == lines


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("ticket.read", {"ticket": "T-999"}),
        ("reply.draft", {"ticket": "T-999", "body": "x"}),
        ("reply.send", {"ticket": "T-999", "body": "x"}),
        ("draft.discard", {"draft": "D-999"}),
        ("refund.issue", {"order": "O-999", "amount": "1.00 USD", "reason": "other"}),
        (
            "refund.issue",
            {"order": "O-5001", "amount": "1.00 USD", "reason": "other", "ticket": "T-999"},
        ),
        ("refund.reverse", {"refund": "R-999"}),
        ("credit.grant", {"customer": "C-999", "amount": "1.00 USD", "reason": "other"}),
        ("credit.revoke", {"credit": "K-999"}),
        ("account.update", {"customer": "C-999", "field": "name", "value": "x"}),
        ("account.cancel", {"customer": "C-999", "reason": "other"}),
        ("payout.change", {"customer": "C-999", "account": "x"}),
        ("login.change", {"customer": "C-999", "email": "x@y.test"}),
    ],
)
def test_unknown_ids_are_refused(desk: Sandbox, kind: str, given: Mapping[str, object]) -> None:
    """Something that does not exist is named in the refusal."""
    with pytest.raises(InvalidInput, match=r"`\w-999`") as refusal:
        prepare(desk, kind, given)
    assert refusal.value.code == "subject_unknown"


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        (
            "refund.issue",
            {"order": "O-5015", "amount": "1.00 USD", "reason": "other"},
            "connector_refused",
        ),
        (
            "account.update",
            {"customer": "C-1009", "field": "phone", "value": "1\n2"},
            "field_malformed",
        ),
        ("payout.change", {"customer": "C-1012", "account": "a\nb"}, "field_malformed"),
        ("login.change", {"customer": "C-1007", "email": "no address"}, "field_malformed"),
    ],
)
def test_what_can_never_be_done_is_refused_early(
    desk: Sandbox, kind: str, given: Mapping[str, object], code: str
) -> None:
    """What the desk could not take in any state is refused while preparing."""
    with pytest.raises(InvalidInput) as refusal:
        prepare(desk, kind, given)
    assert refusal.value.code == code


def test_parameters_of_the_wrong_type_are_refused(desk: Sandbox) -> None:
    """The desk does not rest on a policy having typed its parameters."""
    cases: list[tuple[dict[str, object], str]] = [
        ({"order": 5001, "amount": "1.00 USD", "reason": "other"}, "field_wrong_type"),
        ({"order": "O-5001", "amount": "1.00 USD", "reason": "other"}, "field_wrong_type"),
        ({"order": "O-5001", "reason": "other"}, "field_missing"),
        ({"amount": "1.00 USD"}, "field_missing"),
    ]
    for params, code in cases:
        with pytest.raises(InvalidInput) as refusal:
            desk.prepare("refund.issue", params, now=NOW)
        assert refusal.value.code == code


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"ticket": "T-101", "customer": "C-1001", "body": "x", "bcc": "everybody@example.com"},
        {"ticket": "T-101", "customer": "C-1001", "body": 5},
        {"ticket": "T-101", "customer": "C-1001", "body": None},
    ],
)
def test_foreign_requests_are_not_done(desk: Sandbox, request_: dict[str, object]) -> None:
    """A request with a field too few, too many or of another type is neither shown nor done."""
    with pytest.raises(NotDone, match="not a request of"):
        desk.execute("reply.draft", request_, "k", now=NOW)
    with pytest.raises(InvalidInput, match="not a request of"):
        desk.preview("reply.draft", request_)


def test_unknown_kinds_are_not_served(desk: Sandbox) -> None:
    """A kind that the desk does not know is refused at each verb."""
    with pytest.raises(InvalidInput, match="does not serve"):
        desk.prepare("refund.everything", {}, now=NOW)
    with pytest.raises(InvalidInput, match="does not serve"):
        desk.preview("refund.everything", {})
    with pytest.raises(NotDone, match="does not serve"):
        desk.execute("refund.everything", {}, "k", now=NOW)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, "USD", "0.00 USD"),
        (0, "JPY", "0 JPY"),
        (0, "KWD", "0.000 KWD"),
        (1, "USD", "0.01 USD"),
        (240000, "USD", "2400.00 USD"),
        (4800, "JPY", "4800 JPY"),
    ],
)
def test_amounts_are_exact_with_their_code(minor: int, currency: str, text: str) -> None:
    """Amounts have the decimals of their currency, nothing included."""
    assert amount_text(minor, currency) == text


def test_dates_are_utc() -> None:
    """A day ends at midnight UTC."""
    assert date_text(1_772_409_599_999) == "2026-03-01"
    assert date_text(1_772_409_600_000) == "2026-03-02"


UNDONE = {
    "refund.reverse": "refund.issue",
    "credit.revoke": "credit.grant",
    "draft.discard": "reply.draft",
}


@pytest.mark.parametrize("kind", sorted(Sandbox.served()))
def test_facts_are_those_that_are_declared(desk: Sandbox, kind: str) -> None:
    """Every fact that is read is declared with what it holds; what is declared is read."""
    declared = Sandbox.served()[kind].facts
    assert declared is not None
    if kind in UNDONE:
        original = UNDONE[kind]
        reversal = desk.undo(original, {}, act(desk, original, EVERY_KIND[original], "k"))
        prepared = prepare(desk, reversal.kind, reversal.params)
    else:
        prepared = prepare(desk, kind, EVERY_KIND[kind])
    read = {fact.name: fact.value for fact in prepared.facts}
    assert set(read) == set(declared)
    seen = {name: FactType(type_) for name, type_ in declared.items()}
    given = Given(params={}, facts=read, value=None, now=0)
    action = ActionKind(
        name=kind,
        title=kind,
        connector="desk",
        axes=Axes(reversibility=0, blast_radius=0, stakes=0),
    )
    variables = variables_of(action, seen, None)
    for name, value in read.items():
        assert value is not None
        there = [text for text in variables if text.startswith(f"facts.{name}")]
        assert all(variables[text][1](given) is not None for text in there), name
