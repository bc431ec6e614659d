"""Notices: what people are told outside the console. They tell; nothing is decided by one.

A channel leads out of the desk. What it carries of an action is its setting: only a link, or the
literal text as well; at G3 it is only ever a link.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from handrail.core.entry import Entry, Tag
from handrail.core.lifecycle import State

__all__ = [
    "URGENT",
    "Carries",
    "Channel",
    "ChannelKind",
    "Letter",
    "Matter",
    "Notice",
    "Topic",
    "matter_of",
    "pause_after",
]


class ChannelKind(Enum):
    """How a channel leads out."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    SLACK = "slack"
    PING = "ping"


class Carries(Enum):
    """What a channel may carry of an action."""

    LINK = "link"
    TEXT = "text"


class Topic(Enum):
    """What a notice is about. The order here is the order in a message."""

    HALTED = "halted"
    BREAK_GLASS = "break_glass"
    EXPIRING = "expiring"
    TRIPPED = "tripped"
    WAITING = "waiting"
    ESCALATED = "escalated"
    EXPIRED = "expired"
    TEST = "test"


URGENT: Final = frozenset((Topic.HALTED, Topic.BREAK_GLASS, Topic.EXPIRING, Topic.TEST))
"""Topics that do not wait for the pause between two messages to one person."""
_TOPICS: Final[dict[str, Topic]] = {
    Tag.ACTION_PROPOSED.value: Topic.WAITING,
    Tag.ACTION_REOPENED.value: Topic.WAITING,
    Tag.ACTION_ASSIGNED.value: Topic.WAITING,
    Tag.ACTION_EXPIRED.value: Topic.EXPIRED,
    Tag.ESCALATION_OPENED.value: Topic.ESCALATED,
    Tag.ESCALATION_OVERDUE.value: Topic.ESCALATED,
    Tag.CAP_TRIPPED.value: Topic.TRIPPED,
    Tag.BUNCHING_ALARMED.value: Topic.TRIPPED,
    Tag.HALT_PULLED.value: Topic.HALTED,
    Tag.BREAKGLASS_ASKED.value: Topic.BREAK_GLASS,
    Tag.BREAKGLASS_OPENED.value: Topic.BREAK_GLASS,
}
_NAMED_BY: Final[dict[Topic, str]] = {
    Topic.ESCALATED: "escalation",
    Topic.HALTED: "halt",
    Topic.BREAK_GLASS: "grant",
    Topic.TRIPPED: "cap",
}
_PAUSES_MS: Final = (30_000, 120_000, 600_000, 3_600_000, 3_600_000, 21_600_000)


class Channel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way out of the desk. Its addresses and secrets lie sealed, not here.

    `host` and `port` are where it leads, `console` the address that its links begin with, `topics`
    what it is for. `inside` says that the host is allowed though its address is not a public one.
    `pause_ms` is the least time between two messages to one person, urgent ones aside.
    """

    desk: str
    id: str
    kind: ChannelKind
    label: str
    host: str
    port: int
    console: str
    carries: Carries
    topics: tuple[str, ...]
    pause_ms: int
    inside: bool = False
    made_at: int
    made_by: str
    ended_at: int | None = None
    ended_by: str | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that one recipient is told: `person` of a mail channel, empty for any other.

    `about` is the id of what it is about, `mark` tells two notices about the same thing apart.
    `letter` is the message that it is told in.
    """

    desk: str
    channel: str
    person: str
    topic: Topic
    about: str
    mark: str
    at: int
    letter: str | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one recipient. Its id stays the same however often it has to be sent.

    `tries` counts what was begun, `next_at` is when it is tried next. It is over with `sent_at`, or
    with `given_up_at`.
    """

    desk: str
    id: str
    channel: str
    person: str
    made_at: int
    tries: int = 0
    next_at: int = 0
    sent_at: int | None = None
    given_up_at: int | None = None


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry of the log gives people to know."""

    topic: Topic
    about: str
    mark: str


def matter_of(entry: Entry, index: int) -> Matter | None:
    """What people are told because of an entry, or None."""
    topic = _TOPICS.get(entry.tag)
    if topic is None:
        return None
    if topic in (Topic.WAITING, Topic.EXPIRED):
        # Asked anew is told anew; whoever is drawn later is told what others were told before.
        state = entry.data.get("state")
        if entry.proposal is None or (
            entry.tag == Tag.ACTION_PROPOSED.value and state != State.PENDING.value
        ):
            return None
        anew = entry.tag in (Tag.ACTION_REOPENED.value, Tag.ACTION_EXPIRED.value)
        return Matter(topic=topic, about=entry.proposal, mark=str(index) if anew else "")
    named = entry.data.get(_NAMED_BY[topic])
    return Matter(topic=topic, about=str(named or ""), mark=str(index))


def pause_after(tries: int) -> int | None:
    """How long to wait after so many tries that failed, in milliseconds; None to give up."""
    return _PAUSES_MS[tries - 1] if tries <= len(_PAUSES_MS) else None
