"""Two other roads: held back for a while, and run in the agent's own process under a permit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from handrail.connectors.protocol import Receipt
from handrail.core.lifecycle import State
from handrail.core.policy import Policy
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.engine.deciding.withdraw import withdraw_unit
from handrail.engine.running.execute import Effect, Ending
from handrail.engine.running.permit import receipt_unit
from handrail.engine.waiting.dispatch import claim_unit
from handrail.engine.waiting.reread import reread
from handrail.surfaces.embedded import Action
from tests.engine.stories import HOUR, MIDDLE, MINUTE, Story, code_of, pack

_SEND_BY_APPROVAL: Final = (
    "needs: [requester, recipient_is_requester]\n    control: approve",
    "needs: [requester, recipient_is_requester]\n    control: hold_and_recall",
)
_TOOLS: Final = """
  crm.note:
    title: Write a note
    connector: agent
    runs_in: agent
    axes: {reversibility: 0, blast_radius: 0, stakes: 1}
    params: {text: {type: text}}
    control: run_and_log

  crm.merge:
    title: Merge two records
    connector: agent
    runs_in: agent
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    params: {into: {type: id}, amount: {type: money}}
    control: approve
"""
DONE: Final = Effect(ending=Ending.DONE, receipt=Receipt(provider_ref="n-1", result={"ok": True}))


def _with_tools() -> Policy:
    return pack(("kinds:\n  # Reading", f"kinds:{_TOOLS}\n  # Reading"))


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[Story]:
    """A desk that holds replies back instead of asking."""
    with Story(tmp_path / "desk", policy=pack(_SEND_BY_APPROVAL)) as told:
        yield told
        told.check()


@pytest.fixture
def tooled(tmp_path: Path) -> Iterator[Story]:
    """A desk whose agent has tools of its own."""
    with Story(tmp_path / "desk", policy=_with_tools()) as told:
        yield told
        told.check()


def _reply(story: Story) -> Action:
    return story.desk.propose(
        story.task("T-101"), "reply.send", {"ticket": "T-101", "body": "Dear Dana"}
    )


def test_a_held_reply_goes_out_after_its_window(holding: Story) -> None:
    """It interrupts nobody; two minutes later, and not before, it is sent once."""
    action = _reply(holding)
    assert action.state is State.HOLDING
    assert holding.desk.queue() == []
    holding.later(2 * MINUTE - 1)
    holding.desk.work()
    assert holding.world.mailbox() == []
    holding.later(1)
    swept = holding.desk.work()
    assert (swept.released, swept.ran) == (1, 1)
    holding.later(HOUR)
    holding.desk.work()
    assert len(holding.world.mailbox()) == 1
    assert holding.state(action) is State.SUCCEEDED


def test_a_recalled_reply_never_goes_out(holding: Story) -> None:
    """Recalled within its window it is withdrawn, and recalling it again is too late."""
    action = _reply(holding)
    store = holding.desk.ctx.store
    recalled = store.write(withdraw_unit("main", action.id, actor="bot", task=None))
    assert recalled.state is State.WITHDRAWN
    assert code_of(
        lambda: store.write(withdraw_unit("main", action.id, actor="bot", task=None))
    ) == ("not_pending")
    holding.later(HOUR)
    holding.desk.work()
    assert holding.world.mailbox() == []


def test_a_held_reply_that_nobody_came_for_expires(holding: Story) -> None:
    """The process was away for a day: what was released then has its full time to run."""
    action = _reply(holding)
    holding.later(24 * HOUR)
    holding.reopen()
    holding.desk.work()
    assert holding.state(action) is State.SUCCEEDED


def test_the_maker_withdraws_what_waits(story: Story) -> None:
    """Pending or ready; only the task's own, and never what runs or is over."""
    action, other = story.refund(MIDDLE), story.refund("60.00 USD")
    store = story.desk.ctx.store
    foreign = story.row(other).task
    assert code_of(
        lambda: store.write(withdraw_unit("main", action.id, actor="bot", task=foreign))
    ) == ("proposal_not_found")
    mine = story.row(action).task
    store.write(withdraw_unit("main", action.id, actor="bot", task=mine))
    assert story.state(action) is State.WITHDRAWN
    assert story.refused(action, by="ann") == "not_pending"
    assert story.approve(other).state is State.SUCCEEDED
    assert code_of(
        lambda: store.write(withdraw_unit("main", other.id, actor="bot", task=foreign))
    ) == ("not_pending")


