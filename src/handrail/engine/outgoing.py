"""What is found in the texts that leave the desk: for the policy to count, for people to see."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from handrail.connectors.protocol import Prepared
from handrail.core.action import Params
from handrail.core.money import Money
from handrail.core.triggers.find import counts_of, spans_in
from handrail.core.triggers.span import Span, Trigger
from handrail.engine.context import Rulebook

__all__ = ["Place", "Spans", "found_in", "places_of", "spans_of"]

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


def found_in(rules: Rulebook, kind: str, spans: Spans) -> Mapping[str, int]:
    """How much of each trigger there is, zeros included, and of `any`.

    Empty for a kind of which nothing leaves the desk: nobody looked, and that is not zero.
    """
    if not rules.outgoing.get(kind):
        return {}
    return counts_of(span for found in spans.values() for span in found)


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
