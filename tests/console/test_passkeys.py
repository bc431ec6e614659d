"""Passkeys in a real browser, with its own virtual authenticator: add, log in, sign, end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from handrail.engine.access.sessions import FRESH_MS
from handrail.surfaces.auth import SESSION_COOKIE
from tests.console.scene import PHONE, Scene, scene_in
from tests.console.test_every_page import RULES, violations
from tests.console.test_http import csrf_in


@pytest.fixture
def local(tmp_path: Path, browser: Browser) -> Iterator[Scene]:
    """A served desk at `localhost`: a browser has no passkeys for an address of numbers."""
    with scene_in(tmp_path, browser) as opened:
        opened.url = opened.url.replace("127.0.0.1", "localhost")
        yield opened


def authenticator(page: Page, **options: Any) -> tuple[CDPSession, str]:
    """Give the browser a device that says yes; what it is told through, and its id."""
    tell = page.context.new_cdp_session(page)
    tell.send("WebAuthn.enable")
    asked = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        **options,
    }
    made = tell.send("WebAuthn.addVirtualAuthenticator", {"options": asked})
    return tell, made["authenticatorId"]


def add(page: Page, label: str = "this laptop") -> None:
    """Add a passkey on the page of passkeys."""
    page.goto("/passkeys")
    page.get_by_label("A name for it").fill(label)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status").first).to_contain_text("was added")


def token_of(page: Page) -> str:
    """The session's cookie."""
    (found,) = (one for one in page.context.cookies() if one["name"] == SESSION_COOKIE)
    return found["value"]


def test_add_and_log_in_and_end(local: Scene) -> None:
    """M4: the session's token changes as it is added; a login by it opens another session."""
    page = local.enter("sam", "/")
    authenticator(page)
    before = token_of(page)
    add(page)
    expect(page.locator("article")).to_contain_text("this laptop")
    assert token_of(page) != before
    page.get_by_role("button", name="Log out").click()
    expect(page.locator(".notice[role=status]")).to_contain_text("You are logged out")
    page.goto("/login?next=/ran")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{local.url}/ran")
    page.goto("/sessions")
    expect(page.locator("article").first).to_contain_text("last by a passkey")
    page.goto("/passkeys")
    page.get_by_role("button", name="End this passkey").click()
    expect(page.locator("main")).to_contain_text("There is none yet")
    page.get_by_role("button", name="Log out").click()
    expect(page.locator(".notice[role=status]")).to_contain_text("You are logged out")
    page.goto("/login")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey is not known here")
    local.complaints.clear()  # the refused login's 401 is named by the browser


def test_an_approval_at_g3_is_signed(local: Scene) -> None:
    """D3, M4: one click asks the device; what it signed is kept, and the token changes again."""
    waiting = local.large_refund("2400.00 USD")
    page = local.enter("sam", "/")
    tell, device = authenticator(page)
    add(page)
    page.goto(f"/actions/{waiting.id}")
    expect(page.locator(".decide")).to_contain_text("your passkey signs the approval")
    expect(page.locator("[data-without]")).to_be_hidden()
    before = token_of(page)
    page.get_by_label("Type the amount once more").fill("2400 USD")
    page.locator(".decide").get_by_role("button", name="Approve").click()
    expect(page.locator(".outcome")).to_be_visible()
    assert local.desk.get(waiting.id).state.value == "SUCCEEDED"
    kept = local.desk.ctx.store.read(lambda tx: tx.passkeys.assertions("main", waiting.id))
    assert [(one.person, one.amount, one.site) for one in kept] == [
        ("sam", "2400.00 USD", "localhost")
    ]
    assert token_of(page) != before
    with local.client() as thief:
        thief.cookies.set(SESSION_COOKIE, before)
        assert thief.get("/").status_code == 303
    (credential,) = tell.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert credential["signCount"] >= 2
    assert local.desk.verify().good


def test_a_device_that_says_no_sends_nothing(local: Scene) -> None:
    """D3: without its person nothing is signed; the page says so, and rejecting needs no device."""
    waiting = local.large_refund("2400.00 USD")
    page = local.enter("sam", "/")
    tell, device = authenticator(page)
    add(page)
    page.goto(f"/actions/{waiting.id}")
    tell.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_label("Type the amount once more").fill("2400 USD")
    page.locator(".decide").get_by_role("button", name="Approve").click()
    expect(page.locator("[data-said]")).to_contain_text("Nothing was sent")
    assert local.desk.get(waiting.id).state.value == "PENDING"
    page.get_by_text("Reject…").click()
    page.get_by_label("Wrong amount").check()
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator(".outcome")).to_be_visible()
    assert local.desk.get(waiting.id).state.value == "REJECTED"


