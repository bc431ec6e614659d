"""The assessor: what the compiled policy, its checks included, says of a recorded action.

Actions that are alike (kind, lane, band, findings, checks that failed) share one ready-made answer.
"""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from handrail.core.accumulation import Accumulation
from handrail.core.money import MINOR_MAX
from handrail.policy.checks import NOTHING, Checked
from handrail.policy.conditions import Given
from handrail.prove.backtest.ledger import Ledger
from handrail.prove.backtest.questions import Questions
from handrail.prove.backtest.shapes import Judgment, Shape, Shapes
from handrail.prove.backtest.traffic import Recorded
from handrail.prove.backtest.under_way import UnderWay
from handrail.prove.backtest.windows import Window

__all__ = ["Assessor"]


class Assessor:
    """Decides recorded actions under one policy, by what the ledger says at that moment.

    It changes nothing in the ledger. `under_way` is there when any check asks what is open.
    """

    def __init__(
        self,
        adds: Accumulation | None,
        questions: Questions,
        shapes: Shapes,
        ledger: Ledger,
        under_way: UnderWay | None,
    ) -> None:
        self._under_way = under_way
        self._questions = questions
        self._shapes = shapes
        self._ledger = ledger
        self._adds = adds

    def decide(self, recorded: Recorded, shape: Shape, told: Checked, now: int, n: int) -> Judgment:
        """What the policy says now of the action with a number; `told` is what `early` said."""
        checks = shape.checks
        given = None
        if checks is not None and checks.is_late:
            given = self._questions.given(recorded, checks, now)
            if checks.counts and self._under_way is not None:
                before = self._under_way.before(recorded, n, now)
                given = msgspec.structs.replace(given, under_way=before)
        if not shape.adds:
            checked = told if given is None or checks is None else checks.late(told, given)
            return self._ready(recorded, shape, None, checked)
        sums = self._ledger.sums(recorded.customer or "", recorded.instrument)
        earlier = _largest(sums)
        judgment = self._summed(recorded, shape, told, given, earlier)
        if earlier and not judgment.alone:
            for window in sums:
                window.total(now)
            earlier = _largest(sums)
            judgment = self._summed(recorded, shape, told, given, earlier)
        return judgment

    def _summed(
        self, recorded: Recorded, shape: Shape, told: Checked, given: Given | None, earlier: int
    ) -> Judgment:
        """What it says after `earlier` minor units."""
        total = self._total(recorded, shape, earlier)
        if given is None or shape.checks is None:
            return self._ready(recorded, shape, total, told)
        adds = self._adds
        assert adds is not None
        together = earlier + adds.worth(recorded.kind, recorded.value)
        given = msgspec.structs.replace(given, earlier=earlier, together=together)
        return self._ready(recorded, shape, total, shape.checks.late(told, given))

    def _total(self, recorded: Recorded, shape: Shape, earlier: int) -> int | None:
        """The sum that bands look at, in the currency of the amount; None when there is none."""
        minor = recorded.value_minor
        if shape.plainly and minor is not None and minor < MINOR_MAX:
            return min(earlier + minor, MINOR_MAX) if earlier else None
        adds = self._adds
        assert adds is not None
        total = adds.judged(recorded.kind, recorded.value, earlier)
        return None if total is None else total.minor

    def _ready(
        self, recorded: Recorded, shape: Shape, total: int | None, checked: Checked
    ) -> Judgment:
        minor, limits, found = recorded.value_minor, shape.limits, recorded.found
        place = -1 if minor is None else bisect_left(limits, minor)
        summed = -1 if total is None else bisect_left(limits, total)
        key: object = (place, summed)
        if found is not None or checked is not NOTHING:
            key = (place, summed, found, checked)
        judgment = shape.verdicts.get(key)
        if judgment is None:
            judgment = self._shapes.judge(recorded, shape, place, total, checked)
            shape.verdicts[key] = judgment
            if not (shape.limits or shape.adds or shape.checks or found):
                shape.usual = judgment
                shape.idle = judgment.alone and not shape.takes
        return judgment


def _largest(sums: tuple[Window, ...]) -> int:
    """What is taken of the sum of which most is taken."""
    used = sums[0].used
    return used if len(sums) == 1 else max(used, sums[1].used)
