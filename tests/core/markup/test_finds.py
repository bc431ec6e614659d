"""What is found in HTML, where its links lead, and whether it says what the text says."""

from __future__ import annotations

from typing import Final

import pytest

from handrail.core.markup.finds import difference, seen_in, spans_said, spans_shown
from handrail.core.markup.rendition import read_html
from handrail.core.triggers.span import Trigger
from tests.core.triggers.known import DANA

SAME: Final[dict[str, tuple[str, str]]] = {
    "breaks": ("Dear Ann,\n\nthanks.", "<p>Dear Ann,</p><p>thanks.</p>"),
    "spaces": ("5 USD  now", "5&nbsp;USD<br>now"),
    "items with signs": (
        "- one\n* two\n\u2022 three",
        "<ul><li>one</li><li>two</li><li>three</li></ul>",
    ),
    "items without": ("one two", "<ul><li>one</li><li>two</li></ul>"),
    "numbers": ("1. one\n2. two", "<ol><li>one</li><li>two</li></ol>"),
    "a table": ("Mug 18.50 USD", "<table><tr><td>Mug</td><td>18.50 USD</td></tr></table>"),
}
OTHER: Final[dict[str, tuple[str, str, str]]] = {
    # name: text, HTML, what is said
    "a word more": ("a b", "a b c", "the text says nothing more where the HTML shows `c`"),
    "a word less": ("a b c", "a b", "the text says `c` where the HTML shows nothing more"),
    "another amount": ("pay 10 USD now", "<p>pay <b>100</b> USD now</p>", "`10 USD now`"),
    "another order": ("a b", "b a", "the text says `a b` where the HTML shows `b a`"),
    "a word in two": ("no where", "no<b>where</b>", "`no where` where the HTML shows `nowhere`"),
    "capitals": ("now", "NOW", "`now` where the HTML shows `NOW`"),
    "a letter like it": ("pay", "p\u0430y", "`pay` where the HTML shows `p\u0430y`"),
    "another number": ("2. one", "<ol><li>one</li></ol>", "`2. one` where the HTML shows `1. one`"),
    "no text": ("", "<p>hi</p>", "nothing more where the HTML shows `hi`"),
    "no HTML text": ("hi", "<hr>", "`hi` where the HTML shows nothing more"),
}


@pytest.mark.parametrize("name", SAME)
def test_both_say_the_same(name: str) -> None:
    """B4: the words count, in their order, and nothing besides."""
    text, html = SAME[name]
    assert difference(text, read_html(html)) is None


@pytest.mark.parametrize("name", OTHER)
def test_where_they_differ(name: str) -> None:
    """B4: the first words that are not the same are named on both sides."""
    text, html, said = OTHER[name]
    found = difference(text, read_html(html))
    assert found is not None
    assert said in found


FINDS: Final[dict[str, tuple[str, list[tuple[str, str]]]]] = {
    # name: HTML beside the text "Dear Dana, thank you.", what is found and where in the source
    "nothing": ("<p>Dear <b>Dana</b>, thank you.</p>", []),
    "spelled out": ("<p>we sent 54.90&nbsp;U<b>S</b>D</p>", [("money", "54.90&nbsp;U<b>S</b>D")]),
    "a promise across elements": ("<p>We w<i>ill</i> call</p>", [("promise", "We w<i>ill")]),
    "another's order": ("<td>O-<b>5003</b></td>", [("other_customer", "O-<b>5003")]),
    "hidden, spelled out": ("<p>p&#8203;ay</p>", [("hidden", "&#8203;")]),
    "not filled in": ("<p>&#123;&#123;name}}</p>", [("placeholder", "&#123;&#123;name}}")]),
    "a bare address": ("<p>see other.test</p>", [("link", "other.test")]),
    "our own": ('<a href="https://shop.example.com/a">here</a>', []),
    "her own": ('<a href="mailto:dana.whitfield@example.com">write</a>', []),
}


