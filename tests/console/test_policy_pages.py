"""What holds on every page of the policy room, also when the policy itself is hostile."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from handrail.core.policy import CheckRule, Otherwise, Policy
from handrail.engine.governing.amendment import reject_unit
from handrail.engine.governing.candidates import follow_candidates, start_unit
from handrail.policy.loader import digest_policy, load
from tests.console.rules import LOOSER, TIGHTER, amended, check, propose
from tests.console.scene import Scene, scene_in
from tests.console.test_every_page import (
    ADDRESSES,
    COLOURS,
    DANGLING,
    EVIL,
    LONG,
    LOOKS,
    MARKUP,
    RULES,
    violations,
)


def hostile() -> Policy:
    """The pack with markup and hidden characters in its texts, as nobody's lint let it in."""
    pack = load("support-desk")
    rule = pack.kinds["refund.issue"]
    said = CheckRule(
        name="sane",
        require="params.amount.minor < 100 || 'a' != '\u202eb'",
        otherwise=Otherwise.FLAG,
        reviewer=EVIL,
        agent=LONG,
    )
    kind = msgspec.structs.replace(rule.kind, title=EVIL)
    changed = msgspec.structs.replace(rule, kind=kind, checks=(said,))
    kinds = {**pack.kinds, "refund.issue": changed}
    policy: Policy = msgspec.structs.replace(pack, name=EVIL, kinds=kinds)
    policy = msgspec.structs.replace(policy, digest=digest_policy(policy))
    return policy


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Scene]:
    """A desk under a hostile policy, on which everything that can be done with policies was."""
    with scene_in(tmp_path_factory.mktemp("ruled"), browser, policy=hostile()) as scene:
        ctx = scene.desk.ctx
        scene.small_refund()
        scene.propose("T-101", "gift.send", {"body": EVIL}, EVIL)
        calm = load("support-desk")
        ctx.store.write(start_unit(ctx, "main", calm, by="pat"))
        follow_candidates(ctx)
        scene.refund()
        page = scene.enter("pat")
        page.goto("/policy/edit?from=support-desk")
        field = page.get_by_label("The policy, as YAML")
        text = field.input_value().replace("version: 1", "version: 2").replace("50.00", "80.00")
        field.fill(text)
        page.get_by_role("button", name="Check it").click()
        propose(page, "Propose it to another person", reason=f"{EVIL} {LONG}")
        expect(page).to_have_url(re.compile("/policy/proposals/am_"))
        page.context.close()
        scene.contexts.pop()
        yield scene


def _to(path: str) -> Callable[[Scene, Page], None]:
    def go(scene: Scene, page: Page) -> None:
        page.goto(path)

    return go


def _proposal(scene: Scene, page: Page) -> None:
    found = scene.desk.ctx.store.read(lambda tx: tx.amendments.open("main"))
    page.goto(f"/policy/proposals/{found[0].id}")


def _checked(scene: Scene, page: Page) -> None:
    page.goto("/policy/edit?from=support-desk")
    page.get_by_role("button", name="Check it").click()
    expect(page.locator("#changes-title")).to_be_visible()


def _wrong(scene: Scene, page: Page) -> None:
    page.goto("/policy/edit?from=support-desk")
    field = page.get_by_label("The policy, as YAML")
    field.fill(f"{field.input_value()}\n{LONG}: {EVIL}\n  - {MARKUP}")
    page.get_by_role("button", name="Check it").click()
    expect(page.locator(".problems")).to_be_visible()


def _supposed(scene: Scene, page: Page) -> None:
    page.goto("/policy/edit?from=support-desk")
    page.get_by_role("button", name="Try an action against it").click()
    expect(page.locator("h1")).to_have_text("Try an action")


def _backtested(scene: Scene, page: Page) -> None:
    page.goto("/policy/backtest?policy=support-desk-recall")
    page.get_by_role("button", name="Run it").click()
    expect(page.locator(".forecast")).to_be_visible()


EXPLAINED: Final = (
    "/policy/try?kind=refund.issue&ask=1&lane=support&claim=G3&earlier=20.00+USD"
    "&p.amount=65.00+USD&p.reason=late&f.refundable=%3Cscript%3E%E2%80%AE"
)
STATES: Final[dict[str, Callable[[Scene, Page], None]]] = {
    "policy": _to("/policy"),
    "version": _to("/policy/versions/1"),
    "no version": _to("/policy/versions/%3Cscript%3E"),
    "editor": _to("/policy/edit"),
    "checked": _checked,
    "wrong": _wrong,
    "proposals": _to("/policy/proposals"),
    "proposal": _proposal,
    "try": _to("/policy/try"),
    "chosen": _to("/policy/try?kind=refund.issue"),
    "explained": _to(EXPLAINED),
    "not explained": _to("/policy/try?kind=refund.issue&ask=1&p.amount=%3Cscript%3E"),
    "supposed": _supposed,
    "backtest": _to("/policy/backtest?policy=%3Cscript%3E"),
    "backtested": _backtested,
    "shadow": _to("/policy/shadow"),
    "caps": _to("/caps"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_pages_are_accessible_and_in_bounds(ruled: Scene, look: str) -> None:
    """In every state, with its folds open: axe finds nothing, and nothing sticks out sideways."""
    options: dict[str, Any] = LOOKS[look]
    page = ruled.enter("quin", **options)
    for name, go in STATES.items():
        go(ruled, page)
        page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
        rules = COLOURS if look == "dark" else RULES
        assert violations(page, rules) == [], f"{name}, {look}"
        widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert widths[0] <= widths[1], f"{name}, {look}"


def test_nothing_hostile_comes_alive(ruled: Scene) -> None:
    """A title, a sentence, a reason and a text full of markup are text, and what hides is seen."""
    page = ruled.enter("quin")
    seen = ""
    for name, go in STATES.items():
        go(ruled, page)
        assert page.evaluate("window.hurt") is None, name
        assert page.evaluate(DANGLING) == 0, name
        assert page.locator("img:not(.brand img), svg[onload], main script").count() == 0, name
        for address in page.evaluate(ADDRESSES):
            assert re.match(r"/(?!/)|#", address), f"{name}: {address}"
        seen += page.locator("main").inner_html()
        assert "\u202e" not in page.content(), name
        assert "\u200b" not in page.content(), name
    for part in ("&lt;script&gt;window.hurt=1", "{{ 7*7 }}", "[U+202E]", "[U+200B]"):
        assert part in seen


def test_a_closed_proposal_has_no_buttons(scene: Scene) -> None:
    """What was rejected is shown with who did it, and offers nothing."""
    found = amended(scene, LOOSER)
    scene.desk.ctx.store.write(reject_unit("main", found.id, by="quin"))
    page = scene.enter("pat", f"/policy/proposals/{found.id}")
    expect(page.locator("h1 .chip")).to_have_text("Rejected")
    expect(page.locator(".lead")).to_contain_text("Rejected by quin")
    expect(page.locator(".step-list")).to_have_count(0)
    page.goto("/policy/proposals")
    expect(page.locator("#closed-title")).to_be_visible()
    check(page, TIGHTER)
    expect(page.locator(".way")).to_have_count(1)
