"""Telling people: who is told what, once, in few messages, through crashes and dead channels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import handrail
from handrail.bootstrap import now_ms
from handrail.core.notice import Carries, Channel, ChannelKind, Topic
from handrail.engine.telling.channels import (
    WantedChannel,
    add_channel_unit,
    end_channel_unit,
    secrets_of,
    try_channel_unit,
)
from handrail.engine.telling.deliver import LEASE_MS, Parcel, claim_unit, settle_unit
from handrail.engine.telling.notify import KEPT_MS, gather, pack, prune
from handrail.errors import HandrailError
from handrail.store.protocol import ChannelState, Tx
from handrail.surfaces.embedded import Action, Desk

MINUTE_MS: Final = 60_000
CONSOLE: Final = "https://desk.example.com"
PEOPLE: Final = {
    "dana": ("reviewer",),
    "sam": ("reviewer", "checker"),
    "kim": ("reviewer", "checker"),
    "ava": ("auditor",),
    "root": ("admin",),
}


class Telling:
    """A desk whose people have addresses, and a clock that can be put forward."""

    def __init__(self, desk: Desk, clock: list[int]) -> None:
        self.desk = desk
        self.clock = clock
        for id, roles in PEOPLE.items():
            limits = ("20000.00 USD",) if "checker" in roles else ()
            desk.person(id, roles=roles, limits=limits)
        desk.agent("scout", owner="lee")
        clock[0] += 48 * 60 * MINUTE_MS

    def add(self, kind: ChannelKind = ChannelKind.MAIL, **how: Any) -> Channel:
        """A channel of an administrator."""
        settings: dict[str, Any] = {"kind": kind, "label": "ours", "console": CONSOLE}
        if kind is ChannelKind.MAIL:
            addresses = {id: f"{id}@example.com" for id in PEOPLE}
            settings |= {"host": "smtp.example.com", "sender": "desk@example.com"}
            settings |= {"addresses": addresses}
        else:
            settings["url"] = "https://hooks.example.com/secret-path"
        wanted = WantedChannel(**{**settings, **how})
        unit = add_channel_unit(self.desk.ctx, self.desk.id, wanted, by="root")
        return self.desk.ctx.store.write(unit)[0]

    def refund(self, amount: str = "120.00 USD", ticket: str = "T-103") -> Action:
        """A refund that waits."""
        orders = {"T-103": "O-5003", "T-104": "O-5005"}
        task = self.desk.task(ticket=ticket, agent="scout")
        params = {"order": orders[ticket], "amount": amount, "reason": "wrong_item"}
        return self.desk.propose(task, "refund.issue", params)

    def tell(self) -> list[Parcel]:
        """Read on, write letters, and claim what is due."""
        ctx, desk = self.desk.ctx, self.desk.id
        while gather(ctx, desk):
            pass
        pack(ctx, desk)
        return ctx.store.write(claim_unit(desk, most=100))

    def sent(self) -> dict[str, list[Topic]]:
        """The same, all of it sent: topics by recipient."""
        mails = self.tell()
        for mail in mails:
            self.settle(mail, None)
        assert len({mail.letter.person for mail in mails}) == len(mails)
        return {mail.letter.person: [item.topic for item in mail.items] for mail in mails}

    def settle(self, mail: Parcel, error: str | None) -> None:
        """What became of a try."""
        self.desk.ctx.store.write(settle_unit(mail.letter, error))

    def state(self, channel: Channel) -> ChannelState:
        """How it fares."""
        return self.desk.ctx.store.read(lambda tx: tx.channels.state("main", channel.id))


@pytest.fixture
def telling(tmp_path: Path) -> Iterator[Telling]:
    """The desk."""
    clock = [now_ms()]
    with handrail.open(tmp_path / "desk", clock=lambda: clock[0]) as desk:
        yield Telling(desk, clock)


def test_who_may_decide_is_told(telling: Telling) -> None:
    """Those who could approve it, once; nobody else; and nothing of what came before."""
    telling.refund("119.00 USD")
    telling.add()
    assert telling.sent() == {}
    telling.refund()
    waiting = [Topic.WAITING]
    assert telling.sent() == {"dana": waiting, "sam": waiting, "kim": waiting}
    assert telling.sent() == {}
    telling.clock[0] += 11 * MINUTE_MS
    telling.refund("2400.00 USD", "T-104")
    assert telling.sent() == {"sam": waiting, "kim": waiting}


def test_a_link_and_nothing_personal(telling: Telling) -> None:
    """E5: a message names a page; without leave for the text it has no word of the action."""
    telling.add()
    action = telling.refund()
    for mail in telling.tell():
        (item,) = mail.items
        assert (item.path, item.lines) == (f"/actions/{action.id}", ())


def test_the_text_leaves_only_where_it_may(telling: Telling) -> None:
    """E5: the literal lines with leave for it, and never at G3."""
    telling.add(ChannelKind.WEBHOOK, carries=Carries.TEXT)
    telling.refund()
    telling.refund("2400.00 USD", "T-104")
    (mail,) = telling.tell()
    by_lines = sorted(len(item.lines) for item in mail.items)
    assert by_lines[0] == 0
    assert by_lines[1] > 3
    (full,) = (item for item in mail.items if item.lines)
    assert "120.00 USD" in [line.text for line in full.lines]


def test_many_are_told_in_one(telling: Telling) -> None:
    """No message for each: one, and the next after the pause; what was decided is not told."""
    telling.add(ChannelKind.WEBHOOK, pause_minutes=10)
    telling.refund()
    assert telling.sent() == {"": [Topic.WAITING]}
    later = [telling.refund(f"{n}.00 USD", "T-104") for n in (60, 70, 80)]
    assert telling.sent() == {}
    telling.desk.review(later[0].id, "reject", by="dana", digest=later[0].digest, reason="no")
    telling.clock[0] += 10 * MINUTE_MS
    assert telling.sent() == {"": [Topic.WAITING, Topic.WAITING]}


def test_urgent_ones_do_not_wait(telling: Telling) -> None:
    """A stop, break-glass, and what is about to expire, first; once each."""
    telling.add(ChannelKind.WEBHOOK)
    telling.refund()
    telling.sent()
    telling.refund("60.00 USD", "T-104")
    telling.desk.halt("kind", "reply.send", by="sam")
    assert telling.sent() == {"": [Topic.HALTED, Topic.WAITING]}
    telling.clock[0] += 4 * 60 * MINUTE_MS - 29 * MINUTE_MS
    assert telling.sent() == {"": [Topic.EXPIRING, Topic.EXPIRING]}
    assert telling.sent() == {}
    telling.clock[0] += 30 * MINUTE_MS
    telling.desk.work()
    told = telling.sent()[""]
    assert told.count(Topic.EXPIRED) == 2
    assert Topic.ESCALATED in told


def test_admins_are_told_of_trips(telling: Telling) -> None:
    """A stop is an administrator's business, a hand-off that of whoever may take it."""
    telling.add()
    telling.desk.halt("kind", "reply.send", by="sam")
    assert telling.sent() == {"root": [Topic.HALTED]}
    task = telling.desk.task(ticket="T-101", agent="scout")
    handed = telling.desk.escalate(task, "look at this")
    told = telling.sent()
    assert set(told) == {"dana", "sam", "kim"}  # the administrator was written to just now
    telling.desk.take_escalation(handed.id, by="kim")
    telling.clock[0] += 5 * 60 * MINUTE_MS
    telling.desk.work()
    assert telling.sent() == {"kim": [Topic.ESCALATED]}


