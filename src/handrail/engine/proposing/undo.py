"""Undo: a new proposal that reverses an executed one, on the same road."""

from __future__ import annotations

import msgspec

from handrail.connectors.protocol import Receipt
from handrail.core.lifecycle import State
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.base.context import Context
from handrail.engine.base.record import RESULT, content_of
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import Decided, plan
from handrail.errors import Conflict, NotFound
from handrail.store.protocol import Tx, Unit

__all__ = ["undo_is_late", "undo_plan", "why_no_undo"]


def why_no_undo(ctx: Context, proposal: Proposal, now: int) -> str | None:
    """Why an action cannot be undone, as a sentence; None when it can, maybe late by a person."""
    kind = ctx.rulebook(proposal.desk).kind(proposal.kind)
    if proposal.undoes is not None:
        return "this action is itself an undo"
    if kind is None or kind.undo is None:
        return "this kind of action has no undo"
    if proposal.state is not State.SUCCEEDED:
        return f"this action is {proposal.state.value.lower()}, so there is nothing to undo"
    if proposal.undone_by is not None:
        return "this action was undone already"
    if proposal.undo_until is None:
        return "no undo was promised when this action ran"
    return None


def undo_is_late(proposal: Proposal, now: int) -> bool:
    """Whether the window of the one-click undo is over: then a reversal is graded higher."""
    return proposal.undo_until is not None and now >= proposal.undo_until


def undo_plan(
    ctx: Context, desk: str, id: str, *, maker: str, key: str | None = None
) -> Unit[Decided]:
    """Prepare the reversal of an executed action and return the unit that decides it.

    Raises Conflict `undo_unavailable` with the reason when there is none. The reversal is bound to
    the action: a second one while the first is open or done is refused. Within the window it runs
    as its kind does; after it, it is graded higher, and at least one person is asked.
    """
    proposal, task, request, receipt, earlier = ctx.store.read(lambda tx: _loaded(tx, desk, id))
    refusal = why_no_undo(ctx, proposal, ctx.clock())
    if refusal is not None:
        raise Conflict("undo_unavailable", refusal)
    reversal = ctx.connector(proposal.connector).undo(proposal.kind, request, receipt)
    draft = Draft(
        maker=maker,
        kind=reversal.kind,
        params=reversal.params,
        key=key if key is not None else _key_after(id, earlier),
        undoes=id,
        late=undo_is_late(proposal, ctx.clock()),
    )
    decide = plan(ctx, task, draft)

    def unit(tx: Tx) -> Decided:
        other = tx.proposals.undo_of(desk, id)
        same = other is not None and (other.agent, other.key) == (maker, draft.key)
        if other is not None and other.state in _STANDING and not same:
            raise Conflict("undo_unavailable", f"`{other.id}` undoes this action already")
        return decide(tx)

    return unit


_STANDING = frozenset(
    (State.PENDING, State.HOLDING, State.READY, State.EXECUTING, State.UNKNOWN, State.SUCCEEDED)
)


def _key_after(id: str, earlier: Proposal | None) -> str:
    """A double click is one undo; one that came to nothing may be tried again."""
    if earlier is None:
        return f"undo:{id}"
    return earlier.key if earlier.state in _STANDING else f"undo:{id}:{earlier.id}"


def _loaded(
    tx: Tx, desk: str, id: str
) -> tuple[Proposal, Task, dict[str, object], Receipt, Proposal | None]:
    proposal = tx.proposals.get(desk, id)
    if proposal is None:
        raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
    task = tx.tasks.get(desk, proposal.task)
    if task is None:
        raise NotFound("task_not_found", f"the task of `{id}` is gone")
    request = msgspec.json.decode(content_of(tx, proposal).artifact)["request"]
    result = tx.vault.get(desk, id, RESULT)
    receipt = Receipt(
        provider_ref=proposal.provider_ref,
        result={} if result is None else msgspec.json.decode(result),
    )
    return proposal, task, request, receipt, tx.proposals.undo_of(desk, id)
