"""An approval can be taken back until it leaves, and not a moment longer."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from handrail.core.lifecycle import State
from handrail.core.policy import Clocks
from handrail.core.proposal import Proposal
from handrail.errors import HandrailError
from handrail.surfaces.embedded import Action
from tests.engine.connectors import Front
from tests.engine.stories import HUGE, MIDDLE, MINUTE, SECOND, Story, code_of
from tests.store.databases import PostgresDatabase

WINDOW: Final = 10 * SECOND
ROUNDS: Final = 12


def approve(story: Story, action: Action, by: str = "ann") -> Action:
    """Approve it with ten seconds to think again."""
    return story.desk.review(action.id, "approve", by=by, digest=action.digest, take_back_ms=WINDOW)


def take_back(story: Story, action: Action, by: str = "ann") -> Action:
    """Take an approval back."""
    return story.desk.review(action.id, "take_back", by=by, digest=action.digest)


def row(story: Story, action: Action) -> Proposal:
    """The action as it is stored."""
    found = story.desk.ctx.store.read(lambda tx: tx.proposals.look("main", action.id))
    assert found is not None
    return found


def tags(story: Story, action: Action) -> list[str]:
    """What the log says of it, in order."""
    logged = story.desk.ctx.store.read(lambda tx: tx.log.of_proposal("main", action.id))
    return [one.entry.tag for one in logged]


def test_nothing_leaves_before_the_time_is_over(story: Story) -> None:
    """The outbox holds it, also over a restart; then it runs once, by itself."""
    action = story.refund(MIDDLE)
    assert approve(story, action).state is State.READY
    story.later(WINDOW - 1)
    story.desk.work()
    story.reopen()
    story.desk.work()
    assert (story.state(action), story.refunded()) == (State.READY, 0)
    story.later(1)
    story.desk.work()
    assert (story.state(action), story.refunded()) == (State.SUCCEEDED, 12_000)
    assert tags(story, action).count("execution.intended") == 1


def test_taken_back_it_waits_as_before(story: Story) -> None:
    """The approval is void and in the log; the deadline stands; it can be given again."""
    action = story.refund(MIDDLE)
    before = row(story, action)
    approve(story, action)
    taken = take_back(story, action)
    assert taken.state is State.PENDING
    now = row(story, action)
    assert (now.decide_by, now.rank, now.statement) == (
        before.decide_by,
        before.rank,
        before.statement,
    )
    assert (now.execute_by, now.hold_until) == (None, None)
    story.later(5 * MINUTE)
    story.desk.work()
    assert (story.state(action), story.refunded()) == (State.PENDING, 0)
    assert tags(story, action)[-2:] == ["action.approved", "review.withdrawn"]
    assert code_of(lambda: take_back(story, action)) == "nothing_to_take_back"
    approve(story, action)
    story.later(WINDOW)
    story.desk.work()
    assert (story.state(action), story.refunded()) == (State.SUCCEEDED, 12_000)
    said = [one.review.verdict.value for one in story.desk.show(action.id, by="ann").reviews]
    assert said == ["approve", "take_back", "approve"]


def test_too_late_is_said(story: Story) -> None:
    """E4: once it has left, nothing is taken back, and the money has moved once."""
    action = story.refund(MIDDLE)
    approve(story, action)
    story.later(WINDOW)
    story.desk.work()
    assert code_of(lambda: take_back(story, action)) == "take_back_too_late"
    assert story.refunded() == 12_000


def test_at_once_is_at_once(story: Story) -> None:
    """The embedded desk waits only when it is asked to."""
    action = story.refund(MIDDLE)
    assert story.approve(action).state is State.SUCCEEDED


def test_somebody_elses_approval_stays_theirs(story: Story) -> None:
    """Nobody takes back what another one approved; they can reject it no more, but recall it."""
    action = story.refund(MIDDLE)
    approve(story, action)
    assert code_of(lambda: take_back(story, action, by="bea")) == "nothing_to_take_back"
    assert code_of(lambda: take_back(story, action, by="bot")) == "not_entitled"
    assert story.state(action) is State.READY


def test_one_of_two_takes_theirs_back(story: Story) -> None:
    """D10: while the other is out, unseen; after both, the other's approval stands."""
    action = story.refund(HUGE, "O-5005")
    approve(story, action, by="carl")
    take_back(story, action, by="carl")
    seen = story.desk.show(action.id, by="cora")
    assert seen.reviews == ()
    assert [one.entry.tag for one in seen.entries] == ["action.proposed"]
    approve(story, action, by="cora")
    assert story.state(action) is State.PENDING
    approve(story, action, by="carl")
    assert story.state(action) is State.READY
    take_back(story, action, by="carl")
    story.later(WINDOW)
    story.desk.work()
    assert (story.state(action), story.refunded("O-5005")) == (State.PENDING, 0)
    assert story.refused(action, by="cora") == "reviewed_already"
    approve(story, action, by="carl")
    story.later(WINDOW)
    story.desk.work()
    assert (story.state(action), story.refunded("O-5005")) == (State.SUCCEEDED, 600_000)


