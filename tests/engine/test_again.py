"""Between the decision and the call things change: then nothing runs, and people decide anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
import pytest

from handrail.connectors.protocol import Prepared, Receipt
from handrail.connectors.sandbox import Fault
from handrail.core.artifact import Fact
from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict
from handrail.engine.base.record import check_unchanged
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.engine.governing.desks import activate_policy
from handrail.engine.waiting.ask_again import ROUNDS_MAX, Again, ask_again
from handrail.engine.waiting.dispatch import claim_unit
from handrail.engine.waiting.reread import reread
from handrail.errors import InvalidInput
from handrail.store.protocol import Tx
from handrail.surfaces.embedded import Action
from tests.engine.connectors import Execute, Front, effects_in
from tests.engine.stories import HOUR, MIDDLE, MINUTE, SMALL, Story, pack


def _allowed(story: Story, action: Action, *, by: str = "ann") -> None:
    """A person approves, and the process ends before anything runs."""
    digest = story.desk.get(action.id).digest
    opinion = Opinion(person=by, verdict=Verdict.APPROVE, statement=digest)
    ready = story.desk.ctx.store.write(review_unit(story.desk.ctx, "main", action.id, opinion))
    assert ready.state is State.READY


def _why(story: Story, action: Action) -> object:
    """What the log's last entry about the action says is the reason."""
    entries = story.desk.ctx.store.read(lambda tx: tx.log.of_proposal("main", action.id))
    whys = [one.entry.data["why"] for one in entries if "why" in one.entry.data]
    return whys[-1] if whys else None


def _reply(story: Story) -> Action:
    fields = {"ticket": "T-103", "body": "Dear Priya, your refund is on its way."}
    return story.desk.propose(story.task(), "reply.send", fields)


def test_a_refund_meanwhile_makes_the_approval_stale(story: Story) -> None:
    """F1: somebody refunded the order since; nothing runs, and the next person sees both."""
    action = story.refund(MIDDLE)
    _allowed(story, action)
    other = {"order": "O-5003", "amount": "7.00 USD", "reason": "by hand"}
    request = story.world.prepare("refund.issue", _money(other), now=story.clock.now).request
    story.world.execute("refund.issue", request, "by hand", now=story.clock.now)
    story.desk.work()
    assert story.state(action) is State.PENDING
    assert story.refunded() == 700
    shown = story.desk.show(action.id, by="ann")
    assert {one.label: (one.before, one.now) for one in shown.changed} == {
        "already_refunded": ("0.00 USD", "7.00 USD"),
        "refundable": ("189.00 USD", "182.00 USD"),
        "refunds_30d": ("1", "2"),
        "refunds_30d_sum": ("29.00 USD", "36.00 USD"),
    }
    assert shown.reasons[0].code.value == "asked_again"
    assert _why(story, action) == "stale"


def _money(fields: dict[str, str]) -> dict[str, object]:
    return fields | {"amount": Money.parse(fields["amount"])}


@pytest.mark.parametrize("kind", ["reply.send", "refund.issue"])
def test_forget_it(story: Story, kind: str) -> None:
    """F2: the customer writes again after the approval; what was allowed does not go out."""
    if kind == "reply.send":
        action = _reply(story)
    else:
        fields = {"order": "O-5003", "amount": MIDDLE, "reason": "damaged", "ticket": "T-103"}
        action = story.desk.propose(story.task(), kind, fields)
    _allowed(story, action)
    story.world.receive("T-103", "Forget it, I found it.", now=story.clock.now)
    story.desk.work()
    assert story.state(action) is State.PENDING
    assert effects_in(story.world) == 0
    labels = {one.label for one in story.desk.show(action.id, by="ann").changed}
    assert "last_customer_message" in labels
    assert _why(story, action) == ("target_changed" if kind == "reply.send" else "stale")


