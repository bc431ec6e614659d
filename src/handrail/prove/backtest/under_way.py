"""Under way: which actions of a kind about a customer are open, for the checks that ask."""

from __future__ import annotations

from collections import Counter
from typing import Final

from handrail.prove.backtest.traffic import Recorded
from handrail.prove.backtest.windows import NEVER

__all__ = ["ROWS_MAX", "UnderWay"]

ROWS_MAX: Final = 1_000
"""About a customer with more actions than this, nobody counts what is open; as in the store."""


class UnderWay:
    """Every action that is open, by customer and kind, with the time at which it ends if known."""

    def __init__(self) -> None:
        self._ends: dict[tuple[str | None, str], dict[int, int]] = {}
        self._rows: Counter[str | None] = Counter()

    def propose(self, recorded: Recorded, n: int, *, opens: bool) -> None:
        """An action is there, and open if it `opens`."""
        self._rows[recorded.customer] += 1
        if opens:
            self._of(recorded).setdefault(n, NEVER)

    def end(self, recorded: Recorded, n: int, at: int) -> None:
        """An action comes to its end at a time."""
        self._of(recorded)[n] = at

    def before(self, recorded: Recorded, n: int, now: int) -> int | None:
        """How many that came before it are open; None when its customer has too many to count."""
        if self._rows[recorded.customer] > ROWS_MAX:
            return None
        ends = self._of(recorded)
        for one in [one for one, at in ends.items() if at <= now]:
            del ends[one]
        return sum(one < n for one in ends)

    def _of(self, recorded: Recorded) -> dict[int, int]:
        return self._ends.setdefault((recorded.customer, recorded.kind), {})
