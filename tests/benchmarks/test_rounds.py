"""Interleaving, and what is reported of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.figures import Figures
from benchmarks.rounds import Case, Measuring, Ratio, Row, run_rounds, table

OURS = Case("handrail", "auto", 8)
THEIRS = Case("other", "auto", 8)


def test_rounds_interleave_with_the_disk_between() -> None:
    """A B A B, and a probe before the first and after each."""
    order: list[str] = []

    def noting(name: str) -> Measuring:
        def measure() -> Figures:
            order.append(name)
            return _figures(1)

        return measure

    told: list[str] = []
    measurings = {OURS: noting("A"), THEIRS: noting("B")}
    found = run_rounds(measurings, rounds=2, probe=noting("disk"), tell=told.append)
    assert order == "disk A disk B disk A disk B disk".split()
    assert len(found.probes) == 5
    assert told[0] == "round 1/2: handrail auto x8: 1/s, disk 1/s"
    assert len(told) == 4


def test_ratio_is_taken_within_a_round() -> None:
    """A disk that turns four times slower moves both, and the ratio stays what it is."""
    found = run_rounds(
        {OURS: _in_turn(800, 200, 900), THEIRS: _in_turn(100, 25, 100)},
        rounds=3,
        probe=lambda: _figures(1000),
    )
    assert found.ratio(OURS, THEIRS) == Ratio(8, 8, 9)
    # the quotient of the two medians would have been another
    assert [row.per_s for row in found.rows()] == [800, 100]


def test_disk_of_a_case_is_around_it() -> None:
    """Each measurement is held against the probes just before and just after."""
    found = run_rounds(
        {OURS: _in_turn(100, 400), THEIRS: _in_turn(50, 50)},
        rounds=2,
        probe=_in_turn(100, 300, 500, 1100, 900),
    )
    assert [one.per_s for one in found.disk[OURS]] == [200, 800]
    assert [one.per_s for one in found.disk[THEIRS]] == [400, 1000]
    assert found.share_of_disk(OURS) == Ratio(0.5, 0.5, 0.5)
    # a figure's median time is one over its rate here: 10 ms over the mean of 10 ms and 3.3 ms
    assert found.p50_over_disk(OURS).low == pytest.approx(1.5)
    assert found.fdatasync_per_s == 500


def test_document_has_a_row_for_each_case() -> None:
    """The shape that others read: medians over the rounds, rounded."""
    found = run_rounds({OURS: _in_turn(3, 1, 2)}, rounds=3, probe=lambda: _figures(2000))
    assert found.document() == {
        "fdatasync_per_s": 2000,
        "rows": [
            {
                "system": "handrail",
                "operation": "auto",
                "in_flight": 8,
                "per_s": 2,
                "p50_ms": 500,
                "p99_ms": 1000,
            }
        ],
    }


def test_table_is_plain_text() -> None:
    """Words to the left, figures to the right, the disk of the same run first."""
    found = run_rounds({OURS: lambda: _figures(12_500)}, rounds=1, probe=lambda: _figures(2000))
    assert found.text().splitlines() == [
        "system    operation  in flight   per s  p50 ms  p99 ms",
        "disk      fdatasync          1   2,000    0.50    1.00",
        "handrail  auto               8  12,500    0.08    0.16",
    ]
    row = Row(system="a", operation="b", in_flight=64, per_s=0.4, p50_ms=1234.5, p99_ms=2)
    assert table([row]).splitlines()[1].split() == ["a", "b", "64", "0", "1,234.50", "2.00"]


@pytest.mark.parametrize(("rounds", "cases"), [(0, [OURS]), (1, [])])
def test_nothing_to_run_is_refused(rounds: int, cases: list[Case]) -> None:
    """No round, or no case, is a mistake of whoever asks."""
    with pytest.raises(ValueError, match="nothing to run"):
        run_rounds({case: _in_turn(1) for case in cases}, rounds=rounds, probe=_in_turn(1))


def test_a_failure_ends_the_run() -> None:
    """A report with a hole in it compares nothing."""
    with pytest.raises(StopIteration):
        run_rounds({OURS: _in_turn(1)}, rounds=2, probe=lambda: _figures(1))


def _figures(per_s: float) -> Figures:
    return Figures(per_s=per_s, p50_ms=1000 / per_s, p99_ms=2000 / per_s, n=1)


def _in_turn(*rates: float) -> Measuring:
    left: Iterator[float] = iter(rates)
    return lambda: _figures(next(left))
