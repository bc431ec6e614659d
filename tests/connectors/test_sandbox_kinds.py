"""Every action kind of the pack really happens on the embedded desk, and really is undone."""

from __future__ import annotations

import pytest

from handrail.bootstrap import embedded_offers
from handrail.connectors.protocol import NotDone, Promise
from handrail.connectors.sandbox import Sandbox
from handrail.errors import InvalidInput
from handrail.policy.around import Around
from handrail.policy.lint import lint
from handrail.policy.loader import load
from tests.connectors.sandbox_road import (
    EVERY_KIND,
    NOW,
    act,
    against,
    facts,
    prepare,
    take_back,
)


def test_desk_serves_exactly_the_pack(desk: Sandbox) -> None:
    """The pack's kinds are the desk's kinds, and what the pack says can be undone can be."""
    pack = load("support-desk")
    kinds = desk.kinds()
    assert set(pack.kinds) == set(kinds)
    assert {rule.kind.connector for rule in pack.kinds.values()} == {desk.name}
    assert all(capability.promise is Promise.KEYED for capability in kinds.values())
    assert lint(pack, around=Around(offers=embedded_offers())) == []


def test_ticket_is_read_with_its_conversation(desk: Sandbox) -> None:
    """Reading a ticket gives who wrote what, and the customer's orders, to the last character."""
    result = act(desk, "ticket.read", {"ticket": "T-110"}, "k").result
    assert result["customer"] == "C-1003"
    assert result["requester"] == "priya.raman.support@mail.test"
    (message,) = desk.conversation("T-110")
    assert result["messages"] == [
        {
            "author": "customer",
            "sender": message.sender,
            "body": message.body,
            "sent_at": message.sent_at,
            "through_handrail": False,
        }
    ]
    assert "\u202e" in message.body
    assert "\u200b" in message.body
    orders = result["orders"]
    assert isinstance(orders, list)
    assert [order["order"] for order in orders] == ["O-5003", "O-5014"]


def test_reply_lands_in_the_mailbox(desk: Sandbox) -> None:
    """What is sent is what was prepared, byte for byte, and the ticket shows it."""
    body = "Dear Tom,\n\tit is on its way \u2014 tomorrow.\n"
    request = prepare(desk, "reply.send", {"ticket": "T-105", "body": body}).request
    receipt = desk.execute("reply.send", request, "k", now=NOW)
    (mail,) = desk.mailbox()
    assert {
        "ticket": mail.ticket,
        "sender": mail.sender,
        "recipient": mail.recipient,
        "subject": mail.subject,
        "message_id": mail.message_id,
        "in_reply_to": mail.in_reply_to,
        "body": mail.body,
        "customer": "C-1004",
    } == request
    assert mail.recipient == "tom.lindqvist@example.com"
    assert mail.body == body
    assert receipt.provider_ref == mail.message_id
    assert [message.author for message in desk.conversation("T-105")] == ["customer", "support"]
    assert {ticket.id: ticket.status for ticket in desk.tickets()}["T-105"] == "answered"


def test_same_reply_is_not_sent_twice(desk: Sandbox) -> None:
    """The same words to the same question are one message, whoever sends them under which key."""
    given = {"ticket": "T-105", "body": "It is on its way."}
    act(desk, "reply.send", given, "first")
    again = prepare(desk, "reply.send", given)
    assert set(against(again)) == {"same_message_sent"}
    with pytest.raises(NotDone, match="the very same message"):
        desk.execute("reply.send", again.request, "second", now=NOW)
    act(desk, "reply.send", {**given, "body": "It is on its way. Really."}, "third")
    assert len(desk.mailbox()) == 2


