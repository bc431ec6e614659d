"""Execute: look at everything again, write the intent, call the connector, settle.

The intent is durable before the call. The call happens with no transaction open. Its outcome is
one of three: done, certainly not done, or unknown; unknown keeps its reservation and is never
retried from here.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Final

import msgspec

from handrail.connectors.protocol import NotDone, Receipt
from handrail.core.action import ActionKind
from handrail.core.artifact import digest_of
from handrail.core.canonical import canonical, check_plain
from handrail.core.caps import WhenFull
from handrail.core.decide import Ask, ReasonCode
from handrail.core.entry import Tag
from handrail.core.lifecycle import Event, State, after
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict
from handrail.engine.accumulate import accrued_again, outgrown
from handrail.engine.ceilings import deed_of, reserve, tell_of_trip
from handrail.engine.context import GATEWAY, Context
from handrail.engine.record import (
    RESULT,
    Content,
    Data,
    advance,
    amend,
    check_unchanged,
    content_of,
    sealing_subject,
    statement_of,
    write_move,
)
from handrail.errors import InvalidInput, InvariantBroken, NotFound, Unavailable
from handrail.store.protocol import Tx, Unit

__all__ = [
    "Effect",
    "Ending",
    "Intent",
    "Job",
    "claim_unit",
    "intend",
    "job_of",
    "perform",
    "settle",
    "settle_unit",
    "succeeded",
    "well_formed",
]

RESULT_BYTES_MAX: Final = 1024 * 1024
REFERENCE_CHARS_MAX: Final = 300
_PERMIT_BYTES: Final = 24
_ASKED: Final = (Control.APPROVE, Control.MAKER_CHECKER)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The right to run one attempt. `key` is the same for every attempt of a proposal.

    For a kind that runs in the agent's process, `permit` is the single-use token that the agent
    settles with; the gateway itself performs nothing.
    """

    proposal: Proposal
    request: dict[str, object]
    params: dict[str, object]
    key: str
    permit: str | None = None


class Ending(Enum):
    """What became of an attempt."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended, with the receipt when done and the reason when not."""

    ending: Ending
    receipt: Receipt = Receipt()
    why: str = ""


def claim_unit(ctx: Context, desk: str, id: str) -> Unit[tuple[Proposal, Job | None]]:
    """The unit that claims a READY proposal for one attempt; no job when it may not run now."""

    def unit(tx: Tx) -> tuple[Proposal, Job | None]:
        proposal = tx.proposals.get(desk, id)
        if proposal is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        if proposal.state is not State.READY:
            return proposal, None
        return _look_again(tx, ctx, proposal)

    return unit


def _look_again(tx: Tx, ctx: Context, proposal: Proposal) -> tuple[Proposal, Job | None]:
    """Everything is checked once more between the decision and the call."""
    reviews = check_unchanged(tx, proposal)
    try:
        content = content_of(tx, proposal)
    except Unavailable as error:
        if error.code != "content_erased":
            raise InvariantBroken("content_unreadable", error.message) from error
        return _denied(tx, proposal, error.code), None
    refusal = _refusal(tx, ctx, proposal, content.artifact)
    if refusal is None and proposal.control in _ASKED:
        statement = statement_of(content, proposal.digest, proposal.policy, proposal.desk)
        approvals = {
            review.identity
            for review in reviews
            if review.verdict is Verdict.APPROVE and review.statement == statement
        }
        if statement != proposal.statement or len(approvals) < max(1, proposal.checkers):
            refusal = "not_approved"
    if refusal is not None:
        return _denied(tx, proposal, refusal), None
    return _with_caps(tx, ctx, proposal, content)


def _refusal(tx: Tx, ctx: Context, proposal: Proposal, artifact: bytes) -> str | None:
    if proposal.execute_by is not None and tx.now >= proposal.execute_by:
        return "execution_expired"
    if digest_of(artifact) != proposal.digest:
        return "digest_mismatch"
    rules = ctx.rulebook(proposal.desk)
    if rules.policy.digest != proposal.policy:
        if rules.kind(proposal.kind) is None:
            return "policy_tightened"
        undoes = proposal.undoes is not None
        ask = Ask(kind=proposal.kind, lane=None, value=proposal.value, as_undo=undoes)
        if rules.decider.decide(ask).guard.order > proposal.guard.order:
            return "policy_tightened"
    return None


def _denied(tx: Tx, proposal: Proposal, why: str) -> Proposal:
    tx.caps.void(proposal.desk, proposal.id, tx.now)
    return advance(tx, proposal, Event.EXPIRE, Tag.ACTION_EXPIRED, actor=GATEWAY, data={"why": why})


