"""The page on which a person corrects a waiting action, and leaving one to somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from handrail.engine.showing.show import show
from handrail.errors import Conflict, InvalidInput, NotAllowed
from handrail.surfaces.console.case.action import why_nothing
from handrail.surfaces.console.case.correction import changes_in, edit_fields, hides
from handrail.surfaces.console.case.verdict import not_counted
from handrail.surfaces.console.pages import Visitor, redirect

__all__ = ["correct", "edit", "recuse"]

_NOTHING: Final[Mapping[str, str]] = {}


async def correct(visitor: Visitor) -> Response:
    """The form of an action's parameters."""
    return _page(visitor)


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
        return _page(visitor, error=error, typed=form)
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


def _page(
    visitor: Visitor, *, error: InvalidInput | None = None, typed: Mapping[str, str] = _NOTHING
) -> Response:
    """The form; after an error with what was typed, so that nothing is lost."""
    id = visitor.request.path_params["id"]
    ctx = visitor.gateway.ctx
    shown = show(ctx, visitor.desk, id, viewer=visitor.person)
    refusal = why_nothing(visitor, shown)
    if refusal is not None:
        return not_counted(visitor, id, NotAllowed("not_entitled", refusal), "")
    fields = edit_fields(ctx, shown.card.proposal, shown.editable, typed)
    if not fields:
        gone = Conflict("edit_refused", "this action cannot be edited any more")
        return not_counted(visitor, id, gone, "")
    return visitor.render(
        "edit.html",
        status=200 if error is None else error.status,
        problem=None if error is None else error.message,
        card=shown.card,
        fields=fields,
        withheld=[name for name, text in shown.editable.items() if hides(text)],
    )
