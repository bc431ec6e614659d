"""An open page while others work: it says what changed, in place, and moves nothing."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from handrail.core.lifecycle import State
from handrail.core.policy import Attention
from tests.console.scene import PHONE, Scene, scene_in
from tests.console.test_every_page import RULES, violations

HIDE = """(hidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def top(page: Page, id: str) -> float:
    """Where the line of an action is on the screen."""
    box = page.locator(f"[data-action='{id}']").bounding_box()
    assert box is not None
    return box["y"]


def test_what_is_new_is_announced_and_put_in_when_asked(scene: Scene) -> None:
    """The list stays as it is; a link puts the new ones in, and leads to the first of them."""
    first = scene.refund()
    page = scene.enter("dana")
    news = page.locator(".fresh")
    assert news.get_attribute("role") == "status", "what is new must be announced, politely"
    before = top(page, first.id)
    large = scene.large_refund("2400.00 USD")
    expect(news).to_have_text("1 new. Show")
    scene.reply("Hello Dana")
    expect(news).to_have_text("2 new. Show")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".top .count").first).to_have_text(re.compile("^3"))
    assert top(page, first.id) == before
    news.get_by_role("link", name="Show").click()
    expect(page.locator(".row")).to_have_count(3)
    expect(page.locator("h1")).to_have_text("3 actions wait for a person")
    expect(page.locator(f"[data-action='{large.id}'] a")).to_be_focused()
    expect(news).to_be_empty()
    scene.refund("60.00 USD")
    expect(news).to_have_text("1 new. Show")


def test_an_empty_page_comes_alive(scene: Scene) -> None:
    """Where there was no list, asking for it makes the page anew."""
    page = scene.enter("dana")
    scene.refund()
    page.locator(".fresh").get_by_role("link", name="Show").click()
    expect(page.locator(".row")).to_have_count(1)


