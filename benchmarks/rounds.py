"""Interleaved measuring: A B C A B C ..., the disk probed in between, compared round by round.

A disk's latency swings tenfold within minutes, so figures from different minutes say nothing about
each other. Each round measures every case once, close together, and a ratio is taken within a
round; what is reported is the median over the rounds.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from benchmarks.figures import Figures

__all__ = ["Case", "Measuring", "Ratio", "Rounds", "Row", "run_rounds", "table"]

Measuring = Callable[[], Figures]
"""Measures one case once, and takes a second or so."""

COLUMNS: Final = ("system", "operation", "in flight", "per s", "p50 ms", "p99 ms")


class Case(NamedTuple):
    """What is measured: a system, an operation, and how many of them are under way at once."""

    system: str
    operation: str
    in_flight: int


class Ratio(NamedTuple):
    """How many times one is the other: the median of the rounds, the lowest and the highest."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the report: a case with the medians of its figures over all rounds."""

    system: str
    operation: str
    in_flight: int
    per_s: float
    p50_ms: float
    p99_ms: float

    def as_json(self) -> dict[str, object]:
        """The six fields by name, rounded to what a measurement can say."""
        return {
            "system": self.system,
            "operation": self.operation,
            "in_flight": self.in_flight,
            "per_s": round(self.per_s, 1),
            "p50_ms": round(self.p50_ms, 3),
            "p99_ms": round(self.p99_ms, 3),
        }


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """All figures of a run. For each case, `taken` and `disk` have one element per round.

    `disk` is the mean of the probes just before and just after the case was measured; `probes` are
    all of them in order.
    """

    taken: Mapping[Case, Sequence[Figures]]
    disk: Mapping[Case, Sequence[Figures]]
    probes: Sequence[Figures]

    @property
    def fdatasync_per_s(self) -> float:
        """The median of all probes of the disk."""
        return Figures.median(self.probes).per_s

    def rows(self) -> list[Row]:
        """A row for each case, in the order in which they are measured."""
        return [_row(case, Figures.median(figures)) for case, figures in self.taken.items()]

    def ratio(self, case: Case, over: Case) -> Ratio:
        """How many times as many operations a second `case` did as `over` in the same round."""
        pairs = zip(self.taken[case], self.taken[over], strict=True)
        return _ratio(one.per_s / other.per_s for one, other in pairs)

    def share_of_disk(self, case: Case) -> Ratio:
        """Operations a second over fdatasyncs a second around it: 0.4 is 40 %."""
        pairs = zip(self.taken[case], self.disk[case], strict=True)
        return _ratio(one.per_s / disk.per_s for one, disk in pairs)

    def p50_over_disk(self, case: Case) -> Ratio:
        """The median time of an operation over that of one fdatasync around it."""
        pairs = zip(self.taken[case], self.disk[case], strict=True)
        return _ratio(one.p50_ms / disk.p50_ms for one, disk in pairs)

    def document(self) -> dict[str, object]:
        """The report as JSON: `fdatasync_per_s` and `rows`."""
        rows = [row.as_json() for row in self.rows()]
        return {"fdatasync_per_s": round(self.fdatasync_per_s, 1), "rows": rows}

    def text(self) -> str:
        """The report as a plain table, the disk on its first line."""
        disk = _row(Case("disk", "fdatasync", 1), Figures.median(self.probes))
        return table([disk, *self.rows()])


def run_rounds(
    measurings: Mapping[Case, Measuring],
    *,
    rounds: int,
    probe: Measuring,
    tell: Callable[[str], None] = lambda line: None,
) -> Rounds:
    """Measure every case once a round, in order, with `probe` before the first and after each.

    `tell` gets a line after each measurement. An exception of a measuring ends the run: a report
    with holes compares nothing. Raises ValueError when there is nothing to run.
    """
    if rounds < 1 or not measurings:
        raise ValueError(f"`{rounds}` rounds of {len(measurings)} cases are nothing to run")
    taken: dict[Case, list[Figures]] = {case: [] for case in measurings}
    disk: dict[Case, list[Figures]] = {case: [] for case in measurings}
    probes = [probe()]
    for number in range(1, rounds + 1):
        for case, measure in measurings.items():
            figures = measure()
            probes.append(probe())
            taken[case].append(figures)
            disk[case].append(_mean(probes[-2], probes[-1]))
            tell(
                f"round {number}/{rounds}: {case.system} {case.operation} x{case.in_flight}:"
                f" {figures.per_s:,.0f}/s, disk {disk[case][-1].per_s:,.0f}/s"
            )
    return Rounds(taken=taken, disk=disk, probes=probes)


def table(rows: Iterable[Row]) -> str:
    """Rows as plain text: words to the left, figures to the right, one line each."""
    lines = [COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.system,
        row.operation,
        str(row.in_flight),
        f"{row.per_s:,.0f}",
        f"{row.p50_ms:,.2f}",
        f"{row.p99_ms:,.2f}",
    )


def _row(case: Case, figures: Figures) -> Row:
    return Row(
        system=case.system,
        operation=case.operation,
        in_flight=case.in_flight,
        per_s=figures.per_s,
        p50_ms=figures.p50_ms,
        p99_ms=figures.p99_ms,
    )


def _ratio(each: Iterable[float]) -> Ratio:
    values = list(each)
    return Ratio(statistics.median(values), min(values), max(values))


def _mean(before: Figures, after: Figures) -> Figures:
    return Figures(
        per_s=(before.per_s + after.per_s) / 2,
        p50_ms=(before.p50_ms + after.p50_ms) / 2,
        p99_ms=(before.p99_ms + after.p99_ms) / 2,
        n=before.n + after.n,
    )
