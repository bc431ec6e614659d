"""Times as the console says them: in the reader's zone, with how far from UTC that is.

Beside it stands a plain phrase of how far away they are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from handrail.surfaces.console.language.reader import reader

__all__ = ["clock_text", "iso_text", "moment_text", "relative_text", "span_text"]

_SECOND_MS: Final = 1_000
_MINUTE_MS: Final = 60 * _SECOND_MS
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS


def iso_text(at: int) -> str:
    """A time in milliseconds as the `datetime` of a `<time>`: `2026-02-28T11:02:09Z`."""
    return datetime.fromtimestamp(at // _SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_text(at: int) -> str:
    """A time to the second: `28 Feb 2026, 11:02:09 UTC`."""
    when = _of(at)
    return f"{when.day} {when.strftime('%b %Y, %H:%M:%S')} {_ahead(when)}"


def clock_text(at: int, now: int) -> str:
    """A time to the minute, with the day when that is not today's: `1 Mar, 11:02 UTC`."""
    when = _of(at)
    day = "" if when.date() == _of(now).date() else f"{when.day} {when.strftime('%b')}, "
    return f"{day}{when.strftime('%H:%M')} {_ahead(when)}"


def relative_text(at: int, now: int) -> str:
    """How far away a time is: `in 3 h 58 min`, `12 s ago`, `just now`."""
    if abs(at - now) < _SECOND_MS:
        return "just now"
    return f"in {span_text(at - now)}" if at > now else f"{span_text(now - at)} ago"


def span_text(span_ms: int) -> str:
    """A length of time in its two largest units: `3 h 58 min`, `12 s`, `2 days 4 h`."""
    if span_ms < _MINUTE_MS:
        return f"{max(0, span_ms) // _SECOND_MS} s"
    minutes = span_ms // _MINUTE_MS
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        said = "1 day" if days == 1 else f"{days} days"
        return f"{said} {hours} h" if hours else said
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def _of(at: int) -> datetime:
    return datetime.fromtimestamp(at // _SECOND_MS, reader().zone)


def _ahead(when: datetime) -> str:
    """`UTC`, `UTC+2` or `UTC-3:30`: an abbreviation such as CST is more than one place's."""
    minutes = (when.utcoffset() or timedelta()) // timedelta(minutes=1)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02}' if rest else ''}"