def test_what_no_longer_waits_is_marked_in_its_place(scene: Scene) -> None:
    """Dimmed, with who decided; nothing moves under the focus or the pointer, and keys go on."""
    refund, reply = scene.refund(), scene.reply("Hello Dana")
    page = scene.enter("dana", viewport=PHONE)
    lines = page.locator("[data-rows] h2 a")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(lines.nth(1)).to_be_focused()
    places = {one.id: top(page, one.id) for one in (refund, reply)}
    scene.desk.review(refund.id, "approve", by="sam", digest=refund.digest)
    line = page.locator(f"[data-action='{refund.id}']")
    expect(line.locator(".how")).to_have_text("decided by Sam Novak")
    expect(page.locator(".row.over")).to_have_count(1)
    assert places == {one.id: top(page, one.id) for one in (refund, reply)}
    expect(lines.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(lines.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{scene.url}/actions/{refund.id}")
    expect(page.locator(".outcome")).to_be_visible()


def test_one_line_of_a_case_is_marked_alone(scene: Scene) -> None:
    """What else of the same task waits keeps the line as it is."""
    task = scene.desk.task(ticket="T-101", agent="scout")
    made = [
        scene.desk.propose(task, "reply.send", {"ticket": "T-101", "body": f"No. {n}"})
        for n in range(2)
    ]
    page = scene.enter("dana")
    expect(page.locator(".row")).to_have_count(1)
    gone = made[1]
    scene.desk.review(gone.id, "reject", by="sam", digest=gone.digest, reason="no")
    expect(page.locator(".gone")).to_have_count(1)
    expect(page.locator(f"[data-action='{gone.id}']")).to_have_class("gone")
    expect(page.locator(".row.over")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_a_page_says_of_itself_is_accessible(scene: Scene, scheme: str) -> None:
    """Axe finds nothing against lines that are gone, what is announced, and a page out of date."""
    refund = scene.refund()
    scene.reply("Hello Dana")
    queue = scene.enter("dana", color_scheme=scheme)
    case = scene.enter("dana", f"/actions/{refund.id}", color_scheme=scheme)
    scene.reply("Hello Maria", ticket="T-102")
    scene.desk.review(refund.id, "reject", by="sam", digest=refund.digest, reason="no")
    expect(queue.locator(".how")).to_have_count(1)
    expect(queue.locator(".fresh")).to_have_text("1 new. Show")
    expect(case.locator(".overtaken")).not_to_be_empty()
    assert violations(queue, RULES) == []
    assert violations(case, RULES) == []


def test_a_background_page_catches_up(scene: Scene) -> None:
    """Out of sight it holds no connection, and when it is seen again it hears what it missed."""
    first = scene.refund()
    page = scene.enter("dana")
    expect(page.locator(".row")).to_have_count(1)
    page.evaluate(HIDE, True)
    scene.desk.review(first.id, "reject", by="sam", digest=first.digest, reason="no")
    scene.reply("Hello")
    page.evaluate(HIDE, False)
    expect(page.locator(".how")).to_have_text("decided by Sam Novak")
    expect(page.locator(".fresh")).to_have_text("1 new. Show")


def test_a_case_that_was_decided_meanwhile(scene: Scene) -> None:
    """M9: the page says so at once, its buttons are off, and what was typed is still there."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}", viewport=PHONE)
    page.get_by_label("Reason").fill("I was about to ask")
    scene.desk.review(action.id, "approve", by="sam", digest=action.digest)
    banner = page.locator(".overtaken")
    expect(banner).to_contain_text("out of date: decided by Sam Novak")
    for button in page.locator("#decision button, .bar button").all():
        expect(button).to_be_disabled()
    expect(page.get_by_label("Reason")).to_have_value("I was about to ask")
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    banner.get_by_role("link", name="Reload").click()
    expect(page.locator(".outcome")).to_contain_text("Sam Novak approved")


def test_the_time_to_read_brings_no_button_back(tmp_path: Path, browser: Browser) -> None:
    """M9: when the seconds before an approval are over, a page that is out of date stays so."""
    with scene_in(tmp_path, browser, attention=Attention()) as scene:
        action = scene.refund()
        page = scene.enter("dana")
        page.clock.install()
        page.clock.pause_at(time.time() + 3_600)
        page.goto(f"/actions/{action.id}")
        dwell = page.locator("[data-dwell]")
        expect(dwell).to_contain_text("s left")
        scene.desk.review(action.id, "reject", by="sam", digest=action.digest, reason="no")
        expect(page.locator(".overtaken")).to_contain_text("out of date")
        page.clock.run_for(60_000)
        expect(dwell.locator("[data-left]")).to_be_empty()
        expect(page.get_by_role("button", name="Approve").first).to_be_disabled()


def test_what_is_under_the_pointer_stays_there(scene: Scene) -> None:
    """However much is said above it, the line that is pointed at does not move away."""
    made = [scene.reply(f"message {n}") for n in range(20)]
    page = scene.enter("dana", viewport={"width": 900, "height": 500})
    line = page.locator(f"[data-action='{made[10].id}']")
    # The room that is kept for what is said is taken away, so that it pushes the list down, and so
    # is the help that some browsers give.
    page.evaluate("document.documentElement.style = 'overflow-anchor: none'")
    page.evaluate("document.querySelector('.fresh').style = 'min-height: 0; font-size: 40px'")
    line.scroll_into_view_if_needed()
    line.hover()
    before = top(page, made[10].id)
    scene.refund()
    expect(page.locator(".fresh")).to_have_text("1 new. Show")
    assert abs(top(page, made[10].id) - before) <= 1


def test_a_second_checker_s_page_stays_as_it_is(scene: Scene) -> None:
    """D10: that the first checker has spoken changes nothing on an open page of the second."""
    action = scene.large_refund("6000.00 USD")
    case = scene.enter("sam", f"/actions/{action.id}")
    queue = scene.enter("sam")
    expect(queue.locator(".row")).to_have_count(1)
    scene.desk.review(action.id, "approve", by="kim", digest=action.digest)
    scene.refund()
    expect(queue.locator(".fresh")).to_have_text("1 new. Show")
    expect(queue.locator(".how")).to_have_count(0)
    expect(case.locator(".overtaken")).to_be_empty()
    case.get_by_label("Type the amount once more").fill("6000.00 USD")
    case.get_by_role("button", name="Approve").first.click()
    expect(case.locator(".outcome")).to_be_visible()
    assert scene.desk.get(action.id).state is State.SUCCEEDED


def test_one_s_own_decision_is_no_news(scene: Scene) -> None:
    """Pressing the button leads to the outcome, with no word of a page that is out of date."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}")
    page.evaluate("""() => { window.seen = []; new MutationObserver(() => {
        window.seen.push(document.querySelector('.overtaken').textContent);
        sessionStorage.setItem('seen', JSON.stringify(window.seen));
      }).observe(document.querySelector('.overtaken'), { childList: true }); }""")
    page.get_by_role("button", name="Approve").first.click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('seen')") is None


def test_a_page_whose_session_ended_says_that_it_is_not_kept_up_to_date(scene: Scene) -> None:
    """M4: it hears nothing more, asks once, and then no more."""
    page = scene.enter("dana")
    expect(page.locator("h1")).to_be_visible()
    other = page.context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Log out").click()
    expect(other.locator(".notice[role=status]")).to_contain_text("You are logged out")
    scene.refund()
    expect(page.locator(".fresh")).to_contain_text("no longer kept up to date", timeout=30_000)
    expect(page.locator(".row")).to_have_count(0)


def test_slash_finds(scene: Scene) -> None:
    """The key leads to the field; what is found stands alone, and is cleared by a link."""
    scene.refund()
    scene.reply("Hello Dana")
    page = scene.enter("dana")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("T-101")
    page.keyboard.press("Enter")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row")).to_contain_text("T-101")
    expect(page.locator(".sought")).to_contain_text("T-101")
    page.get_by_role("link", name="Clear the filter").click()
    expect(page.locator(".row")).to_have_count(2)


def test_nothing_found_says_how_to_clear(scene: Scene) -> None:
    """Also with scripts switched off: the form is a plain one."""
    scene.refund()
    page = scene.page(java_script_enabled=False)
    page.goto("/")
    page.get_by_label("Name").fill("dana")
    page.get_by_label("Password").fill(scene.admit("dana"))
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Customer, ticket or id of an action").fill("C-nobody")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".empty")).to_contain_text("Nothing that waits is like that")
    page.locator(".empty").get_by_role("link", name="Clear the filter").click()
    expect(page.locator(".row")).to_have_count(1)
