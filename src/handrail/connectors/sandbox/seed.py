"""Puts the sample shop into a new desk."""

from __future__ import annotations

from typing import Final

import apsw

from handrail.connectors.sandbox.articles import ARTICLES
from handrail.connectors.sandbox.macros import MACROS
from handrail.connectors.sandbox.replies import MAIL_HOST
from handrail.connectors.sandbox.samples import CREDITS, CUSTOMERS, ORDERS, REFUNDS
from handrail.connectors.sandbox.stories import TICKETS

__all__ = ["SEED_AT", "plant"]

SEED_AT: Final = 1_772_442_000_000
"""What the samples are dated back from when nobody says: 2026-03-02 09:00 UTC."""

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


def plant(db: apsw.Connection, now: int) -> None:
    """Insert every sample, dated back from `now`. Call it in the transaction that made the tables.

    The same `now` gives the same rows.
    """
    _plant_customers(db)
    _plant_orders(db, now)
    _plant_history(db, now)
    _plant_tickets(db, now)
    db.executemany("INSERT INTO articles (id, title, body) VALUES (?, ?, ?)", ARTICLES)
    db.executemany(
        "INSERT INTO macros (id, name, text) VALUES (?, ?, ?)",
        [(macro.id, macro.name, macro.text) for macro in MACROS],
    )


def _plant_customers(db: apsw.Connection) -> None:
    db.executemany(
        "INSERT INTO customers (id, name, email, login_email, phone, address, plan, status,"
        " payout_account) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8)",
        CUSTOMERS,
    )


def _plant_orders(db: apsw.Connection, now: int) -> None:
    for order in ORDERS:
        db.execute(
            "INSERT INTO orders (id, customer, items, total_minor, currency, status, ordered_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*order[:6], now - order.days_ago * _DAY_MS),
        )
        if order.method is not None:
            db.execute(
                "INSERT INTO payments (id, order_id, method, currency, captured_minor)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    order.id.replace("O-", "P-"),
                    order.id,
                    order.method,
                    order.currency,
                    order.total_minor,
                ),
            )


def _plant_history(db: apsw.Connection, now: int) -> None:
    """Earlier refunds and credits, with the balances that they left behind."""
    for refund in REFUNDS:
        db.execute(
            "INSERT INTO refunds (id, payment, customer, minor, currency, reason, issued_at)"
            " SELECT ?1, p.id, o.customer, ?2, p.currency, ?3, ?4"
            " FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.id = ?5",
            (refund.id, refund.minor, refund.reason, now - refund.days_ago * _DAY_MS, refund.order),
        )
        db.execute(
            "UPDATE payments SET refunded_minor = refunded_minor + ? WHERE order_id = ?",
            (refund.minor, refund.order),
        )
    for credit in CREDITS:
        db.execute(
            "INSERT INTO credits (id, customer, minor, currency, reason, granted_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*credit[:5], now - credit.days_ago * _DAY_MS),
        )
        db.execute(
            "INSERT INTO credit_balances (customer, currency, minor) VALUES (?, ?, ?)",
            (credit.customer, credit.currency, credit.minor),
        )


def _plant_tickets(db: apsw.Connection, now: int) -> None:
    emails = {customer.id: customer.email for customer in CUSTOMERS}
    for ticket in TICKETS:
        sender = ticket.requester or emails[ticket.customer]
        at = now - ticket.hours_ago * _HOUR_MS
        db.execute(
            "INSERT INTO tickets (id, customer, requester, subject, status, opened_at, updated_at)"
            " VALUES (?1, ?2, ?3, ?4, 'open', ?5, ?5)",
            (ticket.id, ticket.customer, sender, ticket.subject, at),
        )
        db.execute(
            "INSERT INTO messages (message_id, ticket, author, sender, body, sent_at)"
            " VALUES (?, ?, 'customer', ?, ?, ?)",
            (f"<{ticket.id.lower()}.1@mail.{MAIL_HOST}>", ticket.id, sender, ticket.body, at),
        )
