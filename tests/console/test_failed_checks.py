"""A check that failed stands in red beside the facts that it is about, and is said as a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.console.scene import Scene, scene_in
from tests.engine.test_checks import checked


@pytest.fixture
def scene(tmp_path: Path, browser: Browser) -> Iterator[Scene]:
    """A served desk under the pack with checks."""
    policy = checked(("otherwise: refuse", "otherwise: hold"))
    with scene_in(tmp_path, browser, policy=policy) as opened:
        yield opened


def test_a_failed_check_is_red_beside_its_fact(scene: Scene) -> None:
    """More than is left: the check's sentence beside `refundable`, on page, button and queue."""
    action = scene.refund("500.00 USD")
    page = scene.enter("dana", f"/actions/{action.id}")
    row = page.locator("table.facts tr.bad", has_text="More than can still be refunded")
    expect(row).to_have_count(1)
    expect(row.locator("th")).to_have_text("Refundable")
    expect(page.locator(".reasons .bad-text", has_text="More than can still")).to_have_count(1)
    expect(page.locator(".against")).to_contain_text(
        "can still be refunded. More than can still be refunded"
    )
    page.goto("/")
    expect(page.locator(".row")).to_contain_text("A check failed")


def test_a_flag_is_a_mark_on_what_waits(scene: Scene) -> None:
    """A check that only marks: the reason is said, and no fact is red for it."""
    action = scene.propose(
        "T-103",
        "refund.issue",
        {"order": "O-5003", "amount": "120.00 USD", "reason": "goodwill", "ticket": "T-103"},
    )
    page = scene.enter("dana", f"/actions/{action.id}")
    expect(page.locator("main")).to_contain_text("Good will, which nothing shows to be due.")
    expect(page.locator("table.facts tr.bad")).to_have_count(0)
