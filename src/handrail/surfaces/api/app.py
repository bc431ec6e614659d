"""The application: every operation as a route, the console beside them, one gateway behind both."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handrail.errors import HandrailError, NotFound
from handrail.surfaces.api import (
    amendments,
    attention,
    audit,
    breakglass,
    channels,
    escalations,
    halts,
    held,
    log,
    openapi,
    people,
    probes,
    proposals,
    reviews,
    sessions,
    shadow,
    snoozes,
    tasks,
)
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.api.incoming import Answer
from handrail.surfaces.api.operations import (
    SECURITY_HEADERS,
    Endpoint,
    Operation,
    problem_answer,
)
from handrail.surfaces.embedded import Desk
from handrail.surfaces.outbound.courier import Courier
from handrail.surfaces.provider import Door

__all__ = ["OPERATIONS", "Console", "create_app"]

OPERATIONS: Final[tuple[Operation, ...]] = (
    *proposals.OPERATIONS,
    *tasks.OPERATIONS,
    *sessions.OPERATIONS,
    *people.OPERATIONS,
    *reviews.OPERATIONS,
    *attention.OPERATIONS,
    *breakglass.OPERATIONS,
    *amendments.OPERATIONS,
    *escalations.OPERATIONS,
    *halts.OPERATIONS,
    *shadow.OPERATIONS,
    *held.OPERATIONS,
    *snoozes.OPERATIONS,
    *log.OPERATIONS,
    *audit.OPERATIONS,
    *channels.OPERATIONS,
    *openapi.OPERATIONS,
    *probes.OPERATIONS,
)

Console = Callable[[Gateway], Sequence[BaseRoute]]
"""Makes the console's routes over the gateway that it shares with the API."""

_log: Final = logging.getLogger("handrail.api")


def create_app(
    desk: Desk, *, console: Console | None = None, door: Door | None = None
) -> Starlette:
    """The application over an opened desk; it serves every desk of the same store.

    `app.state.gateway` is what its routes share. The desk stays open when the application ends:
    whoever opened it closes it.
    """
    gateway = Gateway.over(desk.ctx, desk.id, door)
    endpoints = _endpoints(gateway)
    extra = () if console is None else console(gateway)
    app = Starlette(
        routes=[*(Route(path, endpoint=one) for path, one in endpoints.items()), *extra],
        middleware=[Middleware(_Outermost, endpoints=endpoints)],
        exception_handlers={
            HandrailError: _problem,
            HTTPException: _http_problem,
            Exception: _unexpected,
        },
        lifespan=_lifespan,
    )
    app.router.redirect_slashes = False
    app.state.gateway = gateway
    app.state.operations = OPERATIONS
    return app


def _endpoints(gateway: Gateway) -> dict[str, Endpoint]:
    """What serves each path of the API."""
    by_path: dict[str, list[Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, []).append(operation)
    return {path: Endpoint(gateway, ones) for path, ones in by_path.items()}


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    gateway: Gateway = app.state.gateway
    courier = Courier(gateway.ctx)
    await gateway.runner.start()
    courier.start()
    try:
        yield
    finally:
        await asyncio.to_thread(courier.stop)
        await gateway.runner.stop()
        gateway.logins.close()


class _Outermost:
    """Gives every answer the security headers that it does not set itself.

    The API's own answers have them already, and are counted by the microsecond: where its path has
    no variable part, a request goes straight to its endpoint, past the router.
    """

    def __init__(self, app: ASGIApp, *, endpoints: Mapping[str, Endpoint]) -> None:
        self._app = app
        self._straight = {path: one for path, one in endpoints.items() if "{" not in path}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path.startswith("/v1/"):
            await self._straight.get(path, self._app)(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                known = {name.lower() for name, _ in headers}
                headers.extend(pair for pair in SECURITY_HEADERS if pair[0] not in known)
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, secured)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HandrailError)
    request.app.state.gateway.runner.meet(error)
    return _response(problem_answer(error))


async def _http_problem(request: Request, error: Exception) -> Response:
    """What the router itself says: no such page, or not that method."""
    refused = isinstance(error, HTTPException) and error.status_code == 405
    # Under /v1 every address says itself which methods it takes; here it is a page of the console.
    refused = refused and not request.url.path.startswith("/v1/")
    code = "method_not_allowed" if refused else "page_not_found"
    return _response(problem_answer(NotFound(code, "there is nothing at this address")))


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("unexpected: %s", type(error).__name__, exc_info=error)
    told = HandrailError("internal", "an unexpected error; it was written to the server's log")
    return _response(problem_answer(told))


def _response(answer: Answer) -> Response:
    response = Response(answer.body, status_code=answer.status)
    # The raw list: a Response would add a charset to the media type.
    response.raw_headers = [
        (b"content-type", answer.content_type),
        (b"content-length", str(len(answer.body)).encode()),
        *SECURITY_HEADERS,
        *answer.headers,
    ]
    return response
