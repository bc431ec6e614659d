"""A reply against the macro it was written from: what differs, word for word, or not known."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from handrail.agent.playbook import PLAYBOOK
from handrail.connectors.protocol import Macro
from handrail.connectors.sandbox import Sandbox
from tests.console.scene import Scene, scene_in

TICKET = "T-105"


def reply(scene: Scene, body: str, **more: str) -> str:
    """The page of a reply on the ticket."""
    action = scene.propose(TICKET, "reply.send", {"ticket": TICKET, "body": body, **more})
    return f"/actions/{action.id}"


@pytest.mark.usefixtures("patient")
def test_what_differs_from_the_macro(scene: Scene) -> None:
    """Removed and added words; what hides is a token; word for word says so; none says nothing."""
    (body,) = (
        str(move.params["body"])
        for visit in PLAYBOOK
        for move in visit.moves
        if move.params.get("macro") == "M-01"
    )
    page = scene.enter("dana", reply(scene, body, macro="M-01"))
    card = page.locator(".against-macro")
    expect(card.locator("h2")).to_have_text("What differs from the macro Parcel on its way")
    expect(card.locator("del")).to_contain_text(["within five working days."])
    expect(card.locator("ins")).to_contain_text(["yesterday", "on Thursday."])
    expect(card).to_contain_text("Hello Tom,")
    expect(page.locator(".artifact")).to_contain_text("M-01")
    hidden = body.replace("parcel", "par\u200bcel") + "<b>"
    page.goto(reply(scene, hidden, macro="M-01"))
    expect(card.locator("ins")).to_contain_text(["par[U+200B]cel", "<b>"])
    same = scene.shop.macro("M-01", {"ticket": TICKET}).text
    page.goto(reply(scene, same, macro="M-01"))
    expect(card.locator("h2")).to_have_text("Nothing differs from the macro")
    expect(card).to_contain_text("Word for word the macro Parcel on its way")
    expect(card.locator("ins, del")).to_have_count(0)
    page.goto(reply(scene, "Hello Tom, soon."))
    expect(page.locator(".artifact")).to_be_visible()
    expect(card).to_have_count(0)


class MuteDesk(Sandbox):
    """An embedded desk whose macros cannot be read: it hangs, or it fails."""

    hangs = False
    let_go = threading.Event()

    def macro(self, id: str, request: Mapping[str, object]) -> Macro:
        if self.hangs:
            self.let_go.wait(60)
        raise TimeoutError("the helpdesk did not answer")


class PlainDesk(Sandbox):
    """An embedded desk that offers no macros, but takes a reply that names one."""

    macro = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("made", "hangs", "said"),
    [
        (MuteDesk, True, "could not be read just now"),
        (MuteDesk, False, "could not be read just now"),
        (PlainDesk, False, "does not let handrail read macros"),
    ],
)
def test_a_macro_that_is_not_known(
    tmp_path: Path, browser: Browser, made: type[Sandbox], hangs: bool, said: str
) -> None:
    """It is said that nobody knows what differs, and one decides all the same."""
    shop = made(tmp_path / "shop.db", seed_at=1_700_000_000_000)
    if isinstance(shop, MuteDesk):
        shop.hangs = hangs
    with shop, scene_in(tmp_path, browser, {"desk": shop}) as scene:
        page = scene.enter("dana", reply(scene, "Hello Tom, soon.", macro="M-01"))
        expect(page.locator(".against-macro")).to_contain_text(said)
        expect(page.locator(".against-macro ins, .against-macro del")).to_have_count(0)
        page.locator(".decide .approve").click()
        expect(page.locator(".outcome")).to_be_visible()
        MuteDesk.let_go.set()
