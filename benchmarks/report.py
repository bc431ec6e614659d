"""The report of a run: rows for people and programs, and whether each target was reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from benchmarks.cases import (
    APPROVE,
    BATCHED,
    CHECKED,
    CONNECTIONS,
    DECIDE,
    DEEP_LOG,
    EMPTY_ASYNC,
    EMPTY_DEF,
    EMPTY_LOG,
    GUARDED,
    HTTP,
    OURS,
    of_peer,
)
from benchmarks.consoles import Told
from benchmarks.figures import Figures
from benchmarks.handrail_depth import PAGE, Verified
from benchmarks.rounds import Case, Ratio, Rounds, Row, table

__all__ = ["TARGETS", "Measured", "Target", "text", "verdict"]

WORD_CHARS: Final = len("not measured")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All that a run has found. `resident_mb` is None where the system does not say it.

    `pending`, `entries` and `decisions` are how deep the desk was and how long the server ran.
    """

    rounds: Rounds
    queue: Figures
    case: Figures
    told: Told
    verified: Verified
    load: Figures
    resident_mb: float | None
    pending: int
    entries: int
    decisions: int

    def document(self) -> dict[str, object]:
        """The report as JSON: `fdatasync_per_s` and `rows`."""
        document = self.rounds.document()
        rows = [row.as_json() for row in (*self.rounds.rows(), *self.single_rows())]
        return document | {"rows": rows}

    def single_rows(self) -> Iterator[Row]:
        """What is measured once, after the rounds."""
        yield _row(f"queue page of {PAGE}, {self.pending:,} waiting", 1, self.queue)
        yield _row(f"page of a case, {self.pending:,} waiting", 1, self.case)
        yield _row("change, until the last console heard", self.told.consoles, self.told.last)
        yield _row("http decide, before nobody", CONNECTIONS, self.told.alone)
        watched = f"http decide, before {self.told.consoles} consoles"
        yield _row(watched, CONNECTIONS, self.told.watched)
        yield _row(f"verify log, {self.entries:,} entries", 1, self.verified.log)
        bare = "read + sha256, the same entries"
        yield _row(bare, 1, self.verified.bare, system="bare loop")
        yield _row("verify log and rows, the same", 1, self.verified.whole)
        memory = "" if self.resident_mb is None else f", then {self.resident_mb:.0f} MB resident"
        yield _row(f"http, {self.decisions:,} decisions{memory}", CONNECTIONS, self.load)


class Target(NamedTuple):
    """Something to reach: `found` at least (or, with `at_most`, at most) `bound` of `unit`.

    `found` gives None when the run did not measure it. Without a bound it is said for comparison.
    """

    what: str
    found: Callable[[Measured], Ratio | None]
    bound: float | None
    unit: str
    at_most: bool = False

    @property
    def wanted(self) -> str:
        """The bound in words."""
        if self.bound is None:
            return "no target, for comparison"
        return f"{'at most' if self.at_most else 'at least'} {_figure(self.bound)}{self.unit}"

    def word(self, found: Ratio) -> str:
        """Whether the median of the rounds is on the right side of the bound, in words."""
        if self.bound is None:
            return "beside it"
        on_its_side = found.median <= self.bound if self.at_most else found.median >= self.bound
        return "reached" if on_its_side else "NOT REACHED"


def text(measured: Measured) -> str:
    """The report for people: the table, what was measured once, and every target in words."""
    verdicts = [verdict(target, measured) for target in TARGETS]
    return "\n".join(
        [
            measured.rounds.text(),
            "",
            table(measured.single_rows()),
            "",
            "targets (median of the rounds, lowest to highest; as wanted on a quiet machine)",
            *verdicts,
        ]
    )


def verdict(target: Target, measured: Measured) -> str:
    """One line: reached or not, what was found and what was wanted."""
    found = target.found(measured)
    if found is None:
        return f"{'not measured':<{WORD_CHARS}}  {target.what}; wanted: {target.wanted}"
    said = f"{_figure(found.median)}{target.unit}"
    if found.low != found.high:
        said += f" ({_figure(found.low)} to {_figure(found.high)})"
    word = target.word(found)
    return f"{word:<{WORD_CHARS}}  {target.what}: {said}; wanted: {target.wanted}"


