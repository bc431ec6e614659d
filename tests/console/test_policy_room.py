"""The policy room in a browser: read, edit, propose, approve by another person, make active."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from handrail.core.amendment import AmendmentState
from tests.console.rules import DAY, LOOSER, TIGHTER, amended, check, propose, text_of
from tests.console.scene import PHONE, Scene
from tests.console.test_ways_to_work import tab_to


def test_looser_goes_from_one_person_to_another_and_waits(scene: Scene) -> None:
    """N2: proposed without JavaScript on a phone, approved by another, active after the delay."""
    pat = scene.enter("pat", viewport=PHONE, java_script_enabled=False)
    pat.get_by_role("link", name="Rules").click()
    expect(pat.locator("h1")).to_contain_text("support-desk version 1")
    pat.get_by_role("link", name="Change it").click()
    check(pat, LOOSER)
    expect(pat.locator(".way").first).to_contain_text("Looser 6")
    expect(pat.locator(".way.warn")).to_contain_text(
        "refund.issue in USD, above 50.00 up to 80.00: approve → run and notify, e.g. 65.00 USD"
    )
    expect(pat.locator(".findings")).to_contain_text("another policy owner has to approve it")
    expect(pat.get_by_role("button", name="Make it active now")).to_have_count(0)
    propose(pat, "Propose it to another person")
    expect(pat).to_have_url(re.compile("/policy/proposals/am_"))
    steps = pat.locator(".step-list")
    expect(steps).to_contain_text("Another person than the one who proposed approves it")
    expect(steps.get_by_role("button")).to_have_text(["Reject it"])
    assert scene.refund("60.00 USD").state.value == "PENDING"

    quin = scene.enter("quin", java_script_enabled=False)
    quin.get_by_role("link", name="Rules 1 waiting").click()
    quin.get_by_role("link", name="Look at it").click()
    expect(quin.locator(".letter")).to_have_text("small refunds wait too long")
    quin.get_by_role("button", name="Approve it: 6 looser").click()
    steps = quin.locator(".step-list")
    expect(steps).to_contain_text("it waits 24 h 0 min more")
    expect(steps.get_by_role("button")).to_have_text(["Reject it"])
    scene.clock.ahead_ms += DAY
    quin = scene.enter("quin", quin.url, java_script_enabled=False)
    for _ in range(100):  # the server takes it up by itself, within its next sweep
        if quin.locator("h1 .chip").inner_text() == "Made active":
            break
        quin.wait_for_timeout(100)
        quin.reload()
    expect(quin.locator(".lead")).to_contain_text("Made active by the server, when it was due")
    quin.get_by_role("link", name="Policy", exact=True).click()
    expect(quin.locator("h1")).to_contain_text("version 2")
    expect(quin.locator("main")).to_contain_text("made active by the server")
    quin.get_by_role("link", name="version 1").click()
    expect(quin.locator("h1")).to_contain_text("version 1")


def test_tighter_is_active_at_once(scene: Scene) -> None:
    """N2: one person, one button, and the next refund is decided by it."""
    page = scene.enter("pat")
    check(page, TIGHTER)
    expect(page.locator(".findings")).to_contain_text("It takes nobody else")
    propose(page, "Only propose it")
    expect(page.locator(".step-list")).to_contain_text("Nothing gets looser, so it needs nobody")
    assert scene.desk.ctx.rulebook("main").policy.version == 1
    page.get_by_role("button", name="Make it active now").click()
    expect(page.locator("h1 .chip")).to_have_text("Made active")
    assert scene.small_refund().state.value == "PENDING"


def test_the_editor_by_keyboard(scene: Scene) -> None:
    """From the policy's page to a proposal, without a pointer."""
    page = scene.enter("pat", "/policy")
    tab_to(page, "Change it")
    page.keyboard.press("Enter")
    expect(page.get_by_label("The policy, as YAML")).to_be_visible()
    page.wait_for_load_state()
    page.get_by_label("The policy, as YAML").focus()
    page.keyboard.press("Control+Home")
    for _ in range(2):
        page.keyboard.press("End")
        page.keyboard.press("ArrowDown")
    page.keyboard.type("by_lot: always\n")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".way")).to_contain_text("lot")
    page.wait_for_load_state()
    page.get_by_label("Why should the policy change?").focus()
    page.keyboard.type("fairer")
    tab_to(page, "Only propose it")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/policy/proposals/am_"))


