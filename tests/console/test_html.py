"""HTML mail: what the source says beside what the customer sees, and a difference in red."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from handrail.core.markup.rendition import read_html
from handrail.policy.loader import load
from handrail.surfaces.embedded import Action
from tests.console.scene import PHONE, Scene, scene_in
from tests.core.markup.test_rendition import SEEN, TRICKS

BODY: Final = "Dear Priya,\n\nsee our page.\n\n- one\n- two"
HTML: Final = (
    "<p>Dear <b>Priya</b>,</p>\n"
    '<p>see <a href="https://shop.example.com/a?b=1&amp;c=2">our page</a>.</p>'
    "<ul><li>one</li><li>two</li></ul>"
)
HIDDEN: Final = '<p style="display:none">secret</p>'
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE},
    "without script": {"java_script_enabled": False},
}


def reply_with(scene: Scene, html: str, body: str = BODY) -> Action:
    """A reply with HTML."""
    return scene.propose("T-103", "reply.send", {"ticket": "T-103", "body": body, "html": html})


def frame_of(page: Page) -> Frame:
    """The frame of a page, with what it is for on it."""
    frame = page.locator("iframe.mail")
    expect(frame).to_have_attribute("sandbox", "")
    expect(frame).to_have_attribute(
        "title", "The message as the customer sees it; its links do nothing here"
    )
    frame.scroll_into_view_if_needed()
    found = frame.element_handle()
    assert found is not None
    inside = found.content_frame()
    assert inside is not None
    inside.wait_for_load_state()
    return inside


def words(text: str) -> list[str]:
    """The words of a text, without the signs before items of lists."""
    return [word for word in text.split() if word != "-"]


@pytest.mark.parametrize("look", LOOKS)
def test_both_sides_are_shown_and_both_parts_are_sent(scene: Scene, look: str) -> None:
    """B4: in Chromium the frame shows the words that the source says; both parts are sent."""
    action = reply_with(scene, HTML)
    assert (int(action.grade), action.control.value) == (2, "approve")
    page = scene.enter("chris", f"/actions/{action.id}", **LOOKS[look])
    said = page.locator(".twins .letter").inner_text()
    assert words(said) == words(BODY)
    frame = frame_of(page)
    assert words(frame.locator("body").inner_text()) == words(said)
    colour = frame.locator("body").evaluate("one => getComputedStyle(one).color")
    assert colour == "rgb(0, 0, 0)"
    white = page.locator("iframe.mail").evaluate("one => getComputedStyle(one).backgroundColor")
    assert white == "rgb(255, 255, 255)"
    expect(page.locator(".led")).to_contain_text("our page leads to shop.example.com")
    expect(page.locator(".artifact")).to_contain_text("<p>Dear <b>Priya</b>,</p>")
    page.locator(".approve:visible").last.click()
    expect(page.locator(".outcome")).to_be_visible()
    (mail,) = [one for one in scene.shop.mailbox() if one.body == BODY]
    assert mail.html == HTML


def test_links_in_the_frame_do_nothing(scene: Scene) -> None:
    """B5, M2: no click and no key leads anywhere, in this tab or another; a long mail scrolls."""
    html = HTML + "<p>more</p>" * 40
    action = reply_with(scene, html, BODY + " more" * 40)
    page = scene.enter("chris", f"/actions/{action.id}")
    frame = frame_of(page)
    addresses = page.url, frame.url
    for _ in range(150):  # until the frame takes part in scrolling, and has scrolled
        box = page.locator("iframe.mail").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 40, box["y"] + 40)
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(100)
        if frame.evaluate("window.scrollY") > 0:
            break
    assert frame.evaluate("window.scrollY") > 0
    for how in ({}, {"modifiers": ["Control"]}, {"button": "middle"}):
        frame.locator("a").click(force=True, **how)
    frame.locator("a").evaluate("one => one.focus()")
    page.keyboard.press("Enter")
    assert (page.url, frame.url) == addresses
    assert len(page.context.pages) == 1
    assert not any("shop.example.com" in one for one in scene.requested)


DOUBTS: Final[dict[str, tuple[str, str, int, str, str]]] = {
    # name: body, HTML, grade, control, what the page says in red
    "another word": (BODY.replace("two", "three"), HTML, 2, "approve", "the text says three"),
    "a word more": (BODY, HTML + "<p>and 50 USD</p>", 2, "approve", "nothing more where the HTML"),
    "hidden by layout": (BODY, HTML + HIDDEN, 3, "maker_checker", "The attribute style of p"),
    "a comment": (BODY, HTML + "<!-- x -->", 3, "maker_checker", "A comment, which the customer"),
    "a picture": (BODY, HTML + '<img src="https://a.test">', 3, "maker_checker", "element img"),
    "zero width, spelled": (BODY, HTML.replace("two", "t&#8203;wo"), 3, "maker_checker", "U+200B"),
    "another address": (
        BODY.replace("our page", "shop.example.com"),
        HTML.replace("shop.example.com/a", "evil.test/a").replace("our page", "shop.example.com"),
        3,
        "maker_checker",
        "Its text is another address: shop.example.com",
    ),
    "punycode": (
        BODY,
        HTML.replace("shop.example.com", "xn--pypal-4ve.com"),
        2,
        "approve",
        "which is read p\u0430ypal.com",
    ),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_what_differs_or_hides_is_red_and_waits(scene: Scene, name: str) -> None:
    """B4, B5: words that differ, what nobody can tell and links that deceive: held, and said."""
    body, html, grade, control, said = DOUBTS[name]
    action = reply_with(scene, html, body)
    assert (action.state.value, int(action.grade), action.control.value) == (
        "PENDING",
        grade,
        control,
    )
    page = scene.enter("chris", f"/actions/{action.id}", viewport=PHONE)
    part = page.locator("section", has=page.get_by_role("heading", name="The message as HTML"))
    expect(part).to_contain_text(said, ignore_case=True)
    expect(part.locator(".bad, .odd").first).to_be_visible()
    closed = "cannot be told" in part.inner_text()
    expect(part.locator("iframe")).to_have_count(0 if closed else 1)
    differs = "do not say the same" in part.inner_text()
    approve = page.locator(".decide .approve")
    expect(approve).to_contain_text("Approve anyway" if differs else "Approve: send")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Scene]:
    """A desk on which a reply without any find waits for nobody."""
    policy = load("support-desk-recall")
    with scene_in(tmp_path_factory.mktemp("quick"), browser, policy=policy) as opened:
        yield opened


@pytest.mark.parametrize("name", ["honest", *TRICKS])
def test_only_honest_html_is_cleared(quick: Scene, name: str) -> None:
    """B4: where a plain reply needs nobody, every trick takes a checker, and is never rendered."""
    text = f"Dear Priya, thank you, {name.encode().hex()}."
    html = f"<p>{text}</p>" + (TRICKS[name][0] if name in TRICKS else "")
    action = reply_with(quick, html, text)
    honest = name == "honest"
    expected = ("HOLDING", 2) if honest else ("PENDING", 3)
    assert (action.state.value, int(action.grade)) == expected
    with quick.client("dana") as client:
        assert client.get(f"/actions/{action.id}/html").status_code == (200 if honest else 404)
        page = client.get(f"/actions/{action.id}").text
    assert ("<iframe" in page) is honest
    assert ("It cannot be told what the customer would see" in page) is not honest


def test_the_frame_is_caged_and_only_its_page_may_hold_it(scene: Scene) -> None:
    """M2, M3, M6: no script, no style, no picture, framed by this console alone, for this desk."""
    framed, plain = reply_with(scene, HTML), scene.reply("Hello")
    with scene.client("dana") as client:
        inside = client.get(f"/actions/{framed.id}/html")
        assert inside.text.endswith(HTML)
        assert inside.headers["content-type"] == "text/html; charset=utf-8"
        policy = inside.headers["content-security-policy"].split("; ")
        assert {"sandbox", "default-src 'none'", "style-src 'none'", "img-src 'none'"} <= {*policy}
        assert "frame-ancestors 'self'" in policy
        assert inside.headers["x-frame-options"] == "SAMEORIGIN"
        assert inside.headers["x-content-type-options"] == "nosniff"
        assert inside.headers["cache-control"] == "no-store"
        around = client.get(f"/actions/{framed.id}").headers
        assert around["content-security-policy"] == f"{usual(client, plain)}; frame-src 'self'"
        assert "frame-ancestors 'none'" in around["content-security-policy"]
        assert around["x-frame-options"] == "DENY"
        for path in (f"/actions/{plain.id}/html", f"/actions/hr_{'0' * 32}/html"):
            assert client.get(path).status_code == 404
    with scene.client() as stranger:
        assert stranger.get(f"/actions/{framed.id}/html").status_code == 303


def usual(client: httpx.Client, action: Action) -> str:
    """The content policy of a page without a frame."""
    return client.get(f"/actions/{action.id}").headers["content-security-policy"]


def test_chromium_shows_the_words_that_the_source_says(browser: Browser) -> None:
    """B4: for 600 made sources, and every one of the table: what is admitted is shown as read."""
    made = random.Random(20261127)
    sources = [one for one, _ in SEEN.values()] + [mixed(made) for _ in range(600)]
    admitted = [one for one in sources if not read_html(one).wrong]
    assert len(admitted) > 300
    page = browser.new_page()
    shown = page.evaluate(
        "all => all.map((one) =>"
        " { document.body.innerHTML = one; return document.body.innerText; })",
        admitted,
    )
    page.close()
    for source, text in zip(admitted, shown, strict=True):
        assert text.split() == read_html(source).unmarked.split(), source


WORDS: Final = (
    "pay",
    "5 USD",
    " now ",
    "&amp;",
    "&nbsp;",
    "a&#66;",
    "\n",
    "AT&T",
    "é佐",
    "&lt;b&gt;",
)


def mixed(made: random.Random, depth: int = 0, *, phrase: bool = False) -> str:
    """Some HTML: mostly as it has to be, at times with a piece too many."""
    parts = []
    for _ in range(made.randrange(1, 5)):
        choice = made.random()
        inline = phrase or choice < 0.75
        if choice < 0.45 or depth > 4:
            parts.append(made.choice(WORDS))
        elif choice < 0.5:
            parts.append("<br>")
        elif choice < 0.515:
            parts.append(made.choice(("</p>", "<p>", "<td>", "<b>", "</div>", "&", "<")))
        elif inline:
            name = made.choice(("b", "i", "span", "strong"))
            parts.append(f"<{name}>{mixed(made, depth + 1, phrase=True)}</{name}>")
        else:
            parts.append(block(made, depth))
    return "".join(parts)


def block(made: random.Random, depth: int) -> str:
    """A block of some make, with things in it."""

    def inner(*, phrase: bool = False) -> str:
        return mixed(made, depth + 1, phrase=phrase)

    match made.randrange(5):
        case 0:
            return f"<p>{inner(phrase=True)}</p>"
        case 1:
            return f"<div>{inner()}</div>"
        case 2:
            return f"<ul><li>{inner()}</li> <li>{inner()}</li></ul>"
        case 3:
            cells = f"<td>{inner()}</td><td>{inner()}</td>"
            return f"<table><tr>{cells}</tr>\n<tr>{cells}</tr></table>"
        case _:
            return f"<h2>{inner(phrase=True)}</h2><blockquote>{inner()}</blockquote>"


def test_a_message_is_admitted_only_by_its_page(tmp_path: Path, browser: Browser) -> None:
    """M6: the HTML of one desk is not there for a person of another."""
    with scene_in(tmp_path / "a", browser) as one, scene_in(tmp_path / "b", browser) as other:
        action = reply_with(one, HTML)
        with other.client("dana") as client:
            assert client.get(f"/actions/{action.id}/html").status_code == 404
