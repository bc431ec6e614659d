"""Deciding in the console: type it once more, say why, put it off, compare."""

from __future__ import annotations

from typing import Final

import httpx
from playwright.sync_api import Page, expect

from handrail.core.lifecycle import State
from handrail.core.task import Task
from handrail.surfaces.embedded import Action
from tests.console.scene import AGENT, Scene
from tests.console.test_http import csrf_in

KEYS: Final = {
    "a": "button.approve",
    "r": "input[name=ground] >> nth=0",
    "x": "button[value=escalate]",
    "s": "select[name=nap]",
}
PAYOUT: Final = {"customer": "C-1005", "account": "DE00 1234 5678"}


def approve(page: Page) -> None:
    """Press the approve button of the open page, and wait until the answer's scripts listen."""
    page.locator(".decide").get_by_role("button", name="Approve").click()
    page.wait_for_load_state()


def reply(scene: Scene, task: Task, body: str) -> Action:
    """A reply in a task that goes on."""
    return scene.desk.propose(task, "reply.send", {"ticket": "T-101", "body": body})


def test_at_g3_the_amount_is_typed_once_more(scene: Scene) -> None:
    """B7: wrong or empty is refused by the server, nothing is lost, and the field is in focus."""
    action = scene.large_refund("2400.00 USD")
    page = scene.enter("sam", f"/actions/{action.id}")
    page.get_by_label("Reason").fill("looked at twice")
    for typed in ("", "240 USD", "2.400 USD", "2400"):
        page.locator("form#decision").evaluate("form => form.noValidate = true")
        page.get_by_label("Type the amount once more").fill(typed)
        approve(page)
        expect(page.get_by_role("alert")).to_contain_text("Nothing was decided")
        expect(page.get_by_label("Reason")).to_have_value("looked at twice")
        expect(page.get_by_label("Type the amount once more")).to_have_value(typed)
        expect(page.get_by_label("Type the amount once more")).to_be_focused()
        assert scene.desk.get(action.id).state is State.PENDING
    page.get_by_label("Type the amount once more").fill("2,400.00 usd")
    approve(page)
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert scene.shop.balance("P-5005").refunded_minor == 240_000


def test_without_an_amount_the_customer_is_typed(scene: Scene) -> None:
    """What moves no money asks for the customer's id."""
    action = scene.propose("T-104", "payout.change", PAYOUT)
    assert action.state is State.PENDING
    page = scene.enter("sam", f"/actions/{action.id}")
    page.get_by_label("Type the customer's id once more").fill("C-1006")
    approve(page)
    expect(page.get_by_role("alert")).to_contain_text("not the customer's id")
    page.get_by_label("Type the customer's id once more").fill("C-1005")
    approve(page)
    expect(page.locator(".outcome")).to_contain_text("Sam Novak approved")


def test_enter_in_a_field_approves_nothing(scene: Scene) -> None:
    """L7: Enter in a field approves nothing, also from the reasons to reject, which may reject."""
    action = scene.large_refund("2400.00 USD")
    page = scene.enter("sam", f"/actions/{action.id}")
    page.get_by_label("Type the amount once more").fill("2400 USD")
    page.keyboard.press("Enter")
    page.goto(f"/actions/{action.id}")
    assert scene.desk.get(action.id).state is State.PENDING
    page.get_by_label("Type the amount once more").fill("2400 USD")
    page.get_by_text("Reject…").click()
    page.get_by_label("Wrong amount").check()
    page.keyboard.press("Enter")
    expect(page.locator(".outcome")).to_contain_text("Sam Novak rejected")
    assert scene.desk.get(action.id).state is State.REJECTED


def test_amount_in_words_from_the_top_band_on(scene: Scene) -> None:
    """B7: beside the ISO form, above the last limit of the kind, and not below it."""
    large, small = scene.large_refund("6000.50 USD"), scene.refund()
    page = scene.enter("sam", f"/actions/{large.id}")
    expect(page.locator(".artifact")).to_contain_text("6000.50 USD")
    expect(page.locator(".in-words")).to_have_text("six thousand USD and 50/100")
    page.goto(f"/actions/{small.id}")
    expect(page.locator(".in-words")).to_have_count(0)


