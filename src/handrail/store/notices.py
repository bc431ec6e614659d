"""Channels out of the desk, the notices that wait for them, and the letters that carry those."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.notice import Channel, Letter, Notice
from handrail.store.rows import Rows, from_row, insert_sql, select_sql, to_row

__all__ = ["ChannelState", "Channels", "Notices"]

_CHANNEL: Final = select_sql("channel", Channel)
_NOTICE: Final = select_sql("notice", Notice)
_LETTER: Final = select_sql("letter", Letter)
_OPEN: Final = "sent_at IS NULL AND given_up_at IS NULL"
_JSON: Final = frozenset({"topics"})
_THIS: Final = (
    " WHERE desk = ? AND channel = ? AND person = ? AND topic = ? AND about = ? AND mark = ?"
)


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel fares: letters sent and given up, and how often it failed since it worked."""

    desk: str
    channel: str
    sent: int = 0
    failed: int = 0
    given_up: int = 0
    sent_at: int | None = None
    failed_at: int | None = None
    error: str | None = None


class Channels:
    """Rows of channels, live and ended, and how each fares."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, channel: Channel) -> None:
        """A new one."""
        self._rows.change(insert_sql("channel", Channel), to_row(channel))

    def get(self, desk: str, channel: str) -> Channel | None:
        """One by its id."""
        row = self._rows.one(_CHANNEL + " WHERE desk = ? AND id = ?", (desk, channel))
        return None if row is None else from_row(Channel, row, _JSON)

    def everything(self, desk: str) -> list[Channel]:
        """Every one, oldest first."""
        rows = self._rows.all(_CHANNEL + " WHERE desk = ? ORDER BY id", (desk,))
        return [from_row(Channel, row, _JSON) for row in rows]

    def live(self, desk: str) -> list[Channel]:
        """Those that are in use."""
        return [one for one in self.everything(desk) if one.ended_at is None]

    def end(self, channel: Channel) -> bool:
        """Write down that it is over, and by whom; whether it was in use."""
        changed = self._rows.change(
            "UPDATE channel SET ended_at = ?, ended_by = ?"
            " WHERE desk = ? AND id = ? AND ended_at IS NULL",
            (channel.ended_at, channel.ended_by, channel.desk, channel.id),
        )
        return changed == 1

    def state(self, desk: str, channel: str) -> ChannelState:
        """How it fares."""
        row = self._rows.one(
            select_sql("channel_state", ChannelState) + " WHERE desk = ? AND channel = ?",
            (desk, channel),
        )
        if row is None:
            return ChannelState(desk=desk, channel=channel)
        return from_row(ChannelState, row)

    def fared(self, state: ChannelState) -> None:
        """Write down how it fares."""
        self._rows.change(
            "DELETE FROM channel_state WHERE desk = ? AND channel = ?", (state.desk, state.channel)
        )
        self._rows.change(insert_sql("channel_state", ChannelState), to_row(state))


class Notices:
    """Rows of notices and letters. What is told once is not told again: its key is unique."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def cursor(self, desk: str) -> int | None:
        """The index of the first entry that nobody was told of; None before the first channel."""
        row = self._rows.one(
            "SELECT idx FROM notice_cursor WHERE desk = ?" + self._rows.lock_row, (desk,)
        )
        return None if row is None else int(row[0] or 0)

    def advance(self, desk: str, index: int) -> None:
        """People have been told of everything below `index`."""
        self._rows.change(
            "INSERT INTO notice_cursor (desk, idx) VALUES (?, ?)"
            " ON CONFLICT (desk) DO UPDATE SET idx = excluded.idx",
            (desk, index),
        )

    def add(self, notice: Notice) -> bool:
        """A new one; False when this was told already."""
        changed = self._rows.change(
            insert_sql("notice", Notice) + " ON CONFLICT DO NOTHING", to_row(notice)
        )
        return changed == 1

    def is_known(self, notice: Notice) -> bool:
        """Whether this was told already, or waits to be."""
        row = self._rows.one(f"SELECT 1 FROM notice{_THIS}", _key_of(notice))
        return row is not None

    def recipients(self, desk: str) -> dict[tuple[str, str], int]:
        """For whom something is in no letter yet, and how much: by channel and person."""
        rows = self._rows.all(
            "SELECT channel, person, count(*) FROM notice WHERE desk = ? AND letter IS NULL"
            " GROUP BY channel, person",
            (desk,),
        )
        return {(str(channel), str(person)): int(n or 0) for channel, person, n in rows}

    def unsent(self, desk: str, channel: str, person: str, *, most: int) -> list[Notice]:
        """What is in no letter yet for one recipient."""
        rows = self._rows.all(
            _NOTICE + " WHERE desk = ? AND channel = ? AND person = ? AND letter IS NULL LIMIT ?",
            (desk, channel, person, most),
        )
        return [from_row(Notice, row) for row in rows]

    def put_into(self, notice: Notice, letter: str) -> None:
        """Tell it in this letter."""
        self._rows.change(f"UPDATE notice SET letter = ?{_THIS}", (letter, *_key_of(notice)))

    def drop(self, notice: Notice) -> None:
        """It need not be told any more."""
        self._rows.change(f"DELETE FROM notice{_THIS}", _key_of(notice))

    def prune(self, desk: str, before: str, *, most: int) -> int:
        """Forget letters that are over with an id below `before`, and what they told; how many."""
        rows = self._rows.all(
            f"SELECT id FROM letter WHERE desk = ? AND id < ? AND NOT ({_OPEN})"
            " ORDER BY id LIMIT ?",
            (desk, before, most),
        )
        for (id,) in rows:
            self._rows.change("DELETE FROM notice WHERE desk = ? AND letter = ?", (desk, id))
            self._rows.change("DELETE FROM letter WHERE desk = ? AND id = ?", (desk, id))
        return len(rows)

    def inside(self, desk: str, letter: str) -> list[Notice]:
        """What a letter tells."""
        rows = self._rows.all(
            _NOTICE + " WHERE desk = ? AND letter = ? ORDER BY at, topic, about", (desk, letter)
        )
        return [from_row(Notice, row) for row in rows]

    def write(self, letter: Letter) -> None:
        """A new letter."""
        self._rows.change(insert_sql("letter", Letter), to_row(letter))

    def last_to(self, desk: str, channel: str, person: str) -> Letter | None:
        """The newest letter to a recipient."""
        row = self._rows.one(
            _LETTER
            + " WHERE desk = ? AND channel = ? AND person = ? ORDER BY made_at DESC LIMIT 1",
            (desk, channel, person),
        )
        return None if row is None else from_row(Letter, row)

    def due(self, desk: str, now: int, *, most: int) -> list[Letter]:
        """Letters that are to be sent now, the longest due first."""
        rows = self._rows.all(
            _LETTER + f" WHERE desk = ? AND {_OPEN} AND next_at <= ? ORDER BY next_at, id LIMIT ?",
            (desk, now, most),
        )
        return [from_row(Letter, row) for row in rows]

    def move(self, before: Letter, after: Letter) -> bool:
        """Write down how it goes on, unless somebody else has taken it up; whether it was so."""
        changed = self._rows.change(
            "UPDATE letter SET tries = ?, next_at = ?, sent_at = ?, given_up_at = ?"
            f" WHERE desk = ? AND id = ? AND tries = ? AND next_at = ? AND {_OPEN}",
            (
                after.tries,
                after.next_at,
                after.sent_at,
                after.given_up_at,
                before.desk,
                before.id,
                before.tries,
                before.next_at,
            ),
        )
        return changed == 1


def _key_of(notice: Notice) -> tuple[str, ...]:
    return (
        notice.desk,
        notice.channel,
        notice.person,
        notice.topic.value,
        notice.about,
        notice.mark,
    )
