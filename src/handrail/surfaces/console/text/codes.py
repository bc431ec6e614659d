"""Values that were written for machines, as people read them. The value itself is never lost.

A code stands as words, with itself as the title; a Message-ID is named as such; an e-mail address
breaks at its signs and not within a word. Anything else stays as it is.
"""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup, escape

from handrail.surfaces.console.text.literal import literal, money_markup

__all__ = ["address_markup", "code_markup", "value_markup"]

_CODE: Final = re.compile(r"[a-z]+(?:_[a-z]+)+")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_MESSAGE_ID: Final = re.compile(rf"<({_ADDRESS.pattern})>")
_SIGNS: Final = re.compile(r"(?=[@.])")


def value_markup(text: str) -> Markup:
    """A fact's value for a page: money, a code, an address, a Message-ID, or the literal text."""
    known = money_markup(text) or code_markup(text) or address_markup(text)
    return known or _message_id_markup(text) or literal(text)


def code_markup(text: str) -> Markup | None:
    """A code like `wrong_item` as words, with the code as the title; None for other text."""
    if not _CODE.fullmatch(text):
        return None
    return Markup('<span title="{}">{}</span>').format(text, text.replace("_", " "))


def address_markup(text: str) -> Markup | None:
    """An e-mail address that may break before its signs; None for other text."""
    return _breaking(text) if _ADDRESS.fullmatch(text) else None


def _message_id_markup(text: str) -> Markup | None:
    if not _MESSAGE_ID.fullmatch(text):
        return None
    return Markup('<span class="message-id">Message-ID <span class="id">{}</span></span>').format(
        _breaking(text)
    )


def _breaking(text: str) -> Markup:
    return Markup("<wbr>").join(escape(part) for part in _SIGNS.split(text))
