"""Coming in and going out: the login page, the login and the logout."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from handrail.errors import HandrailError, NotAuthenticated
from handrail.surfaces.auth import (
    SESSION_COOKIE,
    check_same_site,
    cleared_cookie,
    login,
    logout,
    session_cookie,
    session_of,
)
from handrail.surfaces.console.forms import read_form
from handrail.surfaces.console.pages import Pages, Visitor, is_secure, redirect, safe_path

__all__ = ["leave", "login_again", "login_form", "login_page"]

_NOTICES: Final = {
    "1": "Your session has ended. Log in again to go on.",
    "2": "Your session has ended, so nothing was done. Log in again and repeat it.",
    "3": "You are logged out.",
    "4": "Your password is set. Log in with it.",
}

NAME_CHARS_MAX: Final = 64
_View = Callable[[Request], Awaitable[Response]]


def login_page(pages: Pages) -> _View:
    """The page with the login form."""

    async def view(request: Request) -> Response:
        try:
            session_of(pages.gateway.ctx, request.cookies.get(SESSION_COOKIE))
        except NotAuthenticated:
            query = request.query_params
            notice = _NOTICES.get(query.get("ended", ""))
            return _page(
                pages,
                next=safe_path(query.get("next")),
                notice=notice,
                typed=query.get("person", "")[:NAME_CHARS_MAX] if notice else "",
                account=query.get("person", "")[:NAME_CHARS_MAX],
                at_desk=query.get("desk", "")[:NAME_CHARS_MAX],
            )
        return redirect(safe_path(request.query_params.get("next")))

    return view


def login_form(pages: Pages) -> _View:
    """Take the login form: to the page that was asked for, or the form again with what is wrong."""

    async def view(request: Request) -> Response:
        check_same_site(request.headers)
        form = await read_form(request)
        person, path = form.get("person", "").strip(), safe_path(form.get("next"))
        gateway = pages.gateway
        try:
            token, _ = await login(
                gateway.ctx,
                gateway.logins,
                form.get("desk", "").strip() or gateway.desk,
                person,
                form.get("password", ""),
                browser=request.headers.get("user-agent", ""),
                previous=request.cookies.get(SESSION_COOKIE),
            )
        except NotAuthenticated as error:
            return _page(pages, next=path, problem=error.message, typed=person, status=error.status)
        answer = redirect(path)
        answer.headers["set-cookie"] = session_cookie(token, secure=is_secure(request))
        return answer

    return view


async def leave(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """End the session and say so."""
    token = visitor.request.cookies.get(SESSION_COOKIE, "")
    await logout(visitor.gateway.ctx, token)
    answer = redirect("/login?ended=3")
    answer.headers["set-cookie"] = cleared_cookie(secure=is_secure(visitor.request))
    return answer


def login_again(pages: Pages, path: str, error: HandrailError) -> Response:
    """The login page with what was wrong, and the way back kept."""
    return _page(pages, next=path, problem=error.message, status=error.status)


def _page(
    pages: Pages,
    *,
    next: str,
    notice: str | None = None,
    problem: str | None = None,
    typed: str = "",
    account: str = "",
    at_desk: str = "",
    status: int = 200,
) -> Response:
    provider = pages.gateway.provider
    return pages.render(
        "login.html",
        provider=None if provider is None else provider.name,
        status=status,
        next=next,
        notice=notice,
        problem=problem,
        typed=typed,
        account=account,
        at_desk=at_desk,
        many_desks=len(pages.gateway.ctx.rulebooks) > 1,
        home_desk=pages.gateway.desk,
    )
