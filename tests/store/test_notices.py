"""Channels, notices and letters keep their contract on both databases."""

from __future__ import annotations

from typing import Any

import msgspec

from handrail.core.notice import Carries, Channel, ChannelKind, Letter, Notice, Topic
from handrail.store.protocol import ChannelState, Store, Tx
from tests.store.databases import NOW
from tests.store.samples import DESK, add_entries


def channel_of(id: str = "ch_1", **changes: Any) -> Channel:
    """A webhook for two topics."""
    fields: dict[str, Any] = {
        "desk": DESK,
        "id": id,
        "kind": ChannelKind.WEBHOOK,
        "label": "ours",
        "host": "hooks.example.com",
        "port": 443,
        "console": "https://desk.example.com",
        "carries": Carries.TEXT,
        "topics": ("waiting", "halted"),
        "pause_ms": 60_000,
        "inside": True,
        "made_at": NOW,
        "made_by": "root",
    }
    return Channel(**{**fields, **changes})


def notice_of(about: str = "hr_1", **changes: Any) -> Notice:
    """Something that waits."""
    fields: dict[str, Any] = {
        "desk": DESK,
        "channel": "ch_1",
        "person": "dana",
        "topic": Topic.WAITING,
        "about": about,
        "mark": "",
        "at": NOW,
    }
    return Notice(**{**fields, **changes})


def letter_of(id: str = "nl_1", **changes: Any) -> Letter:
    """A letter to Dana that is due."""
    fields: dict[str, Any] = {"desk": DESK, "id": id, "channel": "ch_1", "person": "dana"}
    return Letter(**{**fields, "made_at": NOW, "next_at": NOW, **changes})


def test_channels(store: Store) -> None:
    """They read back as they were written, end once, and stay."""
    first, second = channel_of(), channel_of("ch_2", kind=ChannelKind.MAIL, inside=False)
    for one in (first, second, channel_of("ch_3", desk="other")):
        store.write(lambda tx, one=one: tx.channels.add(one))  # type: ignore[misc]
    assert store.read(lambda tx: tx.channels.live(DESK)) == [first, second]
    ended = msgspec.structs.replace(first, ended_at=NOW + 1, ended_by="root")
    assert store.write(lambda tx: tx.channels.end(ended))
    assert not store.write(lambda tx: tx.channels.end(ended))
    assert store.read(lambda tx: tx.channels.live(DESK)) == [second]
    assert store.read(lambda tx: tx.channels.everything(DESK)) == [ended, second]
    assert store.read(lambda tx: tx.channels.get(DESK, "ch_1")) == ended
    assert store.read(lambda tx: tx.channels.get(DESK, "ch_3")) is None


def test_how_a_channel_fares(store: Store) -> None:
    """Nothing at first; then what was written last."""
    fresh = store.read(lambda tx: tx.channels.state(DESK, "ch_1"))
    assert fresh == ChannelState(desk=DESK, channel="ch_1")
    failed = msgspec.structs.replace(fresh, failed=3, failed_at=NOW, error="it answered 500")
    for state in (failed, msgspec.structs.replace(failed, failed=4)):
        store.write(lambda tx, state=state: tx.channels.fared(state))  # type: ignore[misc]
    assert store.read(lambda tx: tx.channels.state(DESK, "ch_1")).failed == 4


