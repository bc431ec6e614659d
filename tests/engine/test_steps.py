"""What a person can do about a proposed policy, said before they try: the same as when they try."""

from __future__ import annotations

from itertools import product

import pytest

from handrail.core.amendment import Amendment
from handrail.core.policy import Policy
from handrail.core.principal import Principal
from handrail.engine.governing.amendment_steps import Steps, steps_of
from handrail.engine.governing.comparison import compared_with_active
from handrail.engine.governing.versions import active_policy, opened_policy
from handrail.errors import HandrailError
from handrail.store.protocol import Tx
from tests.engine.lives import DELAY_1H, RUN_TO_5, RUN_TO_500, Life, version
from tests.engine.stories import DAY


def steps(life: Life, amendment: Amendment, person: str) -> Steps:
    """The steps of an amendment as it stands now."""
    policy = opened_policy(amendment.body, amendment.digest, "main")
    looser = compared_with_active(life.ctx, "main", policy).looser

    def look(tx: Tx) -> Steps:
        found, row = tx.people.get("main", person), tx.amendments.get("main", amendment.id)
        active: Policy = active_policy(tx, "main")
        assert isinstance(found, Principal)
        assert row is not None
        return steps_of(tx, row, found, policy=policy, active=active, looser=looser)

    found: Steps = life.ctx.store.read(look)
    return found


def test_looser_waits_for_another_person_and_for_its_time(life: Life) -> None:
    """N2: each time the reason is the one that the step itself would give."""
    amendment = life.propose(version(2, RUN_TO_500))
    own, other = steps(life, amendment, "pat"), steps(life, amendment, "quin")
    assert own.why_no_approve == "another person than the one who proposed approves it"
    assert (other.why_no_approve, other.why_no_reject) == (None, None)
    assert other.why_no_activate == "something gets looser: another person has to approve it"
    life.approve(amendment)
    waits = steps(life, amendment, "pat")
    assert waits.why_no_approve == "it is approved already"
    assert waits.why_no_activate == "something gets looser: it waits 24 h 0 min more"
    life.story.later(DAY)
    assert steps(life, amendment, "quin").why_no_activate is None


def test_tighter_takes_nobody_else(life: Life) -> None:
    """There is nothing to approve, and it can be active at once."""
    amendment = life.propose(version(2, RUN_TO_5))
    found = steps(life, amendment, "pat")
    assert found.why_no_approve == "nothing gets looser, so it needs nobody's approval"
    assert found.why_no_activate is None


def test_who_owns_no_policies_can_do_nothing(life: Life) -> None:
    """The reason is their role, for each step."""
    amendment = life.propose(version(2, RUN_TO_500))
    life.story.desk.person("ava", roles=("auditor",))
    found = steps(life, amendment, "ava")
    said = "this needs the role policy_owner"
    assert [found.why_no_approve, found.why_no_reject, found.why_no_activate] == [said] * 3


def test_an_approval_against_another_policy_is_stale(life: Life) -> None:
    """N2: when another one became active, it is approved anew."""
    looser = life.propose(version(3, RUN_TO_500))
    life.approve(looser)
    life.activate(life.propose(version(2, RUN_TO_5)))
    found = steps(life, looser, "quin")
    assert (found.stale, found.why_no_approve) == (True, None)
    assert found.why_no_activate is not None
    assert "approved anew" in found.why_no_activate


@pytest.mark.parametrize("changes", [(RUN_TO_500,), (RUN_TO_5,), (DELAY_1H,)])
def test_what_is_said_is_what_happens(life: Life, changes: tuple[tuple[str, str], ...]) -> None:
    """A step without a reason against it works; one with a reason is refused with that reason."""
    for number, (later, person) in enumerate(product((0, DAY), ("pat", "quin")), start=2):
        amendment = life.propose(version(number, *changes))
        for step, name in ((life.approve, "why_no_approve"), (life.activate, "why_no_activate")):
            life.story.later(later)
            said = getattr(steps(life, amendment, person), name)
            if said in (
                "it is approved already",
                "nothing gets looser, so it needs nobody's approval",
            ):
                continue
            try:
                step(amendment, by=person)
                refused = None
            except HandrailError as error:
                refused = error.message
            assert refused == said
        if not life.ctx.store.read(
            lambda tx, id=amendment.id: tx.amendments.get("main", id)
        ).is_open:
            break
        life.reject(amendment)
