"""The emergency stop: who may pull it, what it stops at once, and who may let go again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from handrail.core.entry import Tag
from handrail.core.halt import HaltScope
from handrail.core.lifecycle import State
from handrail.core.principal import Principal
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.engine.governing.halt import Stop, clear_halts, lift_unit, pull_unit
from handrail.engine.waiting.dispatch import claim_unit
from handrail.engine.waiting.reread import reread
from handrail.engine.waiting.sweep import run_ready
from handrail.surfaces.embedded import Action
from tests.engine.stories import HOUR, LARGE, MIDDLE, MINUTE, Story, code_of, pack

REFUND: Final = {"order": "O-5003", "amount": "18.50 USD", "reason": "damaged"}
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


def approved_only(story: Story, action: Action) -> None:
    """A person approves, and nobody has claimed it yet."""
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
    story.desk.ctx.store.write(review_unit(story.desk.ctx, "main", action.id, opinion))


def without_roles(story: Story, id: str) -> Principal:
    """A person of the desk who may do nothing on it."""
    return story.desk.person(id, roles=())


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        ("desk", ""),
        ("agent", "bot"),
        ("kind", "refund.issue"),
        ("task", "the task"),
        ("customer", "C-1003"),
    ],
)
def test_nothing_new_runs(story: Story, scope: str, target: str) -> None:
    """I13, N11: each scope refuses what is proposed from then on, and says so to the agent."""
    task = story.task()
    named = task.id if target == "the task" else target
    unit = pull_unit(story.desk.ctx, "main", Stop(scope=HaltScope(scope), target=named), by="ann")
    story.desk.ctx.store.write(unit)
    refused = story.desk.propose(task, "refund.issue", REFUND)
    assert refused.state is State.REFUSED
    assert story.row(refused).reasons == "halted"
    assert "do not retry" in refused.says.lower()
    assert "colleague" in refused.says
    assert story.refunded() == 0
    story.check()


def test_what_it_does_not_name_goes_on(story: Story) -> None:
    """Another kind, customer and task are not touched by a narrow halt."""
    task = story.task()
    story.desk.halt("kind", "reply.send", by="ann")
    story.desk.halt("task", story.task("T-101").id, by="ann")
    story.desk.halt("customer", "C-1001", by="ann")
    assert story.desk.propose(task, "refund.issue", REFUND).state is State.SUCCEEDED
    story.check()


def test_tokens_in_scope_end(story: Story) -> None:
    """I13: after the halt the task's token no longer counts, and no new task is issued."""
    task = story.task()
    story.desk.halt("agent", "bot", by="ann")
    assert code_of(lambda: story.desk.propose(task, "refund.issue", REFUND)) == "task_expired"
    assert code_of(story.task) == "halted"
    story.check()


def test_many_tokens_end_in_bounded_batches(story: Story) -> None:
    """N11: a desk with many tasks is stopped at once, and its tokens end in batches."""
    tasks = [story.task() for _ in range(450)]
    other = story.desk.task(ticket="T-103", agent="scout")
    story.desk.halt("agent", "bot", by="ann")
    store = story.desk.ctx.store
    ended = [store.read(lambda tx: tx.tasks.get("main", one.id)) for one in tasks]  # noqa: B023
    assert all(one is not None and one.revoked_at is not None for one in ended)
    kept = store.read(lambda tx: tx.tasks.get("main", other.id))
    assert kept is not None
    assert kept.revoked_at is None
    story.check()


def test_a_customers_tasks_end_and_no_others(story: Story) -> None:
    """A halt of a customer ends the tasks that may touch them."""
    theirs, other = story.task("T-103"), story.task("T-101")
    story.desk.halt("customer", "C-1003", by="ann")
    store = story.desk.ctx.store
    now = [
        store.read(lambda tx: tx.tasks.get("main", one.id))  # noqa: B023
        for one in (theirs, other)
    ]
    assert [one is not None and one.revoked_at is not None for one in now] == [True, False]
    assert code_of(lambda: story.task("T-103")) == "halted"


def test_held_sends_are_withdrawn(holding: Story) -> None:
    """I13: what is held back and could still be recalled is recalled, and never goes out."""
    action = holding.desk.propose(holding.task("T-101"), "reply.send", REPLY)
    assert action.state is State.HOLDING
    halt = holding.desk.halt("desk", by="ann").halt
    assert holding.state(action) is State.WITHDRAWN
    holding.later(HOUR)
    holding.desk.work()
    assert holding.world.mailbox() == []
    holding.desk.lift(halt.id, by="bea")
    holding.desk.work()
    assert holding.world.mailbox() == []


def test_a_held_send_is_not_released_before_it_is_withdrawn(holding: Story) -> None:
    """The halt counts at once: a sweep that comes in between releases nothing."""
    action = holding.desk.propose(holding.task("T-101"), "reply.send", REPLY)
    holding.later(3 * MINUTE)
    unit = pull_unit(holding.desk.ctx, "main", Stop(scope=HaltScope.DESK), by="ann")
    holding.desk.ctx.store.write(unit)
    swept = holding.desk.work()
    assert (swept.released, swept.stopped) == (0, 2)  # the send and the task's token
    assert holding.state(action) is State.WITHDRAWN


