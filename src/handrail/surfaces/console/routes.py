"""Where every page of the console is. The server mounts these beside the API."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.console.action import action
from handrail.surfaces.console.caps import caps
from handrail.surfaces.console.decide import decide, undo
from handrail.surfaces.console.entrance import leave, login_form, login_page
from handrail.surfaces.console.escalations import close, escalations
from handrail.surfaces.console.log import action_log, log
from handrail.surfaces.console.pages import Console
from handrail.surfaces.console.queue import pulse, queue
from handrail.surfaces.console.ran import ran

__all__ = ["console_routes"]


def console_routes(gateway: Gateway) -> list[BaseRoute]:
    """The routes of the console over a gateway, to be mounted at `/`.

    Templates are compiled and static files read here, once. The gateway's runner must be started.
    """
    console = Console(gateway=gateway)
    page, act = console.page, console.act
    get, post = ["GET"], ["POST"]
    return [
        Route("/login", console.open(login_page(console)), methods=get),
        Route("/login", console.open(login_form(console)), methods=post),
        Route("/logout", act(leave), methods=post),
        Route("/", page(queue), methods=get),
        Route("/pulse", page(pulse), methods=get),
        Route("/actions/{id}", page(action), methods=get),
        Route("/actions/{id}", act(decide), methods=post),
        Route("/actions/{id}/undo", act(undo), methods=post),
        Route("/ran", page(ran), methods=get),
        Route("/log", page(log), methods=get),
        Route("/log/{id}", page(action_log), methods=get),
        Route("/caps", page(caps), methods=get),
        Route("/escalations", page(escalations), methods=get),
        Route("/escalations/{id}/close", act(close), methods=post),
        Route("/static/{name}", console.open(console.assets.serve), methods=get),
    ]
