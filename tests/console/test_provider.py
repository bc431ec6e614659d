"""Logging in at a real provider, in the real browser: linked, invited, unknown, interrupted."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from handrail.core.principal import Principal
from handrail.engine.access.identities import (
    INVITATION_MS,
    invite_unit,
    link_unit,
    unlink_unit,
    vouched_person,
)
from handrail.engine.asking.checkers import roster_of
from handrail.errors import HandrailError
from handrail.store.protocol import Tx
from handrail.surfaces.auth import SESSION_COOKIE
from handrail.surfaces.provider import Door, ProviderSettings
from tests.console.scene import Scene, scene_in
from tests.console.test_every_page import RULES, violations
from tests.patience import HANG_S

START_S = 60.0


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider in a process of its own; anybody may log in there under any name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, env=dict(os.environ)) as running:
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + START_S
        while True:
            try:
                httpx.get(f"{address}/.well-known/openid-configuration").raise_for_status()
                break
            except httpx.HTTPError:
                assert time.monotonic() < until, "the provider did not start"
                time.sleep(0.1)
        yield address
        running.terminate()


@pytest.fixture
def scene(tmp_path: Path, browser: Browser, issuer: str) -> Iterator[Scene]:
    """A served desk whose people log in there. No other address than the two is reached."""
    settings = ProviderSettings(issuer=issuer, client_id="handrail", client_secret="s3cret")
    with scene_in(tmp_path, browser, door=Door(provider=settings)) as opened:
        yield opened
        # What the provider's own pages ask for, or lack, is not ours.
        opened.complaints = [one for one in opened.complaints if opened.url in one]
        opened.requested = {one for one in opened.requested if one.startswith(opened.url)}


def link(scene: Scene, issuer: str, person: str, subject: str) -> None:
    """An administrator has linked them before."""
    ctx, desk = scene.desk.ctx, scene.desk.id
    unit = link_unit(ctx, desk, person, issuer=issuer, subject=subject, actor="operator")
    ctx.store.write(unit)


def browse(scene: Scene, issuer: str) -> Page:
    """A page for which there is nothing but the desk and the provider."""
    page = scene.page()
    ours = (scene.url, issuer)
    page.route(
        "**/*",
        lambda route: route.continue_() if route.request.url.startswith(ours) else route.abort(),
    )
    return page


def log_in(page: Page, subject: str) -> None:
    """From the login page through the provider's form."""
    page.get_by_role("link", name=re.compile("Log in at")).click()
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()


def test_who_is_linked_gets_in(scene: Scene, issuer: str) -> None:
    """M4: a new session under a new token, at the page that was asked for; and it is listed."""
    link(scene, issuer, "dana", "subject-1")
    page = browse(scene, issuer)
    planted = "hrs_" + "0" * 48
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": planted, "url": scene.url}])
    page.goto("/ran")
    expect(page).to_have_url(re.compile("/login"))
    assert violations(page, RULES) == []
    log_in(page, "subject-1")
    expect(page).to_have_url(f"{scene.url}/ran")
    cookies = {one["name"]: one for one in page.context.cookies()}
    assert cookies[SESSION_COOKIE]["value"] != planted
    assert cookies[SESSION_COOKIE]["sameSite"] == "Strict"
    assert "handrail_departure" not in cookies
    page.goto("/sessions")
    expect(page.locator("article")).to_contain_text("the login provider")


def test_nobody_makes_an_account_for_themselves(scene: Scene, issuer: str) -> None:
    """D2: an unknown subject gets nowhere, though its mail is that of somebody known."""
    scene.desk.person("mona", roles=("reviewer",), mail="mona@example.com")
    page = browse(scene, issuer)
    page.goto("/login")
    log_in(page, "mona@example.com")
    expect(page.get_by_role("alert")).to_contain_text("No account here is linked")
    assert SESSION_COOKIE not in {one["name"] for one in page.context.cookies()}
    scene.complaints.clear()  # the 401 of that page is named by the browser