def _over(case: Case, other: Case) -> Callable[[Measured], Ratio | None]:
    def found(measured: Measured) -> Ratio | None:
        rounds = measured.rounds
        return rounds.ratio(case, other) if other in rounds.taken else None

    return found


def _per_s(case: Case) -> Callable[[Measured], Ratio]:
    def found(measured: Measured) -> Ratio:
        return _spread([figures.per_s for figures in measured.rounds.taken[case]])

    return found


def _percent(ratio: Ratio) -> Ratio:
    return Ratio(*(100 * value for value in ratio))


def _spread(values: list[float]) -> Ratio:
    ranked = sorted(values)
    middle = (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2
    return Ratio(middle, ranked[0], ranked[-1])


def _resident(measured: Measured) -> Ratio | None:
    return None if measured.resident_mb is None else _spread([measured.resident_mb])


TARGETS: Final = (
    Target(
        "decide, 1 in flight, over LangGraph + SqliteSaver",
        _over(DECIDE[1], of_peer("langgraph", "auto", 1)),
        8,
        "x",
    ),
    Target(
        "decide, 1 in flight, over agentbarrier",
        _over(DECIDE[1], of_peer("agentbarrier", "auto", 1)),
        2,
        "x",
    ),
    Target(
        "decide, 1 in flight, of fdatasync/s",
        lambda measured: _percent(measured.rounds.share_of_disk(DECIDE[1])),
        40,
        " %",
    ),
    Target(
        "decide, 1 in flight, p50 over fdatasync's p50",
        lambda measured: measured.rounds.p50_over_disk(DECIDE[1]),
        4,
        "x",
        at_most=True,
    ),
    Target("decide, 64 in flight (fdatasync at 3,000/s)", _per_s(DECIDE[64]), 8_000, "/s"),
    Target(
        "decide, 64 in flight, over LangGraph + SqliteSaver",
        _over(DECIDE[64], of_peer("langgraph", "auto", 64)),
        60,
        "x",
    ),
    Target(
        "approve, 64 in flight, over LangGraph + SqliteSaver",
        _over(APPROVE[64], of_peer("langgraph", "approve", 64)),
        40,
        "x",
    ),
    Target(
        "decide with every cap, of decide",
        lambda measured: _percent(measured.rounds.ratio(GUARDED, DECIDE[64])),
        75,
        " %",
    ),
    Target(
        "approve by a checker under every cap, of approve",
        lambda measured: _percent(measured.rounds.ratio(CHECKED, APPROVE[64])),
        75,
        " %",
    ),
    Target(f"http decide, {CONNECTIONS} connections", _per_s(HTTP), 3_500, "/s"),
    Target("http decide over FastAPI's empty `def`", _over(HTTP, EMPTY_DEF), 1, "x"),
    Target("http decide over FastAPI's empty `async def`", _over(HTTP, EMPTY_ASYNC), None, "x"),
    Target("http batch over http decide", _over(BATCHED, HTTP), 2, "x"),
    Target(
        f"queue page of {PAGE}, p50",
        lambda measured: _spread([measured.queue.p50_ms]),
        2,
        " ms",
        at_most=True,
    ),
    Target(
        "page of a case, p50",
        lambda measured: _spread([measured.case.p50_ms]),
        40,
        " ms",
        at_most=True,
    ),
    Target(
        "a change until the last of the open consoles heard, p99",
        lambda measured: _spread([measured.told.last.p99_ms]),
        1_000,
        " ms",
        at_most=True,
    ),
    Target(
        "http decide before open consoles, of before nobody",
        lambda measured: _percent(_spread(list(measured.told.shares))),
        90,
        " %",
    ),
    Target(
        "verify log, of a bare read + SHA-256 loop",
        lambda measured: _percent(_spread(list(measured.verified.shares))),
        60,
        " %",
    ),
    Target(
        "decide on a deep log, of an empty one",
        lambda measured: _percent(measured.rounds.ratio(DEEP_LOG, EMPTY_LOG)),
        90,
        " %",
    ),
    Target("resident memory of the server", _resident, 150, " MB", at_most=True),
)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _row(operation: str, in_flight: int, figures: Figures, *, system: str = OURS) -> Row:
    return Row(
        system=system,
        operation=operation,
        in_flight=in_flight,
        per_s=figures.per_s,
        p50_ms=figures.p50_ms,
        p99_ms=figures.p99_ms,
    )
