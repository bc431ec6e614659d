"""Review: a person's verdict on one digest, in one transaction with the state it leads to."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.canonical import check_plain
from handrail.core.entry import Tag, row_commitment
from handrail.core.escalation import Cause
from handrail.core.grade import Grade
from handrail.core.ground import Ground
from handrail.core.lifecycle import Event
from handrail.core.passkey import Assertion, Passkey, Signed, key_name
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.retype import Retype, check_retyped, retype_of
from handrail.core.review import Outcome, Review, Verdict, judge
from handrail.engine.access.passkeys import assertion_of, signed_for
from handrail.engine.asking.checkers import bench_of, makers_of, roster_of
from handrail.engine.asking.escalate import open_for
from handrail.engine.base.context import Context
from handrail.engine.base.record import (
    Data,
    advance,
    amend,
    check_unchanged,
    content_of,
    sealing_subject,
)
from handrail.engine.deciding.attention import check_attention
from handrail.engine.deciding.taking_back import taken_back
from handrail.engine.governing.halt import check_not_halted
from handrail.errors import InvalidInput, NotAllowed, NotFound, Unavailable
from handrail.store.protocol import Tx, Unit

__all__ = ["REASON_CHARS_MAX", "Manner", "Opinion", "retype_for", "review_unit"]

REASON_CHARS_MAX: Final = 4_000
_MOVES: Final = {
    Outcome.APPROVED: (Event.APPROVE, Tag.ACTION_APPROVED),
    Outcome.REJECTED: (Event.REJECT, Tag.ACTION_REJECTED),
    Outcome.ESCALATED: (Event.ESCALATE, Tag.ACTION_ESCALATED),
}


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says: a verdict on the statement digest that they were shown.

    `signed` is what their passkey signed for it, where one must. `ground` is why they say no, and
    `retyped` what they typed once more to approve at G3.
    """

    person: str
    verdict: Verdict
    statement: str
    reason: str = ""
    signed: Signed | None = None
    ground: Ground | None = None
    retyped: str = ""


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How verdicts are taken where they come from.

    For `take_back_ms` nothing that was approved leaves, and whoever approved it can take that back;
    what runs in the agent's process is the agent's at once. With `retypes` an approval at G3 comes
    with what it is about, typed once more. `watched` is where handrail itself shows the action to
    the person: then an approval takes that it was shown long enough.
    """

    take_back_ms: int = 0
    retypes: bool = False
    watched: bool = False


_AT_ONCE: Final = Manner()


def review_unit(
    ctx: Context, desk: str, id: str, opinion: Opinion, manner: Manner = _AT_ONCE
) -> Unit[Proposal]:
    """The unit that counts a verdict.

    Raises what `core.review.judge` raises, and for an approval what `core.retype.check_retyped`,
    `engine.deciding.attention.check_attention` and `engine.access.passkeys.signed_for` do; nothing
    is written then.
    """
    check_plain(opinion.reason)
    if len(opinion.reason) > REASON_CHARS_MAX:
        raise InvalidInput("too_large", f"the reason is longer than {REASON_CHARS_MAX} characters")
    check_plain(opinion.retyped)

    def unit(tx: Tx) -> Proposal:
        proposal = tx.proposals.get(desk, id)
        if proposal is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        prior = check_unchanged(tx, proposal)
        reviewer = _reviewer(tx, desk, opinion.person)
        roster = roster_of(tx, desk)
        outcome = judge(
            proposal=proposal,
            makers=makers_of(tx, proposal, roster),
            reviewer=reviewer,
            verdict=opinion.verdict,
            statement=opinion.statement,
            reason=opinion.reason,
            prior=prior,
            now=tx.now,
            bench=bench_of(ctx, tx, proposal, roster=roster),
            ground=opinion.ground,
        )
        passkey: Passkey | None = None
        if outcome in (Outcome.APPROVED, Outcome.WAITING):
            passkey = _check_approval(tx, ctx, proposal, reviewer, opinion, manner)
        review = _recorded(tx, proposal, reviewer, opinion, prior)
        assertion = None
        if passkey is not None and opinion.signed is not None:
            assertion = assertion_of(passkey, opinion.signed, review, proposal)
            tx.passkeys.add_assertion(assertion)
        changes = _window(ctx, tx, proposal, outcome, manner)
        return _moved(tx, ctx, proposal, review, outcome, opinion.reason, assertion, changes)

    return unit


def _check_approval(
    tx: Tx,
    ctx: Context,
    proposal: Proposal,
    reviewer: Principal,
    opinion: Opinion,
    manner: Manner,
) -> Passkey | None:
    """What an approval takes beside the person's right to give it; the passkey that signed it."""
    check_not_halted(tx, proposal)
    _check_runnable(ctx, proposal)
    if manner.watched:
        check_attention(tx, ctx, proposal, reviewer)
    content_of(tx, proposal)  # nobody approves what can no longer be opened
    retype = retype_for(tx, proposal) if manner.retypes else None
    if retype is not None:
        check_retyped(retype, opinion.retyped)
    return signed_for(tx, ctx, proposal, reviewer, opinion.signed)


