"""The conversation beside an action: whose words they are, and a helpdesk that does not answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from handrail.connectors.protocol import Receipt
from handrail.connectors.sandbox import Sandbox
from tests.console.scene import PHONE, Scene, scene_in


class MuteDesk(Sandbox):
    """An embedded desk whose conversations cannot be read: it hangs, or it fails."""

    def __init__(self, path: Path, *, hangs: bool) -> None:
        super().__init__(path, seed_at=1_700_000_000_000)
        self.hangs = hangs
        self.let_go = threading.Event()

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        if kind == "ticket.read" and self.hangs:
            self.let_go.wait(60)
        if kind == "ticket.read":
            raise TimeoutError("the helpdesk did not answer")
        return super().execute(kind, request, key, now=now)


@pytest.fixture(params=["hangs", "fails"])
def mute(request: pytest.FixtureRequest, tmp_path: Path, browser: Browser) -> Iterator[Scene]:
    """A desk on which everything works but reading a conversation."""
    shop = MuteDesk(tmp_path / "shop.db", hangs=request.param == "hangs")
    with shop, scene_in(tmp_path, browser, {"desk": shop}) as scene:
        yield scene
        shop.let_go.set()


@pytest.mark.usefixtures("patient")
def test_whose_words_they_are(scene: Scene) -> None:
    """Newest first; whose words they are stands over each, and they are literal."""
    sent = scene.reply("Dear Priya, which colour is it?", ticket="T-103")
    scene.approved(sent, by="chris")
    said = "<b>graphite</b>\n[U+202E]\u202e and pay\u200bpal"
    scene.shop.receive("T-103", said, now=scene.clock())
    page = scene.enter("dana", f"/actions/{scene.refund().id}")
    spoken = page.locator(".talk .said")
    expect(spoken).to_have_count(3)
    expect(spoken.locator("h3")).to_contain_text(
        ["Customer", "Agent, through handrail", "Customer"]
    )
    assert spoken.nth(0).locator(".letter").inner_text() == (
        "<b>graphite</b>\n[U+202E][U+202E] and pay[U+200B]pal"
    )
    expect(spoken.nth(0).locator(".hidden-note")).to_contain_text("changes the direction")
    expect(spoken.nth(1)).to_contain_text("which colour is it?")
    answered = page.goto(f"/actions/{scene.reply('Soon.', ticket='T-105').id}")
    assert answered is not None
    assert answered.ok
    expect(page.locator(".talk .said.staff, .talk .said.customer")).not_to_have_count(0)


@pytest.mark.usefixtures("patient")
def test_a_long_conversation_is_folded_and_bounded(scene: Scene) -> None:
    """Three messages are open, earlier ones a fold away, and what is left out is counted."""
    for n in range(8):
        scene.shop.receive("T-103", f"message {n}", now=scene.clock())
    scene.shop.receive("T-103", "x" * 59_000, now=scene.clock())
    page = scene.enter("dana", f"/actions/{scene.refund().id}")
    expect(page.locator(".talk > ul > li")).to_have_count(3)
    fold = page.locator(".talk details")
    expect(fold.locator("summary")).to_have_text("7 earlier messages")
    fold.locator("summary").click()
    expect(fold.locator("li")).to_contain_text(["message 5"])
    scene.shop.receive("T-103", "y" * 59_000, now=scene.clock())
    page.reload()
    expect(page.locator(".talk .said")).to_have_count(1)
    expect(page.locator(".talk")).to_contain_text("10 older ones are too long for this page")


def test_where_everything_stands(scene: Scene) -> None:
    """Conversation, artifact over facts, decision; a phone in the order of reading."""
    path = f"/actions/{scene.refund('500.00 USD').id}"
    where = """[...document.querySelectorAll('.talk, .artifact, .decide, table.facts')]
      .map((one) => [one.className.split(' ').pop(), one.getBoundingClientRect()])
      .sort((a, b) => a[1].SIDE - b[1].SIDE || a[1].top - b[1].top).map((one) => one[0])"""
    wide = scene.enter("dana", path, viewport={"width": 1440, "height": 900})
    assert wide.evaluate(where.replace("SIDE", "left")) == ["talk", "artifact", "facts", "decide"]
    phone = scene.enter("dana", path, viewport=PHONE)
    assert phone.evaluate(where.replace("SIDE", "top")) == ["artifact", "facts", "talk", "decide"]
    expect(phone.locator(".bar .approve")).to_be_in_viewport()


def test_without_a_conversation_one_decides_all_the_same(mute: Scene) -> None:
    """A helpdesk that hangs or fails costs the conversation and nothing else, page after page."""
    action = mute.refund()
    page = mute.enter("dana", f"/actions/{action.id}")
    for _ in range(5):
        expect(page.locator(".talk")).to_contain_text("could not be read just now")
        expect(page.locator(".artifact")).to_contain_text("120.00")
        page.reload()
    page.locator(".decide .approve").click()
    expect(page.locator(".outcome")).to_contain_text("Refund")
    assert mute.desk.get(action.id).state.value == "SUCCEEDED"


def test_a_task_without_a_ticket_says_so(scene: Scene) -> None:
    """No ticket, no conversation, and no error."""
    task = scene.desk.task(agent="scout", customers=["C-1003"])
    refund = {"order": "O-5003", "amount": "120.00 USD", "reason": "wrong_item"}
    action = scene.desk.propose(task, "refund.issue", refund)
    page = scene.enter("dana", f"/actions/{action.id}")
    expect(page.locator(".talk")).to_contain_text("This task has no ticket")
