"""The conversation beside an action: read for the page, and never in the way of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, TypeVar

import msgspec
from markupsafe import Markup

from handrail.engine.showing.conversation import Conversation, Message, Silence, read_conversation
from handrail.engine.showing.macro import Original, Unread, macro_in, read_original
from handrail.errors import Unavailable
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.console.text.literal import hidden_notes, literal

__all__ = ["Talk", "Talks", "Utterance"]

T = TypeVar("T")

WAIT_S: Final = 1.0
"""How long a page waits for the helpdesk; then it comes without the conversation."""
AT_ONCE_MAX: Final = 3
"""Conversations read at the same time. Fewer than there are threads: deciding needs some too."""
OPEN_MAX: Final = 3
"""Newest messages that are shown; the earlier ones are behind a fold."""
CHARS_MAX: Final = 60_000
"""Characters of a conversation on one page; what goes beyond is counted, not shown."""

_WHO: Final = {
    "customer": ("Customer", "customer"),
    "support": ("Staff", "staff"),
}
_NOTES: Final = {
    Silence.NO_TICKET: "This task has no ticket, so there is no conversation to read.",
    Silence.NOT_OFFERED: "The helpdesk behind this desk does not let handrail read conversations.",
    Silence.NOT_READ: "The conversation could not be read just now. Everything else here is"
    " complete; open the page again to try once more.",
}


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """One message on the page. `role` is customer, staff, agent or other; `who` says it in words.

    `body` is the literal text, `hidden` what hides in it.
    """

    who: str
    role: str
    sender: str
    body: Markup
    hidden: tuple[str, ...]
    sent_at: int


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation on the page, newest first: what is open, what is folded, what is left out.

    `note` says why there is none.
    """

    newest: tuple[Utterance, ...] = ()
    earlier: tuple[Utterance, ...] = ()
    left_out: int = 0
    note: str | None = None


class Talks:
    """Reads conversations and macros for pages: a few at once, each for a bounded time.

    A reading that hangs keeps its place until it comes back, so that a helpdesk which answers
    nobody takes no more than `AT_ONCE_MAX` threads from what people decide.
    """

    def __init__(self) -> None:
        self._places: asyncio.Semaphore | None = None

    async def heard(self, gateway: Gateway, desk: str, ticket: str | None) -> Talk:
        """The conversation of a ticket for a page; never an error, never late."""
        if ticket is None:
            return _talk(Conversation(silence=Silence.NO_TICKET))
        silent = Conversation(silence=Silence.NOT_READ)
        return _talk(
            await self._read(
                gateway, lambda: read_conversation(gateway.ctx, desk, ticket), otherwise=silent
            )
        )

    async def original(self, gateway: Gateway, connector: str, request: object) -> Original | None:
        """The macro that a request names, for a page; never an error, never late.

        None when it names none.
        """
        named = macro_in(request)
        if named is None or not isinstance(request, Mapping):
            return None
        id, text = named
        return await self._read(
            gateway,
            lambda: read_original(gateway.ctx, connector, request, id, text),
            otherwise=Original(id=id, text=text, unread=Unread.NOT_READ),
        )

    async def _read(self, gateway: Gateway, question: Callable[[], T], *, otherwise: T) -> T:
        places = self._places = self._places or asyncio.Semaphore(AT_ONCE_MAX)
        loop = asyncio.get_running_loop()

        def read() -> T:
            try:
                return question()
            finally:
                with suppress(RuntimeError):  # the loop is closed: nobody waits for a place
                    loop.call_soon_threadsafe(places.release)

        try:
            async with asyncio.timeout(WAIT_S):
                await places.acquire()
                return await gateway.runner.call(read)
        except (TimeoutError, Unavailable):
            return otherwise


def _talk(read: Conversation) -> Talk:
    if read.silence is not None:
        return Talk(note=_NOTES[read.silence])
    if not read.messages:
        return Talk(note="There is no message on this ticket yet.")
    shown: list[Utterance] = []
    chars = 0
    for message in reversed(read.messages):
        chars += len(message.body)
        if chars > CHARS_MAX and shown:
            break
        shown.append(_uttered(message))
    return Talk(
        newest=tuple(shown[:OPEN_MAX]),
        earlier=tuple(shown[OPEN_MAX:]),
        left_out=len(read.messages) - len(shown),
    )


def _uttered(message: Message) -> Utterance:
    who, role = _WHO.get(message.author, ("Somebody else", "other"))
    if message.through_handrail:
        who, role = "Agent, through handrail", "agent"
    body = message.body[:CHARS_MAX]
    return Utterance(
        who=who,
        role=role,
        sender=message.sender,
        body=literal(body),
        hidden=tuple(hidden_notes(body)),
        sent_at=message.sent_at,
    )
