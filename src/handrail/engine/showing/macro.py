"""The macro that a text was written from, read from the helpdesk by the gateway's own access.

It is context for a person, like the conversation: no decision rests on it, nothing of it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

import msgspec

from handrail.connectors.protocol import Macro, Macros
from handrail.core.markup.finds import BODY
from handrail.engine.base.context import Context

__all__ = ["Original", "Unread", "macro_in", "read_original"]

MACRO: Final = "macro"
"""Under which name a request holds the macro that its text was written from."""


class Unread(Enum):
    """Why there is no macro to compare with."""

    NOT_OFFERED = "not_offered"
    NOT_READ = "not_read"


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """A text and the macro it names, filled in; or why the macro could not be read."""

    id: str
    text: str
    macro: Macro | None = None
    unread: Unread | None = None


def macro_in(request: object) -> tuple[str, str] | None:
    """The macro that a stored request names, by its id, and the text that was written from it."""
    if not isinstance(request, Mapping):
        return None
    id, text = request.get(MACRO), request.get(BODY)
    return (id, text) if isinstance(id, str) and id and isinstance(text, str) else None


def read_original(
    ctx: Context, connector: str, request: Mapping[str, object], id: str, text: str
) -> Original:
    """The macro of a request as the helpdesk fills it in now. Never raises.

    A connector that has stopped answering is not asked.
    """
    found = Original(id=id, text=text)
    if connector in ctx.circuits.open():
        return msgspec.structs.replace(found, unread=Unread.NOT_READ)
    try:
        source = ctx.connector(connector)
        if not isinstance(source, Macros):
            return msgspec.structs.replace(found, unread=Unread.NOT_OFFERED)
        macro = msgspec.convert(source.macro(id, request), Macro)
    except Exception:
        # A helpdesk that says no, or does not answer: the text itself is still worth reading.
        return msgspec.structs.replace(found, unread=Unread.NOT_READ)
    return msgspec.structs.replace(found, macro=macro)
