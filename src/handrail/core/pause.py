"""How long to wait before something is tried again: doubling, bounded, and spread out."""

from __future__ import annotations

from typing import Final

__all__ = ["PAUSE_MS_MAX", "pause_ms"]

PAUSE_MS_MAX: Final = 10 * 60_000
_DOUBLINGS_MAX: Final = 20


def pause_ms(base_ms: int, tries: int, spread: int) -> int:
    """The pause after `tries` vain tries: `base_ms`, doubled each time, at most `PAUSE_MS_MAX`.

    `spread` (0 to 65,535) picks a point in the second half of it, so that what failed together is
    not tried again together. Nothing is waited for what was not tried.
    """
    if tries <= 0:
        return 0
    whole = min(base_ms << min(tries - 1, _DOUBLINGS_MAX), PAUSE_MS_MAX)
    return whole - whole * spread // (2 * 65_536)
