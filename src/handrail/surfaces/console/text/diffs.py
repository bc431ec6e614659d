"""A text with what differs from an earlier one marked, word by word, everything as it is."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from handrail.surfaces.console.text.literal import literal
from handrail.surfaces.console.text.wording import Side, reworded

__all__ = ["diff_markup"]

_SHAPES: Final = {
    Side.BOTH: Markup("{}"),
    Side.BEFORE: Markup('<del><span class="unseen">removed: </span>{}</del>'),
    Side.NOW: Markup('<ins><span class="unseen">added: </span>{}</ins>'),
}


def diff_markup(now: str, before: str) -> Markup:
    """`now` with what was added and removed since `before`; a reader hears it, no colour needed."""
    parts = (_SHAPES[one.side].format(literal(one.text)) for one in reworded(before, now))
    return Markup("").join(parts)