def test_what_is_asked_cannot_be_approved_but_rejected(story: Story) -> None:
    """While halted nobody approves; saying no, and handing it on, go on."""
    first, second = story.refund(MIDDLE), story.refund(MIDDLE)
    story.desk.halt("kind", "refund.issue", by="ann")
    assert story.refused(first, by="ann") == "halted"
    story.desk.review(first.id, "reject", by="ann", digest=first.digest, reason="no")
    story.desk.review(second.id, "escalate", by="ann", digest=second.digest, reason="odd")
    assert (story.state(first), story.state(second)) == (State.REJECTED, State.ESCALATED)
    story.check()


def test_what_was_allowed_waits_and_goes_on_after_the_lift(story: Story) -> None:
    """I13: approved but not dispatched, it waits while halted, and runs once it is lifted."""
    action = story.refund(MIDDLE)
    approved_only(story, action)
    halt = story.desk.halt("desk", by="ann").halt
    for _ in range(3):
        assert run_ready(story.desk.ctx, "main", action.id).state is State.READY
    assert story.tags(action).count(Tag.ACTION_WAITED.value) == 1
    assert "work is stopped" in story.desk.get(action.id).says
    assert story.refunded() == 0
    story.desk.lift(halt.id, by="bea")
    story.desk.work()
    assert story.state(action) is State.SUCCEEDED
    story.check()


def test_what_waits_too_long_expires(story: Story) -> None:
    """The clock of an approval does not stop for a halt: later it has to be decided again."""
    action = story.refund(MIDDLE)
    approved_only(story, action)
    halt = story.desk.halt("desk", by="ann").halt
    story.later(HOUR)
    story.desk.work()
    assert story.state(action) is State.EXPIRED
    story.desk.lift(halt.id, by="bea")
    story.desk.work()
    assert story.refunded() == 0
    story.check()


def test_two_checkers_are_stopped_too(story: Story) -> None:
    """The first of several approvals does not count either while halted."""
    action = story.refund(LARGE, "O-5001")
    story.desk.halt("agent", "bot", by="ann")
    assert story.refused(action, by="carl") == "halted"


def test_escalating_goes_on(story: Story) -> None:
    """The way out stays open, for a task that was ended by the halt too."""
    task = story.task()
    story.desk.halt("desk", by="ann")
    assert story.desk.escalate(task, "what now").id
    assert story.open_escalations() == [None]
    story.check()


@pytest.mark.parametrize(
    ("by", "scope", "target", "code"),
    [
        ("ann", "desk", "", None),
        ("dora", "desk", "", None),
        ("olaf", "kind", "reply.send", None),
        ("operator", "agent", "bot", None),
        ("bot", "agent", "bot", None),
        ("bot", "task", "own", None),
        ("bot", "desk", "", "not_entitled"),
        ("bot", "agent", "scout", "not_entitled"),
        ("bot", "task", "other", "not_entitled"),
        ("bot", "kind", "reply.send", "not_entitled"),
        ("nina", "desk", "", "not_entitled"),
        ("nobody", "desk", "", "not_entitled"),
    ],
)
def test_who_may_pull(story: Story, by: str, scope: str, target: str, code: str | None) -> None:
    """Anybody with a role, without a reason; an agent only itself and its own tasks."""
    story.desk.person("dora", roles=("auditor",))
    story.desk.person("olaf", roles=("policy_owner",))
    without_roles(story, "nina")
    story.desk.agent("scout")
    tasks = {"own": story.task().id, "other": story.desk.task(ticket="T-103", agent="scout").id}
    named = tasks.get(target, target)
    if code is None:
        assert story.desk.halt(scope, named, by=by).fresh
    else:
        assert code_of(lambda: story.desk.halt(scope, named, by=by)) == code
        assert story.desk.halts() == []
    story.check()


def test_lifting_takes_another_person(story: Story) -> None:
    """Who pulled it, on whichever account, may not lift it; nor may a person without the role."""
    story.desk.person("ann2", identity="ann", roles=("admin",))
    story.desk.person("dora", roles=("auditor",))
    halt = story.desk.halt("desk", by="ann", reason="something is odd").halt
    assert code_of(lambda: story.desk.lift(halt.id, by="ann")) == "lifter_is_puller"
    assert code_of(lambda: story.desk.lift(halt.id, by="ann2")) == "lifter_is_puller"
    assert code_of(lambda: story.desk.lift(halt.id, by="dora")) == "not_entitled"
    assert code_of(lambda: story.desk.lift(halt.id, by="bot")) == "not_entitled"
    assert code_of(lambda: story.desk.lift(halt.id, by="operator")) == "not_entitled"
    assert story.desk.lift(halt.id, by="bea").lifted_by == "bea"
    assert code_of(lambda: story.desk.lift(halt.id, by="bea")) == "halt_lifted"
    assert code_of(lambda: story.desk.lift("ha_none", by="bea")) == "halt_not_found"
    assert story.desk.halts() == []
    assert story.refund().state is State.SUCCEEDED
    story.check()


