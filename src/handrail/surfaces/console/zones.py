"""The time zone in which a reader is told times.

It is the browser's own matter: a cookie names it, nothing is stored. A time is always written with
its distance from UTC, so that two people who compare pages are never an hour apart in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from starlette.requests import Request

__all__ = ["ZONE_COOKIE", "ZONE_COOKIE_S", "told_in", "zone", "zone_names", "zone_of"]

ZONE_COOKIE: Final = "handrail_zone"
ZONE_COOKIE_S: Final = 365 * 24 * 3_600
_ZONE: Final[ContextVar[tzinfo]] = ContextVar("zone", default=UTC)


@cache
def zone_names() -> tuple[str, ...]:
    """Every zone that can be chosen, by name; `UTC` first."""
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name))


def zone_of(request: Request) -> tzinfo:
    """The zone that the reader has chosen; UTC when there is none, or none of that name."""
    name = request.cookies.get(ZONE_COOKIE, "UTC")
    return ZoneInfo(name) if name in zone_names() and name != "UTC" else UTC


def zone() -> tzinfo:
    """The zone in which times are told on the page that is being drawn."""
    return _ZONE.get()


@contextmanager
def told_in(chosen: tzinfo) -> Iterator[None]:
    """Tell times in this zone while a page is drawn."""
    token = _ZONE.set(chosen)
    try:
        yield
    finally:
        _ZONE.reset(token)
