"""One look at a text: everything that is found in it, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from handrail.core.template import unresolved_markers
from handrail.core.text import Mark, hidden_marks
from handrail.core.triggers.amounts import amounts_in
from handrail.core.triggers.asides import internal_in, other_language_in, pressure_in
from handrail.core.triggers.links import links_in
from handrail.core.triggers.people import ids_in, names_in
from handrail.core.triggers.personal import accounts_in, cards_in, mails_in, phones_in
from handrail.core.triggers.promises import dates_in, promises_in
from handrail.core.triggers.span import SPANS_MAX, About, Span, Trigger, flattened, folded

__all__ = ["ANY", "FOUND", "counts_of", "pressure_of", "spans_in"]

ANY: Final = "any"
"""The name under which the counts of all triggers are added up."""

FOUND: Final = (ANY, *(one.value for one in Trigger if one is not Trigger.PRESSURE))
"""The names of `counts_of`: what can be found in a text."""

_WHOLES: Final = (Trigger.CARD, Trigger.IBAN, Trigger.LINK, Trigger.DISGUISED_LINK)
_PARTS: Final = (Trigger.PHONE, Trigger.EMAIL)


def spans_in(text: str, about: About) -> tuple[Span, ...]:
    """Everything in a text that a person should see before it leaves, by where it stands.

    Takes time in proportion to the text, and never raises. The detectors of words know English; a
    line in another language is a finding itself.
    """
    low = folded(text)
    flat = flattened(low)
    looks: tuple[Iterator[Span], ...] = (
        amounts_in(text, low, flat, about),
        dates_in(flat),
        promises_in(flat),
        links_in(text, low, about),
        cards_in(low),
        accounts_in(text, low),
        phones_in(text, low, about),
        mails_in(text, low, about),
        ids_in(text, low, about),
        names_in(text, low, about),
        internal_in(text, low, flat),
        other_language_in(low),
        _marked(hidden_marks(text), Trigger.HIDDEN, "{}"),
        _marked(unresolved_markers(text), Trigger.PLACEHOLDER, "nobody filled in {}"),
    )
    found = sorted((span for look in looks for span in _first(look)), key=_place)
    return tuple(_without_parts(found))


def pressure_of(note: str) -> tuple[Span, ...]:
    """What in an agent's note presses whoever decides."""
    return tuple(pressure_in(flattened(folded(note))))


def counts_of(spans: Iterable[Span]) -> dict[str, int]:
    """How many places of each trigger there are, zeros included, and of any."""
    counts = dict.fromkeys(FOUND, 0)
    for span in spans:
        counts[span.trigger.value] += 1
        counts[ANY] += 1
    return counts


def _without_parts(spans: list[Span]) -> Iterator[Span]:
    """The spans without what is only a part of an address or of an account's number."""
    end = 0
    for span in spans:
        if span.trigger in _PARTS and span.start < end:
            continue
        if span.trigger in _WHOLES:
            end = max(end, span.end)
        yield span


def _first(look: Iterator[Span]) -> Iterator[Span]:
    for count, span in enumerate(look, start=1):
        yield span
        if count >= SPANS_MAX:
            return


def _marked(marks: tuple[Mark, ...], trigger: Trigger, words: str) -> Iterator[Span]:
    for mark in marks:
        yield Span(start=mark.start, end=mark.end, trigger=trigger, what=words.format(mark.what))


def _place(span: Span) -> tuple[int, int, str]:
    return (span.start, span.end, span.trigger.value)
