"""Deciding in the browser: what a click does to the desk, and what it cannot do."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from handrail.core.lifecycle import State
from tests.console.scene import Scene

HOUR_MS = 3_600_000


def test_login_and_logout(scene: Scene) -> None:
    """A wrong password is refused in words; the right one leads to the page that was asked for."""
    action = scene.refund()
    page = scene.page()
    page.goto(f"/actions/{action.id}")
    expect(page).to_have_url(re.compile(r"/login\?next="))
    page.get_by_label("Name").fill("dana")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is not right")
    page.get_by_label("Password").fill(scene.admit("dana"))
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{scene.url}/actions/{action.id}")
    page.get_by_role("button", name="Log out").click()
    expect(page.locator(".notice[role=status]")).to_contain_text("You are logged out")
    page.goto("/")
    expect(page).to_have_url(re.compile("/login"))


def test_approved_refund_moves_the_money(scene: Scene) -> None:
    """The button names what happens; pressing it does that, once, and the page says so."""
    action = scene.refund()
    page = scene.enter("dana")
    expect(page.locator("h1")).to_have_text("1 action waits for a person")
    page.get_by_role("link", name="Refund 120.00 USD").click()
    button = page.get_by_role("button", name="Approve")
    expect(button).to_have_text("Approve: refund 120.00 USD to card ending 0005 of Priya Raman")
    assert scene.shop.balance("P-5003").refunded_minor == 0
    button.click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    expect(page.locator(".outcome")).to_contain_text("Dana Reyes approved")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    assert scene.desk.get(action.id).state is State.SUCCEEDED
    assert scene.shop.balance("P-5003").refunded_minor == 12_000
    page.reload()
    assert scene.shop.balance("P-5003").refunded_minor == 12_000


def test_rejection_needs_a_reason(scene: Scene) -> None:
    """Without a reason the browser stays on the page; with one, nothing runs and it is shown."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}")
    page.get_by_text("Reject…").click()
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_label("Wrong amount")).to_be_focused()
    assert scene.desk.get(action.id).state is State.PENDING
    page.get_by_label("The facts do not support it").check()
    page.get_by_label("Reason").fill("the box was\nopened")
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_role("heading", name="Rejected by a person")).to_be_visible()
    assert page.locator(".outcome .letter").inner_text() == "the box was\nopened"
    assert scene.desk.get(action.id).state is State.REJECTED
    assert scene.shop.balance("P-5003").refunded_minor == 0


def test_missing_reason_is_refused_by_the_server_too(scene: Scene) -> None:
    """A form without the browser's own check comes back with the message beside the field."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}")
    line = page.locator(".artifact .line").filter(has_text="Reason")
    expect(line.get_by_text("wrong item")).to_have_attribute("title", "wrong_item")
    page.locator("form#otherwise").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Ask for changes").click()
    expect(page.get_by_role("alert")).to_have_text("Nothing was decided. Say in a few words why.")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.get_by_label("Reason").fill("69.00 is the old price")
    page.get_by_role("button", name="Ask for changes").click()
    expect(page.locator(".outcome")).to_contain_text("Dana Reyes asked for changes")
    assert scene.desk.get(action.id).state is State.REJECTED


def test_hand_over_opens_an_escalation(scene: Scene) -> None:
    """What a reviewer hands on waits among the escalations until somebody closes it."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}")
    page.get_by_label("Reason").fill("ask the warehouse first")
    page.get_by_role("button", name="Hand to someone else").click()
    expect(page.get_by_role("heading", name="Handed to a person")).to_be_visible()
    page.get_by_role("link", name="Escalations 1").click()
    expect(page.get_by_role("article")).to_contain_text("ask the warehouse first")
    expect(page.get_by_role("article")).to_contain_text("due in 3 h 59 min")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("h1")).to_have_text("No escalation is open")
    assert scene.desk.get(action.id).state is State.ESCALATED