def _with_caps(
    tx: Tx, ctx: Context, proposal: Proposal, content: Content
) -> tuple[Proposal, Job | None]:
    """Reserve under every cap or none; approved or not makes no difference."""
    rules = ctx.rulebook(proposal.desk)
    deed = deed_of(
        tx,
        rules,
        desk=proposal.desk,
        task=proposal.task,
        kind=proposal.kind,
        value=proposal.value,
        agent=proposal.agent,
        customer=proposal.subject,
    )
    accrued = accrued_again(tx, rules, proposal, content.instrument)
    if accrued is not None and outgrown(rules, proposal, accrued):
        return _denied(tx, proposal, ReasonCode.ACCUMULATED.value), None
    more = () if accrued is None else accrued.charges
    full = reserve(tx, rules, proposal.desk, proposal.id, deed, more)
    if full is None:
        return _claim(tx, ctx, proposal, artifact=content.artifact)
    tell_of_trip(tx, ctx, proposal, full)
    if full.charge.rule.when_full is WhenFull.REFUSE:
        return _denied(tx, proposal, "cap_full"), None
    code = ReasonCode.CAP_FULL.value
    if code in proposal.reasons.split(","):
        return proposal, None
    waits = advance(
        tx,
        proposal,
        Event.WAIT,
        Tag.ACTION_WAITED,
        actor=GATEWAY,
        data={"cap": full.charge.rule.name},
        reasons=f"{code},{proposal.reasons}",
    )
    return waits, None


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed attempt before it is written: the proposal as it will stand, and what is logged."""

    proposal: Proposal
    actor: str
    data: Data
    permit: str | None


def intend(ctx: Context, proposal: Proposal, now: int) -> Intent:
    """The next attempt of a READY proposal, in memory."""
    rules = ctx.rulebook(proposal.desk)
    kind = rules.kind(proposal.kind)
    in_agent = kind is not None and kind.runs_in_agent
    clocks = rules.policy.clocks
    permit = "hrp_" + ctx.entropy(_PERMIT_BYTES).hex() if in_agent else None
    attempt, fence = proposal.attempt + 1, ctx.store.fence
    claimed = msgspec.structs.replace(
        proposal,
        state=after(proposal.state, Event.CLAIM),
        version=proposal.version + 1,
        updated_at=now,
        attempt=attempt,
        attempt_until=now + (clocks.execution_ms if in_agent else clocks.attempt_ms),
        fence=fence,
        permit=None if permit is None else hashlib.sha256(permit.encode()).hexdigest(),
    )
    by = "agent" if in_agent else GATEWAY
    data: Data = {
        "state": claimed.state.value,
        "attempt": attempt,
        "by": by,
        "fence": fence,
        "digest": proposal.digest,
    }
    actor = proposal.agent if in_agent else GATEWAY
    return Intent(proposal=claimed, actor=actor, data=data, permit=permit)


def job_of(intent: Intent, artifact: bytes) -> Job:
    """The job of an intent, from the bytes that are stored."""
    decoded = msgspec.json.decode(artifact)
    return Job(
        proposal=intent.proposal,
        request=decoded["request"],
        params=decoded["params"],
        key=intent.proposal.id,
        permit=intent.permit,
    )


def _claim(tx: Tx, ctx: Context, proposal: Proposal, *, artifact: bytes) -> tuple[Proposal, Job]:
    """Write the intent of the next attempt. Its caps are reserved already."""
    intent = intend(ctx, proposal, tx.now)
    # INVARIANT: the intent is durable before anything leaves.
    write_move(
        tx, proposal, intent.proposal, Tag.EXECUTION_INTENDED, actor=intent.actor, data=intent.data
    )
    return intent.proposal, job_of(intent, artifact)


def perform(ctx: Context, job: Job) -> Effect:
    """Call the connector, outside any transaction. Every error that is not `NotDone` is unknown."""
    proposal = job.proposal
    until = proposal.attempt_until
    if until is not None and ctx.clock() >= until:
        # INVARIANT: an attempt that a sweep may have given up by now never leaves any more.
        return Effect(ending=Ending.UNKNOWN, why="too late to be sent")
    connector = ctx.connector(proposal.connector)
    try:
        receipt = connector.execute(proposal.kind, job.request, job.key, now=ctx.clock())
    except NotDone as refusal:
        return Effect(ending=Ending.NOT_DONE, why=str(refusal))
    except Exception as error:
        return Effect(ending=Ending.UNKNOWN, why=f"no answer ({type(error).__name__})")
    if not well_formed(receipt):
        return Effect(ending=Ending.UNKNOWN, why="an answer that makes no sense")
    return Effect(ending=Ending.DONE, receipt=receipt)


def well_formed(receipt: object) -> bool:
    """Whether a connector's receipt can be recorded: a short reference and a plain result."""
    if not isinstance(receipt, Receipt):
        return False
    reference: object = receipt.provider_ref
    try:
        check_plain(receipt.result)
        check_plain(reference)
    except InvalidInput:
        return False
    return reference is None or (
        isinstance(reference, str) and 1 <= len(reference) <= REFERENCE_CHARS_MAX
    )


