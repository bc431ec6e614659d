"""What is found in the texts that leave the desk: for the policy to count, for people to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from handrail.connectors.protocol import Prepared
from handrail.core.action import Params
from handrail.core.artifact import Fact
from handrail.core.attachment import Attachment, Insight, look_at
from handrail.core.markup.finds import BODY, HTML, difference, spans_said
from handrail.core.markup.rendition import Rendition, read_html
from handrail.core.money import Money
from handrail.core.text import hidden_marks
from handrail.core.triggers.find import ANY, counts_of, spans_in
from handrail.core.triggers.links import elsewhere
from handrail.core.triggers.span import SPANS_MAX, About, Span, Trigger, folded, phrase
from handrail.engine.base.context import Rulebook

__all__ = [
    "ATTACHMENTS",
    "Place",
    "Spans",
    "attached_in",
    "compared",
    "doubts_of",
    "found_in",
    "html_in",
    "places_of",
    "spans_by_text",
    "spans_of",
    "texts_of",
]

ATTACHMENTS: Final = "attachments"
"""Under which name a request holds the files that it sends."""

Spans = dict[str, tuple[Span, ...]]
"""What was found, by the parameter or file that it was found in; without a find it is left out."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One place in a text that leaves the desk: which part of which parameter, and what it is.

    `param` is `attachments[0]` for what the first file says.

    `start` and `end` count Unicode characters from 0; `text` is what stands there, as it is.
    """

    param: str
    start: int
    end: int
    text: str
    trigger: Trigger
    what: str


def spans_of(rules: Rulebook, kind: str, params: Params, prepared: Prepared) -> Spans:
    """Look through every text of an action that leaves the desk, those of its files included.

    What the recipient's own data are comes from the connector; the amounts of the action itself
    count as known too.
    """
    names = rules.outgoing.get(kind, ())
    texts = {name: text for name in names if isinstance(text := params.get(name), str)}
    if not names:
        return {}
    own = tuple(value for value in params.values() if isinstance(value, Money))
    value = () if prepared.value is None else (prepared.value,)
    known = dict.fromkeys((*own, *value, *prepared.about.amounts))
    about = msgspec.structs.replace(prepared.about, amounts=tuple(known))
    spans = {**spans_said(texts, about), **_spans_attached(prepared.request, about)}
    return {name: found for name, found in spans.items() if found}


def _spans_attached(request: Mapping[str, object], about: About) -> Spans:
    """What is found in files of plain text; of each trigger so many in all as in one text."""
    counts: Counter[Trigger] = Counter()
    found = {}
    for name, text in _texts_attached(request).items():
        kept = []
        for span in spans_in(text, about):
            counts[span.trigger] += 1
            if counts[span.trigger] <= SPANS_MAX:
                kept.append(span)
        found[name] = tuple(kept)
    return found


def _texts_attached(request: Mapping[str, object]) -> dict[str, str]:
    """What the files of plain text say, by their place: `attachments[0]`."""
    looks = (look_at(one) for one in attached_in(request) or ())
    texts = {f"{ATTACHMENTS}[{n}]": look.text for n, look in enumerate(looks)}
    return {name: text for name, text in texts.items() if text is not None}


def texts_of(artifact: Mapping[str, object]) -> dict[str, str]:
    """Every text of a stored action in which something can be found, under the names of `Spans`."""
    params, request = artifact.get("params"), artifact.get("request")
    said = params.items() if isinstance(params, Mapping) else ()
    texts = {name: text for name, text in said if isinstance(text, str)}
    return {**texts, **(_texts_attached(request) if isinstance(request, Mapping) else {})}


def spans_by_text(spans: Spans, texts: Mapping[str, str]) -> Spans:
    """What was found by the whole text that it stands in; of two that are alike, for the first."""
    return {texts[name]: found for name, found in reversed(spans.items()) if name in texts}


def found_in(
    rules: Rulebook, kind: str, spans: Spans, request: Mapping[str, object]
) -> Mapping[str, int]:
    """How much of each trigger there is, zeros included, and of `any`, which counts attachments.

    Empty for a kind of which nothing leaves the desk: nobody looked, and that is not zero.
    """
    if not rules.outgoing.get(kind):
        return {}
    counts = counts_of(span for found in spans.values() for span in found)
    attached = request.get(ATTACHMENTS)
    return {**counts, ANY: counts[ANY] + len(attached)} if isinstance(attached, list) else counts


def attached_in(request: Mapping[str, object]) -> tuple[Attachment, ...] | None:
    """The files that a request sends, in its order; None when they are in no form that is known."""
    if ATTACHMENTS not in request:
        return ()
    try:
        return tuple(msgspec.convert(request[ATTACHMENTS], list[Attachment]))
    except msgspec.ValidationError:
        return None


def html_in(request: Mapping[str, object]) -> str | None:
    """The HTML that a request sends; None when it sends none. What is no text is no HTML either."""
    found = request.get(HTML)
    return found if isinstance(found, str) and found else None


def compared(prepared: Prepared) -> Prepared:
    """What was prepared, and of a message with HTML whether that says what its text says.

    None stands for what cannot be told, False speaks against the action.
    """
    html, body = html_in(prepared.request), prepared.request.get(BODY)
    if html is None:
        return prepared
    rendition = read_html(html)
    known = not rendition.wrong
    against = difference(body if isinstance(body, str) else "", rendition) if known else None
    fact = Fact(
        name="message_parts_agree",
        value=against is None if known else None,
        source="the message itself",
        against=against,
    )
    return msgspec.structs.replace(prepared, facts=(*prepared.facts, fact))


def doubts_of(request: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What nobody reads in the HTML and the attachments of a request, and what nobody can look
    into at all.

    The first raises the grade; with the second it is never below G3.
    """
    doubtful, closed = _doubts_of_html(request)
    for attached in _doubts_of_files(request):
        doubtful += attached[0]
        closed += attached[1]
    return doubtful, closed


