"""Testify: people say what became of an attempt that nothing and nobody else can tell about.

One entitled person settles what moves no money; money takes two who say the same, none of whom
answers for its agent. Until then, and while they disagree, it stays unknown and keeps its
reservation. What each of them said is in the log; on what grounds is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.connectors.protocol import Receipt
from handrail.core.canonical import canonical, check_plain
from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.lifecycle import Event, State
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict, check_reviewer
from handrail.engine.asking.checkers import bench_of, makers_of, roster_of
from handrail.engine.asking.escalate import open_for
from handrail.engine.base.context import GATEWAY, Context
from handrail.engine.base.record import Data, advance, check_unchanged, note_down, sealing_subject
from handrail.engine.running.execute import REFERENCE_CHARS_MAX, keep_result, succeeded
from handrail.engine.running.lookup import promised
from handrail.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unavailable
from handrail.store.protocol import Tx, Unit

__all__ = ["Testimony", "Witness", "needed_for", "testify_unit", "why_not_testify", "witnesses"]

EVIDENCE_CHARS_MAX: Final = 4_000
_BY_PEOPLE: Final = "people found out what became of it"


class Testimony(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says became of a lost attempt, on what evidence, under which reference."""

    person: str
    done: bool
    evidence: str
    provider_ref: str | None = None


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """Who has said what about the present attempt so far."""

    n: int
    person: str
    identity: str
    done: bool
    at: int


