"""Deliver: letters that are due are claimed, sent by somebody else, and settled.

A letter is claimed before it is sent: a crash in between sends it again, under the same id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from handrail.core.artifact import Line
from handrail.core.grade import Grade
from handrail.core.notice import Carries, Channel, Letter, Notice, Topic, pause_after
from handrail.engine.base.record import content_of
from handrail.engine.telling.channels import ChannelSecrets, secrets_of
from handrail.errors import Tampered, Unavailable
from handrail.store.protocol import ChannelState, Tx, Unit

__all__ = ["LEASE_MS", "Item", "Parcel", "claim_unit", "settle_unit"]

ITEMS_MAX: Final = 20
"""What one message spells out; it says how much more there is."""
LEASE_MS: Final = 10 * 60_000
ERROR_CHARS_MAX: Final = 200
_WITH_TEXT: Final = frozenset((Topic.WAITING, Topic.EXPIRING))
_ORDER: Final = {topic: place for place, topic in enumerate(Topic)}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in a message: what it is about, the page that shows it, and maybe its text."""

    topic: Topic
    path: str
    lines: tuple[Line, ...] = ()


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is to be sent now, and where: `more` is what it does not spell out."""

    letter: Letter
    channel: Channel
    secrets: ChannelSecrets
    items: tuple[Item, ...]
    more: int


def claim_unit(desk: str, *, most: int, but: frozenset[str] = frozenset()) -> Unit[list[Parcel]]:
    """The unit that claims letters that are due, on channels that are not in `but`.

    The next try is written down before anything is sent.
    """

    def unit(tx: Tx) -> list[Parcel]:
        claimed: list[Parcel] = []
        for letter in tx.notices.due(desk, tx.now, most=most + 10 * len(but)):
            if letter.channel in but or len(claimed) >= most:
                continue
            channel = tx.channels.get(desk, letter.channel)
            if channel is None or channel.ended_at is not None:
                given_up = msgspec.structs.replace(letter, given_up_at=tx.now)
                tx.notices.move(letter, given_up)
                continue
            pause = pause_after(letter.tries + 1)
            taken: Letter = msgspec.structs.replace(
                letter,
                tries=letter.tries + 1,
                next_at=tx.now + (LEASE_MS if pause is None else pause),
            )
            if tx.notices.move(letter, taken):
                claimed.append(_parcel(tx, channel, taken))
        return claimed

    return unit


def settle_unit(letter: Letter, error: str | None) -> Unit[None]:
    """The unit that writes down whether a claimed letter was sent; `error` says why it was not."""

    def unit(tx: Tx) -> None:
        gone = error is not None and pause_after(letter.tries) is None
        ended: Letter = msgspec.structs.replace(
            letter,
            sent_at=tx.now if error is None else None,
            given_up_at=tx.now if gone else None,
        )
        if not tx.notices.move(letter, ended):
            return
        state = tx.channels.state(letter.desk, letter.channel)
        if error is None:
            changed: dict[str, int | str | None] = {
                "sent": state.sent + 1,
                "failed": 0,
                "sent_at": tx.now,
                "error": None,
            }
        else:
            said = error[:ERROR_CHARS_MAX]
            changed = {"failed": state.failed + 1, "failed_at": tx.now, "error": said}
            changed["given_up"] = state.given_up + gone
        fared: ChannelState = msgspec.structs.replace(state, **changed)
        tx.channels.fared(fared)

    return unit


def _parcel(tx: Tx, channel: Channel, letter: Letter) -> Parcel:
    notices = tx.notices.inside(channel.desk, letter.id)
    notices.sort(key=lambda one: _ORDER[one.topic])
    items = list(_items(tx, channel, notices))
    return Parcel(
        letter=letter,
        channel=channel,
        secrets=secrets_of(tx, channel),
        items=tuple(items[:ITEMS_MAX]),
        more=len(items[ITEMS_MAX:]),
    )


def _items(tx: Tx, channel: Channel, notices: Sequence[Notice]) -> Iterator[Item]:
    """One item a thing: what is about to expire is not told as waiting besides."""
    seen: set[str] = set()
    for notice in notices:
        path = _path(notice)
        if notice.about and path in seen:
            continue
        seen.add(path)
        lines: tuple[Line, ...] = ()
        if channel.carries is Carries.TEXT and notice.topic in _WITH_TEXT:
            lines = _lines(tx, notice)
        yield Item(topic=notice.topic, path=path, lines=lines)


def _lines(tx: Tx, notice: Notice) -> tuple[Line, ...]:
    """The literal rendering; nothing at G3, and nothing that cannot be opened."""
    proposal = tx.proposals.look(notice.desk, notice.about)
    if proposal is None or proposal.grade >= Grade.G3:
        return ()
    try:
        return content_of(tx, proposal).lines
    except (Unavailable, Tampered):
        return ()


def _path(notice: Notice) -> str:
    """The page of the console that shows it."""
    match notice.topic:
        case Topic.WAITING | Topic.EXPIRING | Topic.EXPIRED:
            return f"/actions/{notice.about}"
        case Topic.ESCALATED:
            return f"/escalations/{notice.about}"
        case Topic.HALTED:
            return "/halts"
        case Topic.TRIPPED:
            return "/caps"
        case Topic.BREAK_GLASS:
            return "/log"
        case Topic.TEST:
            return "/"
