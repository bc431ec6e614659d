"""The console in another language: every sentence is in the catalogue, and none loses anything."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from jinja2 import nodes
from playwright.sync_api import Browser, expect

from handrail.surfaces.console.language import catalogue as said
from handrail.surfaces.console.language.catalogue import Catalogue, Recorder, languages
from handrail.surfaces.console.pages import environment_in
from tests.console.scene import PHONE, Scene, scene_in
from tests.console.test_every_page import AXE, RULES
from tools.catalogue import PLACE, entries, written

LANGUAGE: Final = "ar"
"""Written from right to left; what it says in these tests is English between brackets."""

PAGES: Final = "/ /escalations /held /ran /log /caps /halts /sessions /grader".split()


def bracketed(message: str) -> str:
    """What the language of these tests says."""
    return f"\u27e6{message}\u27e7"


def english(page: str) -> str:
    """A page without the brackets, and without what differs between any two pages."""
    plain = unescape(page).replace("\u27e6", "").replace("\u27e7", "")
    plain = re.sub(r'lang="ar" dir="rtl"', 'lang="en" dir="ltr"', plain)
    spans = r"(\d+ (days?|h|min|s)\b ?)+(ago)?|just now"
    plain = re.sub(rf'<time datetime="[^"]*">[^<]*</time>|{spans}', "", plain)
    plain = re.sub(r'<option value="(ar|en)"[^>]*>', "", plain)
    return re.sub(r"\s+", " ", re.sub(r"\s*(<[^>]*>)\s*", r"\1", plain))


@pytest.fixture(scope="module")
def translations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one language."""
    folder = tmp_path_factory.mktemp("translations")
    made = Catalog(locale=LANGUAGE)
    for entry in entries():
        if isinstance(entry, str):
            made.add(entry, bracketed(entry))
        else:
            # Six forms: for 0, for 1, for 2 and so on.
            one, many = bracketed(entry[0]), bracketed(entry[1])
            made.add(entry, (many, one, many, many, many, many))
    place = folder / LANGUAGE / "LC_MESSAGES" / "handrail.mo"
    place.parent.mkdir(parents=True)
    with place.open("wb") as file:
        write_mo(file, made)
    (folder / "not a language" / "LC_MESSAGES").mkdir(parents=True)
    (folder / "not a language" / "LC_MESSAGES" / "handrail.mo").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser, translations: Path
) -> Iterator[Scene]:
    """A desk that speaks two languages, with something of everything."""
    folder = tmp_path_factory.mktemp("spoken")
    with scene_in(folder, browser, translations=translations) as opened:
        opened.refund(note="the manager agreed")
        opened.small_refund()
        opened.reply("You get $50 back by Friday, see https://example.com/refund.")
        yield opened


def test_the_catalogue_is_as_it_must_be() -> None:
    """`python tools/catalogue.py` writes it; translators work from it."""
    assert PLACE.read_bytes() == written(), f"run `{sys.executable} tools/catalogue.py`"


def test_no_text_of_a_template_is_left_out() -> None:
    """Between the tags of a page that is compiled for a language nothing is plain English."""

    class Brackets(Recorder):
        def gettext(self, message: str) -> str:
            return bracketed(message)

    environment = environment_in(Catalogue(language="xx", messages=Brackets()))
    left: list[str] = []
    for name in environment.list_templates():
        assert environment.loader is not None
        source, _, _ = environment.loader.get_source(environment, name)
        flat = "".join(
            node.data if isinstance(node, nodes.TemplateData) else "\0"
            for output in environment.parse(source).find_all(nodes.Output)
            for node in output.nodes
        )
        outside = re.sub("\u27e6[^\u27e7]*\u27e7", "", re.sub(r"<[^<>]*>", "", flat))
        left += [f"{name}: {text.strip()}" for text in outside.split("\0") if " a" in text]
    assert left == []


@pytest.mark.parametrize("path", [*PAGES, "action"])
def test_a_page_in_another_language_says_the_same(served: Scene, path: str) -> None:
    """Nothing of a page is lost, doubled or moved to another place by being translated."""
    with served.client("dana") as dana:
        if path == "action":
            found = re.search(r'href="(/actions/[^"]+)"', dana.get("/").text)
            assert found
            path = found[1]
        plain = dana.get(path).text
        dana.cookies.set("handrail_language", LANGUAGE, domain="127.0.0.1")
        spoken = dana.get(path).text
    assert 'lang="ar" dir="rtl"' in spoken
    assert spoken.count("\u27e6") > 15
    assert english(spoken) == english(plain)


