"""Dispatch: an action that waited is looked at again, whole, and claimed for one attempt.

Everything that must hold is checked in the claiming unit itself: the row against its log, the
content against its digest, expiry, what was read again against what was decided on, the policy of
then against the policy of now, the approvals, and the caps. What does not hold waits, is put to a
person anew, or expires.
"""

from __future__ import annotations

from typing import Final

from handrail.core.artifact import digest_of
from handrail.core.caps import WhenFull
from handrail.core.decide import Decision, ReasonCode
from handrail.core.entry import Tag
from handrail.core.lifecycle import Event, State
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.core.review import Review, Verdict, counted
from handrail.engine.asking.checkers import lacking, standing
from handrail.engine.asking.quorum import tell_nobody_can
from handrail.engine.base.context import GATEWAY, Context, Rulebook
from handrail.engine.base.record import (
    Content,
    Data,
    advance,
    check_unchanged,
    content_of,
    statement_of,
    write_move,
)
from handrail.engine.governing.desks import follow_policy
from handrail.engine.governing.halt import halt_over
from handrail.engine.proposing.accumulate import Accrued, accrued_of, history_of
from handrail.engine.proposing.prepare import ask_of
from handrail.engine.running.ceilings import reserve_again, tell_of_trip
from handrail.engine.running.execute import Job, intend, job_of
from handrail.engine.running.lookup import key_lives
from handrail.engine.waiting.ask_again import Again, Anew, ask_again, expire
from handrail.engine.waiting.reread import Answered, Reread
from handrail.errors import NotFound, Tampered, Unavailable
from handrail.store.protocol import Tx, Unit

__all__ = ["claim_unit"]

_ASKED: Final = (Control.APPROVE, Control.MAKER_CHECKER)
_ALONE: Final = (Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY)


def claim_unit(
    ctx: Context, desk: str, id: str, seen: Reread | None
) -> Unit[tuple[Proposal, Job | None]]:
    """The unit that claims a READY proposal for one attempt; no job when it may not run now.

    `seen` is what was read again just now. Without it, and when the action or the policy has
    changed since, it stays READY. So it does while its approval can be taken back.
    """

    def unit(tx: Tx) -> tuple[Proposal, Job | None]:
        proposal = tx.proposals.get_free(desk, id)
        if proposal is None:
            stands = tx.proposals.look(desk, id)
            if stands is None:
                raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
            return stands, None  # another process is moving it
        # INVARIANT: nothing leaves before the moment in which it can be taken back is over.
        if proposal.state is not State.READY or proposal.waits_out(tx.now):
            return proposal, None
        follow_policy(tx, ctx, desk)
        return _look_again(tx, ctx, proposal, seen)

    return unit


def _look_again(
    tx: Tx, ctx: Context, proposal: Proposal, seen: Reread | None
) -> tuple[Proposal, Job | None]:
    """Everything is checked once more between the decision and the call."""
    reviews = check_unchanged(tx, proposal)
    desk, id = proposal.desk, proposal.id
    halt = halt_over(tx, proposal)
    if halt is not None and not _too_late(tx, proposal):
        return _waits(tx, proposal, ReasonCode.HALTED, {"halt": halt.id}), None
    try:
        content = content_of(tx, proposal)
    except Unavailable as error:
        if error.code != "content_erased":
            raise Tampered(error.code, error.message, desk=desk, proposal=id) from error
        return expire(tx, ctx, proposal, error.code), None
    refusal = _refusal(tx, ctx, proposal, content.artifact)
    if refusal is not None:
        return expire(tx, ctx, proposal, refusal), None
    if seen is None or seen.digest != proposal.digest or seen.answered is Answered.NOTHING:
        return proposal, None
    accrued: Accrued | None = None
    if seen.plan is not None:
        asked = proposal.control in _ASKED
        accrued = accrued_of(tx, seen.plan, proposal.subject, exact=asked)
    changed = _changed(tx, ctx, proposal, seen, accrued)
    if changed is not None:
        return changed, None
    if proposal.attempt and not key_lives(tx, ctx, proposal):
        return expire(tx, ctx, proposal, "key_expired", escalate=True), None
    if proposal.control in _ASKED:
        if not _approved(proposal, content, reviews):
            return expire(tx, ctx, proposal, "not_approved"), None
        if len(standing(ctx, tx, proposal, reviews)) < max(1, proposal.checkers):
            return _void(tx, ctx, proposal), None
    if not ctx.may_send(proposal.connector, tx.now):
        return proposal, None
    return _with_caps(tx, ctx, proposal, content.artifact, accrued)


def _refusal(tx: Tx, ctx: Context, proposal: Proposal, artifact: bytes) -> str | None:
    if _too_late(tx, proposal):
        return "execution_expired"
    if digest_of(artifact) != proposal.digest:
        return "digest_mismatch"
    if ctx.rulebook(proposal.desk).kind(proposal.kind) is None:
        return "policy_tightened"
    return None


