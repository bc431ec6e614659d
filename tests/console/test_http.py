"""The console below the browser: headers, sessions, forms of strangers, things not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser

from handrail.core.lifecycle import State
from handrail.engine.governing.desks import open_desk
from handrail.surfaces.auth import FAILURES_MAX, SESSION_COOKIE
from handrail.surfaces.console.forms import FORM_BYTES_MAX
from handrail.surfaces.embedded import Desk
from tests.console.scene import Scene, scene_in

FORM: Final = "application/x-www-form-urlencoded"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Scene]:
    """One served desk for all of these."""
    with scene_in(tmp_path_factory.mktemp("served"), browser) as opened:
        yield opened


def csrf_in(page: str) -> str:
    """The token in a page's forms."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def digest_in(page: str) -> str:
    """The digest in an action's form."""
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", ["/", "/ran", "/log", "/caps", "/escalations", "/live", "/nope"])
def test_every_answer_has_the_headers(served: Scene, path: str) -> None:
    """A strict policy, nothing kept by a cache, nothing framed."""
    with served.client("dana") as client:
        headers = client.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_what_came_before_is_shown(served: Scene) -> None:
    """C1: the page of the refund that crosses lists what makes up the sum."""
    with served.client("dana") as client:
        fields = {"customer": "C-1004", "amount": "30.00 USD", "reason": "goodwill"}
        served.propose("T-105", "credit.grant", fields)
        action = served.propose("T-105", "credit.grant", fields)
        page = client.get(f"/actions/{action.id}").text
    assert "What happened before" in page
    assert "this customer was given lately it makes" in page
    assert "Together with this one" in page
    assert "60.00 USD" in page


def test_what_is_found_is_listed_and_marked(served: Scene) -> None:
    """B5, B9, B10: the finds are lifted out, marked in the text, and escaped like all of it."""
    body = "Dear Maria,\nwe will pay <b>$50</b>, see [shop.example.com](https://evil.test/)"
    action = served.reply(body, note="URGENT <i>now</i>")
    with served.client("dana") as client:
        page = client.get(f"/actions/{action.id}").text
    assert "Look at these" in page
    links = re.findall(r'<li><a href="#([^"]+)"><mark class="found">([^<]+)</mark></a>', page)
    assert links
    for anchor, text in links:
        assert page.count(f'id="{anchor}"') == 1
        assert re.search(rf'<mark class="found" id="{anchor}"[^>]*>{re.escape(text)}', page)
    assert "its text says" in page
    for text in ("Maria", "we will", "$50"):
        assert re.search(
            rf'<mark class="found" id="[^"]+" title="[^"]+">{re.escape(text)}</mark>', page
        )
    assert "&lt;b&gt;<mark" in page
    assert "<b>$50" not in page
    assert "$50</b>" not in page
    assert re.search(r'<mark class="found" title="[^"]+">URGENT</mark> &lt;i&gt;now', page)
    plain = served.reply("Dear Dana, please send a picture.")
    with served.client("dana") as client:
        assert "Look at these" not in client.get(f"/actions/{plain.id}").text


def test_static_files_are_kept_for_good(served: Scene) -> None:
    """Their address changes with their content, so a browser never asks twice."""
    with served.client() as client:
        page = client.get("/login").text
        urls = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        assert len(set(urls)) == 4
        for url in urls:
            answer = client.get(url)
            assert re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", url)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert client.get("/static/console.css").status_code == 404
        assert client.get("/static/..%2fpages.py").status_code == 404


@pytest.mark.parametrize(
    ("path", "next_path"),
    [
        ("/", "/"),
        ("/log?person=dana", "/log?person=dana"),
        ("/actions/hr_1", "/actions/hr_1"),
    ],
)
def test_strangers_are_sent_to_log_in(served: Scene, path: str, next_path: str) -> None:
    """Every page but the login needs a session, and the way back is kept."""
    with served.client() as client:
        answer = client.get(path)
        assert answer.status_code == 303
        at = httpx.URL(answer.headers["location"])
        assert at.path == "/login"
        assert at.params["next"] == next_path