def test_undo_with_one_click(scene: Scene) -> None:
    """A small refund ran alone; one click takes it back, and a second one is not offered."""
    action = scene.small_refund()
    assert scene.shop.balance("P-5001").refunded_minor == 1_850
    page = scene.enter("dana", "/ran")
    page.get_by_role("button", name="Undo: refund 18.50 USD to card ending 4242").click()
    expect(page.get_by_role("status")).to_contain_text("Undo: done.")
    expect(page.get_by_role("link", name="Undone already")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert scene.shop.balance("P-5001").refunded_minor == 0
    page.get_by_role("link", name="Refund 18.50 USD").click()
    expect(page.locator(".outcome")).to_contain_text("has been undone since")
    assert scene.desk.get(action.id).state is State.SUCCEEDED


def test_a_late_undo_is_asked_for(scene: Scene) -> None:
    """After the window the page says so, and one click asks a colleague instead of undoing."""
    action = scene.small_refund()
    page = scene.enter("dana", "/ran")
    scene.clock.ahead_ms = 25 * HOUR_MS
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile("/login"))
    page = scene.enter("dana", "/ran")
    expect(page.locator(".undo")).to_contain_text("one-click undo ended 1 h ago")
    expect(page.locator(".undo")).to_contain_text("a colleague must approve")
    page.get_by_role("button", name="Ask to undo: refund 18.50 USD").click()
    expect(page.get_by_role("status")).to_be_visible()
    (waiting,) = scene.desk.queue()
    assert waiting.proposal.undoes == action.id
    assert scene.shop.balance("P-5001").refunded_minor == 1_850


def test_owner_of_the_agent_cannot_approve(scene: Scene) -> None:
    """The button is not there, the reason is; a form made by hand is refused as well."""
    action = scene.refund()
    page = scene.enter("lee", f"/actions/{action.id}")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    note = page.get_by_role("note").filter(has_text="You cannot approve this")
    expect(note).to_contain_text("You made this action or answer for its agent")
    page.locator("button[value=reject]").evaluate(
        "button => { button.value = 'approve'; button.formNoValidate = true; }"
    )
    page.get_by_text("Reject…").click()
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator("h1")).to_have_text("You cannot approve this one")
    assert scene.desk.get(action.id).state is State.PENDING


