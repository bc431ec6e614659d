"""The forms by which a person corrects a waiting action, or leaves it to somebody else."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from handrail.engine.show import show
from handrail.errors import Conflict, InvalidInput, NotAllowed
from handrail.surfaces.console.action import action_page
from handrail.surfaces.console.correction import changes_in
from handrail.surfaces.console.decide import not_counted
from handrail.surfaces.console.pages import Visitor, redirect

__all__ = ["edit", "recuse"]


async def edit(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Put a corrected action in the place of this one, and show the new one."""
    id = visitor.request.path_params["id"]
    ctx = visitor.gateway.ctx
    shown = show(ctx, visitor.desk, id, viewer=visitor.person)
    kind = ctx.rulebook(visitor.desk).kind(shown.card.proposal.kind)
    try:
        changes = {} if kind is None else changes_in(kind, shown.editable, form)
        made = await visitor.gateway.edit(
            visitor.desk,
            id,
            editor=visitor.person.id,
            changes=changes,
            digest=form.get("digest", ""),
        )
    except InvalidInput as error:
        return action_page(visitor, id, status=error.status, problem=error.message)
    except (Conflict, NotAllowed) as error:
        return not_counted(visitor, id, error, "")
    return redirect(f"/actions/{made.id}")


async def recuse(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Somebody who was drawn leaves it to another one, who is drawn now."""
    id = visitor.request.path_params["id"]
    try:
        await visitor.gateway.recuse(visitor.desk, id, person=visitor.person.id)
    except (Conflict, NotAllowed) as error:
        return not_counted(visitor, id, error, "")
    return redirect(f"/actions/{id}")
