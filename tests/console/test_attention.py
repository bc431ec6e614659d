"""A reviewer's attention in the console: time to look, who else is there, load, what overflows."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser, expect

from handrail.core.attention import PRESENT_MS, TAKEN_MS
from handrail.core.policy import Attention
from tests.console.scene import Scene, scene_in
from tests.console.test_every_page import COLOURS, LOOKS, RULES, violations
from tests.console.test_http import csrf_in, digest_in

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE


@pytest.fixture
def slow(tmp_path: Path, browser: Browser) -> Iterator[Scene]:
    """A desk on which what is shown has to be looked at, as by default; two decisions an hour."""
    with scene_in(tmp_path, browser, attention=Attention(per_hour=2)) as opened:
        opened.desk.person("bo", name="Bo Stern", roles=("admin",))
        yield opened


def send(
    client: httpx.Client, id: str, page: str, verdict: str, reason: str = "", retyped: str = ""
) -> httpx.Response:
    """The decision form of a page that was shown, sent."""
    form = {"csrf": csrf_in(page), "digest": digest_in(page), "verdict": verdict}
    return client.post(f"/actions/{id}", data={**form, "reason": reason, "retyped": retyped})


def seconds_in(page: str) -> int:
    """The seconds that a case page asks to wait for; 0 for none."""
    found = re.search(r'data-dwell="([0-9]+)"', page)
    return 0 if found is None else int(found[1])


def test_without_a_script_the_server_refuses_and_keeps_what_was_typed(slow: Scene) -> None:
    """L7: too soon is said with the seconds that are left; the same form counts afterwards."""
    action = slow.reply("Nobody reads this in a second. " * 20)
    with slow.client("dana") as dana:
        page = dana.get(f"/actions/{action.id}").text
        seconds = seconds_in(page)
        assert 2 <= seconds <= 15
        early = send(dana, action.id, page, "approve", "typed already")
        assert early.status_code == 409
        assert "Nothing was decided." in early.text
        assert "Read it first; it can be approved in" in early.text
        assert "typed already" in early.text
        slow.clock.ahead_ms += seconds * SECOND
        assert seconds_in(dana.get(f"/actions/{action.id}").text) == 0
        assert send(dana, action.id, early.text, "approve").status_code == 303
    assert slow.desk.show(action.id, by="ava").reviews[0].review.person == "dana"


def test_what_was_never_shown_is_not_approved(slow: Scene) -> None:
    """L7: a form without its page, a page that was only fetched ahead, another person's page."""
    action = slow.refund()
    path = f"/actions/{action.id}"
    with slow.client("chris") as chris, slow.client("dana") as dana:
        page = dana.get(path).text
        chris.head(path)
        chris.get(path, headers={"sec-purpose": "prefetch"})
        slow.clock.ahead_ms += 10 * MINUTE
        form = {"csrf": csrf_in(chris.get("/").text), "digest": digest_in(page)}
        answer = chris.post(path, data={**form, "verdict": "approve"})
        assert answer.status_code == 409
        assert "This was not shown to you yet" in answer.text
        # No is said at once.
        said = {**form, "verdict": "reject", "ground": "other", "reason": "no"}
        assert chris.post(path, data=said).status_code == 303


def test_the_button_rests_while_the_seconds_run(slow: Scene) -> None:
    """L7: it counts down, then it works; a reader hears of it once, at the end."""
    action = slow.refund()
    page = slow.enter("dana")
    page.clock.install()
    page.clock.pause_at(time.time() + 3_600)
    page.goto(f"/actions/{action.id}")
    button = page.locator(".decide button.approve")
    expect(button).to_be_disabled()
    expect(button).to_contain_text(re.compile(r"\([0-9]+ s\)"))
    expect(page.locator(".decide button.reject")).to_be_enabled()
    now = page.locator("[data-now]")
    expect(now).to_be_empty()
    slow.clock.ahead_ms += MINUTE
    page.clock.run_for(MINUTE)
    expect(button).to_be_enabled()
    expect(now).to_have_text("It can be approved now.")
    expect(button).not_to_contain_text(" s)")
    expect(button).not_to_have_class(re.compile("resting"))
    button.click()
    expect(page.locator("p.state")).to_contain_text("Done")


def test_the_button_looks_rested_before_a_script_runs(slow: Scene) -> None:
    """It is never green first: that it rests is said by the server, not by the script."""
    page = slow.enter("dana", reduced_motion="reduce")
    page.route(
        "**/attention.*.js", lambda one: one.fulfill(body="", content_type="text/javascript")
    )
    page.goto(f"/actions/{slow.refund().id}")
    button = page.locator(".decide button.approve")
    expect(button).to_be_enabled()
    rested = button.evaluate("one => getComputedStyle(one).backgroundColor")
    button.evaluate("one => one.classList.remove('resting')")
    expect(button).not_to_have_css("background-color", rested)


