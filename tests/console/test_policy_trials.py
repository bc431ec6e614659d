"""Trying a policy in the browser: a supposed action, the desk's own record, a candidate beside."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from handrail.surfaces.console.policy import backtest as policy_backtest
from tests.console.rules import LOOSER, TIGHTER, amended, check, propose
from tests.console.scene import PHONE, Scene


def test_a_supposed_action_is_explained(scene: Scene) -> None:
    """Against the active policy: chosen, filled in, explained; the address can be passed on."""
    page = scene.enter("ava", "/policy/try", viewport=PHONE, java_script_enabled=False)
    page.get_by_label("Kind of action").select_option("refund.issue")
    page.get_by_role("button", name="Choose").click()
    page.get_by_label("amount such as").fill("65.00 USD")
    page.get_by_label("order_owner").fill("C-1")
    page.get_by_label("refundable").fill("100.00 USD")
    page.get_by_role("button", name="Explain it").click()
    found = page.locator("#explanation")
    expect(found).to_contain_text("Waits for one person to approve it.")
    turns = page.locator(".turns")
    expect(turns).to_contain_text("The amount were 50.00 USD: run and notify, G2")
    expect(turns).to_contain_text("The amount were 1000.01 USD: 1 checker, G3")
    page.goto(page.url)
    expect(found).to_contain_text("Waits for one person")
    page.get_by_label("Given to the customer lately").fill("1500.00 USD")
    page.get_by_role("button", name="Explain it").click()
    expect(found).to_contain_text("Waits for one independent checker")
    expect(turns).to_contain_text("The customer had been given nothing lately: approve")
    page.get_by_label("Given to the customer lately").fill("15 chocolates")
    page.get_by_role("button", name="Explain it").click()
    expect(page.get_by_role("alert")).to_contain_text("That could not be tried")


def test_a_supposed_action_against_the_text_in_the_editor(scene: Scene) -> None:
    """The text comes along with every step and back to the editor; one with errors goes back."""
    page = scene.enter("pat", java_script_enabled=False)
    check(page, LOOSER)
    page.get_by_role("button", name="Try an action against it").click()
    page.get_by_label("Kind of action").select_option("refund.issue")
    page.get_by_role("button", name="Choose").click()
    page.get_by_label("amount such as").fill("65.00 USD")
    page.get_by_label("order_owner").fill("C-1")
    page.get_by_label("refundable").fill("100.00 USD")
    page.get_by_role("button", name="Explain it").click()
    expect(page.locator("#explanation")).to_contain_text("Runs at once")
    page.get_by_role("button", name="Back to the editor").click()
    expect(page.get_by_label("The policy, as YAML")).to_have_value(re.compile("up_to: 80.00"))
    page.get_by_label("The policy, as YAML").fill("policy: x")
    page.get_by_role("button", name="Try an action against it").click()
    expect(page.locator(".problems")).to_contain_text("kinds is missing")


def test_a_text_on_the_desks_own_record(scene: Scene) -> None:
    """The refund that ran alone would have asked; charts with the same figures in tables."""
    scene.small_refund()
    scene.refund()
    page = scene.enter("pat", java_script_enabled=False)
    check(page, TIGHTER)
    page.get_by_role("button", name="Backtest it").click()
    result = page.locator(".forecast")
    expect(result).to_contain_text("What support-desk 2 would have done with 2 actions")
    row = result.locator("tr", has=page.get_by_role("rowheader", name="Ran alone", exact=True))
    expect(row.locator("td")).to_have_text(["0", "1, 18.50 USD"])
    chart = result.get_by_role("img", name="Prompts per reviewer, by day")
    expect(chart.locator("rect").first).to_be_visible()
    expect(result.locator("details table").first).to_be_hidden()
    result.locator("summary").first.click()
    expect(result.locator("details table").first).to_be_visible()
    page.get_by_label("Reviewers").fill("2")
    page.get_by_label("The last").select_option("1")
    page.get_by_role("button", name="Run it again").click()
    expect(result).to_contain_text("For 2 reviewers")
    page.get_by_role("button", name="Back to the editor").click()
    expect(page.get_by_label("The policy, as YAML")).to_have_value(re.compile("up_to: 5.00"))


def test_a_pack_and_a_proposal_on_the_desks_own_record(scene: Scene) -> None:
    """By choice instead of by text, also for an auditor; an empty record says so."""
    proposed = amended(scene, LOOSER)
    page = scene.enter("ava", f"/policy/backtest?policy={proposed.id}")
    expect(page.get_by_label("Policy", exact=True)).to_have_value(proposed.id)
    page.get_by_role("button", name="Run it").click()
    expect(page.locator(".empty")).to_contain_text("Nothing was decided on this desk")
    scene.refund("60.00 USD")
    page.get_by_role("button", name="Run it again").click()
    expect(page.locator(".forecast")).to_contain_text("active: support-desk 1")
    page.get_by_label("Policy", exact=True).select_option("active")
    page.get_by_role("button", name="Run it again").click()
    expect(page.locator(".forecast")).not_to_contain_text("beside the active policy")


def test_one_backtest_at_a_time_and_the_desk_goes_on(scene: Scene) -> None:
    """While one is at work a second is told so, and other pages and actions are answered."""
    scene.refund()
    page = scene.enter("pat", "/policy/backtest")
    assert policy_backtest._AT_WORK.acquire(timeout=5)
    try:
        other = scene.enter("quin", "/policy")
        with scene.client("pat") as client:
            token = re.search(r'name="csrf" value="([^"]+)"', client.get("/policy").text)
            assert token is not None
            form = {"csrf": token.group(1), "policy": "active"}
            answer = client.post("/policy/backtest", data=form, timeout=60)
        assert answer.status_code == 503
        assert "Another backtest is at work" in answer.text
        assert scene.small_refund().state.value == "SUCCEEDED"
        expect(other.locator("h1")).to_contain_text("version 1")
    finally:
        policy_backtest._AT_WORK.release()
    page.get_by_role("button", name="Run it").click()
    expect(page.locator(".forecast")).to_contain_text("2 actions")


def test_a_candidate_beside_the_active_policy(scene: Scene) -> None:
    """Started from the editor; what it decides otherwise leads to the action; stopped; kept."""
    page = scene.enter("pat", "/policy/shadow", java_script_enabled=False)
    expect(page.locator("h1")).to_have_text("Nothing decides in shadow")
    check(page, LOOSER)
    page.get_by_role("button", name="Let it decide in shadow").click()
    expect(page.locator("h1")).to_have_text("support-desk decides in shadow")
    action = scene.refund("60.00 USD")
    scene.reply("Hello Dana")
    page.reload()
    expect(page.locator(".tally div", has_text="looser").locator("dd")).to_have_text("1")
    expect(page.locator(".tally div", has_text="the same").locator("dd")).to_have_text("1")
    row = page.locator("tbody tr")
    expect(row).to_contain_text("refund.issue")
    expect(row).to_contain_text("approve, G2")
    expect(row).to_contain_text("run and notify, G2")
    page.get_by_role("link", name="The newest example").click()
    expect(page).to_have_url(re.compile(f"/actions/{action.id}$"))
    page.goto("/policy/shadow")
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator("h1")).to_have_text("Nothing decides in shadow")
    expect(page.locator("#report-title")).to_have_text("The last one: support-desk")
    page.get_by_label("Policy", exact=True).select_option("support-desk-recall")
    page.get_by_role("button", name="Start it").click()
    expect(page.locator("h1")).to_have_text("support-desk-recall decides in shadow")


def test_the_editor_starts_from_a_pack(scene: Scene) -> None:
    """With its comments; what it lacks to be proposed is said."""
    page = scene.enter("pat", "/policy/edit")
    page.get_by_role("link", name="The pack support-desk-recall").click()
    field = page.get_by_label("The policy, as YAML")
    expect(field).to_have_value(re.compile("# The policy `support-desk`, but for replies"))
    page.get_by_role("button", name="Check it").click()
    expect(page.locator(".findings")).to_contain_text("It cannot be proposed like this")
    field.fill(field.input_value().replace("\nversion: 1", "\nversion: 2"))
    page.get_by_role("button", name="Check it").click()
    propose(page, "Propose it to another person")
    expect(page.locator("h1")).to_contain_text("support-desk-recall version 2")


def test_help_names_every_key_there_is(scene: Scene) -> None:
    """Each key of a policy file stands beside the editor, with what it means."""
    page = scene.enter("pat", "/policy/edit")
    shown = page.locator(".help").text_content() or ""
    for key in ("loosening", "halts_agent", "bunching", "value_from", "cleared", "chars_max"):
        assert key in shown
    page.locator(".help summary", has_text="Band").click()
    expect(page.locator(".help")).to_contain_text("The highest amount of this band, included.")
