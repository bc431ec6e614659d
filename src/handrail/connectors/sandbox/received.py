"""What customers write: messages that come in, on no action of anybody."""

from __future__ import annotations

import apsw

from handrail.connectors.sandbox.replies import MAIL_HOST
from handrail.connectors.sandbox.served import unknown

__all__ = ["receive"]


def receive(db: apsw.Connection, ticket: str, body: str, now: int) -> str:
    """Take in a message of the ticket's requester; the ticket is open again."""
    row = db.execute(
        "SELECT requester, (SELECT count(*) FROM messages WHERE ticket = t.id)"
        " FROM tickets t WHERE id = ?",
        (ticket,),
    ).fetchone()
    if row is None:
        raise unknown("ticket", ticket)
    requester, count = row
    message_id = f"<{ticket.lower()}.{int(count) + 1}@mail.{MAIL_HOST}>"
    db.execute(
        "INSERT INTO messages (message_id, ticket, author, sender, body, sent_at)"
        " VALUES (?, ?, 'customer', ?, ?, ?)",
        (message_id, ticket, requester, body, now),
    )
    db.execute("UPDATE tickets SET status = 'open', updated_at = ? WHERE id = ?", (now, ticket))
    return message_id
