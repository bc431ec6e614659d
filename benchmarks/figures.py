"""What one measurement says: operations a second, and how long one of them took."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final, Self

__all__ = ["Figures"]

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One measurement: `n` operations at `per_s` a second, median `p50_ms`, tail `p99_ms`.

    Percentiles are by nearest rank: the smallest time that at least that share did not exceed.
    """

    per_s: float
    p50_ms: float
    p99_ms: float
    n: int

    @classmethod
    def of(cls, took_ns: Sequence[int], elapsed_ns: int) -> Self:
        """Figures of operations that took `took_ns` each and `elapsed_ns` in all.

        Raises ValueError when there was none, or no time passed.
        """
        if not took_ns or elapsed_ns <= 0:
            raise ValueError(f"{len(took_ns)} operations in {elapsed_ns} ns say nothing")
        ranked = sorted(took_ns)
        return cls(
            per_s=len(ranked) * NS_PER_S / elapsed_ns,
            p50_ms=_nearest_rank(ranked, 50) / NS_PER_MS,
            p99_ms=_nearest_rank(ranked, 99) / NS_PER_MS,
            n=len(ranked),
        )

    @classmethod
    def median(cls, several: Iterable[Figures]) -> Self:
        """The median of each figure by itself; `n` is the sum. ValueError when there is none."""
        taken = list(several)
        if not taken:
            raise ValueError("no figures have no median")
        return cls(
            per_s=statistics.median(one.per_s for one in taken),
            p50_ms=statistics.median(one.p50_ms for one in taken),
            p99_ms=statistics.median(one.p99_ms for one in taken),
            n=sum(one.n for one in taken),
        )

    def in_batches_of(self, size: int) -> Self:
        """The same measurement when each operation carried `size` of them: times stay a batch's."""
        return replace(self, per_s=self.per_s * size, n=self.n * size)

    def as_json(self) -> dict[str, float]:
        """The four figures by name."""
        return asdict(self)


def _nearest_rank(ranked: Sequence[int], percent: int) -> int:
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]
