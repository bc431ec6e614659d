"""Whether a target was reached is said in words that a made-up run can check."""

from __future__ import annotations

import pytest

from benchmarks.cases import APPROVE, BATCHED, DECIDE, DEEP_LOG, EMPTY_LOG, HTTP, of_peer
from benchmarks.consoles import Told
from benchmarks.figures import Figures
from benchmarks.handrail_depth import Verified
from benchmarks.report import TARGETS, Measured, Target, verdict
from benchmarks.rounds import Case, Ratio, Rounds

PEERS = {
    "LangGraph": of_peer("langgraph", "auto", 1),
    "agentbarrier": of_peer("agentbarrier", "auto", 1),
}
RATES = {
    DECIDE[1]: (1200, 400, 1800),
    DECIDE[64]: (8000, 8000, 8000),
    APPROVE[64]: (4000, 4000, 4000),
    HTTP: (3400, 3600, 3500),
    BATCHED: (6800, 7300, 7000),
    EMPTY_LOG: (8000, 8000, 8000),
    DEEP_LOG: (7100, 7300, 7000),
    PEERS["LangGraph"]: (150, 50, 150),
    PEERS["agentbarrier"]: (600, 250, 1000),
}


def test_each_round_is_judged_by_itself() -> None:
    """The median of the ratios, the lowest and the highest: 1200/150, 400/50, 1800/150."""
    assert _line("1 in flight, over LangGraph") == (
        "reached       decide, 1 in flight, over LangGraph + SqliteSaver: 8x (8 to 12);"
        " wanted: at least 8x"
    )


@pytest.mark.parametrize(
    ("what", "word"),
    [
        ("1 in flight, over agentbarrier", "NOT REACHED"),
        ("of fdatasync/s", "reached"),
        ("p50 over fdatasync's", "reached"),
        ("64 in flight (fdatasync", "reached"),
        ("decide, 64 in flight, over LangGraph", "not measured"),
        ("approve, 64 in flight", "not measured"),
        ("http decide, 32 connections", "reached"),
        ("empty `def`", "not measured"),
        ("http batch", "reached"),
        ("queue page", "NOT REACHED"),
        ("page of a case", "reached"),
        ("last of the open consoles", "NOT REACHED"),
        ("before open consoles", "reached"),
        ("verify log", "reached"),
        ("deep log", "NOT REACHED"),
        ("resident", "reached"),
    ],
)
def test_verdicts(what: str, word: str) -> None:
    """At the bound it is reached; below it, or above one that is a ceiling, it is not."""
    assert _line(what).startswith(word)


def test_comparison_has_no_verdict() -> None:
    """What is only said beside the targets is neither reached nor missed."""
    target = Target("beside", lambda measured: Ratio(0.4, 0.3, 0.5), None, "x")
    assert verdict(target, _measured()) == (
        "beside it     beside: 0.4x (0.3 to 0.5); wanted: no target, for comparison"
    )


def test_memory_that_no_system_tells_is_not_measured() -> None:
    """Without a figure there is no verdict, and the row says only what was done."""
    assert _line("resident", memory=None).startswith("not measured")
    rows = [row.operation for row in _measured(memory=None).single_rows()]
    assert rows[-1] == "http, 100,000 decisions"
    assert [row.operation for row in _measured().single_rows()][-1] == (
        "http, 100,000 decisions, then 150 MB resident"
    )


def _line(what: str, *, memory: float | None = 150.0) -> str:
    (target,) = [target for target in TARGETS if what in target.what]
    return verdict(target, _measured(memory=memory))


def _measured(*, memory: float | None = 150.0) -> Measured:
    disk = [_figures(2500)] * 3
    taken: dict[Case, list[Figures]] = {
        case: [_figures(rate) for rate in rates] for case, rates in RATES.items()
    }
    rounds = Rounds(taken=taken, disk=dict.fromkeys(taken, disk), probes=disk)
    passing = _figures(1)
    return Measured(
        rounds=rounds,
        queue=_figures(400),
        case=_figures(25),
        told=Told(200, _figures(1.9), _figures(3500), _figures(3200), [0.88, 0.95, 0.9]),
        verified=Verified(passing, passing, passing, [0.6, 0.7, 0.5]),
        load=_figures(8000),
        resident_mb=memory,
        pending=100_000,
        entries=1_000_000,
        decisions=100_000,
    )


def _figures(per_s: float) -> Figures:
    return Figures(per_s=per_s, p50_ms=1000 / per_s, p99_ms=2000 / per_s, n=int(per_s))
