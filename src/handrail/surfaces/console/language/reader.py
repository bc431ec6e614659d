"""Who reads a page: in which time zone, and in which language.

Both are the browser's own matter: a cookie names them, nothing is stored about a person. A time is
always written with its distance from UTC, so that two people who compare pages are never an hour
apart in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from starlette.requests import Request
from starlette.responses import Response

from handrail.surfaces.console.language.catalogue import Catalogue

__all__ = ["LANGUAGE_COOKIE", "ZONE_COOKIE", "Reader", "keep", "reader", "reading", "zone_names"]

ZONE_COOKIE: Final = "handrail_zone"
LANGUAGE_COOKIE: Final = "handrail_language"
_KEPT_S: Final = 365 * 24 * 3_600
_ENGLISH: Final = Catalogue(language="en")
_ACCEPTED_MAX: Final = 20


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How the page that is being drawn speaks."""

    zone: tzinfo = UTC
    catalogue: Catalogue = field(default=_ENGLISH)

    @classmethod
    def of(cls, request: Request, catalogues: Mapping[str, Catalogue]) -> Reader:
        """As the browser's cookies say; else UTC, and the first of its languages that there is."""
        name = request.cookies.get(ZONE_COOKIE, "UTC")
        known = name in zone_names() and name != "UTC"
        return cls(zone=ZoneInfo(name) if known else UTC, catalogue=_chosen(request, catalogues))


_NOBODY: Final = Reader()
_READER: Final[ContextVar[Reader]] = ContextVar("reader")


def reader() -> Reader:
    """Who reads the page that is being drawn."""
    return _READER.get(_NOBODY)


@contextmanager
def reading(who: Reader) -> Iterator[None]:
    """Draw pages for this reader while the block runs."""
    token = _READER.set(who)
    try:
        yield
    finally:
        _READER.reset(token)


@cache
def zone_names() -> tuple[str, ...]:
    """Every zone that can be chosen, by name; `UTC` first."""
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name))


def keep(answer: Response, cookie: str, value: str, *, secure: bool) -> None:
    """Have the browser keep a choice."""
    answer.set_cookie(
        cookie, value, max_age=_KEPT_S, secure=secure, httponly=True, samesite="strict"
    )


def _chosen(request: Request, catalogues: Mapping[str, Catalogue]) -> Catalogue:
    if len(catalogues) <= 1:
        return _ENGLISH
    cookie = request.cookies.get(LANGUAGE_COOKIE, "")
    accepted = request.headers.get("accept-language", "").split(",")[:_ACCEPTED_MAX]
    # The order in which a browser names them is the order of preference; weights only repeat it.
    for tag in (cookie, *(one.partition(";")[0].strip() for one in accepted)):
        name = tag.replace("-", "_")
        for wanted in (name, name.partition("_")[0]):
            if wanted in catalogues:
                return catalogues[wanted]
    return _ENGLISH
