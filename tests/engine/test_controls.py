"""Each control's road, from the proposal to its end, with the world looked at afterwards."""

from __future__ import annotations

from typing import Any, Final

import pytest

from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from tests.engine.stories import HOUR, HUGE, LARGE, MIDDLE, SMALL, Story, code_of

RUNS: Final = ("run_and_log", "run_and_notify")

# kind, ticket, parameters, grade, control, checkers
ROADS: Final[list[tuple[str, str, dict[str, Any], str, str, int]]] = [
    ("ticket.read", "T-101", {"ticket": "T-101"}, "G0", "run_and_log", 0),
    ("kb.search", "T-101", {"query": "return a broken mug"}, "G0", "run_and_log", 0),
    ("reply.draft", "T-101", {"ticket": "T-101", "body": "Dear Dana"}, "G1", "run_and_notify", 0),
    ("reply.send", "T-101", {"ticket": "T-101", "body": "Dear Dana"}, "G2", "approve", 0),
    (
        "refund.issue",
        "T-103",
        {"order": "O-5003", "amount": "50.00 USD", "reason": "late"},
        "G2",
        "run_and_notify",
        0,
    ),
    (
        "refund.issue",
        "T-103",
        {"order": "O-5003", "amount": "50.01 USD", "reason": "late"},
        "G2",
        "approve",
        0,
    ),
    (
        "refund.issue",
        "T-104",
        {"order": "O-5005", "amount": "1000.00 USD", "reason": "late"},
        "G2",
        "approve",
        0,
    ),
    (
        "refund.issue",
        "T-104",
        {"order": "O-5005", "amount": "1000.01 USD", "reason": "late"},
        "G3",
        "maker_checker",
        1,
    ),
    (
        "refund.issue",
        "T-104",
        {"order": "O-5005", "amount": "5000.01 USD", "reason": "late"},
        "G3",
        "maker_checker",
        2,
    ),
    (
        "credit.grant",
        "T-106",
        {"customer": "C-1008", "amount": "14.90 EUR", "reason": "late"},
        "G2",
        "run_and_notify",
        0,
    ),
    (
        "account.update",
        "T-107",
        {"customer": "C-1009", "field": "phone", "value": "+44 20 5550 0199"},
        "G2",
        "approve",
        0,
    ),
    (
        "account.cancel",
        "T-114",
        {"customer": "C-1009", "reason": "customer_request"},
        "G3",
        "maker_checker",
        1,
    ),
    (
        "payout.change",
        "T-113",
        {"customer": "C-1012", "account": "US00 TEST 0000 5589"},
        "G3",
        "maker_checker",
        1,
    ),
    (
        "login.change",
        "T-112",
        {"customer": "C-1007", "email": "layla@haddad.test"},
        "G3",
        "maker_checker",
        1,
    ),
]


@pytest.mark.parametrize(
    ("kind", "ticket", "params", "grade", "control", "checkers"),
    ROADS,
    ids=[f"{road[0]} {road[2].get('amount', '')}".strip() for road in ROADS],
)
def test_the_pack_s_table(
    story: Story,
    kind: str,
    ticket: str,
    params: dict[str, Any],
    grade: str,
    control: str,
    checkers: int,
) -> None:
    """What runs alone has run when the call returns; what waits runs when enough people said so."""
    action = story.desk.propose(story.task(ticket), kind, params)
    assert (action.grade.name, action.control.value) == (grade, control)
    assert story.row(action).checkers == checkers
    if control in RUNS:
        assert action.digest == ""
    else:
        assert action.state is State.PENDING
        assert [card.proposal.id for card in story.desk.queue()] == [action.id]
        for name in ("carl", "cora")[: max(1, checkers)]:
            assert story.state(action) is State.PENDING
            action = story.approve(action, by=name)
    assert action.state is State.SUCCEEDED
    assert action.result
    assert story.desk.queue() == []
    assert story.tags(action)[-1] == "execution.succeeded"


def test_a_small_refund_moves_the_balance_at_once(story: Story) -> None:
    """Nobody is asked, and the money has moved when the agent hears of it."""
    action = story.refund(SMALL)
    assert action.state is State.SUCCEEDED
    assert story.refunded() == 1850
    assert story.tags(action) == [
        "action.proposed",
        "execution.succeeded",
    ]
    said = story.entries(action)[0].data
    assert (said["state"], said["attempt"], said["by"]) == ("EXECUTING", 1, "gateway")


def test_a_middle_refund_waits_and_runs_once(story: Story) -> None:
    """120 USD wait; approving runs them, once, however often the queue is worked through."""
    action = story.refund(MIDDLE)
    assert action.state is State.PENDING
    assert story.refunded() == 0
    done = story.approve(action)
    assert done.state is State.SUCCEEDED
    for _ in range(3):
        story.later(HOUR)
        story.desk.work()
    assert story.refunded() == 12_000
    assert story.refused(action, by="bea") == "not_pending"
    assert story.tags(action).count("execution.intended") == 1


def test_a_rejection_ends_it(story: Story) -> None:
    """One no, with a reason that the person gave; nothing runs, now or later."""
    action = story.refund(MIDDLE)
    no = story.desk.review(action.id, "reject", by="ann", digest=action.digest, reason="too much")
    assert no.state is State.REJECTED
    assert story.refused(action, by="carl") == "not_pending"
    story.later(HOUR)
    story.desk.work()
    assert story.refunded() == 0
    shown = story.desk.show(action.id, by="bea")
    assert [given.reason for given in shown.reviews] == ["too much"]


