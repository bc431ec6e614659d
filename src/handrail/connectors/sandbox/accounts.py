"""Changes to a customer's account: details, login, payout, and its end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import apsw
import msgspec

from handrail.connectors.protocol import NotDone, Prepared, Receipt
from handrail.connectors.sandbox.effects import Stamp
from handrail.connectors.sandbox.history import BACKGROUND, account_facts, requester_facts
from handrail.connectors.sandbox.served import (
    HISTORY_MS,
    DeskRequest,
    Served,
    fact,
    optional_text_of,
    text_of,
    unknown,
    write_kind,
)
from handrail.core.action import Params
from handrail.core.artifact import Fact, Line
from handrail.errors import InvalidInput

__all__ = ["ACCOUNT_CANCEL", "ACCOUNT_UPDATE", "LOGIN_CHANGE", "PAYOUT_CHANGE", "masked"]

MASK_CHARS_SHOWN: Final = 4

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_UPDATES: Final = {
    "name": "UPDATE customers SET name = ? WHERE id = ? AND name = ?",
    "phone": "UPDATE customers SET phone = ? WHERE id = ? AND phone = ?",
    "address": "UPDATE customers SET address = ? WHERE id = ? AND address = ?",
}


class _AccountUpdate(DeskRequest, frozen=True, kw_only=True):
    """Set one detail of an account, provided that it still is what it was."""

    customer: str
    name: str
    field: str
    before: str
    value: str
    ticket: str | None


class _AccountCancel(DeskRequest, frozen=True, kw_only=True):
    """End an account."""

    customer: str
    name: str
    reason: str
    ticket: str | None


class _PayoutChange(DeskRequest, frozen=True, kw_only=True):
    """Pay this customer to another account from now on."""

    customer: str
    name: str
    before: str
    account: str
    ticket: str | None


class _LoginChange(DeskRequest, frozen=True, kw_only=True):
    """Let this customer sign in with another address."""

    customer: str
    name: str
    before: str
    email: str
    ticket: str | None


class _Account(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    name: str
    phone: str
    address: str
    login_email: str
    payout_account: str
    status: str
    plan: str


def masked(account: str) -> str:
    """A payout account without giving it away: `account ending 0931`."""
    shown = "".join(account.split())[-MASK_CHARS_SHOWN:]
    return f"account ending {shown}" if shown else "none"


def _account(db: apsw.Connection, customer: str) -> _Account:
    row = db.execute(
        "SELECT name, phone, address, login_email, payout_account, status, plan"
        " FROM customers WHERE id = ?",
        (customer,),
    ).fetchone()
    if row is None:
        raise unknown("customer", customer)
    return msgspec.convert(row, _Account)


def _facts_of(
    db: apsw.Connection, account: _Account, customer: str, ticket: str | None, now: int
) -> tuple[Fact, ...]:
    changes = db.execute(
        "SELECT count(*) FROM account_changes WHERE customer = ? AND changed_at > ?",
        (customer, now - HISTORY_MS),
    ).get
    return (
        *account_facts(account.status),
        fact("account_plan", account.plan, "customers"),
        fact("account_changes_30d", changes, "account changes"),
        *requester_facts(db, ticket, customer),
    )


def _one_line(name: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise InvalidInput("field_malformed", f"`{name}` must be one line")
    return value


def _ticket_line(ticket: str | None) -> Sequence[Line]:
    return [Line(label="Ticket", text=ticket)] if ticket else []


def _changed(
    db: apsw.Connection, customer: str, field: str, stamp: Stamp, result: dict[str, object]
) -> Receipt:
    """Note a change that was just made; NotDone when the last statement changed nothing."""
    if db.changes() != 1:
        raise NotDone(f"account `{customer}` is not as it was when this was prepared")
    change = stamp.effect_id("A")
    db.execute(
        "INSERT INTO account_changes (id, customer, field, changed_at) VALUES (?, ?, ?, ?)",
        (change, customer, field, stamp.now),
    )
    return Receipt(provider_ref=change, result={"customer": customer, **result})


def _prepare_update(db: apsw.Connection, params: Params, now: int) -> Prepared:
    customer, field = text_of(params, "customer"), text_of(params, "field")
    value, ticket = text_of(params, "value"), optional_text_of(params, "ticket")
    if field not in _UPDATES:
        raise InvalidInput("field_malformed", f"an account has no detail `{field}` to change")
    if field != "address":
        _one_line("value", value)
    account = _account(db, customer)
    before: str = getattr(account, field)
    request = _AccountUpdate(
        customer=customer, name=account.name, field=field, before=before, value=value, ticket=ticket
    )
    same = "it is that already" if before == value else None
    return Prepared(
        customer=customer,
        request=msgspec.structs.asdict(request),
        background=BACKGROUND,
        facts=(
            fact("current_value", before, "customers", same),
            *_facts_of(db, account, customer, ticket, now),
        ),
    )


def _update_lines(request: _AccountUpdate) -> list[Line]:
    return [
        Line(label="Change", text=request.field),
        Line(label="From", text=request.before),
        Line(label="To", text=request.value),
        Line(label="Account", text=f"{request.customer} of {request.name}"),
        *_ticket_line(request.ticket),
    ]


def _update(db: apsw.Connection, request: _AccountUpdate, stamp: Stamp) -> Receipt:
    statement = _UPDATES.get(request.field)
    if statement is None:
        raise NotDone(f"an account has no detail `{request.field}` to change")
    db.execute(statement, (request.value, request.customer, request.before))
    return _changed(db, request.customer, request.field, stamp, {"changed": request.field})


def _prepare_cancel(db: apsw.Connection, params: Params, now: int) -> Prepared:
    customer, ticket = text_of(params, "customer"), optional_text_of(params, "ticket")
    account = _account(db, customer)
    request = _AccountCancel(
        customer=customer, name=account.name, reason=text_of(params, "reason"), ticket=ticket
    )
    under_way, credit = db.execute(
        "SELECT (SELECT count(*) FROM orders"
        "  WHERE customer = ?1 AND status IN ('paid', 'shipped')),"
        " (SELECT count(*) FROM credit_balances WHERE customer = ?1 AND minor > 0)",
        (customer,),
    ).fetchone() or (0, 0)
    return Prepared(
        customer=customer,
        request=msgspec.structs.asdict(request),
        background=BACKGROUND,
        facts=(
            *_facts_of(db, account, customer, ticket, now),
            fact(
                "orders_under_way",
                under_way,
                "orders",
                "an order of this customer is still under way" if under_way else None,
            ),
            fact(
                "has_store_credit",
                credit > 0,
                "credits",
                "the customer still has store credit" if credit else None,
            ),
        ),
    )


def _cancel_lines(request: _AccountCancel) -> list[Line]:
    return [
        Line(label="Cancel account", text=f"{request.customer} of {request.name}"),
        Line(label="Reason", text=request.reason),
        *_ticket_line(request.ticket),
    ]


def _cancel(db: apsw.Connection, request: _AccountCancel, stamp: Stamp) -> Receipt:
    db.execute(
        "UPDATE customers SET status = 'cancelled' WHERE id = ? AND status = 'active'",
        (request.customer,),
    )
    return _changed(db, request.customer, "status", stamp, {"status": "cancelled"})


def _prepare_payout(db: apsw.Connection, params: Params, now: int) -> Prepared:
    customer, ticket = text_of(params, "customer"), optional_text_of(params, "ticket")
    account = _account(db, customer)
    request = _PayoutChange(
        customer=customer,
        name=account.name,
        before=masked(account.payout_account),
        account=_one_line("account", text_of(params, "account")),
        ticket=ticket,
    )
    same = "it is that already" if account.payout_account == request.account else None
    return Prepared(
        customer=customer,
        request=msgspec.structs.asdict(request),
        background=BACKGROUND,
        facts=(
            fact("current_payout", request.before, "customers", same),
            *_facts_of(db, account, customer, ticket, now),
        ),
    )


def _payout_lines(request: _PayoutChange) -> list[Line]:
    return [
        Line(label="New payout account", text=request.account),
        Line(label="In place of", text=request.before),
        Line(label="Account", text=f"{request.customer} of {request.name}"),
        *_ticket_line(request.ticket),
    ]


def _change_payout(db: apsw.Connection, request: _PayoutChange, stamp: Stamp) -> Receipt:
    row = db.execute(
        "SELECT payout_account FROM customers WHERE id = ?", (request.customer,)
    ).fetchone()
    if row is None or masked(row[0]) != request.before:
        raise NotDone(f"account `{request.customer}` is not as it was when this was prepared")
    db.execute(
        "UPDATE customers SET payout_account = ? WHERE id = ?",
        (request.account, request.customer),
    )
    return _changed(
        db, request.customer, "payout_account", stamp, {"payout": masked(request.account)}
    )


def _prepare_login(db: apsw.Connection, params: Params, now: int) -> Prepared:
    customer, ticket = text_of(params, "customer"), optional_text_of(params, "ticket")
    email = text_of(params, "email")
    if not _EMAIL.fullmatch(email):
        raise InvalidInput("field_malformed", "`email` is not a mail address")
    account = _account(db, customer)
    request = _LoginChange(
        customer=customer,
        name=account.name,
        before=account.login_email,
        email=email,
        ticket=ticket,
    )
    taken = _login_taken(db, email, customer)
    against = "another customer signs in with that address" if taken else None
    return Prepared(
        customer=customer,
        request=msgspec.structs.asdict(request),
        background=BACKGROUND,
        facts=(
            fact("current_login", account.login_email, "customers"),
            fact("login_taken", taken, "customers", against),
            *_facts_of(db, account, customer, ticket, now),
        ),
    )


def _login_taken(db: apsw.Connection, email: str, customer: str) -> bool:
    row = db.execute(
        "SELECT 1 FROM customers WHERE login_email = ? AND id <> ?", (email, customer)
    ).fetchone()
    return row is not None


def _login_lines(request: _LoginChange) -> list[Line]:
    return [
        Line(label="New login address", text=request.email),
        Line(label="In place of", text=request.before),
        Line(label="Account", text=f"{request.customer} of {request.name}"),
        *_ticket_line(request.ticket),
    ]


def _change_login(db: apsw.Connection, request: _LoginChange, stamp: Stamp) -> Receipt:
    if _login_taken(db, request.email, request.customer):
        raise NotDone("another customer signs in with that address")
    db.execute(
        "UPDATE customers SET login_email = ? WHERE id = ? AND login_email = ?",
        (request.email, request.customer, request.before),
    )
    return _changed(db, request.customer, "login_email", stamp, {"login": request.email})


ACCOUNT_UPDATE: Final = Served(
    capability=write_kind("account.update"),
    request=_AccountUpdate,
    prepare=_prepare_update,
    lines=_update_lines,
    perform=_update,
)

ACCOUNT_CANCEL: Final = Served(
    capability=write_kind("account.cancel"),
    request=_AccountCancel,
    prepare=_prepare_cancel,
    lines=_cancel_lines,
    perform=_cancel,
)

PAYOUT_CHANGE: Final = Served(
    capability=write_kind("payout.change"),
    request=_PayoutChange,
    prepare=_prepare_payout,
    lines=_payout_lines,
    perform=_change_payout,
)

LOGIN_CHANGE: Final = Served(
    capability=write_kind("login.change"),
    request=_LoginChange,
    prepare=_prepare_login,
    lines=_login_lines,
    perform=_change_login,
)