def test_a_rejection_names_what_is_wrong(scene: Scene) -> None:
    """The ground is kept as a code in the review and the log; the agent hears no suspicion."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}", java_script_enabled=False)
    page.locator("form#otherwise").evaluate("form => form.noValidate = true")
    expect(page.get_by_label("Wrong amount")).to_be_hidden()
    page.get_by_label("Reason").fill("see the last order")
    page.get_by_text("Reject…").click()
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Choose what is wrong with it")
    expect(page.get_by_label("Wrong amount")).to_be_focused()
    expect(page.get_by_label("Reason")).to_have_value("see the last order")
    page.get_by_label("It looks like fraud").check()
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator(".outcome")).to_contain_text("It looks like fraud")
    assert scene.desk.get(action.id).state is State.REJECTED
    (review,) = scene.desk.show(action.id, by="dana").reviews
    assert review.review.ground is not None
    assert review.review.ground.value == "suspicious"
    entry = scene.desk.show(action.id, by="dana").entries[-1].entry
    assert entry.data["ground"] == "suspicious"
    assert "fraud" not in scene.desk.get(action.id).says


def test_asked_for_changes_it_comes_back_with_what_changed(scene: Scene) -> None:
    """The agent is told what to do; its next try shows the words that differ, and the wish."""
    task = scene.desk.task(ticket="T-101", agent=AGENT)
    first = reply(scene, task, "Hello, we will refund 20.00 USD.")
    page = scene.enter("dana", f"/actions/{first.id}")
    page.get_by_label("Reason").fill("name the order")
    page.get_by_role("button", name="Ask for changes").click()
    expect(page.locator(".outcome h2")).to_have_text("Sent back for changes")
    says = scene.desk.get(first.id).says
    assert "propose it once more in this task" in says
    second = reply(scene, task, "Hello, we will refund 18.50 USD.")
    page.goto(f"/actions/{second.id}")
    found = page.locator("section").filter(has_text="What changed since a person asked for changes")
    expect(found.locator("del")).to_have_text("removed: 20.00 ")
    expect(found.locator("ins")).to_have_text("added: 18.50 ")
    expect(found).to_contain_text("name the order")
    expect(found.get_by_role("link", name="The earlier one")).to_have_attribute(
        "href", f"/actions/{first.id}"
    )


def test_a_correction_is_shown_against_what_it_corrects(scene: Scene) -> None:
    """The next person sees the reviewer's own words marked in the agent's text."""
    task = scene.desk.task(ticket="T-101", agent=AGENT)
    first = reply(scene, task, "Hello, this takes five days.")
    made = scene.desk.edit(first.id, body="Hello, this takes ten days.", by="dana")
    page = scene.enter("sam", f"/actions/{made.id}")
    found = page.locator("section").filter(has_text="What the correction changed")
    expect(found.locator("del")).to_have_text("removed: five ")
    expect(found.locator("ins")).to_have_text("added: ten ")


def test_one_line_unlike_the_ten_before(scene: Scene) -> None:
    """B12: ten credits for one reason, then one for another: that line is named."""
    for n in range(10):
        fields = {"customer": "C-1004", "amount": f"60.{n:02} USD", "reason": "late"}
        made = scene.propose("T-105", "credit.grant", fields)
        by = "dana" if made.control.value == "approve" else "sam"
        scene.desk.review(made.id, "approve", by=by, digest=made.digest)
    fields = {"customer": "C-1004", "amount": "60.77 USD", "reason": "goodwill"}
    odd = scene.propose("T-105", "credit.grant", fields)
    page = scene.enter("sam", f"/actions/{odd.id}")
    expect(page.locator(".unusual h2")).to_have_text("Different from the 10 like it")
    expect(page.locator(".unusual")).to_contain_text("all had the same Reason")
    expect(page.locator(".unusual ins")).to_have_text("added: goodwill")


def test_snoozed_for_one_person_alone(scene: Scene) -> None:
    """It leaves one person's queue until its time; others see it, and the deadline stays."""
    action, other = scene.refund(), scene.reply("Hello")
    before = scene.desk.show(action.id, by="dana").card.proposal
    page = scene.enter("dana", f"/actions/{action.id}", java_script_enabled=False)
    page.get_by_label("Put it off").select_option("hour")
    page.get_by_role("button", name="Snooze").click()
    rows = page.locator(".rows h2 a")
    expect(rows).to_have_count(1)
    expect(rows).to_have_attribute("href", f"/actions/{other.id}")
    colleague = scene.enter("sam", "/")
    expect(colleague.locator(".rows h2 a")).to_have_count(2)
    expect(colleague.get_by_role("link", name="snoozed")).to_have_count(0)
    assert scene.desk.show(action.id, by="dana").card.proposal == before
    page.get_by_role("link", name="1 snoozed").click()
    expect(rows).to_have_attribute("href", f"/actions/{action.id}")
    rows.click()
    expect(page.locator(".later")).to_contain_text("You put this off until")
    page.get_by_role("button", name="Show it in my queue again").click()
    page.goto("/")
    expect(rows).to_have_count(2)


