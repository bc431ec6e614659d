"""The kinds that only read: a ticket's conversation, and the knowledge base."""

from __future__ import annotations

import re
from typing import Final

import apsw
import msgspec

from handrail.connectors.protocol import NotDone, Prepared, Receipt
from handrail.connectors.sandbox.effects import Stamp
from handrail.connectors.sandbox.served import (
    DeskRequest,
    Served,
    amount_text,
    date_text,
    fact,
    read_kind,
    text_of,
    unknown,
)
from handrail.core.action import Params
from handrail.core.artifact import Line

__all__ = ["KB_SEARCH", "TICKET_READ"]

ARTICLES_MAX: Final = 5
"""Articles that one search returns."""

WORDS_MAX: Final = 16
"""Words of a query that are searched for."""

ORDERS_MAX: Final = 50
"""Orders of the customer that come with a ticket, newest first."""

_ORDERS: Final = list[tuple[str, str, int, str, str, int]]
_WORD: Final = re.compile(r"\w+")


class _TicketRead(DeskRequest, frozen=True, kw_only=True):
    """Read one ticket."""

    ticket: str
    customer: str


class _KbSearch(DeskRequest, frozen=True, kw_only=True):
    """Search the knowledge base."""

    query: str
    articles_max: int


def _prepare_read(db: apsw.Connection, params: Params, now: int) -> Prepared:
    ticket = text_of(params, "ticket")
    row = db.execute(
        "SELECT customer, requester, status FROM tickets WHERE id = ?", (ticket,)
    ).fetchone()
    if row is None:
        raise unknown("ticket", ticket)
    customer, requester, status = row
    return Prepared(
        customer=customer,
        request=msgspec.structs.asdict(_TicketRead(ticket=ticket, customer=customer)),
        facts=(
            fact("ticket_status", status, "tickets"),
            fact("requester", requester, "tickets"),
        ),
    )


def _read_lines(request: _TicketRead) -> list[Line]:
    return [
        Line(label="Ticket", text=request.ticket),
        Line(label="Customer", text=request.customer),
    ]


def _read_ticket(db: apsw.Connection, request: _TicketRead, stamp: Stamp) -> Receipt:
    row = db.execute(
        "SELECT t.customer, c.name, t.requester, t.subject, t.status FROM tickets t"
        " JOIN customers c ON c.id = t.customer WHERE t.id = ? AND t.customer = ?",
        (request.ticket, request.customer),
    ).fetchone()
    if row is None:
        raise NotDone(f"ticket `{request.ticket}` is no longer there")
    customer, name, requester, subject, status = row
    messages = db.execute(
        "SELECT author, sender, body, sent_at, EXISTS (SELECT 1 FROM mailbox b"
        " WHERE b.message_id = m.message_id) FROM messages m WHERE ticket = ? ORDER BY position",
        (request.ticket,),
    ).fetchall()
    return Receipt(
        result={
            "ticket": request.ticket,
            "customer": customer,
            "customer_name": name,
            "requester": requester,
            "subject": subject,
            "status": status,
            "messages": [
                {
                    "author": author,
                    "sender": sender,
                    "body": body,
                    "sent_at": sent_at,
                    "through_handrail": bool(sent),
                }
                for author, sender, body, sent_at, sent in messages
            ],
            "orders": _orders(db, customer),
        }
    )


def _orders(db: apsw.Connection, customer: str) -> list[object]:
    rows = db.execute(
        "SELECT id, items, total_minor, currency, status, ordered_at FROM orders"
        " WHERE customer = ? ORDER BY ordered_at DESC LIMIT ?",
        (customer, ORDERS_MAX),
    ).fetchall()
    return [
        {
            "order": order,
            "items": items,
            "total": amount_text(total, currency),
            "status": status,
            "date": date_text(ordered_at),
        }
        for order, items, total, currency, status, ordered_at in msgspec.convert(rows, _ORDERS)
    ]


def _prepare_search(db: apsw.Connection, params: Params, now: int) -> Prepared:
    request = _KbSearch(query=text_of(params, "query"), articles_max=ARTICLES_MAX)
    return Prepared(customer=None, request=msgspec.structs.asdict(request))


def _search_lines(request: _KbSearch) -> list[Line]:
    return [
        Line(label="Search for", text=request.query),
        Line(label="At most", text=f"{request.articles_max} articles"),
    ]


def _search(db: apsw.Connection, request: _KbSearch, stamp: Stamp) -> Receipt:
    # Each word becomes a quoted string: nothing of the query is read as full-text syntax.
    words = _WORD.findall(request.query)[:WORDS_MAX]
    match = " OR ".join(f'"{word}"' for word in words)
    rows = (
        db.execute(
            "SELECT id, title, body FROM articles WHERE articles MATCH ?"
            " ORDER BY bm25(articles, 0, 4, 1), id LIMIT ?",
            (match, request.articles_max),
        ).fetchall()
        if words
        else []
    )
    return Receipt(
        result={
            "articles": [
                {"article": article, "title": title, "body": body} for article, title, body in rows
            ]
        }
    )


TICKET_READ: Final = Served(
    capability=read_kind("ticket.read"),
    request=_TicketRead,
    prepare=_prepare_read,
    lines=_read_lines,
    perform=_read_ticket,
)

KB_SEARCH: Final = Served(
    capability=read_kind("kb.search"),
    request=_KbSearch,
    prepare=_prepare_search,
    lines=_search_lines,
    perform=_search,
)