def test_an_agent_that_stopped_itself_is_not_let_go_by_its_owner(story: Story) -> None:
    """Its owner and its operator answer for it: somebody else looks first."""
    halt = story.desk.halt("agent", "bot", by="bot").halt
    assert code_of(lambda: story.desk.lift(halt.id, by="boss")) == "lifter_is_puller"
    assert code_of(lambda: story.desk.lift(halt.id, by="otto")) == "lifter_is_puller"
    assert story.desk.lift(halt.id, by="ann").lifted_by == "ann"
    store, ctx = story.desk.ctx.store, story.desk.ctx
    by_gateway = store.write(
        pull_unit(ctx, "main", Stop(scope=HaltScope.AGENT, target="bot"), by="gateway")
    )
    again = by_gateway.halt.id
    assert code_of(lambda: story.desk.lift(again, by="boss")) == "lifter_is_puller"
    assert store.write(lift_unit("main", again, by="ann", reason="looked at it")).lifted_at
    story.check()


def test_a_second_pull_is_the_same_halt(story: Story) -> None:
    """Two people at once stop it once; after a lift it can be pulled again."""
    first = story.desk.halt("desk", by="ann")
    second = story.desk.halt("desk", by="bea")
    assert (second.fresh, second.halt.id) == (False, first.halt.id)
    story.desk.lift(first.halt.id, by="bea")
    assert story.desk.halt("desk", by="bea").fresh
    assert story.counters()["halts"] == 1
    story.check()


def test_a_tripped_cap_stops_the_agent(tmp_path: Path) -> None:
    """A cap with `halts_agent` that is met full: the agent stops, and its owner is not asked."""
    cap = "caps:\n  one: {scope: agent, count: 1, window: 1h, kinds: [refund.issue], halts_agent: "
    with Story(tmp_path / "desk", policy=pack(("caps:\n", f'{cap}"yes"}}\n'))) as story:
        story.refund("1.00 USD")
        task = story.task()
        assert story.desk.propose(task, "refund.issue", REFUND).state is State.REFUSED
        (halt,) = story.desk.halts()
        assert (halt.scope, halt.target, halt.pulled_by) == (HaltScope.AGENT, "bot", "gateway")
        read = story.desk.propose(task, "ticket.read", ticket="T-103")
        assert story.row(read).reasons == "halted"
        assert code_of(lambda: story.desk.lift(halt.id, by="boss")) == "lifter_is_puller"
        story.check()


@pytest.mark.parametrize(
    ("scope", "target", "code"),
    [
        ("desk", "main", "field_malformed"),
        ("agent", "", "field_malformed"),
        ("everything", "", "field_malformed"),
        ("agent", "nobody", "principal_not_found"),
        ("agent", "ann", "principal_not_found"),
        ("kind", "moon.buy", "field_malformed"),
        ("task", "tk_none", "task_not_found"),
    ],
)
def test_what_is_not_there_cannot_be_stopped(
    story: Story, scope: str, target: str, code: str
) -> None:
    """A typo must not look like a stop."""
    assert code_of(lambda: story.desk.halt(scope, target, by="ann")) == code


def test_a_customer_that_nobody_has_met_is_stopped_and_named(story: Story) -> None:
    """It counts, in advance; and the answer says so, for it may be a slip of the pen."""
    assert not story.desk.halt("customer", "C-103", by="ann").met
    story.task()
    assert story.desk.halt("customer", "C-1003", by="ann").met


def test_what_had_left_is_listed(story: Story) -> None:
    """N11: what cannot be stopped any more is named in the answer."""
    action = story.refund(MIDDLE)
    approved_only(story, action)
    ctx = story.desk.ctx
    _, job = ctx.store.write(claim_unit(ctx, "main", action.id, reread(ctx, "main", action.id)))
    assert job is not None
    pulled = story.desk.halt("agent", "bot", by="ann")
    assert [one.id for one in pulled.in_flight] == [action.id]
    assert story.desk.halt("kind", "reply.send", by="ann").in_flight == ()


def test_the_reason_is_not_in_the_log(story: Story) -> None:
    """Free text about people lies sealed; the log has ids, scopes and references only."""
    story.desk.halt("customer", "C-1003", by="ann", reason="Mrs. Raman is being defrauded")
    leaves = story.desk.ctx.store.read(
        lambda tx: [one.leaf for one in tx.log.latest("main", before=10_000, most=50)]
    )
    assert not any(b"Raman" in leaf or b"C-1003" in leaf for leaf in leaves)
    assert any(b"halt.pulled" in leaf for leaf in leaves)


def test_a_halt_survives_a_restart(story: Story) -> None:
    """It is in the database, not in a process."""
    task = story.task()
    story.desk.halt("kind", "refund.issue", by="ann")
    story.reopen()
    assert story.desk.propose(task, "refund.issue", REFUND).state is State.REFUSED
    assert clear_halts(story.desk.ctx) == 0
    story.check()
