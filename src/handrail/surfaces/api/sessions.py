"""People log in and out."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.surfaces.api.answers import LoggedOutView, SessionView
from handrail.surfaces.api.incoming import Access, Answer, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import LoginRequest
from handrail.surfaces.auth import (
    check_same_site,
    cleared_cookie,
    login,
    logout,
    session_cookie,
)

__all__ = ["OPERATIONS"]


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
        previous=call.cookie,
    )
    view = SessionView(person=session.person, csrf=session.csrf, expires_at=session.expires_at)
    return _with_cookie(view, session_cookie(token, secure=call.secure))


async def log_out(call: Incoming) -> Answer:
    """End the session."""
    ended = await logout(call.gateway.ctx, call.cookie or "")
    return _with_cookie(LoggedOutView(ended=ended), cleared_cookie(secure=call.secure))


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
)
