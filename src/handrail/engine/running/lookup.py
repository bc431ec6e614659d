"""Look up: ask the system of record about an attempt that nobody heard of, and act on the answer.

Certainly not done means: the same key and the same bytes may go out again, while the provider still
knows the key, a few times, in time. Cannot tell means that a person is told, and that it is asked
again after a pause that doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from handrail.connectors.protocol import Capability, Found, Looked, Promise
from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.lifecycle import Event
from handrail.core.pause import pause_ms
from handrail.core.proposal import Proposal
from handrail.engine.asking.escalate import open_for
from handrail.engine.base.circuits import Way, spread_of
from handrail.engine.base.context import GATEWAY, Context
from handrail.engine.base.record import Data, advance
from handrail.engine.running.execute import succeeded, well_formed
from handrail.store.protocol import Tx

__all__ = [
    "ATTEMPTS_MAX",
    "KEY_MARGIN_MS",
    "ask_a_person",
    "due_at",
    "key_lives",
    "look_up",
    "promised",
    "resolve",
]

ATTEMPTS_MAX: Final = 8
"""Attempts of one action; each waits twice as long as the one before."""
KEY_MARGIN_MS: Final = 60_000
"""So long before a provider forgets a key, nothing is sent under it any more."""

_OPENING: Final = "this was certainly not done, and is not tried again: "
_GIVEN_UP: Final = {
    "key_expired": _OPENING + "the system of record may have forgotten that it was asked before",
    "restored": _OPENING + "it was open in a backup that was restored; it can be asked for anew",
    "tried_too_often": _OPENING + "it came to nothing too many times",
}


def due_at(ctx: Context, proposal: Proposal) -> int:
    """When a lost attempt is first looked up: later for every attempt that came before it."""
    quiescence = ctx.rulebook(proposal.desk).policy.clocks.quiescence_ms
    earlier = max(0, proposal.attempt - 1)
    more = pause_ms(quiescence, earlier, spread_of(proposal.id, earlier))
    return proposal.updated_at + quiescence + more


def look_up(
    ctx: Context, proposal: Proposal, ask: Callable[[Callable[[], Found]], Found] | None = None
) -> Found | None:
    """The connector's answer; a blind connector, and any error, cannot tell.

    None when it is not asked, or not to be believed, yet.
    """
    now = ctx.clock()
    capability = promised(ctx, proposal)
    if capability is None or capability.promise is Promise.BLIND:
        _pause(ctx, proposal, now)
        return Found(looked=Looked.CANNOT_TELL)
    name, circuits = proposal.connector, ctx.circuits
    if not circuits.may_retry(name, now) or not circuits.admits(name, Way.READ, now):
        return None
    try:
        question = partial(ctx.connector(name).lookup, proposal.kind, proposal.id)
        found = question() if ask is None else ask(question)
    except Exception:
        circuits.silent(name, Way.READ, now)
        _pause(ctx, proposal, now)
        return Found(looked=Looked.CANNOT_TELL)
    circuits.answered(name, Way.READ)
    settled_at = proposal.updated_at + capability.settled_after_ms
    if found.looked is Looked.NOT_DONE and now < settled_at:
        circuits.pause(proposal.desk, proposal.id, settled_at)
        return None
    if found.looked is Looked.CANNOT_TELL or (
        found.looked is Looked.DONE and not well_formed(found.receipt)
    ):
        _pause(ctx, proposal, now)
        return Found(looked=Looked.CANNOT_TELL)
    return found


def resolve(ctx: Context, found: Found, tx: Tx, proposal: Proposal) -> bool:
    """Move an UNKNOWN action by what was found; whether it moved."""
    match found.looked:
        case Looked.DONE:
            assert found.receipt is not None
            succeeded(tx, ctx, proposal, found.receipt, Event.FOUND)
            return True
        case Looked.NOT_DONE:
            _absent(tx, ctx, proposal)
            return True
        case Looked.CANNOT_TELL:
            return ask_a_person(ctx, tx, proposal)


def ask_a_person(ctx: Context, tx: Tx, proposal: Proposal) -> bool:
    """Open one escalation per lost attempt; the action stays unknown and keeps its reservation."""
    known = tx.escalations.of_proposal(proposal.desk, proposal.id)
    if not any(escalation.opened_at >= proposal.updated_at for escalation in known):
        said = "nobody can tell whether this was done; look it up by hand"
        undoes = proposal.undoes is not None
        cause = Cause.UNDO_UNVERIFIED if undoes else Cause.UNKNOWN_OUTCOME
        open_for(tx, ctx, proposal, said, cause=cause)
    return False


def key_lives(tx: Tx, ctx: Context, proposal: Proposal) -> bool:
    """Whether an action that was sent before may be sent again under its key.

    A key counts from the first intent on, which is before the provider first saw it.
    """
    capability = promised(ctx, proposal)
    if capability is None or capability.promise is not Promise.KEYED or capability.reads_only:
        return True
    attempt_ms = ctx.rulebook(proposal.desk).policy.clocks.attempt_ms
    ends_at = _first_sent_at(tx, proposal) + capability.ttl_ms - KEY_MARGIN_MS
    return tx.now + attempt_ms < ends_at


def _first_sent_at(tx: Tx, proposal: Proposal) -> int:
    for logged in tx.log.of_proposal(proposal.desk, proposal.id):
        if logged.entry.data.get("attempt") is not None:
            return logged.entry.at
    return proposal.created_at


def promised(ctx: Context, proposal: Proposal) -> Capability | None:
    """What the connector promises that was sent to, whatever the policy says today."""
    connector = ctx.connectors.get(proposal.connector)
    return None if connector is None else connector.kinds().get(proposal.kind)


def _pause(ctx: Context, proposal: Proposal, now: int) -> None:
    desk, id = proposal.desk, proposal.id
    quiescence = ctx.rulebook(desk).policy.clocks.quiescence_ms
    tries = ctx.circuits.tries(desk, id)
    ctx.circuits.pause(desk, id, now + pause_ms(quiescence, tries + 1, spread_of(id, tries)))


def _absent(tx: Tx, ctx: Context, proposal: Proposal) -> Proposal:
    """Certainly not done: it may run again with the same key and bytes, or it is given up."""
    # The reservation is given back; a further attempt takes it again, under the caps.
    tx.caps.void(proposal.desk, proposal.id, tx.now)
    why = _why_given_up(tx, ctx, proposal)
    if why is None:
        event, tag = Event.ABSENT, Tag.EXECUTION_ABSENT
    else:
        event, tag = Event.ABANDON, Tag.EXECUTION_ABANDONED
    data: Data = {"attempt": proposal.attempt}
    if why is not None:
        data["why"] = why
    moved = advance(tx, proposal, event, tag, actor=GATEWAY, data=data)
    if why in _GIVEN_UP:
        open_for(tx, ctx, moved, _GIVEN_UP[why], cause=Cause.EXPIRED)
    return moved


def _why_given_up(tx: Tx, ctx: Context, proposal: Proposal) -> str | None:
    if not proposal.attempt:
        return "restored"
    if proposal.execute_by is None or tx.now >= proposal.execute_by:
        return "time_over"
    if proposal.attempt >= ATTEMPTS_MAX:
        return "tried_too_often"
    # INVARIANT: nothing is sent again under a key that its provider may have forgotten.
    return None if key_lives(tx, ctx, proposal) else "key_expired"