def test_a_page_in_the_background_counts_nothing(slow: Scene) -> None:
    """M3: the seconds run while the page is looked at, and in no other time."""
    action = slow.refund()
    page = slow.page()
    page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => !window.shown })")
    with slow.client("dana") as client:
        cookies = dict(client.cookies)
    page.context.add_cookies(
        [{"name": name, "value": value, "url": slow.url} for name, value in cookies.items()]
    )
    page.goto(f"/actions/{action.id}")
    button = page.locator(".decide button.approve")
    before = button.inner_text()
    page.wait_for_timeout(2_500)
    assert button.inner_text() == before
    expect(button).to_be_disabled()
    page.evaluate("window.shown = true")
    expect(button).to_be_enabled()


def test_a_held_key_decides_once(scene: Scene) -> None:
    """E6, L7: a key that repeats approves nothing; one press is one decision, and it is enough."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    page.locator(".decide button.approve").focus()
    page.keyboard.down("Shift")
    page.evaluate(
        """() => {
          const button = document.activeElement;
          const press = { key: 'Enter', bubbles: true, cancelable: true };
          window.passed = [true, false].map((repeat) =>
            button.dispatchEvent(new KeyboardEvent('keydown', { ...press, repeat })));
        }"""
    )
    assert page.evaluate("window.passed") == [False, True]
    page.keyboard.up("Shift")
    assert not [url for url in sent if url.endswith(action.id)]
    page.locator(".decide button.approve").dblclick(no_wait_after=True)
    expect(page.locator("p.state")).to_contain_text("Done")
    assert len([url for url in sent if url.endswith(action.id)]) == 1
    assert len(scene.desk.show(action.id, by="ava").reviews) == 1


def test_who_came_too_late_is_told_who_was_faster(scene: Scene) -> None:
    """E6: by name and when; while it waits for a second checker nobody is told anything."""
    action = scene.refund()
    with scene.client("dana") as dana, scene.client("sam") as sam:
        page = sam.get(f"/actions/{action.id}").text
        send(dana, action.id, dana.get(f"/actions/{action.id}").text, "approve")
        scene.clock.ahead_ms += 3 * SECOND
        late = send(sam, action.id, page, "approve")
        assert late.status_code == 409
        assert re.search(r"Already approved by Dana Reyes,\s+(?:[3-9]|[1-5]\d) s ago", late.text)
    two = scene.large_refund("6500.00 USD")
    with scene.client("sam") as sam, scene.client("kim") as kim:
        page = sam.get(f"/actions/{two.id}").text
        assert send(sam, two.id, page, "approve", retyped="6500.00 USD").status_code == 303
        again = send(sam, two.id, page, "approve")
        assert "You have decided this already" in again.text
        assert "Sam Novak approved" not in kim.get(f"/actions/{two.id}").text


def test_who_else_is_looking(scene: Scene) -> None:
    """On the case page and in the queue, while the other page is open, and not for ever."""
    action = scene.refund()
    sam = scene.enter("sam", f"/actions/{action.id}")
    expect(sam.locator("[data-who]")).to_be_empty()
    page = scene.enter("dana", f"/actions/{action.id}")
    expect(page.locator("[data-who]")).to_have_text("Sam Novak is looking at this.")
    page.goto("/")
    expect(page.locator(".row .presence")).to_have_text("Sam Novak is looking at this.")
    # The open page says that it is still looked at, and hears who else is there.
    with sam.expect_response(lambda one: one.url.endswith("/seen")) as told:
        sam.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert told.value.json() == {"said": "Dana Reyes is looking at this.", "over": False}
    expect(sam.locator("[data-who]")).to_have_text("Dana Reyes is looking at this.")
    sam.context.close()
    scene.contexts.remove(sam.context)
    scene.clock.ahead_ms += PRESENT_MS + SECOND
    page.reload()
    expect(page.locator(".row .presence")).to_have_count(0)


def test_an_open_page_hears_that_it_is_over(scene: Scene) -> None:
    """E6: whoever reads on is told that it was decided meanwhile, and nothing moves by it."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}")
    scene.desk.review(action.id, "reject", by="sam", digest=action.digest, reason="no")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("[data-who]")).to_contain_text("decided or changed meanwhile")


def test_taking_a_case_and_letting_go(scene: Scene) -> None:
    """Said to others until its time is over; it keeps nobody from deciding."""
    action = scene.refund()
    page = scene.enter("sam", f"/actions/{action.id}", java_script_enabled=False)
    page.get_by_role("button", name="I take this").click()
    expect(page.get_by_text("You have taken this until")).to_be_visible()
    with scene.client("dana") as dana:
        shown = dana.get(f"/actions/{action.id}").text
        assert "Sam Novak has taken this until" in shown
        assert "I take this" not in shown
        assert "Sam Novak has taken this until" in dana.get("/").text
        form = {"csrf": csrf_in(shown)}
        refused = dana.post(f"/actions/{action.id}/take", data=form)
        assert refused.status_code == 409
        assert "you can still decide it" in refused.text
        page.get_by_role("button", name="Let go of it").click()
        expect(page).to_have_url(f"{scene.url}/")
        assert "has taken" not in dana.get("/").text
        assert dana.post(f"/actions/{action.id}/take", data=form).status_code == 303
        scene.clock.ahead_ms += TAKEN_MS
        with scene.client("sam") as sam:
            assert "has taken" not in sam.get(f"/actions/{action.id}").text
        assert dana.post(f"/actions/{action.id}/take", data=form).status_code == 303
    page.goto(f"/actions/{action.id}")
    expect(page.get_by_text("Dana Reyes has taken this until")).to_be_visible()
    page.get_by_role("button", name="Approve").first.click()
    expect(page.locator("p.state")).to_contain_text("Done")


