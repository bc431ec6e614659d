"""Floods: the same twice, the same after it was denied, too much open, too much refused."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec
import pytest

from handrail.connectors.sandbox import Fault
from handrail.core.lifecycle import State
from handrail.core.policy import Limits, Policy
from handrail.core.task import Task
from handrail.engine.proposing.advice import advice_of
from handrail.engine.showing.show import show
from handrail.errors import HandrailError
from handrail.policy.loader import digest_policy
from handrail.surfaces.embedded import Action
from tests.engine.stories import DAY, HOUR, MINUTE, Story, code_of, pack

FIGURES: Final = ("200", "2000", "3", "50", "limit", "threshold")


def limited(**limits: int) -> Policy:
    """The pack with other limits."""
    text = {
        "open_per_agent": "open_per_agent: 200",
        "waiting_per_desk": "waiting_per_desk: 2000",
        "same_action_open": "same_action_open: 1",
        "same_action_denied": "same_action_denied: 2",
        "refused_per_task": "refused_per_task: 50",
    }
    return pack(*((text[name], f"{name}: {most}") for name, most in limits.items()))


def reply(story: Story, body: str, *, task: Task | None = None, agent: str = "bot") -> Action:
    """A reply, which waits for a person."""
    task = task or story.desk.task(ticket="T-101", agent=agent)
    return story.desk.propose(task, "reply.send", {"ticket": "T-101", "body": body})


def reason(story: Story, action: Action) -> str:
    """The first reason of an action."""
    return story.row(action).reasons.split(",")[0]


def test_the_same_while_one_is_open_is_refused_and_named(story: Story) -> None:
    """L1: by anybody on the desk, on any task; the agent is told which one is under way."""
    first = reply(story, "We are sorry")
    story.desk.agent("kit", owner="carl")
    again, others = reply(story, "We are sorry"), reply(story, "We are sorry", agent="kit")
    assert [again.state, others.state] == [State.REFUSED, State.REFUSED]
    assert reason(story, again) == "open_already"
    assert first.id in advice_of(story.row(again))
    assert first.id in advice_of(story.row(others))
    assert reply(story, "We are very sorry").state is State.PENDING
    story.approve(first)
    assert reply(story, "We are sorry").state is State.PENDING
    assert story.open_escalations() == []
    story.check()


def test_what_is_lost_is_open_for_as_long_as_nobody_knows(story: Story) -> None:
    """L1: after a timeout the same is not sent a second time under another key."""
    story.fail(Fault.AFTER_EFFECT)
    fields = {"order": "O-5003", "amount": "5.00 USD", "reason": "late"}
    lost = story.desk.propose(story.task(), "refund.issue", fields)
    assert lost.state is State.UNKNOWN
    story.fail(None)
    again = story.desk.propose(story.task(), "refund.issue", fields)
    assert (again.state, reason(story, again)) == (State.REFUSED, "open_already")
    assert story.refunded() == 500


def test_reading_is_never_a_flood(story: Story) -> None:
    """What is harmless may be asked as often as it takes."""
    task = story.task("T-101")
    for _ in range(5):
        assert story.desk.propose(task, "ticket.read", {"ticket": "T-101"}).state is (
            State.SUCCEEDED
        )


def test_the_third_try_is_refused_and_handed_over(story: Story) -> None:
    """L3: the reviewer of the second sees the first; the third is refused by itself, once told."""
    first = reply(story, "Please wait")
    story.desk.review(first.id, "reject", by="ann", digest=first.digest, reason="too curt")
    second = reply(story, "Please wait")
    viewer = story.desk.ctx.store.read(lambda tx: tx.people.get("main", "bea"))
    assert viewer is not None
    seen = show(story.desk.ctx, "main", second.id, viewer=viewer)
    (line,) = seen.history
    assert line.label == "Denied before"
    assert first.id in line.text
    assert "by a person" in line.text
    story.desk.review(second.id, "reject", by="bea", digest=second.digest, reason="as before")
    third, fourth = reply(story, "Please wait"), reply(story, "Please wait")
    assert [third.state, fourth.state] == [State.REFUSED, State.REFUSED]
    assert reason(story, third) == "denied_before"
    assert story.open_escalations() == [third.id]
    assert reply(story, "Please wait a moment").state is State.PENDING
    story.check()


def test_what_the_policy_refuses_is_denied_as_well(story: Story) -> None:
    """L3: outside its task, three times the same: a person looks at the agent."""
    tries = [
        story.desk.propose(
            story.task("T-101"),
            "refund.issue",
            {"order": "O-5003", "amount": "1.00 USD", "reason": "late"},
        )
        for _ in range(4)
    ]
    assert [reason(story, one) for one in tries] == [
        "outside_lane",
        "outside_lane",
        "denied_before",
        "denied_before",
    ]
    assert story.open_escalations() == [tries[2].id]


def test_a_full_cap_is_no_denial(story: Story) -> None:
    """L3: what only had no room may come again when there is some."""
    story.reopen(pack(("money: 20000.00 USD, window: 24h, kinds: &paying [refund.issue,"
                       " credit.grant],\n     when_full: wait",
                       "money: 20.00 USD, window: 24h, kinds: &paying [refund.issue,"
                       " credit.grant]")))  # fmt: skip
    fields = {"order": "O-5003", "amount": "15.00 USD", "reason": "late"}

    def tried() -> tuple[State, str]:
        action = story.desk.propose(story.task(), "refund.issue", fields)
        return action.state, reason(story, action)

    assert tried() == (State.SUCCEEDED, "value_band")
    for _ in range(3):
        assert tried() == (State.REFUSED, "cap_full")
    story.later(DAY)
    assert tried() == (State.SUCCEEDED, "value_band")


def test_a_denial_is_forgotten_after_a_month(story: Story) -> None:
    """L3: within 30 days; later the same words are a new question."""
    for _ in range(2):
        action = reply(story, "No")
        story.desk.review(action.id, "reject", by="ann", digest=action.digest, reason="no")
    assert reply(story, "No").state is State.REFUSED
    story.later(30 * DAY)
    assert reply(story, "No").state is State.PENDING


def test_an_agent_may_have_only_so_much_open(story: Story) -> None:
    """L1: the next one is refused and told once; another agent is not held up by it."""
    story.reopen(limited(open_per_agent=4))
    opened = [reply(story, f"Number {n}") for n in range(4)]
    over = [reply(story, f"Over {n}") for n in range(3)]
    assert {one.state for one in over} == {State.REFUSED}
    assert {reason(story, one) for one in over} == {"too_many_open"}
    assert story.open_escalations() == [over[0].id]
    story.desk.agent("kit", owner="carl")
    assert reply(story, "Mine", agent="kit").state is State.PENDING
    assert story.refund("1.00 USD").state is State.SUCCEEDED
    for one in opened[:2]:
        story.desk.review(one.id, "reject", by="ann", digest=one.digest, reason="no")
    story.later(HOUR)
    refilled = [reply(story, f"Again {n}") for n in range(3)]
    assert [one.state for one in refilled] == [State.PENDING, State.PENDING, State.REFUSED]
    assert set(story.open_escalations()) == {over[0].id, refilled[2].id}
    story.check()


def test_what_waits_for_room_is_open_too(story: Story) -> None:
    """L1: an agent that meets a waiting cap again and again fills its own share, no more."""
    story.reopen(
        pack(
            ("open_per_agent: 200", "open_per_agent: 2"),
            ("money: 20000.00 USD, window: 24h", "money: 5.00 USD, window: 24h"),
        )
    )
    states = [story.refund("4.00 USD").state for _ in range(4)]
    assert states == [State.SUCCEEDED, State.READY, State.READY, State.REFUSED]
    assert story.refunded() == 400


def test_a_full_queue_refuses_and_never_approves(story: Story) -> None:
    """L1: overload tightens; what would have waited is refused, and nothing runs because of it."""
    story.reopen(limited(waiting_per_desk=3, open_per_agent=3))
    for n in range(3):
        reply(story, f"Number {n}")
    story.desk.agent("kit", owner="carl")
    over = [reply(story, f"Over {n}", agent="kit") for n in range(3)]
    assert {(one.state, reason(story, one)) for one in over} == {(State.REFUSED, "queue_full")}
    assert story.open_escalations() == [over[0].id]
    assert story.world.mailbox() == []
    assert story.refund("1.00 USD").state is State.SUCCEEDED
    story.later(5 * HOUR)
    story.desk.work()
    assert reply(story, "After", agent="kit").state is State.PENDING


def test_a_task_is_answered_only_so_many_refusals(story: Story) -> None:
    """L1: then it ends; its token proposes nothing more, and a person is told."""
    story.reopen(limited(refused_per_task=3))
    task = story.task("T-101")
    refused = []
    for n in range(3):
        fields = {"order": "O-5003", "amount": f"{n + 1}.00 USD", "reason": "late"}
        refused.append(story.desk.propose(task, "refund.issue", fields))
    assert {one.state for one in refused} == {State.REFUSED}
    assert code_of(lambda: story.desk.propose(task, "ticket.read", {"ticket": "T-101"})) == (
        "task_expired"
    )
    assert story.open_escalations() == [refused[-1].id]
    assert reply(story, "A new task goes on").state is State.PENDING
    story.check()


def test_people_and_undos_are_not_limited(story: Story) -> None:
    """An undo is never one too many."""
    story.reopen(limited(open_per_agent=1, same_action_denied=1))
    reply(story, "One is open")
    done = story.refund("1.00 USD")
    assert story.desk.undo(done.id).state is State.SUCCEEDED


@pytest.mark.parametrize("code", ["open_already", "denied_before", "too_many_open", "queue_full"])
def test_the_agent_is_told_no_figure(story: Story, code: str) -> None:
    """C13: what a refusal says names no limit, and the policy is not the agent's to read."""
    story.reopen(limited(open_per_agent=3, waiting_per_desk=3))
    if code == "open_already":
        reply(story, "Twice")
        said = reply(story, "Twice")
    elif code == "denied_before":
        for _ in range(2):
            action = reply(story, "No")
            story.desk.review(action.id, "reject", by="ann", digest=action.digest, reason="no")
        said = reply(story, "No")
    else:
        agents = ["bot"] * 4 if code == "too_many_open" else ["bot", "bot", "kit", "kit"]
        story.desk.agent("kit", owner="carl")
        said = [reply(story, f"Number {n}", agent=agent) for n, agent in enumerate(agents)][-1]
    assert reason(story, said) == code
    told = advice_of(story.row(said)).replace(said.id, "").lower()
    for one in story.desk.ctx.store.read(lambda tx: tx.proposals.latest("main", most=9)):
        told = told.replace(one.id, "")
    assert not any(figure in told for figure in FIGURES)


