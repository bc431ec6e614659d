"""No customer lies in the open, in the log or elsewhere; and an erased one is gone for good."""

from __future__ import annotations

import re
from typing import Final

import pytest

from handrail.connectors.sandbox import Fault
from handrail.core.lifecycle import State
from tests.engine.stories import DAY, HOUR, MIDDLE, MINUTE, SMALL, Story, code_of, pack

PLANTED: Final = (
    "dana.whitfield@example.com",
    "Dana Whitfield",
    "Whitfield",
    "C-1001",
    "C-1003",
    "priya.raman@example.com",
    "Priya",
    "4242 4242 4242 4242",
    "4242",
    "14 Alder Lane",
    "18.50 USD",
    "120.00 USD",
    "$120",
    "her dog is called Rex",
    "US00 TEST 0000 5589",
    "the customer sounds drunk",
    "because she is my cousin",
    "card ending",
)


def _busy_day(story: Story) -> None:
    """Everything that takes personal words in: proposals, notes, reasons, concerns, results."""
    desk = story.desk
    body = (
        "Dear Dana Whitfield, her dog is called Rex, card 4242 4242 4242 4242. $120 14 Alder Lane"
    )
    task = story.task("T-101")
    draft = desk.propose(task, "reply.draft", {"ticket": "T-101", "body": body}, note=body)
    desk.undo(draft.id)
    send = desk.propose(task, "reply.send", {"ticket": "T-101", "body": body}, note=body)
    desk.review(send.id, "approve", by="ann", digest=send.digest, reason="because she is my cousin")
    no = story.refund(MIDDLE)
    desk.review(no.id, "reject", by="ann", digest=no.digest, reason="because she is my cousin")
    desk.undo(story.refund(SMALL, "O-5001").id)
    desk.escalate(task, "the customer sounds drunk")
    payout = {"customer": "C-1012", "account": "US00 TEST 0000 5589"}
    story.approve(desk.propose(story.task("T-113"), "payout.change", payout), by="carl")
    desk.propose(task, "no.such.kind", {"to": "dana.whitfield@example.com", "words": body})
    story.fail(Fault.AFTER_EFFECT)
    story.refund(SMALL)
    story.fail(None)
    story.later(MINUTE)
    desk.work()
    desk.task(ticket="T-101", agent="bot", customers=["C-1001"])


def _raw(story: Story) -> bytes:
    """Every byte of handrail's own database, wherever it lies; not of the world's."""
    files = story.folder.glob("handrail.db*")
    kept = (story.folder / "checkpoints").rglob("*")
    return b"".join(path.read_bytes() for path in (*files, *kept) if path.is_file())


def test_nothing_personal_is_in_the_files(story: Story) -> None:
    """Names, addresses, amounts in words, cards, messages and reasons are all sealed."""
    _busy_day(story)
    raw = _raw(story)
    story.reopen()
    raw += _raw(story)
    assert b"refund.issue" in raw
    assert _found_in(raw) == []


def _found_in(data: bytes) -> list[str]:
    """What was planted and stands in the bytes; four digits in a hash are chance."""
    readable = re.sub(rb"[0-9a-f]{16,}", b"", data)
    return [text for text in PLANTED if text.encode() in readable]


def test_nothing_personal_is_in_a_leaf(story: Story) -> None:
    """The log that is handed to auditors names nobody but the desk's own people."""
    _busy_day(story)
    leaves = story.desk.ctx.store.read(lambda tx: b"\n".join(row[3] for row in tx.log.scan("main")))
    assert leaves.count(b"\n") > 30
    assert _found_in(leaves) == []


@pytest.mark.parametrize(
    "kind",
    [
        "refund to dana.whitfield@example.com",
        "dana.whitfield@example.com",
        "Dana Whitfield",
        "tel:+1 555 0101",
    ],
)
def test_a_kind_is_a_name_and_not_a_message(story: Story, kind: str) -> None:
    """What stands in the log as a kind cannot be used to write a customer into it."""
    task = story.task("T-101")
    assert code_of(lambda: story.desk.propose(task, kind, {"x": "1"})) == "field_malformed"
    assert kind.encode() not in _raw(story)


