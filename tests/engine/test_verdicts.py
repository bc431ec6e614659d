"""Verdicts bind what was shown, on one desk, once; and of two at a time the log says which came."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

import handrail
from handrail.core.lifecycle import State
from handrail.errors import HandrailError
from handrail.surfaces.embedded import Action
from tests.engine.stories import HUGE, LARGE, MIDDLE, Story, code_of


def _at_once(*calls: Callable[[], Action]) -> list[str]:
    """Every call in a thread of its own, all let go together: its state, or the code it ends in."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Action]) -> str:
        start.wait()
        try:
            return call().state.value
        except HandrailError as error:
            return error.code

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def _say(story: Story, action: Action, verdict: str, by: str) -> Callable[[], Action]:
    return lambda: story.desk.review(
        action.id, verdict, by=by, digest=action.digest, reason="because"
    )


@pytest.mark.parametrize("turn", range(8))
def test_yes_and_no_at_once_have_an_order(story: Story, turn: int) -> None:
    """E4: what is written first counts; the other one is told that it comes too late."""
    action = story.refund(MIDDLE)
    yes, no = _say(story, action, "approve", "ann"), _say(story, action, "reject", "bea")
    said = _at_once(*((yes, no) if turn % 2 else (no, yes)))
    tags = [tag for tag in story.tags(action) if tag in ("action.approved", "action.rejected")]
    assert len(tags) == 1
    if tags == ["action.approved"]:
        assert sorted(said) == ["SUCCEEDED", "not_pending"]
        assert story.refunded() == 12_000
    else:
        assert sorted(said) == ["REJECTED", "not_pending"]
        assert story.refunded() == 0


@pytest.mark.parametrize("turn", range(4))
def test_a_no_beside_the_last_of_two_yeses(story: Story, turn: int) -> None:
    """E4: with one approval in, the second one and a rejection race; never both."""
    action = story.refund(HUGE, "O-5005")
    story.approve(action, by="carl")
    said = _at_once(_say(story, action, "approve", "cora"), _say(story, action, "reject", "ann"))
    done = story.state(action) is State.SUCCEEDED
    assert sorted(said) == (["SUCCEEDED", "not_pending"] if done else ["REJECTED", "not_pending"])
    assert story.refunded("O-5005") == (600_000 if done else 0)


def test_a_double_click_is_one_decision(story: Story) -> None:
    """E1, E6: eight tabs of one person at once: one review, one effect."""
    action = story.refund(HUGE, "O-5005")
    said = _at_once(*(_say(story, action, "approve", "carl") for _ in range(8)))
    assert sorted(said) == ["PENDING", *["reviewed_already"] * 7]
    last = _at_once(*(_say(story, action, "approve", "cora") for _ in range(8)))
    assert last.count("SUCCEEDED") == 1
    assert set(last) <= {"SUCCEEDED", "not_pending"}
    reviews = story.desk.ctx.store.read(lambda tx: tx.proposals.reviews("main", action.id))
    assert [one.n for one in reviews] == [1, 2]
    assert story.refunded("O-5005") == 600_000


def test_an_edit_and_an_approval_at_once(story: Story) -> None:
    """A11, E4: either the original runs, or it is dead and the new one waits."""
    action = story.refund(LARGE, "O-5005")
    said = _at_once(
        _say(story, action, "approve", "carl"),
        lambda: story.desk.edit(action.id, by="cora", digest=action.digest, reason="late"),
    )
    if story.state(action) is State.SUCCEEDED:
        assert sorted(said) == ["SUCCEEDED", "not_pending"]
    else:
        assert story.state(action) is State.SUPERSEDED
        assert sorted(said) == ["PENDING", "not_pending"]
        assert story.refunded("O-5005") == 0


def test_a_no_after_it_ran_is_too_late(story: Story) -> None:
    """E4: it is told so, and nothing is changed by it."""
    action = story.approve(story.refund(MIDDLE))
    assert story.refused(action, by="bea", verdict="reject") == "not_pending"
    assert story.state(action) is State.SUCCEEDED


def test_an_approval_is_for_one_desk(tmp_path: Path) -> None:
    """E3: the same action on another desk has another digest, and an approval for one is none."""
    digests, ids = [], []
    for name in ("staging", "production"):
        with handrail.open(tmp_path / "desks", desk=name) as desk:
            desk.person("ann")
            task = desk.task(ticket="T-103")
            fields = {"order": "O-5003", "amount": MIDDLE, "reason": "damaged"}
            action = desk.propose(task, "refund.issue", fields)
            digests.append(action.digest)
            ids.append(action.id)
            assert desk.show(action.id, by="ann").artifact["desk"] == name
    assert digests[0] != digests[1]
    with handrail.open(tmp_path / "desks", desk="production") as desk:
        stale = lambda: desk.review(ids[1], "approve", by="ann", digest=digests[0])  # noqa: E731
        assert code_of(stale) == "stale_digest"
        other = lambda: desk.review(ids[0], "approve", by="ann", digest=digests[0])  # noqa: E731
        assert code_of(other) == "proposal_not_found"
