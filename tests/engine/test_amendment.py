"""The life of a policy: stricter at once, looser by two people after a delay, always forward."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from handrail.core.amendment import AmendmentState
from handrail.core.lifecycle import State
from handrail.engine.access.people import Changes, change_principal_unit
from handrail.engine.governing.comparison import differences_of
from tests.engine.lives import DELAY_1H, RUN_TO_5, RUN_TO_500, Life, version
from tests.engine.stories import DAY, HOUR, MIDDLE, MINUTE, SMALL, code_of


def test_stricter_is_active_at_once(life: Life) -> None:
    """N2: what gets nowhere looser needs nobody else: proposed, activated, and followed."""
    amendment = life.propose(version(2, RUN_TO_5))
    assert (amendment.looser, amendment.tighter > 0) == (0, True)
    assert life.story.refund(SMALL).state is State.SUCCEEDED
    done = life.activate(amendment)
    assert done.state is AmendmentState.ACTIVATED
    assert life.active().digest == amendment.digest
    assert life.story.refund(SMALL).state is State.PENDING
    assert life.tags() == ["policy.activated", "policy.proposed", "policy.activated"]


def test_looser_takes_two_people_and_a_day(life: Life) -> None:
    """N2: not the one who proposed it, not before the active policy's delay is over."""
    amendment = life.propose(version(2, RUN_TO_500))
    assert amendment.looser > 0
    assert code_of(lambda: life.activate(amendment)) == "amendment_waits"
    assert code_of(lambda: life.approve(amendment, by="pat")) == "own_authority"
    approved = life.approve(amendment)
    assert approved.ready_at == life.story.clock.now + DAY
    for who in ("pat", "quin"):
        assert code_of(partial(life.activate, amendment, by=who)) == "amendment_waits"
    life.story.later(DAY - 1)
    assert code_of(lambda: life.activate(amendment)) == "amendment_waits"
    assert life.story.refund(MIDDLE).state is State.PENDING
    life.story.later(1)
    life.activate(amendment)
    assert life.story.refund(MIDDLE).state is State.SUCCEEDED
    assert life.tags()[1:] == ["policy.proposed", "policy.approved", "policy.activated"]


def test_the_sweep_activates_what_is_due(life: Life) -> None:
    """N2: time alone activates nothing that nobody approved; approved, it does when it is due."""
    waiting = life.propose(version(2, RUN_TO_500))
    life.story.later(2 * DAY)
    life.story.desk.work()
    assert life.active().version == 1
    life.approve(waiting)
    life.story.later(DAY - MINUTE)
    life.story.desk.work()
    assert life.active().version == 1
    life.story.later(MINUTE)
    life.story.desk.work()
    assert life.active().version == 2
    assert life.story.refund(MIDDLE).state is State.SUCCEEDED


def test_a_loosening_slipped_into_a_large_tightening(life: Life) -> None:
    """N2: a hundred stricter lines do not hide the one that is looser."""
    many = [
        RUN_TO_5,
        ("approval: 4h", "approval: 1h"),
        ("waiting_per_desk: 2000", "waiting_per_desk: 200"),
    ]
    slipped = version(2, *many, ("window: 366d", "window: 30d"))
    amendment = life.propose(slipped)
    assert amendment.tighter > 3
    assert [one.text for one in differences_of(life.ctx, amendment) if "366d -> 30d" in one.text]
    assert code_of(lambda: life.activate(amendment)) == "amendment_waits"


def test_the_delay_is_the_active_policys(life: Life) -> None:
    """N2: the new policy does not say how long it waits itself; shortening the delay waits too."""
    amendment = life.propose(version(2, DELAY_1H, RUN_TO_500))
    approved = life.approve(amendment)
    assert approved.ready_at == life.story.clock.now + DAY
    life.story.later(2 * HOUR)
    assert code_of(lambda: life.activate(amendment)) == "amendment_waits"
    shorter = life.propose(version(2, DELAY_1H))
    assert [one.where for one in differences_of(life.ctx, shorter)] == ["clocks.loosening"]
    assert shorter.looser == 1


@pytest.mark.parametrize("who", ["same person", "mail"])
def test_two_accounts_of_one_person_are_one(life: Life, who: str) -> None:
    """N2: the second account of whoever proposed it does not approve it."""
    fields: dict[str, Any] = {"identity": "pat"} if who == "same person" else {}
    if who == "mail":
        life.story.desk.person("pia", roles=("policy_owner",), mail="pat@example.com")
        life.story.desk.person("paul", roles=("policy_owner",), mail="pat@example.com")
        life.story.later(MINUTE)
        amendment = life.propose(version(2, RUN_TO_500), by="pia")
        assert code_of(lambda: life.approve(amendment, by="paul")) == "own_authority"
        return
    life.story.desk.person("pat2", roles=("policy_owner",), **fields)
    life.story.later(MINUTE)
    amendment = life.propose(version(2, RUN_TO_500))
    assert code_of(lambda: life.approve(amendment, by="pat2")) == "own_authority"


