"""What a customer is given adds up: splitting it over anything does not help."""

from __future__ import annotations

from typing import Final

import apsw
import msgspec
import pytest

from handrail.connectors.sandbox import Fault
from handrail.core.lifecycle import State
from handrail.core.policy import Policy
from handrail.engine.showing.show import Shown, show
from handrail.errors import NotAllowed
from handrail.policy.loader import digest_policy
from handrail.surfaces.embedded import Action
from tests.engine.stories import DAY, HOUR, MINUTE, Story, pack

KINDS: Final = "kinds: {refund.issue: 100, credit.grant: 100}"


def credit(
    story: Story,
    amount: str,
    *,
    customer: str = "C-1003",
    ticket: str = "T-103",
    agent: str = "bot",
) -> Action:
    """The agent grants store credit."""
    task = story.desk.task(ticket=ticket, agent=agent)
    fields = {"customer": customer, "amount": amount, "reason": "goodwill"}
    return story.desk.propose(task, "credit.grant", fields)


def reasons(story: Story, action: Action) -> list[str]:
    """The codes of an action's reasons."""
    return story.row(action).reasons.split(",")


def shown(story: Story, action: Action) -> Shown:
    """What Ann sees."""
    viewer = story.desk.ctx.store.read(lambda tx: tx.people.get(story.desk.id, "ann"))
    assert viewer is not None
    return show(story.desk.ctx, story.desk.id, action.id, viewer=viewer)


def test_the_one_that_crosses_waits_and_shows_what_came_before(story: Story) -> None:
    """C1: $49 refunds to one customer: the second makes $98, so a person is asked, and sees why."""
    first, second = story.refund("49.00 USD"), story.refund("49.00 USD")
    assert (first.state, second.state) == (State.SUCCEEDED, State.PENDING)
    assert reasons(story, second) == ["accumulated", "value_band"]
    seen = shown(story, second)
    assert seen.reasons[0].text == ("with what this customer was given lately it makes 98.00 USD")
    labels = [(line.label, line.text.partition(" on ")[0]) for line in seen.history]
    assert labels == [("Refund", "49.00 USD"), ("Together with this one", "98.00 USD")]
    assert first.id in seen.history[0].text
    assert story.approve(second).state is State.SUCCEEDED
    assert story.refunded() == 9_800
    story.check()


def test_who_decides_needs_a_limit_for_the_sum(story: Story) -> None:
    """C1: $49 after $49 is for somebody who may decide $98, whatever the amount alone is."""
    story.desk.person("gail", roles=("reviewer",), limits=("60.00 USD",))
    story.refund("49.00 USD")
    second = story.refund("49.00 USD")
    with pytest.raises(NotAllowed, match="together with what this customer was given") as refusal:
        story.approve(second, by="gail")
    assert refusal.value.code == "not_entitled"
    story.desk.person("gus", roles=("reviewer",), limits=("98.00 USD",))
    assert story.approve(second, by="gus").state is State.SUCCEEDED


def test_splitting_over_tasks_tickets_and_kinds_does_not_help(story: Story) -> None:
    """C2, C7: a refund and a credit on another task are one sum; another customer has another."""
    assert story.refund("30.00 USD").state is State.SUCCEEDED
    story.later(MINUTE)
    assert credit(story, "20.00 USD").state is State.SUCCEEDED
    crossing = credit(story, "0.01 USD")
    assert crossing.state is State.PENDING
    assert [line.label for line in shown(story, crossing).history] == [
        "Store credit",
        "Refund",
        "Together with this one",
    ]
    assert story.refund("50.00 USD", "O-5001").state is State.SUCCEEDED


def test_splitting_over_agents_does_not_help(story: Story) -> None:
    """C3: another agent, of another owner even, meets the same sum."""
    assert story.refund("50.00 USD").state is State.SUCCEEDED
    story.desk.agent("kit", owner="carl")
    assert credit(story, "1.00 USD", agent="kit").state is State.PENDING


def test_another_account_with_the_same_card_does_not_start_anew(story: Story) -> None:
    """C4: the card of another customer is known again; in the database it is nowhere in clear."""
    # C-1001 pays with the card of C-1003 from now on.
    with apsw.Connection(str(story.folder / "desk.db")) as world:
        world.execute("UPDATE payments SET method = 'card ending 0005' WHERE id = 'P-5001'")
    first = story.refund("30.00 USD")
    assert first.state is State.SUCCEEDED
    second = story.refund("30.00 USD", "O-5001")
    assert second.state is State.PENDING
    assert reasons(story, second) == ["accumulated", "value_band"]
    assert first.id in shown(story, second).history[0].text
    assert story.refund("12.00 USD", "O-5004").state is State.SUCCEEDED
    with apsw.Connection(str(story.folder / "handrail.db")) as store:
        keys = store.execute("SELECT scope_key FROM cap_use WHERE cap = '@instrument'").fetchall()
    assert len(keys) == 2
    assert not any("card" in str(key) for (key,) in keys)


def test_midnight_is_no_border(story: Story) -> None:
    """C5: the window slides from when each one settled, to the millisecond."""
    assert story.refund("50.00 USD").state is State.SUCCEEDED
    story.later(30 * DAY - 1)
    assert story.refund("0.50 USD").state is State.PENDING
    story.later(1)
    assert story.refund("0.40 USD").state is State.SUCCEEDED


