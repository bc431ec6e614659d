"""Restore: go on from a backup, with what is lost named, and nothing sent before it was looked up.

A backup does not know what ran after it was taken: whatever was open in it may have been decided
and carried out since. So every open action is looked up by its key at its connector before the desk
is opened again, and the desk is halted until another person lets work go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

import msgspec

from handrail.connectors.protocol import Found, Looked, Promise
from handrail.core import merkle
from handrail.core.entry import Tag, row_commitment
from handrail.core.escalation import Cause
from handrail.core.halt import HaltScope
from handrail.core.lifecycle import OPEN, Event, State
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.core.restoration import Departed, Restoration
from handrail.engine.asking.checkers import roster_of
from handrail.engine.asking.escalate import open_for_desk, tell_tampered
from handrail.engine.base.context import GATEWAY, Context, new_id
from handrail.engine.base.record import (
    Data,
    advance,
    check_unchanged,
    content_of,
    note_down,
    note_on_desk,
)
from handrail.engine.governing.halt import Stop, pull
from handrail.engine.keeping.checkpoint import departed_of, opened, sign_checkpoint
from handrail.engine.proposing.accumulate import owed
from handrail.engine.running.ceilings import reserve_again
from handrail.engine.running.execute import well_formed
from handrail.engine.running.lookup import promised, resolve
from handrail.errors import Conflict, HandrailError, NotAllowed, SetupFailed, Tampered, Unavailable
from handrail.store.protocol import Tx

__all__ = ["Looking", "Losses", "finish_restoration", "look_up_open", "losses_of", "restore_log"]

_PAGE: Final = 200
_SAID: Final = (
    "this desk goes on from a backup: {lost} entries of its log are known to be lost, and whatever"
    " came after them. Every action that was open in the backup has been looked up. What was"
    " proposed only after it is not known here, and what it spent counts under no cap: before you"
    " let work go on, compare the systems of record with the desk for the time since the backup,"
    " and make sure that no agent sends anew what it sent in that time"
)


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """What the kept checkpoints prove: the log had `known` entries, and has `size` now."""

    size: int
    root: bytes
    known: int
    departed: frozenset[Departed]

    @property
    def lost(self) -> int:
        """How many entries are lost at least: what came after the last checkpoint is not known."""
        return max(0, self.known - self.size)


class Looking(msgspec.Struct, kw_only=True):
    """What one look at the open actions found; `left` could not be told apart yet."""

    found: int = 0
    absent: int = 0
    asked: int = 0
    left: int = 0


def losses_of(ctx: Context, desk: str, more: Iterable[str] = ()) -> Losses:
    """What is lost, by the checkpoints kept outside and the notes in `more`.

    Raises Conflict `nothing_lost` when the log has everything, and SetupFailed `log_damaged` when
    it differs from a checkpoint that it is large enough for: that is no backup but another history.
    """
    notes = [*ctx.store.kept_checkpoints(desk), *more]
    signed = {(one.size, one.root) for one in (opened(ctx, note) for note in notes)}

    def look(tx: Tx) -> Losses:
        head = tx.log.head(desk)
        new = signed - departed_of(ctx, tx, desk)
        for size, root in new:
            if size <= head.size and not _extends(tx, desk, head, size, root):
                what = f"the log of `{desk}` differs from its checkpoint of {size} entries"
                raise SetupFailed("log_damaged", f"{what}: this is no backup of it")
        departed = frozenset(one for one in new if one[0] > head.size)
        if not departed:
            raise Conflict("nothing_lost", f"the log of `{desk}` has all that its checkpoints say")
        known = max(size for size, _ in departed)
        return Losses(size=head.size, root=merkle.root(head), known=known, departed=departed)

    return ctx.store.read(look)


def _extends(tx: Tx, desk: str, head: merkle.Frontier, size: int, root: bytes) -> bool:
    proof = merkle.consistency_proof(
        size, head.size, lambda level, n: tx.log.hash_at(desk, level, n)
    )
    return merkle.verify_consistency(size, head.size, proof, root, merkle.root(head))


def restore_log(
    ctx: Context, desk: str, losses: Losses, *, by: str, confirmed_by: str
) -> Restoration:
    """Write down, signed, that the log goes on from where the backup ends, and keep the new head.

    Raises NotAllowed `not_entitled`, `role_missing` unless an administrator confirms it, and
    `own_authority` when that is the same person, on whichever account.
    """

    def unit(tx: Tx) -> Restoration:
        _check_people(tx, desk, by, confirmed_by)
        if tx.log.size(desk) != losses.size:
            raise Unavailable("store_failed", "something was written to the desk meanwhile")
        plain = Restoration(
            desk=desk,
            id=new_id("rs", tx.now, ctx.entropy),
            at=tx.now,
            size=losses.size,
            root=losses.root.hex(),
            departed=Restoration.named(losses.departed),
            restored_by=by,
            confirmed_by=confirmed_by,
        )
        signed = msgspec.structs.replace(plain, note=ctx.signer.sign(plain.statement()))
        tx.restorations.add(signed)
        data: Data = {
            "size": signed.size,
            "root": signed.root,
            "known": losses.known,
            "departed": signed.digest,
            "confirmed_by": confirmed_by,
        }
        _note_restoration(tx, signed, Tag.LOG_RESTORED, by, data)
        return signed

    restoration = ctx.store.write(unit)
    sign_checkpoint(ctx, desk)
    return restoration


def look_up_open(ctx: Context, restoration: Restoration) -> Looking:
    """Ask about every action that was open in the backup and has not been told apart yet.

    What is found done is recorded; what cannot be told waits for people; what was certainly not
    done, some time after the restoration, stays as it was.
    """
    looking = Looking()
    for proposal in _open_ones(ctx, restoration):
        found = _found(ctx, proposal, restoration.at)
        if found is None:
            looking.left += 1
            continue
        try:
            ctx.store.write(partial(_told_apart, ctx, proposal, found))
        except Tampered as error:
            tell_tampered(ctx, error)
            continue
        looking.found += found.looked is Looked.DONE
        looking.absent += found.looked is Looked.NOT_DONE
        looking.asked += found.looked is Looked.CANNOT_TELL
    return looking


def finish_restoration(ctx: Context, restoration: Restoration) -> Restoration:
    """Everything was looked up: the desk may be opened. It is halted, and people are told."""

    def unit(tx: Tx) -> Restoration:
        desk = restoration.desk
        done: Restoration = msgspec.structs.replace(restoration, done_at=tx.now)
        tx.restorations.end(done)
        _note_restoration(tx, done, Tag.LOG_RECONCILED, GATEWAY, {})
        stop = Stop(scope=HaltScope.DESK, target="", reason="restored from a backup")
        pull(tx, ctx, desk, stop, by=done.restored_by)
        known = max(size for size, _ in done.checkpoints())
        said = _SAID.format(lost=known - done.size)
        open_for_desk(tx, ctx, desk, said, actor=done.restored_by, cause=Cause.RESTORED)
        return done

    done = ctx.store.write(unit)
    sign_checkpoint(ctx, restoration.desk)
    return done


def _check_people(tx: Tx, desk: str, by: str, confirmed_by: str) -> None:
    person, other = _active(tx, desk, by), _active(tx, desk, confirmed_by)
    if Role.ADMIN not in other.roles:
        raise NotAllowed("role_missing", "an administrator confirms it")
    roster = roster_of(tx, desk)
    if roster.of(other) & roster.names(person.id, person.identity):
        raise NotAllowed("own_authority", "another person than the one who restores confirms it")


def _active(tx: Tx, desk: str, person: str) -> Principal:
    found = tx.people.get(desk, person)
    if found is None or found.disabled or found.kind is not PrincipalKind.PERSON:
        raise NotAllowed("not_entitled", "only an active person of this desk can do this")
    return found


def _open_ones(ctx: Context, restoration: Restoration) -> Iterator[Proposal]:
    """What was open in the backup and about which nothing was written since."""
    after, desk = "", restoration.desk
    while page := ctx.store.read(partial(_page, desk, after)):
        for proposal in page:
            if proposal.state in OPEN and not _is_told_apart(ctx, restoration, proposal):
                yield proposal
        after = page[-1].id


def _page(desk: str, after: str, tx: Tx) -> list[Proposal]:
    return tx.proposals.page(desk, after=after, most=_PAGE)


def _is_told_apart(ctx: Context, restoration: Restoration, proposal: Proposal) -> bool:
    entries = ctx.store.read(lambda tx: tx.log.of_proposal(proposal.desk, proposal.id))
    return any(one.index > restoration.size for one in entries)


def _found(ctx: Context, proposal: Proposal, since: int) -> Found | None:
    """What became of it, if that can be told now; None while it may still be under way."""
    capability = promised(ctx, proposal)
    if capability is not None and capability.reads_only:
        return Found(looked=Looked.NOT_DONE)
    if capability is None or capability.promise is Promise.BLIND:
        return Found(looked=Looked.CANNOT_TELL)
    try:
        found = ctx.connector(proposal.connector).lookup(proposal.kind, proposal.id)
    except Exception:
        return None
    if found.looked is Looked.DONE and not well_formed(found.receipt):
        return Found(looked=Looked.CANNOT_TELL)
    quiescence = ctx.rulebook(proposal.desk).policy.clocks.quiescence_ms
    settled_at = since + max(quiescence, capability.settled_after_ms)
    return None if found.looked is Looked.NOT_DONE and ctx.clock() < settled_at else found


def _told_apart(ctx: Context, before: Proposal, found: Found, tx: Tx) -> None:
    """Write down what was found of one action."""
    proposal = tx.proposals.get(before.desk, before.id)
    if proposal != before:
        raise Conflict("not_pending", f"`{before.id}` was changed by somebody else just now")
    check_unchanged(tx, proposal)
    waits = proposal.state in (State.PENDING, State.HOLDING, State.READY)
    if waits and found.looked is Looked.NOT_DONE:
        note_down(tx, proposal, Tag.ACTION_RECONCILED, actor=GATEWAY, data={"done": False})
        return
    if waits:
        data: Data = {"counted": _counted(tx, ctx, proposal)}
        proposal = advance(tx, proposal, Event.DOUBT, Tag.ACTION_DOUBTED, actor=GATEWAY, data=data)
    elif proposal.state is State.EXECUTING:
        data = {"attempt": proposal.attempt, "why": "restored"}
        proposal = advance(tx, proposal, Event.LOSE, Tag.EXECUTION_LOST, actor=GATEWAY, data=data)
    else:
        note_down(tx, proposal, Tag.ACTION_RECONCILED, actor=GATEWAY)
    resolve(ctx, found, tx, proposal)


def _counted(tx: Tx, ctx: Context, proposal: Proposal) -> bool:
    """Count what may have run under the caps and sums; whether there was room for it."""
    rules = ctx.rulebook(proposal.desk)
    try:
        instrument = content_of(tx, proposal).instrument
    except HandrailError:
        instrument = None
    more = owed(rules, proposal, instrument)
    return reserve_again(tx, rules, proposal, more) is None


def _note_restoration(tx: Tx, restoration: Restoration, tag: Tag, actor: str, data: Data) -> None:
    note_on_desk(
        tx,
        restoration.desk,
        tag,
        actor=actor,
        data={"restoration": restoration.id, **data},
        rows={f"restoration:{restoration.id}": row_commitment(restoration)},
        by_person=actor != GATEWAY,
    )