def test_every_problem_has_its_line(scene: Scene) -> None:
    """Errors and warnings stand with their numbers beside the text; a press selects the line."""
    page = scene.enter("pat")
    check(page, ("title: Refund\n", "titel: Refund\n"), ("scope: desk\n", "scope: dask\n"))
    problems = page.locator(".problems li")
    expect(problems.filter(has_text="titel is not a key of a kind")).to_have_count(1)
    expect(page.locator("#propose-title")).to_have_count(0)
    text = page.locator("#text").input_value().split("\n")
    link = problems.filter(has_text="titel").get_by_role("link")
    number = int(link.inner_text().split()[1])
    assert text[number - 1].strip() == "titel: Refund"
    marked = page.locator(f"#line-{number}")
    expect(marked).to_have_class("error")
    expect(marked).to_contain_text(f"Error in line {number}:")
    link.click()
    chosen = "document.activeElement.value.substring(document.activeElement.selectionStart,"
    assert page.evaluate(f"{chosen} document.activeElement.selectionEnd)") == text[number - 1]


def test_lint_knows_the_desk(scene: Scene) -> None:
    """A kind that nothing here serves, and a role that nobody here has, are said with lines."""
    page = scene.enter("pat")
    check(
        page,
        (
            "connector: desk\n    axes: {reversibility: 3",
            "connector: till\n    axes: {reversibility: 3",
        ),
    )
    expect(page.locator(".problems")).to_contain_text(
        "Connector till does not serve account.cancel"
    )
    check(page, ("checkers: 2", "checkers: 5"))
    expect(page.locator(".problems")).to_contain_text("independent people who may check it")


def test_what_was_not_looked_at_is_not_proposed(scene: Scene) -> None:
    """The text, or the active policy, changed after the check: refused, the text is kept."""
    page = scene.enter("pat")
    check(page, TIGHTER)
    field = page.get_by_label("The policy, as YAML")
    field.fill(field.input_value().replace("up_to: 1000.00", "up_to: 900.00"))
    propose(page, "Make it active now")
    expect(page.get_by_role("alert")).to_contain_text("The text changed after it was checked")
    expect(page.get_by_label("The policy, as YAML")).to_have_value(re.compile("up_to: 900.00"))
    expect(page.get_by_label("Why should the policy change?")).to_have_value(
        "small refunds wait too long"
    )
    other = scene.enter("quin")
    check(other, ("recall: 2m", "recall: 3m"))
    propose(other, "Make it active now")
    expect(other.locator("h1 .chip")).to_have_text("Made active")
    propose(page, "Make it active now")
    expect(page.get_by_role("alert")).to_contain_text("Another policy became active meanwhile")
    expect(page.locator("main")).to_contain_text("Its version is 2, and 2 is active")
    assert scene.desk.ctx.rulebook("main").policy.clocks.recall_ms == 180_000


def test_a_reason_and_a_higher_version_are_needed(scene: Scene) -> None:
    """Said beside the text; nothing is proposed."""
    page = scene.enter("pat")
    check(page, LOOSER)
    propose(page, "Propose it", reason="  ")
    expect(page.get_by_role("alert")).to_contain_text("Say in a few words why")
    check(page, ("version: 2", "version: 1"), LOOSER)
    expect(page.locator(".findings")).to_contain_text("raise version")
    expect(page.get_by_role("button", name="Propose it")).to_have_count(0)