def test_an_invitation_links_once(scene: Scene, issuer: str) -> None:
    """E5: its link opens a page and takes up nothing; after the login it is used up."""
    ctx, desk = scene.desk.ctx, scene.desk.id
    token = ctx.store.write(invite_unit(ctx, desk, "sam", actor="operator"))
    page = browse(scene, issuer)
    page.goto(f"/login/invited?token={token}")
    page.goto(f"/login/invited?token={token}")
    expect(page.locator("h1")).to_have_text("You are invited")
    assert violations(page, RULES) == []
    log_in(page, "subject-sam")
    expect(page).to_have_url(f"{scene.url}/")
    expect(page.locator(".who")).to_contain_text("Sam Novak")
    other = browse(scene, issuer)
    other.goto(f"/login/invited?token={token}")
    log_in(other, "subject-thief")
    expect(other.get_by_role("alert")).to_contain_text("This invitation was used")
    token = ctx.store.write(invite_unit(ctx, desk, "kim", actor="operator"))
    scene.clock.ahead_ms += INVITATION_MS
    scene.complaints.clear()

    def late(tx: Tx) -> Principal:
        return vouched_person(tx, ctx, desk, issuer=issuer, subject="late", invitation=token)

    with pytest.raises(HandrailError, match="invitation_over"):
        ctx.store.write(late)
    assert scene.desk.verify().good


def test_two_accounts_with_one_identity_are_one_person(scene: Scene, issuer: str) -> None:
    """D2: the provider has vouched for both, so neither is independent of the other."""
    scene.desk.person("sam2", roles=("reviewer", "checker"), limits=("20000.00 USD",))
    link(scene, issuer, "sam", "the-same")
    link(scene, issuer, "sam2", "the-same")
    ctx, desk = scene.desk.ctx, scene.desk.id
    names = ctx.store.read(lambda tx: roster_of(tx, desk).names("sam2"))
    assert "sam" in names
    page = browse(scene, issuer)
    page.goto("/login")
    log_in(page, "the-same")
    expect(page.get_by_role("alert")).to_contain_text("Several accounts are linked with you")
    scene.complaints.clear()
    page.goto("/login")
    page.get_by_text("I have several accounts").click()
    page.get_by_label("Name of the account").fill("sam2")
    page.get_by_role("button", name="Take this one").click()
    log_in(page, "the-same")
    expect(page.locator(".who")).to_contain_text("sam2")
    waiting = scene.large_refund("6000.00 USD")
    ctx.store.write(unlink_unit(ctx, desk, "sam2", actor="operator"))
    proposed = scene.desk.show(waiting.id, by="ava").card.proposal.created_at
    after = ctx.store.read(lambda tx: roster_of(tx, desk).names("sam2", at=proposed))
    assert "sam" in after
    page.goto("/")
    expect(page).to_have_url(re.compile("/login"))


def test_an_answer_to_another_login_opens_nothing(scene: Scene, issuer: str) -> None:
    """M1, M4: without the browser's own state, with another one, twice, or with an error."""
    link(scene, issuer, "dana", "subject-1")
    with scene.client() as client:
        away = client.get("/login/provider").headers["location"]
        state = dict(httpx.URL(away).params)["state"]
        for query in (
            "code=x&state=" + "0" * 43,
            "code=x",
            f"state={state}",
            f"error=access_denied&state={state}",
            f"code=x&state={state}&iss=https://evil.example",
        ):
            client.get("/login/provider")
            answer = client.get(f"/login/back?{query}")
            assert (answer.status_code, SESSION_COOKIE in client.cookies) == (401, False), query
    with scene.client() as victim, scene.client() as attacker:
        away = attacker.get("/login/provider").headers["location"]
        form = {"sub": "subject-1"}
        back = httpx.post(away, data=form, timeout=HANG_S).headers["location"]
        assert victim.get(back).status_code == 401
        assert attacker.get(back).status_code == 200
        assert attacker.get("/").status_code == 200
        assert attacker.get(back).status_code == 401
    with scene.client() as forced:
        headers = {"sec-fetch-site": "cross-site"}
        assert forced.get("/login/provider", headers=headers).status_code == 403


def test_only_an_administrator_links(scene: Scene, issuer: str) -> None:
    """D2: nobody else, and not themselves."""
    scene.desk.person("ada", roles=("admin",))
    ctx, desk = scene.desk.ctx, scene.desk.id
    for person, actor, code in (
        ("dana", "sam", "role_missing"),
        ("ada", "ada", "own_authority"),
        ("nobody", "ada", "principal_not_found"),
    ):
        for unit in (
            link_unit(ctx, desk, person, issuer=issuer, subject="s", actor=actor),
            invite_unit(ctx, desk, person, actor=actor),
            unlink_unit(ctx, desk, person, actor=actor),
        ):
            with pytest.raises(HandrailError, match=code):
                ctx.store.write(unit)
    link(scene, issuer, "dana", "s")
    assert scene.desk.verify().good
