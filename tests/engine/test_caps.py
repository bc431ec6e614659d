"""Hard ceilings: refused or waiting when full, never passed, whoever approves and however fast."""

from __future__ import annotations

import threading
from typing import Final

import pytest

from handrail.connectors.sandbox import Fault
from handrail.core.lifecycle import State
from handrail.core.policy import Policy
from handrail.engine.governing.desks import open_desk
from handrail.surfaces.embedded import Action, Desk
from tests.engine.stories import DAY, HOUR, MIDDLE, MINUTE, SMALL, Story, pack_of_caps

PER_CUSTOMER: Final = (
    "usd-per-customer: {scope: customer, money: 10000.00 USD, window: 30d, kinds: *paying}"
)
PER_DAY: Final = "{scope: desk, money: 20000.00 USD, window: 24h"


def _customer_cap(amount: str, window: str = "30d") -> Policy:
    return pack_of_caps(
        (PER_CUSTOMER, PER_CUSTOMER.replace("10000.00 USD", amount).replace("30d", window))
    )


def _desk_cap(amount: str) -> Policy:
    return pack_of_caps((PER_DAY, PER_DAY.replace("20000.00 USD", amount)))


def test_a_full_cap_refuses(story: Story) -> None:
    """The one that would pass the ceiling is refused, a smaller one that fits still runs."""
    story.reopen(_customer_cap("100.00 USD"))
    assert [story.refund("40.00 USD").state for _ in range(3)] == [
        State.SUCCEEDED,
        State.SUCCEEDED,
        State.REFUSED,
    ]
    refused = story.refund("20.01 USD")
    assert (refused.state, story.row(refused).reasons.split(",")[0]) == (State.REFUSED, "cap_full")
    assert story.refund("20.00 USD").state is State.SUCCEEDED
    assert story.refunded() == 10_000


def test_approving_does_not_lift_a_cap(story: Story) -> None:
    """Approved or not, the ceiling stands: it ends at the dispatch."""
    story.reopen(_customer_cap("150.00 USD"))
    first, second = story.refund(MIDDLE), story.refund("60.00 USD")
    assert story.approve(first).state is State.SUCCEEDED
    again = story.approve(second)
    assert again.state is State.PENDING, "less can be refunded than was shown"
    assert story.approve(again).state is State.EXPIRED
    assert story.refunded() == 12_000


def test_another_customer_has_another_cap(story: Story) -> None:
    """What one customer took is not taken from another."""
    story.reopen(_customer_cap("40.00 USD"))
    assert story.refund("40.00 USD").state is State.SUCCEEDED
    assert story.refund("1.00 USD").state is State.REFUSED
    assert story.refund("40.00 USD", "O-5001").state is State.SUCCEEDED


def test_a_full_desk_cap_waits_and_then_runs(story: Story) -> None:
    """It runs by itself once the window has moved on, not a moment before."""
    story.reopen(_desk_cap("40.00 USD"))
    assert story.refund("40.00 USD").state is State.SUCCEEDED
    # The right to run lasts half an hour, so the window must have moved on by then.
    story.later(DAY - 20 * MINUTE)
    waits = story.refund("5.00 USD")
    assert waits.state is State.READY
    for _ in range(3):
        story.later(5 * MINUTE)
        story.desk.work()
        assert story.state(waits) is State.READY
    assert story.tags(waits).count("action.waited") <= 1
    story.later(5 * MINUTE)
    story.desk.work()
    assert story.state(waits) is State.SUCCEEDED
    assert story.refunded() == 4_500


def test_waiting_for_a_cap_ends(story: Story) -> None:
    """Half an hour after it might have run, the right to run is over."""
    story.reopen(_desk_cap("40.00 USD"))
    story.refund("40.00 USD")
    waits = story.refund("5.00 USD")
    story.later(31 * MINUTE)
    story.desk.work()
    assert story.state(waits) is State.EXPIRED
    assert story.refunded() == 4_000


def test_the_window_counts_from_the_settlement(story: Story) -> None:
    """A rolling window never holds more than the limit, wherever one looks."""
    story.reopen(_customer_cap("40.00 USD", "1h"))
    moments: list[int] = []
    for _ in range(40):
        if story.refund("20.00 USD").state is State.SUCCEEDED:
            moments.append(story.clock.now)
        story.later(7 * MINUTE)
    assert len(moments) >= 4
    for moment in moments:
        window = [other for other in moments if moment <= other < moment + HOUR]
        assert len(window) <= 2


