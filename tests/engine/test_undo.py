"""Undo really reverses, once, within its window, on the same road as everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from handrail.connectors.protocol import Capability, Found, Looked, NotDone, Promise, Receipt
from handrail.connectors.sandbox import Fault, Sandbox
from handrail.core.escalation import Cause
from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from tests.engine.stories import DAY, HOUR, MIDDLE, MINUTE, SECOND, SMALL, Story, code_of
from tests.store.databases import NOW


def test_a_refund_is_taken_back(story: Story) -> None:
    """The balance is as before, and both actions know of each other."""
    action = story.refund(SMALL)
    assert story.refunded() == 1850
    undo = story.desk.undo(action.id)
    assert undo.state is State.SUCCEEDED
    assert story.refunded() == 0
    assert (story.row(undo).undoes, story.row(action).undone_by) == (action.id, undo.id)
    assert story.tags(action)[-1] == "action.undone"


def test_an_approved_refund_is_taken_back_too(story: Story) -> None:
    """Who approved it does not matter."""
    action = story.approve(story.refund(MIDDLE))
    assert story.desk.undo(action.id, by="ann").state is State.SUCCEEDED
    assert story.refunded() == 0


def test_a_credit_and_a_draft_are_taken_back(story: Story) -> None:
    """The other kinds whose policy promises an undo."""
    fields = {"customer": "C-1008", "amount": "14.90 EUR", "reason": "late"}
    credit = story.desk.propose(story.task("T-106"), "credit.grant", fields)
    assert story.world.store_credit("C-1008", "EUR") == 1490
    story.desk.undo(credit.id)
    assert story.world.store_credit("C-1008", "EUR") == 0
    draft = story.desk.propose(
        story.task("T-101"), "reply.draft", {"ticket": "T-101", "body": "Dear Dana"}
    )
    assert story.desk.undo(draft.id).result == {"draft": _text(draft.result), "status": "discarded"}


def _text(result: dict[str, object] | None) -> object:
    assert result is not None
    return result["draft"]


def test_undoing_twice_undoes_once(story: Story) -> None:
    """H11: the second time there is nothing to undo, whoever asks."""
    action = story.refund(SMALL)
    story.desk.undo(action.id)
    for name in ("operator", "ann"):
        assert code_of(partial(story.desk.undo, action.id, by=name)) == "undo_unavailable"
    assert story.refunded() == 0


def test_an_undo_has_no_undo(story: Story) -> None:
    """H11: taking back what was taken back would be a refund, and goes the road of refunds."""
    undo = story.desk.undo(story.refund(SMALL).id)
    assert code_of(lambda: story.desk.undo(undo.id)) == "undo_unavailable"
    assert story.refunded() == 0


def test_the_window_closes(story: Story) -> None:
    """A day after it was done, to the millisecond: then the grade rises, and a person is asked."""
    first, second = story.refund(SMALL), story.refund("5.00 USD")
    story.later(DAY - 1)
    assert story.desk.undo(first.id).state is State.SUCCEEDED
    story.later(1)
    late = story.desk.undo(second.id, by="ann")
    assert (late.state, late.grade) == (State.PENDING, Grade.G2)
    assert story.row(late).reasons.startswith("late_undo")
    assert story.refunded() == 500
    assert story.refused(late, by="ann") == "maker_is_checker"
    assert story.approve(late, by="bea").state is State.SUCCEEDED
    assert story.refunded() == 0


def test_only_what_was_done_is_undone(story: Story) -> None:
    """H11: not what waits, what was refused, rejected or failed, or what has no undo."""
    waiting = story.refund(MIDDLE)
    assert code_of(lambda: story.desk.undo(waiting.id)) == "undo_unavailable"
    story.desk.review(waiting.id, "reject", by="ann", digest=waiting.digest, reason="no")
    assert code_of(lambda: story.desk.undo(waiting.id)) == "undo_unavailable"
    halt = story.desk.halt("kind", "refund.issue", by="ann").halt
    refused = story.refund(SMALL)
    story.desk.lift(halt.id, by="bea")
    assert refused.state is State.REFUSED
    assert code_of(lambda: story.desk.undo(refused.id)) == "undo_unavailable"
    read = story.desk.propose(story.task(), "ticket.read", ticket="T-103")
    assert code_of(lambda: story.desk.undo(read.id)) == "undo_unavailable"
    assert code_of(lambda: story.desk.undo("hr_nothing")) == "proposal_not_found"


def test_the_reversing_kind_does_not_run_by_itself(story: Story) -> None:
    """An agent cannot propose a reversal; it has to undo an action."""
    action = story.refund(SMALL)
    assert action.result is not None
    again = story.desk.propose(
        story.task(), "refund.reverse", {"refund": str(action.result["refund"])}
    )
    assert again.state is State.REFUSED
    assert story.refunded() == 1850


def test_a_lost_undo_is_found(story: Story) -> None:
    """The reversal happened and its answer was lost: it is looked up, and counts once."""
    action = story.refund(SMALL)
    story.fail(Fault.AFTER_EFFECT)
    undo = story.desk.undo(action.id)
    assert undo.state is State.UNKNOWN
    story.fail(None)
    story.later(MINUTE)
    story.desk.work()
    assert story.state(undo) is State.SUCCEEDED
    assert story.row(action).undone_by == undo.id
    assert story.refunded() == 0


def test_a_second_person_s_undo_waits_for_the_first(story: Story) -> None:
    """While one reversal is open, another one is refused with a clear word."""
    action = story.refund(SMALL)
    story.fail(Fault.BEFORE_EFFECT)
    story.desk.undo(action.id, by="ann")
    story.fail(None)
    assert code_of(lambda: story.desk.undo(action.id, by="bea")) == "undo_unavailable"
    story.later(MINUTE)
    story.desk.work()
    assert story.refunded() == 0


def test_an_undo_that_came_to_nothing_can_be_tried_again(story: Story) -> None:
    """The outside world was away until the reversal's time was over; then it is back."""
    action = story.refund(SMALL)
    story.fail(Fault.BEFORE_EFFECT)
    undo = story.desk.undo(action.id)
    story.later(HOUR)
    story.desk.work()
    assert story.state(undo) is State.FAILED
    story.fail(None)
    again = story.desk.undo(action.id)
    assert (again.id == undo.id, again.state) == (False, State.SUCCEEDED)
    assert story.refunded() == 0


