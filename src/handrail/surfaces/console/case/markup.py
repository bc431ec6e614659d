"""The HTML of a message: what its source says, beside what the customer sees, caged in a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from markupsafe import Markup
from starlette.responses import Response

from handrail.core.markup.finds import BODY, difference, spans_shown
from handrail.core.markup.rendition import Anchor, Rendition, read_html
from handrail.core.text import Mark
from handrail.core.triggers.hosts import host_of, read_host
from handrail.core.triggers.links import elsewhere
from handrail.core.triggers.span import Span, Trigger, folded
from handrail.engine.base.outgoing import html_in
from handrail.engine.showing.show import Shown, show
from handrail.errors import NotFound
from handrail.surfaces.console.pages import SECURITY_HEADERS, Visitor
from handrail.surfaces.console.text.literal import hidden_notes, marked

__all__ = ["ShownHtml", "ShownLink", "html_part", "rendering", "with_frame"]

_POLICY: Final = "content-security-policy"
_CAGED: Final = (
    "default-src 'none'; style-src 'none'; img-src 'none'; form-action 'none'; sandbox;"
    " frame-ancestors 'self'"
)
_BEFORE: Final = '<!doctype html><base target="_blank"><body inert>'
"""Links do nothing: nothing in it takes a click or the focus, not even to open another tab. Where a
browser does not know `inert`, each would open a window, which nothing in the frame may do."""


class ShownLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link with where it leads. `read` is the host decoded, when that is another name.

    `claims` is the host or address that its text names instead; `odd` is what else was found.
    """

    text: str
    address: str
    host: str
    read: str | None
    claims: str | None
    odd: str | None


class ShownHtml(msgspec.Struct, frozen=True, kw_only=True):
    """The HTML of a message on the page.

    `wrong` is what nobody can tell, as what stands there and why; without it, `text` is what the
    source says, `hidden` what hides in that, and `differs` where the text part says otherwise.
    """

    wrong: tuple[tuple[str, str], ...]
    text: Markup
    hidden: tuple[str, ...]
    differs: str | None
    links: tuple[ShownLink, ...]


def html_part(shown: Shown) -> ShownHtml | None:
    """The HTML that an action sends; None when it sends none."""
    request = shown.artifact.get("request")
    source = html_in(request) if isinstance(request, Mapping) else None
    if source is None or not isinstance(request, Mapping):
        return None
    rendition, body = read_html(source), request.get(BODY)
    if rendition.wrong:
        wrong = tuple(_quoted(source, mark) for mark in rendition.wrong)
        return ShownHtml(wrong=wrong, text=Markup(), hidden=(), differs=None, links=())
    finds = shown.spans.get(source, ())
    return ShownHtml(
        wrong=(),
        text=marked(rendition.text, spans_shown(finds, rendition)),
        hidden=tuple(hidden_notes(rendition.text)),
        differs=difference(body if isinstance(body, str) else "", rendition),
        links=tuple(_link(rendition, link, finds) for link in rendition.links),
    )


def _quoted(source: str, mark: Mark) -> tuple[str, str]:
    return source[mark.start : mark.end], mark.what


def _link(rendition: Rendition, link: Anchor, finds: tuple[Span, ...]) -> ShownLink:
    words = rendition.text[link.start : link.end]
    host = host_of(link.address)
    read = read_host(host)
    disguises = (
        one.what
        for one in finds
        if one.trigger is Trigger.DISGUISED_LINK
        and (one.start, one.end) == (link.opened, link.closed)
    )
    return ShownLink(
        text=words,
        address=link.address,
        host=host or link.address,
        read=None if read == host else read,
        claims=elsewhere(folded(words), folded(link.address)),
        odd=next(disguises, None),
    )


def with_frame(page: Response, html: ShownHtml | None) -> Response:
    """The page, which may hold a frame of this console if it shows one."""
    if html is not None and not html.wrong:
        page.headers[_POLICY] = f"{page.headers[_POLICY]}; frame-src 'self'"
    return page


async def rendering(visitor: Visitor) -> Response:
    """The HTML of an action as the customer sees it, for a frame of its page and nothing else.

    What nobody can tell is not here: only its source is shown.
    """
    shown = show(
        visitor.gateway.ctx, visitor.desk, visitor.request.path_params["id"], viewer=visitor.person
    )
    request = shown.artifact.get("request")
    source = html_in(request) if isinstance(request, Mapping) else None
    if source is None or read_html(source).wrong:
        raise NotFound("page_not_found", "there is no HTML here of which it is known what it shows")
    return Response(
        _BEFORE + source,
        media_type="text/html",
        headers={
            **SECURITY_HEADERS,
            _POLICY: _CAGED,
            "x-frame-options": "SAMEORIGIN",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
        },
    )
