"""Replies to customers: drafts that stay on the desk, and messages that leave it."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from typing import Final

import apsw
import msgspec

from handrail.connectors.protocol import NotDone, Prepared, Receipt
from handrail.connectors.sandbox.effects import Stamp
from handrail.connectors.sandbox.macros import macro_lines, named_macro
from handrail.connectors.sandbox.recipients import about_recipient
from handrail.connectors.sandbox.served import (
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
from handrail.core.attachment import Attachment, read_attachments
from handrail.core.canonical import canonical

__all__ = ["DRAFT_DISCARD", "FROM_ADDRESS", "MAIL_HOST", "REPLY_DRAFT", "REPLY_SEND"]

MAIL_HOST: Final = "shop.example.com"
FROM_ADDRESS: Final = f"support@{MAIL_HOST}"


class _ReplyDraft(DeskRequest, frozen=True, kw_only=True):
    """Keep a draft on a ticket."""

    ticket: str
    customer: str
    body: str
    macro: str = ""


class _ReplySend(DeskRequest, frozen=True, kw_only=True):
    """Send one message, every header included."""

    ticket: str
    customer: str
    sender: str
    recipient: str
    subject: str
    message_id: str
    in_reply_to: str
    body: str
    html: str = ""
    macro: str = ""
    attachments: tuple[_File, ...] = ()


class _File(DeskRequest, frozen=True, kw_only=True):
    """One attached file, its bytes in base64."""

    name: str
    type: str
    size: int
    sha256: str
    content: str


class _DraftDiscard(DeskRequest, frozen=True, kw_only=True):
    """Throw a draft away."""

    draft: str
    ticket: str
    customer: str
    body: str


class _Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as a reply to it sees it. `question_id` is the customer's last message."""

    customer: str
    name: str
    requester: str
    subject: str
    status: str
    on_file: bool
    last_author: str
    question_id: str


def _thread(db: apsw.Connection, ticket: str) -> _Thread:
    row = db.execute(
        "SELECT t.customer, c.name, t.requester, t.subject, t.status,"
        " lower(t.requester) IN (lower(c.email), lower(c.login_email))"
        " FROM tickets t JOIN customers c ON c.id = t.customer WHERE t.id = ?",
        (ticket,),
    ).fetchone()
    if row is None:
        raise unknown("ticket", ticket)
    last = db.execute(
        "SELECT author FROM messages WHERE ticket = ? ORDER BY position DESC LIMIT 1", (ticket,)
    ).fetchone()
    question = db.execute(
        "SELECT message_id FROM messages WHERE ticket = ? AND author = 'customer'"
        " ORDER BY position DESC LIMIT 1",
        (ticket,),
    ).fetchone()
    return _Thread(
        customer=row[0],
        name=row[1],
        requester=row[2],
        subject=row[3],
        status=row[4],
        on_file=bool(row[5]),
        last_author=last[0] if last else "nobody",
        question_id=question[0] if question else "",
    )


def _facts_of(thread: _Thread) -> tuple[Fact, ...]:
    closed = "the ticket is closed" if thread.status == "closed" else None
    stranger = (
        None
        if thread.on_file
        else f"`{thread.requester}` is not an address on file for this customer"
    )
    return (
        fact("ticket_status", thread.status, "tickets", closed),
        fact("customer_name", thread.name, "customers"),
        fact("requester", thread.requester, "tickets"),
        fact("requester_is_customer", thread.on_file, "customers", stranger),
        fact("last_message_from", thread.last_author, "messages"),
        fact("last_customer_message", thread.question_id or "none", "messages"),
    )


def _prepare_draft(db: apsw.Connection, params: Params, now: int) -> Prepared:
    ticket, body = text_of(params, "ticket"), text_of(params, "body")
    thread = _thread(db, ticket)
    request = {"ticket": ticket, "customer": thread.customer, "body": body}
    return Prepared(
        customer=thread.customer,
        request={**request, **named_macro(db, params)},
        facts=_facts_of(thread),
    )


