"""One prompt a case: what waits of one task stands together, and one leads to the next."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.console.scene import AGENT, Scene


def two_of_a_task(scene: Scene) -> list[str]:
    """A refund and a reply of one task, both waiting; and another task's refund between them."""
    task = scene.desk.task(ticket="T-103", agent=AGENT)
    refund = {"order": "O-5003", "amount": "120.00 USD", "reason": "wrong_item"}
    first = scene.desk.propose(task, "refund.issue", refund)
    scene.large_refund("900.00 USD")
    body = {"ticket": "T-103", "body": "Dear Priya, thank you for your patience."}
    second = scene.desk.propose(task, "reply.send", body)
    return [first.id, second.id]


def test_the_queue_has_one_line_a_case(scene: Scene) -> None:
    """The case stands where its most urgent action stands, and names the others."""
    first, second = two_of_a_task(scene)
    page = scene.enter("dana", "/")
    expect(page.locator("h1")).to_contain_text("3 actions wait")
    expect(page.locator("li.row")).to_have_count(2)
    case = page.locator("li.row", has_text="120.00")
    expect(case).to_contain_text("Also waiting in this case")
    link = case.locator(".also a")
    expect(link).to_have_count(1)
    link.click()
    expect(page).to_have_url(f"{scene.url}/actions/{second}")
    expect(page.locator(".also a")).to_have_attribute("href", f"/actions/{first}")


def test_after_one_comes_the_other_of_the_case(scene: Scene) -> None:
    """What is decided leads to what else of the case waits, before anything of another one."""
    first, second = two_of_a_task(scene)
    page = scene.enter("dana", f"/actions/{first}")
    following = page.locator("a.next")
    expect(following).to_have_attribute("href", f"/actions/{second}")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("a.next")).to_have_attribute("href", f"/actions/{second}")


def test_a_case_on_a_phone(scene: Scene) -> None:
    """The nested links can be touched, and nothing is wider than the screen."""
    two_of_a_task(scene)
    page = scene.enter("dana", "/")
    page.set_viewport_size({"width": 390, "height": 844})
    wide = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert wide
    page.locator(".row .also a").click()
    expect(page.locator("main")).to_contain_text("Also waiting in this case")
