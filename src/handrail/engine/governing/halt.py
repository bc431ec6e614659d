"""Halt: stop a desk, an agent, a kind, a task or a customer; and let go again.

A halt counts for whatever is not dispatched yet, from the transaction that writes it on: proposals
are refused, held sends withdrawn, what is allowed waits until its time is over, and nothing can be
approved. The tokens of the tasks that it covers are ended in bounded batches afterwards.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from handrail.core.canonical import check_plain
from handrail.core.entry import Tag, row_commitment
from handrail.core.halt import Halt, HaltScope
from handrail.core.lifecycle import Event, State
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.engine.access.tasks import revoke_in
from handrail.engine.base.context import GATEWAY, OPERATOR, Context, new_id
from handrail.engine.base.record import Data, advance, check_unchanged, note_on_desk
from handrail.errors import Conflict, InvalidInput, NotAllowed, NotFound, Tampered
from handrail.store.protocol import ACTIVE_HALTS_MAX, DESK_SUBJECT, Tx, Unit

__all__ = [
    "HALT_REASON",
    "LIFTERS",
    "Pulled",
    "Stop",
    "check_not_halted",
    "clear_halts",
    "halt_over",
    "in_flight_of",
    "lift_unit",
    "pull",
    "pull_unit",
    "why_no_lift",
]

HALT_REASON: Final = "reason"
LIFT_REASON: Final = "lifted"
REASON_CHARS_MAX: Final = 4_000
IN_FLIGHT_MAX: Final = 100
BATCH_MAX: Final = 200
ROUNDS_MAX: Final = 50
"""Batches of one kind in one go: 10,000 tasks, or held sends; the next sweep does the rest."""
LIFTERS: Final = (Role.REVIEWER, Role.CHECKER, Role.ADMIN)


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants stopped. `target` is a customer's own id for a customer."""

    scope: HaltScope
    target: str = ""
    reason: str = ""


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """The halt that now counts, whether this call made it, and what cannot be stopped any more.

    `in_flight` are actions that had left already, at most `IN_FLIGHT_MAX` of them. `met` is False
    for a customer whom handrail has not met: maybe it was a slip of the pen.
    """

    halt: Halt
    fresh: bool
    in_flight: tuple[Proposal, ...]
    met: bool = True


def pull_unit(ctx: Context, desk: str, stop: Stop, *, by: str) -> Unit[Pulled]:
    """The unit that stops something at once, without a question.

    `by` is any person of the desk who has a role, the operator, or an agent for itself and its own
    tasks. A second pull of the same gives the halt that counts already. Raises NotAllowed
    `not_entitled`, NotFound for what is not there, and Conflict `too_many_halts`.
    """
    _check_reason(stop.reason)

    def unit(tx: Tx) -> Pulled:
        return pull(tx, ctx, desk, stop, by=by)

    return unit


def pull(tx: Tx, ctx: Context, desk: str, stop: Stop, *, by: str = GATEWAY) -> Pulled:
    """Stop something inside a running unit; the gateway itself may pull too."""
    customer = stop.scope is HaltScope.CUSTOMER
    met = not customer or tx.vault.find_ref(desk, stop.target) is not None
    target, subject = _target(tx, ctx, desk, stop)
    puller = _may_pull(tx, desk, stop.scope, target, by)
    known = tx.halts.active(desk).on(stop.scope, target)
    if known is not None:
        return Pulled(halt=known, fresh=False, in_flight=in_flight_of(tx, known), met=met)
    if by != GATEWAY and len(tx.halts.list_active(desk)) >= ACTIVE_HALTS_MAX:
        raise Conflict("too_many_halts", "too many halts are active; halt the desk instead")
    halt = Halt(
        desk=desk,
        id=new_id("ha", tx.now, ctx.entropy),
        scope=stop.scope,
        target=target,
        pulled_by=by,
        pulled_at=tx.now,
    )
    tx.halts.add(halt)
    tx.counters.add(desk, "halts")
    if stop.reason:
        sealed_for = subject or tx.vault.ref_of(desk, DESK_SUBJECT, tx.now)
        tx.vault.put(desk, halt.id, HALT_REASON, subject=sealed_for, data=stop.reason.encode())
    person = puller is not None and puller.kind is PrincipalKind.PERSON
    _note_halt(tx, halt, Tag.HALT_PULLED, by, by_person=person)
    return Pulled(halt=halt, fresh=True, in_flight=in_flight_of(tx, halt), met=met)