def _draft_lines(request: _ReplyDraft) -> list[Line]:
    return [
        Line(label="Ticket", text=request.ticket),
        Line(label="Customer", text=request.customer),
        Line(label="Draft", text=request.body),
        *macro_lines(request.macro),
    ]


def _draft(db: apsw.Connection, request: _ReplyDraft, stamp: Stamp) -> Receipt:
    if db.execute("SELECT 1 FROM tickets WHERE id = ?", (request.ticket,)).fetchone() is None:
        raise NotDone(f"ticket `{request.ticket}` is no longer there")
    draft = stamp.effect_id("D")
    db.execute(
        "INSERT INTO drafts (id, ticket, body, written_at) VALUES (?, ?, ?, ?)",
        (draft, request.ticket, request.body, stamp.now),
    )
    return Receipt(provider_ref=draft, result={"draft": draft, "ticket": request.ticket})


def _prepare_send(db: apsw.Connection, params: Params, now: int) -> Prepared:
    ticket, body = text_of(params, "ticket"), text_of(params, "body")
    html = optional_text_of(params, "html")
    thread = _thread(db, ticket)
    files = [_file_of(one) for one in read_attachments(params.get("attachments", []))]
    subject = thread.subject
    content = {
        "ticket": ticket,
        "customer": thread.customer,
        "sender": FROM_ADDRESS,
        "recipient": thread.requester,
        "subject": subject if subject[:3].lower() == "re:" else f"Re: {subject}",
        "in_reply_to": thread.question_id,
        "body": body,
        **({"html": html} if html else {}),
    }
    message_id = _message_id(content, files)
    again = _was_sent(db, message_id)
    return Prepared(
        customer=thread.customer,
        request={
            **content,
            "message_id": message_id,
            **named_macro(db, params),
            **({"attachments": files} if files else {}),
        },
        about=about_recipient(db, thread.customer, MAIL_HOST),
        facts=(
            *_facts_of(thread),
            fact("recipient_is_requester", True, "tickets"),
            fact(
                "same_message_sent",
                again,
                "mailbox",
                "the very same message was sent on this ticket already" if again else None,
            ),
        ),
    )


def _file_of(one: Attachment) -> dict[str, object]:
    data = one.data
    return {
        "name": one.name,
        "type": one.type,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "content": one.content,
    }


def _message_id(content: dict[str, str], files: list[dict[str, object]]) -> str:
    """A Message-ID that belongs to exactly this message, known before anybody approves it.

    The customer's message that it answers is part of it: the same words sent twice to the same
    question are one message, and once the customer has written again they are another.
    """
    whole = canonical({**content, "attachments": files} if files else content)
    return f"<{hashlib.sha256(whole).hexdigest()[:32]}@{MAIL_HOST}>"


def _was_sent(db: apsw.Connection, message_id: str) -> bool:
    row = db.execute("SELECT 1 FROM messages WHERE message_id = ?", (message_id,)).fetchone()
    return row is not None


def _send_lines(request: _ReplySend) -> list[Line]:
    return [
        Line(label="Recipient", text=request.recipient),
        Line(label="From", text=request.sender),
        Line(label="Subject", text=request.subject),
        Line(label="Message", text=request.body),
        *([Line(label="HTML source", text=request.html)] if request.html else []),
        *(
            Line(
                label="Attachment",
                text=f"{one.name} ({one.type}, {one.size} bytes, SHA-256 {one.sha256})",
            )
            for one in request.attachments
        ),
        *macro_lines(request.macro),
        Line(label="Ticket", text=request.ticket),
        Line(label="Customer", text=request.customer),
        Line(label="Message-ID", text=request.message_id),
        Line(label="In reply to", text=request.in_reply_to),
    ]


