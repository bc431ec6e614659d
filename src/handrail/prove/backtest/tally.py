"""Tally: what a policy did with recorded traffic, counted by day, kind, band and control."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from handrail.prove.backtest.fate import Fate
from handrail.prove.backtest.shapes import Judgment

__all__ = ["DAY_MS", "Count", "Forecast", "Tally"]

DAY_MS: Final = 86_400_000


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """So many actions of one kind and band met one control and one fate on one day.

    `minor` is their money together. `label` is `right` or `wrong` when somebody found that out,
    `rejected` when people said no, else None.
    """

    day: int
    kind: str
    band: str
    control: str
    checkers: int
    grade: str
    reasons: str
    fate: str
    label: str | None
    currency: str | None
    n: int
    minor: int


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a backtest counted.

    `prompts` are the reviews that people were asked for, by day; `again` how many of them because a
    sum had risen after somebody had approved. `later` counts what became of actions after they had
    waited, `trips` how often each cap was met full after it had been whole. `unread` counts actions
    whose checks had no facts to read. Days are numbered from 1970-01-01, UTC.
    """

    policy: str
    digest: str
    actions: int
    first_at: int
    last_at: int
    lines: tuple[Count, ...]
    prompts: dict[int, int]
    again: int
    later: dict[str, int]
    trips: dict[str, int]
    unread: int = 0

    def count(self, *fates: str) -> int:
        """How many actions met one of these fates."""
        return sum(line.n for line in self.lines if line.fate in fates)

    def money(self, *fates: str, label: str | None = None) -> dict[str, int]:
        """The money of the actions that met one of these fates, by currency."""
        found: Counter[str] = Counter()
        for line in self.lines:
            if line.fate in fates and line.currency and label in (None, line.label):
                found[line.currency] += line.minor
        return dict(sorted(found.items()))

    @property
    def days(self) -> int:
        """How many days the traffic spans, begun ones included."""
        return self.last_at // DAY_MS - self.first_at // DAY_MS + 1 if self.actions else 0

    @property
    def all_prompts(self) -> int:
        """All reviews that people were asked for."""
        return sum(self.prompts.values())


class Tally:
    """Counts while a backtest runs. The cells of a day stand in the verdicts themselves."""

    def __init__(self) -> None:
        self.lines: list[Count] = []
        self.prompts: Counter[int] = Counter()
        self.later: Counter[str] = Counter()
        self.trips: Counter[str] = Counter()
        self.again = 0

    def close_day(self, day: int, verdicts: Iterable[Judgment]) -> None:
        """Take over what the verdicts counted on a day, and empty them."""
        for verdict in verdicts:
            for (fate, label), (n, minor) in verdict.counted():
                line = Count(
                    day=day,
                    kind=verdict.kind,
                    band=verdict.band,
                    control=verdict.control.value,
                    checkers=verdict.guard.checkers,
                    grade=verdict.grade.name,
                    reasons=verdict.codes,
                    fate=fate,
                    label=label,
                    currency=verdict.currency,
                    n=n,
                    minor=minor,
                )
                self.lines.append(line)
                if fate == Fate.ASKED:
                    self.prompts[day] += n * verdict.prompts

    def ask_again(self, day: int, prompts: int) -> None:
        """People are asked anew about something that had been allowed."""
        self.prompts[day] += prompts
        self.again += prompts