@pytest.mark.parametrize("name", FINDS)
def test_finds_are_in_what_is_shown(name: str) -> None:
    """B4: what a customer reads is looked through, however it is written, by its place."""
    source, wanted = FINDS[name]
    source = source if not source.startswith("<td>") else f"<table><tr>{source}</tr></table>"
    found = spans_said({"body": "Dear Dana, thank you.", "html": source}, DANA)["html"]
    assert [(one.trigger.value, source[one.start : one.end]) for one in found] == wanted


LINKS: Final[dict[str, tuple[str, str, Trigger, str]]] = {
    # name: address, text, what it is, what is said
    "elsewhere": ("https://other.test/a", "here", Trigger.LINK, "a link to `other.test`"),
    "as it says": ("https://www.other.test", "other.test", Trigger.LINK, "`www.other.test`"),
    "another host": (
        "https://evil.test",
        "https://shop.example.com/orders",
        Trigger.DISGUISED_LINK,
        "a link to `evil.test`: its text says `shop.example.com`",
    ),
    "a second host": (
        "https://evil.test",
        "evil.test is shop.example.com",
        Trigger.DISGUISED_LINK,
        "its text says `shop.example.com`",
    ),
    "our own, as another": (
        "https://shop.example.com",
        "other.test",
        Trigger.DISGUISED_LINK,
        "its text says `other.test`",
    ),
    "before an @": (
        "https://shop.example.com@evil.test",
        "here",
        Trigger.DISGUISED_LINK,
        "what stands before the @",
    ),
    "punycode": ("https://xn--pypal-4ve.com", "here", Trigger.DISGUISED_LINK, "p\u0430ypal.com"),
    "somebody": ("mailto:bob@evil.test", "write", Trigger.LINK, "writes to `bob@evil.test`"),
    "somebody else": (
        "mailto:bob@evil.test",
        "dana.whitfield@example.com",
        Trigger.DISGUISED_LINK,
        "its text says `dana.whitfield@example.com`",
    ),
    "another of the same host": (
        "mailto:bob@example.com",
        "Dana.Whitfield@example.com.",
        Trigger.DISGUISED_LINK,
        "its text says",
    ),
}


@pytest.mark.parametrize("name", LINKS)
def test_where_links_lead(name: str) -> None:
    """B5: the host behind every link, whatever its text says; one find a link."""
    address, text, trigger, what = LINKS[name]
    source = f'<p>See <a href="{address}"><b>{text}</b></a></p>'
    (found,) = (
        one
        for one in spans_said({"html": source}, DANA)["html"]
        if one.trigger in (Trigger.LINK, Trigger.DISGUISED_LINK)
    )
    assert (found.trigger, what in found.what) == (trigger, True), found
    assert source[found.start : found.end] == source[7:-4]


def test_what_both_say_is_found_once() -> None:
    """In the same words: in the text alone. In other words, or once more: in the HTML too."""
    texts = {"body": "we sent 54.90 USD", "html": "<p>we sent 54.90&nbsp;USD</p>"}
    found = spans_said(texts, DANA)
    assert [one.trigger for one in found["body"]] == [Trigger.MONEY]
    assert found["html"] == ()
    again = spans_said({**texts, "html": "54.90 USD 54.90 USD"}, DANA)
    assert [(one.start, one.end) for one in again["html"]] == [(10, 19)]


def test_what_cannot_be_told_is_looked_through_as_source() -> None:
    """B4: what a layout hides is found all the same."""
    source = '<p style="display:none">we sent 54.90 USD</p>'
    assert seen_in("html", source) == source
    (found,) = spans_said({"html": source}, DANA)["html"]
    assert source[found.start : found.end] == "54.90 USD"


def test_places_in_what_is_shown() -> None:
    """What was found in the source is marked in what is shown."""
    source = '<p>See <a href="https://other.test">the <b>manual</b></a> &amp; 54.90&nbsp;USD</p>'
    rendition = read_html(source)
    shown = spans_shown(spans_said({"html": source}, DANA)["html"], rendition)
    texts = [rendition.text[one.start : one.end] for one in shown]
    assert texts == ["the manual", "54.90\xa0USD"]