def retype_for(tx: Tx, proposal: Proposal) -> Retype | None:
    """What whoever approves this action types once more; None below G3."""
    if proposal.grade is not Grade.G3:
        return None
    try:
        customer = tx.vault.customer_of(proposal.desk, proposal.subject)
    except Unavailable:
        customer = None
    return retype_of(proposal.value, customer, proposal.kind)


def _reviewer(tx: Tx, desk: str, person: str) -> Principal:
    found = tx.people.get(desk, person)
    if found is None:
        raise NotAllowed("not_entitled", "only a person of this desk can review")
    return found


def _check_runnable(ctx: Context, proposal: Proposal) -> None:
    kind = ctx.rulebook(proposal.desk).kind(proposal.kind)
    if kind is None or not (kind.runs_in_agent or ctx.capability(kind)):
        raise NotAllowed(
            "nothing_can_run",
            f"no connector serves `{proposal.kind}`, so it cannot be approved; reject or escalate",
        )


def _recorded(
    tx: Tx, proposal: Proposal, reviewer: Principal, opinion: Opinion, prior: list[Review]
) -> Review:
    n, says_no = len(prior) + 1, opinion.verdict is Verdict.REJECT
    before = (reviewer.identity, opinion.statement)
    review = Review(
        desk=proposal.desk,
        proposal=proposal.id,
        n=n,
        person=reviewer.id,
        identity=reviewer.identity,
        verdict=opinion.verdict,
        statement=opinion.statement,
        at=tx.now,
        turn=sum((one.identity, one.statement) == before for one in prior),
        ground=(opinion.ground or Ground.OTHER) if says_no else None,
    )
    tx.proposals.add_review(review)
    key = (proposal.desk, proposal.id, review.statement, review.person)
    tx.looks.decide(*key, review.verdict, tx.now)
    if opinion.reason:
        tx.vault.put(
            proposal.desk,
            proposal.id,
            f"review:{n}",
            subject=sealing_subject(tx, proposal.desk, proposal.subject),
            data=opinion.reason.encode(),
        )
    return review


def _moved(
    tx: Tx,
    ctx: Context,
    proposal: Proposal,
    review: Review,
    outcome: Outcome,
    reason: str,
    assertion: Assertion | None,
    changes: dict[str, object],
) -> Proposal:
    data: Data = {
        "verdict": review.verdict.value,
        "statement": review.statement,
        "n": review.n,
        "identity": review.identity,
    }
    rows = {f"review:{review.n}": row_commitment(review)}
    if assertion is not None:
        data["passkey"] = key_name(assertion.passkey)
        rows[f"assertion:{review.n}"] = row_commitment(assertion)
    if review.ground is not None:
        data["ground"] = review.ground.value
    if outcome is Outcome.TAKEN_BACK:
        return taken_back(tx, proposal, review, data, rows)
    if outcome is Outcome.WAITING:
        return _still_waiting(tx, proposal, review, data, rows)
    event, tag = _MOVES[outcome]
    if review.verdict is Verdict.REQUEST_CHANGES:
        changes["sent_back_at"] = tx.now
    moved = advance(
        tx,
        proposal,
        event,
        tag,
        actor=review.person,
        data=data,
        by_person=True,
        rows=rows,
        **changes,
    )
    if outcome is Outcome.ESCALATED:
        said = reason or "a reviewer escalated this"
        open_for(tx, ctx, moved, said, actor=review.person, cause=Cause.REVIEWER)
    return moved


def _window(
    ctx: Context, tx: Tx, proposal: Proposal, outcome: Outcome, manner: Manner
) -> dict[str, object]:
    """From when and until when what is approved may run."""
    if outcome is not Outcome.APPROVED:
        return {}
    rules = ctx.rulebook(proposal.desk)
    kind = rules.kind(proposal.kind)
    in_agent = kind is not None and kind.runs_in_agent
    starts = tx.now + (0 if in_agent else manner.take_back_ms)
    return {
        "execute_by": starts + rules.policy.clocks.execution_ms,
        "hold_until": starts if starts > tx.now else None,
    }


def _still_waiting(
    tx: Tx, proposal: Proposal, review: Review, data: Data, rows: dict[str, str]
) -> Proposal:
    """The first of several approved: nothing moves, and the next one sees nothing of it."""
    return amend(
        tx,
        proposal,
        Tag.REVIEW_RECORDED,
        actor=review.person,
        data=data,
        by_person=True,
        rows=rows,
    )
