"""Sweep: what time does. Expiry denies; a lost attempt becomes unknown; unknown is looked up.

Recovery after a crash is this and nothing else: an attempt whose process is gone carries an older
fence, so the first sweep after a restart finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from handrail.connectors.protocol import Found, Looked
from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.lifecycle import Event, State
from handrail.core.proposal import Proposal
from handrail.engine.access.breakglass import end_grants
from handrail.engine.asking.escalate import lapse_unit, open_for, tell_tampered
from handrail.engine.asking.quorum import due_draws, redraw
from handrail.engine.base.context import GATEWAY, Context
from handrail.engine.base.record import advance, check_unchanged
from handrail.engine.governing.amendment import activate_due
from handrail.engine.governing.desks import follow_desks
from handrail.engine.governing.halt import clear_halts, halt_over
from handrail.engine.proposing.bunch import watch_bunching
from handrail.engine.running.execute import (
    Effect,
    Ending,
    Job,
    perform,
    settle_unit,
)
from handrail.engine.running.lookup import ask_a_person, due_at, look_up, resolve
from handrail.engine.waiting.dispatch import claim_unit
from handrail.engine.waiting.reread import reread
from handrail.errors import Conflict, InvariantBroken, Tampered
from handrail.store.protocol import Tx

__all__ = ["Swept", "run_job", "run_ready", "sweep"]

_Unit = Callable[[Tx, Proposal], bool]
_Move = Callable[[Context, Tx, Proposal], bool]
_Due = Callable[[Context, Proposal, int], bool]
_Run = Callable[[Context, str, str], Proposal]
_Ask = Callable[[Callable[[], Found]], Found]

BATCH_MAX: Final = 200


class Swept(msgspec.Struct, kw_only=True):
    """How many proposals one sweep moved, by what happened to them; `failed` could not be moved."""

    expired: int = 0
    released: int = 0
    stopped: int = 0
    overdue: int = 0
    lost: int = 0
    found: int = 0
    absent: int = 0
    ran: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All that were moved."""
        return int(sum(msgspec.structs.astuple(self))) - self.failed


def sweep(ctx: Context, *, run: _Run | None = None, ask: _Ask | None = None) -> Swept:
    """Do once what is due on every desk. Bounded: what is left over waits for the next sweep.

    `run` takes up a READY action, here and now by default; a server hands it to its threads. `ask`
    puts a question to a connector; a server bounds how long it waits for the answer. An action that
    cannot be moved does not hold up the others; of one that was changed from outside, people are
    told. Raises Unavailable when the store cannot be
    written, and InvariantBroken.
    """
    for desk in list(ctx.rulebooks):
        activate_due(ctx, desk)
    follow_desks(ctx)
    swept = Swept(stopped=clear_halts(ctx))
    take_up = run_ready if run is None else run
    for desk in list(ctx.rulebooks):
        swept.expired += _expire(ctx, swept, desk)
        _draw_anew(ctx, swept, desk)
        end_grants(ctx, desk)
        if ctx.store.read(lambda tx: tx.escalations.late(desk, tx.now, most=1)):  # noqa: B023
            swept.overdue += ctx.store.write(lapse_unit(desk, most=BATCH_MAX))
    swept.released += _each(ctx, swept, State.HOLDING, _held_out, _release)
    swept.lost += _each(ctx, swept, State.EXECUTING, _lost, _lose)
    _look_up(ctx, swept, ask)
    for proposal in ctx.store.read(partial(_turn, ctx, State.READY)):
        if _agents_turn(ctx, proposal) or not _tried_again(ctx, proposal):
            continue
        try:
            after = take_up(ctx, proposal.desk, proposal.id)
        except Exception as error:
            _spare(ctx, swept, error)
            continue
        swept.expired += after.state is State.EXPIRED
        swept.ran += after.state not in (proposal.state, State.EXPIRED)
    watch_bunching(ctx)
    return swept


def _spare(ctx: Context, swept: Swept, error: Exception) -> None:
    """Count what cannot be moved, and go on; unless it is the store that cannot write."""
    if isinstance(error, InvariantBroken):
        raise error
    ctx.store.write(lambda tx: None)
    swept.failed += 1
    if isinstance(error, Tampered):
        tell_tampered(ctx, error)


def _agents_turn(ctx: Context, proposal: Proposal) -> bool:
    """What runs in the agent's process is claimed by the agent, which alone gets the permit."""
    kind = ctx.rulebook(proposal.desk).kind(proposal.kind)
    over = proposal.execute_by is not None and ctx.clock() >= proposal.execute_by
    return kind is not None and kind.runs_in_agent and not over


def _tried_again(ctx: Context, proposal: Proposal) -> bool:
    """Whether it is taken up now: not while it can be taken back, not during its pause, and within
    the connector's budget.
    """
    now = ctx.clock()
    if proposal.waits_out(now):
        return False
    if ctx.circuits.rests(proposal.desk, proposal.id, now):
        return False
    over = proposal.execute_by is not None and now >= proposal.execute_by
    return over or ctx.circuits.may_retry(proposal.connector, now)


def run_ready(ctx: Context, desk: str, id: str) -> Proposal:
    """Read again, claim, perform and settle a READY proposal, if it may run; what became of it."""
    proposal, job = ctx.store.write(claim_unit(ctx, desk, id, reread(ctx, desk, id)))
    return proposal if job is None else run_job(ctx, job)


