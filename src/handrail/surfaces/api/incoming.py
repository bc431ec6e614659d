"""One request as an operation sees it: its caller, its body and query, and the answer to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Flag
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope

from handrail.core.canonical import parse, quoted
from handrail.core.principal import Principal
from handrail.core.task import Task
from handrail.engine.access.people import agent_of_key
from handrail.engine.access.tasks import task_of_token
from handrail.errors import InvalidInput, NotAuthenticated, NotFound
from handrail.store.protocol import Session
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.api.problems import input_error
from handrail.surfaces.auth import SESSION_COOKIE, check_csrf, session_of

__all__ = ["BODY_BYTES_MAX", "Access", "Answer", "Incoming", "convert", "id_in", "read_body"]

BODY_BYTES_MAX: Final = 2 * 1024 * 1024
ENDED_MS: Final = 24 * 3_600_000
QUERY_CHARS_MAX: Final = 4_000
_SAFE: Final = frozenset(("GET", "HEAD"))
_ID: Final = re.compile(r"[a-z]{2}_[0-9a-f]{32}")

S = TypeVar("S")


class Access(Flag):
    """Which credentials an operation takes."""

    OPEN = 0
    AGENT = 1
    TASK = 2
    PERSON = 4
    ENDED = 8
    """With TASK: also a token that ended within the last day."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it goes out."""

    status: int = 200
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Incoming:
    """One request. Exactly one of `agent`, `task` and `person` is set, by the credential sent."""

    __slots__ = (
        "_headers",
        "agent",
        "body",
        "gateway",
        "person",
        "query",
        "scope",
        "session",
        "task",
    )

    def __init__(self, gateway: Gateway, scope: Scope) -> None:
        self.gateway = gateway
        self.scope = scope
        self.body: Any = None
        self.query: Any = None
        self.agent: Principal | None = None
        self.task: Task | None = None
        self.person: Principal | None = None
        self.session: Session | None = None
        self._headers: dict[str, str] | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by lower-case name; of one that is repeated, the last."""
        if self._headers is None:
            self._headers = {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in self.scope["headers"]
            }
        return self._headers

    @property
    def secure(self) -> bool:
        """Whether the caller came by https."""
        return bool(self.scope.get("scheme") == "https")

    @property
    def desk(self) -> str:
        """The desk that the credential belongs to."""
        for one in (self.task, self.person, self.agent):
            if one is not None:
                return one.desk
        return self.gateway.desk

    @property
    def cookie(self) -> str | None:
        """The session token in the cookie, if there is one."""
        for pair in self.headers.get("cookie", "").split(";"):
            name, _, value = pair.strip().partition("=")
            if name == SESSION_COOKIE:
                return value
        return None

    def path_id(self, name: str, code: str) -> str:
        """An id in the path; one that cannot be an id is not found, without looking."""
        return id_in(self.scope["path_params"][name], code)

    def by_agent(self) -> Principal:
        """The agent whose key was sent."""
        assert self.agent is not None
        return self.agent

    def by_task(self) -> Task:
        """The task whose token was sent."""
        assert self.task is not None
        return self.task

    def by_person(self) -> Principal:
        """The person who is logged in."""
        assert self.person is not None
        return self.person

    def authenticate(self, access: Access) -> None:
        """Find out who is calling, by the credentials that this operation takes.

        Raises NotAuthenticated by code, and NotAllowed `csrf_failed`.
        """
        bearer = _bearer(self.scope["headers"])
        if bearer is None:
            if Access.PERSON not in access:
                raise NotAuthenticated("credential_missing", f"send {_wanted(access)}")
            self._log_in()
        elif bearer.startswith("hrt_") and Access.TASK in access:
            grace_ms = ENDED_MS if Access.ENDED in access else 0
            self.task = task_of_token(self.gateway.ctx, bearer, grace_ms=grace_ms)
        elif bearer.startswith("hra_") and Access.AGENT in access:
            self.agent = agent_of_key(self.gateway.ctx, bearer)
        else:
            raise NotAuthenticated("credential_unknown", f"this address takes {_wanted(access)}")

    def _log_in(self) -> None:
        self.session, self.person = session_of(self.gateway.ctx, self.cookie)
        if self.scope["method"] not in _SAFE:
            check_csrf(self.session, self.headers.get("x-csrf-token"), self.headers)

    def read_query(self, shape: type[S]) -> S:
        """The query as a struct. Raises InvalidInput by field."""
        raw: bytes = self.scope["query_string"]
        if not raw:
            return msgspec.convert({}, shape)
        if len(raw) > QUERY_CHARS_MAX:
            raise InvalidInput("too_large", f"the query is longer than {QUERY_CHARS_MAX} bytes")
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise InvalidInput("field_malformed", "a field of the query is given twice")
        return convert(fields, shape, strict=False, whole="the query")


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises InvalidInput `too_large`, as soon as it is."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > BODY_BYTES_MAX:
            raise _too_large()
    message = await receive()
    data: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return data
    parts, size = [data], len(data)
    while message.get("more_body", False):
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise _too_large()
        parts.append(part)
    return b"".join(parts)


def parsed(data: bytes, shape: type[S]) -> S:
    """A body as a strict struct. Raises InvalidInput by field."""
    value = parse(data, size_max=BODY_BYTES_MAX) if data else {}
    return convert(value, shape)


def convert(value: object, shape: type[S], *, strict: bool = True, whole: str = "the body") -> S:
    """Plain values as a struct. Raises InvalidInput by field."""
    try:
        return msgspec.convert(value, shape, strict=strict)
    except msgspec.ValidationError as error:
        raise input_error(error, whole=whole) from None


def id_in(text: str, code: str) -> str:
    """The id in a text; raises NotFound with `code` for what cannot be one."""
    if not _ID.fullmatch(text):
        raise NotFound(code, f"there is no {quoted(text)} on this desk")
    return text


def _bearer(headers: list[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"authorization":
            scheme, _, token = value.partition(b" ")
            if scheme.lower() != b"bearer":
                raise NotAuthenticated("credential_unknown", "send `Authorization: Bearer ...`")
            return token.strip().decode("latin-1")
    return None


def _wanted(access: Access) -> str:
    names: Mapping[Access, str] = {
        Access.AGENT: "an agent's API key",
        Access.TASK: "a task token",
        Access.PERSON: "a person's session",
    }
    return " or ".join(text for kind, text in names.items() if kind in access)


def _too_large() -> InvalidInput:
    return InvalidInput("too_large", f"the body is longer than {BODY_BYTES_MAX} bytes")
