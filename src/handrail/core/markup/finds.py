"""What is found in the HTML of a message, and whether it says what its text part says."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.core.markup.rendition import Rendition, read_html
from handrail.core.triggers.find import spans_in
from handrail.core.triggers.links import anchor_in
from handrail.core.triggers.span import About, Span, Trigger, phrase

__all__ = ["BODY", "HTML", "difference", "seen_in", "spans_said", "spans_shown"]

HTML: Final = "html"
"""Under which name a request holds the HTML of a message, and an action the parameter for it."""

BODY: Final = "body"
"""Under which name a request holds the text that must say the same."""

_LINKS: Final = (Trigger.LINK, Trigger.DISGUISED_LINK)
_BULLET: Final = re.compile(r"^[ \t]*[*\u2022\u2013][ \t]+", re.MULTILINE)
_AROUND: Final = 8
"""So many words are quoted from where two texts part."""


def seen_in(name: str, text: str) -> str:
    """What a recipient reads of a text parameter: the text itself, or what HTML shows.

    HTML of which nobody can say what it shows is taken for what its source says.
    """
    if name != HTML:
        return text
    rendition = read_html(text)
    return text if rendition.wrong else rendition.text


def spans_said(texts: Mapping[str, str], about: About) -> dict[str, tuple[Span, ...]]:
    """`spans_in` for each text parameter; of HTML what is found in what it shows, and its links.

    The places are those of the source in either case, elements and references included. What a
    plain text says too, in the same words, is found there alone and not once more in the HTML.
    """
    plain = {name: spans_in(text, about) for name, text in texts.items() if name != HTML}
    source = texts.get(HTML)
    if source is None:
        return plain
    rendition = read_html(source)
    if rendition.wrong:
        return {**plain, HTML: spans_in(source, about)}
    known: dict[tuple[Trigger, str], int] = {}
    for name, spans in plain.items():
        for one in spans:
            words = _words(one, texts[name])
            known[words] = known.get(words, 0) + 1
    found = []
    for span in spans_in(rendition.text, about):
        words = _words(span, rendition.text)
        if known.get(words):
            known[words] -= 1
        elif not _is_linked(span, rendition):
            found.append(_within(span, rendition))
    for link in rendition.links:
        text, place = rendition.text[link.start : link.end], (link.opened, link.closed)
        anchor = anchor_in(text, link.address, place, about)
        found += [] if anchor is None else [anchor]
    found.sort(key=lambda one: (one.start, one.end, one.trigger.value))
    return {**plain, HTML: tuple(found)}


def _words(span: Span, text: str) -> tuple[Trigger, str]:
    return span.trigger, " ".join(text[span.start : span.end].split())


def _is_linked(span: Span, rendition: Rendition) -> bool:
    """Whether it is an address within the text of a link, which is judged by where that leads."""
    return span.trigger in _LINKS and any(
        link.start <= span.start and span.end <= link.end for link in rendition.links
    )


def _within(span: Span, rendition: Rendition) -> Span:
    """A span of what is shown as a span of the source."""
    start, end = rendition.starts[span.start], rendition.ends[span.end - 1]
    return msgspec.structs.replace(span, start=start, end=max(end, start + 1))


def spans_shown(spans: tuple[Span, ...], rendition: Rendition) -> tuple[Span, ...]:
    """Spans of the source as spans of what is shown."""
    found = []
    for span in spans:
        start = bisect_left(rendition.starts, span.start)
        end = bisect_right(rendition.ends, span.end)
        if start < end:
            found.append(msgspec.structs.replace(span, start=start, end=end))
    return tuple(found)


def difference(text: str, rendition: Rendition) -> str | None:
    """Where HTML says something else than the text beside it, in words; None when it does not.

    Every word has to be the same in the same order. Spaces and line breaks do not count, nor what
    stands before the items of a list, if the text has it too or leaves it out everywhere.
    """
    said = _BULLET.sub("- ", text).split()
    shown = [rendition.text.split(), rendition.unmarked.split()]
    if said in shown:
        return None
    same = [_beginning(said, one) for one in shown]
    best = max((0, 1), key=lambda n: same[n])
    rest, other = said[same[best] :], shown[best][same[best] :]
    return f"the text says {_quoted(rest)} where the HTML shows {_quoted(other)}"


def _beginning(one: list[str], other: list[str]) -> int:
    """How many words are the same from the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _quoted(words: list[str]) -> str:
    return phrase(" ".join(words[:_AROUND])) if words else "nothing more"