def test_splitting_over_currencies_does_not_help(story: Story) -> None:
    """C6: euros count in dollars at the pinned rate and the margin."""
    assert credit(story, "40.00 EUR").state is State.SUCCEEDED
    # 40 EUR are 46.20 USD here.
    assert credit(story, "3.80 USD").state is State.SUCCEEDED
    assert credit(story, "0.01 USD").state is State.PENDING
    # 50.00 USD are 38.47 GBP, and the band for pounds is about pounds.
    assert credit(story, "11.54 GBP").state is State.PENDING
    assert credit(story, "11.53 GBP").state is State.SUCCEEDED


def test_a_currency_without_a_rate_is_above_every_band(story: Story) -> None:
    """C6: what cannot be summed up is never little, and nor is what follows it."""
    story.reopen(pack(('rates: {EUR: "1.10", GBP: "1.30"}', 'rates: {EUR: "1.10"}')))
    action = credit(story, "1.00 GBP")
    assert (action.state, story.row(action).checkers) == (State.PENDING, 2)
    assert "cannot be summed up" in shown(story, action).reasons[0].text
    for person in ("gail", "gus"):
        story.desk.person(person, roles=("checker",), limits=("100.00 GBP",))
        story.approve(action, by=person)
    assert story.state(action) is State.SUCCEEDED
    after = credit(story, "1.00 USD")
    assert (after.state, story.row(after).checkers) == (State.PENDING, 2)


def test_a_voucher_may_weigh_less(story: Story) -> None:
    """C7: kinds have weights; half a credit counts half."""
    story.reopen(pack((KINDS, "kinds: {refund.issue: 100, credit.grant: 50}")))
    assert credit(story, "50.00 USD").state is State.SUCCEEDED
    assert story.refund("25.00 USD").state is State.SUCCEEDED
    assert story.refund("0.01 USD").state is State.PENDING


def test_an_undo_does_not_lower_the_sum(story: Story) -> None:
    """C9: taking one back to make room for the next does not help."""
    story.desk.undo(story.refund("50.00 USD").id)
    assert story.refunded() == 0
    assert story.refund("1.00 USD").state is State.PENDING


def test_what_nobody_knows_counts_and_what_certainly_failed_does_not(story: Story) -> None:
    """C1: a lost refund is in the sum for as long as it may have happened."""
    story.fail(Fault.BEFORE_EFFECT)
    lost = story.refund("50.00 USD")
    assert lost.state is State.UNKNOWN
    story.fail(None)
    assert credit(story, "0.99 USD").state is State.PENDING
    story.later(HOUR)
    story.desk.work()
    assert story.state(lost) is State.FAILED
    assert credit(story, "1.00 USD").state is State.SUCCEEDED


def test_what_waits_does_not_count_but_is_judged_again(story: Story) -> None:
    """C1: two of $600 are each for one person; together they need a checker, so only one runs."""
    big, other = credit(story, "600.00 USD"), credit(story, "600.01 USD")
    assert [story.row(one).control.value for one in (big, other)] == ["approve", "approve"]
    assert story.approve(big).state is State.SUCCEEDED
    assert story.approve(other).state is State.PENDING
    row = story.row(other)
    assert (row.control.value, row.checkers, row.rounds) == ("maker_checker", 1, 1)
    assert reasons(story, other)[:2] == ["asked_again", "accumulated"]
    assert [line.label for line in shown(story, other).history] == [
        "Store credit",
        "Together with this one",
    ]
    granted = story.desk.ctx.store.read(
        lambda tx: tx.caps.uses("main", story.desk.ctx.rulebook("main").policy.caps, tx.now)
    )
    assert {use.used for use in granted if use.cap == "usd-per-day"} == {60_000}
    assert story.approve(story.desk.get(other.id), by="carl").state is State.SUCCEEDED
    story.check()


def test_partial_refunds_never_pass_what_was_paid(story: Story) -> None:
    """C10: the payment itself is the last border, in the facts and at the provider."""
    assert story.approve(story.refund("150.00 USD")).state is State.SUCCEEDED
    over = story.refund("40.00 USD")
    assert "facts_contradict" in reasons(story, over)
    assert story.approve(over).state is State.FAILED
    assert story.refunded() == 15_000


def test_a_slow_drip_meets_the_cap_of_a_year(story: Story) -> None:
    """C11: a little every month is bounded by the longest window; the sum alone would not see."""
    cap = "usd-per-customer-year: {scope: customer, money: 25000.00 USD, window: 366d"
    story.reopen(pack((cap, cap.replace("25000.00", "120.00"))))
    states = []
    for _ in range(4):
        states.append(credit(story, "40.00 USD").state)
        story.later(31 * DAY)
    assert states == [State.SUCCEEDED] * 3 + [State.REFUSED]


@pytest.mark.parametrize(
    "amount", ["-5.00 USD", "0.00 USD", "NaN USD", "1e3 USD", "99999999999999999.00 USD", "49 usd"]
)
def test_odd_amounts_are_refused_by_name(story: Story, amount: str) -> None:
    """C9: nothing that is no amount ever gets as far as a sum."""
    with pytest.raises(Exception, match="money_"):
        credit(story, amount)


def test_a_desk_without_it_judges_amounts_alone(story: Story) -> None:
    """No section, no sums: the policy decides as it did before."""
    policy = msgspec.structs.replace(pack(), accumulation=None)
    story.reopen(_signed(policy))
    assert [story.refund("49.00 USD").state for _ in range(3)] == [State.SUCCEEDED] * 3
    story.later(MINUTE)


def _signed(policy: Policy) -> Policy:
    return msgspec.structs.replace(policy, digest=digest_policy(policy))