def test_what_is_snoozed_comes_back_in_time(scene: Scene) -> None:
    """At the latest ten minutes before its deadline; with less left it cannot be put off."""
    action = scene.refund()
    with scene.client("dana") as client:
        csrf = csrf_in(client.get("/").text)
        path, form = f"/actions/{action.id}/snooze", {"csrf": csrf, "nap": "latest"}
        assert client.post(path, data=form).status_code == 303
        assert f"/actions/{action.id}" not in client.get("/").text
        deadline = scene.desk.show(action.id, by="dana").card.proposal.decide_by
        assert deadline is not None
        while deadline - scene.clock() > 10 * 60_000:
            scene.clock.ahead_ms += min(30 * 60_000, deadline - scene.clock() - 10 * 60_000 + 1)
            client.get("/held")
        assert f"/actions/{action.id}" in client.get("/").text
        answer = client.post(path, data=form)
        assert (answer.status_code, "snooze_too_late" in answer.text) == (409, True)
        assert client.post(path, data={**form, "nap": "year"}).status_code == 422


def forms_of(client: httpx.Client, path: str) -> list[str]:
    """Every form of a page that posts, as it stands in the HTML."""
    return [
        part.split("</form>")[0]
        for part in client.get(path).text.split("<form ")[1:]
        if 'method="post"' in part.split(">")[0]
    ]


def test_no_form_of_the_lists_approves(scene: Scene) -> None:
    """L7: no list has a form that approves, and no form anywhere names more than one action."""
    ids = [scene.refund().id, scene.large_refund("2400.00 USD").id, scene.reply("Hello").id]
    with scene.client("sam") as client:
        for path in ("/", "/?snoozed=1", "/held", "/ran", "/escalations", "/log"):
            for form in forms_of(client, path):
                assert "approve" not in form, path
                assert sum(id in form for id in ids) <= 1, path
        for id in ids:
            approving = [one for one in forms_of(client, f"/actions/{id}") if "approve" in one]
            assert len(approving) == 1
            assert [other for other in ids if other in approving[0]] == [id]


def test_keys_lead_to_buttons_and_press_none(scene: Scene) -> None:
    """L7: `a` only focuses; held down it does nothing more; `?` lists them; the switch ends all."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}")
    for key, place in KEYS.items():
        page.locator("h1").click()
        page.keyboard.press(key)
        expect(page.locator(f".decide {place}")).to_be_focused()
        page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', repeat: true, bubbles: true, cancelable: true}))"
    )
    assert scene.desk.get(action.id).state is State.PENDING
    page.get_by_role("button", name="Single-key shortcuts").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("a")
    expect(page.locator(".decide button.approve")).not_to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Single-key shortcuts").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("e")
    expect(page).to_have_url(f"{scene.url}/actions/{action.id}/edit")


def test_a_held_key_presses_a_button_once(scene: Scene) -> None:
    """L7: the browser's own repeat of Enter on a focused button is swallowed."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}")
    swallowed = page.locator("button.approve").first.evaluate(
        "button => !button.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', repeat: true, bubbles: true, cancelable: true}))"
    )
    assert swallowed is True