def test_a_double_click_is_one_undo(story: Story) -> None:
    """Asked twice by the same person while it is under way, the answer is the same action."""
    action = story.refund(SMALL)
    story.fail(Fault.AFTER_EFFECT)
    first = story.desk.undo(action.id, by="ann")
    second = story.desk.undo(action.id, by="ann")
    assert first.id == second.id
    story.fail(None)
    story.later(10 * SECOND)
    story.desk.work()
    assert story.refunded() == 0


class _Forgetful(Sandbox):
    """A system of record that reverses and cannot be asked about it, until `remembers`."""

    remembers = False
    says = Looked.CANNOT_TELL

    def lookup(self, kind: str, key: str) -> Found:
        if kind == "refund.reverse" and not self.remembers:
            return Found(looked=self.says)
        return super().lookup(kind, key)


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[tuple[Story, _Forgetful]]:
    """A desk on such a system."""
    with (
        _Forgetful.open(tmp_path / "shop.db", now=NOW) as shop,
        Story(tmp_path / "desk", connectors={"desk": shop}) as story,
    ):
        yield story, shop
        story.check()


def test_an_undo_counts_once_it_was_verified(forgetful: tuple[Story, _Forgetful]) -> None:
    """Rule 7: what the connector says is looked up before the original counts as undone."""
    story, shop = forgetful
    action = story.refund(SMALL)
    undo = story.desk.undo(action.id)
    assert undo.state is State.UNKNOWN
    assert story.row(action).undone_by is None
    shop.remembers = True
    story.later(MINUTE)
    story.desk.work()
    assert story.state(undo) is State.SUCCEEDED
    assert story.row(action).undone_by == undo.id
    assert story.refunded() == 0


def test_an_undo_that_nobody_can_verify_goes_to_a_person(
    forgetful: tuple[Story, _Forgetful],
) -> None:
    """Rule 7: it stays open, a person is asked, and nothing claims that it was undone."""
    story, _ = forgetful
    action = story.refund(SMALL)
    undo = story.desk.undo(action.id)
    story.later(MINUTE)
    story.desk.work()
    assert story.state(undo) is State.UNKNOWN
    assert story.row(action).undone_by is None
    (escalation,) = story.desk.ctx.store.read(lambda tx: tx.escalations.open("main", most=9))
    assert (escalation.proposal, escalation.cause) == (undo.id, Cause.UNDO_UNVERIFIED)


class _Blind(Sandbox):
    """A system of record whose reversals cannot be looked up."""

    def kinds(self) -> Mapping[str, Capability]:
        known = dict(super().kinds())
        known["refund.reverse"] = Capability(kind="refund.reverse", promise=Promise.BLIND)
        return known


def test_a_policy_whose_undo_cannot_be_verified_is_refused(tmp_path: Path) -> None:
    """Rule 7: an undo is promised only when it can be looked up afterwards."""
    with _Blind.open(tmp_path / "shop.db", now=NOW) as shop:
        refused = code_of(lambda: Story(tmp_path / "desk", connectors={"desk": shop}))
    assert refused == "connector_unknown"


class _Refusing(Sandbox):
    """A system of record that says no to every refund."""

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        raise NotDone("the card was closed")


def test_a_failed_refund_is_not_undone(tmp_path: Path) -> None:
    """H11: the system of record said no, so there is nothing to take back."""
    with (
        _Refusing.open(tmp_path / "shop.db", now=NOW) as shop,
        Story(tmp_path / "desk", connectors={"desk": shop}) as story,
    ):
        failed = story.refund(SMALL)
        assert failed.state is State.FAILED
        assert code_of(lambda: story.desk.undo(failed.id)) == "undo_unavailable"
        story.check()
