"""Snoozing: a person puts an action off for themselves, never past its deadline."""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from handrail.errors import Conflict

__all__ = ["MARGIN_MS", "Nap", "Snooze", "wakes_at"]

MARGIN_MS: Final = 10 * 60_000
"""What is left of the time to decide when an action comes back at the latest."""


class Nap(Enum):
    """For how long. LATEST is until shortly before the time to decide is over."""

    QUARTER = "quarter"
    HOUR = "hour"
    LATEST = "latest"


_LENGTHS: Final = {Nap.QUARTER: 15 * 60_000, Nap.HOUR: 60 * 60_000}


class Snooze(msgspec.Struct, frozen=True, kw_only=True):
    """One action that one person does not want to see in their queue until then (ms UTC)."""

    desk: str
    person: str
    proposal: str
    until: int


def wakes_at(nap: Nap, now: int, decide_by: int | None) -> int:
    """When an action that is put off now comes back, in milliseconds UTC.

    Raises Conflict `snooze_too_late` when that is at once: its deadline is too near.
    """
    latest = now if decide_by is None else decide_by - MARGIN_MS
    wakes = latest if nap is Nap.LATEST else min(now + _LENGTHS[nap], latest)
    if wakes <= now:
        raise Conflict("snooze_too_late", "too little time is left to decide this; it stays")
    return wakes
