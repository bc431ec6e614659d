"""A key belongs to one content: the same again gives the same answer, another gives a conflict."""

from __future__ import annotations

import threading

from handrail.core.lifecycle import State
from handrail.surfaces.embedded import Action
from tests.engine.stories import DAY, MIDDLE, SMALL, Story, code_of


def test_the_same_again_is_the_same_action(story: Story) -> None:
    """No second refund, however often the call is repeated."""
    first = story.refund(SMALL, key="case 7")
    for _ in range(3):
        again = story.refund(SMALL, key="case 7")
        assert (again.id, again.state, again.result) == (first.id, first.state, first.result)
    assert story.refunded() == 1850


def test_the_same_again_tells_where_it_stands(story: Story) -> None:
    """A waiting action is the same one after the decision."""
    first = story.refund(MIDDLE, key="k")
    assert story.refund(MIDDLE, key="k").state is State.PENDING
    story.approve(first)
    again = story.refund(MIDDLE, key="k")
    assert (again.id, again.state) == (first.id, State.SUCCEEDED)


def test_other_content_under_the_key_is_a_conflict(story: Story) -> None:
    """A1: a cent, another order or another kind is a conflict; the first one is untouched."""
    first = story.refund(SMALL, key="k")
    assert code_of(lambda: story.refund("18.51 USD", key="k")) == "idempotency_conflict"
    task = story.task()
    other = {"order": "O-5003", "amount": SMALL, "reason": "late"}
    assert code_of(lambda: story.desk.propose(task, "refund.issue", other, key="k")) == (
        "idempotency_conflict"
    )
    assert code_of(lambda: story.desk.propose(task, "ticket.read", ticket="T-103", key="k")) == (
        "idempotency_conflict"
    )
    assert story.state(first) is State.SUCCEEDED
    assert story.refunded() == 1850


def test_the_way_money_is_written_is_not_content(story: Story) -> None:
    """The same amount in other words is the same."""
    first = story.refund("18.50 USD", key="k")
    fields = {"amount": "18.50 USD", "reason": "damaged", "order": "O-5003"}
    again = story.desk.propose(story.task(), "refund.issue", fields, key="k")
    assert again.id == first.id


def test_each_agent_has_its_own_keys(story: Story) -> None:
    """Another agent's key of the same name is another key."""
    story.desk.agent("bot2")
    first = story.refund("5.00 USD", key="k")
    task = story.desk.task(ticket="T-103", agent="bot2")
    fields = {"order": "O-5003", "amount": "6.00 USD", "reason": "damaged"}
    other = story.desk.propose(task, "refund.issue", fields, key="k")
    assert first.id != other.id
    assert story.refunded() == 1100


def test_without_a_key_each_call_is_an_action(story: Story) -> None:
    """Saying nothing is no key."""
    assert story.refund("5.00 USD").id != story.refund("5.00 USD").id


def test_a_key_is_short_printable_text(story: Story) -> None:
    """Anything else is a clear error, and nothing is written."""
    for key in ("", "k" * 201, "a\nb", "schlüssel", "\x00"):
        assert code_of(lambda: story.refund(SMALL, key=key)) == "field_malformed"  # noqa: B023
    assert story.refunded() == 0


def test_keys_outlive_a_restart(story: Story) -> None:
    """The answer is durable."""
    first = story.refund(SMALL, key="k")
    story.reopen()
    story.later(DAY)
    assert story.refund(SMALL, key="k").id == first.id
    assert story.refunded() == 1850


def test_many_callers_with_one_key_make_one_action(story: Story) -> None:
    """Eight threads at once: one effect, and all hear of the same action."""
    together = threading.Barrier(8)
    heard: list[Action] = []

    def work() -> None:
        together.wait()
        heard.append(story.refund(SMALL, key="k"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 8
    assert len({action.id for action in heard}) == 1
    assert story.refunded() == 1850


def test_many_callers_may_be_the_first(story: Story) -> None:
    """Eight threads ask for a task of an agent that nobody has named before."""
    together = threading.Barrier(8)
    tasks: list[str] = []

    def work() -> None:
        together.wait()
        tasks.append(story.desk.task(ticket="T-103", agent="newcomer").id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(tasks)) == 8
