"""What the console, the demo and tests read from the embedded desk, beside the connector's road."""

from __future__ import annotations

import apsw
import msgspec

from handrail.connectors.sandbox.served import unknown

__all__ = [
    "DeskMessage",
    "DeskTicket",
    "PaymentBalance",
    "SentFile",
    "SentMail",
    "balance_of",
    "conversation_of",
    "credit_of",
    "customer_of",
    "moved_in",
    "sent_mails",
    "ticket_list",
]


class DeskTicket(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A ticket in the list. `status` is open, answered or closed; times are milliseconds UTC."""

    id: str
    customer: str
    customer_name: str
    requester: str
    subject: str
    status: str
    opened_at: int
    updated_at: int


class DeskMessage(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One message of a conversation. `author` is customer or support."""

    message_id: str
    author: str
    sender: str
    body: str
    sent_at: int


class SentFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that went out with a message."""

    name: str
    type: str
    content: bytes


class SentMail(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A message that left the desk, as it left."""

    message_id: str
    in_reply_to: str
    ticket: str
    sender: str
    recipient: str
    subject: str
    body: str
    sent_at: int
    html: str = ""
    attachments: tuple[SentFile, ...] = ()


class PaymentBalance(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What was captured and refunded of one payment, in minor units of `currency`."""

    currency: str
    captured_minor: int
    refunded_minor: int

    @property
    def refundable_minor(self) -> int:
        """What can still be refunded."""
        return self.captured_minor - self.refunded_minor


def ticket_list(db: apsw.Connection) -> list[DeskTicket]:
    """Every ticket, by id."""
    rows = db.execute(
        "SELECT t.id, t.customer, c.name, t.requester, t.subject, t.status, t.opened_at,"
        " t.updated_at FROM tickets t JOIN customers c ON c.id = t.customer ORDER BY t.id"
    ).fetchall()
    return msgspec.convert(rows, list[DeskTicket])


def conversation_of(db: apsw.Connection, ticket: str) -> list[DeskMessage]:
    """The messages of a ticket, oldest first; InvalidInput `subject_unknown` without a ticket."""
    if db.execute("SELECT 1 FROM tickets WHERE id = ?", (ticket,)).fetchone() is None:
        raise unknown("ticket", ticket)
    rows = db.execute(
        "SELECT message_id, author, sender, body, sent_at FROM messages WHERE ticket = ?"
        " ORDER BY position",
        (ticket,),
    ).fetchall()
    return msgspec.convert(rows, list[DeskMessage])


def customer_of(db: apsw.Connection, ticket: str) -> str:
    """The customer that a ticket belongs to; InvalidInput `subject_unknown`."""
    row = db.execute("SELECT customer FROM tickets WHERE id = ?", (ticket,)).fetchone()
    if row is None:
        raise unknown("ticket", ticket)
    return str(row[0])


def sent_mails(db: apsw.Connection) -> list[SentMail]:
    """Every message that left the desk, in the order of leaving."""
    rows = db.execute(
        "SELECT message_id, in_reply_to, ticket, sender, recipient, subject, body, sent_at, html"
        " FROM mailbox ORDER BY position"
    ).fetchall()
    files: dict[str, list[SentFile]] = {}
    for message_id, name, type_, content in db.execute(
        "SELECT message_id, name, type, content FROM mail_files ORDER BY message_id, place"
    ):
        sent = SentFile(name=name, type=type_, content=content)
        files.setdefault(message_id, []).append(sent)
    mails = msgspec.convert(rows, list[SentMail])
    return [
        msgspec.structs.replace(mail, attachments=tuple(files.get(mail.message_id, ())))
        for mail in mails
    ]


def balance_of(db: apsw.Connection, payment: str) -> PaymentBalance:
    """The balance of a payment; InvalidInput `subject_unknown`."""
    row = db.execute(
        "SELECT currency, captured_minor, refunded_minor FROM payments WHERE id = ?", (payment,)
    ).fetchone()
    if row is None:
        raise unknown("payment", payment)
    return msgspec.convert(row, PaymentBalance)


def credit_of(db: apsw.Connection, customer: str, currency: str) -> int:
    """Unspent store credit of a customer, in minor units of `currency`."""
    row = db.execute(
        "SELECT minor FROM credit_balances WHERE customer = ? AND currency = ?",
        (customer, currency),
    ).fetchone()
    return 0 if row is None else int(row[0])


def moved_in(db: apsw.Connection, currency: str) -> int:
    """Minor units refunded or credited through the desk and not taken back."""
    # Only what was done under a key: the samples have a history of their own.
    (moved,) = db.execute(
        "SELECT (SELECT coalesce(sum(minor), 0) FROM refunds"
        "  WHERE currency = ?1 AND reversed_at IS NULL AND key IS NOT NULL)"
        " + (SELECT coalesce(sum(minor), 0) FROM credits"
        "  WHERE currency = ?1 AND revoked_at IS NULL AND key IS NOT NULL)",
        (currency,),
    ).fetchone() or (0,)
    return int(moved)
