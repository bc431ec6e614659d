"""Putting an action off for oneself, and showing it again."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from handrail.core.snooze import Nap
from handrail.engine.deciding.snooze import snooze_unit, wake_unit
from handrail.errors import Conflict
from handrail.surfaces.console.case.verdict import not_counted
from handrail.surfaces.console.pages import Visitor, redirect
from handrail.surfaces.named import one_of

__all__ = ["snooze", "wake"]


async def snooze(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Hide an action from this person's queue for a while; then back to the queue."""
    id = visitor.request.path_params["id"]
    nap = one_of(Nap, form.get("nap", ""), "how long to put it off")
    unit = snooze_unit(visitor.desk, id, person=visitor.person.id, nap=nap)
    try:
        await visitor.gateway.ctx.store.submit(unit)
    except Conflict as error:
        return not_counted(visitor, id, error, "")
    return redirect("/")


async def wake(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Show it in the queue again."""
    id = visitor.request.path_params["id"]
    await visitor.gateway.ctx.store.submit(wake_unit(visitor.desk, id, person=visitor.person.id))
    return redirect(f"/actions/{id}")