def test_a_crash_loses_nothing_and_tells_nothing_twice(telling: Telling) -> None:
    """Notices and cursor are one commit; a claimed letter comes again under the same id."""
    telling.add(ChannelKind.WEBHOOK)
    telling.refund()
    ctx = telling.desk.ctx
    assert gather(ctx, "main") > 0
    assert gather(ctx, "main") == 0
    (first,) = telling.tell()
    # The process ends here: the letter was claimed, and nobody knows whether it was sent.
    assert telling.tell() == []
    telling.clock[0] += MINUTE_MS
    (again,) = telling.tell()
    assert (again.letter.id, again.letter.tries) == (first.letter.id, 2)
    assert again.items == first.items
    telling.settle(first, None)  # what came back late settles nothing any more
    telling.settle(again, None)
    telling.clock[0] += 24 * 60 * MINUTE_MS
    assert [mail.letter.id for mail in telling.tell() if mail.letter.id == first.letter.id] == []


def test_a_dead_channel(telling: Telling) -> None:
    """It is tried more and more rarely, then given up; it shows, and what comes later is told."""
    channel = telling.add(ChannelKind.WEBHOOK, topics=(Topic.HALTED,))
    telling.desk.halt("kind", "reply.send", by="sam")
    waits, ids = [], set()
    before = telling.clock[0]
    for _ in range(7):
        (mail,) = telling.tell()
        ids.add(mail.letter.id)
        waits.append(telling.clock[0] - before)
        before = telling.clock[0]
        telling.settle(mail, "it answered 500")
        telling.clock[0] += max(LEASE_MS, mail.letter.next_at - telling.clock[0])
    assert len(ids) == 1
    assert waits == sorted(waits)
    state = telling.state(channel)
    assert (state.failed, state.given_up, state.sent) == (7, 1, 0)
    assert state.error == "it answered 500"
    assert telling.tell() == []
    telling.desk.halt("kind", "refund.issue", by="sam")
    (later,) = telling.tell()
    telling.settle(later, None)
    assert telling.state(channel).failed == 0
    assert telling.state(channel).sent == 1


