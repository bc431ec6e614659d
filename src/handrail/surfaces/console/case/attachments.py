"""The attachments of an action: what each is by its bytes, and the bytes themselves, caged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from markupsafe import Markup
from starlette.responses import Response

from handrail.core.attachment import Appearance, Attachment, Insight, look_at
from handrail.core.triggers.span import Span
from handrail.engine.base.outgoing import ATTACHMENTS, attached_in
from handrail.engine.showing.show import show
from handrail.errors import NotFound
from handrail.surfaces.console.pages import SECURITY_HEADERS, Visitor
from handrail.surfaces.console.text.lines import FILE
from handrail.surfaces.console.text.literal import hidden_notes, marked

__all__ = ["ShownFile", "attachment", "shortened", "shown_files"]

_CAGED: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"


class ShownFile(msgspec.Struct, frozen=True, kw_only=True):
    """One attachment on the page. `warning` says what a reviewer cannot know about it.

    `text` is what a plain text says, with what was found in it marked; `hidden` what hides in it.
    """

    name: str
    declared: str
    look: Appearance
    warning: str | None
    text: Markup | None
    hidden: tuple[str, ...]


_WARNINGS: Final = {
    Insight.OPAQUE: "Cannot be inspected: it may say what no rule here reads. Look at it yourself.",
    Insight.UNINSPECTABLE: "Nobody can look into this here.",
}


def shown_files(request: object, finds: Mapping[str, tuple[Span, ...]]) -> list[ShownFile] | None:
    """The attachments of a stored request; None when they are in no form that is known.

    `finds` is what is marked, by the whole text that it is marked in.
    """
    found = attached_in(request) if isinstance(request, Mapping) else ()
    return None if found is None else [_shown(one, n, finds) for n, one in enumerate(found)]


def _shown(one: Attachment, place: int, finds: Mapping[str, tuple[Span, ...]]) -> ShownFile:
    look = look_at(one)
    said = look.text
    spans = () if said is None else finds.get(said, ())
    return ShownFile(
        name=one.name,
        declared=one.type,
        look=look,
        warning=_WARNINGS.get(look.insight),
        text=None if said is None else marked(said, spans, f"{FILE}-{place}"),
        hidden=() if said is None else tuple(hidden_notes(said)),
    )


def shortened(request: object) -> object:
    """The request for reading: the bytes of attachments are named by their number, not shown."""
    if not isinstance(request, Mapping):
        return request
    files = request.get(ATTACHMENTS)
    if not isinstance(files, list) or attached_in(request) is None:
        return request
    brief = [{**one, "content": f"({len(one['content'])} characters of base64)"} for one in files]
    return {**request, ATTACHMENTS: brief}


async def attachment(visitor: Visitor) -> Response:
    """The bytes of one attachment: a picture to be shown, anything else to be saved."""
    shown = show(
        visitor.gateway.ctx, visitor.desk, visitor.request.path_params["id"], viewer=visitor.person
    )
    request = shown.artifact.get("request")
    files = (attached_in(request) if isinstance(request, Mapping) else None) or ()
    place = visitor.request.path_params["n"]
    if not 1 <= place <= len(files):
        raise NotFound("page_not_found", "there is no such attachment")
    look = look_at(files[place - 1])
    # WHY NOT: its own name or type. Both were chosen by whoever wants it opened.
    how = "inline" if look.is_picture else f'attachment; filename="attachment-{place}.bin"'
    return Response(
        files[place - 1].data,
        media_type=look.sniffed if look.is_picture else "application/octet-stream",
        headers={
            **SECURITY_HEADERS,
            "content-security-policy": _CAGED,
            "content-disposition": how,
            "cache-control": "no-store",
        },
    )
