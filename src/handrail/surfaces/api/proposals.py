"""Actions, from the agent's side: propose, look, take back, undo, and run under a permit."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from handrail.connectors.protocol import Receipt
from handrail.core.canonical import check_plain
from handrail.core.grade import Grade
from handrail.core.principal import Role
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import Decided
from handrail.engine.running.execute import Effect
from handrail.errors import HandrailError, NotFound
from handrail.surfaces.api.answers import ActionView, BatchView, RefusedItemView
from handrail.surfaces.api.incoming import Access, Incoming, convert
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.problems import problem_of
from handrail.surfaces.api.requests import (
    BatchRequest,
    EmptyRequest,
    ItemRequest,
    ProposeRequest,
    ReceiptRequest,
    WaitQuery,
)
from handrail.surfaces.api.views import action_view
from handrail.surfaces.auth import check_role

__all__ = ["OPERATIONS"]


async def propose(call: Incoming) -> ActionView:
    """Decide an action; durable when this answers. With `wait_ms`, wait for what becomes of it."""
    body: ProposeRequest = call.body
    gateway, task = call.gateway, call.by_task()
    decided = await gateway.propose(task, _draft(task, body))
    proposal = decided.proposal
    if body.wait_ms and (decided.job is None or decided.job.permit is None):
        proposal = await gateway.runner.outcome(task.desk, proposal.id, wait_ms=body.wait_ms)
    return action_view(gateway.ctx, proposal, decided.job)


async def propose_batch(call: Incoming) -> BatchView:
    """Decide many actions in one commit. A wrong one is a problem of its own."""
    body: BatchRequest = call.body
    task = call.by_task()
    drafts: list[Draft | HandrailError] = []
    for item in body.items:
        try:
            drafts.append(_draft(task, convert(item, ItemRequest, whole="the item")))
        except HandrailError as error:
            drafts.append(error)
    answers = await call.gateway.propose_all(task, drafts)
    return BatchView(items=[_item(call, answer) for answer in answers])


async def get_proposal(call: Incoming) -> ActionView:
    """Where an action stands; with `wait_ms`, once it has come to an end."""
    query: WaitQuery = call.query
    found = _seen(call)
    proposal = await call.gateway.runner.outcome(found.desk, found.id, wait_ms=query.wait_ms)
    return action_view(call.gateway.ctx, proposal)


async def claim_proposal(call: Incoming) -> ActionView:
    """Take up an action that runs in the agent's process: its permit and frozen parameters."""
    id = call.path_id("id", "proposal_not_found")
    proposal, job = await call.gateway.claim(call.by_task(), id)
    return action_view(call.gateway.ctx, proposal, job)


async def send_receipt(call: Incoming) -> ActionView:
    """Say what became of an action under a permit. A permit counts once."""
    body: ReceiptRequest = call.body
    id = call.path_id("id", "proposal_not_found")
    check_plain([body.result, body.error, body.provider_ref])
    effect = Effect(
        ending=body.outcome,
        receipt=Receipt(provider_ref=body.provider_ref, result=body.result or {}),
        why=body.error or "",
    )
    task = call.by_task()
    proposal = await call.gateway.receipt(task, id, permit=body.permit, effect=effect)
    return action_view(call.gateway.ctx, proposal)


async def withdraw_proposal(call: Incoming) -> ActionView:
    """Take back what has not run yet."""
    id = call.path_id("id", "proposal_not_found")
    proposal = await call.gateway.withdraw(call.by_task(), id)
    return action_view(call.gateway.ctx, proposal)


async def undo_proposal(call: Incoming) -> ActionView:
    """Reverse what was done, as a new action on the same road."""
    found = _seen(call)
    if call.person is not None:
        check_role(call.person, Role.REVIEWER, Role.CHECKER, Role.ADMIN)
    maker = call.by_task().agent if call.person is None else call.person.id
    decided = await call.gateway.undo(found.desk, found.id, maker=maker)
    return action_view(call.gateway.ctx, decided.proposal, decided.job)


def _draft(task: Task, item: ItemRequest | ProposeRequest) -> Draft:
    return Draft(
        maker=task.agent,
        kind=item.kind,
        params=item.params,
        key=item.key,
        note=item.note,
        claim=None if item.claim is None else Grade(item.claim),
    )


def _item(call: Incoming, answer: Decided | HandrailError) -> msgspec.Struct:
    if isinstance(answer, HandrailError):
        return RefusedItemView(problem=problem_of(answer))
    return action_view(call.gateway.ctx, answer.proposal, answer.job)


def _seen(call: Incoming) -> Proposal:
    """The action in the path: any of the desk for a person, its own for a task."""
    id = call.path_id("id", "proposal_not_found")
    found = call.gateway.runner.look(call.desk, id)
    if call.task is not None and found.task != call.task.id:
        raise NotFound("proposal_not_found", f"there is no action `{id}` in this task")
    return found


def _on_one(verb: str, **rest: Any) -> Operation:
    return Operation(method="POST", path=f"/v1/proposals/{{id}}/{verb}", answer=ActionView, **rest)


_INPUT: Final = (
    "subject_unknown",
    "connector_refused",
    "idempotency_conflict",
    "connector_unavailable",
    "invariant_broken",
)

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/proposals",
        summary="Propose an action",
        handle=propose,
        access=Access.TASK,
        body=ProposeRequest,
        answer=ActionView,
        problems=_INPUT,
    ),
    Operation(
        method="POST",
        path="/v1/proposals/batch",
        summary="Propose many actions, each decided for itself",
        handle=propose_batch,
        access=Access.TASK,
        body=BatchRequest,
        answer=BatchView,
        problems=("invariant_broken", "store_failed"),
    ),
    Operation(
        method="GET",
        path="/v1/proposals/{id}",
        summary="Where an action stands",
        handle=get_proposal,
        access=Access.TASK | Access.PERSON,
        query=WaitQuery,
        answer=ActionView,
        problems=("proposal_not_found",),
    ),
    _on_one(
        "claim",
        summary="Take up an action that runs in the agent's process",
        handle=claim_proposal,
        access=Access.TASK,
        body=EmptyRequest,
        problems=("proposal_not_found", "not_pending", "tampered", "invariant_broken"),
    ),
    _on_one(
        "receipt",
        summary="Say what became of an action under a permit",
        handle=send_receipt,
        access=Access.TASK,
        body=ReceiptRequest,
        problems=("proposal_not_found", "permit_invalid", "tampered", "invariant_broken"),
    ),
    _on_one(
        "withdraw",
        summary="Take back what has not run yet",
        handle=withdraw_proposal,
        access=Access.TASK,
        body=EmptyRequest,
        problems=("proposal_not_found", "not_pending", "tampered", "invariant_broken"),
    ),
    _on_one(
        "undo",
        summary="Reverse what was done",
        handle=undo_proposal,
        access=Access.TASK | Access.PERSON,
        body=EmptyRequest,
        problems=("proposal_not_found", "undo_unavailable", "role_missing", *_INPUT),
    ),
)
