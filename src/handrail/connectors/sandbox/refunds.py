"""Refunds to the original payment method, and their reversal."""

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
    date_text,
    fact,
    money_of,
    optional_text_of,
    text_of,
    unknown,
    write_kind,
)
from handrail.core.action import Params
from handrail.core.artifact import Fact, Line
from handrail.core.money import Money
from handrail.errors import InvalidInput

__all__ = ["REFUND_ISSUE", "REFUND_REVERSE"]


class _RefundIssue(DeskRequest, frozen=True, kw_only=True):
    """Move money of one payment back to the method it came from."""

    order: str
    payment: str
    customer: str
    name: str
    method: str
    amount_minor: int
    currency: str
    reason: str
    ticket: str | None


class _RefundReverse(DeskRequest, frozen=True, kw_only=True):
    """Take one refund back, whole."""

    refund: str
    order: str
    payment: str
    customer: str
    name: str
    method: str
    amount_minor: int
    currency: str


class _Paid(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An order with its payment and its owner; the payment's fields are None when it is unpaid."""

    customer: str
    name: str
    account_status: str
    order_status: str
    ordered_at: int
    total_minor: int
    order_currency: str
    payment: str | None
    method: str | None
    currency: str | None
    captured_minor: int | None
    refunded_minor: int | None


def _paid(db: apsw.Connection, order: str) -> _Paid:
    row = db.execute(
        "SELECT o.customer, c.name, c.status, o.status, o.ordered_at, o.total_minor, o.currency,"
        " p.id, p.method, p.currency, p.captured_minor, p.refunded_minor"
        " FROM orders o JOIN customers c ON c.id = o.customer"
        " LEFT JOIN payments p ON p.order_id = o.id WHERE o.id = ?",
        (order,),
    ).fetchone()
    if row is None:
        raise unknown("order", order)
    return msgspec.convert(row, _Paid)


def _prepare_issue(db: apsw.Connection, params: Params, now: int) -> Prepared:
    order, amount = text_of(params, "order"), money_of(params, "amount")
    ticket = optional_text_of(params, "ticket")
    paid = _paid(db, order)
    if paid.payment is None or paid.method is None or paid.currency is None:
        raise InvalidInput("connector_refused", f"order `{order}` was never paid")
    request = _RefundIssue(
        order=order,
        payment=paid.payment,
        customer=paid.customer,
        name=paid.name,
        method=paid.method,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=text_of(params, "reason"),
        ticket=ticket,
    )
    return Prepared(
        customer=paid.customer,
        request=msgspec.structs.asdict(request),
        background=BACKGROUND,
        # The desk knows a card by its name alone; a provider has a fingerprint for it.
        instrument=paid.method,
        facts=(
            fact("order_owner", paid.customer, "orders"),
            *_order_facts(paid),
            *_balance_facts(paid, paid.currency, amount),
            *account_facts(paid.account_status),
            *money_facts(db, paid.customer, paid.currency, now),
            *requester_facts(db, ticket, paid.customer),
        ),
    )


def _order_facts(paid: _Paid) -> tuple[Fact, ...]:
    cancelled = "the order was cancelled" if paid.order_status == "cancelled" else None
    return (
        fact("order_status", paid.order_status, "orders", cancelled),
        fact("order_date", date_text(paid.ordered_at), "orders"),
        fact("order_total", amount_text(paid.total_minor, paid.order_currency), "orders"),
    )


def _balance_facts(paid: _Paid, currency: str, amount: Money) -> tuple[Fact, ...]:
    captured, refunded = paid.captured_minor or 0, paid.refunded_minor or 0
    other = over = None
    if amount.currency != currency:
        other = f"the payment was taken in {currency} and the refund is in {amount.currency}"
    elif amount.minor > captured - refunded:
        left = amount_text(captured - refunded, currency)
        over = f"{amount.text()} is more than the {left} that can still be refunded"
    return (
        fact("payment_method", paid.method, "payments"),
        fact("captured", amount_text(captured, currency), "payments", other),
        fact("already_refunded", amount_text(refunded, currency), "payments"),
        fact("refundable", amount_text(captured - refunded, currency), "payments", over),
    )


def _issue_lines(request: _RefundIssue) -> list[Line]:
    return [
        Line(label="Refund", text=amount_text(request.amount_minor, request.currency)),
        Line(label="To", text=f"{request.method} of {request.name}"),
        Line(label="Order", text=request.order),
        Line(label="Reason", text=request.reason),
        Line(label="Customer", text=request.customer),
        Line(label="Payment", text=request.payment),
        *([Line(label="Ticket", text=request.ticket)] if request.ticket else []),
    ]


def _issue(db: apsw.Connection, request: _RefundIssue, stamp: Stamp) -> Receipt:
    amount = amount_text(request.amount_minor, request.currency)
    if request.amount_minor <= 0:
        raise NotDone("a refund is more than zero")
    paid = _paid_still(db, request)
    # INVARIANT: refunded never exceeds captured; the table's CHECK is the second lock
    db.execute(
        "UPDATE payments SET refunded_minor = refunded_minor + ?1"
        " WHERE id = ?2 AND refunded_minor + ?1 <= captured_minor",
        (request.amount_minor, request.payment),
    )
    if db.changes() != 1:
        left = (paid.captured_minor or 0) - (paid.refunded_minor or 0)
        raise NotDone(
            f"{amount} is more than the {amount_text(left, request.currency)}"
            " that can still be refunded"
        )
    refund = stamp.effect_id("R")
    db.execute(
        "INSERT INTO refunds (id, payment, customer, minor, currency, reason, ticket, key,"
        " issued_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            refund,
            request.payment,
            request.customer,
            request.amount_minor,
            request.currency,
            request.reason,
            request.ticket,
            stamp.key,
            stamp.now,
        ),
    )
    return Receipt(
        provider_ref=refund,
        result={"refund": refund, "order": request.order, "amount": amount, "to": request.method},
    )


