"""Tasks: the server issues them, bound to a ticket and the customers behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from handrail.core.entry import Entry, Tag, row_commitment
from handrail.core.lane import lane_for, may_take
from handrail.core.policy import Policy
from handrail.core.principal import PrincipalKind
from handrail.core.task import Task
from handrail.engine.base.context import Context, MetTask, new_id
from handrail.errors import (
    Conflict,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Unavailable,
)
from handrail.store.protocol import Tx, Unit

__all__ = ["IssuedTask", "check_task", "issue_unit", "revoke_in", "revoke_unit", "task_of_token"]

TICKET_KIND: Final = "ticket.read"
TICKET_PARAM: Final = "ticket"
CUSTOMERS_MAX: Final = 20
OPEN_TASKS_MAX: Final = 2_000
"""Tasks that one agent may have open: an agent that loops does not fill the desk with them."""
REMEMBERED_MS: Final = 1_000
REMEMBERED_MAX: Final = 10_000
_SECRET_BYTES: Final = 24
_HALTED: Final = (
    "work is stopped for now; do not retry, and tell the customer that a colleague will follow up"
)


class IssuedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A new task and its bearer token, which is shown once and kept only as a hash."""

    task: Task
    token: str


def issue_unit(
    ctx: Context,
    desk: str,
    *,
    agent: str,
    lane: str | None = None,
    ticket: str | None = None,
    customers: Sequence[str] = (),
    by_agent: bool = False,
) -> Unit[IssuedTask]:
    """The unit that issues a task.

    The customers of a ticket are read from the system of record, never taken from the agent;
    `customers` is for callers that are trusted to name them. Without a lane the first one that the
    agent may take applies. With `by_agent` it is the agent that asks, which takes no wider lane
    than the policy gives it. Raises NotAllowed `lane_not_allowed`, Conflict `too_many_tasks` while
    the agent has `OPEN_TASKS_MAX` open, and Conflict `halted`.
    """
    policy = ctx.rulebook(desk).policy
    chosen = _lane_of(policy, lane, agent, asked=by_agent)
    if len(customers) > CUSTOMERS_MAX:
        raise InvalidInput("too_large", f"a task has at most {CUSTOMERS_MAX} customers")
    owners = list(customers)
    if ticket is not None:
        owner = _owner_of(ctx, desk, ticket)
        owners += [owner] if owner is not None and owner not in owners else []

    def unit(tx: Tx) -> IssuedTask:
        found = tx.people.get(desk, agent)
        if found is None or found.kind is PrincipalKind.PERSON or found.disabled:
            raise NotFound("principal_not_found", f"there is no agent `{agent}` on this desk")
        subjects = tuple(tx.vault.ref_of(desk, owner, tx.now) for owner in owners)
        _check_room(tx, desk, agent, subjects)
        token = "hrt_" + ctx.entropy(_SECRET_BYTES).hex()
        task = Task(
            desk=desk,
            id=new_id("tk", tx.now, ctx.entropy),
            agent=agent,
            lane=chosen,
            ticket=ticket,
            customers=subjects,
            token_hash=hashlib.sha256(token.encode()).hexdigest(),
            created_at=tx.now,
            expires_at=tx.now + policy.clocks.task_ms,
        )
        tx.tasks.add(task)
        _note_task(tx, task, Tag.TASK_ISSUED, agent)
        return IssuedTask(task=task, token=token)

    return unit


def _check_room(tx: Tx, desk: str, agent: str, subjects: tuple[str, ...]) -> None:
    """No task where work is stopped, and none beyond what one agent may have open."""
    if tx.halts.active(desk).over(agent=agent, customers=subjects) is not None:
        raise Conflict("halted", _HALTED)
    if tx.tasks.has_open(desk, agent, tx.now, at_least=OPEN_TASKS_MAX):
        raise Conflict("too_many_tasks", "this agent has too many open tasks; end some first")


