"""Members of closed sets, by the texts with which callers name them."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from handrail.errors import InvalidInput

__all__ = ["one_of"]

Closed = TypeVar("Closed", bound=Enum)


def one_of(closed: type[Closed], text: str, what: str) -> Closed:
    """The member that a text names. Raises InvalidInput `field_malformed` that lists them all."""
    try:
        return closed(text)
    except ValueError:
        allowed = ", ".join(str(one.value) for one in closed)
        raise InvalidInput("field_malformed", f"{what} is one of: {allowed}") from None