def _send(db: apsw.Connection, request: _ReplySend, stamp: Stamp) -> Receipt:
    row = db.execute(
        "SELECT requester, customer FROM tickets WHERE id = ?", (request.ticket,)
    ).fetchone()
    if row is None:
        raise NotDone(f"ticket `{request.ticket}` is no longer there")
    if row != (request.recipient, request.customer):
        raise NotDone("the ticket's requester or customer is not who the message is for")
    if _was_sent(db, request.message_id):
        raise NotDone("the very same message was sent on this ticket already")
    db.execute(
        "INSERT INTO mailbox (message_id, in_reply_to, ticket, sender, recipient, subject, body,"
        " html, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            request.message_id,
            request.in_reply_to,
            request.ticket,
            request.sender,
            request.recipient,
            request.subject,
            request.body,
            request.html,
            stamp.now,
        ),
    )
    for place, one in enumerate(request.attachments):
        data = b64decode(one.content)
        if len(data) != one.size or hashlib.sha256(data).hexdigest() != one.sha256:
            raise NotDone(f"the attachment `{one.name}` is not what its hash says")
        db.execute(
            "INSERT INTO mail_files (message_id, place, name, type, content)"
            " VALUES (?, ?, ?, ?, ?)",
            (request.message_id, place, one.name, one.type, data),
        )
    db.execute(
        "INSERT INTO messages (message_id, ticket, author, sender, body, sent_at)"
        " VALUES (?, ?, 'support', ?, ?, ?)",
        (request.message_id, request.ticket, request.sender, request.body, stamp.now),
    )
    db.execute(
        "UPDATE tickets SET status = 'answered', updated_at = ? WHERE id = ?",
        (stamp.now, request.ticket),
    )
    return Receipt(
        provider_ref=request.message_id,
        result={"message_id": request.message_id, "sent_to": request.recipient},
    )


def _prepare_discard(db: apsw.Connection, params: Params, now: int) -> Prepared:
    draft = text_of(params, "draft")
    row = db.execute(
        "SELECT d.ticket, d.body, d.discarded_at, t.customer FROM drafts d"
        " JOIN tickets t ON t.id = d.ticket WHERE d.id = ?",
        (draft,),
    ).fetchone()
    if row is None:
        raise unknown("draft", draft)
    ticket, body, discarded_at, customer = row
    gone = discarded_at is not None
    request = _DraftDiscard(draft=draft, ticket=ticket, customer=customer, body=body)
    return Prepared(
        customer=customer,
        request=msgspec.structs.asdict(request),
        facts=(
            fact(
                "draft_status",
                "discarded" if gone else "kept",
                "drafts",
                "the draft was discarded already" if gone else None,
            ),
        ),
    )


def _discard_lines(request: _DraftDiscard) -> list[Line]:
    return [
        Line(label="Discard draft", text=request.draft),
        Line(label="Ticket", text=request.ticket),
        Line(label="Customer", text=request.customer),
        Line(label="Draft", text=request.body),
    ]


def _discard(db: apsw.Connection, request: _DraftDiscard, stamp: Stamp) -> Receipt:
    db.execute(
        "UPDATE drafts SET discarded_at = ? WHERE id = ? AND discarded_at IS NULL",
        (stamp.now, request.draft),
    )
    if db.changes() != 1:
        raise NotDone(f"draft `{request.draft}` was discarded already, or is not there")
    return Receipt(
        provider_ref=f"{request.draft}/discarded",
        result={"draft": request.draft, "status": "discarded"},
    )


REPLY_DRAFT: Final = Served(
    capability=write_kind("reply.draft", undoable=True),
    request=_ReplyDraft,
    prepare=_prepare_draft,
    lines=_draft_lines,
    perform=_draft,
    reversal=("draft.discard", "draft"),
)

REPLY_SEND: Final = Served(
    capability=write_kind("reply.send"),
    request=_ReplySend,
    prepare=_prepare_send,
    lines=_send_lines,
    perform=_send,
)

DRAFT_DISCARD: Final = Served(
    capability=write_kind("draft.discard"),
    request=_DraftDiscard,
    prepare=_prepare_discard,
    lines=_discard_lines,
    perform=_discard,
)
