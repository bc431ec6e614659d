"""No answer is not a no: what is unknown is looked up, runs at most once, or is for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest

from handrail.connectors.protocol import Found, Looked, NotDone, Promise, Receipt
from handrail.connectors.sandbox import Fault
from handrail.core.lifecycle import State
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import plan
from handrail.engine.running.execute import Effect, Ending, perform, settle_unit
from handrail.engine.waiting import sweep
from handrail.store.sqlite import SqliteStore
from handrail.surfaces.embedded import Action
from tests.connectors.sandbox_road import EVERY_KIND
from tests.engine.connectors import Execute, Front, effects_in
from tests.engine.stories import HOUR, MIDDLE, MINUTE, SECOND, SMALL, Story, pack

TICKETS: Final = {
    "reply.draft": "T-105",
    "reply.send": "T-105",
    "refund.issue": "T-101",
    "credit.grant": "T-106",
    "account.update": "T-107",
    "account.cancel": "T-114",
    "payout.change": "T-113",
    "login.change": "T-112",
}


def _run(story: Story, kind: str) -> Action:
    """Propose one write of a kind, and let people approve it if it waits."""
    action = story.desk.propose(story.task(TICKETS[kind]), kind, dict(EVERY_KIND[kind]))
    if action.state is State.PENDING:
        action = story.approve(action, by="carl")
    return action


@pytest.mark.parametrize("kind", TICKETS)
def test_done_but_unheard_is_found(story: Story, kind: str) -> None:
    """H1, H4: the write happened and its answer was lost: it is found, with one effect."""
    story.fail(Fault.AFTER_EFFECT)
    action = _run(story, kind)
    assert action.state is State.UNKNOWN
    assert story.desk.work().total == 0
    story.later(10 * SECOND)
    assert story.desk.work().found == 1
    assert story.state(action) is State.SUCCEEDED
    assert story.tags(action)[-2:] == ["execution.lost", "execution.found"]
    assert effects_in(story.world) == 1
    assert story.desk.get(action.id).result


@pytest.mark.parametrize("kind", TICKETS)
def test_not_done_runs_again_with_the_same_key(story: Story, kind: str) -> None:
    """Nothing had happened: it runs again, under the same key, until it is done, once."""
    story.fail(Fault.BEFORE_EFFECT)
    action = _run(story, kind)
    for _ in range(2):
        assert story.state(action) is State.UNKNOWN
        story.later(10 * SECOND)
        assert story.desk.work().absent == 1
    assert effects_in(story.world) == 0
    story.fail(None)
    story.later(20 * SECOND)
    story.desk.work()
    assert story.state(action) is State.SUCCEEDED
    assert story.row(action).attempt == 4
    assert effects_in(story.world) == 1


@pytest.mark.parametrize("kind", TICKETS)
def test_not_done_is_given_up_when_its_time_is_over(story: Story, kind: str) -> None:
    """Half an hour later it no longer runs: failed, with no effect, and nothing is left taken."""
    story.fail(Fault.BEFORE_EFFECT)
    action = _run(story, kind)
    story.later(31 * MINUTE)
    story.fail(None)
    story.desk.work()
    assert story.state(action) is State.FAILED
    assert story.tags(action)[-1] == "execution.abandoned"
    assert effects_in(story.world) == 0
    assert _taken(story) == 0


def _taken(story: Story) -> int:
    """What is taken of all caps together."""
    rules = story.desk.ctx.rulebook("main").policy.caps
    uses = story.desk.ctx.store.read(lambda tx: tx.caps.uses("main", rules, tx.now))
    return sum(use.used for use in uses)


def _lost(execute: Execute) -> Receipt:
    """Do it, and lose the answer."""
    execute()
    raise TimeoutError("no answer")


def _never(execute: Execute) -> Receipt:
    """Do nothing, and look the same."""
    raise TimeoutError("no answer")


@pytest.mark.parametrize("doing", [_lost, _never], ids=["done", "not done"])
def test_blind_stays_unknown_and_asks_once(
    fronted: Story, front: Front, doing: Callable[[Execute], Receipt]
) -> None:
    """H8: nobody can be asked: it is never sent again, keeps its place, and a person is told."""
    front.promise = Promise.BLIND
    front.doing = doing
    action = fronted.refund(SMALL)
    for _ in range(5):
        fronted.later(HOUR)
        fronted.desk.work()
    fronted.reopen()
    for _ in range(3):
        fronted.later(HOUR)
        fronted.desk.work()
    assert fronted.state(action) is State.UNKNOWN
    assert fronted.open_escalations() == [action.id]
    assert len(front.calls) == 1
    # Under the caps of the day, of the month and of the year, and as one customer of the hour.
    assert _taken(fronted) == 3 * 1850 + 1


def test_a_lookup_that_fails_tells_nothing(fronted: Story, front: Front) -> None:
    """While the world cannot be asked it stays unknown; once it answers, it is found."""

    def away(look: Callable[[], Found]) -> Found:
        raise ConnectionError

    front.doing, front.looking = _lost, away
    action = fronted.refund(SMALL)
    for _ in range(3):
        fronted.later(MINUTE)
        fronted.desk.work()
    assert fronted.state(action) is State.UNKNOWN
    assert fronted.open_escalations() == [action.id]
    front.looking = lambda look: look()
    fronted.later(MINUTE)
    fronted.desk.work()
    assert fronted.state(action) is State.SUCCEEDED
    assert front.calls == [action.id]


def test_not_done_is_believed_only_after_it_has_settled(fronted: Story, front: Front) -> None:
    """A lookup that comes too early may miss what is still on its way."""
    slow = 10 * MINUTE
    kinds = {
        kind: msgspec.structs.replace(found, settled_after_ms=slow, promise=Promise.LOOKUP)
        for kind, found in front.desk.kinds().items()
    }
    front.kinds = lambda: kinds  # type: ignore[method-assign]
    front.doing = _never
    action = fronted.refund(SMALL)
    fronted.later(slow - 1)
    fronted.desk.work()
    assert fronted.state(action) is State.UNKNOWN
    fronted.later(1)
    front.doing = lambda execute: execute()
    assert fronted.desk.work().absent == 1
    assert fronted.state(action) is State.SUCCEEDED
    assert front.calls == [action.id] * 2


def test_a_definite_no_is_a_failure(fronted: Story, front: Front) -> None:
    """The world says no: failed at once, the reason is kept, the caps are given back."""

    def no(execute: Execute) -> Receipt:
        raise NotDone("the card was closed")

    front.doing = no
    action = fronted.refund(SMALL)
    assert action.state is State.FAILED
    assert action.result == {"error": "the card was closed"}
    assert _taken(fronted) == 0
    fronted.later(HOUR)
    fronted.desk.work()
    assert front.calls == [action.id]


def test_a_read_that_got_no_answer_failed(fronted: Story, front: Front) -> None:
    """A read has no effect that could be unknown."""
    front.doing = _never
    action = fronted.desk.propose(fronted.task(), "ticket.read", ticket="T-103")
    assert action.state is State.FAILED


def test_a_late_answer_moves_nothing(fronted: Story, front: Front) -> None:
    """H6: an attempt past its deadline was given up; what it says later is only written down."""
    ctx = fronted.desk.ctx
    fields = {"order": "O-5003", "amount": SMALL, "reason": "late"}
    draft = Draft(maker="bot", kind="refund.issue", params=fields)
    decided = ctx.store.write(plan(ctx, fronted.task(), draft))
    job = decided.job
    assert job is not None
    effect = perform(ctx, job)
    assert effect.ending is Ending.DONE
    fronted.later(31 * SECOND)
    assert fronted.desk.work().lost == 1
    late = ctx.store.write(settle_unit(ctx, job, effect))
    assert late.state is State.UNKNOWN
    row = fronted.desk.get(job.proposal.id)
    assert fronted.tags(row)[-1] == "execution.returned"
    fronted.later(10 * SECOND)
    fronted.desk.work()
    assert ctx.store.write(settle_unit(ctx, job, Effect(ending=Ending.NOT_DONE))).state is (
        State.SUCCEEDED
    )
    assert front.desk.balance("P-5003").refunded_minor == 1850


def _nested(depth: int) -> object:
    return [_nested(depth - 1)] if depth else []


ODD: Final[dict[str, dict[str, Any]]] = {
    "a fraction": {"fee": 0.3},
    "a very long text": {"text": "x" * (2 << 20)},
    "half a surrogate": {"text": "\ud800"},
    "a huge number": {"n": 1 << 70},
    "too deep": {"a": _nested(100)},
    "something that is no record": {"thing": object()},
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_answer_is_still_done(fronted: Story, front: Front, what: str) -> None:
    """The world did it, and answers with something that cannot be kept: it was done, once."""

    def odd(execute: Execute) -> Receipt:
        return msgspec.structs.replace(execute(), result=ODD[what])

    front.doing = odd
    action = fronted.refund(SMALL)
    assert action.state in (State.SUCCEEDED, State.UNKNOWN)
    for _ in range(2):
        fronted.later(MINUTE)
        fronted.desk.work()
    assert fronted.state(action) is State.SUCCEEDED
    assert front.calls == [action.id]


REFERENCES: Final = {"very long": "R" * 20_000, "odd": "R-\ud800", "not a text": 17}


@pytest.mark.parametrize("what", REFERENCES)
def test_an_odd_reference_stops_nothing_else(fronted: Story, front: Front, what: str) -> None:
    """Whatever becomes of this action, other work goes on and nothing runs twice."""

    def odd(execute: Execute) -> Receipt:
        return msgspec.structs.replace(execute(), provider_ref=REFERENCES[what])

    front.doing = odd
    action = fronted.refund(SMALL)
    assert action.state in (State.SUCCEEDED, State.EXECUTING, State.UNKNOWN)
    front.doing = _never
    other = fronted.refund("3.00 USD")
    front.doing = lambda execute: execute()
    for _ in range(3):
        fronted.later(MINUTE)
        fronted.desk.work()
    assert fronted.state(other) is State.SUCCEEDED
    assert front.calls.count(action.id) == 1


def test_one_effect_does_not_settle_two_actions(fronted: Story, front: Front) -> None:
    """The world answers with a reference that belongs to another action: that is no success."""
    first = fronted.refund(SMALL)
    reference = fronted.row(first).provider_ref

    def mistaken(execute: Execute) -> Receipt:
        return Receipt(provider_ref=reference)

    front.doing = mistaken
    front.looking = lambda look: Found(looked=Looked.DONE, receipt=Receipt(provider_ref=reference))
    second = fronted.refund("3.00 USD")
    third = fronted.refund(MIDDLE)
    for _ in range(3):
        fronted.later(MINUTE)
        fronted.desk.work()
    assert fronted.state(second) is not State.SUCCEEDED
    assert fronted.state(first) is State.SUCCEEDED
    assert fronted.state(third) is State.PENDING


def test_a_store_that_fails_after_the_call_does_not_say_that_nothing_was_done(
    fronted: Story, front: Front
) -> None:
    """The refund is done and the disk is full: the agent hears that it runs, not that it failed."""
    store = fronted.desk.ctx.store
    assert isinstance(store, SqliteStore)

    def fill(execute: Execute) -> Receipt:
        receipt = execute()
        store.connection.pragma("max_page_count", 1)
        return msgspec.structs.replace(receipt, result={"text": "x" * 100_000})

    front.doing = fill
    action = fronted.refund(SMALL)
    # unknown when that much could still be written
    assert action.state in (State.EXECUTING, State.UNKNOWN)
    store.connection.pragma("max_page_count", 1_000_000)
    fronted.later(MINUTE)
    fronted.desk.work()
    fronted.later(MINUTE)
    fronted.desk.work()
    assert fronted.state(action) is State.SUCCEEDED
    assert front.calls == [action.id]


def test_what_nobody_can_tell_does_not_hold_up_the_rest(
    fronted: Story, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More actions stay unknown for good than one sweep looks at; later ones are found still."""
    monkeypatch.setattr(sweep, "BATCH_MAX", 3)
    front.promise, front.doing = Promise.BLIND, _lost
    for _ in range(4):
        fronted.refund("2.00 USD")
    front.promise = Promise.KEYED
    hopeless = list(front.calls)
    for _ in range(4):
        fronted.refund("3.00 USD")
    lookup = front.lookup

    def choosy(kind: str, key: str) -> Found:
        return Found(looked=Looked.CANNOT_TELL) if key in hopeless else lookup(kind, key)

    front.lookup = choosy  # type: ignore[method-assign]
    for _ in range(15):
        fronted.later(MINUTE)
        fronted.desk.work()
    rows = fronted.desk.ctx.store.read(lambda tx: tx.proposals.latest("main", most=20))
    states = {row.state for row in rows if row.value_minor == 300}
    assert states == {State.SUCCEEDED}
    assert {row.state for row in rows if row.value_minor == 200} == {State.UNKNOWN}


