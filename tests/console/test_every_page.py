"""What holds on every page: accessible, in bounds, same-origin, and nothing hostile comes alive."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect

from handrail.connectors.protocol import Prepared, Receipt
from handrail.connectors.sandbox import Sandbox
from handrail.core.action import Params
from handrail.core.artifact import Fact, Line
from handrail.core.snooze import Nap
from handrail.engine.deciding.snooze import snooze_unit
from handrail.surfaces.embedded import Action
from tests.console.scene import AGENT, PHONE, Scene, scene_in

AXE: Final = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS: Final = ["color-contrast", "link-in-text-block"]
"""What a change of colours alone can break."""
MARKUP: Final = (
    "\"'><script>window.hurt=1</script><img src=x onerror='window.hurt=1'>"
    "</textarea></title>{{ 7*7 }}<svg onload=window.hurt=1>"
)
EVIL: Final = f"{MARKUP}\u202ecod\u200b.exe\u202c p\u0430ypal"
LONG: Final = "w" * 180
GRADED: Final = (
    "/grader?reversibility=2&blast_radius=1&stakes=3&catchable=unsure&undo=yes&money=yes"
)
ADDRESSES: Final = """
  [...document.querySelectorAll('[href], [src], [action], [formaction], [poster], [data-live]')]
    .flatMap((one) => ['href', 'src', 'action', 'formaction', 'poster', 'data-live']
      .map((name) => one.getAttribute(name)).filter((value) => value !== null))
"""
DANGLING: Final = """
  [...document.querySelectorAll('*')].filter((one) => one.hasAttribute('style')
    || [...one.attributes].some((attribute) => attribute.name.startsWith('on'))
    || (one.tagName === 'SCRIPT' && !one.src) || one.tagName === 'STYLE').length
