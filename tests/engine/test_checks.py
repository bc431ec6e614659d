"""Checks at work: what they refuse, hold, mark and clear, and what people and agents are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from handrail.core.decide import ReasonCode
from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.policy import Control, Otherwise, Policy
from handrail.engine.governing.desks import activate_policy
from handrail.engine.proposing.advice import advice_of
from handrail.surfaces.embedded import Action
from tests.engine.stories import Story, pack

AGENTS: Final = "The order has less than that left to refund."
CHECKS: Final = """
    facts: {refundable: money, order_owner: text, refunds_30d: integer}
    checks:
      within:
        require: >-
          params.amount.currency == facts.refundable.currency
          && params.amount.minor <= facts.refundable.minor
        otherwise: refuse
        reviewer: More than can still be refunded.
        agent: The order has less than that left to refund.
      not_other:
        require: params.reason != 'other'
        otherwise: hold
        reviewer: No reason that could be checked.
      good_will:
        require: params.reason != 'goodwill'
        otherwise: flag
        reviewer: Good will, which nothing shows to be due.
      once:
        require: facts.refunds_30d <= 1
        otherwise: raise_grade
        reviewer: There were two refunds already.
      not_much:
        require: together.minor <= 20000
        otherwise: hold
        reviewer: The customer was given much lately.
    cleared:
      bands:
        USD:
          - {up_to: "150.00", grade: G2, control: run_and_notify}
          - {up_to: "1000.00", grade: G2, control: approve}
          - {grade: G2, control: maker_checker, checkers: 1}
"""


def checked(*changes: tuple[str, str]) -> Policy:
    """The pack with checks on refunds."""
    checks = CHECKS
    for old, new in changes:
        assert old in checks, old
        checks = checks.replace(old, new)
    mark = "    needs: [order_owner, refundable]\n"
    return pack((mark, mark + checks.lstrip("\n")))


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Story]:
    """A desk under the pack with checks."""
    with Story(tmp_path / "desk", policy=checked()) as story:
        yield story
        story.check()


def refund(story: Story, amount: str, reason: str = "damaged", order: str = "O-5003") -> Action:
    """Propose a refund for a reason."""
    task = story.task("T-103" if order == "O-5003" else "T-101")
    fields = {"order": order, "amount": amount, "reason": reason}
    return story.desk.propose(task, "refund.issue", fields)


def codes(story: Story, action: Action) -> str:
    """The codes of the reasons, as they are stored in the open."""
    return story.row(action).reasons


# amount | reason | control | grade | reasons
DECIDED = """
18.50 USD  | damaged  | run_and_notify | G2 | cleared
120.00 USD | damaged  | run_and_notify | G2 | cleared
150.01 USD | damaged  | approve        | G2 | cleared
18.50 USD  | goodwill | run_and_notify | G2 | check_flagged,value_band
120.00 USD | goodwill | approve        | G2 | check_flagged,value_band
18.50 USD  | other    | approve        | G2 | check_failed,value_band
189.01 USD | damaged  | refuse         | G3 | check_failed,facts_contradict,value_band
"""


@pytest.mark.parametrize("row", DECIDED.strip().splitlines())
def test_what_checks_decide(told: Story, row: str) -> None:
    """What passes is cleared for more; what fails is marked, held or refused."""
    amount, reason, control, grade, reasons = (part.strip() for part in row.split("|"))
    action = refund(told, amount, reason)
    assert (action.control, action.grade.name) == (Control(control), grade)
    assert codes(told, action) == reasons
    moved = told.refunded()
    assert moved == (int(amount.replace(".", "").split()[0]) if control == "run_and_notify" else 0)


def test_a_refused_check_tells_agent_and_people(told: Story) -> None:
    """The agent hears the policy's sentence and no limit; people see which check and which fact."""
    action = refund(told, "500.00 USD")
    assert action.state is State.REFUSED
    assert action.says.endswith(AGENTS)
    assert "189" not in action.says
    shown = told.desk.show(action.id, by="ann")
    failed = shown.failed[0]
    assert (failed.name, failed.outcome, failed.facts) == (
        "within",
        Otherwise.REFUSE,
        ("refundable",),
    )
    assert any(
        one.code is ReasonCode.CHECK_FAILED and f"{one.text}." == failed.text
        for one in shown.reasons
    )


def test_a_held_check_tells_the_agent_why_it_waits(tmp_path: Path) -> None:
    """Held by a check with a sentence: the agent is told that it waits, and the sentence."""
    changed = checked(("otherwise: refuse", "otherwise: hold"))
    with Story(tmp_path / "desk", policy=changed) as story:
        action = refund(story, "500.00 USD")
        assert action.state is State.PENDING
        assert AGENTS in action.says
        row = story.row(action)
        assert advice_of(row) == action.says


def test_what_ran_counts_for_the_next(told: Story) -> None:
    """C1: the first is cleared and runs; for the second, facts and sum are not what they were."""
    assert refund(told, "120.00 USD").state is State.SUCCEEDED
    second = refund(told, "60.00 USD", "late")
    assert (second.state, second.grade.name) == (State.PENDING, "G3")
    failing = [one.name for one in told.desk.show(second.id, by="ann").failed]
    assert failing == ["once"]


