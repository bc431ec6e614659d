"""Nobody can tell, so people do: one for what moves no money, two who agree for what does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from handrail.connectors.protocol import Promise, Receipt
from handrail.core.lifecycle import State
from handrail.surfaces.embedded import Action
from tests.engine.connectors import Execute, Front
from tests.engine.stories import HOUR, MINUTE, SMALL, Story, code_of


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """A front that promises nothing and loses every answer."""
    made = Front(tmp_path / "desk.db", promise=Promise.BLIND)

    def lost(execute: Execute) -> Receipt:
        execute()
        raise TimeoutError

    made.doing = lost
    yield made
    made.close()


@pytest.fixture
def story(tmp_path: Path, front: Front) -> Iterator[Story]:
    """A desk whose world stands behind `front`."""
    with Story(tmp_path / "desk", connectors={"desk": front}) as told:
        yield told
        told.check()


@pytest.fixture
def lost(story: Story) -> Action:
    """A small refund of which nobody knows whether it was done."""
    action = story.refund(SMALL)
    story.later(MINUTE)
    assert action.state is State.UNKNOWN
    return action


def _says(story: Story, action: Action, by: str, *, done: bool, ref: str | None = None) -> Action:
    return story.desk.settle(
        action.id, by=by, done=done, evidence="I looked at the ledger", provider_ref=ref
    )


def _taken(story: Story) -> int:
    rules = story.desk.ctx.rulebook("main").policy.caps
    uses = story.desk.ctx.store.read(lambda tx: tx.caps.uses("main", rules, tx.now))
    return sum(use.used for use in uses)


@pytest.mark.parametrize("done", [True, False])
def test_two_people_settle_money(story: Story, lost: Action, done: bool) -> None:
    """H1, H8: one is not enough; the second who says the same settles it, and the caps follow."""
    assert _says(story, lost, "ann", done=done).state is State.UNKNOWN
    assert _taken(story) > 0
    settled = _says(story, lost, "bea", done=done)
    assert settled.state is (State.SUCCEEDED if done else State.FAILED)
    assert (_taken(story) > 0) is done
    assert story.tags(lost)[-3:] == [
        "execution.testified",
        "execution.testified",
        "execution.confirmed",
    ]


def test_the_same_person_twice_is_one(story: Story, lost: Action) -> None:
    """Saying it again, or from a second account, is still one person."""
    story.desk.person("ann-2", identity="ann")
    for person in ("ann", "ann", "ann-2"):
        assert _says(story, lost, person, done=True).state is State.UNKNOWN


def test_makers_do_not_settle(story: Story, lost: Action) -> None:
    """D1: who answers for the agent says nothing about its money."""
    for person in ("boss", "otto"):
        code = code_of(lambda: _says(story, lost, person, done=False))  # noqa: B023
        assert code == "maker_is_checker"


def test_disagreement_stays_unknown(story: Story, lost: Action) -> None:
    """One says yes and one says no: nothing moves, a person is told; a change of mind settles."""
    _says(story, lost, "ann", done=True)
    assert _says(story, lost, "bea", done=False).state is State.UNKNOWN
    assert story.open_escalations() == [lost.id]
    assert _says(story, lost, "carl", done=True).state is State.UNKNOWN
    assert _says(story, lost, "bea", done=True).state is State.SUCCEEDED


def test_one_person_settles_what_moves_no_money(story: Story) -> None:
    """A draft of which nobody knows whether it was kept."""
    fields = {"ticket": "T-103", "body": "Dear Priya"}
    action = story.desk.propose(story.task(), "reply.draft", fields)
    assert action.state is State.UNKNOWN
    story.later(MINUTE)
    assert _says(story, action, "ann", done=False).state is State.FAILED


def test_not_while_it_may_be_under_way(story: Story) -> None:
    """H6: the attempt's own deadline has to pass first."""
    action = story.refund(SMALL)
    assert code_of(lambda: _says(story, action, "ann", done=False)) == "outcome_too_early"


def test_not_before_the_system_of_record_has_settled(
    story: Story, front: Front, lost: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H1: what is accepted may come about later, so that nobody sees it yet who looks too soon."""
    slow = {
        name: msgspec.structs.replace(found, settled_after_ms=HOUR)
        for name, found in front.kinds().items()
    }
    monkeypatch.setattr(front, "kinds", lambda: slow)
    assert code_of(lambda: _says(story, lost, "ann", done=False)) == "outcome_too_early"
    story.later(HOUR)
    assert _says(story, lost, "ann", done=False).state is State.UNKNOWN


def test_a_reference_belongs_to_one_action(story: Story, front: Front, lost: Action) -> None:
    """Two actions never share a provider's reference; two names for one effect disagree."""
    front.doing = lambda execute: execute()
    other = story.refund("2.00 USD")
    taken = story.row(other).provider_ref
    assert code_of(lambda: _says(story, lost, "ann", done=True, ref=taken)) == "provider_ref_taken"
    _says(story, lost, "ann", done=True, ref="R-1")
    assert _says(story, lost, "bea", done=True, ref="R-2").state is State.UNKNOWN
    settled = _says(story, lost, "bea", done=True, ref="R-1")
    assert settled.state is State.SUCCEEDED
    assert story.row(settled).provider_ref == "R-1"


def test_what_is_known_is_not_settled(story: Story, front: Front, lost: Action) -> None:
    """Words without evidence, a reference of what was not done, and a known outcome: refused."""
    assert (
        code_of(lambda: story.desk.settle(lost.id, by="ann", done=True, evidence=" "))
        == "reason_missing"
    )
    assert code_of(lambda: _says(story, lost, "ann", done=False, ref="R-1")) == "field_malformed"
    assert code_of(lambda: _says(story, lost, "nobody", done=True)) == "not_entitled"
    front.doing = lambda execute: execute()
    other = story.refund("2.00 USD")
    assert code_of(lambda: _says(story, other, "ann", done=True)) == "not_pending"


def test_what_was_said_of_one_attempt_is_not_said_of_the_next(story: Story, front: Front) -> None:
    """A testimony is about one attempt; when it was looked up and sent again, it is void."""
    front.promise = Promise.KEYED

    def never(execute: Execute) -> Receipt:
        raise TimeoutError

    front.doing = never
    action = story.refund(SMALL)
    story.later(MINUTE)
    _says(story, action, "ann", done=True)
    story.desk.work()
    assert story.row(action).attempt == 2
    story.later(MINUTE)
    assert _says(story, action, "bea", done=True).state is State.UNKNOWN


def test_a_confirmed_refund_can_be_undone(story: Story, front: Front, lost: Action) -> None:
    """What people found done is done: it has a reference, an undo window, and a place in caps."""
    ref = front.desk.lookup("refund.issue", lost.id).receipt
    assert ref is not None
    _says(story, lost, "ann", done=True, ref=ref.provider_ref)
    _says(story, lost, "bea", done=True)
    front.doing = lambda execute: execute()
    assert story.desk.undo(lost.id, by="ann").state is State.SUCCEEDED
    story.later(HOUR)
