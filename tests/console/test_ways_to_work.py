"""Keyboard only, without JavaScript, on a phone, with the page left open: all ways to work."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from handrail.core.lifecycle import State
from tests.console.scene import PHONE, Scene


def focused(page: Page) -> str:
    """The words of what has the focus."""
    found: str = page.evaluate("document.activeElement.textContent.trim()")
    return found


def tab_to(page: Page, words: str) -> None:
    """Press Tab until something that begins with these words has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page).startswith(words):
            return
    raise AssertionError(f"Tab never reached `{words}`")


def test_keyboard_alone_is_enough(scene: Scene) -> None:
    """From the login to the decision without a pointer; j and k move, Enter opens."""
    scene.reply("Hello Dana")
    refund = scene.refund()
    page = scene.page()
    page.goto("/login")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("dana")
    page.keyboard.press("Tab")
    page.keyboard.type(scene.admit("dana"))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("2 actions wait for a person")
    # The script shows this switch: from here on it listens.
    expect(page.get_by_role("button", name="Single-key shortcuts")).to_be_visible()
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("j")
    assert focused(page) == "Refund 120.00 USD"
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert focused(page) == "Send a reply"
    page.keyboard.press("k")
    assert focused(page) == "Refund 120.00 USD"
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{scene.url}/actions/{refund.id}")
    page.wait_for_load_state()
    tab_to(page, "Approve: refund 120.00 USD")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert scene.shop.balance("P-5003").refunded_minor == 12_000


def test_single_keys_can_be_turned_off(scene: Scene) -> None:
    """The switch at the foot of the page silences them, and is remembered."""
    scene.refund()
    page = scene.enter("dana")
    page.get_by_role("button", name="Single-key shortcuts").click()
    page.reload()
    page.keyboard.press("j")
    assert focused(page) != "Refund 120.00 USD"
    page.get_by_role("button", name="Single-key shortcuts").click()
    page.keyboard.press("j")
    assert focused(page) == "Refund 120.00 USD"


def test_everything_works_without_javascript(scene: Scene) -> None:
    """Log in, approve, reject, undo, filter the log and log out, with scripts switched off."""
    refund, reply, _ = scene.refund(), scene.reply("Hello Dana"), scene.small_refund()
    page = scene.page(java_script_enabled=False)
    page.goto("/")
    page.get_by_label("Name").fill("dana")
    page.get_by_label("Password").fill(scene.admit("dana"))
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Refund 120.00 USD").click()
    page.wait_for_load_state("networkidle")
    # A sign that was not loaded, or is not in the sprite, has no width.
    for icon in page.locator("svg.icon use").all():
        assert icon.evaluate("one => one.getBBox().width") > 0
    assert page.locator(".state .chip .icon").count() == 1
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("link", name="Next in the queue").click()
    page.get_by_text("Reject…").click()
    page.get_by_label("The message is wrong or unkind").check()
    page.get_by_label("Reason").fill("wrong tone")
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator(".outcome")).to_contain_text("wrong tone")
    page.get_by_role("link", name="Ran alone").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undo: done.")
    page.get_by_role("link", name="Log", exact=True).click()
    page.get_by_label("What this person did").select_option("dana")
    page.get_by_role("button", name="Show").click()
    rejected = page.locator("tbody tr").filter(has_text="Rejected")
    expect(rejected).to_have_count(1)
    expect(rejected).to_contain_text("Ground The message is wrong or unkind")
    expect(rejected.get_by_title("REJECTED")).to_have_text("Rejected by a person")
    expect(page.locator("tbody tr").filter(has_text="Task issued")).to_have_count(0)
    page.get_by_role("button", name="Log out").click()
    assert scene.desk.get(refund.id).state is State.SUCCEEDED
    assert scene.desk.get(reply.id).state is State.REJECTED
    assert scene.shop.balance("P-5001").refunded_minor == 0


def test_phone_has_the_decision_at_hand(scene: Scene) -> None:
    """On a phone the approve button stays at the bottom of the screen, the rest is one tap away."""
    action = scene.refund()
    page = scene.enter("dana", f"/actions/{action.id}", viewport=PHONE, has_touch=True)
    button = page.get_by_role("button", name="Approve: refund 120.00 USD")
    expect(button).to_have_count(1)
    expect(button).to_be_in_viewport()
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    page.get_by_role("link", name="Reject or other").tap()
    expect(page.get_by_label("Reason")).to_be_in_viewport()
    expect(button).to_be_in_viewport()
    button.tap()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()


def test_long_queue_has_pages(scene: Scene) -> None:
    """Fifty a page, the most urgent first; the next page goes on where the last one ended."""
    for n in range(53):
        scene.reply(f"message {n}")
    page = scene.enter("dana")
    expect(page.locator(".row")).to_have_count(50)
    first = page.locator(".row a").evaluate_all("all => all.map((one) => one.pathname)")
    page.get_by_role("link", name="Next page").click()
    expect(page.locator(".row")).to_have_count(3)
    second = page.locator(".row a").evaluate_all("all => all.map((one) => one.pathname)")
    waiting = [f"/actions/{card.proposal.id}" for card in scene.desk.queue(most=60)]
    assert first + second == waiting
    page.get_by_role("link", name="First page").click()
    expect(page.locator(".row")).to_have_count(50)


def test_caps_and_counts_are_in_words(scene: Scene) -> None:
    """Each cap shows what is taken of it as text, and each state how many actions are in it."""
    scene.small_refund()
    scene.refund()
    page = scene.enter("dana", "/caps")
    cap = page.locator(".caps li").filter(has_text="within 30 days").filter(has_text="USD")
    expect(cap).to_contain_text("10000.00 USD within 30 days, for each customer")
    expect(cap.locator(".share")).to_have_text("C-1001 18.50 USD under 1 %")
    expect(page.locator(".tally div").filter(has_text="Waiting for a person")).to_contain_text("1")


def test_log_of_an_action_has_every_entry(scene: Scene) -> None:
    """One action's life in order: who, what, when, and the entry as it is hashed."""
    action = scene.refund()
    scene.approved(action, by="dana")
    page = scene.enter("dana", f"/log/{action.id}")
    said = page.locator("tbody tr b").all_inner_texts()
    assert said == ["Proposed", "Approved", "About to be carried out", "Carried out"]
    entry = page.locator("tbody tr").nth(1)
    expect(entry).to_contain_text("Dana Reyes")
    entry.locator("summary").click()
    expect(entry.locator(".code")).to_contain_text('"tag":"action.approved"')
