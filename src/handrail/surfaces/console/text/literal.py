"""Text as it is: escaped, nothing removed, and what hides in it made visible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from markupsafe import Markup, escape

from handrail.core.direction import turned_parts
from handrail.core.text import Mark, hidden_marks, hidden_places, visible
from handrail.core.triggers.span import Span, Trigger
from handrail.surfaces.console.language.amounts import amount_text, read_amount

__all__ = [
    "anchor_of",
    "clipped",
    "hidden_notes",
    "json_text",
    "literal",
    "marked",
    "money_markup",
    "told",
]

_RUN_SHOWN_MAX: Final = 3
"""Tokens in a row for one and the same character; a longer run is shown as one, with its length."""
TURNED: Final = "set from right to left: what is written first does not stand on the left"


def literal(text: object) -> Markup:
    """The text for a page: characters that hide as tokens, look-alikes marked in their place."""
    return marked(str(text), ())


def marked(text: str, spans: Iterable[Span], prefix: str = "") -> Markup:
    """`literal`, with every place where something was found highlighted; a title says what.

    With a prefix each place has an id, `anchor_of` its beginning, for a link to lead there.
    """
    marks = hidden_marks(text)
    hidden = hidden_places(text) if marks else frozenset()
    found = [
        (start, end, f' id="{prefix}-{start}"' if prefix else "", what)
        for start, end, what in _united(spans)
    ]
    out: list[str] = []
    rest = 0
    for start, end in turned_parts(text, hidden):
        out += _highlighted(text, rest, start, marks, hidden, found)
        out.append(f'<span class="turned" title="{TURNED}">')
        out += _highlighted(text, start, end, marks, hidden, found)
        out.append("</span>")
        rest = end
    out += _highlighted(text, rest, len(text), marks, hidden, found)
    # Every piece of the text in it went through `escape`; what is around it is our own.
    return Markup("".join(out))


def told(text: str) -> Markup:
    """A message of handrail as a sentence: a capital first, what stood in backticks set apart."""
    parts = []
    for place, part in enumerate(text.split("`")):
        quoted = place % 2 == 1
        part = part if place or quoted else part[:1].upper() + part[1:]
        shape = Markup('<span class="id">{}</span>') if quoted else Markup("{}")
        parts.append(shape.format(literal(part)))
    return Markup("").join(parts)


def hidden_notes(text: str) -> list[str]:
    """What hides in a text, one phrase a kind, with how often: `invisible character (3 times)`."""
    counts = Counter(mark.what for mark in hidden_marks(text))
    return [what if n == 1 else f"{what} ({n} times)" for what, n in counts.items()]


def money_markup(text: str) -> Markup | None:
    """An amount like `2400.00 USD`, its digits set in groups of three; None for other text.

    The groups are a matter of style alone: the characters stay `2400.00 USD`. In a language that
    writes it otherwise, `2.400,00 USD`, the form that records have is its title.
    """
    parts = read_amount(text)
    if parts is None:
        return None
    groups, between, decimals, currency = parts
    if between:
        groups = [between.join(groups)]
    rest = "".join(f'<span class="group">{group}</span>' for group in groups[1:])
    title = f' title="{text}"' if amount_text(text) != text else ""
    # Nothing here needs escaping: the pattern admits digits, a point and capital letters.
    return Markup(
        f'<span class="money"{title}><span class="digits">{groups[0]}{rest}{decimals}</span>'
        f' <span class="currency">{currency}</span></span>'
    )


def json_text(value: object) -> str:
    """Indented JSON of plain values, in the order in which they are stored."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def clipped(text: str, most: int) -> str:
    """One line of at most `most` characters, with every hidden character as a token."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def anchor_of(spans: Iterable[Span], start: int, prefix: str) -> str | None:
    """The id of the highlight in which a place begins, in a text that was marked with a prefix."""
    for first, last, _ in _united(spans):
        if first <= start < last:
            return f"{prefix}-{first}"
    return None


def _token(char: str) -> str:
    return f"[U+{ord(char):04X}]"


def _united(spans: Iterable[Span]) -> list[tuple[int, int, str]]:
    """Spans that overlap as one, with all that is said about them.

    Characters that hide are marked as such already.
    """
    found: list[tuple[int, int, str]] = []
    seen = (one for one in spans if one.trigger is not Trigger.HIDDEN)
    for span in sorted(seen, key=lambda one: (one.start, one.end)):
        if found and span.start < found[-1][1]:
            start, end, what = found[-1]
            found[-1] = (start, max(end, span.end), f"{what}; {span.what}")
        else:
            found.append((span.start, span.end, span.what))
    return found


def _highlighted(
    text: str,
    start: int,
    end: int,
    marks: tuple[Mark, ...],
    hidden: frozenset[int],
    found: list[tuple[int, int, str, str]],
) -> Iterator[str]:
    """One part of the text, with what was found in it; a find may reach beyond the part.

    A find is where it begins and ends, the attribute that names it, and what it is.
    """
    rest = start
    for begin, last, name, what in found:
        first, last = max(begin, rest), min(last, end)
        if first >= last:
            continue
        yield from _between(text, rest, first, marks, hidden)
        yield f'<mark class="found"{name if first == begin else ""} title="{escape(what)}">'
        yield from _between(text, first, last, marks, hidden)
        yield "</mark>"
        rest = last
    yield from _between(text, rest, end, marks, hidden)


def _between(
    text: str, start: int, end: int, marks: tuple[Mark, ...], hidden: frozenset[int]
) -> Iterator[str]:
    """One part of the text; `marks` and `hidden` are those of all of it."""
    rest = start
    for mark in marks:
        first, last = max(mark.start, rest), min(mark.end, end)
        if first >= last:  # an odd word may hold a mark of its own
            continue
        yield escape(text[rest:first])
        yield from _odd(text, first, last, mark.what, hidden)
        rest = last
    yield escape(text[rest:end])


def _odd(text: str, start: int, end: int, what: str, hidden: frozenset[int]) -> Iterator[str]:
    yield f'<mark class="odd" title="{escape(what)}">'
    at = start
    while at < end:
        if at not in hidden:
            yield escape(text[at])
            at += 1
            continue
        run = 1
        while at + run < end and text[at + run] == text[at]:
            run += 1
        token = _token(text[at])
        shown = token * run if run <= _RUN_SHOWN_MAX else f"{token} {run} times "
        yield f'<span class="token">{shown}</span>'
        at += run
    yield "</mark>"
