"""Rendered text in a real browser: it is the bytes, or a mark says where not."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from handrail.surfaces.console.text.literal import literal
from tests.console.scene import FLAGS
from tests.deception.sight import read_back
from tests.deception.strings import DECEPTIVE
from tests.deception.test_strings import strings_of
from tools.browser import find_browser

FUZZED: Final = 3_000
STYLE: Final = files("handrail.surfaces.console").joinpath("static/console.css").read_text()
SEEN: Final = """
() => [...document.querySelectorAll('.letter')].map((box, number) => {
  const found = [], range = document.createRange();
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  let last = null;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const inToken = node.parentElement.closest('.token');
    const marked = node.parentElement.closest('.odd, .turned');
    let at = 0;
    for (const char of node.data) {
      range.setStart(node, at);
      range.setEnd(node, at += char.length);
      const box = range.getBoundingClientRect();
      if (char === '\\n' || /\\p{M}/u.test(char)) continue;
      if (!inToken && !marked && last && Math.abs(box.top - last.top) < 4
          && box.left < last.left - 0.5)
        found.push(['moved', char]);
      if (!inToken && !marked && box.width < 0.5 && !/[\\u200d\\ufe0e\\ufe0f\\u200c]/.test(char))
        found.push(['no width', char]);
      last = box;
    }
  }
  return [box.innerText, found];
})
"""
# Joiners and selectors are part of a picture or a letter; that they stand in one is the business of
# `tests.deception.sight`.


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A browser page with the console's own style."""
    path = find_browser()
    assert path is not None, "no Chromium: run `make browser`"
    with sync_playwright() as playwright:
        chromium: Browser = playwright.chromium.launch(executable_path=str(path), args=FLAGS)
        yield chromium.new_page()
        chromium.close()


def seen_on(page: Page, texts: Sequence[str]) -> Iterator[tuple[str, str, list[list[str]]]]:
    """Of each text: its markup, what a person would copy, and what has no width or has moved."""
    markups = [str(literal(text)) for text in texts]
    boxes = "\n".join(f'<div class="letter">{markup}</div>' for markup in markups)
    page.set_content(f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{boxes}')
    seen: Any = page.evaluate(SEEN)
    for markup, (copied, found) in zip(markups, seen, strict=True):
        yield markup, copied, found


def faults_on(page: Page, texts: Sequence[str]) -> list[str]:
    """Texts that look otherwise than they are, with what is wrong."""
    faults = []
    for text, (markup, copied, found) in zip(texts, seen_on(page, texts), strict=True):
        written = html.unescape(re.sub("<[^>]*>", "", markup)).replace("\r\n", "\n")
        if read_back(markup)[0] != text or copied != written:
            faults.append(f"{text!a} is read as {copied!a}")
        elif found:
            faults.append(f"{text!a}: {found!a}")
    return faults


def test_the_deceptive_strings_are_seen_as_they_are(page: Page) -> None:
    """B1, B2: on the page each character has its place and width, or stands in a mark."""
    assert faults_on(page, list(DECEPTIVE.values())) == []


def test_so_are_some_thousand_from_a_seed(page: Page) -> None:
    """B1, B2: the same of strings of which nobody thought."""
    assert faults_on(page, list(strings_of(7, FUZZED))) == []


def test_what_is_not_marked_is_found(page: Page) -> None:
    """The check can fail: the bare characters, as a page without marks would hold them."""
    bare = ["pay\u200bpal", "refund \u202e001\u202c USD", "to \u05d3\u05d5\u05d3 50.00 USD"]
    boxes = "".join(f'<div class="letter">{text}</div>' for text in bare)
    page.set_content(f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{boxes}')
    assert all(found for _, found in page.evaluate(SEEN))