def test_what_waits_for_room_does_not_hold_up_the_rest(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More actions wait for a full cap than one sweep takes up; what needs no room runs still."""
    monkeypatch.setattr(sweep, "BATCH_MAX", 3)
    story.reopen(pack(("money: 20000.00 USD, window: 24h", "money: 5.00 USD, window: 24h")))
    for _ in range(5):
        story.refund("4.00 USD")
    story.fail(Fault.BEFORE_EFFECT)
    lost = story.desk.propose(
        story.task("T-101"), "reply.draft", {"ticket": "T-101", "body": "Dear Dana"}
    )
    story.fail(None)
    for _ in range(6):
        story.later(10 * SECOND)
        story.desk.work()
    assert story.state(lost) is State.SUCCEEDED


def test_a_worker_that_wakes_up_late_sends_nothing(fronted: Story, front: Front) -> None:
    """H6: its attempt was lost, looked up and found undone meanwhile: what it holds is void."""
    ctx = fronted.desk.ctx
    task = fronted.task("T-103")
    fields = {"order": "O-5003", "amount": SMALL, "reason": "late"}
    draft = Draft(maker=task.agent, kind="refund.issue", params=fields)
    decided = ctx.store.write(plan(ctx, task, draft))
    assert decided.job is not None
    fronted.later(HOUR)
    for _ in range(2):
        fronted.desk.work()
        fronted.later(MINUTE)
    assert perform(ctx, decided.job).ending is Ending.UNKNOWN
    assert front.calls == []
    assert front.desk.balance("P-5003").refunded_minor == 0
