"""The database's clock, carried on between two looks at it by this machine's monotonic one."""

from __future__ import annotations

import math
import time
from typing import Any, Final

import psycopg

__all__ = ["ServerClock"]

AGE_S_MAX: Final = 5.0
_ASK: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"


class ServerClock:
    """Milliseconds UTC as the server counts them. Every gateway goes by the same clock.

    A look at the server's clock is as good as the answer was quick. Of several, the quickest of the
    last seconds counts.
    """

    def __init__(self) -> None:
        self._asked = 0.0
        self._offset_ms = 0.0
        self._quick_s = float("inf")
        self._taken = float("-inf")

    def now(self) -> int:
        """The server's time now."""
        return int(time.monotonic() * 1000 + self._offset_ms)

    @property
    def early_ms(self) -> int:
        """By how much `now` may be ahead of the server's true time, one rounding included."""
        return math.ceil(self._quick_s * 1000) + 1

    def ask(self) -> None:
        """Note that the server is being asked."""
        self._asked = time.monotonic()

    def is_now(self, server_ms: int) -> None:
        """Take the server's answer, which was true at some moment since `ask`."""
        answered = time.monotonic()
        took = answered - self._asked
        if took <= self._quick_s or answered - self._taken > AGE_S_MAX:
            self._quick_s, self._taken = took, answered
            # The latest that it can be: a deadline is never passed unseen.
            self._offset_ms = server_ms - self._asked * 1000

    def read(self, connection: psycopg.Connection[Any]) -> None:
        """Ask and take the answer."""
        connection.execute(_ASK)
        self.ask()
        row = connection.execute(_ASK).fetchone()
        assert row is not None
        self.is_now(int(row[0]))