def test_notices_are_told_once(store: Store) -> None:
    """The same again is nothing; what is in a letter, or need not be told, waits no more."""
    waiting, marked = notice_of(), notice_of(mark="7")
    assert store.write(lambda tx: tx.notices.add(waiting))
    assert not store.write(lambda tx: tx.notices.add(msgspec.structs.replace(waiting, at=NOW + 9)))
    for one in (marked, notice_of("hr_2"), notice_of(person="kim"), notice_of(desk="other")):
        assert store.write(lambda tx, one=one: tx.notices.add(one))  # type: ignore[misc]
    assert store.read(lambda tx: tx.notices.is_known(marked))
    assert not store.read(lambda tx: tx.notices.is_known(notice_of("hr_3")))
    waits = store.read(lambda tx: tx.notices.recipients(DESK))
    assert waits == {("ch_1", "dana"): 3, ("ch_1", "kim"): 1}
    store.write(lambda tx: tx.notices.put_into(waiting, "nl_1"))
    store.write(lambda tx: tx.notices.drop(marked))
    assert not store.read(lambda tx: tx.notices.is_known(marked))
    left = store.read(lambda tx: tx.notices.unsent(DESK, "ch_1", "dana", most=9))
    assert [one.about for one in left] == ["hr_2"]
    told = msgspec.structs.replace(waiting, letter="nl_1")
    assert store.read(lambda tx: tx.notices.inside(DESK, "nl_1")) == [told]
    assert not store.write(lambda tx: tx.notices.add(waiting))


def test_letters_move_once(store: Store) -> None:
    """Whoever claims one first has it; what is over is due no more."""
    first, second = letter_of(), letter_of("nl_2", next_at=NOW + 50, made_at=NOW + 50)
    for one in (first, second):
        store.write(lambda tx, one=one: tx.notices.write(one))  # type: ignore[misc]
    assert store.read(lambda tx: tx.notices.due(DESK, NOW, most=9)) == [first]
    assert store.read(lambda tx: tx.notices.due(DESK, NOW + 50, most=9)) == [first, second]
    assert store.read(lambda tx: tx.notices.due(DESK, NOW + 50, most=1)) == [first]
    claimed = msgspec.structs.replace(first, tries=1, next_at=NOW + 100)
    assert store.write(lambda tx: tx.notices.move(first, claimed))
    assert not store.write(lambda tx: tx.notices.move(first, claimed))
    sent = msgspec.structs.replace(claimed, sent_at=NOW + 2)
    assert store.write(lambda tx: tx.notices.move(claimed, sent))
    assert not store.write(lambda tx: tx.notices.move(claimed, sent))
    assert store.read(lambda tx: tx.notices.due(DESK, NOW + 999, most=9)) == [second]
    assert store.read(lambda tx: tx.notices.last_to(DESK, "ch_1", "dana")) == second
    assert store.read(lambda tx: tx.notices.last_to(DESK, "ch_1", "kim")) is None


def test_old_letters_are_forgotten(store: Store) -> None:
    """Those that are over and older, with what they told, some at a time; never an open one."""
    over = [letter_of(f"nl_{n}", sent_at=NOW) for n in (1, 2, 5)]

    def unit(tx: Tx) -> None:
        for one in (*over, letter_of("nl_3"), letter_of("nl_4", given_up_at=NOW)):
            tx.notices.write(one)
            notice = notice_of(about=one.id)
            tx.notices.add(notice)
            tx.notices.put_into(notice, one.id)

    def known(tx: Tx) -> list[int]:
        return [n for n in range(1, 6) if tx.notices.is_known(notice_of(about=f"nl_{n}"))]

    store.write(unit)
    for forgotten in (2, 1, 0):
        assert store.write(lambda tx: tx.notices.prune(DESK, "nl_5", most=2)) == forgotten
    assert store.read(known) == [3, 5]


def test_the_cursor(store: Store) -> None:
    """None before the first channel; then where people have been told up to."""
    assert store.read(lambda tx: tx.notices.cursor(DESK)) is None
    for index in (0, 7):
        store.write(lambda tx, index=index: tx.notices.advance(DESK, index))  # type: ignore[misc]
        assert store.read(lambda tx: tx.notices.cursor(DESK)) == index
    add_entries(store, 5)
    found = store.read(lambda tx: tx.log.following(DESK, 2, most=2))
    assert [one.index for one in found] == [2, 3]
    assert store.read(lambda tx: tx.log.following(DESK, 5, most=2)) == []
