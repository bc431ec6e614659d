"""Keeping an open page up to date: the route of the feed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.responses import Response

from handrail.core.canonical import quoted
from handrail.engine.showing.search import Search, sieve_of
from handrail.errors import InvalidInput
from handrail.surfaces.auth import SESSION_COOKIE
from handrail.surfaces.console.pages import Visitor
from handrail.surfaces.console.queue.feed import Feed, Stream
from handrail.surfaces.console.queue.search import search_in

__all__ = ["live"]

_INDEX: Final = re.compile(r"[0-9]{1,15}")
_ACTION: Final = re.compile(r"hr_[0-9a-f]{32}")


def live(feed: Feed) -> Callable[[Visitor], Awaitable[Response]]:
    """The stream of what changes, for the queue as an address asks for it, or for one action.

    An action that is not on the person's desk is answered like one that never moves.
    """

    async def view(visitor: Visitor) -> Response:
        request = visitor.request
        since = request.headers.get("last-event-id") or request.query_params.get("since", "")
        if not _INDEX.fullmatch(since):
            raise InvalidInput("field_malformed", f"`since` is an index, not {quoted(since)}")
        action = request.query_params.get("action")
        if action is not None and not _ACTION.fullmatch(action):
            raise InvalidInput("field_malformed", f"`action` is an id, not {quoted(action)}")
        search = Search() if action is not None else search_in(request.query_params)
        visitor.gateway.ctx.store.read(lambda tx: sieve_of(tx, visitor.desk, search))
        if feed.full or visitor.gateway.runner.stopping:
            return Response(status_code=204)
        token = request.cookies.get(SESSION_COOKIE, "")
        return feed.response(Stream(token, visitor.person, search, action), int(since))

    return view