def test_a_spent_budget(slow: Scene) -> None:
    """L8: at G3 the button is absent, with the reason; anything else goes on, and no is said."""
    large = slow.large_refund("2400.00 USD")
    with slow.client("chris") as chris:
        for amount in ("20.00 USD", "30.00 USD"):
            action = slow.reply(f"Sorry about the {amount}")
            page = chris.get(f"/actions/{action.id}").text
            slow.clock.ahead_ms += MINUTE
            assert send(chris, action.id, page, "approve").status_code == 303
        page = chris.get(f"/actions/{large.id}").text
        assert "You have decided 2 actions within an hour; G3 goes to somebody else now" in page
        assert 'value="approve"' not in page
        assert 'value="reject"' in page
        slow.clock.ahead_ms += MINUTE
        refused = send(chris, large.id, page, "approve", "kept")
        assert refused.status_code == 403
        assert "kept" in refused.text
        assert "not yours to approve" in chris.get("/").text
        attention = chris.get("/attention").text
        assert "2 of 2" in attention
        assert "what is G3 goes to others" in attention
    with slow.client("sam") as sam:
        page = sam.get(f"/actions/{large.id}").text
        slow.clock.ahead_ms += MINUTE
        assert send(sam, large.id, page, "approve", retyped="2400.00 USD").status_code == 303


def test_what_cannot_be_reviewed_in_time_is_said(slow: Scene) -> None:
    """L2: over the queue and on the attention page, with what happens then and what is assumed."""
    for n in range(3):
        slow.reply(f"Hello {n}")
    with slow.client("dana") as dana:
        assert "cannot be reviewed in time" not in dana.get("/").text
        assert "All that waits can be reviewed in time." in dana.get("/attention").text
        slow.clock.ahead_ms += 4 * HOUR - 90 * SECOND
        with slow.client("dana") as again:
            again.get(f"/actions/{slow.desk.queue()[0].proposal.id}")
            for path in ("/", "/attention"):
                page = again.get(path).text
                assert "2 of 3 cannot be reviewed in time with 1 person at work." in page, path
                assert "then it expires, nothing runs" in page
                assert "It assumes 1 person at work in the last hour" in page


def test_a_person_s_time_is_theirs_and_a_lead_s(slow: Scene) -> None:
    """Only an administrator sees how others spend their time; anybody sees their own."""
    action = slow.reply("Hello")
    with slow.client("dana") as dana:
        page = dana.get(f"/actions/{action.id}").text
        slow.clock.ahead_ms += 40 * SECOND
        send(dana, action.id, page, "approve")
        own = dana.get("/attention").text
        assert "1 of 2" in own
        assert re.search(r"\b4\d s\b", own)
        assert "The desk today" not in own
    for other in ("sam", "ava", "pat"):
        with slow.client(other) as client:
            page = client.get("/attention").text
            assert "Dana Reyes" not in page, other
            assert "The desk today" not in page, other
    lead = slow.enter("bo", "/attention")
    row = lead.get_by_role("row").filter(has_text="Dana Reyes").last
    expect(row).to_contain_text("40 s")
    expect(row).to_contain_text("100 %")
    chart = lead.get_by_role("img", name="Decisions today by reviewer")
    expect(chart).to_be_visible()
    lead.get_by_text("The same as a table").click()
    expect(lead.get_by_role("row").filter(has_text="Dana Reyes")).to_have_count(2)


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_attention_are_accessible_and_in_bounds(slow: Scene, look: str) -> None:
    """With seconds running, a case taken, an overflow, and the whole desk before a lead."""
    long = "Nobody reads this in a second. " * 20
    actions = [slow.reply(f"{long}{n}") for n in range(3)]
    with slow.client("dana") as dana:
        page = dana.get(f"/actions/{actions[0].id}").text
        slow.clock.ahead_ms += MINUTE
        send(dana, actions[0].id, page, "approve")
    taker = slow.enter("sam", f"/actions/{actions[1].id}")
    taker.get_by_role("button", name="I take this").click()
    expect(taker.get_by_text("You have taken this until")).to_be_visible()
    slow.clock.ahead_ms += 4 * HOUR - 3 * MINUTE
    other = slow.enter("sam", f"/actions/{actions[2].id}")
    rules = COLOURS if look == "dark" else RULES
    for person, path in (("dana", actions[2].id), ("dana", ""), ("bo", "attention")):
        at = f"/actions/{path}" if path.startswith("hr_") else f"/{path}"
        page_of = slow.enter(person, at, **LOOKS[look])
        page_of.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
        assert violations(page_of, rules) == [], at
        widths = page_of.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert widths[0] <= widths[1], at
    expect(other.locator("[data-dwell]")).to_have_count(1)
