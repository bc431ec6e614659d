"""Where every page of the console is. The server mounts these beside the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from handrail.core.principal import Role
from handrail.engine.governing.amendment import POLICY_READERS
from handrail.prove.export import EXPORTERS
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.console.account.entrance import leave, login_form, login_page
from handrail.surfaces.console.account.invitation import accept, invited
from handrail.surfaces.console.account.passkeys import (
    add_passkey,
    ask_for_login,
    ask_for_new,
    ask_to_sign,
    end_passkey,
    passkey_login,
    passkeys,
)
from handrail.surfaces.console.account.provider import come_back, leave_for_provider
from handrail.surfaces.console.account.sessions import (
    choose_telling,
    end_session,
    end_sessions,
    sessions,
)
from handrail.surfaces.console.case.action import DECIDERS, action
from handrail.surfaces.console.case.attachments import attachment
from handrail.surfaces.console.case.edit import correct, edit, recuse
from handrail.surfaces.console.case.markup import rendering
from handrail.surfaces.console.case.snooze import snooze, wake
from handrail.surfaces.console.case.verdict import decide, settle, undo
from handrail.surfaces.console.desk.caps import caps
from handrail.surfaces.console.desk.halts import halts, lift, stop
from handrail.surfaces.console.desk.notifications import (
    add_channel,
    end_channel,
    notifications,
    try_channel,
)
from handrail.surfaces.console.forms import EDIT_BYTES_MAX
from handrail.surfaces.console.language.catalogue import languages
from handrail.surfaces.console.lists.escalations import (
    close,
    end_task,
    escalation,
    escalations,
    take,
)
from handrail.surfaces.console.lists.held import held, recall
from handrail.surfaces.console.lists.ran import ran
from handrail.surfaces.console.pages import Pages
from handrail.surfaces.console.policy.backtest import backtest, backtested
from handrail.surfaces.console.policy.editor import check, editor, propose
from handrail.surfaces.console.policy.grader import grader
from handrail.surfaces.console.policy.proposal import proposal, proposals, step
from handrail.surfaces.console.policy.room import policy, version
from handrail.surfaces.console.policy.shadow import end_shadow, shadow, start_shadow
from handrail.surfaces.console.policy.trial import suppose, supposed
from handrail.surfaces.console.queue.attention import attention
from handrail.surfaces.console.queue.feed import Feed
from handrail.surfaces.console.queue.live import live
from handrail.surfaces.console.queue.presence import TAKERS, leave_action, seen, take_action
from handrail.surfaces.console.queue.queue import queue
from handrail.surfaces.console.record.audit import audit
from handrail.surfaces.console.record.life import customer_life, customer_proof, life, proof
from handrail.surfaces.console.record.log import action_log, log

__all__ = ["console_routes"]


def console_routes(gateway: Gateway, *, translations: Path | None = None) -> list[BaseRoute]:
    """The routes of the console over a gateway, to be mounted at `/`.

    Templates are compiled and static files read here, once. The gateway's runner must be started.
    Every page and form takes a person with a role; with `roles` one of those, or with None anybody
    who is logged in. Who may decide about one action is the engine's to say.
    `translations` is a folder with other languages, see `catalogue.languages`.
    """
    pages = Pages(gateway=gateway, catalogues=languages(translations))
    page, act = pages.page, pages.act
    get, post = ["GET"], ["POST"]
    return [
        *_about_oneself(pages),
        Route("/", page(queue), methods=get),
        Route("/live", page(live(Feed(gateway)), for_script=True), methods=get),
        *_action_routes(pages),
        Route("/attention", page(attention), methods=get),
        Route("/held", page(held), methods=get),
        Route("/halts", page(halts), methods=get),
        Route("/halts", act(stop), methods=post),
        Route("/halts/{id}/lift", act(lift), methods=post),
        Route("/tasks/{id}/end", act(end_task, roles=DECIDERS), methods=post),
        Route("/ran", page(ran), methods=get),
        Route("/log", page(log), methods=get),
        Route("/log/{id}", page(action_log), methods=get),
        *_audit_routes(pages),
        *_channel_routes(pages),
        Route("/caps", page(caps), methods=get),
        Route("/grader", page(grader), methods=get),
        *_policy_routes(pages),
        Route("/escalations", page(escalations), methods=get),
        Route("/escalations/{id}", page(escalation), methods=get),
        Route("/escalations/{id}/take", act(take, roles=DECIDERS), methods=post),
        Route("/escalations/{id}/close", act(close, roles=DECIDERS), methods=post),
        Route("/static/{name}", pages.open(pages.assets.serve), methods=get),
        # What no other route takes; the server asks the console last.
        Route("/{path:path}", _beside_api(pages), methods=get),
    ]


def _action_routes(pages: Pages) -> list[BaseRoute]:
    """One action: looking at it, deciding, and what comes before and after."""
    page, act = pages.page, pages.act
    get, post = ["GET"], ["POST"]
    return [
        Route("/actions/{id}", page(action), methods=get),
        Route("/actions/{id}", act(decide), methods=post),
        Route("/actions/{id}/challenge", page(ask_to_sign), methods=get),
        Route("/actions/{id}/seen", act(seen, for_script=True), methods=post),
        Route("/actions/{id}/take", act(take_action, roles=TAKERS), methods=post),
        Route("/actions/{id}/leave", act(leave_action, roles=TAKERS), methods=post),
        Route("/actions/{id}/attachments/{n:int}", page(attachment), methods=get),
        Route("/actions/{id}/html", page(rendering), methods=get),
        Route("/actions/{id}/outcome", act(settle), methods=post),
        Route("/actions/{id}/edit", page(correct), methods=get),
        Route("/actions/{id}/edit", act(edit, bytes_max=EDIT_BYTES_MAX), methods=post),
        Route("/actions/{id}/snooze", act(snooze), methods=post),
        Route("/actions/{id}/wake", act(wake), methods=post),
        Route("/actions/{id}/recuse", act(recuse), methods=post),
        Route("/actions/{id}/undo", act(undo, roles=DECIDERS), methods=post),
        Route("/actions/{id}/recall", act(recall), methods=post),
    ]


def _about_oneself(pages: Pages) -> list[BaseRoute]:
    """Coming in and going out, sessions and passkeys: for people without a role, too."""
    page, act = partial(pages.page, roles=None), partial(pages.act, roles=None)
    get, post = ["GET"], ["POST"]
    return [
        Route("/login", pages.open(login_page(pages)), methods=get),
        Route("/login", pages.open(login_form(pages)), methods=post),
        Route("/login/provider", pages.open(leave_for_provider(pages)), methods=get),
        Route("/login/back", pages.open(come_back(pages)), methods=get),
        Route("/login/invited", pages.open(invited(pages)), methods=get),
        Route("/login/invited", pages.open(accept(pages)), methods=post),
        Route("/login/challenge", pages.open(ask_for_login(pages)), methods=get),
        Route("/login/passkey", pages.open(passkey_login(pages)), methods=post),
        Route("/logout", act(leave), methods=post),
        Route("/sessions", page(sessions), methods=get),
        Route("/sessions/telling", act(choose_telling), methods=post),
        Route("/sessions/end", act(end_sessions), methods=post),
        Route("/sessions/{handle}/end", act(end_session), methods=post),
        Route("/passkeys", page(passkeys), methods=get),
        Route("/passkeys", act(add_passkey), methods=post),
        Route("/passkeys/challenge", page(ask_for_new), methods=get),
        Route("/passkeys/{name}/end", act(end_passkey), methods=post),
    ]


def _audit_routes(pages: Pages) -> list[BaseRoute]:
    """Questions about the record. Whoever reads the log may ask; few take records out."""
    page, act = pages.page, partial(pages.act, roles=tuple(EXPORTERS))
    get, post = ["GET"], ["POST"]
    return [
        Route("/audit", page(audit), methods=get),
        Route("/audit/actions/{id}", page(life), methods=get),
        Route("/audit/actions/{id}/proof", act(proof), methods=post),
        Route("/audit/customers/{ref}", page(customer_life), methods=get),
        Route("/audit/customers/{ref}/proof", act(customer_proof), methods=post),
    ]


def _channel_routes(pages: Pages) -> list[BaseRoute]:
    """How people are told elsewhere: for administrators."""
    page, act = partial(pages.page, roles=(Role.ADMIN,)), partial(pages.act, roles=(Role.ADMIN,))
    return [
        Route("/notifications", page(notifications), methods=["GET"]),
        Route("/notifications", act(add_channel, bytes_max=EDIT_BYTES_MAX), methods=["POST"]),
        Route("/notifications/{id}/end", act(end_channel), methods=["POST"]),
        Route("/notifications/{id}/try", act(try_channel), methods=["POST"]),
    ]


def _policy_routes(pages: Pages) -> list[BaseRoute]:
    """The policy room. A form that carries a policy's text may be longer than others."""
    readers = tuple(POLICY_READERS)
    page, act = partial(pages.page, roles=readers), partial(pages.act, roles=readers)
    get, post = ["GET"], ["POST"]
    return [
        Route("/policy", page(policy), methods=get),
        Route("/policy/versions/{n}", page(version), methods=get),
        Route("/policy/edit", page(editor), methods=get),
        Route("/policy/edit", act(check, bytes_max=EDIT_BYTES_MAX), methods=post),
        Route("/policy/propose", act(propose, bytes_max=EDIT_BYTES_MAX), methods=post),
        Route("/policy/proposals", page(proposals), methods=get),
        Route("/policy/proposals/{id}", page(proposal), methods=get),
        Route("/policy/proposals/{id}", act(step), methods=post),
        Route("/policy/try", page(suppose), methods=get),
        Route("/policy/try", act(supposed, bytes_max=EDIT_BYTES_MAX), methods=post),
        Route("/policy/backtest", page(backtest), methods=get),
        Route("/policy/backtest", act(backtested, bytes_max=EDIT_BYTES_MAX), methods=post),
        Route("/policy/shadow", page(shadow), methods=get),
        Route("/policy/shadow", act(start_shadow, bytes_max=EDIT_BYTES_MAX), methods=post),
        Route("/policy/shadow/stop", act(end_shadow), methods=post),
    ]


def _beside_api(pages: Pages) -> Callable[[Request], Awaitable[Response]]:
    """No such page; what looks like the API is answered by the server itself, as a problem."""

    async def endpoint(request: Request) -> Response:
        if request.url.path.startswith("/v1"):
            raise HTTPException(404)
        return await pages.nothing_here(request)

    return endpoint
