"""Notify: what the log says becomes notices, and notices become letters.

The cursor into the log moves in the transaction that writes the notices, so that a crash loses
nothing and tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from handrail.core.lifecycle import State
from handrail.core.notice import (
    URGENT,
    Channel,
    ChannelKind,
    Letter,
    Matter,
    Notice,
    Topic,
    matter_of,
)
from handrail.core.principal import Principal, Role
from handrail.core.proposal import Proposal
from handrail.core.review import Bench, Review, why_not
from handrail.core.roster import Roster
from handrail.engine.asking.checkers import bench_of, makers_of, roster_of
from handrail.engine.base.context import Context, new_id
from handrail.engine.telling.channels import recipients_of
from handrail.errors import Tampered, Unavailable
from handrail.store.protocol import Tx

__all__ = ["KEPT_MS", "gather", "pack", "prune"]

ENTRIES_MAX: Final = 200
"""Entries that are looked at in one unit."""
EXPIRING_MS: Final = 30 * 60_000
EXPIRING_MAX: Final = 50
KEPT_MS: Final = 30 * 24 * 3_600_000
"""How long it is kept what was told in which letter."""
PRUNED_MAX: Final = 200
UNSENT_MAX: Final = 500
"""What waits for one recipient at most. Beyond that nothing is lost: it stands on the pages."""
_DECIDERS: Final = frozenset((Role.REVIEWER, Role.CHECKER, Role.ADMIN))
_ABOUT_ACTIONS: Final = frozenset((Topic.WAITING, Topic.EXPIRING))


class _News(msgspec.Struct, frozen=True, kw_only=True):
    """What was read for one recipient: what is told in a letter after `last`, and what is not."""

    channel: str
    person: str
    last: str | None
    told: tuple[Notice, ...]
    dropped: tuple[Notice, ...]


def gather(ctx: Context, desk: str, *, expiring: bool = True) -> int:
    """Turn new entries into notices; with `expiring` also what is about to expire, which takes
    longer to look for. How many entries were read.

    All the reading is done in a snapshot: what is written holds up nobody.
    """
    read = ctx.store.read(lambda tx: _gathered(tx, ctx, desk, expiring=expiring))
    if read is None:
        return 0
    start, end, notices = read

    def unit(tx: Tx) -> int:
        # INVARIANT: whoever else has read these entries meanwhile has told them as well.
        if tx.notices.cursor(desk) != start:
            return 0
        for notice in notices:
            tx.notices.add(notice)
        tx.notices.advance(desk, end)
        return end - start

    return ctx.store.write(unit) if notices or end > start else 0


def pack(ctx: Context, desk: str) -> int:
    """Put waiting notices into letters; how many. At most one to a recipient in each pause, but
    for urgent ones, and none while the last one is not through.
    """
    found = ctx.store.read(lambda tx: list(_packed(tx, ctx, desk)))

    def unit(tx: Tx) -> int:
        tx.notices.cursor(desk)  # one gateway at a time
        written = 0
        for news in found:
            last = tx.notices.last_to(desk, news.channel, news.person)
            if (None if last is None else last.id) != news.last:
                continue
            for notice in news.dropped:
                tx.notices.drop(notice)
            if news.told:
                letter = _letter(tx, ctx, desk, news)
                for notice in news.told:
                    tx.notices.put_into(notice, letter.id)
                written += 1
        return written

    return ctx.store.write(unit) if found else 0


def prune(ctx: Context, desk: str) -> int:
    """Forget letters that were over long ago, some at a time; how many."""
    # The id of a letter begins with when it was made.
    before = f"nl_{max(0, ctx.clock() - KEPT_MS):012x}"

    def unit(tx: Tx) -> int:
        return tx.notices.prune(desk, before, most=PRUNED_MAX)

    return ctx.store.write(unit)


def _gathered(
    tx: Tx, ctx: Context, desk: str, *, expiring: bool
) -> tuple[int, int, list[Notice]] | None:
    """From which entry to which, and what is to be told."""
    channels = tx.channels.live(desk)
    start = tx.notices.cursor(desk) if channels else None
    if start is None:
        return None
    entries = tx.log.following(desk, start, most=ENTRIES_MAX)
    matters = [matter_of(logged.entry, logged.index) for logged in entries]
    matters += _expiring(tx, desk) if expiring else []
    full, eyes = tx.notices.recipients(desk), _Eyes(tx, ctx)
    notices = [
        notice
        for channel in channels
        for person in recipients_of(tx, channel)
        if full.get((channel.id, person), 0) < UNSENT_MAX
        for matter in matters
        if matter is not None and matter.topic.value in channel.topics
        for notice in (_notice(tx, channel, person, matter),)
        if eyes.sees(channel, notice) and not tx.notices.is_known(notice)
    ]
    return start, entries[-1].index + 1 if entries else start, notices


def _notice(tx: Tx, channel: Channel, person: str, matter: Matter) -> Notice:
    return Notice(
        desk=channel.desk,
        channel=channel.id,
        person=person,
        topic=matter.topic,
        about=matter.about,
        mark=matter.mark,
        at=tx.now,
    )


def _expiring(tx: Tx, desk: str) -> list[Matter | None]:
    """What waits and runs out of time within the half-hour."""
    return [
        Matter(topic=Topic.EXPIRING, about=one.id, mark=str(one.decide_by))
        for one in tx.proposals.queue(desk, most=EXPIRING_MAX)
        if one.decide_by is not None
        and tx.now < one.decide_by <= tx.now + EXPIRING_MS
        # What never had more time than that was told when it came.
        and one.decide_by - one.created_at > EXPIRING_MS
    ]


def _packed(tx: Tx, ctx: Context, desk: str) -> Iterator[_News]:
    live = {channel.id: channel for channel in tx.channels.live(desk)}
    eyes = _Eyes(tx, ctx)
    for id, person in tx.notices.recipients(desk):
        notices = tx.notices.unsent(desk, id, person, most=UNSENT_MAX)
        channel, last = live.get(id), tx.notices.last_to(desk, id, person)
        if channel is not None and not _may_write(tx, channel, last, notices):
            continue
        told = [one for one in notices if channel is not None and eyes.sees(channel, one)]
        dropped = tuple(one for one in notices if one not in told)
        if channel is None or not _may_write(tx, channel, last, told):
            told = []  # what was urgent among them is no news any more
        if told or dropped:
            yield _News(
                channel=id,
                person=person,
                last=None if last is None else last.id,
                told=tuple(told),
                dropped=dropped,
            )


def _may_write(tx: Tx, channel: Channel, last: Letter | None, told: Sequence[Notice]) -> bool:
    if last is None:
        return True
    if last.sent_at is None and last.given_up_at is None:
        return False
    urgent = any(one.topic in URGENT for one in told)
    return urgent or tx.now - last.made_at >= channel.pause_ms


def _letter(tx: Tx, ctx: Context, desk: str, news: _News) -> Letter:
    letter = Letter(
        desk=desk,
        id=new_id("nl", tx.now, ctx.entropy),
        channel=news.channel,
        person=news.person,
        made_at=tx.now,
        next_at=tx.now,
    )
    tx.notices.write(letter)
    return letter


class _Eyes:
    """Who has to know what, by one snapshot; what is looked at more than once is read once."""

    def __init__(self, tx: Tx, ctx: Context) -> None:
        self._tx = tx
        self._ctx = ctx
        self._roster: Roster | None = None
        self._asked: dict[str, _Asked | None] = {}
        self._people: dict[str, Principal | None] = {}

    def sees(self, channel: Channel, notice: Notice) -> bool:
        """Whether this is still news, and this recipient's business."""
        tx, topic = self._tx, notice.topic
        asked = self._action(notice) if topic in _ABOUT_ACTIONS else None
        if topic in _ABOUT_ACTIONS and asked is None:
            return False
        owner = None
        if topic is Topic.ESCALATED:
            escalation = tx.escalations.get(notice.desk, notice.about)
            if escalation is None or escalation.closed_at is not None:
                return False
            owner = escalation.owner
        if channel.kind is not ChannelKind.MAIL or topic is Topic.TEST:
            return True
        if notice.person not in self._people:
            self._people[notice.person] = tx.people.get(notice.desk, notice.person)
        person = self._people[notice.person]
        if person is None or person.disabled:
            return False
        if asked is not None:
            return why_not(asked.proposal, asked.makers, person, asked.reviews, asked.bench) is None
        if topic is Topic.ESCALATED:
            return owner == person.id if owner else bool(_DECIDERS & set(person.roles))
        return Role.ADMIN in person.roles

    def _action(self, notice: Notice) -> _Asked | None:
        """What is known about an action that waits; None for one that does not any more."""
        id = notice.about
        if id not in self._asked:
            self._asked[id] = self._read(notice.desk, id)
        return self._asked[id]

    def _read(self, desk: str, id: str) -> _Asked | None:
        tx = self._tx
        proposal = tx.proposals.look(desk, id)
        if proposal is None or proposal.state is not State.PENDING:
            return None
        if self._roster is None:
            self._roster = roster_of(tx, desk)
        try:
            return _Asked(
                proposal=proposal,
                makers=makers_of(tx, proposal, self._roster),
                reviews=tuple(tx.proposals.reviews(desk, id)),
                bench=bench_of(self._ctx, tx, proposal, roster=self._roster),
            )
        except (Unavailable, Tampered):
            return None


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """An action that waits, and what says who may decide it."""

    proposal: Proposal
    makers: frozenset[str]
    reviews: tuple[Review, ...]
    bench: Bench
