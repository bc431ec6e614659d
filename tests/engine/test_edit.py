"""Edits: what a person corrects is a new action, and they are among its makers."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.engine.governing.desks import activate_policy
from tests.engine.stories import HOUR, LARGE, MIDDLE, Story, code_of, pack


def test_an_edit_takes_the_place_of_the_original(story: Story) -> None:
    """A11, D6: the old one is dead, the new one has another digest, and another person decides."""
    old = story.refund(MIDDLE)
    new = story.desk.edit(old.id, by="ann", digest=old.digest, reason="late")
    assert new.id != old.id
    assert new.digest not in ("", old.digest)
    assert (story.state(old), new.state) == (State.SUPERSEDED, State.PENDING)
    assert story.row(old).superseded_by == new.id
    assert (story.row(new).supersedes, story.row(new).editor) == (old.id, "ann")
    assert story.row(new).task == story.row(old).task
    assert story.refused(old, by="bea") == "not_pending"
    assert story.refused(new, by="ann") == "maker_is_checker"
    assert story.refused(new, by="boss") == "maker_is_checker"
    assert story.approve(new, by="bea").state is State.SUCCEEDED
    assert story.refunded() == 12_000
    assert story.tags(old)[-1] == "action.superseded"
    says = story.desk.get(old.id).says
    assert new.id in says
    assert "ann" not in says


def test_who_only_lowers_an_amount_may_pass_it_up_to_g2(story: Story) -> None:
    """A11: one person is enough for less money; nothing else may differ."""
    old = story.refund(MIDDLE)
    new = story.desk.edit(old.id, by="ann", amount="100.00 USD")
    assert story.row(new).grade is Grade.G2
    assert story.row(new).editor is None
    assert story.approve(new, by="ann").state is State.SUCCEEDED
    assert story.refunded() == 10_000


def test_lowering_and_something_else_is_not_only_lowering(story: Story) -> None:
    """A11: then the editor is a maker like any other."""
    new = story.desk.edit(story.refund(MIDDLE).id, by="ann", amount="100.00 USD", reason="late")
    assert story.refused(new, by="ann") == "maker_is_checker"


def test_above_g2_the_editor_never_passes_it(story: Story) -> None:
    """A11: neither what is large, nor what was large and is small now: the guard stays."""
    for amount in ("2000.00 USD", "10.00 USD"):
        old = story.refund(LARGE, "O-5005")
        new = story.desk.edit(old.id, by="carl", amount=amount)
        row = story.row(new)
        assert (row.grade, row.control, row.checkers) == (Grade.G3, story.row(old).control, 1)
        assert story.refused(new, by="carl") == "maker_is_checker"
        assert story.approve(new, by="cora").state is State.SUCCEEDED


@pytest.mark.parametrize("edits", [1, 2])
def test_who_lowered_what_is_above_g2_later_does_not_pass_it(story: Story, edits: int) -> None:
    """A11, F3: allowed at G2, put to people anew at G3. Whoever only lowered it is a maker then."""
    to_100 = '- {up_to: "100.00", grade: G2, control: approve}'
    lowered = story.desk.edit(story.refund("150.00 USD").id, by="carl", amount="130.00 USD")
    if edits == 2:
        lowered = story.desk.edit(lowered.id, by="bea", amount=MIDDLE)
    story.desk.review(lowered.id, "approve", by="ann", digest=lowered.digest, take_back_ms=1_000)
    stricter = pack((to_100.replace("100.00", "1000.00"), to_100))
    activate_policy(story.desk.ctx, "main", stricter, actor="cora")
    story.later(2_000)
    story.desk.work()
    anew = story.desk.get(lowered.id)
    assert (anew.state, story.row(anew).grade) == (State.PENDING, Grade.G3)
    assert story.refused(anew, by="carl") == "maker_is_checker"
    assert story.approve(anew, by="cora").state is State.SUCCEEDED


def test_every_editor_of_a_row_of_edits_is_a_maker(story: Story) -> None:
    """D6: also when the last one only lowered the amount."""
    first = story.desk.edit(story.refund(MIDDLE).id, by="ann", reason="late")
    second = story.desk.edit(first.id, by="bea", amount="90.00 USD")
    assert story.refused(second, by="ann") == "maker_is_checker"
    assert story.approve(second, by="bea").state is State.SUCCEEDED


# what is changed | the code
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("more money", {"amount": "120.01 USD"}, "amount_raised"),
    ("other money", {"amount": "100.00 EUR"}, "amount_raised"),
    ("nothing", {}, "edit_refused"),
    ("the same", {"amount": "120.00 USD"}, "edit_refused"),
    ("another customer's order", {"order": "O-5001"}, "edit_refused"),
    ("an order that is not there", {"order": "O-9999"}, "subject_unknown"),
    ("a field that is not there", {"colour": "red"}, "field_unknown"),
    ("a needed field left out", {"order": None}, "field_missing"),
    ("no amount", {"amount": None}, "field_missing"),
    ("no reason that there is", {"reason": "whim"}, "field_malformed"),
]


@pytest.mark.parametrize(
    ("changes", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_no_edit_does(story: Story, changes: dict[str, Any], code: str) -> None:
    """A11: never more money, never outside the lane of the task; and then nothing has changed."""
    old = story.refund(MIDDLE)
    size = story.desk.verify().size
    assert code_of(lambda: story.desk.edit(old.id, changes, by="ann")) == code
    assert story.state(old) is State.PENDING
    assert story.desk.verify().size == size


# who | the code, or none
EDITORS = [
    ("ann", None),
    ("boss", None),
    ("audra", "not_entitled"),
    ("bot", "not_entitled"),
    ("nobody", "not_entitled"),
    ("gateway", "not_entitled"),
]


@pytest.mark.parametrize(("who", "code"), EDITORS)
def test_who_may_say_no_may_correct(story: Story, who: str, code: str | None) -> None:
    """D3: no agent, and nobody without the role; its owner may, and is its maker anyway."""
    story.desk.person("audra", roles=("auditor",))
    old = story.refund(MIDDLE)
    if code is None:
        assert story.desk.edit(old.id, by=who, reason="late").state is State.PENDING
    else:
        assert code_of(lambda: story.desk.edit(old.id, by=who, reason="late")) == code


def test_an_edit_is_for_what_was_shown_and_still_waits(story: Story) -> None:
    """E2, F7: another digest, a decided action, one whose time is over, and a second click."""
    old = story.refund(MIDDLE)

    def edit(digest: str = old.digest) -> object:
        return story.desk.edit(old.id, by="ann", digest=digest, reason="late")

    assert code_of(lambda: edit("0" * 64)) == "stale_digest"
    edit()
    assert code_of(edit) == "not_pending"
    late = story.refund(MIDDLE)
    story.later(5 * HOUR)
    assert code_of(lambda: story.desk.edit(late.id, by="ann", reason="late")) == "review_expired"
    missing = "hr_" + "0" * 32
    assert code_of(lambda: story.desk.edit(missing, by="ann", reason="late")) == (
        "proposal_not_found"
    )


def test_a_checker_who_has_approved_does_not_edit(story: Story) -> None:
    """D10: one say each; the second checker's edit asks both anew."""
    old = story.refund("6000.00 USD", "O-5005")
    story.approve(old, by="carl")
    assert code_of(lambda: story.desk.edit(old.id, by="carl", reason="late")) == "reviewed_already"
    new = story.desk.edit(old.id, by="cora", reason="late")
    assert story.desk.show(new.id, by="carl").reviews == ()
    assert story.row(new).checkers == 2


def test_an_edit_outlives_its_task_and_stays_in_its_lane(story: Story) -> None:
    """The task of the agent may be over by then; its lane still holds."""
    old = story.refund(MIDDLE)
    story.later(HOUR)
    story.reopen(pack(('  support: {kinds: "*"}', "  support: {kinds: [ticket.read]}")))
    assert code_of(lambda: story.desk.edit(old.id, by="ann", reason="late")) == "edit_refused"
    story.reopen("support-desk")
    assert story.desk.edit(old.id, by="ann", reason="late").state is State.PENDING


def test_what_runs_in_the_agent_is_edited_before_the_permit(story: Story) -> None:
    """The original cannot be claimed any more, by whatever way."""
    old = story.refund(MIDDLE)
    new = story.desk.edit(old.id, by="ann", amount="60.00 USD")
    story.desk.work()
    assert story.state(old) is State.SUPERSEDED
    assert story.refunded() == 0
    story.approve(new, by="bea")
    assert story.refunded() == 6_000