@pytest.mark.parametrize("verdict", ["reject", "request_changes"])
def test_a_no_needs_a_reason(story: Story, verdict: str) -> None:
    """Without one it does not count, and the action goes on waiting."""
    action = story.refund(MIDDLE)
    for reason in ("", "  \n"):
        code = code_of(
            lambda: story.desk.review(
                action.id,
                verdict,
                by="ann",
                digest=action.digest,
                reason=reason,  # noqa: B023
            )
        )
        assert code == "reason_missing"
    assert story.state(action) is State.PENDING


def test_a_request_for_changes_ends_this_action(story: Story) -> None:
    """The agent may propose another; this one never runs."""
    action = story.refund(MIDDLE)
    back = story.desk.review(
        action.id, "request_changes", by="ann", digest=action.digest, reason="halve it"
    )
    assert back.state is State.REJECTED
    assert story.refunded() == 0
    again = story.refund("60.00 USD")
    assert (again.id != action.id, again.state) == (True, State.PENDING)


def test_a_reviewer_s_escalation_hands_it_over(story: Story) -> None:
    """It leaves the queue, an escalation is open, and closing that runs nothing."""
    action = story.refund(LARGE, "O-5005")
    handed = story.desk.review(action.id, "escalate", by="ann", digest=action.digest, reason="odd")
    assert handed.state is State.ESCALATED
    assert story.open_escalations() == [action.id]
    escalations = story.desk.ctx.store.read(lambda tx: tx.escalations.open("main", most=9))
    story.desk.close_escalation(escalations[0].id, by="carl")
    assert code_of(lambda: story.desk.close_escalation(escalations[0].id, by="ann")) == (
        "not_pending"
    )
    assert story.open_escalations() == []
    assert story.refunded("O-5005") == 0


def test_the_agent_can_always_escalate(story: Story) -> None:
    """Its task or one pending action of it; a concern must be said."""
    task = story.task("T-103")
    story.desk.escalate(task, "the customer is furious")
    action = story.refund(MIDDLE)
    assert story.state(action) is State.PENDING
    its_task = story.row(action).task
    own = story.desk.ctx.store.read(lambda tx: tx.tasks.get("main", its_task))
    assert own is not None
    story.desk.escalate(own, "I am not sure", action=action.id)
    assert story.state(action) is State.ESCALATED
    assert set(story.open_escalations()) == {None, action.id}
    assert code_of(lambda: story.desk.escalate(task, "  ")) == "reason_missing"
    assert code_of(lambda: story.desk.escalate(task, "mine", action=action.id)) == (
        "proposal_not_found"
    )


def test_an_unknown_kind_is_held_and_cannot_be_approved(story: Story) -> None:
    """N10: G3, for two checkers; nothing could run it, so people only say no or escalate."""
    action = story.desk.propose(story.task(), "database.drop", {"table": "orders"})
    assert (action.state, action.grade, action.control) == (
        State.PENDING,
        Grade.G3,
        Control.MAKER_CHECKER,
    )
    assert story.row(action).checkers == 2
    assert story.refused(action, by="carl") == "nothing_can_run"
    no = story.desk.review(action.id, "reject", by="carl", digest=action.digest, reason="no")
    assert no.state is State.REJECTED


def test_an_unlisted_currency_takes_the_strictest_control(story: Story) -> None:
    """A few yen wait for two independent checkers, for the policy says nothing of yen."""
    fields = {"order": "O-5006", "amount": "100 JPY", "reason": "damaged"}
    action = story.desk.propose(story.task("T-111"), "refund.issue", fields)
    assert (action.control, story.row(action).checkers) == (Control.MAKER_CHECKER, 2)
    assert story.row(action).reasons == "unlisted_currency"


def test_two_checkers_are_two_people(story: Story) -> None:
    """The first approval moves nothing and is not shown to the second; both together run it."""
    action = story.refund(HUGE, "O-5005")
    assert story.row(action).checkers == 2
    first = story.approve(action, by="carl")
    assert first.state is State.PENDING
    assert story.refunded("O-5005") == 0
    assert story.refused(action, by="carl") == "reviewed_already"
    blind = story.desk.show(action.id, by="cora")
    assert blind.reviews == ()
    assert "review.recorded" not in [logged.entry.tag for logged in blind.entries]
    assert story.approve(action, by="cora").state is State.SUCCEEDED
    assert story.refunded("O-5005") == 600_000


def test_one_no_outweighs_the_first_yes(story: Story) -> None:
    """After one of two approved, the other one's rejection ends it."""
    action = story.refund(HUGE, "O-5005")
    story.approve(action, by="carl")
    no = story.desk.review(action.id, "reject", by="cora", digest=action.digest, reason="no")
    assert no.state is State.REJECTED
    assert story.refunded("O-5005") == 0


def test_silence_expires_and_never_approves(story: Story) -> None:
    """After four hours without a word the action is over; the last moment belongs to nobody."""
    action = story.refund(MIDDLE)
    story.later(4 * HOUR - 1)
    assert story.desk.work().total == 0
    story.later(1)
    assert story.refused(action, by="ann") == "review_expired"
    assert story.desk.work().expired == 1
    assert story.state(action) is State.EXPIRED
    assert story.refused(action, by="ann") == "not_pending"
    assert story.refunded() == 0


def test_half_an_approval_expires_too(story: Story) -> None:
    """One of two checkers is not enough, however long one waits."""
    action = story.refund(HUGE, "O-5005")
    story.approve(action, by="carl")
    story.later(4 * HOUR)
    story.desk.work()
    assert story.state(action) is State.EXPIRED
    assert story.refunded("O-5005") == 0