def lift_unit(desk: str, id: str, *, by: str, reason: str = "") -> Unit[Halt]:
    """The unit by which another person lets work go on.

    Raises NotFound `halt_not_found`, Conflict `halt_lifted`, NotAllowed `not_entitled` and
    `lifter_is_puller`.
    """
    _check_reason(reason)

    def unit(tx: Tx) -> Halt:
        halt = tx.halts.get(desk, id)
        if halt is None:
            raise NotFound("halt_not_found", f"there is no halt `{id}` on this desk")
        if not halt.active:
            raise Conflict("halt_lifted", "somebody has lifted this already")
        refusal = why_no_lift(tx, halt, tx.people.get(desk, by))
        if refusal is not None:
            code, text = refusal
            raise NotAllowed(code, text)
        lifted: Halt = msgspec.structs.replace(halt, lifted_by=by, lifted_at=tx.now)
        tx.halts.lift(lifted)
        tx.counters.add(desk, "halts", -1)
        if reason:
            sealed_for = tx.vault.ref_of(desk, DESK_SUBJECT, tx.now)
            tx.vault.put(desk, id, LIFT_REASON, subject=sealed_for, data=reason.encode())
        _note_halt(tx, lifted, Tag.HALT_LIFTED, by, by_person=True)
        return lifted

    return unit


def why_no_lift(tx: Tx, halt: Halt, person: Principal | None) -> tuple[str, str] | None:
    """Why this person may not lift a halt, as a code and a sentence; None when they may."""
    if person is None or person.kind is not PrincipalKind.PERSON or person.disabled:
        return "not_entitled", "only a person of this desk lifts a halt"
    if not set(LIFTERS) & set(person.roles):
        needed = " or ".join(role.value for role in LIFTERS)
        return "not_entitled", f"lifting a halt needs the role {needed}"
    if {person.id, person.identity} & _behind(tx, halt):
        return "lifter_is_puller", "it takes another person than the one who pulled it"
    return None


def halt_over(tx: Tx, proposal: Proposal) -> Halt | None:
    """The halt that stops an action now, if any does."""
    halts = tx.halts.active(proposal.desk)
    if not halts:
        return None
    return halts.over(
        agent=proposal.agent,
        kind=proposal.kind,
        task=proposal.task,
        customers=(proposal.subject,),
    )


def check_not_halted(tx: Tx, proposal: Proposal) -> None:
    """Refuse to let a stopped action go on. Raises Conflict `halted`."""
    if halt_over(tx, proposal) is not None:
        raise Conflict("halted", "work of this kind is stopped; lift the halt first, or say no")


def clear_halts(ctx: Context) -> int:
    """Withdraw what is held back, and end the tokens of tasks, wherever something is stopped.

    The halt itself counts already. Bounded batches, so that others get their turn in between.
    """
    cleared = 0
    for desk, halts in ctx.store.read(partial(_halted_desks, list(ctx.rulebooks))):
        cleared += _recall_held(ctx, desk)
        for halt in halts:
            cleared += _end_tasks(ctx, halt)
    return cleared


def _halted_desks(desks: list[str], tx: Tx) -> list[tuple[str, list[Halt]]]:
    found = [(desk, tx.halts.list_active(desk)) for desk in desks]
    return [(desk, halts) for desk, halts in found if halts]


def _check_reason(reason: str) -> None:
    check_plain(reason)
    if len(reason) > REASON_CHARS_MAX:
        raise InvalidInput("too_large", f"the reason is longer than {REASON_CHARS_MAX} characters")


def _target(tx: Tx, ctx: Context, desk: str, stop: Stop) -> tuple[str, str | None]:
    """What the halt names, and the subject under whose key its reason is sealed."""
    named = stop.target
    if bool(named) is (stop.scope is HaltScope.DESK):
        raise InvalidInput("field_malformed", "every halt but the desk's names what it stops")
    match stop.scope:
        case HaltScope.DESK:
            pass
        case HaltScope.AGENT:
            found = tx.people.get(desk, named)
            if found is None or found.kind is PrincipalKind.PERSON:
                raise NotFound("principal_not_found", f"there is no agent `{named}` on this desk")
        case HaltScope.KIND:
            if ctx.rulebook(desk).kind(named) is None:
                raise InvalidInput("field_malformed", f"the policy has no kind `{named}`")
        case HaltScope.TASK:
            if tx.tasks.get(desk, named) is None:
                raise NotFound("task_not_found", f"there is no task `{named}` on this desk")
        case HaltScope.CUSTOMER:
            check_plain(named)
            subject = tx.vault.ref_of(desk, named, tx.now)
            return subject, subject
    return named, None


def _may_pull(tx: Tx, desk: str, scope: HaltScope, target: str, by: str) -> Principal | None:
    found = tx.people.get(desk, by)
    if found is None:
        if by in (GATEWAY, OPERATOR):
            return None
        raise NotAllowed("not_entitled", "only somebody of this desk can stop it")
    if found.disabled:
        raise NotAllowed("not_entitled", "this access was ended")
    if found.kind is PrincipalKind.PERSON:
        if not found.roles:
            raise NotAllowed("not_entitled", "stopping work needs some role on this desk")
        return found
    own = scope is HaltScope.AGENT and target == by
    if scope is HaltScope.TASK:
        task = tx.tasks.get(desk, target)
        own = task is not None and task.agent == by
    if not own:
        raise NotAllowed("not_entitled", "an agent can stop itself and its own tasks")
    return found