def _lane_of(policy: Policy, asked_for: str | None, agent: str, *, asked: bool) -> str:
    """The lane of a new task: the one that was asked for, if it may be, or the agent's own."""
    if asked_for is None:
        chosen = lane_for(policy.lanes, agent) if asked else next(iter(policy.lanes), None)
        if chosen is None:
            raise NotAllowed("lane_not_allowed", "the policy has no lane for this agent")
        return chosen
    if asked_for not in policy.lanes:
        raise InvalidInput("field_malformed", f"the policy has no lane `{asked_for}`")
    if asked and not may_take(policy.lanes, asked_for, agent):
        raise NotAllowed("lane_not_allowed", f"this agent may not work in lane `{asked_for}`")
    return asked_for


def revoke_unit(desk: str, id: str, *, by: str) -> Unit[Task]:
    """The unit that ends a task's token at once."""

    def unit(tx: Tx) -> Task:
        return revoke_in(tx, desk, id, by=by)

    return unit


def revoke_in(tx: Tx, desk: str, id: str, *, by: str) -> Task:
    """End a task's token inside a running unit. One that was ended already stays as it is."""
    fresh = tx.tasks.revoke(desk, id, tx.now)
    task = tx.tasks.get(desk, id)
    if task is None:
        raise NotFound("task_not_found", f"there is no task `{id}` on this desk")
    if fresh:
        _note_task(tx, task, Tag.TASK_REVOKED, by)
    return task


def task_of_token(ctx: Context, token: str, *, grace_ms: int = 0) -> Task:
    """The task of a bearer token; raises NotAuthenticated when it is unknown or has ended.

    What is read is remembered until this process ends a task, and for a second at most: another
    process may end one too. What a task changes, it changes in a transaction that looks again.
    With `grace_ms`, one that ended less than that ago is still known: an agent whose task was ended
    under its feet can hand it over, and do nothing else.
    """
    hashed = hashlib.sha256(token.encode()).hexdigest()
    now, revocations = ctx.clock(), ctx.store.revocations
    met = ctx.tokens.get(hashed)
    if met is None or met.revocations != revocations or not 0 <= now - met.read_at < REMEMBERED_MS:
        task = ctx.store.read(lambda tx: tx.tasks.by_token(hashed))
        if task is None:
            raise NotAuthenticated("credential_unknown", "this task token is not known")
        if len(ctx.tokens) >= REMEMBERED_MAX:
            ctx.tokens.clear()
        met = ctx.tokens[hashed] = MetTask(task=task, read_at=now, revocations=revocations)
    over = met.task.ended(now)
    if over and grace_ms:
        revoked_at = met.task.revoked_at
        over = now >= (met.task.expires_at if revoked_at is None else revoked_at) + grace_ms
    if over:
        raise NotAuthenticated("task_expired", "this task has ended; ask for a new one")
    return met.task


def check_task(tx: Tx, task: Task) -> None:
    """Refuse a task that ended since the caller was let in."""
    stands = tx.tasks.get(task.desk, task.id)
    if stands is None or stands.ended(tx.now):
        raise NotAuthenticated("task_expired", "this task has ended; ask for a new one")


def _owner_of(ctx: Context, desk: str, ticket: str) -> str | None:
    rules = ctx.rulebook(desk)
    kind = rules.kind(TICKET_KIND)
    if kind is None or kind.runs_in_agent:
        return None
    params = rules.parse(TICKET_KIND, {TICKET_PARAM: ticket})
    try:
        return ctx.connector(kind.connector).prepare(kind.name, params, now=ctx.clock()).customer
    except InvalidInput:
        raise
    except Exception as error:
        raise Unavailable(
            "connector_unavailable", f"the helpdesk did not answer ({type(error).__name__})"
        ) from error


def _note_task(tx: Tx, task: Task, tag: Tag, actor: str) -> None:
    tx.log.append(
        Entry(
            at=tx.now,
            desk=task.desk,
            tag=tag.value,
            actor=actor,
            task=task.id,
            data={"lane": task.lane, "expires_at": task.expires_at},
            rows={f"task:{task.id}": row_commitment(task)},
        )
    )
