"""Somebody with write access to the database, between the decision and the dispatch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import apsw
import pytest

from handrail.core.escalation import Cause
from handrail.core.lifecycle import State
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.surfaces.embedded import Action
from tests.engine.stories import HOUR, HUGE, MIDDLE, SECOND, SMALL, Story, pack


@pytest.fixture
def tampered(tmp_path: Path) -> Iterator[Story]:
    """A desk whose log is not expected to verify afterwards."""
    with Story(tmp_path / "desk") as told:
        yield told


def _behind_its_back(story: Story, *statements: str) -> None:
    """Change the stopped desk's database with the triggers out of the way; then go on."""
    story.close()
    db = apsw.Connection(str(story.folder / "handrail.db"))
    for (name,) in list(db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")):
        db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        db.execute(statement)
        assert db.changes() > 0, statement
    db.close()
    story.desk = story._opened()


def _told(story: Story) -> list[str | None]:
    """The actions of which people were told that somebody changed them."""
    found = story.desk.ctx.store.read(lambda tx: tx.escalations.open("main", most=99))
    return [one.proposal for one in found if one.cause is Cause.TAMPERED]


def _pending(story: Story) -> Action:
    return story.refund(MIDDLE)


def _half_approved(story: Story) -> Action:
    action = story.refund(HUGE, "O-5005")
    story.approve(action, by="carl")
    return action


def _approved(story: Story) -> Action:
    """Approved, and the process ended before it ran."""
    action = story.refund(MIDDLE)
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
    story.desk.ctx.store.write(review_unit(story.desk.ctx, "main", action.id, opinion))
    return action


def _two_approved(story: Story) -> Action:
    """Two of them: the first is for little money, the second for more."""
    _approved_of(story, "60.00 USD")
    return _approved(story)


def _approved_of(story: Story, amount: str) -> Action:
    action = story.refund(amount)
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
    story.desk.ctx.store.write(review_unit(story.desk.ctx, "main", action.id, opinion))
    return action


_READY: Final = "UPDATE proposal SET state = 'READY', execute_by = 9999999999999"
_SWAP: Final = (
    "UPDATE content SET sealed = (SELECT c.sealed FROM content c JOIN proposal p ON p.id = c.id"
    " WHERE c.slot = 'content' AND p.value_minor = 6000) WHERE slot = 'content'"
    " AND id = (SELECT id FROM proposal WHERE value_minor = 12000)"
)
ATTACKS: Final[dict[str, tuple[Callable[[Story], Action], tuple[str, ...]]]] = {
    "made ready without an approval": (_pending, (_READY,)),
    "made ready on half of the approvals": (_half_approved, (_READY,)),
    "needs fewer checkers now": (_half_approved, (f"{_READY}, checkers = 1",)),
    "needs nobody now": (_pending, (f"{_READY}, control = 'run_and_notify'",)),
    "an approval for something else": (
        _approved,
        ("UPDATE review SET statement = 'something else'",),
    ),
    "an approval taken away": (_approved, ("DELETE FROM review",)),
    "an approval that was a no": (_approved, ("UPDATE review SET verdict = 'reject'",)),
    "another digest": (_approved, ("UPDATE proposal SET digest = 'd'",)),
    "another statement": (
        _approved,
        ("UPDATE proposal SET statement = 's'", "UPDATE review SET statement = 's'"),
    ),
    "another kind": (_approved, ("UPDATE proposal SET kind = 'credit.grant'",)),
    "another action's content": (_two_approved, (_SWAP,)),
    "content taken away": (_approved, ("DELETE FROM content WHERE slot = 'content'",)),
    "content cut short": (
        _approved,
        ("UPDATE content SET sealed = CAST(substr(sealed, 1, 40) AS BLOB) WHERE slot = 'content'",),
    ),
    "a smaller amount for the caps": (_approved, ("UPDATE proposal SET value_minor = 1",)),
    "another customer for the caps": (_approved, ("UPDATE proposal SET subject = 'sub_0'",)),
    "more time": (_approved, ("UPDATE proposal SET execute_by = execute_by * 2",)),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_what_was_tampered_with_does_not_run(tampered: Story, what: str) -> None:
    """A2: no money moves for it; people are told once, and the log still says what was changed."""
    prepare, statements = ATTACKS[what]
    action = prepare(tampered)
    _behind_its_back(tampered, *statements)
    before = tampered.refunded(), tampered.refunded("O-5005")
    for _ in range(3):
        tampered.desk.work()
    assert tampered.desk.get(action.id).state is not State.SUCCEEDED
    moved = tampered.refunded() - before[0], tampered.refunded("O-5005") - before[1]
    assert moved[0] in (0, 6_000 if prepare is _two_approved else 0)
    assert moved[1] == 0
    assert _told(tampered) == [action.id]
    # Sealed content is not in the log: that it was changed shows when it is opened.
    assert tampered.desk.verify().good is ("content" in what)


def test_a_forged_review_does_not_count(tampered: Story) -> None:
    """The first of two approvals was pushed into the database: the second one is turned down."""
    action = tampered.refund(HUGE, "O-5005")
    _behind_its_back(
        tampered,
        "INSERT INTO review SELECT desk, id, 1, 'carl', 'carl', 'approve', statement, created_at,"
        f" 0, NULL FROM proposal WHERE id = '{action.id}'",
    )
    assert tampered.refused(action, by="cora") == "tampered"
    assert tampered.state(action) is State.PENDING
    assert tampered.refunded("O-5005") == 0


def test_an_edited_action_is_not_whitewashed(tampered: Story) -> None:
    """No later move writes what was edited into the log as if it had been so all along."""
    action = tampered.refund(MIDDLE)
    _behind_its_back(tampered, "UPDATE proposal SET value_minor = 1200")
    assert not tampered.desk.verify().good
    for verdict in ("approve", "reject", "escalate"):
        assert tampered.refused(action, by="ann", verdict=verdict) == "tampered"
    tampered.later(5 * HOUR)
    assert tampered.desk.work().failed == 1
    assert tampered.state(action) is State.PENDING
    assert _told(tampered) == [action.id]
    assert not tampered.desk.verify().good


def test_what_was_left_alone_holds_up_nothing(tampered: Story) -> None:
    """A2: the others that wait run and expire as ever, in the very sweep that meets it."""
    bad, good = _approved(tampered), _approved_of(tampered, "60.00 USD")
    late = tampered.refund(MIDDLE, "O-5004")
    _behind_its_back(tampered, f"UPDATE proposal SET value_minor = 1 WHERE id = '{bad.id}'")
    before = tampered.refunded()
    swept = tampered.desk.work()
    assert (swept.ran, swept.failed) == (1, 1)
    assert tampered.state(good) is State.SUCCEEDED
    assert tampered.refunded() - before == 6_000
    tampered.later(5 * HOUR)
    tampered.desk.work()
    assert tampered.state(late) is State.EXPIRED
    assert tampered.state(bad) is State.READY


def test_the_hand_off_is_taken_from_the_log(tampered: Story) -> None:
    """A2: whom and which task it is about is what the log says, not what was written over it."""
    action = _approved(tampered)
    row = tampered.row(action)
    _behind_its_back(tampered, "UPDATE proposal SET subject = 'sub_0', task = 'tk_0', agent = 'x'")
    tampered.desk.work()
    (told,) = tampered.desk.ctx.store.read(lambda tx: tx.escalations.open("main", most=9))
    assert (told.task, told.agent, told.subject) == (row.task, row.agent, row.subject)
    assert "somebody changed the record" in tampered.desk.handed_over(told.id).said[0]
    said = [finding.what for finding in tampered.desk.verify().findings]
    assert said == ["the row of an action was changed outside the log"]


def test_it_is_told_again_when_it_was_put_right_and_changed_again(tampered: Story) -> None:
    """A2: a hand-off that was closed is not opened anew for the same thing, but for a new one."""
    action = tampered.refund(MIDDLE)
    _behind_its_back(tampered, "UPDATE proposal SET value_minor = 1200")
    for _ in range(2):
        assert tampered.refused(action, by="ann") == "tampered"
    (told,) = tampered.desk.ctx.store.read(lambda tx: tx.escalations.open("main", most=9))
    tampered.desk.close_escalation(told.id, by="ann")
    assert tampered.refused(action, by="ann") == "tampered"
    assert _told(tampered) == []
    _behind_its_back(tampered, "UPDATE proposal SET value_minor = 12000")
    tampered.later(SECOND)
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
    tampered.desk.ctx.store.write(review_unit(tampered.desk.ctx, "main", action.id, opinion))
    _behind_its_back(tampered, "UPDATE proposal SET value_minor = 1")
    tampered.desk.work()
    assert _told(tampered) == [action.id]
    assert tampered.refunded() == 0


def test_a_waiting_action_with_another_digest_does_not_run(tampered: Story) -> None:
    """Also where nobody was asked: what waits for room is looked at again before it runs."""
    tampered.reopen(pack(("money: 20000.00 USD, window: 24h", "money: 20.00 USD, window: 24h")))
    tampered.refund("20.00 USD")
    action = tampered.refund(SMALL, "O-5001")
    assert action.state is State.READY
    tampered.policy = pack()
    _behind_its_back(tampered, f"UPDATE proposal SET digest = 'd' WHERE id = '{action.id}'")
    assert tampered.desk.work().failed == 1
    assert tampered.state(action) is State.READY
    assert _told(tampered) == [action.id]
    assert tampered.refunded("O-5001") == 0