def _changed(
    tx: Tx, ctx: Context, proposal: Proposal, seen: Reread, accrued: Accrued | None
) -> Proposal | None:
    """What becomes of an action that is not what was allowed, or not allowed any more; else None.

    The stricter of the policy then and now applies, over the facts and the sum as they are now.
    """
    plan = seen.plan
    if seen.answered is Answered.GONE or plan is None:
        return expire(tx, ctx, proposal, seen.why, escalate=True)
    rules = ctx.rulebook(proposal.desk)
    if plan.rules is not rules:
        return proposal
    sums = None if accrued is None else accrued.sums
    ask = ask_of(tx, plan, proposal.subject, sums, before=proposal.id)
    decision = rules.decider.decide(ask)
    # On what runs alone nobody has looked: the policy judges the facts, as they are now.
    judged = seen.why == Again.STALE.value and proposal.control in _ALONE
    if seen.answered is Answered.CHANGED and not judged:
        if proposal.attempt and not seen.same_request:
            # INVARIANT: one key never carries two requests, whatever became of the first.
            return expire(tx, ctx, proposal, seen.why, escalate=True)
        why = Again(seen.why)
    elif decision.guard.order > proposal.guard.order:
        why = _why(rules, proposal, decision)
    else:
        return None
    anew = Anew(
        plan=plan,
        decision=decision,
        ask=ask,
        earlier=0 if sums is None else sums.earlier,
        history=history_of(tx, rules, proposal.desk, accrued),
    )
    return ask_again(tx, ctx, proposal, why, anew)


def _why(rules: Rulebook, proposal: Proposal, decision: Decision) -> Again:
    """What made the answer stricter: the policy, the sum, or the facts."""
    if rules.policy.digest != proposal.policy:
        return Again.POLICY_TIGHTENED
    summed = any(reason.code is ReasonCode.ACCUMULATED for reason in decision.reasons)
    return Again.SUM_ROSE if summed else Again.STALE


def _approved(proposal: Proposal, content: Content, reviews: list[Review]) -> bool:
    """Whether enough people approved this very statement, which is that of the content."""
    statement = statement_of(content, proposal.digest, proposal.policy, proposal.desk)
    approvals = {
        review.identity
        for review in counted(reviews)
        if review.verdict is Verdict.APPROVE and review.statement == statement
    }
    return statement == proposal.statement and len(approvals) >= max(1, proposal.checkers)


def _void(tx: Tx, ctx: Context, proposal: Proposal) -> Proposal:
    """Who approved it may not any more: it is put to those who may, and never runs on fewer."""
    asked = ask_again(tx, ctx, proposal, Again.APPROVAL_VOID)
    if asked.state is State.PENDING:
        short = lacking(ctx, tx, asked)
        if short:
            tell_nobody_can(tx, ctx, asked, short)
    return asked


def _with_caps(
    tx: Tx, ctx: Context, proposal: Proposal, artifact: bytes, accrued: Accrued | None
) -> tuple[Proposal, Job | None]:
    """Reserve under every cap or none; approved or not makes no difference."""
    rules = ctx.rulebook(proposal.desk)
    more = () if accrued is None else accrued.charges
    full = reserve_again(tx, rules, proposal, more)
    if full is None:
        return _claim(tx, ctx, proposal, artifact=artifact)
    tell_of_trip(tx, ctx, proposal, full)
    if full.charge.rule.when_full is WhenFull.REFUSE:
        return expire(tx, ctx, proposal, "cap_full"), None
    return _waits(tx, proposal, ReasonCode.CAP_FULL, {"cap": full.charge.rule.name}), None


def _waits(tx: Tx, proposal: Proposal, code: ReasonCode, data: Data) -> Proposal:
    """It stays allowed, and is tried again; why it waits is written down once."""
    if code.value in proposal.reasons.split(","):
        return proposal
    return advance(
        tx,
        proposal,
        Event.WAIT,
        Tag.ACTION_WAITED,
        actor=GATEWAY,
        data=data,
        reasons=f"{code.value},{proposal.reasons}",
    )


def _too_late(tx: Tx, proposal: Proposal) -> bool:
    return proposal.execute_by is not None and tx.now >= proposal.execute_by


def _claim(tx: Tx, ctx: Context, proposal: Proposal, *, artifact: bytes) -> tuple[Proposal, Job]:
    """Write the intent of the next attempt. Its caps are reserved already."""
    intent = intend(ctx, proposal, tx.now)
    # INVARIANT: the intent is durable before anything leaves.
    write_move(
        tx, proposal, intent.proposal, Tag.EXECUTION_INTENDED, actor=intent.actor, data=intent.data
    )
    return intent.proposal, job_of(intent, artifact)
