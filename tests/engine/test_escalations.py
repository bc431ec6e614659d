"""Hand-offs: always allowed, one open at a time, with a reason why, an owner and a deadline."""

from __future__ import annotations

from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.lifecycle import State
from handrail.engine.asking.escalate import CONCERNS_MAX, concerns_of, take_unit
from handrail.store.protocol import Escalation
from tests.engine.stories import MIDDLE, Story, code_of


def concerns(story: Story, escalation: Escalation) -> tuple[str, ...]:
    """What was said about a hand-off."""
    return story.desk.ctx.store.read(lambda tx: concerns_of(tx, escalation))


def opened(story: Story) -> list[Escalation]:
    """What is open."""
    return story.desk.ctx.store.read(lambda tx: tx.escalations.open(story.desk.id, most=99))


def taken(story: Story, id: str, person: str) -> Escalation:
    """A person takes a hand-off."""
    return story.desk.ctx.store.write(take_unit(story.desk.id, id, person=person))


def test_an_agent_that_repeats_itself_opens_one(story: Story) -> None:
    """The same words add nothing; other words are added to the open one."""
    task = story.task()
    first = story.desk.escalate(task, "angry customer")
    assert first.cause is Cause.AGENT
    assert story.desk.escalate(task, "angry customer").id == first.id
    more = story.desk.escalate(task, "and now they threaten to leave")
    assert (more.id, more.said) == (first.id, 2)
    assert concerns(story, more) == ("angry customer", "and now they threaten to leave")
    assert len(opened(story)) == 1
    story.check()


def test_a_flood_of_words_is_bounded(story: Story) -> None:
    """After so many, nothing more is kept, and the agent is still given the open one."""
    task = story.task()
    said = [story.desk.escalate(task, f"concern {n}") for n in range(3 * CONCERNS_MAX)]
    last = said[-1]
    assert last.said == CONCERNS_MAX
    assert len(concerns(story, last)) == CONCERNS_MAX
    assert story.counters()["escalations"] == 1
    story.check()


def test_another_task_or_action_is_another_hand_off(story: Story) -> None:
    """One is open per task and action; a closed one does not swallow what comes after it."""
    task = story.task()
    first = story.desk.escalate(task, "help")
    asked = story.refund(MIDDLE)
    asking = story.row(asked).task
    about = story.desk.ctx.store.read(lambda tx: tx.tasks.get(story.desk.id, asking))
    assert about is not None
    second = story.desk.escalate(about, "help", action=asked.id)
    assert story.state(asked) is State.ESCALATED
    assert second.id != first.id
    assert story.desk.escalate(story.task(), "help").id not in (first.id, second.id)
    story.desk.close_escalation(first.id, by="ann")
    assert story.desk.escalate(task, "help").id != first.id
    story.check()


def test_a_reviewer_and_the_policy_say_why(story: Story) -> None:
    """What a reviewer hands on is told from what an agent did."""
    asked = story.refund(MIDDLE)
    story.desk.review(asked.id, "escalate", by="ann", digest=asked.digest, reason="not sure")
    assert [one.cause for one in opened(story)] == [Cause.REVIEWER]


def test_one_is_taken_and_keeps_its_owner(story: Story) -> None:
    """Nobody owns it until somebody takes it; a colleague may take it over, or close it."""
    escalation = story.desk.escalate(story.task(), "help")
    assert escalation.owner is None
    assert taken(story, escalation.id, "ann").owner == "ann"
    assert taken(story, escalation.id, "ann").taken_at == story.clock.now
    closed = story.desk.close_escalation(escalation.id, by="bea")
    assert (closed.owner, closed.closed_by) == ("ann", "bea")
    assert code_of(lambda: taken(story, escalation.id, "bea")) == "not_pending"
    assert code_of(lambda: taken(story, "es_none", "bea")) == "proposal_not_found"
    log = story.desk.ctx.store.read(lambda tx: tx.log.latest(story.desk.id, before=99, most=3))
    assert {one.entry.tag for one in log} >= {
        Tag.ESCALATION_TAKEN.value,
        Tag.ESCALATION_CLOSED.value,
    }
    story.check()