def test_what_others_did_for_the_customer_is_no_precondition(story: Story) -> None:
    """Counts of a month change by themselves; they are shown, and hold nothing up."""
    action = story.refund(MIDDLE)
    _allowed(story, action)
    credit = {"customer": "C-1003", "amount": "5.00 USD", "reason": "goodwill"}
    assert story.desk.propose(story.task(), "credit.grant", credit).state is State.SUCCEEDED
    story.desk.work()
    assert story.state(action) is State.SUCCEEDED


def _to_another(prepared: Prepared) -> Prepared:
    return msgspec.structs.replace(prepared, request=prepared.request | {"method": "another card"})


def _with_a_fee(prepared: Prepared) -> Prepared:
    return msgspec.structs.replace(prepared, request=prepared.request | {"reason": "and a fee"})


def _unreadable(prepared: Prepared) -> Prepared:
    facts = tuple(
        Fact(name=one.name, value=None, source=one.source) if one.name == "captured" else one
        for one in prepared.facts
    )
    return msgspec.structs.replace(prepared, facts=facts, missing=("captured",))


def _contradicted(prepared: Prepared) -> Prepared:
    facts = tuple(
        msgspec.structs.replace(one, against="it was never delivered")
        if one.name == "order_status"
        else one
        for one in prepared.facts
    )
    return msgspec.structs.replace(prepared, facts=facts)