def test_who_does_not_review_has_no_buttons(scene: Scene) -> None:
    """An auditor reads everything and decides nothing."""
    action, _ = scene.refund(), scene.small_refund()
    page = scene.enter("ava", f"/actions/{action.id}")
    expect(page.locator(".decide")).to_contain_text("Your role does not review actions")
    expect(page.locator(".decide button")).to_have_count(0)
    page.goto("/ran")
    expect(page.locator(".undo button")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("your role does not undo actions")


def test_two_checkers_blind_to_each_other(scene: Scene) -> None:
    """Above 5,000 USD two decide; the second sees no trace of the first before both have."""
    action = scene.large_refund("6000.00 USD")
    low = scene.enter("chris", f"/actions/{action.id}")
    expect(low.locator(".decide")).to_contain_text("6000.00 USD is above your limit")
    first = scene.enter("sam", f"/actions/{action.id}")
    expect(first.locator(".decide")).to_contain_text("It takes two independent checkers")
    first.get_by_label("Type the amount once more").fill("6000 usd")
    first.get_by_role("button", name="Approve").click()
    expect(first.locator(".decide")).to_contain_text("It waits for a further checker")
    buttons = first.locator(".decide form:not(.later) button")
    expect(buttons).to_have_text(["Take it back"])
    assert scene.desk.get(action.id).state is State.PENDING
    second = scene.enter("kim", "/")
    for path in ("/", f"/log/{action.id}", "/log?customer=C-1005", f"/actions/{action.id}"):
        second.goto(path)
        rows = second.locator("main :not(.filter, .filter *)").filter(has_text="Sam")
        assert rows.count() == 0, path
    second.goto("/log?person=sam")
    assert set(second.locator("tbody tr b").all_inner_texts()) == {"Logged in"}
    second.goto("/log")
    expect(second.locator("tbody")).to_contain_text("Not shown before the action is decided")
    second.goto(f"/actions/{action.id}")
    second.get_by_label("Type the amount once more").fill("6,000.00 USD")
    second.get_by_role("button", name="Approve").click()
    expect(second.locator(".outcome")).to_contain_text("Sam Novak approved")
    expect(second.locator(".outcome")).to_contain_text("Kim Osei approved")
    assert scene.shop.balance("P-5005").refunded_minor == 600_000


def test_stale_page_is_refused(scene: Scene) -> None:
    """M9: a verdict on something else than what is stored decides nothing; no reason is lost."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}")
    page.locator("#decision input[name=digest]").evaluate("field => field.value = '0'.repeat(64)")
    page.get_by_label("Reason").fill("looks right to me")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("h1")).to_have_text("This is not what you saw")
    expect(page.locator("main")).to_contain_text("looks right to me")
    assert scene.desk.get(action.id).state is State.PENDING
    page.get_by_role("link", name="Open the action again").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()


def test_second_to_click_learns_who_was_first(scene: Scene) -> None:
    """Two people with the same page open: one decides, the other is told what happened."""
    action = scene.refund()
    # With a script an open page would have said so by itself.
    slow = scene.enter("dana", f"/actions/{action.id}", java_script_enabled=False)
    fast = scene.enter("sam", f"/actions/{action.id}")
    fast.get_by_text("Reject…").click()
    fast.get_by_label("Something else").check()
    fast.get_by_label("Reason").fill("no")
    fast.get_by_role("button", name="Reject", exact=True).click()
    expect(fast.locator(".outcome")).to_be_visible()
    slow.get_by_role("button", name="Approve").click()
    expect(slow.locator("h1")).to_have_text("Somebody was faster")
    expect(slow.locator("main")).to_contain_text("Sam Novak rejected")
    assert scene.shop.balance("P-5003").refunded_minor == 0


def test_expired_action_runs_nothing(scene: Scene) -> None:
    """When nobody decides, the page says that it expired and that nothing ran.

    Without a script: with one, the open page hears of the end and its buttons rest.
    """
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}", java_script_enabled=False)
    expect(page.locator(".decide")).to_contain_text("it expires and nothing runs")
    for _ in range(5):
        scene.clock.ahead_ms += 48 * 60_000
        # Another tab keeps the session in use meanwhile.
        page.request.get("/held")
    page.get_by_role("button", name="Approve").click()
    refused = re.compile("The time to decide is over|Somebody was faster")
    expect(page.locator("h1")).to_have_text(refused)
    scene.desk.work()
    page.goto(f"/actions/{action.id}")
    expect(page.locator(".outcome")).to_contain_text("Nobody decided in time, so nothing ran")
    assert scene.shop.balance("P-5003").refunded_minor == 0


def test_what_one_may_approve_is_said_and_comes_next(scene: Scene) -> None:
    """A new reviewer is led past what only a checker may approve, and past what was put off."""
    scene.large_refund("2400.00 USD")
    first, second = scene.refund(), scene.reply("Hello Dana")
    page = scene.enter("dana")
    expect(page.locator(".yours")).to_have_text("2 are yours to approve. Show only those")
    expect(page.locator(".legend")).to_contain_text("G3 severe")
    page.get_by_role("link", name="Show only those").click()
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator(".yours")).to_have_count(0)
    page.goto(f"/actions/{first.id}")
    expect(page.get_by_role("link", name="Next: Send a reply")).to_be_visible()
    page.goto(f"/actions/{second.id}")
    page.get_by_role("button", name="Snooze").click()
    expect(page).to_have_url(f"{scene.url}/")
    page.goto(f"/actions/{first.id}")
    expect(page.get_by_role("link", name="Next: Refund 2400.00 USD")).to_be_visible()
    reader = scene.enter("pat")
    expect(reader.locator(".yours")).to_contain_text("None of these is yours to approve.")


def test_next_in_the_queue_is_offered(scene: Scene) -> None:
    """After a decision the next waiting action is one step away."""
    first, second = scene.refund(), scene.reply("Hello Dana")
    page = scene.enter("dana", f"/actions/{first.id}")
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("link", name="Next in the queue: Send a reply").click()
    expect(page).to_have_url(f"{scene.url}/actions/{second.id}")
    page.get_by_role("button", name="Approve: send this message to dana.whitfield").click()
    expect(page.get_by_role("link", name="Nothing further waits")).to_be_visible()
    assert [mail.body for mail in scene.shop.mailbox()] == ["Hello Dana"]