def _paid_still(db: apsw.Connection, request: _RefundIssue) -> _Paid:
    """The order as it is now; NotDone when the money would not go where the request says."""
    try:
        paid = _paid(db, request.order)
    except InvalidInput:
        raise NotDone(f"order `{request.order}` is no longer there") from None
    if paid.currency != request.currency:
        raise NotDone(f"the payment was not taken in {request.currency}")
    target = (request.customer, request.payment, request.method)
    if (paid.customer, paid.payment, paid.method) != target:
        raise NotDone(f"order `{request.order}` is not paid the way the request says")
    return paid


def _prepare_reverse(db: apsw.Connection, params: Params, now: int) -> Prepared:
    refund = text_of(params, "refund")
    row = db.execute(
        "SELECT r.customer, c.name, c.status, r.payment, p.order_id, p.method, r.minor,"
        " r.currency, r.reversed_at FROM refunds r JOIN customers c ON c.id = r.customer"
        " JOIN payments p ON p.id = r.payment WHERE r.id = ?",
        (refund,),
    ).fetchone()
    if row is None:
        raise unknown("refund", refund)
    customer, name, account_status, payment, order, method, minor, currency, reversed_at = row
    request = _RefundReverse(
        refund=refund,
        order=order,
        payment=payment,
        customer=customer,
        name=name,
        method=method,
        amount_minor=minor,
        currency=currency,
    )
    gone = reversed_at is not None
    against = "the refund was reversed already" if gone else None
    status = "reversed" if gone else "issued"
    return Prepared(
        customer=customer,
        request=msgspec.structs.asdict(request),
        background=BACKGROUND,
        facts=(
            fact("refund_status", status, "refunds", against),
            fact("refund_amount", amount_text(minor, currency), "refunds"),
            *account_facts(account_status),
        ),
    )


def _reverse_lines(request: _RefundReverse) -> list[Line]:
    return [
        Line(label="Take back", text=amount_text(request.amount_minor, request.currency)),
        Line(label="From", text=f"{request.method} of {request.name}"),
        Line(label="Refund", text=request.refund),
        Line(label="Order", text=request.order),
        Line(label="Customer", text=request.customer),
        Line(label="Payment", text=request.payment),
    ]


def _reverse(db: apsw.Connection, request: _RefundReverse, stamp: Stamp) -> Receipt:
    db.execute(
        "UPDATE refunds SET reversed_at = ? WHERE id = ? AND payment = ? AND minor = ?"
        " AND currency = ? AND reversed_at IS NULL",
        (stamp.now, request.refund, request.payment, request.amount_minor, request.currency),
    )
    if db.changes() != 1:
        raise NotDone(f"refund `{request.refund}` was reversed already, or is not there")
    db.execute(
        "UPDATE payments SET refunded_minor = refunded_minor - ? WHERE id = ?",
        (request.amount_minor, request.payment),
    )
    return Receipt(
        provider_ref=f"{request.refund}/reversed",
        result={
            "refund": request.refund,
            "status": "reversed",
            "amount": amount_text(request.amount_minor, request.currency),
        },
    )


REFUND_ISSUE: Final = Served(
    capability=write_kind("refund.issue", undoable=True),
    request=_RefundIssue,
    prepare=_prepare_issue,
    lines=_issue_lines,
    perform=_issue,
    reversal=("refund.reverse", "refund"),
)

REFUND_REVERSE: Final = Served(
    capability=write_kind("refund.reverse"),
    request=_RefundReverse,
    prepare=_prepare_reverse,
    lines=_reverse_lines,
    perform=_reverse,
)