def _behind(tx: Tx, halt: Halt) -> frozenset[str]:
    """Everybody who stands behind a halt: for an agent's own, or the gateway's, its owner too."""
    names = {halt.pulled_by}
    agent = halt.target if halt.scope is HaltScope.AGENT else None
    if halt.scope is HaltScope.TASK:
        task = tx.tasks.get(halt.desk, halt.target)
        agent = None if task is None else task.agent
    if agent is not None and halt.pulled_by in (agent, GATEWAY):
        names.add(agent)
    # An owner is named by one account or by identity; every account of that person is meant.
    for _ in range(2):
        for name in tuple(names):
            found = tx.people.get(halt.desk, name)
            if found is not None:
                names |= found.makers()
    return frozenset(names)


def in_flight_of(tx: Tx, halt: Halt) -> tuple[Proposal, ...]:
    """What had left already, of what the halt covers."""
    found: list[Proposal] = []
    place = (halt.desk, "")
    while len(found) < IN_FLIGHT_MAX:
        page = tx.proposals.in_state(State.EXECUTING, after=place, most=BATCH_MAX)
        here = [one for one in page if one.desk == halt.desk]
        found += [one for one in here if _covers(halt, one)]
        if len(here) < BATCH_MAX:
            break
        place = (page[-1].desk, page[-1].id)
    return tuple(found[:IN_FLIGHT_MAX])


def _covers(halt: Halt, proposal: Proposal) -> bool:
    named = {
        HaltScope.DESK: "",
        HaltScope.AGENT: proposal.agent,
        HaltScope.KIND: proposal.kind,
        HaltScope.TASK: proposal.task,
        HaltScope.CUSTOMER: proposal.subject,
    }
    return named[halt.scope] == halt.target


def _recall_held(ctx: Context, desk: str) -> int:
    """Withdraw the held sends that a halt covers, page by page."""
    recalled, after = 0, ""
    for _ in range(ROUNDS_MAX):
        page = ctx.store.read(partial(_held, desk, after))
        if page:
            recalled += ctx.store.write(partial(_recall, page))
        if len(page) < BATCH_MAX:
            break
        after = page[-1].id
    return recalled


def _held(desk: str, after: str, tx: Tx) -> list[Proposal]:
    page = tx.proposals.in_state(State.HOLDING, after=(desk, after), most=BATCH_MAX)
    return [one for one in page if one.desk == desk]


def _recall(page: list[Proposal], tx: Tx) -> int:
    recalled = 0
    for before in page:
        proposal = tx.proposals.get_free(before.desk, before.id)
        if proposal is None or proposal.state is not State.HOLDING:
            continue
        halt = halt_over(tx, proposal)
        if halt is None:
            continue
        try:
            check_unchanged(tx, proposal)
        except Tampered:
            # It does not run either; the sweep that meets it tells people.
            continue
        data: Data = {"why": "halted", "halt": halt.id}
        advance(tx, proposal, Event.RECALL, Tag.ACTION_WITHDRAWN, actor=GATEWAY, data=data)
        recalled += 1
    return recalled


def _end_tasks(ctx: Context, halt: Halt) -> int:
    """End the tokens of the tasks that a halt covers, batch by batch."""

    def batch(tx: Tx) -> int:
        found = _open_tasks(tx, halt)
        for id in found:
            revoke_in(tx, halt.desk, id, by=halt.pulled_by)
        return len(found)

    ended = 0
    for _ in range(ROUNDS_MAX):
        if not ctx.store.read(lambda tx: _open_tasks(tx, halt)):
            break
        ended += ctx.store.write(batch)
    return ended


def _open_tasks(tx: Tx, halt: Halt) -> list[str]:
    """Some tasks that the halt covers and whose tokens still count."""
    desk = halt.desk
    customer = halt.target if halt.scope is HaltScope.CUSTOMER else None
    match halt.scope:
        case HaltScope.KIND:
            return []
        case HaltScope.TASK:
            task = tx.tasks.get(desk, halt.target)
            return [] if task is None or task.ended(tx.now) else [task.id]
        case HaltScope.AGENT:
            return tx.tasks.open_of(desk, halt.target, tx.now, most=BATCH_MAX)
        case HaltScope.DESK | HaltScope.CUSTOMER:
            for kind in (PrincipalKind.AGENT, PrincipalKind.SERVICE):
                for agent in tx.people.all(desk, kind):
                    found = tx.tasks.open_of(
                        desk, agent.id, tx.now, customer=customer, most=BATCH_MAX
                    )
                    if found:
                        return found
            return []


def _note_halt(tx: Tx, halt: Halt, tag: Tag, actor: str, *, by_person: bool) -> None:
    customer = halt.scope is HaltScope.CUSTOMER
    note_on_desk(
        tx,
        halt.desk,
        tag,
        actor=actor,
        subject=halt.target if customer else None,
        data={
            "halt": halt.id,
            "scope": halt.scope.value,
            "target": None if customer else halt.target,
        },
        rows={f"halt:{halt.id}": row_commitment(halt)},
        by_person=by_person,
    )
