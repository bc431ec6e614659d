"""The page where an administrator keeps how people are told outside the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from handrail.core.notice import ChannelKind
from handrail.engine.telling.channels import WantedChannel, add_channel_unit
from handrail.engine.telling.deliver import claim_unit, settle_unit
from handrail.engine.telling.notify import gather, pack
from handrail.surfaces.outbound.courier import Courier
from tests.console.scene import PHONE, Scene, scene_in
from tests.console.test_every_page import EVIL, RULES, violations
from tests.console.test_http import csrf_in


@pytest.fixture
def kept(tmp_path: Path, browser: Browser) -> Iterator[Scene]:
    """A desk with an administrator."""
    with scene_in(tmp_path, browser) as opened:
        opened.desk.person("root", name="Ro Ot", roles=("admin",))
        yield opened


def test_a_webhook_is_added_tried_and_ended(kept: Scene) -> None:
    """By the form, without a script: its secret once, its address never; then a test, then over."""
    page = kept.enter("root", "/sessions", java_script_enabled=False)
    page.get_by_role("link", name="Notifications of this desk").click()
    expect(page.locator("main")).to_contain_text("Nobody is told anything")
    page.get_by_label("How", exact=True).select_option("webhook")
    page.get_by_label("A name for it").fill("ops room")
    page.get_by_label("Address to call").fill("https://hooks.invalid/secret-path")
    page.get_by_label("a cap is full").uncheck()
    page.get_by_role("button", name="Add it").click()
    secret = page.locator(".notice .id").inner_text()
    assert secret.startswith("whsec_")
    article = page.locator("article")
    expect(article).to_contain_text("ops room")
    expect(article).to_contain_text("hooks.invalid:443, only links")
    expect(article).not_to_contain_text("a cap is full")
    page.goto("/notifications")
    assert secret not in page.content()
    assert "secret-path" not in page.content()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("status")).to_contain_text("on its way to 1 recipient")
    page.get_by_role("button", name="End it").click()
    expect(page.locator("main")).to_contain_text("Nobody is told anything")
    page.goto("/log?person=root")
    expect(page.locator("table.log")).to_contain_text("Notifications: a channel ended")


def test_a_ping_is_only_a_link(kept: Scene) -> None:
    """With a text it is refused and says why; then its host is shown, and no topic or token."""
    page = kept.enter("root", "/notifications", java_script_enabled=False)
    for carries in ("text", "link"):
        page.get_by_label("How", exact=True).select_option("ping")
        page.get_by_label("A name for it").fill("phone of who is on duty")
        page.get_by_label("Address to call").fill("ntfys://tk_secret@push.invalid/secret-topic")
        page.get_by_label("What may leave").select_option(carries)
        page.get_by_role("button", name="Add it").click()
        if carries == "text":
            expect(page.get_by_role("alert")).to_contain_text("A ping carries only a link")
    article = page.locator("article")
    expect(article).to_contain_text("Ping")
    expect(article).to_contain_text("push.invalid:443, only links")
    assert "secret" not in article.inner_html()
    kept.complaints.clear()  # the refused form's 422 is named by the browser


def test_mail_and_what_is_wrong_with_it(kept: Scene) -> None:
    """What is refused says why and keeps what was typed, but no password."""
    page = kept.enter("root", "/notifications")
    page.get_by_label("A name for it").fill("on duty")
    page.get_by_label("Mail server").fill("smtp.example.com")
    page.get_by_label("Password there").fill("smtp-secret")
    page.get_by_label("From", exact=True).fill("desk@example.com")
    page.get_by_label("To whom").fill("dana dana.r@example.com\nnobody x@example.com")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("alert")).to_contain_text("a person of this desk, by login name")
    expect(page.get_by_label("Mail server")).to_have_value("smtp.example.com")
    expect(page.get_by_label("Password there")).to_have_value("")
    assert "smtp-secret" not in page.content()
    page.get_by_label("To whom").fill("dana dana.r@example.com")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("article")).to_contain_text("To dana, each about what they may decide")
    page.goto("/notifications")
    assert "dana.r@example.com" not in page.content()
    kept.complaints.clear()  # the refused form's 422 is named by the browser


def test_a_dead_channel_is_red(kept: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """How often it failed, and why; accessible and in bounds, with a hostile name."""
    wanted = WantedChannel(
        kind=ChannelKind.SLACK,
        label=EVIL.replace("\u202e", "").replace("\u200b", "").replace("\u202c", "")[:60],
        console=kept.url,
        url="https://no-such-host.invalid/x",
    )
    monkeypatch.setattr(Courier, "_round", lambda *_, **__: None)  # the letters are this test's
    ctx = kept.desk.ctx
    ctx.store.write(add_channel_unit(ctx, "main", wanted, by="root"))
    kept.refund()
    gather(ctx, "main")
    pack(ctx, "main")
    for mail in ctx.store.write(claim_unit("main", most=9)):
        ctx.store.write(settle_unit(mail.letter, "the host is not known"))
    page = kept.enter("root", "/notifications")
    expect(page.locator("article .chip")).to_have_text("Fails")
    expect(page.locator("article")).to_contain_text("the host is not known")
    assert page.evaluate("window.hurt") is None
    assert violations(page, RULES) == []
    for scheme in ("light", "dark"):
        phone = kept.enter("root", "/notifications", viewport=PHONE, color_scheme=scheme)
        widths = phone.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert widths[0] <= widths[1]
        assert violations(phone, ["wcag2aa"]) == []


def test_a_form_from_elsewhere_changes_nothing(kept: Scene) -> None:
    """M3: without the session's token nothing is added, tried or ended."""
    form = {"kind": "slack", "label": "x", "url": "https://hooks.invalid/x", "pause": "10"}
    with kept.client("root") as client:
        csrf = csrf_in(client.get("/notifications").text)
        assert client.post("/notifications", data={**form, "csrf": "0" * 32}).status_code == 403
        assert "Nobody is told anything" in client.get("/notifications").text
        topics = {"topic-waiting": "yes"}
        answer = client.post("/notifications", data={**form, **topics, "csrf": csrf})
        assert answer.status_code == 303, answer.text
        for path in ("/notifications/ch_0/try", "/notifications/ch_0/end"):
            assert client.post(path, data={"csrf": csrf}).status_code == 404
            assert client.post(path, data={"csrf": "no"}).status_code == 403
