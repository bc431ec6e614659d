"""What every page of the console needs: who looks, how it is drawn, and what guards it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import jinja2
from jinja2.bccache import Bucket
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handrail.core.principal import Principal, Role
from handrail.engine.governing.amendment import POLICY_READERS
from handrail.errors import CODES, HandrailError, NotAuthenticated, NotFound
from handrail.store.protocol import Session
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.auth import SESSION_COOKIE, check_csrf, check_role, note_use, session_of
from handrail.surfaces.console.assets import Assets
from handrail.surfaces.console.forms import FORM_BYTES_MAX, read_form
from handrail.surfaces.console.language.amounts import amount_text
from handrail.surfaces.console.language.catalogue import Catalogue, Translated, languages
from handrail.surfaces.console.language.reader import Reader, reader, reading
from handrail.surfaces.console.language.times import (
    clock_text,
    iso_text,
    moment_text,
    relative_text,
    span_text,
)
from handrail.surfaces.console.language.words import HALT_SCOPES, ROLES, name_text
from handrail.surfaces.console.text.codes import value_markup
from handrail.surfaces.console.text.conversation import Talks
from handrail.surfaces.console.text.diffs import diff_markup
from handrail.surfaces.console.text.lines import titled
from handrail.surfaces.console.text.literal import clipped, literal, marked, money_markup, told

__all__ = [
    "SECURITY_HEADERS",
    "Pages",
    "Visitor",
    "environment_in",
    "is_secure",
    "redirect",
    "safe_path",
]

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # WHY NOT: no-referrer. Browsers would then send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_PATH: Final = re.compile(r"/(?:[A-Za-z0-9_?=&.-][A-Za-z0-9_/?=&.%-]*)?")
_PATH_CHARS_MAX: Final = 300
_LINE_CHARS_MAX: Final = 120


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The console of one serving process: the gateway behind it, templates and static files."""

    gateway: Gateway
    assets: Assets = field(default_factory=Assets)
    catalogues: Mapping[str, Catalogue] = field(default_factory=lambda: languages(None))
    templates: Mapping[str, jinja2.Environment] = field(init=False, default_factory=dict)
    talks: Talks = field(default_factory=Talks)

    def __post_init__(self) -> None:
        made = {name: self._environment(one) for name, one in self.catalogues.items()}
        object.__setattr__(self, "templates", made)

    def _environment(self, catalogue: Catalogue) -> jinja2.Environment:
        """The templates in a language, compiled once."""
        environment = environment_in(catalogue)
        environment.globals["asset"] = self.assets.url
        for name in environment.list_templates():
            environment.get_template(name)
        return environment

    def render(self, name: str, *, status: int = 200, **data: object) -> Response:
        """A page, never kept by a browser or a proxy."""
        now = self.gateway.ctx.clock()
        tools = {
            "now": now,
            "relative": partial(relative_text, now=now),
            "clock": partial(clock_text, now=now),
        }
        catalogue = reader().catalogue
        tools |= {"language": catalogue.language, "direction": catalogue.direction}
        template = self.templates[catalogue.language].get_template(name)
        page = template.render({"person": None, **tools, **data})
        return Response(
            page,
            status_code=status,
            media_type="text/html",
            headers={**SECURITY_HEADERS, "cache-control": "no-store"},
        )

    def open(
        self, view: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """A page that needs no login."""

        async def endpoint(request: Request) -> Response:
            with reading(Reader.of(request, self.catalogues)):
                try:
                    return await view(request)
                except HandrailError as error:
                    return self.refusal(error, acted=request.method == "POST")

        return endpoint

    def page(
        self,
        view: Callable[[Visitor], Awaitable[Response]],
        *,
        roles: Sequence[Role] | None = tuple(Role),
        for_script: bool = False,
    ) -> Callable[[Request], Awaitable[Response]]:
        """A page for a person with one of these roles; who is not logged in is sent to log in.

        With None for `roles` it is for everybody who is logged in.
        With `for_script` anybody else gets an empty answer: a page left open asks again and again.
        """

        async def answer(request: Request) -> Response:
            try:
                visitor = self._visitor(request)
            except NotAuthenticated as error:
                return Response(status_code=204) if for_script else _to_login(request, error)
            except HandrailError as error:
                return self.refusal(error)
            try:
                if not for_script:
                    # A page left open asks again and again; that is nobody at work.
                    await note_use(self.gateway.ctx, visitor.session)
                if roles is not None:
                    check_role(visitor.person, *roles)
                return await view(visitor)
            except HandrailError as error:
                self.gateway.runner.meet(error)
                return visitor.refusal(error)

        async def endpoint(request: Request) -> Response:
            with reading(Reader.of(request, self.catalogues)):
                return await answer(request)

        return endpoint

    def act(
        self,
        view: Callable[[Visitor, Mapping[str, str]], Awaitable[Response]],
        *,
        roles: Sequence[Role] | None = tuple(Role),
        bytes_max: int = FORM_BYTES_MAX,
        for_script: bool = False,
    ) -> Callable[[Request], Awaitable[Response]]:
        """A form of a page: as `page`, and the form must come from a page of this session."""

        async def checked(visitor: Visitor) -> Response:
            form = await read_form(visitor.request, bytes_max)
            check_csrf(visitor.session, form.get("csrf"), visitor.request.headers)
            return await view(visitor, form)

        return self.page(checked, roles=roles, for_script=for_script)

    def refusal(self, error: HandrailError, *, acted: bool = False) -> Response:
        """A page that says what did not happen, and why, to somebody who is not logged in."""
        return self.render("refusal.html", status=error.status, acted=acted, **_told(error))

    async def nothing_here(self, request: Request) -> Response:
        """No such page, for anybody."""
        error = NotFound("page_not_found", "there is nothing at this address")
        with reading(Reader.of(request, self.catalogues)):
            try:
                return self._visitor(request).refusal(error)
            except HandrailError:
                return self.refusal(error)

    def _visitor(self, request: Request) -> Visitor:
        session, person = session_of(self.gateway.ctx, request.cookies.get(SESSION_COOKIE))
        return Visitor(pages=self, request=request, session=session, person=person)


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """A person at a page: their session, and the desk that they are logged in to."""

    pages: Pages
    request: Request
    session: Session
    person: Principal

    @property
    def gateway(self) -> Gateway:
        """The use cases."""
        return self.pages.gateway

    @property
    def origin(self) -> str:
        """The origin that this person's browser names for the console."""
        url = self.request.url
        return self.gateway.origin(url.scheme, url.netloc)

    @property
    def desk(self) -> str:
        """The desk of the session."""
        return self.session.desk

    def render(self, name: str, *, status: int = 200, **data: object) -> Response:
        """A page with the frame of the console: who is logged in, and what waits."""
        reads_policy = bool(POLICY_READERS & set(self.person.roles))
        counts, stopped, proposed = self.gateway.ctx.store.read(
            lambda tx: (
                tx.counters.of(self.desk),
                tx.halts.list_active(self.desk),
                tx.amendments.count_open(self.desk) if reads_policy else 0,
            )
        )
        frame = {
            "person": self.person,
            "roles": ", ".join(ROLES[role] for role in self.person.roles) or "no role",
            "csrf": self.session.csrf,
            "desk": self.desk,
            "waiting": max(0, counts.get("state:PENDING", 0)),
            "handed_over": max(0, counts.get("escalations", 0)),
            "counts": counts,
            "held_back": max(0, counts.get("state:HOLDING", 0)),
            "stopped": stopped,
            "stop_scopes": HALT_SCOPES,
            "may_stop": bool(self.person.roles),
            "reads_policy": reads_policy,
            "owns_policy": Role.POLICY_OWNER in self.person.roles,
            "policies_open": proposed,
        }
        return self.pages.render(name, status=status, **{**frame, **data})

    def refusal(self, error: HandrailError, **data: object) -> Response:
        """A page that says what did not happen, and why."""
        about = self.request.path_params.get("id") if error.code == "content_erased" else None
        acted = self.request.method == "POST"
        told = {**_told(error), "log_of": about, "acted": acted, **data}
        return self.render("refusal.html", status=error.status, **told)


def redirect(path: str) -> Response:
    """Send the browser on after a form, so that a reload does not send the form again."""
    return RedirectResponse(path, status_code=303, headers=dict(SECURITY_HEADERS))


def is_secure(request: Request) -> bool:
    """Whether the browser came by https: then its cookies are for https alone."""
    return request.url.scheme == "https"


def safe_path(path: str | None) -> str:
    """A path of this console to go to after the login; `/` for anything else."""
    if path is None or len(path) > _PATH_CHARS_MAX or not _PATH.fullmatch(path):
        return "/"
    return path


def _address(request: Request) -> str:
    """The path of a page, with its query."""
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def _told(error: HandrailError) -> dict[str, object]:
    return {
        "code": error.code,
        "meaning": CODES[error.code].meaning,
        "message": error.message,
    }


def _to_login(request: Request, error: NotAuthenticated) -> Response:
    path = "/"
    if request.method in ("GET", "HEAD"):
        path = safe_path(_address(request))
    ended = "" if error.code == "credential_missing" else "&ended=1"
    if request.method not in ("GET", "HEAD"):
        ended = "&ended=2"
    return redirect(f"/login?next={quote(path, safe='')}{ended}")


class _Compiled(jinja2.BytecodeCache):
    """The templates as they are, compiled once for every console of this process."""

    def __init__(self) -> None:
        self._made: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket with what was made of this very source before, if it was."""
        if (made := self._made.get(bucket.key)) is not None:
            bucket.bytecode_from_string(made)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was made."""
        self._made[bucket.key] = bucket.bytecode_to_string()


_COMPILED: Final = _Compiled()


@jinja2.pass_context
def _amount(_: object, text: str) -> str:
    """`amount_text`. It takes the context so that no template has it worked out for nobody."""
    return amount_text(text)


def environment_in(catalogue: Catalogue) -> jinja2.Environment:
    """The templates, as they are or in another language."""
    options: dict[str, Any] = {
        "loader": jinja2.PackageLoader("handrail.surfaces.console"),
        "autoescape": True,
        "undefined": jinja2.StrictUndefined,
        "auto_reload": False,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    if catalogue.language == "en":
        environment = jinja2.Environment(**options, bytecode_cache=_COMPILED)
    else:
        environment = Translated(catalogue.messages, **options)
    environment.globals["ngettext"] = catalogue.messages.ngettext
    environment.filters.update(
        {
            "literal": literal,
            "marked": marked,
            "reworded": diff_markup,
            "told": told,
            "line": partial(clipped, most=_LINE_CHARS_MAX),
            "money": money_markup,
            "amount": _amount,
            "titled": titled,
            "iso": iso_text,
            "moment": moment_text,
            "span": span_text,
            "words": name_text,
            "value": value_markup,
        }
    )
    return environment
