"""Parts: kinds that have nothing to do with each other are replayed apart, on two processors.

Two kinds belong together when a cap counts both, or when both add to the sums of a customer. What
becomes of an action depends on nothing else, so that the parts add up to the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final, TypeVar

import msgspec

from handrail.core.policy import Control, Policy
from handrail.prove.backtest.tally import Forecast
from handrail.prove.backtest.traffic import Recorded

__all__ = ["added", "parts_of", "second_half_of"]

K = TypeVar("K", int, str)

_ASKS: Final = (Control.APPROVE, Control.MAKER_CHECKER, Control.HOLD_AND_RECALL)


def parts_of(policy: Policy) -> list[frozenset[str]]:
    """The kinds of a policy in as many parts as have nothing to do with each other."""
    every = frozenset(policy.kinds)
    adds = () if policy.accumulation is None else policy.accumulation.weights
    ties: list[Collection[str]] = [adds, *(cap.kinds or every for cap in policy.caps)]
    parts = [frozenset((kind,)) for kind in policy.kinds]
    for tie in ties:
        tied = [part for part in parts if not part.isdisjoint(tie)]
        parts = [part for part in parts if part.isdisjoint(tie)]
        parts += [frozenset[str]().union(*tied)] if tied else []
    return parts


def second_half_of(policy: Policy, sample: Iterable[Recorded]) -> frozenset[str]:
    """Parts that together are about half of the work, by a sample of the traffic.

    None of them when everything hangs together.
    """
    counted = Counter(recorded.kind for recorded in sample)
    work = {
        part: sum(counted[kind] * _effort(policy, kind) for kind in part)
        for part in parts_of(policy)
    }
    halves: list[set[str]] = [set(), set()]
    loads = [0, 0]
    for part in sorted(work, key=lambda part: (-work[part], sorted(part))):
        lighter = int(loads[1] < loads[0])
        halves[lighter] |= part
        loads[lighter] += work[part]
    return frozenset(halves[1])


def added(one: Forecast, other: Forecast) -> Forecast:
    """The whole of what was counted in two halves of the same traffic."""
    lines = sorted((*one.lines, *other.lines), key=lambda line: line.day)
    return msgspec.structs.replace(
        one,
        lines=tuple(lines),
        prompts=_sum(one.prompts, other.prompts),
        again=one.again + other.again,
        later=_sum(one.later, other.later),
        trips=_sum(one.trips, other.trips),
        unread=one.unread + other.unread,
    )


def _effort(policy: Policy, kind: str) -> int:
    """About how much work an action of a kind is; reading is 1."""
    rule = policy.kinds[kind]
    effort = 1 + sum(not cap.kinds or kind in cap.kinds for cap in policy.caps)
    adds = policy.accumulation
    if adds is not None and kind in adds.weights:
        effort += 4
    if rule.bands or rule.guard.control in _ASKS:
        effort += 3
    return effort


def _sum(one: dict[K, int], other: dict[K, int]) -> dict[K, int]:
    keys = sorted({**one, **other})
    return {key: one.get(key, 0) + other.get(key, 0) for key in keys}