def test_an_accumulated_check_holds(tmp_path: Path) -> None:
    """C1: a check over the sum fails at exactly the amount that it names."""
    only_sum = checked(
        ("together.minor <= 20000", "together.minor <= 5000"),
        ("facts.refunds_30d <= 1", "facts.refunds_30d < 9"),
    )
    with Story(tmp_path / "desk", policy=only_sum) as story:
        assert refund(story, "30.00 USD").state is State.SUCCEEDED
        assert refund(story, "20.00 USD", "late").state is State.SUCCEEDED
        crossing = refund(story, "0.01 USD", "wrong_item")
        assert crossing.state is State.PENDING
        names = [one.name for one in story.desk.show(crossing.id, by="ann").failed]
        assert names == ["not_much"]


def test_checks_are_asked_again_before_it_runs(told: Story) -> None:
    """F1: approved as cleared; refunded by hand since; it goes back with the check that fails."""
    action = refund(told, "160.00 USD")
    assert (action.state, codes(told, action)) == (State.PENDING, "cleared")
    assert told.desk.show(action.id, by="ann").failed == ()
    by_hand = {"order": "O-5003", "amount": Money.parse("7.00 USD"), "reason": "by hand"}
    request = told.world.prepare("refund.issue", by_hand, now=told.clock.now).request
    told.world.execute("refund.issue", request, "by hand", now=told.clock.now)
    told.approve(action)
    told.desk.work()
    assert told.state(action) is State.PENDING
    assert told.refunded() == 700
    shown = told.desk.show(action.id, by="ann")
    assert [one.name for one in shown.failed] == ["once"]
    assert "cleared" not in codes(told, action)


def test_a_stricter_check_meets_what_was_allowed(told: Story) -> None:
    """F3: the policy gets a check between approval and run; what it refuses does not run."""
    action = refund(told, "160.00 USD")
    told.desk.ctx.doubts["test"] = "nothing is sent for now"
    told.approve(action)
    assert told.state(action) is State.READY
    del told.desk.ctx.doubts["test"]
    stricter = checked(
        (
            "params.reason != 'other'\n        otherwise: hold",
            "params.reason != 'damaged'\n        otherwise: refuse",
        )
    )
    activate_policy(told.desk.ctx, "main", stricter, actor="boss")
    told.desk.work()
    assert told.state(action) is State.EXPIRED
    assert told.refunded() == 0
    assert told.open_escalations() == [action.id]


def test_a_fact_that_is_not_known_is_the_strictest(tmp_path: Path) -> None:
    """A check about a fact that nobody read: its outcome, two checkers, and never cleared."""
    unread = checked(
        ("refunds_30d: integer", "refunds_30d: integer, requester: text"),
        ("facts.refunds_30d <= 1", "facts.requester != ''"),
    )
    with Story(tmp_path / "desk", policy=unread) as story:
        action = refund(story, "18.50 USD")
        assert (action.control, action.grade.name) == (Control.MAKER_CHECKER, "G3")
        assert story.row(action).checkers == 2
        failed = story.desk.show(action.id, by="ann").failed
        assert [(one.name, one.broken, one.unread) for one in failed] == [
            ("once", True, ("facts.requester",))
        ]
        assert story.open_escalations() == [], "what is not known is no error of the policy"


def test_a_condition_that_breaks_is_a_policy_error(tmp_path: Path) -> None:
    """An overflow in a condition: held for two, and a person is told that the policy is wrong."""
    broken = checked(
        (
            "facts.refunds_30d <= 1",
            "facts.refunds_30d + 9223372036854775807 > 0 || "
            "params.amount.minor * 9223372036854775807 > 0",
        )
    )
    with Story(tmp_path / "desk", policy=broken) as story:
        action = refund(story, "18.50 USD")
        assert "evaluation_failed" in codes(story, action)
        assert (action.control, story.row(action).checkers) == (Control.MAKER_CHECKER, 2)
        assert story.open_escalations() == [action.id]


def test_what_else_is_under_way_is_asked_and_shown(tmp_path: Path) -> None:
    """Duplicates in flight: one waits, so the next of the kind for the customer waits as well."""
    alone = checked(
        ("facts.refunds_30d <= 1", "open.same_kind == 0"),
        ("There were two refunds already.", "Another refund is still open."),
    )
    with Story(tmp_path / "desk", policy=alone) as story:
        first = refund(story, "160.00 USD")
        assert (first.state, story.desk.show(first.id, by="ann").failed) == (State.PENDING, ())
        story.later(1)  # ids are in the order of their milliseconds
        second = refund(story, "5.00 USD", "late")
        assert (second.state, second.grade.name) == (State.PENDING, "G3")
        shown = story.desk.show(second.id, by="ann")
        assert [one.name for one in shown.failed] == ["once"]
        assert ("Under way for this customer", "1 more of this kind") in [
            (line.label, line.text) for line in shown.history
        ]
        other = refund(story, "5.00 USD", "damaged", order="O-5001")
        assert other.state is State.SUCCEEDED, "another customer's is none of it"
        story.approve(first)
        assert story.state(first) is State.SUCCEEDED, "what came later does not hold it up"
