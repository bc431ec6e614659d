"""What is found in the texts that leave the desk: for the policy to count, for people to see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.connectors.protocol import Prepared
from handrail.core.action import Params
from handrail.core.attachment import Attachment, Insight, look_at
from handrail.core.money import Money
from handrail.core.triggers.find import ANY, counts_of, spans_in
from handrail.core.triggers.span import Span, Trigger
from handrail.engine.context import Rulebook

__all__ = [
    "ATTACHMENTS",
    "Place",
    "Spans",
    "attached_in",
    "doubts_of",
    "found_in",
    "places_of",
    "spans_of",
]

ATTACHMENTS: Final = "attachments"
"""Under which name a request holds the files that it sends."""

Spans = dict[str, tuple[Span, ...]]
"""What was found, by the parameter that it was found in; parameters without a find are left out."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One place in a text that leaves the desk: which part of which parameter, and what it is.

    `start` and `end` count Unicode characters from 0; `text` is what stands there, as it is.
    """

    param: str
    start: int
    end: int
    text: str
    trigger: Trigger
    what: str


def spans_of(rules: Rulebook, kind: str, params: Params, prepared: Prepared) -> Spans:
    """Look through every text of an action that leaves the desk.

    What the recipient's own data are comes from the connector; the amounts of the action itself
    count as known too.
    """
    texts = {name: params.get(name) for name in rules.outgoing.get(kind, ())}
    if not any(texts.values()):
        return {}
    own = tuple(value for value in params.values() if isinstance(value, Money))
    value = () if prepared.value is None else (prepared.value,)
    known = dict.fromkeys((*own, *value, *prepared.about.amounts))
    about = msgspec.structs.replace(prepared.about, amounts=tuple(known))
    looked = {name: spans_in(text, about) for name, text in texts.items() if isinstance(text, str)}
    return {name: spans for name, spans in looked.items() if spans}


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
    found = request.get(ATTACHMENTS, [])
    try:
        return tuple(msgspec.convert(found, list[Attachment]))
    except msgspec.ValidationError:
        return None


def doubts_of(request: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What nobody reads in the attachments of a request, and what nobody can look into at all.

    The first raises the grade; with the second it is never below G3.
    """
    doubtful, closed = [], []
    attachments = attached_in(request)
    if attachments is None:
        return ("what is attached",), ("the attachments",)
    for one in attachments:
        look = look_at(one)
        if look.insight is Insight.OPAQUE:
            doubtful.append(f"what the attached {look.sniffed} `{one.name}` shows")
        elif look.insight is Insight.UNINSPECTABLE:
            why = "; ".join(look.wrong)
            doubtful.append(f"what the attachment `{one.name}` is ({why})")
            closed.append(f"the content of the attachment `{one.name}`")
    return tuple(doubtful), tuple(closed)


def places_of(spans: Spans, params: Mapping[str, object]) -> tuple[Place, ...]:
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
        if isinstance(text := params.get(name), str)
        for span in found
    )