def test_a_stale_page_decides_nothing(scene: Scene) -> None:
    """What was shown is what is approved: another active policy in between, and it is refused."""
    proposed = amended(scene, LOOSER, version=3)
    page = scene.enter("quin", f"/policy/proposals/{proposed.id}")
    late = scene.enter("quin", f"/policy/proposals/{proposed.id}")
    other = scene.enter("pat")
    check(other, ("recall: 2m", "recall: 3m"))
    propose(other, "Make it active now")
    expect(other.locator("h1 .chip")).to_have_text("Made active")
    page.get_by_role("button", name="Approve it").click()
    expect(page.locator("h1")).to_have_text("This is not what you saw")
    ctx = scene.desk.ctx
    now = ctx.store.read(lambda tx: tx.amendments.get("main", proposed.id))
    assert now is not None
    assert now.state is AmendmentState.PROPOSED
    page.goto(f"/policy/proposals/{proposed.id}")
    page.get_by_role("button", name="Reject it").click()
    expect(page.locator("h1 .chip")).to_have_text("Rejected")
    late.get_by_role("button", name="Approve it").click()
    expect(late.locator("h1")).to_have_text("Somebody was faster")


def test_who_may_do_what(scene: Scene) -> None:
    """Reviewers see nothing of it, auditors read, and only policy owners write."""
    proposed = amended(scene, LOOSER)
    page = scene.enter("dana", "/")
    expect(page.get_by_role("link", name="Rules")).to_have_attribute("href", "/caps")
    page.get_by_role("link", name="Rules").click()
    expect(page.locator(".tabs a")).to_have_text(["Caps", "Grader"])
    reading = ("", "/proposals", f"/proposals/{proposed.id}", "/try", "/backtest", "/shadow")
    with scene.client("dana") as client:
        for path in (*reading, "/edit", "/versions/1"):
            assert client.get(f"/policy{path}").status_code == 403, path
    with scene.client("ava") as client:
        for path in reading:
            assert client.get(f"/policy{path}").status_code == 200, path
        assert client.get("/policy/edit").status_code == 403
    auditor = scene.enter("ava", f"/policy/proposals/{proposed.id}")
    expect(auditor.locator(".step-list button")).to_have_count(0)
    expect(auditor.locator(".step-list")).to_contain_text("This needs the role policy_owner")
    expect(auditor.locator(".tabs")).not_to_contain_text("Editor")
    auditor.goto("/policy/shadow")
    expect(auditor.locator("main button")).to_have_count(0)


@pytest.mark.parametrize(
    ("person", "path", "status"),
    [
        ("ava", "/policy/propose", 403),
        ("ava", "/policy/edit", 403),
        ("ava", "/policy/shadow", 403),
        ("ava", "/policy/shadow/stop", 403),
        ("ava", "/policy/proposals/{id}", 403),
        ("dana", "/policy/backtest", 403),
        ("dana", "/policy/try", 403),
        ("dana", "/policy/proposals/{id}", 403),
        ("quin", "/policy/proposals/am_0", 404),
        ("quin", "/policy/proposals/{id}", 409),
    ],
)
def test_forms_are_refused(scene: Scene, person: str, path: str, status: int) -> None:
    """By role, by id, and when the page's digests are not those of the proposal."""
    proposed = amended(scene, LOOSER)
    form = {
        "text": text_of(scene, LOOSER),
        "step": "approve",
        "reason": "x",
        "policy": "support-desk",
    }
    if person == "ava":
        row = scene.desk.ctx.rulebook("main").policy.digest
        form |= {"digest": proposed.digest, "base": row, "state": "proposed"}
    with scene.client(person) as client:
        target = path.format(id=proposed.id)
        assert client.post(target, data=form).status_code == 403, "no token"
        found = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
        assert found is not None
        answer = client.post(target, data={**form, "csrf": found.group(1)})
    assert answer.status_code == status, answer.text
    ctx = scene.desk.ctx
    now = ctx.store.read(lambda tx: tx.amendments.open("main"))
    assert [one.state for one in now] == [AmendmentState.PROPOSED]
    assert ctx.store.read(lambda tx: tx.candidates.running("main")) is None
