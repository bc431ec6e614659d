"""The stop button, what is held back, and a hand-off in full, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from handrail.core.lifecycle import State
from handrail.policy.loader import load_text
from handrail.policy.packs import pack_text
from tests.console.scene import AGENT, Scene, scene_in

HELD: Final = load_text(
    pack_text("support-desk").replace(
        "needs: [requester, recipient_is_requester]\n    control: approve",
        "needs: [requester, recipient_is_requester]\n    control: hold_and_recall",
    ),
    source="test",
)


@pytest.fixture
def holding(tmp_path: Path, browser: Browser) -> Iterator[Scene]:
    """A served desk that holds replies back instead of asking."""
    with scene_in(tmp_path, browser, policy=HELD) as opened:
        yield opened


def test_anybody_stops_and_another_person_lets_go(scene: Scene) -> None:
    """I13: one press on any page, without a reason; the puller cannot lift it, a colleague can."""
    waiting = scene.refund()
    page = scene.enter("ava", "/log")
    page.locator(".stopper summary").click()
    page.get_by_role("button", name="Stop now").click()
    expect(page).to_have_url(re.compile("/halts$"))
    expect(page.locator("h1")).to_have_text("1 stop is on")
    expect(page.locator(".halted")).to_contain_text("Work is stopped: everything on this desk")
    expect(page.get_by_role("button", name="Let work go on")).to_have_count(0)
    assert scene.desk.halts()[0].pulled_by == "ava"

    colleague = scene.enter("dana", f"/actions/{waiting.id}")
    expect(colleague.locator(".halted")).to_be_visible()
    expect(colleague.locator(".decide")).to_contain_text("Work of this kind is stopped")
    expect(colleague.locator(".decide .approve")).to_have_count(0)
    colleague.get_by_role("link", name="See who may let it go on").click()
    colleague.get_by_role("button", name="Let work go on").click()
    expect(colleague.locator(".halted")).to_have_count(0)
    expect(colleague.locator("h1")).to_have_text("Nothing is stopped")
    assert scene.desk.halts() == []


def test_an_actions_page_offers_narrow_stops(scene: Scene) -> None:
    """The agent, the kind, the task or the customer of what is on the screen, filled in."""
    action = scene.small_refund()
    page = scene.enter("dana", f"/actions/{action.id}")
    page.get_by_role("link", name="this agent").click()
    expect(page.locator("#page-scope")).to_have_value("agent")
    expect(page.locator("#page-target")).to_have_value(AGENT)
    page.locator(".stop-form").get_by_role("button", name="Stop now").click()
    expect(page.locator(".halted")).to_contain_text(f"one agent {AGENT}")
    page.goto(f"/actions/{action.id}")
    page.get_by_role("link", name="this customer").click()
    page.locator(".stop-form").get_by_role("button", name="Stop now").click()
    expect(page.locator("h1")).to_have_text("2 stops are on")
    expect(page.locator(".notice")).to_have_count(0)


def test_a_stop_works_without_javascript(scene: Scene) -> None:
    """A plain form; a typing error is said, and stops nothing."""
    page = scene.enter("dana", "/", java_script_enabled=False)
    page.locator(".stopper summary").click()
    page.locator("#stop-scope").select_option("agent")
    page.locator("#stop-target").fill("nobody")
    page.get_by_role("button", name="Stop now").click()
    expect(page.locator("main")).to_contain_text("There is no agent")
    assert scene.desk.halts() == []
    page.locator(".stopper summary").click()
    page.locator("#stop-scope").select_option("customer")
    page.locator("#stop-target").fill("C-no-such")
    page.get_by_role("button", name="Stop now").click()
    expect(page.locator(".notice")).to_contain_text("not known here yet")


def test_what_can_be_stopped_is_on_a_list(scene: Scene) -> None:
    """Kinds, agents, open tasks and customers by name, without a script; one choice stops it."""
    action = scene.refund()
    task = scene.desk.show(action.id, by="dana").card.proposal.task
    page = scene.enter("ava", "/", java_script_enabled=False)
    page.locator(".stopper summary").click()
    page.get_by_role("link", name="Choose from a list").click()
    choice = page.get_by_label("What is to stop?")
    for value in ("kind refund.issue", f"agent {AGENT}", f"task {task}", "customer C-1003"):
        expect(choice.locator(f'option[value="{value}"]')).to_have_count(1)
    page.get_by_role("button", name="Stop this").click()
    assert scene.desk.halts() == []
    choice.select_option("customer C-1003")
    page.get_by_role("button", name="Stop this").click()
    expect(page.locator("h2").first).to_have_text("Stopped: one customer C-1003")


def test_a_person_recalls_what_is_held(holding: Scene) -> None:
    """It is not in the queue; the list says how long is left, and one click takes it back."""
    first, second = holding.reply("Dear Dana"), holding.reply("Dear Dana, again")
    assert (first.state, second.state) == (State.HOLDING, State.HOLDING)
    page = holding.enter("dana", "/")
    expect(page.locator("h1")).to_have_text("Nothing waits for a person")
    page.get_by_role("link", name=re.compile("Going out")).click()
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator(".row").first).to_contain_text("left")
    page.get_by_role("button", name=re.compile("Recall")).first.click()
    expect(page.locator(".row")).to_have_count(1)
    page.goto(f"/actions/{second.id}")
    page.get_by_role("button", name="Recall this").click()
    expect(page.locator("#outcome-title")).to_have_text("Withdrawn")
    assert [holding.desk.get(one.id).state for one in (first, second)] == [State.WITHDRAWN] * 2
    assert holding.shop.mailbox() == []
    auditor = holding.enter("ava", "/held")
    expect(auditor.get_by_role("button", name=re.compile("Recall"))).to_have_count(0)


def test_an_escalation_is_taken_with_everything_known(scene: Scene) -> None:
    """The conversation, what waits and why; taken, the task ended, then dealt with."""
    task = scene.desk.task(ticket="T-103", agent=AGENT)
    refund = {"order": "O-5003", "amount": "120.00 USD", "reason": "wrong_item"}
    waits = scene.desk.propose(task, "refund.issue", refund)
    escalation = scene.desk.escalate(task, "they want more than I may give")
    page = scene.enter("dana", "/escalations")
    expect(page.locator(".escalation")).to_contain_text("Handed over by the agent, not taken yet")
    expect(page.get_by_role("button", name="Take it")).to_be_visible()
    auditor = scene.enter("ava", "/escalations")
    expect(auditor.get_by_role("button", name="Take it")).to_have_count(0)
    page.get_by_role("link", name=re.compile("Ticket T-103")).click()
    main = page.locator("main")
    for text in ("they want more than I may give", "graphite headphones", "Waits", "120.00"):
        expect(main).to_contain_text(text)
    page.goto("/escalations")
    page.get_by_role("button", name="Take it").click()
    expect(page).to_have_url(re.compile(f"/escalations/{escalation.id}$"))
    expect(main).to_contain_text("Taken by dana")
    page.get_by_role("button", name="End the agent's task").click()
    expect(page).to_have_url(re.compile(f"/escalations/{escalation.id}$"))
    expect(page.get_by_role("button", name="End the agent's task")).to_have_count(0)
    page.get_by_role("button", name="Close: dealt with").click()
    expect(page.locator("h1")).to_have_text("No escalation is open")
    assert scene.desk.get(waits.id).state is State.PENDING


def test_a_late_undo_asks_a_colleague(scene: Scene) -> None:
    """Rule 7: when the window has closed the page says so, and the button asks."""
    scene.small_refund()
    scene.clock.ahead_ms += 25 * 3_600_000
    page = scene.enter("dana", "/ran")
    expect(page.locator(".undo")).to_contain_text("one-click undo ended")
    page.get_by_role("button", name=re.compile("Ask to undo")).click()
    expect(page.locator(".notice")).to_contain_text("waiting for a person")
