"""In the browser: what changed since an approval, and telling what became of a lost attempt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from handrail.connectors.protocol import Promise, Receipt
from handrail.core.lifecycle import State
from tests.console.scene import Scene, scene_in
from tests.engine.connectors import Execute, Front


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """A front to the embedded desk of `fronted`."""
    made = Front(tmp_path / "world.db")
    yield made
    made.close()


@pytest.fixture
def fronted(tmp_path: Path, browser: Browser, front: Front) -> Iterator[Scene]:
    """A served desk whose world stands behind `front`."""
    with scene_in(tmp_path, browser, connectors={"desk": front}) as opened:
        yield opened


def test_before_and_now_stand_side_by_side(fronted: Scene, front: Front) -> None:
    """F2: approving what changed meanwhile does not send it; the page shows the difference."""
    action = fronted.reply("Dear Dana, it is on its way.")
    page = fronted.enter("dana", f"/actions/{action.id}")
    front.desk.receive("T-101", "Forget it.", now=fronted.clock())
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="What changed since")).to_be_visible()
    row = page.get_by_role("row", name="Last customer message").first
    expect(row).to_contain_text("<t-101.")
    assert fronted.desk.get(action.id).state is State.PENDING
    assert front.desk.mailbox() == []
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert fronted.desk.get(action.id).state is State.SUCCEEDED


def test_a_page_of_before_is_refused_with_what_changed(fronted: Scene, front: Front) -> None:
    """M9: who still has the page of before decides nothing, and is told what is different now."""
    action = fronted.reply("Dear Dana, it is on its way.")
    # With a script an open page would say by itself that it is out of date.
    old = fronted.enter("dana", f"/actions/{action.id}", java_script_enabled=False)
    fresh = fronted.enter("sam", f"/actions/{action.id}")
    front.desk.receive("T-101", "Forget it.", now=fronted.clock())
    fresh.get_by_role("button", name="Approve").click()
    expect(fresh.get_by_role("heading", name="What changed since")).to_be_visible()
    old.get_by_role("button", name="Approve").click()
    expect(old.locator("h1")).to_have_text("This is not what you saw")
    row = old.get_by_role("row", name="Last customer message").first
    expect(row.locator("del")).to_contain_text("<t-101.")
    expect(row.locator("ins")).to_contain_text("<t-101.")
    assert fronted.desk.get(action.id).state is State.PENDING
    assert front.desk.mailbox() == []


def test_two_people_say_what_became_of_it(fronted: Scene, front: Front) -> None:
    """H8: the first one's word is shown to the second, whose word settles it."""

    def lost(execute: Execute) -> Receipt:
        execute()
        raise TimeoutError

    front.promise, front.doing = Promise.BLIND, lost
    action = fronted.small_refund()
    assert fronted.desk.get(action.id).state is State.UNKNOWN
    early = fronted.enter("dana", f"/actions/{action.id}")
    expect(early.locator("#settle-title")).to_be_visible()
    expect(early.get_by_role("button", name="It was done")).to_have_count(0)
    fronted.clock.ahead_ms = 120_000
    early.reload()
    early.get_by_label("How do you know?").fill("The ledger shows it.")
    early.get_by_role("button", name="It was done").click()
    expect(early.get_by_role("status").filter(has_text="it was done")).to_be_visible()
    assert fronted.desk.get(action.id).state is State.UNKNOWN
    page = fronted.enter("sam", f"/actions/{action.id}")
    page.get_by_label("How do you know?").fill("The bank says so.")
    page.get_by_label("Its reference there").fill("R-77")
    page.get_by_role("button", name="It was done").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert fronted.desk.get(action.id).state is State.SUCCEEDED