def _note(story: Story) -> Action:
    return story.desk.propose(story.task(), "crm.note", {"text": "called back"})


def _task_of(story: Story, action: Action) -> str:
    return story.row(action).task


def test_a_permit_is_given_with_the_frozen_arguments(tooled: Story) -> None:
    """The agent's process may run it once, with what was decided."""
    action = _note(tooled)
    assert action.state is State.EXECUTING
    assert action.permit is not None
    assert action.params == {"text": "called back"}
    assert tooled.row(action).permit not in (None, action.permit)
    store, ctx = tooled.desk.ctx.store, tooled.desk.ctx
    unit = receipt_unit(
        ctx,
        "main",
        action.id,
        task=_task_of(tooled, action),
        permit=action.permit,
        effect=DONE,
    )
    assert store.write(unit).state is State.SUCCEEDED
    assert code_of(lambda: store.write(unit)) == "permit_invalid"


@pytest.mark.parametrize("permit", ["", "hrp_" + "0" * 48, "x"])
def test_another_permit_settles_nothing(tooled: Story, permit: str) -> None:
    """Neither a made-up one nor none, and not from another task."""
    action = _note(tooled)
    store, ctx = tooled.desk.ctx.store, tooled.desk.ctx
    task = _task_of(tooled, action)
    wrong = receipt_unit(ctx, "main", action.id, task=task, permit=permit, effect=DONE)
    assert code_of(lambda: store.write(wrong)) == "permit_invalid"
    assert action.permit is not None
    foreign = receipt_unit(
        ctx, "main", action.id, task=tooled.task().id, permit=action.permit, effect=DONE
    )
    assert code_of(lambda: store.write(foreign)) == "proposal_not_found"
    assert tooled.state(action) is State.EXECUTING


def test_a_permit_that_was_never_answered_is_for_people(tooled: Story) -> None:
    """Past its time nobody knows what the agent did: unknown, one escalation, no second permit."""
    action = _note(tooled)
    tooled.reopen()
    tooled.desk.work()
    assert tooled.state(action) is State.EXECUTING
    tooled.later(31 * MINUTE)
    tooled.desk.work()
    assert tooled.state(action) is State.UNKNOWN
    for _ in range(3):
        tooled.later(HOUR)
        tooled.desk.work()
    assert tooled.open_escalations() == [action.id]
    assert action.permit is not None
    late = receipt_unit(
        tooled.desk.ctx,
        "main",
        action.id,
        task=_task_of(tooled, action),
        permit=action.permit,
        effect=DONE,
    )
    assert code_of(lambda: tooled.desk.ctx.store.write(late)) == "permit_invalid"


def test_an_approved_tool_waits_for_its_agent(tooled: Story) -> None:
    """Approved, it is the agent that claims it; no sweep takes the permit away from it."""
    action = tooled.desk.propose(
        tooled.task(), "crm.merge", {"into": "C-1003", "amount": "5.00 USD"}
    )
    store, ctx = tooled.desk.ctx.store, tooled.desk.ctx
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
    store.write(review_unit(ctx, "main", action.id, opinion))
    tooled.desk.work()
    assert tooled.state(action) is State.READY
    seen = reread(ctx, "main", action.id)
    claimed, job = store.write(claim_unit(ctx, "main", action.id, seen))
    assert claimed.state is State.EXECUTING
    assert job is not None
    assert job.permit is not None
    again, none = store.write(claim_unit(ctx, "main", action.id, seen))
    assert (again.state, none) == (State.EXECUTING, None)


def test_an_approved_tool_that_nobody_claims_expires(tooled: Story) -> None:
    """Half an hour after the approval, the right to run is over."""
    action = tooled.desk.propose(
        tooled.task(), "crm.merge", {"into": "C-1003", "amount": "5.00 USD"}
    )
    store, ctx = tooled.desk.ctx.store, tooled.desk.ctx
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
    store.write(review_unit(ctx, "main", action.id, opinion))
    tooled.later(31 * MINUTE)
    tooled.desk.work()
    assert tooled.state(action) is State.EXPIRED
