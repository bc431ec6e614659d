"""What a measurement says, from times that are known."""

from __future__ import annotations

import pytest

from benchmarks.figures import Figures

MS = 1_000_000
S = 1_000 * MS


@pytest.mark.parametrize(
    ("took_ms", "elapsed_s", "per_s", "p50_ms", "p99_ms"),
    [
        ([7], 1, 1, 7, 7),
        ([3, 1, 2], 1, 3, 2, 3),
        ([4, 1, 3, 2], 2, 2, 2, 4),
        (list(range(1, 101)), 10, 10, 50, 99),
        (list(range(1, 201)), 10, 20, 100, 198),
        ([1] * 98 + [50, 900], 1, 100, 1, 50),
    ],
)
def test_figures_of_times(
    took_ms: list[int], elapsed_s: int, per_s: float, p50_ms: float, p99_ms: float
) -> None:
    """Rate over the whole time, percentiles by nearest rank, in whatever order they came."""
    found = Figures.of([took * MS for took in took_ms], elapsed_s * S)
    assert found == Figures(per_s=per_s, p50_ms=p50_ms, p99_ms=p99_ms, n=len(took_ms))


@pytest.mark.parametrize(("took_ns", "elapsed_ns"), [([], S), ([1], 0), ([1], -1)])
def test_nothing_measured_says_nothing(took_ns: list[int], elapsed_ns: int) -> None:
    """No operation, or no time, is an error and not a zero."""
    with pytest.raises(ValueError, match="say nothing"):
        Figures.of(took_ns, elapsed_ns)


def test_median_is_of_each_figure_alone() -> None:
    """One round with a slow tail does not drag the rate of another along."""
    several = [
        Figures(per_s=100, p50_ms=1, p99_ms=90, n=10),
        Figures(per_s=300, p50_ms=2, p99_ms=5, n=30),
        Figures(per_s=200, p50_ms=9, p99_ms=6, n=20),
    ]
    assert Figures.median(several) == Figures(per_s=200, p50_ms=2, p99_ms=6, n=60)
    with pytest.raises(ValueError, match="no median"):
        Figures.median([])


def test_batches_count_what_they_carry() -> None:
    """Fifty in a request are fifty times the rate; the request took what it took."""
    one = Figures(per_s=10, p50_ms=3, p99_ms=4, n=7)
    assert one.in_batches_of(50) == Figures(per_s=500, p50_ms=3, p99_ms=4, n=350)
    assert one.as_json() == {"per_s": 10, "p50_ms": 3, "p99_ms": 4, "n": 7}
