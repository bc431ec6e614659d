"""Tasks: the server issues them, bound to a ticket and the customers behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from handrail.core.entry import Entry, Tag, row_commitment
from handrail.core.principal import PrincipalKind
from handrail.core.task import Task
from handrail.engine.context import Context, MetTask, new_id
from handrail.errors import InvalidInput, NotAuthenticated, NotFound, Unavailable
from handrail.store.protocol import Tx, Unit

__all__ = ["IssuedTask", "check_task", "issue_unit", "revoke_unit", "task_of_token"]

TICKET_KIND: Final = "ticket.read"
TICKET_PARAM: Final = "ticket"
CUSTOMERS_MAX: Final = 20
REMEMBERED_MS: Final = 1_000
REMEMBERED_MAX: Final = 10_000
_SECRET_BYTES: Final = 24


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
) -> Unit[IssuedTask]:
    """The unit that issues a task.

    The customers of a ticket are read from the system of record, never taken from the agent;
    `customers` is for callers that are trusted to name them. Without a lane the policy's first one
    applies.
    """
    policy = ctx.rulebook(desk).policy
    chosen = next(iter(policy.lanes), None) if lane is None else lane
    if chosen is None or chosen not in policy.lanes:
        raise InvalidInput("field_malformed", f"the policy has no lane `{chosen}`")
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
        token = "hrt_" + ctx.entropy(_SECRET_BYTES).hex()
        task = Task(
            desk=desk,
            id=new_id("tk", tx.now, ctx.entropy),
            agent=agent,
            lane=chosen,
            ticket=ticket,
            customers=tuple(tx.vault.ref_of(desk, owner, tx.now) for owner in owners),
            token_hash=hashlib.sha256(token.encode()).hexdigest(),
            created_at=tx.now,
            expires_at=tx.now + policy.clocks.task_ms,
        )
        tx.tasks.add(task)
        _note_task(tx, task, Tag.TASK_ISSUED, agent)
        return IssuedTask(task=task, token=token)

    return unit


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


def task_of_token(ctx: Context, token: str) -> Task:
    """The task of a bearer token; raises NotAuthenticated when it is unknown or has ended.

    What is read is remembered until this process ends a task, and for a second at most: another
    process may end one too. What a task changes, it changes in a transaction that looks again.
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
    if met.task.ended(now):
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