class _Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed part of a testimony."""

    evidence: str
    provider_ref: str | None


def testify_unit(ctx: Context, desk: str, id: str, said: Testimony) -> Unit[Proposal]:
    """The unit that takes down a testimony, and settles the action when enough people agree.

    Raises Conflict `not_pending` when its outcome is known, `outcome_too_early` while the attempt
    may still be under way, `provider_ref_taken` for a reference of another action; NotAllowed
    `maker_is_checker` and `not_entitled`; InvalidInput `reason_missing` without evidence.
    """
    _check(said)

    def unit(tx: Tx) -> Proposal:
        proposal = tx.proposals.get(desk, id)
        if proposal is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        if proposal.state is not State.UNKNOWN:
            stands = proposal.state.value.lower()
            raise Conflict("not_pending", f"this action is {stands}; its outcome is not unknown")
        check_unchanged(tx, proposal)
        person = tx.people.get(desk, said.person)
        if person is None:
            raise NotAllowed("not_entitled", "only a person of this desk can say that")
        _check_person(tx, ctx, proposal, person)
        _check_time(tx, ctx, proposal)
        _check_reference(tx, proposal, said)
        _take_down(tx, proposal, person, said)
        return _weighed(tx, ctx, proposal, said)

    return unit


def needed_for(ctx: Context, proposal: Proposal) -> int:
    """How many people have to say the same."""
    kind = ctx.rulebook(proposal.desk).kind(proposal.kind)
    moves = kind is None or kind.value is not None or kind.value_from_connector
    return 2 if moves or proposal.value_minor is not None else 1


def witnesses(tx: Tx, proposal: Proposal) -> list[Witness]:
    """What was said about the present attempt; of each person only the last word."""
    latest: dict[str, Witness] = {}
    for logged in tx.log.of_proposal(proposal.desk, proposal.id):
        entry = logged.entry
        if entry.tag != Tag.EXECUTION_TESTIFIED.value or entry.data["attempt"] != proposal.attempt:
            continue
        identity, n = str(entry.data["identity"]), entry.data["n"]
        assert isinstance(n, int)
        latest.pop(identity, None)
        latest[identity] = Witness(
            n=n,
            person=entry.actor or "",
            identity=identity,
            done=entry.data["done"] is True,
            at=entry.at,
        )
    return list(latest.values())


def why_not_testify(tx: Tx, ctx: Context, proposal: Proposal, person: Principal) -> str | None:
    """Why this person may not say what became of it, as a sentence, or None."""
    try:
        _check_person(tx, ctx, proposal, person)
        _check_time(tx, ctx, proposal)
    except (NotAllowed, Conflict) as refusal:
        return refusal.message
    return None


def _check(said: Testimony) -> None:
    check_plain([said.evidence, said.provider_ref])
    if not said.evidence.strip():
        raise InvalidInput("reason_missing", "say in a few words how you know")
    if len(said.evidence) > EVIDENCE_CHARS_MAX:
        what = f"the evidence is longer than {EVIDENCE_CHARS_MAX} characters"
        raise InvalidInput("too_large", what)
    reference = said.provider_ref
    if reference is not None and not 1 <= len(reference) <= REFERENCE_CHARS_MAX:
        what = f"a reference has 1 to {REFERENCE_CHARS_MAX} characters"
        raise InvalidInput("field_malformed", what)
    if reference is not None and not said.done:
        raise InvalidInput("field_malformed", "what was not done has no reference")


def _check_time(tx: Tx, ctx: Context, proposal: Proposal) -> None:
    """What may still be under way is not settled: it could happen after everybody said no."""
    clocks, capability = ctx.rulebook(proposal.desk).policy.clocks, promised(ctx, proposal)
    settled_ms = 0 if capability is None else capability.settled_after_ms
    until = max(proposal.attempt_until or 0, proposal.updated_at)
    until += max(clocks.quiescence_ms, settled_ms)
    if tx.now < until:
        raise Conflict("outcome_too_early", "it may still be under way; look again in a minute")


def _check_reference(tx: Tx, proposal: Proposal, said: Testimony) -> None:
    if said.provider_ref is None:
        return
    other = tx.proposals.by_provider(proposal.desk, proposal.connector, said.provider_ref)
    if other is not None and other.id != proposal.id:
        raise Conflict("provider_ref_taken", f"that reference belongs to `{other.id}`")


def _take_down(tx: Tx, proposal: Proposal, person: Principal, said: Testimony) -> None:
    n = 1 + sum(
        logged.entry.tag == Tag.EXECUTION_TESTIFIED.value
        for logged in tx.log.of_proposal(proposal.desk, proposal.id)
    )
    data: Data = {
        "attempt": proposal.attempt,
        "n": n,
        "identity": person.identity,
        "done": said.done,
    }
    tag = Tag.EXECUTION_TESTIFIED
    note_down(tx, proposal, tag, actor=person.id, data=data, by_person=True)
    grounds = canonical(_Grounds(evidence=said.evidence, provider_ref=said.provider_ref))
    subject = sealing_subject(tx, proposal.desk, proposal.subject)
    tx.vault.put(proposal.desk, proposal.id, _slot(n), subject=subject, data=grounds)


def _slot(n: int) -> str:
    return f"testimony:{n}"


def _weighed(tx: Tx, ctx: Context, proposal: Proposal, said: Testimony) -> Proposal:
    """Settle it, wait for one more, or tell somebody that they disagree."""
    heard = [one for one in witnesses(tx, proposal) if _counts(tx, ctx, proposal, one)]
    references = _references(tx, proposal, heard)
    if len({one.done for one in heard}) > 1 or len(set(references.values())) > 1:
        concern = "people disagree about whether this was done, or under which reference"
        open_for(tx, ctx, proposal, concern, cause=Cause.UNKNOWN_OUTCOME)
        return proposal
    if _persons(tx, proposal, heard) < needed_for(ctx, proposal):
        return proposal
    if said.done:
        reference = next(iter(references.values()), None)
        receipt = Receipt(provider_ref=reference, result={"note": _BY_PEOPLE})
        return succeeded(tx, ctx, proposal, receipt, Event.CONFIRM_DONE)
    tx.caps.void(proposal.desk, proposal.id, tx.now)
    keep_result(tx, proposal, {"error": _BY_PEOPLE})
    data: Data = {"attempt": proposal.attempt, "done": False}
    tag = Tag.EXECUTION_CONFIRMED
    return advance(tx, proposal, Event.CONFIRM_NOT_DONE, tag, actor=GATEWAY, data=data)


def _check_person(tx: Tx, ctx: Context, proposal: Proposal, person: Principal) -> None:
    """Whoever could approve it, whether or not they were drawn to, may say what became of it."""
    bench = bench_of(ctx, tx, proposal)
    check_reviewer(proposal, makers_of(tx, proposal), person, Verdict.APPROVE, (), bench)


def _persons(tx: Tx, proposal: Proposal, heard: list[Witness]) -> int:
    """How many natural persons have spoken, on however many accounts."""
    roster, met, count = roster_of(tx, proposal.desk), set[str](), 0
    for one in heard:
        names = roster.names(one.person, one.identity, at=proposal.created_at)
        count += not names & met
        met |= names
    return count


def _counts(tx: Tx, ctx: Context, proposal: Proposal, witness: Witness) -> bool:
    """Whether who said it may still say it."""
    person = tx.people.get(proposal.desk, witness.person)
    try:
        if person is None:
            return False
        _check_person(tx, ctx, proposal, person)
    except (NotAllowed, Conflict):
        return False
    return True


def _references(tx: Tx, proposal: Proposal, heard: list[Witness]) -> Mapping[str, str]:
    """The references that were named, by who named them."""
    named: dict[str, str] = {}
    for one in heard:
        try:
            sealed = tx.vault.get(proposal.desk, proposal.id, _slot(one.n))
        except Unavailable:
            continue  # its customer was erased meanwhile, and the reference with them
        if sealed is None:
            continue
        reference = msgspec.json.decode(sealed, type=_Grounds).provider_ref
        if reference is not None:
            named[one.identity] = reference
    return named