def test_without_a_script_the_page_offers_another_person(local: Scene) -> None:
    """D3: it says that this needs a passkey; the form alone decides nothing, handing on does."""
    waiting = local.large_refund("2400.00 USD")
    page = local.enter("sam", "/")
    authenticator(page)
    add(page)
    plain = local.page(java_script_enabled=False)
    plain.context.add_cookies([{"name": SESSION_COOKIE, "value": token_of(page), "url": local.url}])
    plain.goto(f"/actions/{waiting.id}")
    expect(plain.locator("[data-without]")).to_contain_text("hand it to someone else")
    plain.get_by_label("Type the amount once more").fill("2400 USD")
    plain.locator(".decide").get_by_role("button", name="Approve").click()
    expect(plain.locator("h1")).to_have_text("A passkey has to sign this")
    expect(plain.locator("main")).to_contain_text("hand it to someone else")
    assert local.desk.get(waiting.id).state.value == "PENDING"
    plain.get_by_role("link", name="Open the action again").click()
    plain.get_by_label("Reason").fill("I have no script here")
    plain.get_by_role("button", name="Hand to someone else").click()
    expect(plain.locator(".outcome")).to_be_visible()
    assert local.desk.get(waiting.id).state.value == "ESCALATED"


def test_who_has_none_approves_as_before(local: Scene) -> None:
    """Nobody is asked for what they do not have, where the policy does not ask."""
    waiting = local.large_refund("2400.00 USD")
    page = local.enter("kim", f"/actions/{waiting.id}")
    expect(page.locator(".decide")).not_to_contain_text("passkey")
    page.get_by_label("Type the amount once more").fill("2400 USD")
    page.locator(".decide").get_by_role("button", name="Approve").click()
    expect(page.locator(".outcome")).to_be_visible()


def test_passkeys_are_changed_by_who_showed_up_lately(local: Scene) -> None:
    """M4: a stolen session adds none; where there is one, a password is not enough to end it."""
    page = local.enter("sam", "/")
    authenticator(page)
    add(page)
    with local.client("sam") as thief:
        assert "Passkeys can be changed for ten minutes" in thief.get("/passkeys").text
        csrf = csrf_in(thief.get("/passkeys").text)
        name = page.locator("article h2").get_attribute("id") or ""
        form = {"csrf": csrf}
        ended = thief.post(f"/passkeys/{name.removeprefix('k-')}/end", data=form)
        assert (ended.status_code, "proof_too_old" in ended.text) == (403, True)
        added = thief.post("/passkeys", data={**form, "label": "mine", "response": "{}"})
        assert (added.status_code, "proof_too_old" in added.text) == (403, True)
    local.clock.ahead_ms += FRESH_MS
    page.goto("/passkeys")
    expect(page.get_by_role("button", name="End this passkey")).to_have_count(0)
    with local.client("kim") as kim:
        csrf = csrf_in(kim.get("/passkeys").text)
        local.clock.ahead_ms += FRESH_MS
        assert kim.post("/passkeys", data={"csrf": csrf, "label": "x"}).status_code == 403
        assert kim.get("/passkeys?person=sam").status_code == 403


def test_an_admin_ends_a_lost_one(local: Scene) -> None:
    """M4: whoever lost their device cannot show it; an administrator ends it for them."""
    local.desk.person("ada", name="Ada Lind", roles=("admin",))
    page = local.enter("sam", "/")
    authenticator(page)
    add(page, "lost phone")
    office = local.enter("ada", "/passkeys?person=sam")
    expect(office.locator("article")).to_contain_text("lost phone")
    office.get_by_role("button", name="End this passkey").click()
    expect(office.get_by_role("status").first).to_contain_text("was ended")
    page.goto("/passkeys")
    expect(page.locator("main")).to_contain_text("There is none yet")
    tags = [
        one.entry.tag
        for one in local.desk.ctx.store.read(lambda tx: tx.log.of_person("main", "ada", most=9))
    ]
    assert "passkey.revoked" in tags


@pytest.mark.parametrize("look", [{"color_scheme": "dark"}, {"viewport": PHONE}])
def test_the_pages_are_accessible_and_in_bounds(local: Scene, look: dict[str, Any]) -> None:
    """With a passkey on it, and the page of an action that one must sign."""
    waiting = local.large_refund("2400.00 USD")
    page = local.enter("sam", "/", **look)
    authenticator(page)
    add(page, "w" * 60)
    for path in ("/passkeys", "/sessions", f"/actions/{waiting.id}"):
        page.goto(path)
        assert violations(page, RULES) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.context.clear_cookies()
    page.goto("/login")
    assert violations(page, RULES) == []
