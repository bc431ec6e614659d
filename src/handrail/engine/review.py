"""Review: a person's verdict on one digest, in one transaction with the state it leads to."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.canonical import check_plain
from handrail.core.entry import Tag, row_commitment
from handrail.core.escalation import Cause
from handrail.core.lifecycle import Event
from handrail.core.passkey import Assertion, Passkey, Signed, key_name
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.review import Outcome, Review, Verdict, judge
from handrail.engine.attention import check_attention
from handrail.engine.bench import bench_of, makers_of, roster_of
from handrail.engine.context import Context
from handrail.engine.escalate import open_for
from handrail.engine.halt import check_not_halted
from handrail.engine.passkeys import assertion_of, signed_for
from handrail.engine.record import (
    Data,
    advance,
    amend,
    check_unchanged,
    content_of,
    sealing_subject,
)
from handrail.errors import InvalidInput, NotAllowed, NotFound
from handrail.store.protocol import Tx, Unit

__all__ = ["REASON_CHARS_MAX", "Opinion", "review_unit"]

REASON_CHARS_MAX: Final = 4_000
_MOVES: Final = {
    Outcome.APPROVED: (Event.APPROVE, Tag.ACTION_APPROVED),
    Outcome.REJECTED: (Event.REJECT, Tag.ACTION_REJECTED),
    Outcome.ESCALATED: (Event.ESCALATE, Tag.ACTION_ESCALATED),
}


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says: a verdict on the statement digest that they were shown.

    `signed` is what their passkey signed for it, where one must.
    """

    person: str
    verdict: Verdict
    statement: str
    reason: str = ""
    signed: Signed | None = None


def review_unit(
    ctx: Context, desk: str, id: str, opinion: Opinion, *, watched: bool = False
) -> Unit[Proposal]:
    """The unit that counts a verdict.

    `watched` is where handrail itself shows the action to the person: then an approval takes that
    it was shown long enough. Raises what `core.review.judge` raises, and for an approval what
    `engine.attention.check_attention` and `engine.passkeys.signed_for` do; nothing is written then.
    """
    check_plain(opinion.reason)
    if len(opinion.reason) > REASON_CHARS_MAX:
        raise InvalidInput("too_large", f"the reason is longer than {REASON_CHARS_MAX} characters")

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
        )
        passkey: Passkey | None = None
        if outcome in (Outcome.APPROVED, Outcome.WAITING):
            check_not_halted(tx, proposal)
            _check_runnable(ctx, proposal)
            if watched:
                check_attention(tx, ctx, proposal, reviewer)
            content_of(tx, proposal)  # nobody approves what can no longer be opened
            passkey = signed_for(tx, ctx, proposal, reviewer, opinion.signed)
        review = _recorded(tx, proposal, reviewer, opinion, len(prior) + 1)
        assertion = None
        if passkey is not None and opinion.signed is not None:
            assertion = assertion_of(passkey, opinion.signed, review, proposal)
            tx.passkeys.add_assertion(assertion)
        return _moved(tx, ctx, proposal, review, outcome, opinion.reason, assertion)

    return unit


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


def _recorded(tx: Tx, proposal: Proposal, reviewer: Principal, opinion: Opinion, n: int) -> Review:
    review = Review(
        desk=proposal.desk,
        proposal=proposal.id,
        n=n,
        person=reviewer.id,
        identity=reviewer.identity,
        verdict=opinion.verdict,
        statement=opinion.statement,
        at=tx.now,
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
    if outcome is Outcome.WAITING:
        return _still_waiting(tx, proposal, review, data, rows)
    event, tag = _MOVES[outcome]
    changes: dict[str, object] = {}
    if outcome is Outcome.APPROVED:
        clocks = ctx.rulebook(proposal.desk).policy.clocks
        changes["execute_by"] = tx.now + clocks.execution_ms
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
