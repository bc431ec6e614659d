"""A start with another policy than the active one, and a store that somebody wrote into."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import handrail
from handrail.core.amendment import AmendmentState
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.engine.governing.amendment import (
    amendment_reason,
)
from handrail.engine.governing.desks import activate_policy
from handrail.errors import InvariantBroken
from handrail.policy.loader import digest_policy
from tests.engine.lives import RUN_TO_5, RUN_TO_500, Life, version, written
from tests.engine.stories import DAY, MIDDLE, MINUTE, SMALL, Story, code_of, pack


def test_a_file_that_was_made_looser_is_not_taken_up(life: Life) -> None:
    """N1, N2: edited on disk and started with, the last good one stays, and people are told."""
    life.story.reopen(version(2, RUN_TO_500))
    assert life.active().version == 1
    assert life.story.refund(MIDDLE).state is State.PENDING
    assert life.tags()[1:] == ["policy.proposed", "policy.kept"]
    told = life.ctx.store.read(lambda tx: tx.escalations.open("main", most=9))
    assert [one.cause.value for one in told] == ["policy_kept"]
    # Nobody answers for it: it takes two people besides whoever started the server.
    life.story.later(MINUTE)
    (amendment,) = life.ctx.store.read(lambda tx: tx.amendments.open("main"))
    assert amendment.proposed_by == "operator"
    taken = life.approve(amendment, by="quin")
    assert (taken.state, taken.proposed_by) == (AmendmentState.PROPOSED, "quin")
    assert code_of(lambda: life.approve(amendment, by="quin")) == "own_authority"
    life.approve(amendment, by="pat")
    life.story.later(DAY)
    life.story.desk.work()
    assert life.active().version == 2
    life.story.reopen()
    assert life.active().version == 2


def test_a_file_without_a_higher_version_is_not_taken_up(life: Life) -> None:
    """N1, N3: edited in place it stays out, stricter or not, and is told once, not proposed."""
    for change in (RUN_TO_500, RUN_TO_5):
        life.story.reopen(pack(change))
        life.story.reopen()
        assert life.active().digest == pack().digest
    assert life.ctx.store.read(lambda tx: tx.amendments.open("main")) == []
    assert life.tags()[1:] == ["policy.kept"] * 4
    told = life.ctx.store.read(lambda tx: tx.escalations.open("main", most=9))
    assert len(told) == 1


def test_a_stricter_file_is_taken_up(life: Life) -> None:
    """N2: of a higher version and nowhere looser: active from the start."""
    life.story.reopen(version(2, RUN_TO_5))
    assert life.active().version == 2
    assert life.story.refund(SMALL).state is State.PENDING


def test_without_policy_owners_the_operator_decides(story: Story) -> None:
    """N2: nobody on the desk may approve policies: the start takes it up, and the log says so."""
    story.reopen(pack(RUN_TO_500))
    entries = story.desk.ctx.store.read(lambda tx: tx.log.latest("main", before=10**6, most=1))
    data = entries[0].entry.data
    assert (entries[0].entry.tag, data["unasked"]) == ("policy.activated", True)
    assert data["looser"]
    assert story.refund(MIDDLE).state is State.SUCCEEDED


def test_opening_without_naming_a_policy_goes_on(life: Life) -> None:
    """N1: the default pack is for new desks; an old one keeps what is active."""
    life.activate(life.propose(version(2, RUN_TO_5)))
    life.story.close()
    with handrail.open(life.story.folder, clock=life.story.clock) as desk:
        assert desk.ctx.rulebook("main").policy.version == 2
    life.story.reopen(version(2, RUN_TO_5))


def test_a_row_that_was_forged_does_not_become_active(life: Life) -> None:
    """N2: an approval that was written into the database, not given, activates nothing."""
    amendment = life.propose(version(2, RUN_TO_500))
    life.story.close()
    written(life, "state = 'approved', approved_by = 'quin', approved_at = 1, ready_at = 1")
    life.story.reopen()
    assert not life.story.desk.verify().good
    with pytest.raises(InvariantBroken):
        life.activate(amendment)
    with pytest.raises(InvariantBroken):
        life.story.desk.work()
    assert life.active().version == 1
    life.story.close()
    written(life, "state = 'proposed', approved_by = NULL, approved_at = NULL, ready_at = NULL")
    life.story.reopen()


def test_what_was_approved_before_meets_the_stricter_of_both(life: Life) -> None:
    """N2: activated by the life cycle, the stricter policy also binds what was ready to run."""
    action = life.story.refund(MIDDLE)
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
    life.ctx.store.write(review_unit(life.ctx, "main", action.id, opinion))
    stricter = (
        '- {up_to: "1000.00", grade: G2, control: approve}',
        '- {up_to: "100.00", grade: G2, control: approve}',
    )
    life.activate(life.propose(version(2, stricter)))
    life.story.desk.work()
    assert life.story.state(action) is State.PENDING
    assert life.story.row(action).control is Control.MAKER_CHECKER
    assert life.story.refunded() == 0


def test_nothing_personal_is_in_the_log(life: Life) -> None:
    """The reason is sealed; the log holds ids, digests and numbers."""
    amendment = life.propose(version(2, RUN_TO_500), reason="because Mrs Smith asked")
    said = life.ctx.store.read(lambda tx: amendment_reason(tx, amendment))
    assert said == "because Mrs Smith asked"
    entries = life.ctx.store.read(lambda tx: tx.log.latest("main", before=10**6, most=99))
    assert b"Smith" not in b"".join(msgspec.json.encode(one.entry) for one in entries)


def test_a_kind_that_a_policy_dropped_is_held(life: Life) -> None:
    """N10: a policy that drops a kind holds it for two, as what no policy knows."""
    without = pack()
    kinds = {name: rule for name, rule in without.kinds.items() if name != "credit.grant"}
    assert "credit.grant" in without.kinds
    less = msgspec.structs.replace(without, kinds=kinds, version=2, digest="")
    activate_policy(
        life.ctx,
        "main",
        msgspec.structs.replace(less, digest=digest_policy(less)),
        actor="operator",
    )
    task = life.story.task()
    action = life.story.desk.propose(task, "credit.grant", {"amount": "1.00 USD"})
    assert (action.control, action.state) == (Control.MAKER_CHECKER, State.PENDING)


def test_a_stored_policy_that_was_edited_does_not_open(tmp_path: Path) -> None:
    """N1: the body of a proposed policy is the one that was proposed, to the letter."""
    story = Story(tmp_path / "own")
    life = Life(story)
    amendment = life.propose(version(2, RUN_TO_500))
    story.close()
    written(life, "body = replace(body, 'maker_checker', 'run_and_log')")
    story.desk = story._opened()
    assert code_of(lambda: life.approve(amendment)) == "log_damaged"
    story.close()