"""


class HostileDesk(Sandbox):
    """An embedded desk whose records hold markup and hidden characters in every place."""

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        prepared = super().prepare(kind, params, now=now)
        if kind in ("reply.draft", "draft.discard"):
            return prepared  # with facts against them these would not run alone
        evil = (
            Fact(name=EVIL, value=EVIL, source=EVIL, against=f"`{EVIL}` {EVIL}"),
            Fact(name="unread", value=None, source=LONG),
        )
        return Prepared(
            customer=prepared.customer,
            request=prepared.request,
            value=prepared.value,
            facts=(*prepared.facts, *evil),
            missing=prepared.missing,
        )

    def execute(self, kind: str, request: Any, key: str, *, now: int) -> Receipt:
        receipt = super().execute(kind, request, key, now=now)
        if kind != "ticket.read":
            return receipt
        said = {"author": EVIL, "sender": EVIL, "body": f"{EVIL}\n{LONG}", "sent_at": now}
        return Receipt(result={**receipt.result, "messages": [said] * 5})

    def preview(self, kind: str, request: Any) -> list[Line]:
        evil = [Line(label=EVIL, text=EVIL), Line(label="To", text=f"{EVIL}\n{LONG}")]
        return [*super().preview(kind, request), *evil]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Scene]:
    """A desk on which everything hostile has happened."""
    folder = tmp_path_factory.mktemp("busy")
    with (
        HostileDesk.open(folder / "shop.db") as shop,
        scene_in(folder, browser, {"desk": shop}) as scene,
    ):
        scene.desk.person("evil", name=EVIL[:100], roles=("reviewer",))
        yield scene


def _decided(busy: Scene) -> dict[str, str]:
    """Pages on which something was decided just now, was put off, or comes a second time."""
    large, leaving = busy.large_refund("6000.50 USD"), busy.refund("21.00 USD")
    busy.desk.review(
        leaving.id, "approve", by="dana", digest=leaving.digest, take_back_ms=3_600_000
    )
    again = busy.desk.task(ticket="T-101", agent=AGENT)
    bodies = ({"ticket": "T-101", "body": f"{body} {EVIL}\n{LONG}"} for body in ("one", "two"))
    first = busy.desk.propose(again, "reply.send", next(bodies))
    busy.desk.review(
        first.id, "request_changes", by="evil", digest=first.digest, reason=f"{EVIL} {LONG}"
    )
    tried = busy.desk.propose(again, "reply.send", next(bodies))
    busy.desk.ctx.store.write(snooze_unit("main", large.id, person="dana", nap=Nap.HOUR))
    return {
        "large": f"/actions/{large.id}",
        "leaving": f"/actions/{leaving.id}",
        "sent back": f"/actions/{first.id}",
        "tried": f"/actions/{tried.id}",
        "snoozed": "/?snoozed=1",
    }


def written(busy: Scene) -> dict[str, str]:
    """Replies with files, with HTML that is shown in a frame, and with such as nobody can tell."""
    link = f'<a href="https://{LONG[:60]}.test/{LONG}">{LONG}.test</a>'
    html = {"with HTML": f"<p>{LONG} <b>said</b> {link}</p>", "with bad HTML": f"{EVIL} {LONG}"}
    actions = {
        name: busy.propose("T-103", "reply.send", {"ticket": "T-103", "body": EVIL, "html": one})
        for name, one in html.items()
    }
    actions["with files"] = attached(busy)
    return {name: f"/actions/{action.id}" for name, action in actions.items()}


def attached(busy: Scene) -> Action:
    """A reply with two hostile attachments."""
    files = [
        {"name": f"{name}.txt", "type": "text/plain", "content": b64encode(data).decode()}
        for name, data in ((MARKUP.replace("/", "|"), MARKUP.encode()), (LONG, EVIL.encode()))
    ]
    fields: dict[str, Any] = {"ticket": "T-102", "body": MARKUP, "attachments": files}
    return busy.propose("T-102", "reply.send", fields, EVIL)


@pytest.fixture(scope="module")
def paths(busy: Scene) -> dict[str, str]:
    """Every page of the console by name, with actions in many states."""
    waiting = busy.reply(f"{EVIL}\n\n{LONG}", note=EVIL)
    done, rejected = busy.refund("20.00 USD", note=EVIL), busy.large_refund("2400.00 USD")
    busy.desk.review(done.id, "approve", by="dana", digest=done.digest)
    said = f"{EVIL} {LONG}"
    busy.desk.review(rejected.id, "reject", by="evil", digest=rejected.digest, reason=said)
    strange = busy.propose("T-101", "gift.send", {"body": EVIL, LONG: LONG}, EVIL)
    ran = busy.propose("T-102", "reply.draft", {"ticket": "T-102", "body": MARKUP})
    undone = busy.propose("T-101", "reply.draft", {"ticket": "T-101", "body": LONG})
    busy.desk.undo(undone.id, by="dana")
    task = busy.desk.task(ticket="T-108", agent=AGENT)
    handed = busy.desk.escalate(task, said)
    busy.desk.halt("customer", f"C-{MARKUP}", by="sam", reason=said)
    busy.desk.checkpoint()
    return {
        **_decided(busy),
        "queue": "/",
        "queue, sifted": "/?find=T-101&grade=G2&mine=yes",
        "queue, nothing like that": "/?find=%3Cscript%3E&agent=%22%27%3E&kind=%3Cb%3E",
        "queue, a bad filter": "/?at_least=%3Cscript%3E",
        "waiting": f"/actions/{waiting.id}",
        **written(busy),
        "done": f"/actions/{done.id}",
        "rejected": f"/actions/{rejected.id}",
        "strange": f"/actions/{strange.id}",
        "ran": "/ran",
        "ran action": f"/actions/{ran.id}",
        "undone": f"/actions/{undone.id}",
        "log": "/log",
        "log of a person": "/log?person=evil",
        "log of a stranger": "/log?customer=" + "nobody",
        "log of an action": f"/log/{rejected.id}",
        **audited(busy, waiting.id, rejected.id),
        "caps": "/caps",
        "grader": "/grader",
        "graded": GRADED,
        "half graded": "/grader?reversibility=2&stakes=%3Cscript%3E&undo=%22%27%3E",
        "edit": f"/actions/{waiting.id}/edit",
        "escalations": "/escalations",
        "escalation": f"/escalations/{handed.id}",
        "held": "/held",
        "attention": "/attention",
        "sessions": "/sessions",
        "passkeys": "/passkeys",
        "halts": "/halts?scope=agent&target=%3Cscript%3E",
        "no such action": "/actions/hr_0",
        "no such page": "/nothing/here",
    }


def audited(scene: Scene, waiting: str, rejected: str) -> dict[str, str]:
    """What an auditor opens, by name."""
    ref = scene.desk.show(waiting, by="dana").card.proposal.subject
    return {
        "questions": "/audit",
        "what was said": "/audit?customer=C-1001",
        "who approved": "/audit?what=T-103&amount=20.00+USD",
        "a bad amount": "/audit?what=%3Cscript%3E&amount=%3Cscript%3E",
        "life": f"/audit/actions/{rejected}",
        "life of what waits": f"/audit/actions/{waiting}",
        "life of a customer": f"/audit/customers/{ref}",
        "ran alone of one": "/ran?kind=reply.draft&agent=scout&customer=%3Cscript%3E",
    }


def violations(page: Page, rules: list[str]) -> list[str]:
    """What axe has against the page, a line each."""
    page.evaluate(AXE)
    found = page.evaluate(f"axe.run({{runOnly: {rules}}})")["violations"]
    return [f"{one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in found]


ONE_OF_EACH: Final = set(
    "queue waiting edit rejected ran log caps graded escalations escalation held halts"
    " sessions life large leaving tried snoozed".split()
)
"""One page of each make; axe takes its time."""
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_pages_are_accessible_and_in_bounds(busy: Scene, paths: dict[str, str], look: str) -> None:
    """On every page, with its folds open: axe finds nothing, and nothing sticks out sideways."""
    page = busy.enter("dana", **LOOKS[look])
    rules = COLOURS if look == "dark" else RULES
    for name, path in paths.items():
        page.goto(path)
        page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
        if look == "light" or name in ONE_OF_EACH:
            assert violations(page, rules) == [], f"{name}, {look}"
        widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert widths[0] <= widths[1], f"{name}, {look}"
    page.context.clear_cookies()
    page.goto("/login")
    assert violations(page, rules) == []


def test_dark_follows_the_system(busy: Scene) -> None:
    """The same page is light on a light system and dark on a dark one."""
    brightness = {}
    for scheme in ("light", "dark"):
        page = busy.enter("dana", color_scheme=scheme)
        colour = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        brightness[scheme] = sum(int(part) for part in re.findall(r"\d+", colour)[:3])
    assert brightness["dark"] < 150 < 600 < brightness["light"]


def test_nothing_hostile_comes_alive(busy: Scene, paths: dict[str, str]) -> None:
    """M2: markup in every field is text: no script runs, nothing appears, no address is foreign."""
    page = busy.enter("dana")
    seen = ""
    for name, path in paths.items():
        page.goto(path)
        assert page.evaluate("window.hurt") is None, name
        assert page.evaluate(DANGLING) == 0, name
        assert page.locator("img:not(.brand img), svg[onload], main script").count() == 0, name
        addresses = page.evaluate(ADDRESSES)
        assert addresses, name
        for address in addresses:
            assert re.match(r"/(?!/)|#", address), f"{name}: {address}"
        seen += page.locator("main").inner_html()
        assert "\u202e" not in page.content(), name
        assert "\u200b" not in page.content(), name
    for part in ("&lt;script&gt;window.hurt=1", "{{ 7*7 }}", "[U+202E]", "[U+200B]"):
        assert part in seen


def test_hostile_note_is_folded_and_absent_at_g3(busy: Scene, paths: dict[str, str]) -> None:
    """B11, L5: the agent's prose is folded under a label, and kept back from a G3 decision."""
    page = busy.enter("dana", paths["done"])
    fold = page.locator("details").filter(has_text="Written by the agent, not checked")
    expect(fold).to_have_count(1)
    expect(fold.locator(".letter")).to_be_hidden()
    fold.locator("summary").click()
    expect(fold.locator(".letter")).to_be_visible()
    page.goto(paths["strange"])
    expect(page.locator("details").filter(has_text="Written by the agent")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("the agent's own words are kept back")


def test_hidden_characters_are_visible(scene: Scene) -> None:
    """Invisible and bidirectional characters are tokens, look-alikes are marked, with a note."""
    body = "Pay\u200b at https://p\u0430ypal.example\u202e/x\u202c\n\tsoon,   please" + "\u2060" * 9
    page = scene.enter("dana", f"/actions/{scene.reply(body).id}")
    letter = page.locator(".artifact .letter .letter")
    shown = letter.inner_text()
    assert shown == (
        "Pay[U+200B] at https://p\u0430ypal.example[U+202E]/x[U+202C]\n\tsoon,   please"
        "[U+2060] 9 times "
    )
    odd = letter.locator("mark.odd", has_text="p\u0430ypal")
    assert odd.inner_text() == "p\u0430ypal"
    assert odd.get_attribute("title") == "mixed scripts: cyrillic and latin"
    expect(page.locator(".hidden-note")).to_contain_text("changes the direction of text (2 times)")
    page.goto("/")
    expect(page.locator(".row")).to_contain_text("Something hides")


def test_contradicting_facts_come_first_in_red(scene: Scene) -> None:
    """A refund of more than was paid: the sentence against it stands out, on page and button."""
    action = scene.refund("500.00 USD")
    page = scene.enter("dana", f"/actions/{action.id}")
    expect(page.locator(".against")).to_contain_text(
        "500.00 USD is more than the 189.00 USD that can still be refunded"
    )
    first = page.locator("table.facts tbody tr").first
    expect(first).to_have_class("bad")
    expect(first.locator("th")).to_have_text("Refundable")
    expect(page.locator(".decide .approve")).to_have_text(re.compile("Approve anyway: refund 500"))
