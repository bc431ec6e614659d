"""The conversation of a ticket, read from the helpdesk by the gateway's own access.

It is context for a person and nothing more: no decision rests on it, nothing of it is stored, and a
helpdesk that does not answer holds up nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from handrail.engine.access.tasks import TICKET_KIND, TICKET_PARAM
from handrail.engine.base.context import Context, new_id

__all__ = ["Conversation", "Message", "Silence", "read_conversation"]

MESSAGES_MAX: Final = 200


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the conversation, as the helpdesk has it; `sent_at` in milliseconds UTC.

    `through_handrail` says that it was sent by an action, when the helpdesk knows.
    """

    author: str
    sender: str
    body: str
    sent_at: int
    through_handrail: bool = False


class Silence(Enum):
    """Why there is no conversation to show."""

    NO_TICKET = "no_ticket"
    NOT_OFFERED = "not_offered"
    NOT_READ = "not_read"


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """The newest messages of a ticket, oldest first; or the reason why there are none to show."""

    messages: tuple[Message, ...] = ()
    silence: Silence | None = None


def read_conversation(ctx: Context, desk: str, ticket: str | None) -> Conversation:
    """The messages of a ticket, by the kind that reads one; it changes nothing anywhere.

    Never raises. At most the newest 200. A connector that has stopped answering is not asked.
    """
    kind = ctx.rulebook(desk).kind(TICKET_KIND)
    capability = None if kind is None else ctx.capability(kind)
    if ticket is None:
        return Conversation(silence=Silence.NO_TICKET)
    if kind is None or capability is None or not capability.reads_only:
        return Conversation(silence=Silence.NOT_OFFERED)
    # WHY NOT: tell the circuits what comes of it. A helpdesk that cannot give a conversation may
    # still do everything else, and reading for a page must not stop what people decide.
    if kind.connector in ctx.circuits.open():
        return Conversation(silence=Silence.NOT_READ)
    connector, now = ctx.connector(kind.connector), ctx.clock()
    try:
        params = ctx.rulebook(desk).parse(TICKET_KIND, {TICKET_PARAM: ticket})
        prepared = connector.prepare(TICKET_KIND, params, now=now)
        key = new_id("hr", now, ctx.entropy)
        receipt = connector.execute(TICKET_KIND, prepared.request, key, now=now)
        found = msgspec.convert(receipt.result.get("messages", []), list[Message])
    except Exception:
        # A helpdesk that says no, or does not answer: the rest is still worth reading.
        return Conversation(silence=Silence.NOT_READ)
    return Conversation(messages=tuple(found[-MESSAGES_MAX:]))
