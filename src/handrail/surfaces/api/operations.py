"""What the API can be asked: one description per operation, and the endpoint that serves them.

The route table and the OpenAPI document are both made from these descriptions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.types import Receive, Scope, Send

from handrail.errors import HandrailError, NotFound
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.api.incoming import Access, Answer, Incoming, parsed, read_body
from handrail.surfaces.api.problems import PROBLEM_JSON, problem_of
from handrail.surfaces.auth import note_use

__all__ = ["SECURITY_HEADERS", "Endpoint", "Operation", "problem_answer"]

SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
_RETRY_AFTER: Final = {429: b"60", 503: b"1"}
_encode: Final = msgspec.json.Encoder().encode

Handle = Callable[[Incoming], Awaitable[msgspec.Struct | Answer]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method on one path.

    `answer` is the shape of a success; None for text of `content_type`. `refused` is a status
    beside `status` under which it gives that same shape. `problems` are the error codes that this
    operation gives beside those that come with its access, body and query.
    """

    method: str
    path: str
    summary: str
    handle: Handle
    access: Access = Access.OPEN
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    answer: type[msgspec.Struct] | None = None
    status: int = 200
    refused: int | None = None
    content_type: str = "application/json"
    problems: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The name of the function that serves it: the operation's id in the document."""
        return getattr(self.handle, "__name__", self.path)


class Endpoint:
    """All operations of one path, as an ASGI application."""

    def __init__(self, gateway: Gateway, operations: Sequence[Operation]) -> None:
        self._gateway = gateway
        self._operations: Mapping[str, Operation] = {one.method: one for one in operations}
        self._path = operations[0].path
        if "GET" in self._operations:
            self._operations = {**self._operations, "HEAD": self._operations["GET"]}

    @property
    def methods(self) -> Sequence[str]:
        """The methods that this address takes."""
        return sorted(self._operations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        operation = self._operations.get(method)
        if operation is None:
            method, answer = "other", self._not_allowed()
        else:
            answer = await self._answer(operation, scope, receive)
        counts = self._gateway.answered
        key = (self._path, method, answer.status)
        counts[key] = counts.get(key, 0) + 1
        await send_answer(answer, send)

    async def _answer(self, operation: Operation, scope: Scope, receive: Receive) -> Answer:
        call = Incoming(self._gateway, scope)
        try:
            if operation.access:
                call.authenticate(operation.access)
            if call.session is not None:
                await note_use(self._gateway.ctx, call.session)
            if operation.body is not None:
                call.body = parsed(await read_body(scope, receive), operation.body)
            if operation.query is not None:
                call.query = call.read_query(operation.query)
            found = await operation.handle(call)
        except HandrailError as error:
            self._gateway.runner.meet(error)
            return problem_answer(error)
        if isinstance(found, Answer):
            return found
        return Answer(status=operation.status, body=_encode(found))

    def _not_allowed(self) -> Answer:
        allowed = ", ".join(self.methods)
        answer = problem_answer(NotFound("method_not_allowed", f"this address takes {allowed}"))
        return msgspec.structs.replace(answer, headers=((b"allow", allowed.encode()),))


def problem_answer(error: HandrailError) -> Answer:
    """An error as a problem document."""
    problem = problem_of(error)
    headers: list[tuple[bytes, bytes]] = []
    if problem.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    elif problem.status == 413:
        # The rest of the body is still on its way; nothing else can be said on this connection.
        headers.append((b"connection", b"close"))
    elif problem.status in _RETRY_AFTER:
        headers.append((b"retry-after", _RETRY_AFTER[problem.status]))
    return Answer(
        status=problem.status,
        body=_encode(problem),
        content_type=PROBLEM_JSON,
        headers=tuple(headers),
    )


async def send_answer(answer: Answer, send: Send) -> None:
    """Put an answer on the wire, with the security headers that every answer has."""
    body = answer.body
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (b"content-type", answer.content_type),
                (b"content-length", str(len(body)).encode()),
                *SECURITY_HEADERS,
                *answer.headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
