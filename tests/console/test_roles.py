"""What each role may open and send: every route of the console, by every role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser
from starlette.routing import Route

from handrail.core.principal import Role
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.console import console_routes
from tests.console.scene import Scene, scene_in
from tests.console.test_http import csrf_in
from tests.patience import HANG_S

ROLES: Final = ("reviewer", "checker", "policy_owner", "auditor", "admin", "none")
EVERY: Final = frozenset(ROLES)
SOME: Final = EVERY - {"none"}
DECIDE: Final = frozenset({"reviewer", "checker"})
MEND: Final = frozenset({"reviewer", "checker", "admin"})
READ_POLICY: Final = frozenset({"policy_owner", "auditor", "admin"})
OWN_POLICY: Final = frozenset({"policy_owner"})
ADMIN: Final = frozenset({"admin"})
EXPORT: Final = frozenset({"auditor", "admin"})
NOT_AN_ID: Final = "hr_" + "0" * 32

TABLE: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("GET", "/"): SOME,
    ("GET", "/live"): SOME,
    ("GET", "/actions/{id}"): SOME,
    ("POST", "/actions/{id}"): DECIDE,
    ("GET", "/actions/{id}/attachments/{n:int}"): SOME,
    ("GET", "/actions/{id}/html"): SOME,
    ("GET", "/actions/{id}/challenge"): SOME,
    ("POST", "/actions/{id}/seen"): SOME,
    ("POST", "/actions/{id}/take"): DECIDE,
    ("POST", "/actions/{id}/leave"): DECIDE,
    ("POST", "/actions/{id}/outcome"): SOME,
    ("GET", "/actions/{id}/edit"): SOME,
    ("POST", "/actions/{id}/edit"): SOME,
    ("POST", "/actions/{id}/snooze"): SOME,
    ("POST", "/actions/{id}/wake"): SOME,
    ("POST", "/actions/{id}/recuse"): SOME,
    ("POST", "/actions/{id}/undo"): MEND,
    ("POST", "/actions/{id}/recall"): SOME,
    ("GET", "/attention"): SOME,
    ("GET", "/held"): SOME,
    ("GET", "/halts"): SOME,
    ("POST", "/halts"): SOME,
    ("POST", "/halts/{id}/lift"): SOME,
    ("POST", "/tasks/{id}/end"): MEND,
    ("GET", "/ran"): SOME,
    ("GET", "/log"): SOME,
    ("GET", "/log/{id}"): SOME,
    ("GET", "/audit"): SOME,
    ("GET", "/audit/actions/{id}"): SOME,
    ("POST", "/audit/actions/{id}/proof"): EXPORT,
    ("GET", "/audit/customers/{ref}"): SOME,
    ("POST", "/audit/customers/{ref}/proof"): EXPORT,
    ("GET", "/notifications"): ADMIN,
    ("POST", "/notifications"): ADMIN,
    ("POST", "/notifications/{id}/end"): ADMIN,
    ("POST", "/notifications/{id}/try"): ADMIN,
    ("GET", "/caps"): SOME,
    ("GET", "/grader"): SOME,
    ("GET", "/policy"): READ_POLICY,
    ("GET", "/policy/versions/{n}"): READ_POLICY,
    ("GET", "/policy/edit"): OWN_POLICY,
    ("POST", "/policy/edit"): OWN_POLICY,
    ("POST", "/policy/propose"): OWN_POLICY,
    ("GET", "/policy/proposals"): READ_POLICY,
    ("GET", "/policy/proposals/{id}"): READ_POLICY,
    ("POST", "/policy/proposals/{id}"): READ_POLICY,
    ("GET", "/policy/try"): READ_POLICY,
    ("POST", "/policy/try"): READ_POLICY,
    ("GET", "/policy/backtest"): READ_POLICY,
    ("POST", "/policy/backtest"): READ_POLICY,
    ("GET", "/policy/shadow"): READ_POLICY,
    ("POST", "/policy/shadow"): READ_POLICY - {"auditor"},
    ("POST", "/policy/shadow/stop"): READ_POLICY - {"auditor"},
    ("GET", "/escalations"): SOME,
    ("GET", "/escalations/{id}"): SOME,
    ("POST", "/escalations/{id}/take"): MEND,
    ("POST", "/escalations/{id}/close"): MEND,
    ("GET", "/passkeys"): EVERY,
    ("POST", "/passkeys"): EVERY,
    ("GET", "/passkeys/challenge"): EVERY,
    ("POST", "/passkeys/{name}/end"): EVERY,
    ("GET", "/sessions"): EVERY,
    ("POST", "/sessions/end"): EVERY,
    ("POST", "/sessions/telling"): EVERY,
    ("POST", "/sessions/{handle}/end"): EVERY,
}
"""Who gets past the door. What the engine says about one action behind it is tested there."""
OPEN: Final = {
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/login/provider"),
    ("GET", "/login/back"),
    ("GET", "/login/invited"),
    ("POST", "/login/invited"),
    ("GET", "/login/challenge"),
    ("POST", "/login/passkey"),
    ("POST", "/logout"),
    ("GET", "/static/{name}"),
    ("GET", "/{path:path}"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Scene]:
    """A desk with a person of each role, and one without any."""
    with scene_in(tmp_path_factory.mktemp("roles"), browser) as opened:
        for role in ROLES:
            opened.desk.person(f"a-{role}", roles=() if role == "none" else (role,))
        yield opened


@pytest.fixture(scope="module")
def people(served: Scene) -> Iterator[dict[str, tuple[httpx.Client, str]]]:
    """A logged-in client of each, with its token."""
    clients = {}
    for role in ROLES:
        with served.client(f"a-{role}") as client:
            held = client.cookies
        again = httpx.Client(base_url=served.url, cookies=held, timeout=HANG_S)
        clients[role] = again, csrf_in(again.get("/sessions").text)
    yield clients
    for client, _ in clients.values():
        client.close()


def test_no_route_is_left_out(served: Scene) -> None:
    """A page that is added has to say here whom it is for; every role is in the table."""
    routes = console_routes(Gateway.over(served.desk.ctx, served.desk.id))
    found = {
        (method, route.path)
        for route in routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert found == set(TABLE) | OPEN
    assert {role.value for role in Role} == SOME


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        one
        for one in TABLE
        if not one[1].endswith("/end") or "tasks" in one[1] or "notifications" in one[1]
    ],
)
def test_who_gets_in(
    served: Scene,
    people: dict[str, tuple[httpx.Client, str]],
    method: str,
    path: str,
    role: str,
) -> None:
    """M6: refused with 403 whoever has no business there; anybody else gets further than that."""
    client, csrf = people[role]
    waiting = served.desk.queue()
    action = (
        waiting[0].proposal
        if waiting
        else served.desk.show(served.reply("Hello").id, by="ava").card.proposal
    )
    at = path.replace("{id}", action.id if path == "/actions/{id}" else NOT_AN_ID)
    at = at.replace("{n:int}", "1")
    if method == "GET":
        answer = client.get(at)
    else:
        form = {"csrf": csrf, "verdict": "reject", "digest": action.statement, "scope": "nothing"}
        answer = client.post(
            at, data={**form, "reason": "because", "outcome": "done", "ground": "facts"}
        )
    refused = answer.status_code == 403 and "role" in answer.text
    assert refused is (role not in TABLE[method, path]), answer.text


@pytest.mark.parametrize("role", ROLES)
def test_who_looks_at_other_people_s_sessions(
    people: dict[str, tuple[httpx.Client, str]], role: str
) -> None:
    """M6: an admin; anybody else sees and ends their own."""
    client, csrf = people[role]
    others = "a-auditor" if role != "auditor" else "a-checker"
    allowed = role == "admin"
    assert (client.get(f"/sessions?person={others}").status_code == 200) is allowed
    form = {"csrf": csrf, "person": others}
    assert (client.post("/sessions/0000/end", data=form).status_code == 404) is allowed
    assert client.get("/sessions").status_code == 200
