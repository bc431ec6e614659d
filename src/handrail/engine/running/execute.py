"""Execute: write the intent, call the connector, settle.

The intent is durable before the call. The call happens with no transaction open. Its outcome is
one of three: done, certainly not done, or unknown; unknown keeps its reservation and is never
retried from here.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Final

import msgspec

from handrail.connectors.protocol import Connector, Looked, NotDone, Receipt
from handrail.core.action import ActionKind
from handrail.core.canonical import canonical, check_plain
from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.lifecycle import Event, State, after
from handrail.core.proposal import Proposal
from handrail.engine.asking.escalate import open_for
from handrail.engine.base.circuits import Way
from handrail.engine.base.context import GATEWAY, Context
from handrail.engine.base.record import (
    RESULT,
    Data,
    advance,
    amend,
    check_unchanged,
    content_of,
    note_down,
    sealing_subject,
)
from handrail.errors import InvalidInput, NotFound, Tampered, Unavailable
from handrail.store.protocol import Tx, Unit

__all__ = [
    "Effect",
    "Ending",
    "Intent",
    "Job",
    "intend",
    "job_of",
    "perform",
    "settle",
    "settle_unit",
    "succeeded",
    "well_formed",
]

MEASURED: Final = "measured"
"""Where it is sealed what a provider says it did."""
RESULT_BYTES_MAX: Final = 1024 * 1024
REFERENCE_CHARS_MAX: Final = 300
_PERMIT_BYTES: Final = 24


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


def perform(ctx: Context, job: Job) -> Effect:
    """Call the connector, outside any transaction. Every error that is not `NotDone` is unknown."""
    proposal = job.proposal
    until = proposal.attempt_until
    if until is not None and ctx.clock() >= until:
        # INVARIANT: an attempt that a sweep may have given up by now never leaves any more.
        return Effect(ending=Ending.UNKNOWN, why="too late to be sent")
    if not ctx.store.holds(proposal.fence):
        # INVARIANT: a process that the others have given up sends nothing any more.
        return Effect(ending=Ending.UNKNOWN, why="this process was given up")
    connector, circuits = ctx.connector(proposal.connector), ctx.circuits
    try:
        receipt = connector.execute(proposal.kind, job.request, job.key, now=ctx.clock())
    except NotDone as refusal:
        circuits.answered(proposal.connector, Way.SEND)
        return Effect(ending=Ending.NOT_DONE, why=str(refusal))
    except Exception as error:
        circuits.silent(proposal.connector, Way.SEND, ctx.clock())
        return Effect(ending=Ending.UNKNOWN, why=f"no answer ({type(error).__name__})")
    circuits.answered(proposal.connector, Way.SEND)
    if not well_formed(receipt):
        return Effect(ending=Ending.UNKNOWN, why="an answer that makes no sense")
    if proposal.undoes is not None and not _is_reversed(connector, job):
        # INVARIANT: an undo counts once it was looked up. The sweep asks again, then a person.
        return Effect(ending=Ending.UNKNOWN, why="it could not be verified yet")
    return Effect(ending=Ending.DONE, receipt=receipt)


def _is_reversed(connector: Connector, job: Job) -> bool:
    """Whether the system of record, asked again, says that the reversal took place."""
    try:
        return connector.lookup(job.proposal.kind, job.key).looked is Looked.DONE
    except Exception:
        return False


def well_formed(receipt: object) -> bool:
    """Whether a connector's receipt can be recorded: a short reference and a plain result."""
    if not isinstance(receipt, Receipt):
        return False
    reference: object = receipt.provider_ref
    try:
        check_plain(receipt.result)
        check_plain(receipt.did)
        check_plain(reference)
    except InvalidInput:
        return False
    measured: object = receipt.did
    if measured is not None and not isinstance(measured, dict):
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
            note_return(tx, ctx, now, before.attempt, effect)
            return now
        if now != before:
            check_unchanged(tx, now)
        if now.permit is None and now.fence != ctx.store.fence:
            # INVARIANT: an older fence settles nothing, whatever it brings: it is looked up.
            return settle(tx, ctx, now, Effect(ending=Ending.UNKNOWN))
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
    if event is Event.CONFIRM_DONE:
        data["done"] = True
    differs = differences(tx, proposal, receipt)
    if differs:
        data["differs"] = True
    done = advance(
        tx,
        proposal,
        event,
        _TAGS[event],
        actor=GATEWAY,
        data=data,
        provider_ref=receipt.provider_ref,
        undo_until=tx.now + rules.policy.clocks.undo_ms if undoable else None,
    )
    if differs:
        said = "it was carried out, but not as it was decided: " + "; ".join(differs)
        open_for(tx, ctx, done, said, cause=Cause.UNKNOWN_OUTCOME)
    if proposal.undoes is not None:
        _mark_undone(tx, proposal)
    return done


_TAGS: Final = {
    Event.SUCCEED: Tag.EXECUTION_SUCCEEDED,
    Event.FOUND: Tag.EXECUTION_FOUND,
    Event.CONFIRM_DONE: Tag.EXECUTION_CONFIRMED,
}


def _mark_undone(tx: Tx, proposal: Proposal) -> None:
    undone = None if proposal.undoes is None else tx.proposals.get(proposal.desk, proposal.undoes)
    if undone is None:
        return
    check_unchanged(tx, undone)
    amend(
        tx,
        undone,
        Tag.ACTION_UNDONE,
        actor=proposal.agent,
        data={"by": proposal.id},
        undone_by=proposal.id,
    )


def differences(tx: Tx, proposal: Proposal, receipt: Receipt) -> list[str]:
    """What the provider says it did that is not what it was sent, in words; kept as measured."""
    if not receipt.did:
        return []
    try:
        request = msgspec.json.decode(content_of(tx, proposal).artifact)["request"]
    except (Tampered, Unavailable):
        return []
    subject = sealing_subject(tx, proposal.desk, proposal.subject)
    did = canonical(receipt.did)
    tx.vault.put(proposal.desk, proposal.id, MEASURED, subject=subject, data=did)
    return [
        f"`{name}` is {canonical(value).decode()}, and {canonical(request[name]).decode()} was sent"
        for name, value in receipt.did.items()
        if name in request and request[name] != value
    ]


def note_return(tx: Tx, ctx: Context, now: Proposal, attempt: int, effect: Effect) -> None:
    """Write down that an attempt which had been given up was answered after all; move nothing.

    When it was taken for not done, or something else was found, a person is told.
    """
    if effect.ending is Ending.UNKNOWN:
        return
    done = effect.ending is Ending.DONE
    known = now.state is State.SUCCEEDED
    if known and (not done or effect.receipt.provider_ref == now.provider_ref):
        return
    check_unchanged(tx, now)
    data: Data = {"attempt": attempt, "done": done}
    note_down(tx, now, Tag.EXECUTION_RETURNED, actor=GATEWAY, data=data)
    if done and now.state is not State.UNKNOWN:
        said = "an attempt that had been given up says that it was done after all"
        open_for(tx, ctx, now, said, cause=Cause.UNKNOWN_OUTCOME)


def keep_result(tx: Tx, proposal: Proposal, result: dict[str, object]) -> None:
    """Seal what the connector answered; what is too long is left out, and that is said."""
    data = canonical(result)
    if len(data) > RESULT_BYTES_MAX:
        data = canonical({"note": "the answer was longer than 1 MiB and was not kept"})
    subject = sealing_subject(tx, proposal.desk, proposal.subject)
    tx.vault.put(proposal.desk, proposal.id, RESULT, subject=subject, data=data)