def test_open_page_of_an_ended_session_asks_in_vain(served: Scene) -> None:
    """Its script gets an empty answer, no login page, and no number."""
    with served.client() as client:
        answer = client.get("/live?since=0")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    "address",
    ["//evil.test", "/\\evil.test", "https://evil.test", "javascript:alert(1)", "/%2f/x", "", "x"],
)
def test_login_leads_to_no_foreign_page(served: Scene, address: str) -> None:
    """Whatever the form says, the browser ends on a page of this console."""
    form = {"person": "dana", "password": served.admit("dana"), "next": address}
    with served.client() as client:
        answer = client.post("/login", data=form)
    assert answer.headers["location"] == "/"


def test_session_cookie_is_guarded(served: Scene) -> None:
    """Scripts cannot read it, other sites cannot send it, a new login ends the old session."""
    form = {"person": "dana", "password": served.admit("dana")}
    with served.client() as client:
        first = client.post("/login", data=form)
        for guard in ("HttpOnly", "SameSite=Strict", "Path=/"):
            assert guard in first.headers["set-cookie"]
        old = client.cookies[SESSION_COOKIE]
        client.post("/login", data=form)
        assert client.cookies[SESSION_COOKIE] != old
        client.cookies.set(SESSION_COOKIE, old)
    with served.client() as client:
        client.cookies.set(SESSION_COOKIE, old)
        assert client.get("/").headers["location"].endswith("&ended=1")


def test_guessing_is_slowed_down(served: Scene) -> None:
    """After a few wrong passwords the name has to wait, and the page says so."""
    with served.client() as client:
        form = {"person": "nobody", "password": "wrong"}
        codes = [client.post("/login", data=form).status_code for _ in range(FAILURES_MAX + 1)]
        assert codes == [401] * FAILURES_MAX + [429]
        assert "wait a minute" in client.post("/login", data=form).text


@pytest.mark.parametrize(
    ("csrf", "headers"),
    [
        (None, {}),
        ("0" * 48, {}),
        ("right", {"origin": "https://evil.test"}),
        ("right", {"sec-fetch-site": "cross-site"}),
    ],
)
def test_forms_of_other_sites_do_nothing(
    served: Scene, csrf: str | None, headers: dict[str, str]
) -> None:
    """Without this session's token, or from elsewhere, a verdict does not count."""
    action = served.refund()
    with served.client("dana") as client:
        page = client.get(f"/actions/{action.id}").text
        form = {"verdict": "approve", "digest": digest_in(page)}
        if csrf is not None:
            form["csrf"] = csrf_in(page) if csrf == "right" else csrf
        answer = client.post(f"/actions/{action.id}", data=form, headers=headers)
    assert answer.status_code == 403
    assert "The form was not accepted" in answer.text
    assert served.desk.get(action.id).state is State.PENDING


