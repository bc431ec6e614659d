"""Your passkeys: adding one, ending one, and logging in by one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from handrail.core.passkey import Passkey, key_name
from handrail.core.principal import Principal, Role
from handrail.engine.access.passkeys import (
    add_passkey_unit,
    login_person,
    revoke_passkey_unit,
)
from handrail.engine.access.sessions import check_fresh
from handrail.errors import HandrailError, NotAllowed, NotAuthenticated, NotFound
from handrail.store.protocol import Means, Session, Tx
from handrail.surfaces.auth import (
    SESSION_COOKIE,
    check_same_site,
    opener,
    renew,
    session_cookie,
)
from handrail.surfaces.challenges import (
    Asked,
    answer_in,
    asked_to_log_in,
    asked_to_register,
    asked_to_sign,
    signed_in,
)
from handrail.surfaces.console.account.entrance import login_again
from handrail.surfaces.console.forms import read_form
from handrail.surfaces.console.pages import (
    SECURITY_HEADERS,
    Pages,
    Visitor,
    is_secure,
    redirect,
    safe_path,
)

__all__ = [
    "KeyRow",
    "add_passkey",
    "ask_for_login",
    "ask_for_new",
    "ask_to_sign",
    "end_passkey",
    "passkey_login",
    "passkeys",
]

_View = Callable[[Request], Awaitable[Response]]


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One live passkey: its name in the log, and when it was last used."""

    key: Passkey
    name: str
    used_at: int


async def passkeys(visitor: Visitor) -> Response:
    """The passkeys of oneself, or for an admin those of anybody."""
    return _page(visitor, visitor.request.query_params.get("person") or visitor.person.id)


async def ask_for_new(visitor: Visitor) -> Response:
    """What the browser is asked to make."""
    asked = asked_to_register(visitor.gateway.ctx, visitor.person, visitor.origin)
    return _json(asked)


async def ask_to_sign(visitor: Visitor) -> Response:
    """What a passkey is asked to sign for this person's approval of an action."""
    asked = asked_to_sign(visitor.gateway.ctx, visitor.person, visitor.request.path_params["id"])
    if asked is None:
        raise NotFound("page_not_found", "no passkey signs this one")
    return _json(asked)


async def add_passkey(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Add the passkey that the browser has made; the session goes on under another token."""
    ctx = visitor.gateway.ctx
    _check_may_change(visitor)
    try:
        unit = add_passkey_unit(
            visitor.session,
            nonce=form.get("nonce", ""),
            answer=answer_in(form.get("response", "")),
            label=form.get("label", "").strip(),
            origin=visitor.origin,
        )
        await ctx.store.submit(unit)
    except HandrailError as error:
        return _page(visitor, visitor.person.id, problem=error)
    return await _renewed(visitor, "/passkeys?added=1")


async def end_passkey(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """End a passkey: one's own, or as an admin somebody else's."""
    whose = form.get("person") or visitor.person.id
    if whose == visitor.person.id:
        _check_may_change(visitor)
    name = visitor.request.path_params["name"]
    unit = revoke_passkey_unit(visitor.desk, name, person=whose, by=visitor.person.id)
    await visitor.gateway.ctx.store.submit(unit)
    return redirect("/passkeys?ended=1")


def ask_for_login(pages: Pages) -> _View:
    """What a passkey is asked to sign to log in."""

    async def view(request: Request) -> Response:
        desk = request.query_params.get("desk") or pages.gateway.desk
        origin = pages.gateway.origin(request.url.scheme, request.url.netloc)
        return _json(asked_to_log_in(pages.gateway.ctx, desk, origin))

    return view


def passkey_login(pages: Pages) -> _View:
    """Log in by what a passkey has signed."""

    async def view(request: Request) -> Response:
        check_same_site(request.headers)
        form = await read_form(request)
        gateway, path = pages.gateway, safe_path(form.get("next"))
        desk = form.get("desk") or gateway.desk
        origin = gateway.origin(request.url.scheme, request.url.netloc)
        token, open_session = opener(
            gateway.ctx,
            desk,
            Means.PASSKEY,
            browser=request.headers.get("user-agent", ""),
            previous=request.cookies.get(SESSION_COOKIE),
        )
        try:
            signed = signed_in(form.get("response", ""), form.get("nonce", ""))

            def unit(tx: Tx) -> Session:
                return open_session(tx, login_person(tx, desk, signed, origin).id)

            await gateway.ctx.store.submit(unit)
        except NotAuthenticated as error:
            return login_again(pages, path, error)
        answer = redirect(path)
        secure = is_secure(request)
        answer.headers["set-cookie"] = session_cookie(token, secure=secure)
        return answer

    return view


def _check_may_change(visitor: Visitor) -> None:
    """Who has a passkey shows one of them to change any; who has none, a fresh login."""
    ctx, me = visitor.gateway.ctx, visitor.person
    known = ctx.store.read(lambda tx: tx.passkeys.of(visitor.desk, me.id))
    live = any(one.revoked_at is None for one in known)
    check_fresh(visitor.session, ctx.clock(), by_passkey=live)


async def _renewed(visitor: Visitor, path: str) -> Response:
    token = await renew(visitor.gateway.ctx, visitor.session, Means.PASSKEY)
    answer = redirect(path)
    secure = is_secure(visitor.request)
    answer.headers["set-cookie"] = session_cookie(token, secure=secure)
    return answer


def _page(visitor: Visitor, whose: str, *, problem: HandrailError | None = None) -> Response:
    ctx, me, desk = visitor.gateway.ctx, visitor.person, visitor.desk
    if whose != me.id and Role.ADMIN not in me.roles:
        raise NotAllowed("role_missing", "another person's passkeys are for the role admin")

    def look(tx: Tx) -> tuple[Principal | None, list[KeyRow]]:
        return tx.people.get(desk, whose), [
            KeyRow(key=one, name=key_name(one.id), used_at=tx.passkeys.used(desk, one.id)[1])
            for one in tx.passkeys.of(desk, whose)
            if one.revoked_at is None
        ]

    person, rows = ctx.store.read(look)
    if person is None:
        raise NotFound("principal_not_found", f"there is no person `{whose}` on this desk")
    try:
        check_fresh(visitor.session, ctx.clock(), by_passkey=bool(rows))
        stale = None
    except NotAllowed as refusal:
        stale = refusal.message
    query = visitor.request.query_params
    return visitor.render(
        "passkeys.html",
        status=200 if problem is None else problem.status,
        rows=rows,
        whose=person,
        mine=whose == me.id,
        may_others=Role.ADMIN in me.roles,
        stale=stale,
        problem=None if problem is None else problem.message,
        done="added" if query.get("added") == "1" else "ended" if query.get("ended") else "",
    )


def _json(asked: Asked) -> Response:
    return Response(
        msgspec.json.encode(asked),
        media_type="application/json",
        headers={**SECURITY_HEADERS, "cache-control": "no-store"},
    )
