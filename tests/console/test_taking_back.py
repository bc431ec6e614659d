"""Thinking again after an approval: the seconds until it leaves, and what becomes of it then."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from msgspec import structs
from playwright.sync_api import Browser, expect

from handrail.connectors.protocol import Receipt
from handrail.connectors.sandbox import Sandbox
from handrail.core.lifecycle import State
from handrail.surfaces.console.case import verdict
from handrail.surfaces.console.case.deciding import FOLLOW_AFTER_MS, FOLLOW_UP_TO_MS, follow_ms
from handrail.surfaces.provider import Door
from tests.console.scene import AGENT, PHONE, Scene, scene_in
from tests.console.test_deciding import approve, reply
from tests.console.test_every_page import COLOURS, violations
from tests.console.test_http import csrf_in
from tests.patience import HANG_S

WINDOW_MS: Final = 10_000
SLOW_MS: Final = 1_200_000


class SlowDesk(Sandbox):
    """An embedded desk that carries nothing out before it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, seed_at=1_700_000_000_000)
        self.let_go = threading.Event()

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        if kind == "refund.issue":
            self.let_go.wait(HANG_S)
        return super().execute(kind, request, key, now=now)


@pytest.fixture
def slow(tmp_path: Path, browser: Browser) -> Iterator[Scene]:
    """A desk where an approval can be taken back for long: no test has to hurry."""
    with scene_in(tmp_path, browser, door=Door(take_back_ms=SLOW_MS)) as opened:
        yield opened


def test_ten_seconds_unless_told_otherwise() -> None:
    """What people decide over HTTP or here waits for ten seconds."""
    assert Door().take_back_ms == WINDOW_MS


@pytest.mark.parametrize("script", [True, False])
def test_an_approval_is_taken_back(slow: Scene, script: bool) -> None:
    """The page says when it runs; one press, or `u`, and it waits again; nothing ran."""
    action = slow.refund()
    page = slow.enter("dana", f"/actions/{action.id}", java_script_enabled=script)
    approve(page)
    expect(page.locator(".outcome")).to_contain_text("It runs in")
    assert slow.desk.get(action.id).state is State.READY
    if script:
        page.keyboard.press("u")
    else:
        page.get_by_role("button", name="Take it back").click()
    expect(page.locator(".state .chip")).to_have_text("Waiting for a person")
    slow.clock.ahead_ms += SLOW_MS
    slow.desk.work()
    assert slow.desk.get(action.id).state is State.PENDING
    assert slow.shop.balance("P-5003").refunded_minor == 0


def test_it_runs_by_itself_and_the_page_follows(slow: Scene) -> None:
    """The seconds are counted down, and the page shows what became of it without a reload."""
    action = slow.refund()
    page = slow.enter("dana")
    page.clock.install()
    page.goto(f"/actions/{action.id}")
    approve(page)
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    page.clock.fast_forward(SLOW_MS // 2)
    expect(page.locator("[data-seconds]")).to_have_text(re.compile(r"^(600|59\d)$"))
    slow.clock.ahead_ms += SLOW_MS
    slow.succeeded(action)
    page.clock.fast_forward(SLOW_MS // 2 + FOLLOW_AFTER_MS)
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert slow.shop.balance("P-5003").refunded_minor == 12_000


def test_the_page_of_what_takes_long_follows_too(tmp_path: Path, browser: Browser) -> None:
    """A system of record that takes longer than a form waits: the page asks until it is over."""
    shop = SlowDesk(tmp_path / "shop.db")
    with shop, scene_in(tmp_path, browser, {"desk": shop}) as scene:
        action = scene.refund()
        page = scene.enter("dana", f"/actions/{action.id}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(verdict, "OUTCOME_WAIT_MS", 1)
            approve(page)
        expect(page.get_by_role("heading", name="Running now")).to_be_visible()
        shop.let_go.set()
        expect(page.get_by_role("heading", name="Done")).to_be_visible()
        expect(page.locator("[data-follow]")).to_have_count(0)


def test_a_page_follows_for_two_minutes_and_less_and_less_often(slow: Scene) -> None:
    """A page keeps no session in use; what waits for room under a cap is not on its way."""
    action = slow.refund()
    slow.desk.review(action.id, "reject", by="dana", digest=action.digest, reason="no")
    row = slow.desk.show(action.id, by="ava").card.proposal
    moving = structs.replace(row, state=State.EXECUTING, updated_at=1_000_000, hold_until=None)
    for row, now, expected in (
        (moving, 1_000_100, FOLLOW_AFTER_MS),
        (moving, 1_060_000, 30_000),
        (moving, 1_000_000 + FOLLOW_UP_TO_MS + 1, None),
        (structs.replace(moving, state=State.READY, hold_until=1_010_000), 1_004_000, 7_200),
        (structs.replace(moving, state=State.READY, reasons="cap_full"), 1_000_100, None),
        (structs.replace(moving, reasons="cap_full"), 1_000_100, FOLLOW_AFTER_MS),
        (structs.replace(moving, state=State.UNKNOWN), 1_000_100, None),
        (structs.replace(moving, state=State.SUCCEEDED), 1_000_100, None),
    ):
        assert follow_ms(row, now) == expected, (row.state, now)


def test_too_late_comes_with_the_undo(slow: Scene) -> None:
    """E4: it was sent before: that is said, and what can be undone is undone from there."""
    task = slow.desk.task(ticket="T-101", agent=AGENT)
    action = slow.refund()
    page = slow.enter("dana", f"/actions/{action.id}")
    approve(page)
    slow.clock.ahead_ms += SLOW_MS
    slow.succeeded(action)
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("h1")).to_have_text("Too late to take it back")
    page.get_by_role("button", name="Undo this").click()
    expect(page.locator("main")).to_contain_text("Take back")
    sent = reply(slow, task, "Hello, no undo for this one")
    page.goto(f"/actions/{sent.id}")
    approve(page)
    slow.clock.ahead_ms += SLOW_MS
    slow.succeeded(sent)
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("main")).to_contain_text("It cannot be undone by one click")
    expect(page.get_by_role("button", name="Undo this")).to_have_count(0)


def test_who_did_not_approve_it_sees_when_it_runs(slow: Scene) -> None:
    """Another person has no button; their form decides nothing."""
    action = slow.refund()
    page = slow.enter("dana", f"/actions/{action.id}")
    approve(page)
    other = slow.enter("sam", f"/actions/{action.id}")
    expect(other.locator(".outcome")).to_contain_text("whoever approved it can take that back")
    expect(other.get_by_role("button", name="Take it back")).to_have_count(0)
    with slow.client("sam") as client:
        csrf = csrf_in(client.get("/").text)
        form = {"verdict": "take_back", "digest": action.digest, "csrf": csrf}
        answer = client.post(f"/actions/{action.id}", data=form)
    assert answer.status_code == 409
    assert "There is nothing to take back" in answer.text
    assert slow.desk.get(action.id).state is State.READY


def test_on_a_phone_in_the_dark(slow: Scene) -> None:
    """Nothing is wider than the screen, before deciding and while it can be taken back."""
    action = slow.large_refund("6000.00 USD")
    page = slow.enter("sam", f"/actions/{action.id}", viewport=PHONE, color_scheme="dark")
    assert violations(page, COLOURS) == []
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)
    page.get_by_label("Type the amount once more").fill("6000 USD")
    page.locator(".bar").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    assert page.evaluate(fits)
    assert violations(page, COLOURS) == []
