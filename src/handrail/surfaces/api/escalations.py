"""Hand-offs to a person: always allowed."""

from __future__ import annotations

from functools import partial
from typing import Final

from handrail.core.principal import Role
from handrail.engine.asking.escalate import close_unit, escalate_unit, take_unit
from handrail.engine.showing.handoff import hand_off
from handrail.store.protocol import Tx
from handrail.surfaces.api.answers import (
    EscalatedView,
    EscalationsView,
    EscalationView,
    HandOffView,
)
from handrail.surfaces.api.incoming import Access, Incoming, id_in
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest, EscalateRequest, EscalationsQuery
from handrail.surfaces.api.views import action_view, escalation_view, hand_off_view
from handrail.surfaces.auth import check_role

__all__ = ["OPERATIONS"]


async def escalate(call: Incoming) -> EscalatedView:
    """Hand the task, or one of its actions, to a person."""
    body: EscalateRequest = call.body
    task, gateway = call.by_task(), call.gateway
    about = None if body.action is None else id_in(body.action, "proposal_not_found")
    unit = escalate_unit(gateway.ctx, task, actor=task.agent, concern=body.concern, proposal=about)
    # WHY NOT: refuse it when the worker has stopped. This is the way out that is always open.
    opened = await gateway.ctx.store.submit(unit)
    action = None
    if about is not None:
        gateway.runner.wake(about)
        action = action_view(gateway.ctx, gateway.runner.look(task.desk, about))
    return EscalatedView(id=opened.id, due_at=opened.due_at, action=action)


async def get_escalations(call: Incoming) -> EscalationsView:
    """Open hand-offs, by deadline."""
    query: EscalationsQuery = call.query
    desk = call.by_person().desk

    def look(tx: Tx) -> list[EscalationView]:
        return [escalation_view(tx, one) for one in tx.escalations.open(desk, most=query.limit)]

    return EscalationsView(items=call.gateway.ctx.store.read(look))


async def get_escalation(call: Incoming) -> HandOffView:
    """One hand-off in full: the conversation, what ran, what waits, facts and their sources."""
    desk, gateway = call.by_person().desk, call.gateway
    id = call.path_id("id", "proposal_not_found")
    # The helpdesk is asked for the conversation.
    found = await gateway.runner.call(partial(hand_off, gateway.ctx, desk, id))
    return gateway.ctx.store.read(lambda tx: hand_off_view(tx, found))


async def take_escalation(call: Incoming) -> EscalationView:
    """A person makes a hand-off theirs; a colleague may take it over."""
    person, store = call.by_person(), call.gateway.ctx.store
    check_role(person, Role.REVIEWER, Role.CHECKER, Role.ADMIN)
    id = call.path_id("id", "proposal_not_found")
    taken = await store.submit(take_unit(person.desk, id, person=person.id))
    return store.read(lambda tx: escalation_view(tx, taken))


async def close_escalation(call: Incoming) -> EscalationView:
    """A person says that a hand-off is dealt with."""
    person, store = call.by_person(), call.gateway.ctx.store
    check_role(person, Role.REVIEWER, Role.CHECKER, Role.ADMIN)
    id = call.path_id("id", "proposal_not_found")
    closed = await store.submit(close_unit(person.desk, id, person=person.id))
    return store.read(lambda tx: escalation_view(tx, closed))


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/escalations",
        summary="Hand over to a person",
        handle=escalate,
        access=Access.TASK | Access.ENDED,
        body=EscalateRequest,
        answer=EscalatedView,
        status=201,
        problems=("proposal_not_found", "reason_missing"),
    ),
    Operation(
        method="GET",
        path="/v1/escalations",
        summary="Open hand-offs",
        handle=get_escalations,
        access=Access.PERSON,
        query=EscalationsQuery,
        answer=EscalationsView,
    ),
    Operation(
        method="GET",
        path="/v1/escalations/{id}",
        summary="One hand-off in full",
        handle=get_escalation,
        access=Access.PERSON,
        answer=HandOffView,
        problems=("proposal_not_found",),
    ),
    Operation(
        method="POST",
        path="/v1/escalations/{id}/take",
        summary="A hand-off is taken",
        handle=take_escalation,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=EscalationView,
        problems=("proposal_not_found", "not_pending", "role_missing"),
    ),
    Operation(
        method="POST",
        path="/v1/escalations/{id}/close",
        summary="A hand-off is dealt with",
        handle=close_escalation,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=EscalationView,
        problems=("proposal_not_found", "not_pending", "role_missing"),
    ),
)
