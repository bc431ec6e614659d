"""What a customer sees of HTML: a table of what is admitted, and one of what hides."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.markup.rendition import DEPTH_MAX, ELEMENTS, GAP_MAX, read_html

SEEN: Final[dict[str, tuple[str, str]]] = {
    # name: source, what is seen
    "nothing": ("", ""),
    "plain words": ("Dear  Ann,\r\n thanks", "Dear Ann, thanks"),
    "paragraphs": ("<p>Dear Ann,</p>\n<p>thanks.</p>", "Dear Ann,\n\nthanks."),
    "a break": ("<p>one<br>two<br/>three</p>", "one\ntwo\nthree"),
    "words in parts": ("p<b>ay</b>ment <i> now</i>", "payment now"),
    "in capitals": ("<P>Hi <STRONG>Ann</STRONG ></P>", "Hi Ann"),
    "a list": ("<ul><li>one</li>\n<li><p>two</p></li></ul>", "- one\n- two"),
    "a numbered list": ("<p>So:</p><ol><li>one</li><li>two</li></ol>", "So:\n\n1. one\n2. two"),
    "a list in a list": ("<ul><li>a<ul><li>b</li></ul></li></ul>", "- a\n\n- b"),
    "a table": (
        "<table><thead><tr><th>Item</th><th>Price</th></tr></thead>"
        "<tbody><tr><td>Mug</td><td>18.50 USD</td></tr></tbody></table>",
        "Item\tPrice\nMug\t18.50 USD",
    ),
    "a quotation": ("<blockquote>You wrote</blockquote><hr>We", "You wrote\n\nWe"),
    "references": ("5&nbsp;&lt;&#32;6 &euro;&#x41; &amp;c", "5\xa0< 6 €A &c"),
    "a bare and": ("AT&T & R&D, a&;b", "AT&T & R&D, a&;b"),
    "a link": ("<a href='https://a.test/?b=1&amp;c=2'>here</a>", "here"),
    "another writing": ("<p>مرحبا، 佐藤</p>", "مرحبا، 佐藤"),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_is_seen(name: str) -> None:
    """B4: the text as a reader shows it, with its breaks and the signs before items."""
    source, text = SEEN[name]
    found = read_html(source)
    assert (found.wrong, found.text) == ((), text)


TRICKS: Final[dict[str, tuple[str, str]]] = {
    # name: source, what is said about it
    "no display": ('<p style="display:none">secret</p>', "the attribute `style`"),
    "no size": ('<span style="font-size:0">secret</span>', "the attribute `style`"),
    "no height": ('<div style="height:0;overflow:hidden">secret</div>', "`style`"),
    "tiny letters": ('<span style="font-size:1px">secret</span>', "the attribute `style`"),
    "white on white": ('<span style="color:#fff">secret</span>', "the attribute `style`"),
    "off the screen": ('<p style="position:absolute;left:-9999px">x</p>', "`style`"),
    "moved aside": ('<p style="text-indent:-9999px">x</p>', "the attribute `style`"),
    "see-through": ('<p style="opacity:0">secret</p>', "the attribute `style`"),
    "not visible": ('<p style="visibility:hidden">secret</p>', "the attribute `style`"),
    "cut away": ('<p style="clip-path:inset(100%)">secret</p>', "`style`"),
    "turned around": ('<p style="transform:scale(0)">secret</p>', "`style`"),
    "hidden": ("<p hidden>secret</p>", "`p` is not written as it has to be"),
    "hidden, in quotes": ('<p hidden="">secret</p>', "the attribute `hidden`"),
    "hidden from readers aloud": ('<p aria-hidden="true">secret</p>', "`aria-hidden`"),
    "read aloud otherwise": ('<p aria-label="other">secret</p>', "`aria-label`"),
    "folded": ("<details><summary>a</summary>secret</details>", "the element `details`"),
    "a comment": ("a<!-- secret -->b", "a comment"),
    "a comment for one program": ("<!--[if mso]>secret<![endif]-->", "a comment"),
    "a comment that does not end": ("a<!-- b", "a comment"),
    "a comment that ends at once": ("<!-->secret<!-- -->", "a comment"),
    "a bogus comment": ("<!secret>", "a declaration"),
    "an instruction": ("<?xml version='1.0'?>", "a declaration"),
    "raw characters": ("<![CDATA[secret]]>", "a declaration"),
    "text before the message": ('<div class="preheader">secret</div>', "`class`"),
    "styles for all": ("<style>p{display:none}</style><p>secret</p>", "the element `style`"),
    "a style sheet": ('<link rel="stylesheet" href="https://a.test">', "the element `link`"),
    "by name": ('<p id="gmail_hidden">secret</p>', "the attribute `id`"),
    "a background": ('<table background="https://a.test/b.png"></table>', "`background`"),
    "a colour": ('<td bgcolor="#000">x</td>', "the attribute `bgcolor`"),
    "a font": ('<font color="white">secret</font>', "the element `font`"),
    "letters that shrink": ("<small><small>secret</small></small>", "the element `small`"),
    "struck out": ("<p>You get <s>50 USD</s></p>", "the element `s`"),
    "a picture": ('<img src="https://a.test/a.png" alt="secret">', "the element `img`"),
    "a drawing": ("<svg><text>secret</text></svg>", "the element `svg`"),
    "a formula": ("<math><mtext>secret</mtext></math>", "the element `math`"),
    "a template": ("<template>secret</template>", "the element `template`"),
    "without a script": ("<noscript>secret</noscript>", "the element `noscript`"),
    "a script": ("<script>document.write('x')</script>", "the element `script`"),
    "what runs": ('<p onclick="x()">a</p>', "the attribute `onclick`"),
    "a form": ('<form action="https://a.test"><input value="x"></form>', "the element `form`"),
    "a button": ("<button>pay</button>", "the element `button`"),
    "another place": ('<base href="https://a.test/">', "the element `base`"),
    "going elsewhere": ('<meta http-equiv="refresh" content="0">', "the element `meta`"),
    "a page in a page": ('<iframe src="https://a.test"></iframe>', "the element `iframe`"),
    "a name for the page": ("<title>secret</title>", "the element `title`"),
    "running text": ("<marquee>secret</marquee>", "the element `marquee`"),
    "a made-up element": ("<x-secret>secret</x-secret>", "`x-secret`"),
    "a tooltip": ('<p title="secret">a</p>', "the attribute `title`"),
    "a direction": ('<p dir="rtl">a 1 b</p>', "the attribute `dir`"),
    "turned letters": ("<bdo dir='rtl'>abc</bdo>", "the element `bdo`"),
    "a turned address": ('<a href="https://a.test/\u202ex">a</a>', "leads nowhere certain"),
    "a turned address, spelled": ('<a href="https://a.test/&#8238;x">a</a>', "nowhere certain"),
    "an address that runs": ('<a href="javascript:x()">a</a>', "leads nowhere certain"),
    "one spelled out": ('<a href="java&#115;cript:x()">a</a>', "leads nowhere certain"),
    "one with a break": ('<a href="java\nscript:x()">a</a>', "leads nowhere certain"),
    "data": ('<a href="data:text/html,x">a</a>', "leads nowhere certain"),
    "a part of a page": ('<a href="/orders">a</a>', "leads nowhere certain"),
    "no scheme": ('<a href="//a.test">a</a>', "leads nowhere certain"),
    "a backslash": ('<a href="https:\\\\a.test">a</a>', "leads nowhere certain"),
    "a copy for another": ('<a href="mailto:a@b.test?cc=c@d.test">a</a>', "nowhere certain"),
    "two addresses": ('<a href="https://a.test" href="https://b.test">a</a>', "nowhere certain"),
    "no address": ("<a>a</a>", "leads nowhere certain"),
    "a link to nowhere": ('<a href="https://a.test" target="_top">a</a>', "`target`"),
    "a link without a text": ('a<a href="https://a.test"> </a>', "a link without a text"),
    "a link in a link": (
        '<a href="https://a.test">a <b><a href="https://b.test">b</a></b></a>',
        "a link within a link",
    ),
    "an unknown reference": ("a &secret; b", "is no character"),
    "a reference without its end": ("a &copy b", "is no character"),
    "one that begins another": ("&notit", "is no character"),
    "a number for a control": ("a&#0;b", "is no character"),
    "a number for another letter": ("a&#150;b", "is no character"),
    "half a letter": ("a&#xD800;b", "is no character"),
    "a control": ("a\x00b", "a control character"),
    "a page's end": ("a\x0cb", "a control character"),
    "an open bracket": ("1 < 2", "begins or ends nothing"),
    "a closing bracket": ("1 > 2", "begins or ends nothing"),
    "an element cut short": ("a <b", "`b` is not written"),
    "no quotes": ("<a href=https://a.test>a</a>", "`a` is not written"),
    "a quote too many": ('<p ">secret</p>', "`p` is not written"),
    "never closed": ("<p>a", "`p` is never closed"),
    "never opened": ("a</p>", "`p` ends here"),
    "crosswise": ("<b>a<i>b</b>c</i>", "`b` ends here"),
    "a strange end": ("a</secret>", "`secret` ends here"),
    "empty and not": ("<p/>a", "says that it is empty"),
    "a break that ends": ("a</br>b", "`br` ends here"),
    "moved out of a table": ("<table>secret<tr><td>a</td></tr></table>", "within `table`"),
    "in a row": ("<table><tr>secret<td>a</td></tr></table>", "a text within `tr`"),
    "a cell by itself": ("<td>a</td>", "`td` stands by itself"),
    "a head that is not first": (
        "<table><tr><td>a</td></tr><thead><tr><th>b</th></tr></thead></table>",
        "`thead` is shown before",
    ),
    "a foot that is first": ("<table><tfoot><tr><td>b</td></tr></tfoot></table>", "`tfoot`"),
    "a cell over others": ('<table><tr><td rowspan="2">a</td></tr></table>', "`rowspan`"),
    "numbers of its own": ('<ol start="7"><li>a</li></ol>', "the attribute `start`"),
    "a paragraph in one": ("<p>a<p>b</p></p>", "`p` stands within `p`"),
    "far aside": ("<blockquote>" * 13 + "a" + "</blockquote>" * 13, "more than 12 elements"),
    "far below": ("a" + "<br>" * 9 + "secret", "many empty lines"),
    "far below, with blanks": ("a" + "<p>&nbsp;</p>" * 9 + "secret", "many empty lines"),
    "far to the side": ("a" + "&nbsp;" * 20 + "secret", "a gap in which nothing stands"),
}


@pytest.mark.parametrize("name", TRICKS)
def test_what_would_hide_something(name: str) -> None:
    """B4: every way of hiding, covering and moving a text is none of what is admitted, by name."""
    source, what = TRICKS[name]
    found = read_html(source)
    assert any(what in mark.what for mark in found.wrong), found.wrong
    assert all(0 <= mark.start < mark.end <= len(source) for mark in found.wrong)
    around = read_html(f"<p>Dear Ann,</p>{source}")
    assert any(what in mark.what for mark in around.wrong), around.wrong


def test_bounds() -> None:
    """As deep and as far apart as it may be is admitted."""
    deep = DEPTH_MAX
    assert read_html("<div>" * deep + "a" + "</div>" * deep).wrong == ()
    assert read_html("a" + "<br>" * GAP_MAX + "b").wrong == ()


@given(st.lists(st.sampled_from([*SEEN.values(), *TRICKS.values()]).map(lambda one: one[0])))
def test_places_are_those_of_the_source(sources: list[str]) -> None:
    """Whatever is read: each character shown comes from its place, in order, and nothing raises."""
    source = "".join(sources)
    found = read_html(source)
    assert len(found.text) == len(found.starts) == len(found.ends)
    assert list(found.starts) == sorted(found.starts)
    for char, start, end in zip(found.text, found.starts, found.ends, strict=True):
        assert 0 <= start <= end <= len(source)
        assert end - start != 1 or char in "\n\t " or source[start] == char


@given(st.text(st.sampled_from("<>/&;#!-='\" \nabipx1")))
def test_any_text_is_read(source: str) -> None:
    """Nothing raises; a text without brackets and references is what it is."""
    found = read_html(source)
    if not set(source) & set("<>&"):
        assert (found.text.split(), found.wrong) == (source.split(), ())


def test_no_element_has_a_look_of_its_own() -> None:
    """What is admitted is a short list; a longer one needs a look at each."""
    assert sorted(ELEMENTS) == sorted(
        "a b blockquote br div em h1 h2 h3 hr i li ol p span strong table tbody td th thead tr u"
        " ul".split()
    )
