"""What is handed over by itself, what a person is given with it, and what time does to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.lifecycle import State
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.engine.proposing import propose
from handrail.engine.proposing.prepare import Draft, prepare
from handrail.store.protocol import Escalation
from tests.engine.stories import HOUR, MIDDLE, MINUTE, SMALL, Story, code_of, pack

REPLY: Final = {"ticket": "T-101", "body": "Dear Dana"}
SENDS_ARE_HELD: Final = (
    "needs: [requester, recipient_is_requester]\n    control: approve",
    "needs: [requester, recipient_is_requester]\n    control: hold_and_recall",
)


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[Story]:
    """A desk that holds replies back instead of asking."""
    with Story(tmp_path / "desk", policy=pack(SENDS_ARE_HELD)) as told:
        yield told
        told.check()


def opened(story: Story) -> list[Escalation]:
    """What is open."""
    return story.desk.ctx.store.read(lambda tx: tx.escalations.open(story.desk.id, most=99))


def test_what_nobody_decided_is_handed_over(story: Story) -> None:
    """Silence never approves, and it does not end in silence either."""
    asked = story.refund(MIDDLE)
    story.later(5 * HOUR)
    story.desk.work()
    assert story.state(asked) is State.EXPIRED
    (escalation,) = opened(story)
    assert (escalation.proposal, escalation.cause) == (asked.id, Cause.EXPIRED)
    story.check()


def test_what_a_halt_kept_too_long_is_handed_over(story: Story) -> None:
    """It was allowed, work was stopped, its time ran out: a person is told which."""
    asked = story.refund(MIDDLE)
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=asked.digest)
    story.desk.ctx.store.write(review_unit(story.desk.ctx, "main", asked.id, opinion))
    story.desk.halt("desk", by="ann")
    story.desk.work()
    story.later(HOUR)
    story.desk.work()
    assert [one.cause for one in opened(story)] == [Cause.HALTED]
    story.check()


def test_a_policy_that_fails_is_handed_over(story: Story) -> None:
    """An error in the evaluation takes the strictest control, and a person is told of it."""
    ctx, task = story.desk.ctx, story.task()
    fields = {"order": "O-5003", "amount": SMALL, "reason": "damaged"}
    ready = prepare(ctx, task, Draft(maker="bot", kind="refund.issue", params=fields))
    failed = msgspec.structs.replace(
        ready, ask=msgspec.structs.replace(ready.ask, failure="the condition gave no answer")
    )
    decided = ctx.store.write(lambda tx: propose._decide_and_record(tx, failed))
    assert decided.proposal.state is State.PENDING
    assert [one.cause for one in opened(story)] == [Cause.POLICY_ERROR]
    story.check()


def test_one_past_its_deadline_is_noticed_once(story: Story) -> None:
    """It stays open and comes first; the log says when, and the count goes down at the end."""
    late = story.desk.escalate(story.task(), "first")
    story.later(3 * HOUR)
    story.desk.escalate(story.task("T-101"), "second")
    story.later(HOUR)
    assert story.desk.work().overdue == 1
    assert story.desk.work().overdue == 0
    assert opened(story)[0].id == late.id
    assert story.counters()["escalations_overdue"] == 1
    log = story.desk.ctx.store.read(lambda tx: tx.log.latest("main", before=999, most=3))
    assert Tag.ESCALATION_OVERDUE.value in [one.entry.tag for one in log]
    story.desk.close_escalation(late.id, by="ann")
    assert "escalations_overdue" not in story.counters()
    story.check()


def test_a_person_is_given_all_that_is_known(story: Story) -> None:
    """The conversation, what ran, what waits and what ended, with the facts and their sources."""
    task = story.task()
    fields = {"order": "O-5003", "reason": "damaged"}
    ran = story.desk.propose(task, "refund.issue", {**fields, "amount": SMALL})
    waits = story.desk.propose(task, "refund.issue", {**fields, "amount": "80.00 USD"})
    other = story.desk.propose(task, "reply.send", {"ticket": "T-101", "body": "Hello"})
    assert (ran.state, waits.state, other.state) == (
        State.SUCCEEDED,
        State.PENDING,
        State.REFUSED,
    )
    escalation = story.desk.escalate(task, "please decide", action=None)
    story.desk.escalate(task, "and soon")
    found = story.desk.handed_over(escalation.id)
    assert found.said == ("please decide", "and soon")
    assert (found.ticket, found.customer) == ("T-103", "C-1003")
    assert [card.proposal.id for card in found.ran] == [ran.id]
    assert [card.proposal.id for card in found.waits] == [waits.id]
    assert found.facts
    assert all(fact.source for fact in found.facts)
    assert found.conversation is not None
    assert "headphones" in found.conversation[0].body
    assert code_of(lambda: story.desk.handed_over("es_none")) == "proposal_not_found"


def test_an_erased_customer_leaves_the_rest(story: Story) -> None:
    """What was said about them is gone; what ran, and that it was handed over, is not."""
    task = story.task()
    escalation = story.desk.escalate(task, "about Priya")
    story.desk.erase("C-1003")
    found = story.desk.handed_over(escalation.id)
    assert (found.said, found.customer) == ((), None)


def test_a_person_recalls_what_is_held(holding: Story) -> None:
    """Any reviewer, while it lasts; it is listed until then, and never in the queue."""
    action = holding.desk.propose(holding.task("T-101"), "reply.send", REPLY)
    assert [card.proposal.id for card in holding.desk.held()] == [action.id]
    assert holding.desk.queue() == []
    assert holding.desk.recall(action.id, by="ann").state is State.WITHDRAWN
    assert holding.desk.held() == []
    assert code_of(lambda: holding.desk.recall(action.id, by="bea")) == "not_pending"
    holding.later(HOUR)
    holding.desk.work()
    assert holding.world.mailbox() == []
    entries = holding.desk.ctx.store.read(lambda tx: tx.log.of_person("main", "ann", most=5))
    assert Tag.ACTION_WITHDRAWN.value in [one.entry.tag for one in entries]


@pytest.mark.parametrize(
    ("by", "code"),
    [("ann", None), ("bot", None), ("operator", None), ("dora", "not_entitled"),
     ("scout", "not_entitled"), ("nobody", "not_entitled")],
)  # fmt: skip
def test_who_recalls(holding: Story, by: str, code: str | None) -> None:
    """Whoever may decide, and the agent itself; nobody else, and nobody after it has left."""
    holding.desk.person("dora", roles=("auditor",))
    holding.desk.agent("scout")
    action = holding.desk.propose(holding.task("T-101"), "reply.send", REPLY)
    if code is not None:
        assert code_of(lambda: holding.desk.recall(action.id, by=by)) == code
        holding.later(2 * MINUTE)
        holding.desk.work()
        assert holding.state(action) is State.SUCCEEDED
        assert code_of(lambda: holding.desk.recall(action.id, by="ann")) == "not_pending"
    else:
        assert holding.desk.recall(action.id, by=by).state is State.WITHDRAWN


def test_what_waits_for_a_person_is_rejected_instead(story: Story) -> None:
    """A recall needs no reason; a no to what somebody asks does."""
    asked = story.refund(MIDDLE)
    assert code_of(lambda: story.desk.recall(asked.id, by="ann")) == "not_pending"
    assert story.state(asked) is State.PENDING