def run_job(ctx: Context, job: Job) -> Proposal:
    """Perform and settle a claimed attempt. A permit's attempt is the agent's to perform.

    An outcome that cannot be written is lost, or stays running until its deadline, and is looked
    up: the caller is never told that nothing was done.
    """
    if job.permit is not None:
        return job.proposal
    for outcome in (perform(ctx, job), Effect(ending=Ending.UNKNOWN)):
        try:
            return ctx.store.write(settle_unit(ctx, job, outcome))
        except InvariantBroken:
            raise
        except Exception:
            continue
    return job.proposal


def _expire(ctx: Context, swept: Swept, desk: str) -> int:
    due = ctx.store.read(lambda tx: tx.proposals.overdue(desk, tx.now, most=BATCH_MAX))

    def unit(tx: Tx, proposal: Proposal) -> bool:
        expired = advance(
            tx,
            proposal,
            Event.EXPIRE,
            Tag.ACTION_EXPIRED,
            actor=GATEWAY,
            data={"why": "nobody_decided"},
        )
        open_for(tx, ctx, expired, "nobody decided about this in time", cause=Cause.EXPIRED)
        return True

    return sum(_landed(ctx, swept, proposal, unit) for proposal in due)


def _draw_anew(ctx: Context, swept: Swept, desk: str) -> None:
    """Where drawn people cannot decide, or have had their time, others are drawn."""
    for proposal in ctx.store.read(partial(due_draws, ctx, desk)):
        _landed(ctx, swept, proposal, partial(redraw, ctx))


def _each(ctx: Context, swept: Swept, state: State, due: _Due, move: _Move) -> int:
    """Move what is due in a state. Judged before anything is written: mostly nothing is."""

    def look(tx: Tx) -> list[Proposal]:
        return [one for one in _turn(ctx, state, tx) if due(ctx, one, tx.now)]

    found = ctx.store.read(look)
    return sum(_landed(ctx, swept, proposal, partial(move, ctx)) for proposal in found)


def _turn(ctx: Context, state: State, tx: Tx) -> list[Proposal]:
    """The next ones in a state, from where the last sweep stopped, round and round."""
    after = ctx.turns.pop(state, ("", ""))
    found = tx.proposals.in_state(state, after=after, most=BATCH_MAX)
    if len(found) == BATCH_MAX:
        ctx.turns[state] = (found[-1].desk, found[-1].id)
    return found


def _landed(ctx: Context, swept: Swept, proposal: Proposal, move: _Unit) -> bool:
    """Run a move on a row read earlier; False when somebody else moved it first, or it fails."""

    def unit(tx: Tx) -> bool:
        if tx.proposals.get_free(proposal.desk, proposal.id) != proposal:
            return False
        check_unchanged(tx, proposal)
        return move(tx, proposal)

    try:
        return ctx.store.write(unit)
    except Conflict:
        return False
    except Exception as error:
        _spare(ctx, swept, error)
        return False


def _held_out(ctx: Context, proposal: Proposal, now: int) -> bool:
    return proposal.hold_until is not None and now >= proposal.hold_until


def _release(ctx: Context, tx: Tx, proposal: Proposal) -> bool:
    if halt_over(tx, proposal) is not None:
        return False
    clocks = ctx.rulebook(proposal.desk).policy.clocks
    advance(
        tx,
        proposal,
        Event.RELEASE,
        Tag.ACTION_RELEASED,
        actor=GATEWAY,
        execute_by=tx.now + clocks.execution_ms,
    )
    return True


def _gone(ctx: Context, proposal: Proposal) -> bool:
    return proposal.permit is None and ctx.store.is_gone(proposal.fence)


def _lost(ctx: Context, proposal: Proposal, now: int) -> bool:
    late = proposal.attempt_until is not None and now >= proposal.attempt_until
    return late or _gone(ctx, proposal)


def _lose(ctx: Context, tx: Tx, proposal: Proposal) -> bool:
    """An attempt past its deadline, or of a process that is gone, becomes unknown."""
    why = "interrupted" if _gone(ctx, proposal) else "deadline"
    advance(
        tx,
        proposal,
        Event.LOSE,
        Tag.EXECUTION_LOST,
        actor=GATEWAY,
        data={"attempt": proposal.attempt, "why": why},
    )
    return True


def _look_up(ctx: Context, swept: Swept, ask: _Ask | None) -> None:
    """Ask the system of record about every unknown attempt that has had time to settle."""
    unknown = ctx.store.read(partial(_turn, ctx, State.UNKNOWN))
    now = ctx.clock()
    for proposal in unknown:
        desk, id = proposal.desk, proposal.id
        if now < due_at(ctx, proposal) or ctx.circuits.rests(desk, id, now):
            continue
        found = look_up(ctx, proposal, ask)
        if found is None:
            continue
        failed = swept.failed
        moved = _landed(ctx, swept, proposal, partial(resolve, ctx, found))
        if moved:
            ctx.circuits.forget(desk, id)
        if swept.failed > failed:
            # Done, it says, but in a way that cannot be written: as good as no answer.
            _landed(ctx, swept, proposal, partial(ask_a_person, ctx))
        swept.found += moved and found.looked is Looked.DONE
        swept.absent += moved and found.looked is Looked.NOT_DONE
