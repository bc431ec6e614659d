"""At dispatch the stricter of two policies counts: the one that decided, and the one of today."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw
import msgspec
import pytest

import handrail
from handrail.connectors.sandbox import Fault
from handrail.core.lifecycle import State
from handrail.core.policy import Control, Policy
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.engine.governing.desks import activate_policy
from handrail.policy.loader import digest_policy
from handrail.surfaces.embedded import Action
from tests.engine.connectors import effects_in
from tests.engine.stories import MIDDLE, MINUTE, SMALL, Story, code_of, pack

APPROVE_TO_1000: Final = '- {up_to: "1000.00", grade: G2, control: approve}'
APPROVE_TO_100: Final = '- {up_to: "100.00", grade: G2, control: approve}'
RUN_TO_50: Final = '- {up_to: "50.00", grade: G2, control: run_and_notify}'

CHANGES: Final[dict[str, tuple[tuple[str, str], State]]] = {
    "an amount needs a checker now": ((APPROVE_TO_1000, APPROVE_TO_100), State.PENDING),
    "an amount would run alone now": (
        (RUN_TO_50, RUN_TO_50.replace("50.00", "500.00")),
        State.SUCCEEDED,
    ),
    "another kind got stricter": (
        (
            "needs: [requester, recipient_is_requester]\n    control: approve",
            "needs: [requester, recipient_is_requester]\n    control: maker_checker\n"
            "    checkers: 1",
        ),
        State.SUCCEEDED,
    ),
    "only the wording changed": (("title: Refund", "title: Give money back"), State.SUCCEEDED),
}


def _approved_only(story: Story, action: Action) -> None:
    """A person approves, and the process ends before anything runs."""
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
    ready = story.desk.ctx.store.write(review_unit(story.desk.ctx, "main", action.id, opinion))
    assert ready.state is State.READY


def _activate(story: Story, *changes: tuple[str, str]) -> None:
    activate_policy(story.desk.ctx, "main", pack(*changes), actor="carl")


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
def test_a_change_between_approval_and_dispatch(story: Story, what: str, restart: bool) -> None:
    """F3: tightened, the approval does not suffice and people decide anew; loosened, it runs."""
    change, end = CHANGES[what]
    action = story.refund(MIDDLE)
    _approved_only(story, action)
    if restart:
        story.reopen(pack(change))
    else:
        _activate(story, change)
    story.desk.work()
    assert story.state(action) is end
    assert story.refunded() == (12_000 if end is State.SUCCEEDED else 0)
    if end is State.PENDING:
        assert story.tags(action)[-1] == "action.reopened"
        row = story.row(action)
        assert row.policy == story.desk.ctx.rulebook("main").policy.digest
        assert (row.control, row.checkers) == (Control.MAKER_CHECKER, 1)
        assert story.refused(story.desk.get(action.id), by="bea") == "not_entitled"
        assert story.approve(story.desk.get(action.id), by="carl").state is State.SUCCEEDED


def test_a_pending_action_is_approved_under_its_own_policy(story: Story) -> None:
    """The digest that a person read names the policy; a looser one later takes nothing away."""
    action = story.refund(MIDDLE)
    _activate(story, (RUN_TO_50, RUN_TO_50.replace("50.00", "500.00")))
    assert story.state(action) is State.PENDING
    assert story.approve(action).state is State.SUCCEEDED


def test_a_pending_action_meets_a_stricter_policy(story: Story) -> None:
    """F3: one approval under the old rule does not run what now needs a checker."""
    action = story.refund(MIDDLE)
    _activate(story, (APPROVE_TO_1000, APPROVE_TO_100))
    assert story.approve(action).state is State.PENDING
    assert story.refunded() == 0


def test_a_lost_attempt_is_not_repeated_under_a_stricter_policy(story: Story) -> None:
    """What ran alone yesterday and was lost does not run again if it had to be asked today."""
    story.fail(Fault.BEFORE_EFFECT)
    action = story.refund(SMALL)
    assert action.state is State.UNKNOWN
    story.fail(None)
    _activate(story, (RUN_TO_50, RUN_TO_50.replace("50.00", "5.00")))
    story.later(MINUTE)
    story.desk.work()
    assert story.state(action) is State.PENDING
    assert story.refunded() == 0
    assert story.approve(story.desk.get(action.id)).state is State.SUCCEEDED
    assert effects_in(story.world) == 1


def test_an_undo_runs_on_under_another_policy(story: Story) -> None:
    """A lost reversal runs again: a change of wording takes no promise of an undo back."""
    action = story.refund(SMALL)
    story.fail(Fault.BEFORE_EFFECT)
    undo = story.desk.undo(action.id)
    assert undo.state is State.UNKNOWN
    story.fail(None)
    _activate(story, ("title: Refund", "title: Give money back"))
    story.later(MINUTE)
    story.desk.work()
    assert story.state(undo) is State.SUCCEEDED
    assert story.refunded() == 0


def test_a_kind_that_the_policy_dropped_does_not_run(story: Story) -> None:
    """Approved yesterday at the strictest, unknown today: nothing serves it any more."""
    action = story.refund("6000.00 USD", "O-5005")
    story.approve(action, by="carl")
    opinion = Opinion(person="cora", verdict=Verdict.APPROVE, statement=action.digest)
    story.desk.ctx.store.write(review_unit(story.desk.ctx, "main", action.id, opinion))
    activate_policy(story.desk.ctx, "main", _without_refunds(), actor="carl")
    story.desk.work()
    assert story.state(action) is State.EXPIRED
    assert story.refunded("O-5005") == 0


def _without_refunds() -> Policy:
    policy = pack()
    kinds = {name: rule for name, rule in policy.kinds.items() if not name.startswith("refund")}
    less = msgspec.structs.replace(policy, kinds=kinds, digest="")
    return msgspec.structs.replace(less, digest=digest_policy(less))


def test_each_policy_is_in_the_log(story: Story) -> None:
    """Every activation is an entry with its digest and who did it."""
    _activate(story, ("title: Refund", "title: Give money back"))
    _activate(story)
    entries = story.desk.ctx.store.read(lambda tx: tx.log.latest("main", before=10**6, most=99))
    activated = [one.entry for one in entries if one.entry.tag == "policy.activated"]
    assert [entry.data["version"] for entry in activated] == [3, 2, 1]
    assert [entry.actor for entry in activated] == ["carl", "carl", "operator"]


def test_a_policy_that_was_edited_in_the_store_is_refused(tmp_path: Path) -> None:
    """What a desk goes on with after a restart is what was activated, to the letter."""
    story = Story(tmp_path / "own")
    story.close()
    db = apsw.Connection(str(story.folder / "handrail.db"))
    db.execute("UPDATE policy_version SET body = replace(body, 'maker_checker', 'run_and_log')")
    db.close()
    assert code_of(lambda: handrail.open(story.folder)) == "log_damaged"
