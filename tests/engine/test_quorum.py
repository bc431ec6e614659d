"""Quorums on a desk: who is drawn, that the second checker is blind, and that none degrades."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from handrail.core.lifecycle import State
from handrail.core.principal import Role
from handrail.core.review import Verdict
from handrail.engine.governing.desks import activate_policy
from handrail.errors import HandrailError
from tests.engine.stories import HOUR, HUGE, LARGE, Story, code_of, pack
from tests.engine.test_people import change, entries

MORE = ("dora", "emil", "fritz")


def staffed(story: Story, by_lot: str = "quorum") -> None:
    """Five could check what the agent proposes: carl, cora, and three more."""
    for name in MORE:
        story.desk.person(name, roles=("checker",), limits=("20000.00 USD",))
    story.reopen(pack(("lanes:\n", f"by_lot: {by_lot}\n\nlanes:\n")))


def drawn(story: Story, id: str) -> list[str]:
    """Who was drawn to check an action."""
    row = story.desk.ctx.store.read(lambda tx: tx.proposals.get("main", id))
    assert row is not None
    return row.assigned.split(",") if row.assigned else []


def test_two_are_drawn_and_only_they_approve(story: Story) -> None:
    """L4, D9: neither the agent nor the first checker chooses who is next."""
    staffed(story)
    action = story.refund(HUGE, "O-5005")
    chosen = drawn(story, action.id)
    assert len(chosen) == 2
    others = {"carl", "cora", *MORE} - set(chosen)
    for name in others:
        assert story.refused(action, by=name) == "not_assigned"
    assert story.refused(action, by="boss") == "maker_is_checker"
    said = story.desk.show(action.id, by=min(others)).why_not
    assert said == f"it was given by lot to {' and '.join(chosen)}"
    story.approve(action, by=chosen[0])
    assert story.desk.show(action.id, by=min(others)).why_not == said
    assert story.approve(action, by=chosen[1]).state is State.SUCCEEDED


def test_whoever_is_not_drawn_may_still_say_no(story: Story) -> None:
    """D9: the lot is about approving; a stop is open to everybody who reviews."""
    staffed(story)
    action = story.refund(HUGE, "O-5005")
    other = min({"carl", "cora", *MORE} - set(drawn(story, action.id)))
    no = story.desk.review(action.id, "reject", by=other, digest=action.digest, reason="odd")
    assert no.state is State.REJECTED


def test_the_lot_has_no_favourite(story: Story) -> None:
    """D9: over many draws everybody comes up, and no pair always together."""
    staffed(story)
    pairs: Counter[tuple[str, ...]] = Counter()
    for n in range(60):
        action = story.refund(f"{6_000 + n}.00 USD", "O-5005")
        pairs[tuple(drawn(story, action.id))] += 1
        story.desk.review(action.id, "reject", by="ann", digest=action.digest, reason="not now")
    assert {name for pair in pairs for name in pair} == {"carl", "cora", *MORE}
    assert len(pairs) >= 6
    assert max(pairs.values()) <= 20


@pytest.mark.parametrize(
    ("by_lot", "amount", "count"),
    [
        ("never", HUGE, 0),
        ("quorum", LARGE, 0),
        ("quorum", HUGE, 2),
        ("always", LARGE, 1),
        ("always", HUGE, 2),
        ("always", "120.00 USD", 0),
    ],
)
def test_the_policy_says_where_the_lot_is_drawn(
    story: Story, by_lot: str, amount: str, count: int
) -> None:
    """L4: never, where two must check, or wherever a checker is needed."""
    staffed(story, by_lot)
    assert len(drawn(story, story.refund(amount, "O-5005").id)) == count


def test_a_small_desk_draws_nobody(story: Story) -> None:
    """Two could, and two must: both may, as without a lot."""
    story.reopen(pack(("lanes:\n", "by_lot: always\n\nlanes:\n")))
    action = story.refund(HUGE, "O-5005")
    assert drawn(story, action.id) == []
    story.approve(action, by="carl")
    assert story.approve(action, by="cora").state is State.SUCCEEDED


def test_after_a_while_one_more_is_drawn(story: Story) -> None:
    """D10: nobody is taken off, for that would tell who has decided; at last everybody may."""
    staffed(story)
    action = story.refund(HUGE, "O-5005")
    first = set(drawn(story, action.id))
    story.approve(action, by=min(first))
    story.desk.work()
    assert set(drawn(story, action.id)) == first
    story.later(HOUR)
    story.desk.work()
    second = set(drawn(story, action.id))
    assert first < second
    assert len(second) == 3
    assert story.approve(action, by=min(second - first)).state is State.SUCCEEDED


def test_somebody_who_cannot_is_replaced(story: Story) -> None:
    """D9: who says so, and who is disabled; neither is drawn again."""
    staffed(story)
    action = story.refund(HUGE, "O-5005")
    one, two = drawn(story, action.id)
    story.desk.recuse(action.id, by=one)
    after = drawn(story, action.id)
    assert one not in after
    assert two in after
    assert len(after) == 2
    assert story.refused(action, by=one) == "not_assigned"
    assert code_of(lambda: story.desk.recuse(action.id, by=one)) == "not_assigned"
    change(story, two, disabled=True)
    story.desk.work()
    assert not {one, two} & set(drawn(story, action.id))
    assert len(drawn(story, action.id)) == 2
    assert [tag for tag in story.tags(action) if tag.startswith("action.")] == [
        "action.proposed",
        "action.recused",
        "action.assigned",
        "action.assigned",
    ]


def test_who_has_decided_does_not_leave_it_to_another(story: Story) -> None:
    """One say each; and nobody recuses from what has ended."""
    staffed(story)
    action = story.refund(HUGE, "O-5005")
    one, two = drawn(story, action.id)
    story.approve(action, by=one)
    assert code_of(lambda: story.desk.recuse(action.id, by=one)) == "reviewed_already"
    story.approve(action, by=two)
    assert code_of(lambda: story.desk.recuse(action.id, by=two)) == "not_pending"


def test_when_everybody_has_said_that_they_cannot_anybody_may(story: Story) -> None:
    """The lot never keeps a desk from deciding."""
    staffed(story)
    action = story.refund(HUGE, "O-5005")
    while chosen := drawn(story, action.id):
        story.desk.recuse(action.id, by=chosen[0])
    story.approve(action, by="carl")
    assert story.approve(action, by="cora").state is State.SUCCEEDED


def test_the_second_checker_sees_nothing_of_the_first(story: Story) -> None:
    """D10: not in what is shown, not in why they may not, not in the drawn, the cards or counts."""
    staffed(story)
    action = story.refund(HUGE, "O-5005")
    one, two = drawn(story, action.id)

    def seen() -> str:
        shown = story.desk.show(action.id, by=two)
        entries = [(logged.index, logged.entry.tag) for logged in shown.entries]
        said = (shown.why_not, shown.why_nobody, shown.reviews, entries, shown.escalations)
        return repr((said, story.counters(), story.desk.get(action.id), shown.makers))

    before = seen()
    story.approve(action, by=one)
    assert seen() == before


def test_an_impossible_quorum_is_not_lowered(story: Story) -> None:
    """D8: with one checker left it waits, says so, and is handed to a person."""
    action = story.refund(HUGE, "O-5005")
    assert story.open_escalations() == []
    change(story, "cora", disabled=True)
    assert story.open_escalations() == [action.id]
    shown = story.desk.show(action.id, by="ann")
    assert shown.why_nobody == (
        "it takes 2 independent checkers with the authority, and 1 could decide"
    )
    story.approve(action, by="carl")
    assert story.state(action) is State.PENDING
    story.later(5 * HOUR)
    story.desk.work()
    assert story.state(action) is State.EXPIRED
    assert story.refunded("O-5005") == 0


def test_what_nobody_can_decide_from_the_start_is_told_at_once(story: Story) -> None:
    """D8: a hand-off is open as soon as it waits."""
    change(story, "cora", limits={"USD": 500_000})
    action = story.refund(HUGE, "O-5005")
    assert story.open_escalations() == [action.id]
    assert action.state is State.PENDING


# the change to the people | the policy's change | whether it can be saved
POSSIBLE = [
    ("as they are", None, ("checkers: 2", "checkers: 2"), True),
    ("more than there are", None, ("checkers: 2", "checkers: 3"), False),
    ("one of two is gone", {"disabled": True}, ("checkers: 2", "checkers: 2"), False),
    ("one of two has too low a limit", {"limits": {"USD": 500_000}}, ("a", "a"), False),
    ("the limit just covers it", {"limits": {"USD": 500_001}}, ("a", "a"), True),
    ("one of two is no checker", {"roles": (Role.REVIEWER,)}, ("a", "a"), False),
    ("two accounts of one person", {"identity": "carl"}, ("a", "a"), False),
]


@pytest.mark.parametrize(
    ("people", "policy", "possible"), [row[1:] for row in POSSIBLE], ids=[r[0] for r in POSSIBLE]
)
def test_a_policy_that_nobody_could_keep_is_not_saved(
    story: Story, people: dict[str, Any] | None, policy: tuple[str, str], possible: bool
) -> None:
    """D8: it is measured against the people of the desk, and the old one stays."""
    if people is not None:
        change(story, "cora", **people)
    wanted = pack(policy, ("approval: 4h", "approval: 3h"))

    def save() -> None:
        activate_policy(story.desk.ctx, "main", wanted, actor="operator")

    before = story.desk.ctx.rulebook("main").policy.digest
    if possible:
        save()
        assert story.desk.ctx.rulebook("main").policy.digest == wanted.digest
        return
    with pytest.raises(HandrailError) as refusal:
        save()
    assert refusal.value.code == "quorum_impossible"
    assert "`refund.issue` from 5000.01 USD on needs" in refusal.value.message
    assert story.desk.ctx.rulebook("main").policy.digest == before
    assert len(entries(story, "policy.activated")) == 1


def test_one_rejection_ends_it_whoever_approved(story: Story) -> None:
    """E4: the first to be written wins; what comes after is told that it is too late."""
    action = story.refund(HUGE, "O-5005")
    story.approve(action, by="carl")
    said = story.desk.review(action.id, "reject", by="ann", digest=action.digest, reason="no")
    assert said.state is State.REJECTED
    assert story.refused(action, by="cora") == "not_pending"
    assert story.refused(action, by="carl") == "not_pending"


def test_a_replayed_verdict_counts_once(story: Story) -> None:
    """E1, E6: the same person, the same digest, twice."""
    action = story.refund(HUGE, "O-5005")
    story.approve(action, by="carl")
    for verdict in ("approve", "reject"):
        assert story.refused(action, by="carl", verdict=verdict) == "reviewed_already"
    reviews = story.desk.ctx.store.read(lambda tx: tx.proposals.reviews("main", action.id))
    assert [one.verdict for one in reviews] == [Verdict.APPROVE]
