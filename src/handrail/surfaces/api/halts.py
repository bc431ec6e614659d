"""The emergency stop: pull it, see what is stopped, let go."""

from __future__ import annotations

from typing import Final

from handrail.engine.governing.halt import Stop, lift_unit
from handrail.store.protocol import Tx
from handrail.surfaces.api.answers import HaltsView, HaltView, PulledView
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EscalationsQuery, HaltRequest, LiftRequest
from handrail.surfaces.api.views import halt_view

__all__ = ["OPERATIONS"]


async def pull_halt(call: Incoming) -> PulledView:
    """Stop something at once. Nobody is asked why; an agent can stop itself and its own tasks."""
    body: HaltRequest = call.body
    gateway, desk = call.gateway, call.desk
    stop = Stop(scope=body.scope, target=body.target, reason=body.reason)
    pulled = await gateway.halt(desk, stop, by=_puller(call))
    return PulledView(
        halt=gateway.ctx.store.read(lambda tx: halt_view(tx, pulled.halt, None)),
        fresh=pulled.fresh,
        met=pulled.met,
        in_flight=[one.id for one in pulled.in_flight] if call.person is not None else [],
    )


async def get_halts(call: Incoming) -> HaltsView:
    """What is stopped now, and what was, newest first."""
    query: EscalationsQuery = call.query
    person = call.by_person()

    def look(tx: Tx) -> list[HaltView]:
        active = tx.halts.list_active(person.desk)
        past = [one for one in tx.halts.latest(person.desk, most=query.limit) if not one.active]
        return [halt_view(tx, one, person) for one in (*reversed(active), *past)][: query.limit]

    return HaltsView(items=call.gateway.ctx.store.read(look))


async def lift_halt(call: Incoming) -> HaltView:
    """Another person lets work go on."""
    body: LiftRequest = call.body
    person, store = call.by_person(), call.gateway.ctx.store
    id = call.path_id("id", "halt_not_found")
    lifted = await store.submit(lift_unit(person.desk, id, by=person.id, reason=body.reason))
    return store.read(lambda tx: halt_view(tx, lifted, person))


def _puller(call: Incoming) -> str:
    if call.person is not None:
        return call.person.id
    return call.by_task().agent if call.agent is None else call.agent.id


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/halts",
        summary="Stop work at once",
        handle=pull_halt,
        access=Access.AGENT | Access.TASK | Access.PERSON,
        body=HaltRequest,
        answer=PulledView,
        status=201,
        problems=(
            "not_entitled",
            "principal_not_found",
            "task_not_found",
            "too_many_halts",
        ),
    ),
    Operation(
        method="GET",
        path="/v1/halts",
        summary="What is stopped",
        handle=get_halts,
        access=Access.PERSON,
        query=EscalationsQuery,
        answer=HaltsView,
    ),
    Operation(
        method="POST",
        path="/v1/halts/{id}/lift",
        summary="Let work go on",
        handle=lift_halt,
        access=Access.PERSON,
        body=LiftRequest,
        answer=HaltView,
        problems=("halt_not_found", "halt_lifted", "not_entitled", "lifter_is_puller"),
    ),
)
