"""Undo really reverses, once, within its window, on the same road as everything else."""

from __future__ import annotations

from functools import partial

from handrail.connectors.sandbox import Fault
from handrail.core.lifecycle import State
from tests.engine.stories import DAY, HOUR, MIDDLE, MINUTE, SECOND, SMALL, Story, code_of


def test_a_refund_is_taken_back(story: Story) -> None:
    """The balance is as before, and both actions know of each other."""
    action = story.refund(SMALL)
    assert story.refunded() == 1850
    undo = story.desk.undo(action.id)
    assert undo.state is State.SUCCEEDED
    assert story.refunded() == 0
    assert (story.row(undo).undoes, story.row(action).undone_by) == (action.id, undo.id)
    assert story.tags(action)[-1] == "action.undone"


def test_an_approved_refund_is_taken_back_too(story: Story) -> None:
    """Who approved it does not matter."""
    action = story.approve(story.refund(MIDDLE))
    assert story.desk.undo(action.id, by="ann").state is State.SUCCEEDED
    assert story.refunded() == 0


def test_a_credit_and_a_draft_are_taken_back(story: Story) -> None:
    """The other kinds whose policy promises an undo."""
    fields = {"customer": "C-1008", "amount": "14.90 EUR", "reason": "late"}
    credit = story.desk.propose(story.task("T-106"), "credit.grant", fields)
    assert story.world.store_credit("C-1008", "EUR") == 1490
    story.desk.undo(credit.id)
    assert story.world.store_credit("C-1008", "EUR") == 0
    draft = story.desk.propose(
        story.task("T-101"), "reply.draft", {"ticket": "T-101", "body": "Dear Dana"}
    )
    assert story.desk.undo(draft.id).result == {"draft": _text(draft.result), "status": "discarded"}


def _text(result: dict[str, object] | None) -> object:
    assert result is not None
    return result["draft"]


def test_undoing_twice_undoes_once(story: Story) -> None:
    """The second time there is nothing to undo, whoever asks."""
    action = story.refund(SMALL)
    story.desk.undo(action.id)
    for name in ("operator", "ann"):
        assert code_of(partial(story.desk.undo, action.id, by=name)) == "undo_unavailable"
    assert story.refunded() == 0


def test_an_undo_has_no_undo(story: Story) -> None:
    """Taking back what was taken back would be a refund, and goes the road of refunds."""
    undo = story.desk.undo(story.refund(SMALL).id)
    assert code_of(lambda: story.desk.undo(undo.id)) == "undo_unavailable"
    assert story.refunded() == 0


def test_the_window_closes(story: Story) -> None:
    """A day after it was done, to the millisecond."""
    first, second = story.refund(SMALL), story.refund("5.00 USD")
    story.later(DAY - 1)
    assert story.desk.undo(first.id).state is State.SUCCEEDED
    story.later(1)
    assert code_of(lambda: story.desk.undo(second.id)) == "undo_unavailable"
    assert story.refunded() == 500


def test_only_what_was_done_is_undone(story: Story) -> None:
    """Not what waits, what was rejected, or what has no undo."""
    waiting = story.refund(MIDDLE)
    assert code_of(lambda: story.desk.undo(waiting.id)) == "undo_unavailable"
    story.desk.review(waiting.id, "reject", by="ann", digest=waiting.digest, reason="no")
    assert code_of(lambda: story.desk.undo(waiting.id)) == "undo_unavailable"
    read = story.desk.propose(story.task(), "ticket.read", ticket="T-103")
    assert code_of(lambda: story.desk.undo(read.id)) == "undo_unavailable"
    assert code_of(lambda: story.desk.undo("hr_nothing")) == "proposal_not_found"


def test_the_reversing_kind_does_not_run_by_itself(story: Story) -> None:
    """An agent cannot propose a reversal; it has to undo an action."""
    action = story.refund(SMALL)
    assert action.result is not None
    again = story.desk.propose(
        story.task(), "refund.reverse", {"refund": str(action.result["refund"])}
    )
    assert again.state is State.REFUSED
    assert story.refunded() == 1850


def test_a_lost_undo_is_found(story: Story) -> None:
    """The reversal happened and its answer was lost: it is looked up, and counts once."""
    action = story.refund(SMALL)
    story.fail(Fault.AFTER_EFFECT)
    undo = story.desk.undo(action.id)
    assert undo.state is State.UNKNOWN
    story.fail(None)
    story.later(MINUTE)
    story.desk.work()
    assert story.state(undo) is State.SUCCEEDED
    assert story.row(action).undone_by == undo.id
    assert story.refunded() == 0


def test_a_second_person_s_undo_waits_for_the_first(story: Story) -> None:
    """While one reversal is open, another one is refused with a clear word."""
    action = story.refund(SMALL)
    story.fail(Fault.BEFORE_EFFECT)
    story.desk.undo(action.id, by="ann")
    story.fail(None)
    assert code_of(lambda: story.desk.undo(action.id, by="bea")) == "undo_unavailable"
    story.later(MINUTE)
    story.desk.work()
    assert story.refunded() == 0


def test_an_undo_that_came_to_nothing_can_be_tried_again(story: Story) -> None:
    """The outside world was away until the reversal's time was over; then it is back."""
    action = story.refund(SMALL)
    story.fail(Fault.BEFORE_EFFECT)
    undo = story.desk.undo(action.id)
    story.later(HOUR)
    story.desk.work()
    assert story.state(undo) is State.FAILED
    story.fail(None)
    again = story.desk.undo(action.id)
    assert (again.id == undo.id, again.state) == (False, State.SUCCEEDED)
    assert story.refunded() == 0


def test_a_double_click_is_one_undo(story: Story) -> None:
    """Asked twice by the same person while it is under way, the answer is the same action."""
    action = story.refund(SMALL)
    story.fail(Fault.AFTER_EFFECT)
    first = story.desk.undo(action.id, by="ann")
    second = story.desk.undo(action.id, by="ann")
    assert first.id == second.id
    story.fail(None)
    story.later(10 * SECOND)
    story.desk.work()
    assert story.refunded() == 0