def test_what_a_customer_wrote_is_never_translated(served: Scene) -> None:
    """A text that happens to be a message of the catalogue stays as it was written."""
    action = served.reply("Approve anyway")
    with served.client("dana") as dana:
        dana.cookies.set("handrail_language", LANGUAGE, domain="127.0.0.1")
        page = dana.get(f"/actions/{action.id}").text
    assert bracketed("Approve anyway") not in page
    assert "Approve anyway" in page


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ar-EG,ar;q=0.9,en;q=0.8", "ar"),
        ("de-DE,de;q=0.9", "en"),
        ("fr, ar;q=0.5", "ar"),
        ("", "en"),
        (";;,=,\u00e9", "en"),
    ],
)
def test_a_browser_is_spoken_to_in_its_language(served: Scene, header: str, language: str) -> None:
    """As far as there is one; also before the login."""
    with served.client() as anybody:
        page = anybody.get("/login", headers={b"accept-language": header.encode()})
    assert f'<html lang="{language}"' in page.text


def test_only_catalogues_are_languages(translations: Path) -> None:
    """English needs no folder."""
    assert list(languages(translations)) == ["en", LANGUAGE]
    assert list(languages(None)) == ["en"]
    assert languages(translations)[LANGUAGE].direction == "rtl"


@pytest.mark.parametrize("width", [390, 1280])
def test_from_right_to_left_nothing_runs_out_of_the_page(served: Scene, width: int) -> None:
    """Sides are logical ones; axe finds nothing either."""
    page = served.enter("dana", "/", viewport={"width": width, "height": 900}, locale="ar")
    for path in PAGES:
        page.goto(f"{served.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.evaluate(AXE)
        found = page.evaluate(f"axe.run({{runOnly: {RULES}}})")
        assert [one["id"] for one in found["violations"]] == [], path


def test_an_amount_reads_the_same_from_right_to_left(served: Scene) -> None:
    """B7: the digits, then the currency, in that order on the screen; and the page is turned."""
    page = served.enter("dana", "/", locale="ar")
    order = page.locator("h2 .money").first.evaluate(
        "one => [...one.children].map((part) => part.getBoundingClientRect().left)"
    )
    assert order == sorted(order)
    brand, leave = page.locator(".brand"), page.get_by_role("button", name="Log out")
    left, right = leave.bounding_box(), brand.bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] < right["x"]


def test_amounts_stand_in_the_readers_language(tmp_path: Path, browser: Browser) -> None:
    """B7: on the page, on the button and in what is typed; the request stays as it will be sent."""
    place = tmp_path / "spoken" / "de" / "LC_MESSAGES" / "handrail.mo"
    place.parent.mkdir(parents=True)
    with place.open("wb") as file:
        write_mo(file, Catalog(locale="de"))
    with scene_in(tmp_path, browser, translations=tmp_path / "spoken") as scene:
        waits = scene.large_refund("2400.00 USD")
        page = scene.enter("sam", "/?at_least=2.400,00&currency=usd", locale="de", viewport=PHONE)
        expect(page.locator(".row h2 .money")).to_have_text("2.400,00 USD")
        expect(page.locator(".row h2 .money")).to_have_attribute("title", "2400.00 USD")
        page.goto("/?at_least=2.400,01&currency=usd")
        expect(page.locator(".row")).to_have_count(0)
        page.goto(f"/actions/{waits.id}")
        expect(page).to_have_title(re.compile("2.400,00 USD"))
        expect(page.locator(".artifact .money")).to_have_text("2.400,00 USD")
        expect(page.locator(".decide .approve")).to_contain_text("refund 2.400,00 USD to")
        assert '"amount_minor": 240000' in (page.locator(".code").last.text_content() or "")
        typed = page.get_by_label("Type the amount once more")
        expect(typed).to_have_attribute("placeholder", "like 12,50 EUR")
        page.evaluate(AXE)
        found = page.evaluate(f"axe.run({{runOnly: {RULES}}})")
        assert [one["id"] for one in found["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        typed.fill("2.400 USD")
        page.locator(".approve:visible").click()
        expect(page.get_by_role("alert")).to_contain_text("two amounts")
        typed.fill("2.400,00 USD")
        page.locator(".approve:visible").click()
        expect(page.locator(".state .chip")).to_have_text("Done")
        assert scene.shop.balance("P-5005").refunded_minor == 240_000


def test_nothing_but_text_is_translated() -> None:
    """A translation cannot bring an element in."""

    class Evil(Recorder):
        def gettext(self, message: str) -> str:
            return f"<script>{message}</script>"

    environment = environment_in(Catalogue(language="xx", messages=Evil()))
    page = environment.from_string('<p title="Some title">Some text {{ "for you" }}</p>').render()
    assert "<script>" not in page
    assert said.DOMAIN == "handrail"