def test_same_words_to_a_new_question_are_a_new_message(desk: Sandbox) -> None:
    """Once the customer has written again, the same words answer something else."""
    given = {"ticket": "T-105", "body": "It is on its way."}
    act(desk, "reply.send", given, "first")
    question = desk.receive("T-105", "Still nothing here.", now=NOW + 1)
    assert {ticket.id: ticket.status for ticket in desk.tickets()}["T-105"] == "open"
    again = prepare(desk, "reply.send", given)
    assert against(again) == {}
    assert facts(again)["last_message_from"].value == "customer"
    assert again.request["in_reply_to"] == question
    desk.execute("reply.send", again.request, "second", now=NOW + 2)
    assert [message.body for message in desk.conversation("T-105")][1:] == [
        "It is on its way.",
        "Still nothing here.",
        "It is on its way.",
    ]


def test_draft_stays_on_the_desk_until_discarded(desk: Sandbox) -> None:
    """A draft sends nothing; its undo discards it, once."""
    receipt = act(desk, "reply.draft", EVERY_KIND["reply.draft"], "k")
    draft = {"draft": receipt.provider_ref}
    assert facts(prepare(desk, "draft.discard", draft))["draft_status"].value == "kept"
    take_back(desk, "reply.draft", receipt, "u")
    assert against(prepare(desk, "draft.discard", draft)) == {
        "draft_status": "the draft was discarded already"
    }
    with pytest.raises(NotDone, match="discarded already"):
        act(desk, "draft.discard", draft, "u2")
    assert desk.mailbox() == []


def test_refund_moves_the_balance_and_back(desk: Sandbox) -> None:
    """A refund lowers what can be refunded; its reversal restores exactly that, once."""
    receipt = act(desk, "refund.issue", EVERY_KIND["refund.issue"], "k")
    assert receipt.result["amount"] == "18.50 USD"
    assert (desk.balance("P-5001").refunded_minor, desk.money_moved("USD")) == (1850, 1850)
    assert desk.balance("P-5001").refundable_minor == 5490 - 1850
    take_back(desk, "refund.issue", receipt, "u")
    assert (desk.balance("P-5001").refunded_minor, desk.money_moved("USD")) == (0, 0)
    take_back(desk, "refund.issue", receipt, "u")
    with pytest.raises(NotDone, match="reversed already"):
        take_back(desk, "refund.issue", receipt, "another key")
    assert (desk.balance("P-5001").refunded_minor, desk.money_moved("USD")) == (0, 0)


def test_refund_goes_back_in_parts_up_to_the_payment(desk: Sandbox) -> None:
    """Partial refunds add up to what was captured and not a cent beyond."""
    given = {"order": "O-5001", "reason": "damaged"}
    act(desk, "refund.issue", {**given, "amount": "54.89 USD"}, "k1")
    with pytest.raises(NotDone, match=r"0\.02 USD is more than the 0\.01 USD"):
        act(desk, "refund.issue", {**given, "amount": "0.02 USD"}, "k2")
    act(desk, "refund.issue", {**given, "amount": "0.01 USD"}, "k3")
    assert desk.balance("P-5001").refundable_minor == 0


def test_refund_in_another_currency_is_not_done(desk: Sandbox) -> None:
    """Money goes back in the currency in which it came."""
    given = {"order": "O-5006", "amount": "48.00 USD", "reason": "damaged"}
    assert against(prepare(desk, "refund.issue", given)) == {
        "captured": "the payment was taken in JPY and the refund is in USD"
    }
    with pytest.raises(NotDone, match="not taken in USD"):
        act(desk, "refund.issue", given, "k")
    act(desk, "refund.issue", {**given, "amount": "4800 JPY"}, "k")
    assert desk.money_moved("JPY") == 4800


def test_refund_goes_where_the_request_says_or_nowhere(desk: Sandbox) -> None:
    """A request that names another card, payment or owner than the order has is not done."""
    request = prepare(desk, "refund.issue", EVERY_KIND["refund.issue"]).request
    for field, value in (
        ("method", "card ending 0931"),
        ("payment", "P-5011"),
        ("customer", "C-1011"),
        ("order", "O-9999"),
        ("amount_minor", 0),
        ("amount_minor", -100),
    ):
        with pytest.raises(NotDone):
            desk.execute("refund.issue", {**request, field: value}, f"k{field}{value}", now=NOW)
    assert desk.money_moved("USD") == 0


