"""Coming with an invitation: to link a login at the provider, or where there is none, to choose a
password.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from handrail.engine.access.identities import accept_unit, invited_person
from handrail.errors import InvalidInput, NotAuthenticated
from handrail.surfaces.auth import check_same_site, hash_password
from handrail.surfaces.console.account.entrance import login_again
from handrail.surfaces.console.forms import read_form
from handrail.surfaces.console.pages import Pages, redirect

__all__ = ["accept", "invited"]

_CHARS_MAX: Final = 100

_View = Callable[[Request], Awaitable[Response]]


def invited(pages: Pages) -> _View:
    """The page that an invitation's link leads to. It takes up nothing by itself."""

    async def view(request: Request) -> Response:
        asked = request.query_params
        token, desk = asked.get("token", "")[:_CHARS_MAX], asked.get("desk", "")[:_CHARS_MAX]
        provider = pages.gateway.provider
        if provider is None:
            return _form(pages, token, desk)
        about = f"&desk={quote(desk, safe='')}" if desk else ""
        away = f"/login/provider?invitation={quote(token, safe='')}{about}"
        return pages.render("invited.html", away=away, provider=provider.name)

    return view


def accept(pages: Pages) -> _View:
    """Take an invitation up with a password; before anything else it is looked at."""

    async def view(request: Request) -> Response:
        check_same_site(request.headers)
        form = await read_form(request)
        token, desk = form.get("token", "")[:_CHARS_MAX], form.get("desk", "")[:_CHARS_MAX]
        ctx, at = pages.gateway.ctx, desk or pages.gateway.desk
        try:
            if pages.gateway.provider is not None:
                raise NotAuthenticated("invitation_over", "here one logs in at the login provider")
            ctx.store.read(lambda tx: invited_person(tx, at, token))
            password = form.get("password", "")
            if password != form.get("again", ""):
                raise InvalidInput("field_malformed", "the two passwords are not the same")
            hashed = await asyncio.to_thread(hash_password, password)
            person = await ctx.store.submit(accept_unit(ctx, at, token, hashed))
        except InvalidInput as error:
            return _form(pages, token, desk, problem=error.message, status=error.status)
        except NotAuthenticated as error:
            return login_again(pages, "/", error)
        about = f"&desk={quote(desk, safe='')}" if desk else ""
        return redirect(f"/login?ended=4&person={quote(person.id, safe='')}{about}")

    return view


def _form(
    pages: Pages, token: str, desk: str, *, problem: str | None = None, status: int = 200
) -> Response:
    return pages.render(
        "invited.html",
        status=status,
        provider=None,
        away="",
        token=token,
        at_desk=desk,
        problem=problem,
    )