def settle_unit(ctx: Context, job: Job, effect: Effect) -> Unit[Proposal]:
    """The unit that writes an attempt's outcome. An attempt that was given up settles nothing."""

    def unit(tx: Tx) -> Proposal:
        before = job.proposal
        now = tx.proposals.get(before.desk, before.id)
        if now is None:
            raise NotFound("proposal_not_found", f"there is no action `{before.id}` on this desk")
        if now.state is not State.EXECUTING or now.attempt != before.attempt:
            return now
        if now != before:
            check_unchanged(tx, now)
        return settle(tx, ctx, now, effect)

    return unit


def settle(tx: Tx, ctx: Context, proposal: Proposal, effect: Effect) -> Proposal:
    """Move an EXECUTING proposal by its attempt's outcome."""
    kind = ctx.rulebook(proposal.desk).kind(proposal.kind)
    match effect.ending:
        case Ending.DONE:
            return succeeded(tx, ctx, proposal, effect.receipt, Event.SUCCEED)
        case Ending.NOT_DONE:
            return _failed(tx, proposal, effect.why)
        case Ending.UNKNOWN if _reads_only(ctx, kind):
            return _failed(tx, proposal, effect.why)
        case Ending.UNKNOWN:
            return advance(
                tx,
                proposal,
                Event.LOSE,
                Tag.EXECUTION_LOST,
                actor=GATEWAY,
                data={"attempt": proposal.attempt},
            )


def _reads_only(ctx: Context, kind: ActionKind | None) -> bool:
    capability = None if kind is None else ctx.capability(kind)
    return capability is not None and capability.reads_only


def _failed(tx: Tx, proposal: Proposal, why: str) -> Proposal:
    tx.caps.void(proposal.desk, proposal.id, tx.now)
    keep_result(tx, proposal, {"error": why})
    return advance(
        tx,
        proposal,
        Event.FAIL,
        Tag.EXECUTION_FAILED,
        actor=GATEWAY,
        data={"attempt": proposal.attempt},
    )


def succeeded(tx: Tx, ctx: Context, proposal: Proposal, receipt: Receipt, event: Event) -> Proposal:
    """Record that it was done: receipt, posted reservations, and the undo window it opens."""
    tx.caps.post(proposal.desk, proposal.id, tx.now)
    keep_result(tx, proposal, receipt.result)
    rules = ctx.rulebook(proposal.desk)
    kind = rules.kind(proposal.kind)
    undoable = kind is not None and kind.undo is not None
    # The provider's reference is in the row, which the entry commits to: it may be personal.
    data: Data = {"attempt": proposal.attempt}
    done = advance(
        tx,
        proposal,
        event,
        Tag.EXECUTION_SUCCEEDED if event is Event.SUCCEED else Tag.EXECUTION_FOUND,
        actor=GATEWAY,
        data=data,
        provider_ref=receipt.provider_ref,
        undo_until=tx.now + rules.policy.clocks.undo_ms if undoable else None,
    )
    if proposal.undoes is not None:
        undone = tx.proposals.get(proposal.desk, proposal.undoes)
        if undone is not None:
            check_unchanged(tx, undone)
            amend(
                tx,
                undone,
                Tag.ACTION_UNDONE,
                actor=proposal.agent,
                data={"by": proposal.id},
                undone_by=proposal.id,
            )
    return done


def keep_result(tx: Tx, proposal: Proposal, result: dict[str, object]) -> None:
    """Seal what the connector answered; what is too long is left out, and that is said."""
    data = canonical(result)
    if len(data) > RESULT_BYTES_MAX:
        data = canonical({"note": "the answer was longer than 1 MiB and was not kept"})
    subject = sealing_subject(tx, proposal.desk, proposal.subject)
    tx.vault.put(proposal.desk, proposal.id, RESULT, subject=subject, data=data)