def test_what_was_told_long_ago_is_forgotten(telling: Telling) -> None:
    """After a month, and not before; what was told then is not told again."""
    telling.add(ChannelKind.WEBHOOK, topics=(Topic.HALTED,))
    telling.desk.halt("kind", "reply.send", by="sam")
    assert telling.sent() == {"": [Topic.HALTED]}
    ctx = telling.desk.ctx
    telling.clock[0] += KEPT_MS - MINUTE_MS
    assert prune(ctx, "main") == 0
    telling.clock[0] += 2 * MINUTE_MS
    assert prune(ctx, "main") == 1
    assert telling.sent() == {}


def test_a_test_message(telling: Telling) -> None:
    """Everybody on the channel gets it, whatever their role."""
    channel = telling.add()
    count = telling.desk.ctx.store.write(
        try_channel_unit(telling.desk.ctx, "main", channel.id, by="root")
    )
    assert count == len(PEOPLE)
    assert telling.sent() == {id: [Topic.TEST] for id in PEOPLE}


def test_an_ended_channel(telling: Telling) -> None:
    """Nothing more goes out; its secrets are overwritten; the log has both entries and verifies."""
    channel = telling.add(ChannelKind.WEBHOOK)
    telling.refund()
    gather(telling.desk.ctx, "main")
    telling.desk.ctx.store.write(end_channel_unit("main", channel.id, by="root"))
    assert telling.tell() == []
    secrets = telling.desk.ctx.store.read(lambda tx: secrets_of(tx, channel))
    assert (secrets.url, secrets.signing) == ("", "")
    assert telling.desk.verify().good
    with pytest.raises(HandrailError, match="channel_not_found"):
        telling.desk.ctx.store.write(end_channel_unit("main", channel.id, by="root"))


def test_a_channel_that_was_redirected_in_the_database(telling: Telling) -> None:
    """A row that leads elsewhere than the log says is found by its verification."""
    channel = telling.add(ChannelKind.WEBHOOK)

    def redirect(tx: Tx) -> None:
        rows = tx.channels._rows
        rows.change("UPDATE channel SET host = 'evil.example' WHERE id = ?", (channel.id,))

    telling.desk.ctx.store.write(redirect)
    found = [one.what for one in telling.desk.verify().findings]
    assert found == [f"a channel was changed outside the log: `channel:{channel.id}`"]


BAD: Final[dict[str, dict[str, Any]]] = {
    "no name": {"label": ""},
    "a name of two lines": {"label": "a\nb"},
    "plain http": {"url": "http://hooks.example.com/x"},
    "another scheme": {"url": "ftp://hooks.example.com/x"},
    "no host": {"url": "https:///x"},
    "a password in it": {"url": "https://a:b@hooks.example.com/x"},
    "a space in it": {"url": "https://hooks.example.com/ x"},
    "a line in it": {"url": "https://hooks.example.com/\r\nx"},
    "a port that is none": {"url": "https://hooks.example.com:99999/x"},
    "no topic": {"topics": ()},
    "the topic of tests": {"topics": (Topic.TEST,)},
    "no pause": {"pause_minutes": 0},
    "a console with a path": {"console": "https://desk.example.com/x"},
    "a console that is none": {"console": "desk"},
}
BAD_MAIL: Final[dict[str, dict[str, Any]]] = {
    "no server": {"host": ""},
    "a server with a path": {"host": "smtp.example.com/x"},
    "no port": {"port": 0},
    "nobody": {"addresses": {}},
    "somebody unknown": {"addresses": {"zoe": "zoe@example.com"}},
    "an agent": {"addresses": {"scout": "scout@example.com"}},
    "an address that is none": {"addresses": {"dana": "dana"}},
    "two addresses": {"addresses": {"dana": "a@example.com,b@example.com"}},
    "a header": {"addresses": {"dana": "dana@example.com\r\nBcc: x@example.com"}},
    "a sender with a header": {"sender": "desk@example.com\nBcc: x@example.com"},
}


@pytest.mark.parametrize("what", [*BAD, *BAD_MAIL])
def test_settings_that_make_no_sense(telling: Telling, what: str) -> None:
    """Refused by one code, before anything is kept; no message repeats a secret."""
    kind = ChannelKind.MAIL if what in BAD_MAIL else ChannelKind.WEBHOOK
    with pytest.raises(HandrailError) as refused:
        telling.add(kind, **{**BAD, **BAD_MAIL}[what])
    assert refused.value.code == "channel_invalid"
    assert "hooks.example" not in refused.value.message
    assert telling.desk.ctx.store.read(lambda tx: tx.channels.everything("main")) == []


def test_who_keeps_channels(telling: Telling) -> None:
    """M6: an administrator, and nobody else."""
    wanted = WantedChannel(
        kind=ChannelKind.SLACK, label="x", console=CONSOLE, url="https://hooks.example.com/x"
    )
    for by in ("dana", "sam", "ava", "scout", "nobody"):
        with pytest.raises(HandrailError, match="role_missing"):
            telling.desk.ctx.store.write(add_channel_unit(telling.desk.ctx, "main", wanted, by=by))