def test_login_form_of_another_site_is_refused(served: Scene) -> None:
    """Nobody is logged in to an account that is not theirs by a link."""
    form = {"person": "dana", "password": served.admit("dana")}
    with served.client() as client:
        answer = client.post("/login", data=form, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403
        assert SESSION_COOKIE not in client.cookies


def test_form_after_the_session_does_nothing(served: Scene) -> None:
    """It leads to the login, which says that nothing was done."""
    action = served.refund()
    with served.client("dana") as client:
        form = {"verdict": "approve", "csrf": csrf_in(client.get("/").text)}
        client.post("/logout", data=form)
        answer = client.post(f"/actions/{action.id}", data=form)
        assert answer.status_code == 303
        assert "nothing was done" in client.get(answer.headers["location"]).text
    assert served.desk.get(action.id).state is State.PENDING


@pytest.mark.parametrize(
    ("field", "value", "status", "said"),
    [
        ("verdict", "approve_all", 422, "Choose one of the buttons"),
        ("verdict", "escalate", 422, "what the next person should know"),
        ("reason", "x" * 4_001, 413, "longer than 4000 characters"),
        ("reason", "x" * FORM_BYTES_MAX, 413, "longer than allowed"),
    ],
)
def test_bad_forms_decide_nothing(
    served: Scene, field: str, value: str, status: int, said: str
) -> None:
    """What cannot be counted is explained, and nothing changes."""
    action = served.refund()
    with served.client("dana") as client:
        page = client.get(f"/actions/{action.id}").text
        form = {"verdict": "reject", "ground": "facts", "digest": digest_in(page)}
        form["csrf"] = csrf_in(page)
        answer = client.post(f"/actions/{action.id}", data={**form, field: value})
        assert answer.status_code == status
        assert said in answer.text
        for body, sent in ((form, None), (None, b"reason=%ff"), (None, "reason=\u00e9".encode())):
            wrong = client.post(
                f"/actions/{action.id}",
                json=body,
                content=sent,
                headers={} if sent is None else {"content-type": FORM},
            )
            assert wrong.status_code == 422
    assert served.desk.get(action.id).state is State.PENDING


def test_a_link_decides_nothing(served: Scene) -> None:
    """E5: the same fields in an address, opened by whoever was sent it, show the page: no more."""
    action = served.refund()
    with served.client("dana") as client:
        page = client.get(f"/actions/{action.id}").text
        fields = {"verdict": "approve", "digest": digest_in(page), "csrf": csrf_in(page)}
        assert client.get(f"/actions/{action.id}", params=fields).status_code == 200
        for step, status in {"undo": 404, "edit": 200, "outcome": 404, "recuse": 404}.items():
            answer = client.get(f"/actions/{action.id}/{step}", params=fields)
            assert answer.status_code == status, step
    assert served.desk.get(action.id).state is State.PENDING


def test_role_is_looked_at_when_a_form_comes(served: Scene) -> None:
    """A form that the page does not offer is refused to who may not send it."""
    action = served.small_refund()
    task = served.desk.task(ticket="T-101", agent="scout")
    escalation = served.desk.escalate(task, "look at this")
    with served.client("ava") as client:
        csrf = {"csrf": csrf_in(client.get("/").text)}
        for path in (f"/actions/{action.id}/undo", f"/escalations/{escalation.id}/close"):
            answer = client.post(path, data=csrf)
            assert answer.status_code == 403
            assert "Your role does not do that" in answer.text
    assert served.desk.get(action.id).state is State.SUCCEEDED
    with served.client("dana") as client:
        csrf = {"csrf": csrf_in(client.get("/").text)}
        close = f"/escalations/{escalation.id}/close"
        assert client.post(close, data=csrf).status_code == 303
        assert client.post(close, data=csrf).status_code == 409


@pytest.mark.parametrize(
    "path",
    ["/?after=1", "/?after=9.hr_zz", "/ran?before=x", "/ran?undid=1", "/log?before=-1"],
)
def test_pages_that_do_not_exist(served: Scene, path: str) -> None:
    """An address that was made up is refused as a page, not as an error of the server."""
    with served.client("dana") as client:
        answer = client.get(path)
    assert answer.status_code == 422
    assert "field_malformed" in answer.text


def test_unknown_addresses(served: Scene) -> None:
    """A page for people, a problem for programs."""
    with served.client() as client:
        page, problem = client.get("/nothing"), client.get("/v1/nothing")
        assert (page.status_code, problem.status_code) == (404, 404)
        assert "There is no such page" in page.text
        assert problem.headers["content-type"] == "application/problem+json"
        assert client.get("/logout").status_code == 404


def test_another_desk_is_not_there(served: Scene) -> None:
    """Ids of another desk of the same store count as unknown, on every page that takes one."""
    ctx = served.desk.ctx
    open_desk(ctx, "other", ctx.rulebook(served.desk.id).policy, actor="operator")
    other = Desk(ctx, "other", on_close=lambda: None)
    task = other.task(ticket="T-101", agent="scout")
    action = other.propose(task, "reply.send", ticket="T-101", body="Hello")
    with served.client("dana") as client:
        csrf = csrf_in(client.get("/").text)
        form = {"csrf": csrf, "verdict": "approve", "digest": action.digest}
        assert client.get(f"/actions/{action.id}").status_code == 404
        assert client.get(f"/log/{action.id}").status_code == 404
        assert client.post(f"/actions/{action.id}", data=form).status_code == 404
        assert client.post(f"/actions/{action.id}/undo", data=form).status_code == 404
        assert "Desk" in client.get("/login?next=/", headers={"cookie": ""}).text
    assert other.get(action.id).state is State.PENDING


def test_erased_customer(scene: Scene) -> None:
    """The content is gone and the page says so; lists and log go on."""
    action = scene.small_refund()
    scene.desk.erase("C-1001")
    with scene.client("dana") as client:
        gone = client.get(f"/actions/{action.id}")
        assert gone.status_code == 410
        assert "The content was erased" in gone.text
        assert f"/log/{action.id}" in gone.text
        assert "Carried out" in client.get(f"/log/{action.id}").text
        assert "erased customer" in client.get("/caps").text
        for path in ("/", "/ran", "/log", "/escalations"):
            assert client.get(path).status_code == 200