def test_many_replies_meet_the_rate(story: Story) -> None:
    """C12: a thousand harmless messages are still bounded, by the minute, whoever approves them."""
    story.reopen(pack(("count: 30, window: 1m, kinds: [reply.send]",
                       "count: 3, window: 1m, kinds: [reply.send]")))  # fmt: skip
    sent = []
    for n in range(12):
        action = reply(story, f"We promise number {n}")
        sent.append(story.approve(action).state)
    assert sent.count(State.SUCCEEDED) == 3
    assert len(story.world.mailbox()) == 3
    for minute in range(1, 4):
        story.later(MINUTE)
        story.desk.work()
        assert len(story.world.mailbox()) == 3 * (minute + 1)


def test_a_flood_by_error_is_none(story: Story) -> None:
    """What is not even a proposal is answered by its error and counts for nothing."""
    task = story.task("T-101")
    with pytest.raises(HandrailError):
        story.desk.propose(task, "refund.issue", {"order": "O-5001", "amount": "lots"})
    assert reply(story, "Fine", task=task).state is State.PENDING


def test_a_flood_hides_nothing_bad(tmp_path: Path) -> None:
    """L2: among many small ones of the same minute, the one with most at stake comes first."""
    open_pack = msgspec.structs.replace(pack(), limits=Limits(), accumulation=None)
    calm = msgspec.structs.replace(open_pack, digest=digest_policy(open_pack))
    with Story(tmp_path / "desk", policy=calm) as story:
        small = [story.refund(f"{60 + n}.00 USD") for n in range(20)]
        bad = story.refund("4900.00 USD", order="O-5005")
        late = [story.refund(f"{90 + n}.00 USD") for n in range(20)]
        queue = [card.proposal.id for card in story.desk.queue(most=99)]
        assert queue[0] == bad.id
        assert set(queue) == {bad.id, *(action.id for action in (*small, *late))}
        found = [card.proposal.value_minor or 0 for card in story.desk.queue(most=99)]
        stakes = [max(100_00, amount) for amount in found]
        assert all(more >= less for more, less in pairwise(stakes))
