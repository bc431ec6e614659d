"""Sessions in the console: fixed to nobody, listed, ended by their person or an admin, and over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from handrail.engine.access.sessions import IDLE_MS, SESSION_MS
from handrail.surfaces.auth import SESSION_COOKIE, set_password
from handrail.surfaces.console.account.sessions import browser_text
from handrail.surfaces.console.language.reader import ZONE_COOKIE
from tests.console.scene import Scene, scene_in
from tests.console.test_http import csrf_in

MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Scene]:
    """One served desk for all of these, with an admin."""
    with scene_in(tmp_path_factory.mktemp("sessions"), browser) as opened:
        opened.desk.person("ada", name="Ada Lind", roles=("admin",))
        yield opened


def test_a_planted_session_is_not_taken_on(served: Scene) -> None:
    """M4: whatever cookie a browser came with, the login gives it another; that one opens nothing.

    Neither an invented token nor a real one of somebody else survives, and no address sets one.
    """
    with served.client("sam") as attacker:
        planted = attacker.cookies[SESSION_COOKIE]
    for token in (planted, "hrs_" + "0" * 48):
        with served.client() as victim:
            victim.cookies.set(SESSION_COOKIE, token, domain="127.0.0.1")
            form = {"person": "dana", "password": served.admit("dana")}
            answer = victim.post("/login", data=form)
            given = answer.cookies[SESSION_COOKIE]
        assert given != token
        with served.client() as other:
            other.cookies.set(SESSION_COOKIE, token, domain="127.0.0.1")
            assert other.get("/sessions").headers["location"].startswith("/login")
    with served.client() as visitor:
        visitor.get(f"/login?{SESSION_COOKIE}={planted}&next=/")
        assert SESSION_COOKIE not in visitor.cookies


def test_a_form_without_the_session_s_own_token_decides_nothing(served: Scene) -> None:
    """M1: a session, another session's token, and another site's origin: each is refused."""
    action = served.refund()
    with served.client("dana") as dana, served.client("chris") as chris:
        own, foreign = csrf_in(dana.get("/ran").text), csrf_in(chris.get("/ran").text)
        form = {"verdict": "approve", "digest": action.digest}
        for token, headers in (
            ("", {}),
            (foreign, {}),
            (own, {"origin": "http://evil.example"}),
            (own, {"sec-fetch-site": "cross-site"}),
        ):
            sent = {**form, "csrf": token}
            answer = dana.post(f"/actions/{action.id}", data=sent, headers=headers)
            assert (answer.status_code, "csrf_failed" in answer.text) == (403, True)
    assert served.desk.get(action.id).state.value == "PENDING"


def test_nobody_frames_a_page(served: Scene) -> None:
    """M3: every page, the login and a refusal too, says that nothing may frame it."""
    with served.client("dana") as dana:
        for path in ("/", "/login", "/sessions", "/nope"):
            headers = dana.get(path).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"


def test_a_link_from_a_message_decides_nothing(served: Scene) -> None:
    """E5: a link opens the page after a login; asked for by GET, nothing is ever decided."""
    action = served.refund("21.00 USD")
    served.refund()
    path = f"/actions/{action.id}?verdict=approve&digest={action.digest}"
    with served.client() as stranger:
        assert stranger.get(path).headers["location"].startswith("/login?next=")
    with served.client("dana") as dana:
        assert dana.get(path).status_code == 200
        assert dana.request("HEAD", path).status_code == 200
    assert served.desk.get(action.id).state.value in ("PENDING", "SUCCEEDED")


def test_a_double_click_decides_once(served: Scene) -> None:
    """E6: the same form sent twice, from two tabs: one decision, and the second hears of it."""
    action = served.refund("122.00 USD")
    with served.client("dana") as dana:
        form = {"verdict": "approve", "digest": action.digest, "csrf": csrf_in(dana.get("/").text)}
        first, second = (dana.post(f"/actions/{action.id}", data=form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 409)
    assert len(served.desk.show(action.id, by="ava").reviews) == 1


def test_sessions_are_listed_and_ended(served: Scene) -> None:
    """M4: each with its browser; ending one, or all, counts at once, and the page says so."""
    page = served.enter("kim", "/sessions")
    with served.client("kim") as other:
        other.get("/ran", headers={"user-agent": "ignored: it is the login's that counts"})
        page.reload()
        rows = page.locator("article")
        expect(rows).to_have_count(2)
        expect(page.locator("main")).to_contain_text("python-httpx")
        expect(rows.filter(has_text="this one")).to_have_count(1)
        rows.first.get_by_role("button", name="End this session").click()
        expect(page.get_by_role("status")).to_contain_text("Ended")
        expect(rows).to_have_count(1)
        assert other.get("/").headers["location"].startswith("/login")
    page.get_by_role("button", name="End every session").click()
    expect(page).to_have_url(f"{served.url}/login?ended=3")
    page.goto("/")
    expect(page.get_by_label("Password")).to_be_visible()


def test_only_an_admin_ends_another_person_s(served: Scene) -> None:
    """M4: an admin does, for whoever lost a laptop; nobody else, not by its handle either."""
    with served.client("lee") as lee, served.client("sam") as sam, served.client("ada") as ada:
        lee.get("/")
        page = ada.get("/sessions?person=lee").text
        assert "Sessions of Lee Marsh" in page
        handle = page.partition('action="/sessions/')[2].partition("/")[0]
        form = {"csrf": csrf_in(sam.get("/").text), "person": "lee"}
        for path in (f"/sessions/{handle}/end", "/sessions/end"):
            assert sam.post(path, data=form).status_code == 403
        own = {"csrf": form["csrf"]}
        assert sam.post(f"/sessions/{handle}/end", data=own).status_code == 404
        assert sam.get("/sessions?person=lee").status_code == 403
        assert lee.get("/").status_code == 200
        form = {"csrf": csrf_in(ada.get("/").text), "person": "lee"}
        assert ada.post("/sessions/end", data=form).headers["location"].endswith("person=lee")
        assert lee.get("/").headers["location"].startswith("/login")
        assert ada.get("/sessions?person=nobody").status_code == 404


def test_unused_and_old_sessions_end(tmp_path: Path, browser: Browser) -> None:
    """M4: after an hour without use, whatever an open page asks for; and after eight hours."""
    with scene_in(tmp_path, browser) as scene, scene.client("dana") as dana:
        for _ in range(3):
            scene.clock.ahead_ms += IDLE_MS - MINUTE_MS
            assert dana.get("/").status_code == 200
        scene.clock.ahead_ms += IDLE_MS // 2
        with dana.stream("GET", "/live?since=0") as stream:
            assert stream.status_code == 200
        scene.clock.ahead_ms += IDLE_MS // 2
        assert dana.get("/").status_code == 303
        with scene.client("dana") as again:
            opened = scene.clock.ahead_ms
            while scene.clock.ahead_ms - opened < SESSION_MS - IDLE_MS:
                scene.clock.ahead_ms += IDLE_MS // 2
                assert again.get("/").status_code == 200
            scene.clock.ahead_ms = opened + SESSION_MS
            assert again.get("/").status_code == 303


def test_a_new_password_ends_every_session(served: Scene) -> None:
    """M4: who changes a password because somebody knows it wants that somebody out."""
    with served.client("chris") as chris:
        assert chris.get("/").status_code == 200
        set_password(served.desk.ctx, served.desk.id, "chris", served.admit("chris"))
        assert chris.get("/").status_code == 303


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36",
            "Chrome on Linux",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19 Safari/604.1", "Safari on an iPhone"),
        ("Mozilla/5.0 (Android 15; Mobile) Firefox/150.0", "Firefox on Android"),
        ("curl/8.1", "curl"),
        ("<script>alert(1)</script>", "a program that says nothing about itself"),
        ("", "a program that says nothing about itself"),
    ],
)
def test_browsers_by_name(said: str, shown: str) -> None:
    """As far as they say it themselves."""
    assert browser_text(said) == shown


def test_times_are_told_in_the_zone_that_one_chooses(served: Scene) -> None:
    """In this browser only; a zone that there is none of changes nothing, nor a made-up cookie."""
    with served.client("dana") as dana, served.client("dana") as elsewhere:
        csrf = csrf_in(dana.get("/sessions").text)
        assert "UTC</time> for the desk" in dana.get("/ran").text
        answer = dana.post("/sessions/telling", data={"csrf": csrf, "zone": "Asia/Kathmandu"})
        assert answer.headers["location"] == "/sessions#telling"
        assert "UTC+5:45</time> for the desk" in dana.get("/ran").text
        assert 'value="Asia/Kathmandu"' in dana.get("/sessions").text
        assert "UTC</time> for the desk" in elsewhere.get("/ran").text
        refused = dana.post("/sessions/telling", data={"csrf": csrf, "zone": "Mars/Base"})
        assert refused.status_code == 422
        assert "Mars/Base" in refused.text
        dana.cookies.delete(ZONE_COOKIE)
        dana.cookies.set(ZONE_COOKIE, "../../etc/passwd", domain="127.0.0.1")
        assert "UTC</time> for the desk" in dana.get("/ran").text


def test_the_computer_s_own_zone_is_one_click_away(served: Scene) -> None:
    """With script; without it the field takes the name."""
    page = served.enter("dana", "/sessions", timezone_id="America/St_Johns")
    page.get_by_role("button", name="Use this computer's: America/St_Johns").click()
    expect(page.locator("footer")).to_contain_text(re.compile(r"UTC-[23]:30 for the desk"))
    expect(page.get_by_role("button", name="Use this computer's")).to_be_hidden()
