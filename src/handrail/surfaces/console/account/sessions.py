"""Your sessions: where one is logged in, and ending it; an admin does so for anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from handrail.core.principal import Principal, Role
from handrail.engine.access.sessions import close_all_unit, close_unit, listed_unit
from handrail.errors import InvalidInput, NotFound
from handrail.store.protocol import Means, Session, Tx
from handrail.surfaces.auth import cleared_cookie
from handrail.surfaces.console.language.reader import (
    LANGUAGE_COOKIE,
    ZONE_COOKIE,
    keep,
    reader,
    zone_names,
)
from handrail.surfaces.console.pages import Visitor, is_secure, redirect

__all__ = [
    "SessionRow",
    "browser_text",
    "choose_telling",
    "end_session",
    "end_sessions",
    "sessions",
]

_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""What a browser's name for itself holds, the first that is found; most hold several of these."""
_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Mac OS X", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_MEANS: Final[dict[Means, str]] = {
    Means.PASSWORD: "a password",
    Means.PROVIDER: "the login provider",
    Means.PASSKEY: "a passkey",
}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,30}")


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One session in words; `own` is the one that looks at this page."""

    session: Session
    browser: str
    means: str
    own: bool


async def sessions(visitor: Visitor) -> Response:
    """The sessions of oneself, or for an admin those of anybody."""
    ctx, desk, me = visitor.gateway.ctx, visitor.desk, visitor.person
    whose = visitor.request.query_params.get("person") or me.id

    def look(tx: Tx) -> tuple[list[Session], Principal | None]:
        return listed_unit(desk, whose, by=me.id)(tx), tx.people.get(desk, whose)

    found, person = ctx.store.read(look)
    rows = [
        SessionRow(
            session=one,
            browser=browser_text(one.browser),
            means=_MEANS[one.means],
            own=one.token_hash == visitor.session.token_hash,
        )
        for one in found
    ]
    return visitor.render(
        "sessions.html",
        rows=rows,
        whose=person or me,
        mine=whose == me.id,
        may_others=Role.ADMIN in me.roles,
        zone_name=str(reader().zone),
        zone_names=zone_names(),
        languages=list(visitor.pages.catalogues),
        ended=visitor.request.query_params.get("ended") == "1",
    )


async def end_session(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """End one session; one's own is a logout."""
    handle, whose = visitor.request.path_params["handle"], form.get("person") or visitor.person.id
    unit = close_unit(visitor.desk, handle, person=whose, by=visitor.person.id)
    if not await visitor.gateway.ctx.store.submit(unit):
        raise NotFound("session_not_found", "that session has ended already")
    return _after(visitor, whose, gone=handle == visitor.session.handle)


async def end_sessions(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """End every session of somebody, this one too if they are one's own."""
    whose = form.get("person") or visitor.person.id
    unit = close_all_unit(visitor.desk, person=whose, by=visitor.person.id)
    await visitor.gateway.ctx.store.submit(unit)
    return _after(visitor, whose, gone=whose == visitor.person.id)


def browser_text(said: str) -> str:
    """A browser and its system, as far as what it calls itself says."""
    browser = next((name for mark, name in _BROWSERS if mark in said), None)
    system = next((name for mark, name in _SYSTEMS if mark in said), None)
    if browser is None:
        named = _NAME.match(said)
        browser = "a program that says nothing about itself" if named is None else named[0]
    return browser if system is None else f"{browser} on {system}"


def _after(visitor: Visitor, whose: str, *, gone: bool) -> Response:
    if gone:
        answer = redirect("/login?ended=3")
        secure = is_secure(visitor.request)
        answer.headers["set-cookie"] = cleared_cookie(secure=secure)
        return answer
    about = "" if whose == visitor.person.id else f"&person={quote(whose, safe='')}"
    return redirect(f"/sessions?ended=1{about}")


async def choose_telling(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """From now on tell times in this zone and speak this language, in this browser."""
    zone, language = form.get("zone", "").strip() or "UTC", form.get("language", "en")
    if zone not in zone_names():
        raise InvalidInput("field_malformed", f"there is no time zone `{zone[:60]}`")
    if language not in visitor.pages.catalogues:
        raise InvalidInput("field_malformed", f"there is no language `{language[:60]}` here")
    answer = redirect("/sessions#telling")
    secure = is_secure(visitor.request)
    keep(answer, ZONE_COOKIE, zone, secure=secure)
    keep(answer, LANGUAGE_COOKIE, language, secure=secure)
    return answer