def test_credit_is_granted_and_taken_back(desk: Sandbox) -> None:
    """Store credit adds to the customer's balance; its reversal takes exactly that, once."""
    given = {"customer": "C-1003", "amount": "5.00 USD", "reason": "late"}
    receipt = act(desk, "credit.grant", given, "k")
    assert desk.store_credit("C-1003", "USD") == 1500
    assert desk.money_moved("USD") == 500
    take_back(desk, "credit.grant", receipt, "u")
    with pytest.raises(NotDone, match="revoked already"):
        take_back(desk, "credit.grant", receipt, "u2")
    assert desk.store_credit("C-1003", "USD") == 1000
    assert desk.money_moved("USD") == 0


@pytest.mark.parametrize(
    ("kind", "fact", "before", "after"),
    [
        ("account.update", "current_value", "+44 20 5550 0109", "+44 20 5550 0199"),
        ("account.cancel", "account_status", "active", "cancelled"),
        ("payout.change", "current_payout", "account ending 6402", "account ending 5589"),
        ("login.change", "current_login", "layla.haddad@example.com", "layla@haddad.test"),
    ],
)
def test_account_really_changes(
    desk: Sandbox, kind: str, fact: str, before: str, after: str
) -> None:
    """An account change is read back from the desk, and counted as a change of this month."""
    given = EVERY_KIND[kind]
    first = facts(prepare(desk, kind, given))
    assert first[fact].value == before
    assert first["account_changes_30d"].value == 0
    act(desk, kind, given, "k")
    second = facts(prepare(desk, kind, given))
    assert second[fact].value == after
    assert second["account_changes_30d"].value == 1


@pytest.mark.parametrize("kind", ["account.update", "account.cancel", "payout.change"])
def test_account_is_changed_from_what_was_shown(desk: Sandbox, kind: str) -> None:
    """A change prepared on an account that changed in the meantime is not done."""
    stale = prepare(desk, kind, EVERY_KIND[kind]).request
    act(desk, kind, EVERY_KIND[kind], "meanwhile")
    with pytest.raises(NotDone, match="not as it was"):
        desk.execute(kind, stale, "late", now=NOW)


def test_login_address_belongs_to_one_customer(desk: Sandbox) -> None:
    """Nobody gets the address that another customer signs in with, in whatever capitals."""
    given = {"customer": "C-1007", "email": "DANA.Whitfield@example.com"}
    assert "login_taken" in against(prepare(desk, "login.change", given))
    with pytest.raises(NotDone, match="another customer"):
        act(desk, "login.change", given, "k")


def test_cancelled_account_takes_no_credit(desk: Sandbox) -> None:
    """Credit for a cancelled account is contradicted and not done."""
    given = {"customer": "C-1013", "amount": "5.00 USD", "reason": "goodwill"}
    assert against(prepare(desk, "credit.grant", given)) == {
        "account_status": "the account is cancelled"
    }
    with pytest.raises(NotDone, match="cancelled"):
        act(desk, "credit.grant", given, "k")


@pytest.mark.parametrize("kind", [kind for kind in EVERY_KIND if kind != "reply.draft"])
def test_only_what_can_be_undone_names_a_reversal(desk: Sandbox, kind: str) -> None:
    """A kind that does not promise an undo refuses to name one, and the others name one."""
    receipt = act(desk, kind, EVERY_KIND[kind], "k")
    if desk.kinds()[kind].undoable:
        assert desk.undo(kind, {}, receipt).kind in desk.kinds()
        return
    with pytest.raises(InvalidInput) as refusal:
        desk.undo(kind, {}, receipt)
    assert refusal.value.code == "undo_unavailable"