def _doubts_of_html(request: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    html = html_in(request)
    if html is None:
        strange = request.get(HTML) not in (None, "")
        return (("what the HTML is",), ("the HTML",)) if strange else ((), ())
    rendition = read_html(html)
    if rendition.wrong:
        why = rendition.wrong[0].what
        return (f"what the HTML shows ({why})",), ("what the customer sees of the HTML",)
    hidden = dict.fromkeys(mark.what for mark in hidden_marks(rendition.text))
    doubtful = [f"{what} in what the HTML shows" for what in hidden]
    return (*doubtful, *_led_elsewhere(rendition)), ()


def _led_elsewhere(rendition: Rendition) -> Iterator[str]:
    """The links that name another address than the one they lead to."""
    for link in rendition.links:
        words = rendition.text[link.start : link.end]
        if elsewhere(folded(words), folded(link.address)) is not None:
            yield f"the link {phrase(words)} leads to {phrase(link.address)}"


def _doubts_of_files(
    request: Mapping[str, object],
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    attachments = attached_in(request)
    if attachments is None:
        yield ("what is attached",), ("the attachments",)
        return
    for one in attachments:
        look = look_at(one)
        if look.insight is Insight.OPAQUE:
            yield (f"what the attached {look.sniffed} `{one.name}` shows",), ()
        elif look.insight is Insight.UNINSPECTABLE:
            why = "; ".join(look.wrong)
            what = f"what the attachment `{one.name}` is ({why})"
            yield (what,), (f"the content of the attachment `{one.name}`",)


def places_of(spans: Spans, texts: Mapping[str, str]) -> tuple[Place, ...]:
    """The finds with what stands there, for people."""
    return tuple(
        Place(
            param=name,
            start=span.start,
            end=span.end,
            text=text[span.start : span.end],
            trigger=span.trigger,
            what=span.what,
        )
        for name, found in spans.items()
        if (text := texts.get(name)) is not None
        for span in found
    )
