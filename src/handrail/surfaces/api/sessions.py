"""People log in and out."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.engine.access.sessions import close_all_unit, close_unit, listed_unit
from handrail.errors import NotFound
from handrail.surfaces.api.answers import LoggedOutView, SessionView
from handrail.surfaces.api.incoming import Access, Answer, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import LoginRequest, SessionsQuery
from handrail.surfaces.auth import (
    check_same_site,
    cleared_cookie,
    login,
    logout,
    session_cookie,
)

__all__ = ["OPERATIONS", "EndedView", "SessionRowView", "SessionsView"]


class SessionRowView(msgspec.Struct, frozen=True, kw_only=True):
    """One session. `id` opens nothing; `means` is password, provider or passkey."""

    id: str
    created_at: int
    seen_at: int
    expires_at: int
    means: str
    browser: str
    own: bool


class SessionsView(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person is logged in, newest first."""

    items: list[SessionRowView]


class EndedView(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions were ended."""

    ended: int


async def log_in(call: Incoming) -> Answer:
    """Open a session; the browser gets its token as a cookie, the caller the CSRF token."""
    body: LoginRequest = call.body
    check_same_site(call.headers)
    gateway = call.gateway
    token, session = await login(
        gateway.ctx,
        gateway.logins,
        gateway.desk if body.desk is None else body.desk,
        body.person,
        body.password,
        browser=call.headers.get("user-agent", ""),
        previous=call.cookie,
    )
    view = SessionView(person=session.person, csrf=session.csrf, expires_at=session.expires_at)
    return _with_cookie(view, session_cookie(token, secure=call.secure))


async def log_out(call: Incoming) -> Answer:
    """End the session."""
    ended = await logout(call.gateway.ctx, call.cookie or "")
    return _with_cookie(LoggedOutView(ended=ended), cleared_cookie(secure=call.secure))


async def list_sessions(call: Incoming) -> SessionsView:
    """Where one is logged in; for an admin, with `person`, where somebody else is."""
    query: SessionsQuery = call.query
    me = call.by_person()
    found = call.gateway.ctx.store.read(listed_unit(me.desk, query.person or me.id, by=me.id))
    own = call.session
    return SessionsView(
        items=[
            SessionRowView(
                id=one.handle,
                created_at=one.created_at,
                seen_at=one.seen_at,
                expires_at=one.expires_at,
                means=one.means.value,
                browser=one.browser,
                own=own is not None and one.token_hash == own.token_hash,
            )
            for one in found
        ]
    )


async def end_session(call: Incoming) -> EndedView:
    """End one session, one's own or as an admin somebody else's."""
    query: SessionsQuery = call.query
    me, handle = call.by_person(), call.scope["path_params"]["id"]
    unit = close_unit(me.desk, handle, person=query.person or me.id, by=me.id)
    if not await call.gateway.ctx.store.submit(unit):
        raise NotFound("session_not_found", "that session has ended already")
    return EndedView(ended=1)


async def end_sessions(call: Incoming) -> EndedView:
    """End every session of oneself, this one too, or as an admin of somebody else."""
    query: SessionsQuery = call.query
    me = call.by_person()
    unit = close_all_unit(me.desk, person=query.person or me.id, by=me.id)
    return EndedView(ended=await call.gateway.ctx.store.submit(unit))


def _with_cookie(view: msgspec.Struct, cookie: str) -> Answer:
    return Answer(
        body=msgspec.json.encode(view), headers=((b"set-cookie", cookie.encode("latin-1")),)
    )


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/session",
        summary="A person logs in",
        handle=log_in,
        body=LoginRequest,
        answer=SessionView,
        problems=("login_failed", "too_many_attempts", "csrf_failed"),
    ),
    Operation(
        method="DELETE",
        path="/v1/session",
        summary="A person logs out",
        handle=log_out,
        access=Access.PERSON,
        answer=LoggedOutView,
    ),
    Operation(
        method="GET",
        path="/v1/sessions",
        summary="Where a person is logged in",
        handle=list_sessions,
        access=Access.PERSON,
        query=SessionsQuery,
        answer=SessionsView,
        problems=("role_missing", "principal_not_found"),
    ),
    Operation(
        method="DELETE",
        path="/v1/sessions",
        summary="End every session of a person",
        handle=end_sessions,
        access=Access.PERSON,
        query=SessionsQuery,
        answer=EndedView,
        problems=("role_missing", "principal_not_found"),
    ),
    Operation(
        method="DELETE",
        path="/v1/sessions/{id}",
        summary="End one session of a person",
        handle=end_session,
        access=Access.PERSON,
        query=SessionsQuery,
        answer=EndedView,
        problems=("role_missing", "principal_not_found", "session_not_found"),
    ),
)