def test_what_is_unknown_stays_counted(story: Story) -> None:
    """A lost refund keeps its place for as long as nobody knows; proven undone, it gives way."""
    story.reopen(_customer_cap("40.00 USD"))
    story.fail(Fault.BEFORE_EFFECT)
    lost = story.refund("30.00 USD")
    assert lost.state is State.UNKNOWN
    story.fail(None)
    assert story.refund("20.00 USD").state is State.REFUSED
    story.later(HOUR)
    story.desk.work()
    assert story.state(lost) is State.FAILED
    assert story.refund("40.00 USD").state is State.SUCCEEDED
    assert story.refunded() == 4_000


def test_what_certainly_failed_gives_its_place_back(story: Story) -> None:
    """More than the payment holds is held for a person, and refused by the world itself."""
    story.reopen(_customer_cap("200.00 USD"))
    action = story.refund("190.00 USD")
    assert action.state is State.PENDING
    assert story.approve(action).state is State.FAILED
    assert story.approve(story.refund("189.00 USD")).state is State.SUCCEEDED


def test_an_undo_gives_nothing_back(story: Story) -> None:
    """Taking a refund back does not make room for another one."""
    story.reopen(_customer_cap("40.00 USD"))
    story.desk.undo(story.refund("40.00 USD").id)
    assert story.refunded() == 0
    assert story.refund("1.00 USD").state is State.REFUSED


def test_a_count_holds_replies_back(story: Story) -> None:
    """Thirty replies a minute per agent; the next one waits its turn."""
    story.reopen(
        pack_of_caps(
            (
                "{scope: agent, count: 30, window: 1m, kinds: [reply.send]",
                "{scope: agent, count: 2, window: 1m, kinds: [reply.send]",
            )
        )
    )
    states = []
    actions: list[Action] = []
    for n in range(4):
        body = {"ticket": "T-101", "body": f"Dear Dana, number {n}"}
        actions.append(story.desk.propose(story.task("T-101"), "reply.send", body))
        states.append(story.approve(actions[-1]).state)
    assert states == [State.SUCCEEDED, State.SUCCEEDED, State.READY, State.READY]
    assert len(story.world.mailbox()) == 2
    story.later(MINUTE)
    story.desk.work()
    assert len(story.world.mailbox()) == 4


@pytest.mark.parametrize("wait", [False, True], ids=["refusing", "waiting"])
def test_a_race_for_the_last_room(story: Story, wait: bool) -> None:
    """Many threads at once get exactly as much as fits, and not one refund more."""
    story.reopen(_desk_cap("50.00 USD") if wait else _customer_cap("50.00 USD"))
    tasks = [story.task() for _ in range(8)]
    together = threading.Barrier(8)
    states: list[State] = []

    def work(name: int) -> None:
        together.wait()
        for _ in range(3):
            fields = {"order": "O-5003", "amount": "4.00 USD", "reason": "late"}
            states.append(story.desk.propose(tasks[name], "refund.issue", fields).state)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    full = State.READY if wait else State.REFUSED
    assert sorted(state.value for state in states) == sorted(
        [State.SUCCEEDED.value] * 12 + [full.value] * 12
    )
    story.desk.work()
    assert story.refunded() == 4_800


def test_a_tripped_cap_asks_a_person_once(story: Story) -> None:
    """G4: the first one that meets it is handed to a person; the others are only refused."""
    story.reopen(_customer_cap("40.00 USD"))
    story.refund("40.00 USD")
    first, second = story.refund("1.00 USD"), story.refund("2.00 USD")
    assert (first.state, second.state) == (State.REFUSED, State.REFUSED)
    assert story.tags(first) == ["action.proposed", "cap.tripped", "escalation.opened"]
    assert story.tags(second) == ["action.proposed"]
    assert story.open_escalations() == [first.id]
    # Another customer's cap is another one.
    story.refund("40.00 USD", "O-5001")
    third = story.refund("1.00 USD", "O-5001")
    assert set(story.open_escalations()) == {first.id, third.id}
    story.check()


def test_a_cap_that_is_met_at_the_dispatch_trips_as_well(story: Story) -> None:
    """G4: what was approved and no longer fits tells a person, too."""
    story.reopen(_customer_cap("150.00 USD"))
    first, second = story.refund(MIDDLE), story.refund("60.00 USD")
    story.approve(first)
    story.approve(story.approve(second))
    assert "cap.tripped" in story.tags(second)
    assert story.open_escalations() == [second.id]
    story.check()


