"""Store credit: granted, and taken back while it is unspent."""

from __future__ import annotations

from typing import Final

import apsw
import msgspec

from handrail.connectors.protocol import NotDone, Prepared, Receipt
from handrail.connectors.sandbox.effects import Stamp
from handrail.connectors.sandbox.history import (
    BACKGROUND,
    account_facts,
    money_facts,
    requester_facts,
)
from handrail.connectors.sandbox.served import (
    DeskRequest,
    Served,
    amount_text,
    fact,
    money_of,
    optional_text_of,
    text_of,
    unknown,
    write_kind,
)
from handrail.core.action import Params
from handrail.core.artifact import Line

__all__ = ["CREDIT_GRANT", "CREDIT_REVOKE"]


class _CreditGrant(DeskRequest, frozen=True, kw_only=True):
    """Add store credit to one customer's account."""

    customer: str
    name: str
    amount_minor: int
    currency: str
    reason: str
    ticket: str | None


class _CreditRevoke(DeskRequest, frozen=True, kw_only=True):
    """Take one grant back, whole."""

    credit: str
    customer: str
    name: str
    amount_minor: int
    currency: str


def _balance(db: apsw.Connection, customer: str, currency: str) -> int:
    row = db.execute(
        "SELECT minor FROM credit_balances WHERE customer = ? AND currency = ?",
        (customer, currency),
    ).fetchone()
    return 0 if row is None else int(row[0])


def _prepare_grant(db: apsw.Connection, params: Params, now: int) -> Prepared:
    customer, amount = text_of(params, "customer"), money_of(params, "amount")
    ticket = optional_text_of(params, "ticket")
    row = db.execute("SELECT name, status FROM customers WHERE id = ?", (customer,)).fetchone()
    if row is None:
        raise unknown("customer", customer)
    name, status = row
    request = _CreditGrant(
        customer=customer,
        name=name,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=text_of(params, "reason"),
        ticket=ticket,
    )
    held = _balance(db, customer, amount.currency)
    return Prepared(
        customer=customer,
        request=msgspec.structs.asdict(request),
        background=BACKGROUND,
        facts=(
            *account_facts(status),
            fact("credit_balance", amount_text(held, amount.currency), "credits"),
            *money_facts(db, customer, amount.currency, now),
            *requester_facts(db, ticket, customer),
        ),
    )


def _grant_lines(request: _CreditGrant) -> list[Line]:
    return [
        Line(label="Store credit", text=amount_text(request.amount_minor, request.currency)),
        Line(label="To", text=f"account {request.customer} of {request.name}"),
        Line(label="Reason", text=request.reason),
        *([Line(label="Ticket", text=request.ticket)] if request.ticket else []),
    ]


def _grant(db: apsw.Connection, request: _CreditGrant, stamp: Stamp) -> Receipt:
    if request.amount_minor <= 0:
        raise NotDone("a credit is more than zero")
    row = db.execute("SELECT status FROM customers WHERE id = ?", (request.customer,)).fetchone()
    if row is None:
        raise NotDone(f"customer `{request.customer}` is no longer there")
    if row[0] != "active":
        raise NotDone("the account is cancelled and takes no store credit")
    credit = stamp.effect_id("K")
    db.execute(
        "INSERT INTO credits (id, customer, minor, currency, reason, ticket, key, granted_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            credit,
            request.customer,
            request.amount_minor,
            request.currency,
            request.reason,
            request.ticket,
            stamp.key,
            stamp.now,
        ),
    )
    db.execute(
        "INSERT INTO credit_balances (customer, currency, minor) VALUES (?, ?, ?)"
        " ON CONFLICT (customer, currency) DO UPDATE SET minor = minor + excluded.minor",
        (request.customer, request.currency, request.amount_minor),
    )
    return Receipt(
        provider_ref=credit,
        result={
            "credit": credit,
            "customer": request.customer,
            "amount": amount_text(request.amount_minor, request.currency),
        },
    )


def _prepare_revoke(db: apsw.Connection, params: Params, now: int) -> Prepared:
    credit = text_of(params, "credit")
    row = db.execute(
        "SELECT g.customer, c.name, c.status, g.minor, g.currency, g.revoked_at"
        " FROM credits g JOIN customers c ON c.id = g.customer WHERE g.id = ?",
        (credit,),
    ).fetchone()
    if row is None:
        raise unknown("credit", credit)
    customer, name, account_status, minor, currency, revoked_at = row
    request = _CreditRevoke(
        credit=credit, customer=customer, name=name, amount_minor=minor, currency=currency
    )
    gone = revoked_at is not None
    held = _balance(db, customer, currency)
    spent = not gone and held < minor
    return Prepared(
        customer=customer,
        request=msgspec.structs.asdict(request),
        background=BACKGROUND,
        facts=(
            fact(
                "credit_status",
                "revoked" if gone else "granted",
                "credits",
                "the credit was revoked already" if gone else None,
            ),
            fact(
                "credit_balance",
                amount_text(held, currency),
                "credits",
                "the credit was spent in the meantime" if spent else None,
            ),
            *account_facts(account_status),
        ),
    )


def _revoke_lines(request: _CreditRevoke) -> list[Line]:
    return [
        Line(label="Take back", text=amount_text(request.amount_minor, request.currency)),
        Line(label="From", text=f"store credit of account {request.customer} of {request.name}"),
        Line(label="Credit", text=request.credit),
    ]


def _revoke(db: apsw.Connection, request: _CreditRevoke, stamp: Stamp) -> Receipt:
    db.execute(
        "UPDATE credits SET revoked_at = ? WHERE id = ? AND customer = ? AND minor = ?"
        " AND currency = ? AND revoked_at IS NULL",
        (stamp.now, request.credit, request.customer, request.amount_minor, request.currency),
    )
    if db.changes() != 1:
        raise NotDone(f"credit `{request.credit}` was revoked already, or is not there")
    db.execute(
        "UPDATE credit_balances SET minor = minor - ?1"
        " WHERE customer = ?2 AND currency = ?3 AND minor >= ?1",
        (request.amount_minor, request.customer, request.currency),
    )
    if db.changes() != 1:
        raise NotDone(f"credit `{request.credit}` was spent in the meantime")
    return Receipt(
        provider_ref=f"{request.credit}/revoked",
        result={
            "credit": request.credit,
            "status": "revoked",
            "amount": amount_text(request.amount_minor, request.currency),
        },
    )


CREDIT_GRANT: Final = Served(
    capability=write_kind("credit.grant", undoable=True),
    request=_CreditGrant,
    prepare=_prepare_grant,
    lines=_grant_lines,
    perform=_grant,
    reversal=("credit.revoke", "credit"),
)

CREDIT_REVOKE: Final = Served(
    capability=write_kind("credit.revoke"),
    request=_CreditRevoke,
    prepare=_prepare_revoke,
    lines=_revoke_lines,
    perform=_revoke,
)
