"""Who made an action, or answers for its maker, never passes it; and authority has limits."""

from __future__ import annotations

import pytest

from handrail.core.lifecycle import State
from tests.engine.stories import HUGE, LARGE, MIDDLE, Story, code_of


@pytest.mark.parametrize("maker", ["boss", "otto"])
@pytest.mark.parametrize("amount", [MIDDLE, LARGE, HUGE])
def test_who_answers_for_the_agent_cannot_approve(story: Story, maker: str, amount: str) -> None:
    """D1: neither its owner nor its operator, at any size; they may still say no."""
    action = story.refund(amount, "O-5005")
    assert story.refused(action, by=maker) == "maker_is_checker"
    assert story.state(action) is State.PENDING
    no = story.desk.review(action.id, "reject", by=maker, digest=action.digest, reason="mine")
    assert no.state is State.REJECTED


def test_the_owner_s_second_account_is_the_owner(story: Story) -> None:
    """D2: a person has one identity, whichever account the agent was registered with."""
    story.desk.person("bill-work", identity="bill", roles=("checker",), limits=("9000.00 USD",))
    story.desk.person("bill-home", identity="bill", roles=("checker",), limits=("9000.00 USD",))
    story.desk.agent("billbot", owner="bill-work")
    task = story.desk.task(ticket="T-104", agent="billbot")
    fields = {"order": "O-5005", "amount": LARGE, "reason": "damaged"}
    action = story.desk.propose(task, "refund.issue", fields)
    for account in ("bill-work", "bill-home"):
        assert story.refused(action, by=account) == "maker_is_checker"
    assert story.approve(action, by="carl").state is State.SUCCEEDED


def test_an_owner_named_by_identity_is_known_by_every_account(story: Story) -> None:
    """The same when the agent was registered with the identity itself."""
    story.desk.person("bill-home", identity="bill", roles=("reviewer",))
    story.desk.agent("billbot", owner="bill")
    task = story.desk.task(ticket="T-103", agent="billbot")
    fields = {"order": "O-5003", "amount": MIDDLE, "reason": "damaged"}
    action = story.desk.propose(task, "refund.issue", fields)
    assert story.refused(action, by="bill-home") == "maker_is_checker"


def test_two_accounts_of_one_person_are_one_checker(story: Story) -> None:
    """The second approval of two must come from another person."""
    story.desk.person("cora-home", identity="cora", roles=("checker",), limits=("9000.00 USD",))
    action = story.refund(HUGE, "O-5005")
    story.approve(action, by="cora")
    assert story.refused(action, by="cora-home") == "reviewed_already"
    assert story.state(action) is State.PENDING


# who, what they are, the action's amount, and the code they hear (none: it runs)
AUTHORITY = [
    ("a reviewer within approve", ("reviewer",), (), MIDDLE, None),
    ("a reviewer on a checker's work", ("reviewer",), (), LARGE, "not_entitled"),
    ("a checker at the limit", ("checker",), ("2400.00 USD",), LARGE, None),
    ("a checker below the limit", ("checker",), ("2399.99 USD",), LARGE, "not_entitled"),
    ("a checker without a limit", ("checker",), (), LARGE, "not_entitled"),
    ("a limit in another currency", ("checker",), ("9000.00 EUR",), LARGE, "not_entitled"),
    ("a reviewer with a small limit", ("reviewer",), ("100.00 USD",), MIDDLE, "not_entitled"),
    ("an auditor", ("auditor",), (), MIDDLE, "not_entitled"),
    ("an admin", ("admin", "policy_owner"), ("90000.00 USD",), LARGE, "not_entitled"),
]


@pytest.mark.parametrize(
    ("roles", "limits", "amount", "code"),
    [row[1:] for row in AUTHORITY],
    ids=[row[0] for row in AUTHORITY],
)
def test_authority(
    story: Story, roles: tuple[str, ...], limits: tuple[str, ...], amount: str, code: str | None
) -> None:
    """A role and a limit must cover the action; nobody stands above that."""
    story.desk.person("pat", roles=roles, limits=limits)
    action = story.refund(amount, "O-5005")
    if code is None:
        assert story.approve(action, by="pat").state is State.SUCCEEDED
    else:
        assert story.refused(action, by="pat") == code
        assert story.refunded("O-5005") == 0


@pytest.mark.parametrize("nobody", ["mallory", "", "gateway", "operator"])
def test_only_people_of_the_desk_review(story: Story, nobody: str) -> None:
    """Neither the gateway, nor somebody unknown."""
    action = story.refund(MIDDLE)
    assert story.refused(action, by=nobody) == "not_entitled"


def test_no_agent_reviews(story: Story) -> None:
    """Neither the one that proposed, nor another, and not to say no either."""
    story.desk.agent("other-bot")
    action = story.refund(MIDDLE)
    assert story.refused(action, by="other-bot") == "not_entitled"
    assert story.refused(action, by="bot") in ("not_entitled", "maker_is_checker")
    assert story.refused(action, by="bot", verdict="reject") == "not_entitled"
    assert story.state(action) is State.PENDING


def test_a_stale_digest_does_not_count(story: Story) -> None:
    """What was read must be what is stored: another action's digest, or none, is turned down."""
    action, other = story.refund(MIDDLE), story.refund("90.00 USD")
    for digest in ("", "0" * 64, other.digest, action.digest.upper()):
        code = code_of(
            lambda: story.desk.review(action.id, "approve", by="ann", digest=digest)  # noqa: B023
        )
        assert code == "stale_digest"
    assert story.approve(action).state is State.SUCCEEDED


def test_two_equal_actions_have_two_digests(story: Story) -> None:
    """E2: an approval is for one action; its twin waits for its own."""
    first, twin = story.refund("60.00 USD"), story.refund("60.00 USD")
    assert first.digest != twin.digest
    story.approve(first)
    assert story.state(twin) is State.PENDING
    assert story.refunded() == 6_000


def test_an_approval_is_used_once(story: Story) -> None:
    """E1: said twice, it is one: the second one is told that nobody is being asked any more."""
    action = story.refund(MIDDLE)
    story.approve(action, by="ann")
    for name in ("ann", "bea", "carl"):
        assert story.refused(action, by=name) == "not_pending"
    assert story.refunded() == 12_000


def test_another_desk_s_action_is_not_there(story: Story) -> None:
    """A person cannot reach over; the action stays as it is."""
    action = story.refund(MIDDLE)
    assert code_of(lambda: story.desk.get("hr_" + "0" * 32)) == "proposal_not_found"
    other = story.desk.ctx.store.read(lambda tx: tx.proposals.get("other", action.id))
    assert other is None


def test_a_verdict_is_one_of_four(story: Story) -> None:
    """Anything else is a clear error."""
    action = story.refund(MIDDLE)
    assert (
        code_of(lambda: story.desk.review(action.id, "yes", by="ann", digest=action.digest))
        == "field_malformed"
    )


def test_an_agent_that_is_known_does_not_change_its_owner_in_silence(story: Story) -> None:
    """Named by a task first, it belongs to nobody; saying later whose it is must not be ignored."""
    story.desk.task(ticket="T-103", agent="late-bot")
    assert code_of(lambda: story.desk.agent("late-bot", owner="ann")) == "principal_exists"
    assert story.desk.agent("bot", owner="boss", operator="otto").id == "bot"
    assert story.desk.agent("bot").owner == "boss"