def test_a_stop_does_not_stop_taking_back(story: Story) -> None:
    """What a halt keeps from running can be taken back, and does not run when work goes on."""
    action = story.refund(MIDDLE)
    approve(story, action)
    pulled = story.desk.halt("desk", by="boss")
    story.later(WINDOW)
    story.desk.work()
    assert "halted" in row(story, action).reasons
    assert take_back(story, action).state is State.PENDING
    assert "halted" not in row(story, action).reasons
    story.desk.lift(pulled.halt.id, by="ann")
    story.desk.work()
    assert (story.state(action), story.refunded()) == (State.PENDING, 0)


def test_the_right_to_run_begins_after_the_window(story: Story) -> None:
    """It expires as long after the window as it would have after the approval."""
    action = story.refund(MIDDLE)
    approve(story, action)
    stands = row(story, action)
    assert stands.hold_until is not None
    assert stands.execute_by == stands.hold_until + Clocks().execution_ms


def test_a_time_that_is_over_stays_over(story: Story) -> None:
    """Taken back after its deadline it expires: silence never approves."""
    action = story.refund(MIDDLE)
    deadline = row(story, action).decide_by
    assert deadline is not None
    story.later(deadline - story.clock.now - 1)
    approve(story, action)
    story.later(5 * SECOND)
    take_back(story, action)
    story.desk.work()
    assert (story.state(action), story.refunded()) == (State.EXPIRED, 0)


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_taking_back_races_the_dispatch(tmp_path: Path, store: str) -> None:
    """E4: at the very moment it leaves, one of the two wins: it ran, or it waits, never both.

    On PostgreSQL it is another gateway that takes it back.
    """
    with ExitStack() as stack:
        address = PostgresDatabase(tmp_path).address if store == "postgres" else None
        story = stack.enter_context(Story(tmp_path / "desk", store=address))
        other = story
        if address is not None:
            front = Front(tmp_path / "elsewhere.db")
            stack.callback(front.close)
            other = stack.enter_context(
                Story(
                    tmp_path / "desk",
                    store=address,
                    connectors={"desk": front},
                    clock=story.clock,
                )
            )
        for n in range(ROUNDS):
            paid = story.refunded("O-5005")
            action = story.refund(f"51.{n:02} USD", "O-5005")
            approve(story, action, by="carl")
            story.later(WINDOW)
            code = _race(story, other, action)
            assert code in (None, "take_back_too_late")
            entries = tags(story, action)
            assert ("review.withdrawn" in entries) is (code is None)
            assert ("execution.intended" in entries) is (code is not None)
            assert (story.state(action) is State.PENDING) is (code is None)
            assert (story.refunded("O-5005") > paid) is (code is not None)
            if code is None:
                story.desk.review(action.id, "reject", by="cora", digest=action.digest, reason="no")
        story.check()


def _race(story: Story, other: Story, action: Action) -> str | None:
    """Dispatch and taking back at the same time; the code with which the latter was refused."""
    gate = threading.Barrier(2)
    found: list[str | None] = []

    def back() -> None:
        gate.wait()
        try:
            take_back(other, action, by="carl")
        except HandrailError as error:
            found.append(error.code)
        else:
            found.append(None)

    thread = threading.Thread(target=back)
    thread.start()
    gate.wait()
    story.desk.work()
    thread.join()
    story.desk.work()
    (outcome,) = found
    return outcome