def test_an_erased_customer_is_gone_and_the_log_verifies(story: Story) -> None:
    """Content, prose, results and reasons; the action's bare facts and its entries stay."""
    action = story.approve(story.refund(MIDDLE))
    assert story.desk.erase("C-1003") is True
    assert story.desk.erase("C-1003") is False
    assert code_of(lambda: story.desk.show(action.id, by="ann")) == "content_erased"
    assert story.row(action).state is State.SUCCEEDED
    assert story.desk.verify().good
    story.reopen()
    assert code_of(lambda: story.desk.show(action.id, by="ann")) == "content_erased"
    assert story.desk.verify().good


def test_erasing_somebody_unknown_erases_nothing(story: Story) -> None:
    """And is not an entry."""
    size = story.desk.verify().size
    assert story.desk.erase("C-0000") is False
    assert story.desk.verify().size == size


def _waiting_for_a_cap(story: Story) -> str:
    """A refund of the erased customer that was READY and waits for room."""
    story.reopen(pack(("money: 20000.00 USD, window: 24h", "money: 20.00 USD, window: 24h")))
    story.refund("20.00 USD", "O-5001")
    return story.refund(SMALL).id


def _lost(story: Story) -> str:
    """A refund of the erased customer that nobody knows the outcome of."""
    story.fail(Fault.AFTER_EFFECT)
    id = story.refund(SMALL).id
    story.fail(None)
    return id


def _lost_and_not_done(story: Story) -> str:
    """A refund of the erased customer that was lost before it happened."""
    story.fail(Fault.BEFORE_EFFECT)
    id = story.refund(SMALL).id
    story.fail(None)
    return id


def _pending(story: Story) -> str:
    """A refund of the erased customer that waits for a person."""
    return story.refund(MIDDLE).id


OPEN: Final = {
    "waiting for a cap": _waiting_for_a_cap,
    "lost and done": _lost,
    "lost and not done": _lost_and_not_done,
    "pending": _pending,
}


@pytest.mark.parametrize("what", OPEN)
def test_erasing_with_work_open_stops_nothing(story: Story, what: str) -> None:
    """The open action comes to an end, other customers' work goes on, and every sweep works."""
    id = OPEN[what](story)
    assert story.desk.erase("C-1003") is True
    story.fail(Fault.AFTER_EFFECT)
    story.desk.propose(story.task("T-101"), "reply.draft", {"ticket": "T-101", "body": "Dear Dana"})
    story.fail(None)
    for _ in range(3):
        story.later(MINUTE)
        story.desk.work()
    rows = story.desk.ctx.store.read(lambda tx: tx.proposals.latest("main", most=9))
    drafts = [row.state for row in rows if row.kind == "reply.draft"]
    assert drafts == [State.SUCCEEDED]
    story.later(DAY)
    story.desk.work()
    row = story.desk.ctx.store.read(lambda tx: tx.proposals.get("main", id))
    assert row is not None
    assert row.state in (State.EXPIRED, State.SUCCEEDED, State.FAILED, State.UNKNOWN)
    if row.state is State.UNKNOWN:
        assert id in story.open_escalations()


@pytest.mark.parametrize("verdict", ["reject", "escalate"])
def test_a_person_can_still_end_an_erased_customer_s_action(story: Story, verdict: str) -> None:
    """Nobody can read it any more, so nobody can approve it; but saying no works."""
    action = story.refund(MIDDLE)
    story.desk.erase("C-1003")
    assert story.refused(action, by="ann") in ("content_erased", "stale_digest", "not_entitled")
    ended = story.desk.review(action.id, verdict, by="bea", digest=action.digest, reason="gone")
    assert ended.state in (State.REJECTED, State.ESCALATED)


def test_an_erased_customer_s_task_is_over(story: Story) -> None:
    """The task named the old reference; the customer is a new one now and needs a new task."""
    task = story.task("T-103")
    story.desk.erase("C-1003")
    fields = {"order": "O-5003", "amount": SMALL, "reason": "late"}
    assert story.desk.propose(task, "refund.issue", fields).state is State.REFUSED
    story.later(HOUR)
    assert story.refund(SMALL).state is State.SUCCEEDED
