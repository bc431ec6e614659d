"""How long tests wait for something: until it happens, and no test fails because that took long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

__all__ = ["HANG_S", "wait_until"]

HANG_S: Final = 120.0
"""What takes longer than this hangs, also on a machine that has other things to do."""


def wait_until(happened: Callable[[], object]) -> None:
    """Wait until it has happened."""
    until = time.monotonic() + HANG_S
    while not happened():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)