CHANGES: Final[dict[str, tuple[Callable[[Prepared], Prepared], str]]] = {
    "A6: the alias leads to another card": (_to_another, "target_changed"),
    "A7: the connector adds something": (_with_a_fee, "target_changed"),
    "a fact cannot be read any more": (_unreadable, "stale"),
    "a fact speaks against it now": (_contradicted, "stale"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_read_again_differs(fronted: Story, front: Front, what: str) -> None:
    """A6, A7, F1: another request, or another fact, is put to people; nothing is sent."""
    action = fronted.refund(MIDDLE)
    _allowed(fronted, action)
    front.preparing, why = CHANGES[what]
    fronted.desk.work()
    assert fronted.state(action) is State.PENDING
    assert _why(fronted, action) == why
    assert front.calls == []
    assert fronted.desk.show(action.id, by="ann").changed
    again_asked = fronted.approve(fronted.desk.get(action.id))
    assert again_asked.state in (State.SUCCEEDED, State.FAILED)
    assert front.calls == [action.id]


def test_another_version_of_the_connector(fronted: Story, front: Front) -> None:
    """A8: the version is part of what was approved."""
    action = fronted.refund(MIDDLE)
    _allowed(fronted, action)
    front.version = "2"
    fronted.desk.work()
    assert (fronted.state(action), _why(fronted, action)) == (State.PENDING, "connector_changed")
    assert fronted.approve(fronted.desk.get(action.id)).state is State.SUCCEEDED


def test_another_customer_is_nobody_to_ask_about(fronted: Story, front: Front) -> None:
    """A6: the order belongs to somebody else now: it ends, and a person is told."""
    action = fronted.refund(MIDDLE)
    _allowed(fronted, action)
    front.preparing = lambda prepared: msgspec.structs.replace(prepared, customer="C-1001")
    fronted.desk.work()
    assert (fronted.state(action), _why(fronted, action)) == (State.EXPIRED, "target_changed")
    assert fronted.open_escalations() == [action.id]
    assert front.calls == []


@pytest.mark.parametrize("code", ["subject_unknown", "connector_refused"])
def test_what_is_no_longer_there_expires(fronted: Story, front: Front, code: str) -> None:
    """F1: the system of record cannot take it at all any more."""
    action = fronted.refund(MIDDLE)
    _allowed(fronted, action)

    def gone(prepared: Prepared) -> Prepared:
        raise InvalidInput(code, "it is gone")

    front.preparing = gone
    fronted.desk.work()
    assert (fronted.state(action), _why(fronted, action)) == (State.EXPIRED, code)
    assert fronted.open_escalations() == [action.id]


def test_nobody_answers_and_it_waits(fronted: Story, front: Front) -> None:
    """F5, F8: while the facts cannot be read nothing runs; after an outage each is read again."""
    actions = [fronted.refund(MIDDLE), _reply(fronted)]
    for action in actions:
        _allowed(fronted, action)

    def away(prepared: Prepared) -> Prepared:
        raise ConnectionError

    front.preparing = away
    for _ in range(3):
        fronted.later(MINUTE)
        fronted.desk.work()
    assert [fronted.state(action) for action in actions] == [State.READY] * 2
    front.desk.receive("T-103", "Forget it.", now=fronted.clock.now)
    front.preparing = lambda prepared: prepared
    fronted.later(MINUTE)
    fronted.desk.work()
    assert [fronted.state(action) for action in actions] == [State.SUCCEEDED, State.PENDING]


def test_nobody_answers_until_its_time_is_over(fronted: Story, front: Front) -> None:
    """F5: allowed, and nothing worked for two days: it expires and never runs."""
    action = fronted.refund(MIDDLE)
    _allowed(fronted, action)
    fronted.later(48 * HOUR)
    fronted.desk.work()
    assert (fronted.state(action), _why(fronted, action)) == (State.EXPIRED, "execution_expired")
    assert front.calls == []


def test_it_is_asked_a_few_times_and_no_more(fronted: Story, front: Front) -> None:
    """A fact that never stands still ends with a person, not in a circle."""
    turns = iter(range(100))

    def restless(prepared: Prepared) -> Prepared:
        ticks = Fact(name="ticks", value=next(turns), source="clock")
        return msgspec.structs.replace(prepared, facts=(*prepared.facts, ticks))

    front.preparing = restless
    action = fronted.refund(MIDDLE)
    for _ in range(ROUNDS_MAX):
        assert fronted.approve(fronted.desk.get(action.id)).state is State.PENDING
    assert fronted.approve(fronted.desk.get(action.id)).state is State.EXPIRED
    assert _why(fronted, action) == "asked_too_often"
    assert fronted.row(action).rounds == ROUNDS_MAX
    assert fronted.open_escalations() == [action.id]
    assert front.calls == []


def test_the_old_digest_is_dead_and_a_no_stays_a_no(fronted: Story, front: Front) -> None:
    """What was read before cannot be approved any more; who approved before may say no now."""
    action = fronted.refund(MIDDLE)
    _allowed(fronted, action)
    front.preparing = _contradicted
    fronted.desk.work()
    assert fronted.refused(action, by="bea") == "stale_digest"
    now = fronted.desk.get(action.id)
    rejected = fronted.desk.review(now.id, "reject", by="ann", digest=now.digest, reason="not now")
    assert rejected.state is State.REJECTED
    rows = fronted.desk.ctx.store.read(lambda tx: tx.proposals.reviews("main", action.id))
    assert [row.verdict for row in rows] == [Verdict.APPROVE, Verdict.REJECT]


def test_two_checkers_decide_anew_both(fronted: Story, front: Front) -> None:
    """Approvals of an earlier round count for nothing, and each person has one in each round."""
    action = fronted.refund("6000.00 USD", "O-5005")
    assert fronted.approve(action, by="carl").state is State.PENDING
    _allowed(fronted, action, by="cora")
    front.version = "2"
    fronted.desk.work()
    now = fronted.desk.get(action.id)
    assert fronted.approve(now, by="carl").state is State.PENDING
    assert fronted.refused(now, by="carl") == "reviewed_already"
    assert fronted.approve(now, by="cora").state is State.SUCCEEDED


def test_what_was_sent_once_never_sends_anything_else(fronted: Story, front: Front) -> None:
    """A7, H3: it was certainly not done, and would be another request now: it is not sent."""

    def never(execute: Execute) -> Receipt:
        raise TimeoutError

    front.doing = never
    action = fronted.refund(SMALL)
    front.doing, front.preparing = lambda execute: execute(), _to_another
    fronted.later(MINUTE)
    fronted.desk.work()
    assert (fronted.state(action), _why(fronted, action)) == (State.EXPIRED, "target_changed")
    assert fronted.open_escalations() == [action.id]
    assert front.calls == [action.id]


def test_facts_of_a_lost_attempt_are_judged_by_the_policy(story: Story) -> None:
    """Nobody looked at it the first time: other facts matter only if the policy minds them."""
    story.fail(Fault.BEFORE_EFFECT)
    action = story.refund(SMALL)
    story.fail(None)
    assert story.refund("3.00 USD").state is State.SUCCEEDED
    story.later(MINUTE)
    story.desk.work()
    assert story.state(action) is State.SUCCEEDED
    assert story.refunded() == 1850 + 300


def test_a_held_message_is_put_to_a_person(story: Story) -> None:
    """F2: the customer writes while it is held back: it does not go out by itself."""
    story.reopen(
        pack(
            (
                "needs: [requester, recipient_is_requester]\n    control: approve",
                "needs: [requester, recipient_is_requester]\n    control: hold_and_recall",
            )
        )
    )
    action = _reply(story)
    assert action.state is State.HOLDING
    story.world.receive("T-103", "Forget it.", now=story.clock.now)
    story.later(3 * MINUTE)
    story.desk.work()
    assert story.state(action) is State.PENDING
    assert story.world.mailbox() == []
    assert story.row(action).control.value == "approve"


def test_it_can_be_put_to_people_without_reading(story: Story) -> None:
    """An approval that became void: the same thing under a new digest, with the same content."""
    action = story.refund(MIDDLE)
    _allowed(story, action)

    def unit(tx: Tx) -> Proposal:
        row = tx.proposals.get("main", action.id)
        assert row is not None
        check_unchanged(tx, row)
        return ask_again(tx, story.desk.ctx, row, Again.APPROVAL_VOID)

    story.desk.ctx.store.write(unit)
    now = story.desk.get(action.id)
    assert (now.state, now.digest != action.digest) == (State.PENDING, True)
    assert story.desk.show(action.id, by="ann").changed == ()
    assert story.approve(now).state is State.SUCCEEDED
    assert story.refunded() == 12_000


def test_time_runs_out_in_the_middle_of_a_dispatch(story: Story) -> None:
    """F7: read again in time and claimed too late: the claiming transaction itself says no."""
    action = story.refund(MIDDLE)
    _allowed(story, action)
    ctx = story.desk.ctx
    seen = reread(ctx, "main", action.id)
    story.later(31 * MINUTE)
    stands, job = ctx.store.write(claim_unit(ctx, "main", action.id, seen))
    assert (stands.state, job) == (State.EXPIRED, None)
    assert _why(story, action) == "execution_expired"


def test_a_claim_needs_what_was_read_of_this_very_action(fronted: Story, front: Front) -> None:
    """A1, I11: without having read again, or with what was read of an earlier round: no claim."""
    action = fronted.refund(MIDDLE)
    _allowed(fronted, action)
    ctx = fronted.desk.ctx
    old = reread(ctx, "main", action.id)
    assert ctx.store.write(claim_unit(ctx, "main", action.id, None))[1] is None
    front.version = "2"
    fronted.desk.work()
    _allowed(fronted, action)
    stands, job = ctx.store.write(claim_unit(ctx, "main", action.id, old))
    assert (stands.state, job) == (State.READY, None)
    new = reread(ctx, "main", action.id)
    assert ctx.store.write(claim_unit(ctx, "main", action.id, new))[1] is not None


def test_a_policy_of_after_the_reading_counts(story: Story) -> None:
    """F3: tightened between the reading and the claim: not claimed on what was read before."""
    action = story.refund(MIDDLE)
    _allowed(story, action)
    ctx = story.desk.ctx
    seen = reread(ctx, "main", action.id)
    tighter = pack(
        (
            '- {up_to: "1000.00", grade: G2, control: approve}',
            '- {up_to: "100.00", grade: G2, control: approve}',
        )
    )
    activate_policy(ctx, "main", tighter, actor="carl")
    assert ctx.store.write(claim_unit(ctx, "main", action.id, seen))[1] is None
    story.desk.work()
    assert (story.state(action), _why(story, action)) == (State.PENDING, "policy_tightened")
