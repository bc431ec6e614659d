"""Text as it is: escaped, nothing removed, and what hides in it made visible."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import msgspec
from markupsafe import Markup, escape

from handrail.core.text import Mark, hidden_marks, visible

__all__ = ["clipped", "hidden_notes", "json_text", "literal", "money_markup", "told"]

_RUN_SHOWN_MAX: Final = 3
"""Tokens in a row for one and the same character; a longer run is shown as one, with its length."""
_AMOUNT: Final = re.compile(r"([0-9]+)((?:\.[0-9]+)?) ([A-Z]{3})")
_GROUP: Final = 3


def literal(text: object) -> Markup:
    """The text for a page: characters that hide as tokens, look-alikes marked in their place."""
    plain = str(text)
    marks = hidden_marks(plain)
    if not marks:
        return escape(plain)
    hidden = _hidden_places(plain, marks)
    out: list[Markup] = []
    rest = 0
    for mark in marks:
        start = max(mark.start, rest)  # an odd word may hold a mark of its own
        if start >= mark.end:
            continue
        out.append(escape(plain[rest:start]))
        out.append(_marked(plain, start, mark, hidden))
        rest = mark.end
    out.append(escape(plain[rest:]))
    return Markup("").join(out)


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

    The groups are a matter of style alone: the characters stay `2400.00 USD`.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    whole, decimals, currency = found.groups()
    first = len(whole) % _GROUP or _GROUP
    groups = [whole[at : at + _GROUP] for at in range(first, len(whole), _GROUP)]
    rest = "".join(f'<span class="group">{group}</span>' for group in groups)
    # Nothing here needs escaping: the pattern admits digits, a point and capital letters.
    return Markup(
        f'<span class="money"><span class="digits">{whole[:first]}{rest}{decimals}</span>'
        f' <span class="currency">{currency}</span></span>'
    )


def json_text(value: object) -> str:
    """Indented JSON of plain values, in the order in which they are stored."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def clipped(text: str, most: int) -> str:
    """One line of at most `most` characters, with every hidden character as a token."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _hidden_places(text: str, marks: tuple[Mark, ...]) -> frozenset[int]:
    """Places whose character `visible` shows as a token; the other marked ones can be seen."""
    shown = visible(text)
    found = []
    ahead = 0  # how much further the same character stands in `shown`
    at = 0
    for mark in marks:
        at = max(at, mark.start)
        while at < mark.end:
            if shown[at + ahead] == text[at]:
                at += 1
                continue
            found.append(at)
            ahead += len(_token(text[at])) - 1
            at += 1
    return frozenset(found)


def _token(char: str) -> str:
    return f"[U+{ord(char):04X}]"


def _marked(text: str, start: int, mark: Mark, hidden: frozenset[int]) -> Markup:
    parts: list[Markup] = []
    at = start
    while at < mark.end:
        if at not in hidden:
            parts.append(escape(text[at]))
            at += 1
            continue
        run = 1
        while at + run < mark.end and text[at + run] == text[at]:
            run += 1
        token = _token(text[at])
        shown = token * run if run <= _RUN_SHOWN_MAX else f"{token} {run} times "
        parts.append(Markup('<span class="token">{}</span>').format(shown))
        at += run
    inner = Markup("").join(parts)
    return Markup('<mark class="odd" title="{}">{}</mark>').format(mark.what, inner)