def _with_cap(cap: str) -> Policy:
    return pack_of_caps(("caps:\n", f"caps:\n  more: {cap}\n"))


def test_an_owners_agents_share_a_cap(story: Story) -> None:
    """C3: a second agent of the same owner is no second ceiling; another owner's is."""
    story.reopen(_with_cap("{scope: owner, money: 40.00 USD, window: 1h, kinds: [refund.issue]}"))
    story.desk.agent("bot-2", owner="boss")
    story.desk.agent("bot-3", owner="carl")
    fields = {"order": "O-5003", "amount": "30.00 USD", "reason": "damaged"}
    states = []
    for agent in ("bot", "bot-2", "bot-3"):
        task = story.desk.task(ticket="T-103", agent=agent)
        states.append(story.desk.propose(task, "refund.issue", fields).state)
    assert states == [State.SUCCEEDED, State.REFUSED, State.SUCCEEDED]


def test_a_task_has_a_ceiling_of_its_own(story: Story) -> None:
    """C2: per task as well; another task starts anew, under the caps that are wider."""
    story.reopen(_with_cap("{scope: task, count: 2, window: 1h, kinds: [refund.issue]}"))
    task, other = story.task(), story.task()
    states = []
    for place, one in enumerate((task, task, task, other)):
        fields = {"order": "O-5003", "amount": f"{place + 1}.00 USD", "reason": "damaged"}
        states.append(story.desk.propose(one, "refund.issue", fields).state)
    assert states == [State.SUCCEEDED, State.SUCCEEDED, State.REFUSED, State.SUCCEEDED]


def test_an_agent_touches_only_so_many_customers(story: Story) -> None:
    """C3: different customers of one agent within the hour; those met already may come again."""
    story.reopen(
        _with_cap("{scope: agent, accounts: 2, window: 1h, kinds: [ticket.read, refund.issue]}")
    )
    states = [
        story.refund("1.00 USD", order).state
        for order in ("O-5003", "O-5001", "O-5003", "O-5005", "O-5001")
    ]
    assert [state is State.SUCCEEDED for state in states] == [True, True, True, False, True]
    story.later(HOUR)
    assert story.refund("1.00 USD", "O-5005").state is State.SUCCEEDED


def test_two_desks_share_the_ceiling_of_one_account(story: Story) -> None:
    """G8: a cap on the connector's account counts what every desk of the store pays out."""
    policy = _with_cap("{scope: account, money: 50.00 USD, window: 1h, kinds: [refund.issue]}")
    story.reopen(policy)
    assert story.refund("40.00 USD").state is State.SUCCEEDED
    ctx = story.desk.ctx
    open_desk(ctx, "second", policy, actor="ops")
    other = Desk(ctx, "second", on_close=lambda: None)
    other.agent("bot", owner="boss")
    task = other.task(ticket="T-101", agent="bot")
    fields = {"order": "O-5001", "amount": "10.01 USD", "reason": "damaged"}
    assert other.propose(task, "refund.issue", fields).state is State.REFUSED
    assert other.propose(task, "refund.issue", {**fields, "amount": "10.00 USD"}).state is (
        State.SUCCEEDED
    )
    assert story.refund("0.01 USD").state is State.REFUSED


def test_a_lower_cap_stops_what_is_to_come(story: Story) -> None:
    """Lowered below what is taken, nothing more goes, and nothing turns negative."""
    story.refund("40.00 USD")
    story.reopen(_customer_cap("30.00 USD"))
    assert story.refund("1.00 USD").state is State.REFUSED
    story.reopen(_customer_cap("45.00 USD"))
    assert story.refund("5.00 USD").state is State.SUCCEEDED


def test_a_cap_that_counts_otherwise_now_settles_what_is_open(story: Story) -> None:
    """The same cap counts per agent instead of per customer while a refund is lost."""
    story.fail(Fault.BEFORE_EFFECT)
    lost = story.refund(SMALL)
    changed = PER_CUSTOMER.replace("scope: customer", "scope: agent")
    story.reopen(pack_of_caps((PER_CUSTOMER, changed)))
    story.fail(Fault.BEFORE_EFFECT)
    for _ in range(3):
        story.later(MINUTE)
        story.desk.work()
    story.later(HOUR)
    story.desk.work()
    assert story.state(lost) is State.FAILED
    uses = story.desk.ctx.store.read(
        lambda tx: tx.caps.uses("main", story.desk.ctx.rulebook("main").policy.caps, tx.now)
    )
    assert {use.used for use in uses} <= {0}