def test_who_may_not(life: Life) -> None:
    """N2: only active people with the role, and a role that is older than the question."""
    policy = version(2, RUN_TO_500)
    assert code_of(lambda: life.propose(policy, by="ann")) == "role_missing"
    assert code_of(lambda: life.propose(policy, by="bot")) == "not_entitled"
    assert code_of(lambda: life.propose(policy, by="operator")) == "not_entitled"
    amendment = life.propose(policy)
    life.story.later(MINUTE)
    life.story.desk.person("new", roles=("policy_owner",))
    assert code_of(lambda: life.approve(amendment, by="new")) == "not_seasoned"
    for step in (life.approve, life.reject, life.activate):
        assert code_of(partial(step, amendment, by="carl")) == "role_missing"
    assert code_of(lambda: life.propose(policy, reason=" ")) == "reason_missing"


def test_one_no_ends_it(life: Life) -> None:
    """N2: rejected during the delay, it never becomes active."""
    amendment = life.propose(version(2, RUN_TO_500))
    life.approve(amendment)
    life.reject(amendment, by="pat")
    life.story.later(2 * DAY)
    life.story.desk.work()
    assert life.active().version == 1
    for step in (life.approve, life.reject, life.activate):
        assert code_of(partial(step, amendment)) == "amendment_closed"


def test_an_approver_who_lost_the_role(life: Life) -> None:
    """N2: at activation it is looked again whether both could still say so."""
    amendment = life.propose(version(2, RUN_TO_500))
    life.approve(amendment)
    life.story.later(DAY)
    unit = change_principal_unit(life.ctx, "main", "quin", Changes(disabled=True), actor="operator")
    life.ctx.store.write(unit)
    assert code_of(lambda: life.activate(amendment)) == "not_entitled"
    life.story.desk.work()
    assert life.active().version == 1


def test_it_is_compared_again_with_what_is_active_then(life: Life) -> None:
    """N2: proposed as stricter, it is looser than what became active meanwhile."""
    first = life.propose(version(3, RUN_TO_5))
    life.activate(life.propose(version(2, ('up_to: "50.00", grade', 'up_to: "1.00", grade'))))
    assert (first.looser, first.tighter > 0) == (0, True)
    assert code_of(lambda: life.activate(first)) == "amendment_waits"
    life.approve(first)
    life.story.later(DAY)
    assert life.activate(first).looser > 0


def test_an_approval_is_of_one_comparison(life: Life) -> None:
    """N2: approved against what was active; another became active: it is approved anew."""
    amendment = life.propose(version(3, RUN_TO_500))
    life.approve(amendment)
    life.activate(life.propose(version(2, RUN_TO_5)))
    life.story.later(2 * DAY)
    life.story.desk.work()
    assert life.active().version == 2
    assert code_of(lambda: life.activate(amendment)) == "amendment_stale"
    again = life.approve(amendment)
    assert code_of(lambda: life.activate(amendment)) == "amendment_waits"
    assert again.ready_at == life.story.clock.now + DAY
    life.story.later(DAY)
    life.activate(amendment)


def test_versions_only_move_forward(life: Life) -> None:
    """N3: an older text comes back only under a higher version, and is judged like any other."""
    life.activate(life.propose(version(5, RUN_TO_5)))
    for older in (version(1), version(4, RUN_TO_500), version(5, RUN_TO_500)):
        assert code_of(partial(life.propose, older)) == "policy_version_old"
    assert code_of(lambda: life.propose(version(5, RUN_TO_5))) == "policy_unchanged"
    back = life.propose(version(6))
    assert back.looser > 0
    assert code_of(lambda: life.activate(back)) == "amendment_waits"
    assert code_of(lambda: life.propose(version(6), by="quin")) == "policy_unchanged"


def test_a_version_that_was_overtaken(life: Life) -> None:
    """N3: what waited while a higher version became active is not activated any more."""
    waiting = life.propose(version(2, RUN_TO_5))
    life.activate(life.propose(version(3, RUN_TO_5)))
    assert code_of(lambda: life.activate(waiting)) == "policy_version_old"
