"""kill -9 in the middle of an action: afterwards the normal path finds out what happened."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from handrail.connectors.protocol import Looked, Promise
from handrail.core.lifecycle import State
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import plan
from handrail.engine.waiting.dispatch import claim_unit
from handrail.engine.waiting.reread import reread
from tests.engine.connectors import Front, effects_in, mortal
from tests.engine.stories import HOUR, MIDDLE, MINUTE, SECOND, SMALL, Story
from tests.store.databases import NOW, Clock

MOMENTS: Final = ("before the effect", "after the effect")


def _killed(folder: Path, live: Callable[[Story, Front], None]) -> None:
    """Let a child process live until it is killed. It must not end in any other way."""
    child = os.fork()
    if child == 0:
        try:
            front = Front(folder / "desk.db")
            live(Story(folder / "desk", connectors={"desk": front}), front)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def _suicide() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _woken(folder: Path, promise: Promise = Promise.KEYED) -> tuple[Story, Front]:
    """The next process, a while later."""
    front = Front(folder / "desk.db", promise=promise)
    story = Story(folder / "desk", connectors={"desk": front}, clock=Clock(NOW + SECOND))
    return story, front


def _only(story: Story) -> str:
    """The id of the one refund that there is."""
    rows = story.desk.ctx.store.read(lambda tx: tx.proposals.latest("main", most=9))
    (id,) = (row.id for row in rows)
    return id


def _end(story: Story, front: Front) -> None:
    story.check()
    story.close()
    front.close()


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_a_small_refund_runs(tmp_path: Path, moment: str) -> None:
    """It runs once in the end, whether or not it had happened already."""

    def live(story: Story, front: Front) -> None:
        mortal(front, moment)
        story.refund(SMALL)

    _killed(tmp_path, live)
    story, front = _woken(tmp_path)
    id = _only(story)
    done = moment == MOMENTS[1]
    assert story.desk.get(id).state is State.EXECUTING
    assert front.desk.lookup("refund.issue", id).looked is (
        Looked.DONE if done else Looked.NOT_DONE
    )
    assert story.desk.work().lost == 1
    assert story.desk.get(id).state is State.UNKNOWN
    story.later(10 * SECOND)
    swept = story.desk.work()
    assert (swept.found, swept.absent) == ((1, 0) if done else (0, 1))
    assert story.desk.get(id).state is State.SUCCEEDED
    assert effects_in(front.desk) == 1
    assert front.calls == ([] if done else [id])
    _end(story, front)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_an_approved_refund_runs(tmp_path: Path, moment: str) -> None:
    """The approval is kept, and counts for one effect."""

    def live(story: Story, front: Front) -> None:
        action = story.refund(MIDDLE)
        mortal(front, moment)
        story.approve(action)

    _killed(tmp_path, live)
    story, front = _woken(tmp_path)
    for _ in range(3):
        story.desk.work()
        story.later(10 * SECOND)
    assert story.desk.get(_only(story)).state is State.SUCCEEDED
    assert front.desk.balance("P-5003").refunded_minor == 12_000
    _end(story, front)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_nobody_can_tell(tmp_path: Path, moment: str) -> None:
    """A world that cannot be asked: it is never sent again, and a person is told once."""

    def live(story: Story, front: Front) -> None:
        mortal(front, moment)
        story.refund(SMALL)

    _killed(tmp_path, live)
    story, front = _woken(tmp_path, Promise.BLIND)
    id = _only(story)
    for _ in range(4):
        story.desk.work()
        story.later(HOUR)
    assert story.desk.get(id).state is State.UNKNOWN
    assert story.open_escalations() == [id]
    assert front.calls == []
    _end(story, front)


def test_killed_long_ago(tmp_path: Path) -> None:
    """Found a day later: what had not happened does not happen any more."""

    def live(story: Story, front: Front) -> None:
        mortal(front, "before the effect")
        story.refund(SMALL)

    _killed(tmp_path, live)
    story, front = _woken(tmp_path)
    story.later(24 * HOUR)
    story.desk.work()
    story.later(MINUTE)
    story.desk.work()
    assert story.desk.get(_only(story)).state is State.FAILED
    assert effects_in(front.desk) == 0
    _end(story, front)


def test_killed_between_approval_and_dispatch(tmp_path: Path) -> None:
    """The decision is durable; the next process carries it out."""

    def live(story: Story, front: Front) -> None:
        action = story.refund(MIDDLE)
        opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
        story.desk.ctx.store.write(review_unit(story.desk.ctx, "main", action.id, opinion))
        _suicide()

    _killed(tmp_path, live)
    story, front = _woken(tmp_path)
    assert story.desk.get(_only(story)).state is State.READY
    assert story.desk.work().ran == 1
    assert front.desk.balance("P-5003").refunded_minor == 12_000
    _end(story, front)


def test_killed_between_claim_and_call(tmp_path: Path) -> None:
    """The intent is durable and nothing had left: it runs once, by the next process."""

    def live(story: Story, front: Front) -> None:
        ctx = story.desk.ctx
        fields = {"order": "O-5003", "amount": SMALL, "reason": "late"}
        draft = Draft(maker="bot", kind="refund.issue", params=fields)
        assert ctx.store.write(plan(ctx, story.task(), draft)).job is not None
        _suicide()

    _killed(tmp_path, live)
    story, front = _woken(tmp_path)
    for _ in range(2):
        story.desk.work()
        story.later(10 * SECOND)
    assert story.desk.get(_only(story)).state is State.SUCCEEDED
    assert effects_in(front.desk) == 1
    _end(story, front)


def test_killed_again_and_again(tmp_path: Path) -> None:
    """Several processes die over the same refund; there is one refund in the end."""

    def live(story: Story, front: Front) -> None:
        mortal(front, "before the effect")
        story.refund(SMALL)

    def live_again(story: Story, front: Front) -> None:
        story.later(10 * SECOND)
        mortal(front, "after the effect")
        story.desk.work()
        story.later(10 * SECOND)
        story.desk.work()

    _killed(tmp_path, live)
    _killed(tmp_path, live_again)
    story, front = _woken(tmp_path)
    story.later(MINUTE)
    for _ in range(2):
        story.desk.work()
        story.later(10 * SECOND)
    assert story.desk.get(_only(story)).state is State.SUCCEEDED
    assert effects_in(front.desk) == 1
    _end(story, front)


def test_an_earlier_process_s_claim_is_known_by_its_fence(tmp_path: Path) -> None:
    """A claim of this process is left alone until its deadline; one of the last is taken up."""
    story, front = _woken(tmp_path)
    action = story.refund(MIDDLE)
    ctx = story.desk.ctx
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
    ctx.store.write(review_unit(ctx, "main", action.id, opinion))
    seen = reread(ctx, "main", action.id)
    claimed, job = ctx.store.write(claim_unit(ctx, "main", action.id, seen))
    assert (claimed.state, job is not None) == (State.EXECUTING, True)
    assert story.desk.work().lost == 0
    story.reopen()
    assert story.desk.work().lost == 1
    _end(story, front)
