"""What the desk already did for a customer, and who asks: facts that several kinds share."""

from __future__ import annotations

from typing import Final

import apsw

from handrail.connectors.sandbox.served import HISTORY_MS, amount_text, fact, unknown
from handrail.core.artifact import Fact

__all__ = ["BACKGROUND", "account_facts", "money_facts", "requester_facts"]

BACKGROUND: Final = (
    "refunds_30d",
    "refunds_30d_sum",
    "credits_30d",
    "credits_30d_sum",
    "credit_balance",
    "account_changes_30d",
)
"""Facts that other actions, or a month's end, change: shown, and no precondition of anything."""


def money_facts(db: apsw.Connection, customer: str, currency: str, now: int) -> tuple[Fact, ...]:
    """Refunds and credits of a customer in the last 30 days that still stand.

    The counts are over all currencies, the sums in `currency` alone.
    """
    refunds, refunded, credits, credited = db.execute(
        "SELECT r.n, r.minor, g.n, g.minor FROM"
        " (SELECT count(*) AS n, coalesce(sum(iif(currency = ?1, minor, 0)), 0) AS minor"
        "   FROM refunds WHERE customer = ?2 AND issued_at > ?3 AND reversed_at IS NULL) r,"
        " (SELECT count(*) AS n, coalesce(sum(iif(currency = ?1, minor, 0)), 0) AS minor"
        "   FROM credits WHERE customer = ?2 AND granted_at > ?3 AND revoked_at IS NULL) g",
        (currency, customer, now - HISTORY_MS),
    ).fetchone() or (0, 0, 0, 0)
    return (
        fact("refunds_30d", refunds, "refunds"),
        fact("refunds_30d_sum", amount_text(refunded, currency), "refunds"),
        fact("credits_30d", credits, "credits"),
        fact("credits_30d_sum", amount_text(credited, currency), "credits"),
    )


def requester_facts(db: apsw.Connection, ticket: str | None, customer: str) -> tuple[Fact, ...]:
    """Who wrote the ticket, whether the action touches this customer, and their last word.

    The last word is a precondition: who writes "forget it" stops what was approved before.

    Nothing when the action names no ticket. Raises InvalidInput `subject_unknown`.
    """
    if ticket is None:
        return ()
    row = db.execute(
        "SELECT t.customer, t.requester, lower(t.requester) IN (lower(c.email),"
        " lower(c.login_email)), (SELECT message_id FROM messages WHERE ticket = t.id"
        " AND author = 'customer' ORDER BY position DESC LIMIT 1)"
        " FROM tickets t JOIN customers c ON c.id = t.customer WHERE t.id = ?",
        (ticket,),
    ).fetchone()
    if row is None:
        raise unknown("ticket", ticket)
    of_ticket, requester, on_file, question = row
    against = None
    if of_ticket != customer:
        against = f"ticket `{ticket}` is from another customer, `{of_ticket}`"
    elif not on_file:
        against = f"`{requester}` is not an address on file for this customer"
    return (
        fact("requester", requester, "tickets"),
        fact("requester_is_customer", against is None, "customers", against),
        fact("last_customer_message", question or "none", "messages"),
    )


def account_facts(status: str) -> tuple[Fact, ...]:
    """The account's status."""
    against = "the account is cancelled" if status == "cancelled" else None
    return (fact("account_status", status, "customers", against),)
