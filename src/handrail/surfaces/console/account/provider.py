"""Logging in at a login provider: leaving for it and coming back.

What a browser must bring back lies in a cookie of its own until then. It is for the pages below
`/login` alone, for ten minutes, and is sent along when the provider's page leads back here, as the
session's cookie never is.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from handrail.engine.access.identities import vouched_person
from handrail.errors import HandrailError, NotAuthenticated, NotFound, Unavailable
from handrail.store.protocol import Means, Session, Tx
from handrail.surfaces.auth import SESSION_COOKIE, check_same_site, opener, session_cookie
from handrail.surfaces.console.account.entrance import login_again
from handrail.surfaces.console.pages import SECURITY_HEADERS, Pages, is_secure, safe_path
from handrail.surfaces.provider import Departure, Provider

__all__ = ["come_back", "leave_for_provider"]

DEPARTURE_COOKIE: Final = "handrail_departure"
DEPARTURE_MS: Final = 10 * 60_000
"""How long somebody may take to log in at the provider."""
BACK: Final = "/login/back"
_CHARS_MAX: Final = 2_000
_FIELD_CHARS_MAX: Final = 100

_View = Callable[[Request], Awaitable[Response]]


def leave_for_provider(pages: Pages) -> _View:
    """Send the browser to the provider. Another site's page cannot start it."""

    async def view(request: Request) -> Response:
        check_same_site(request.headers)
        provider, asked = _provider(pages), request.query_params
        try:
            url, departure = await provider.depart(
                _back(pages, request),
                desk=asked.get("desk", "")[:_FIELD_CHARS_MAX] or pages.gateway.desk,
                path=safe_path(asked.get("next")),
                person=asked.get("person", "")[:_FIELD_CHARS_MAX],
                invitation=asked.get("invitation", "")[:_FIELD_CHARS_MAX],
            )
        except (NotAuthenticated, Unavailable) as error:
            return login_again(pages, safe_path(asked.get("next")), error)
        headers = {**SECURITY_HEADERS, "location": url, "cache-control": "no-store"}
        answer = Response(status_code=303, headers=headers)
        kept = urlsafe_b64encode(msgspec.json.encode(departure)).decode()
        answer.headers.append("set-cookie", _cookie(request, kept, DEPARTURE_MS // 1_000))
        return answer

    return view


def come_back(pages: Pages) -> _View:
    """Take the browser back from the provider, and open its session."""

    async def view(request: Request) -> Response:
        provider, gateway, asked = _provider(pages), pages.gateway, request.query_params
        departure = _departed(request, gateway.ctx.clock())
        path = "/" if departure is None else safe_path(departure.path)
        try:
            found = _checked(departure, provider, request)
            voucher = await provider.arrive(_back(pages, request), asked.get("code", ""), found)
            token, open_session = opener(
                gateway.ctx,
                found.desk,
                Means.PROVIDER,
                browser=request.headers.get("user-agent", ""),
                previous=request.cookies.get(SESSION_COOKIE),
            )

            def unit(tx: Tx) -> Session:
                person = vouched_person(
                    tx,
                    gateway.ctx,
                    found.desk,
                    issuer=voucher.issuer,
                    subject=voucher.subject,
                    named=found.person,
                    invitation=found.invitation,
                )
                return open_session(tx, person.id)

            await gateway.ctx.store.submit(unit)
        except (NotAuthenticated, Unavailable) as error:
            answer = login_again(pages, path, error)
            answer.headers.append("set-cookie", _cookie(request, "", 0))
            return answer
        # WHY NOT: a redirect. The browser came from another site, and would not send along the
        # cookie that it is just given; a page of ours that leads on is our own.
        answer = pages.render("arrived.html", path=path)
        secure = is_secure(request)
        answer.headers.append("set-cookie", session_cookie(token, secure=secure))
        answer.headers.append("set-cookie", _cookie(request, "", 0))
        return answer

    return view


def _checked(departure: Departure | None, provider: Provider, request: Request) -> Departure:
    """What this browser left with, provided that it is what it comes back with."""
    asked = request.query_params
    if departure is None:
        raise _refused("this browser did not leave for it, or too long ago; log in again")
    if not hmac.compare_digest(departure.state.encode(), asked.get("state", "").encode()):
        raise _refused("the answer is to another login than this browser's")
    if asked.get("iss", provider.settings.issuer) != provider.settings.issuer:
        raise _refused("the answer is another provider's")
    if "error" in asked or not asked.get("code"):
        raise _refused("it sent you back without a login")
    return departure


def _departed(request: Request, now: int) -> Departure | None:
    kept = request.cookies.get(DEPARTURE_COOKIE, "")
    if not 0 < len(kept) <= _CHARS_MAX:
        return None
    try:
        found = msgspec.json.decode(urlsafe_b64decode(kept), type=Departure)
    except (ValueError, msgspec.DecodeError):
        return None
    return found if found.at <= now < found.at + DEPARTURE_MS else None


def _provider(pages: Pages) -> Provider:
    if pages.gateway.provider is None:
        raise NotFound("page_not_found", "no login provider is set up here")
    return pages.gateway.provider


def _back(pages: Pages, request: Request) -> str:
    return pages.gateway.origin(request.url.scheme, request.url.netloc) + BACK


def _cookie(request: Request, value: str, seconds: int) -> str:
    ending = "; Secure" if is_secure(request) else ""
    name = f"{DEPARTURE_COOKIE}={value}"
    return f"{name}; Path=/login; Max-Age={seconds}; HttpOnly; SameSite=Lax{ending}"


def _refused(why: str) -> HandrailError:
    return NotAuthenticated("provider_refused", f"the login provider does not vouch for you: {why}")
