"""The assessor: what the compiled policy, its checks included, says of a recorded action.

Actions that are alike (kind, lane, band, findings, checks that failed) share one ready-made answer.
"""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from handrail.core.accumulation import Sums
from handrail.core.action import Params
from handrail.core.money import Money
from handrail.core.triggers.find import counts_of
from handrail.engine.context import Rulebook
from handrail.errors import InvalidInput
from handrail.policy.checks import NOTHING, Checked, KindChecks
from handrail.policy.conditions import Given
from handrail.prove.backtest.ledger import Ledger
from handrail.prove.backtest.shapes import Judgment, Shape, Shapes
from handrail.prove.backtest.traffic import Recorded

__all__ = ["Assessor"]


class Assessor:
    """Decides recorded actions under one policy. `unread` counts those whose checks had no facts.

    `look` decides by what the ledger says at that moment; it changes nothing in it.
    """

    def __init__(self, rules: Rulebook, shapes: Shapes, ledger: Ledger) -> None:
        self.unread = 0
        self._rules = rules
        self._shapes = shapes
        self._ledger = ledger
        self._adds = rules.policy.accumulation

    def decide(self, recorded: Recorded, shape: Shape, now: int) -> Judgment:
        """What the policy says now."""
        checks = self._checks_of(recorded) if shape.checked else None
        if not shape.adds:
            checked = NOTHING if checks is None else checks.early(self._given(recorded, now))
            return self._ready(recorded, shape, None, checked)
        sums = self._ledger.sums(recorded.customer or "", recorded.instrument)
        earlier = max(window.used for window in sums)
        judgment = self._summed(recorded, shape, earlier, checks, now)
        if earlier and not judgment.alone:
            earlier = max(window.total(now) for window in sums)
            judgment = self._summed(recorded, shape, earlier, checks, now)
        return judgment

    def _summed(
        self,
        recorded: Recorded,
        shape: Shape,
        earlier: int,
        checks: KindChecks | None,
        now: int,
    ) -> Judgment:
        adds = self._adds
        assert adds is not None
        value = recorded.value
        total = adds.judged(recorded.kind, value, earlier)
        if checks is None:
            return self._ready(recorded, shape, total, NOTHING)
        worth = adds.worth(recorded.kind, value)
        sums = Sums(total=total, earlier=earlier, worth=worth)
        return self._ready(recorded, shape, total, _asked(checks, self._given(recorded, now), sums))

    def _ready(
        self, recorded: Recorded, shape: Shape, total: Money | None, checked: Checked
    ) -> Judgment:
        minor, limits = recorded.value_minor, shape.limits
        place = -1 if minor is None else bisect_left(limits, minor)
        summed = -1 if total is None else bisect_left(limits, total.minor)
        key = (recorded.lane, place, summed, recorded.found, checked.failed, checked.cleared)
        judgment = shape.verdicts.get(key)
        if judgment is None:
            judgment = self._shapes.judge(recorded, shape, place, total, checked)
            shape.verdicts[key] = judgment
        return judgment

    def _checks_of(self, recorded: Recorded) -> KindChecks | None:
        """The checks of its kind; none where nothing is even graded."""
        checks = self._rules.checks.get(recorded.kind)
        if checks is None or not self._rules.decider.admits_kind(recorded.kind, recorded.lane):
            return None
        return checks

    def _given(self, recorded: Recorded, now: int) -> Given:
        facts: dict[str, str | int | bool | None] = {}
        for name, value in (recorded.facts or {}).items():
            facts[name] = value if isinstance(value, (str, int, bool)) else None
        triggers = recorded.triggers
        looked = recorded.kind in self._rules.outgoing and triggers is not None
        return Given(
            params=self._params(recorded),
            facts=facts,
            value=recorded.value,
            now=now,
            found={**counts_of(()), **(triggers or {})} if looked else {},
        )

    def _params(self, recorded: Recorded) -> Params:
        """Typed parameters; none when they are not recorded, or are none by this policy."""
        if recorded.params is None or recorded.facts is None:
            self.unread += 1
            return {}
        try:
            return self._rules.parse(recorded.kind, recorded.params)
        except InvalidInput:
            return {}


def _asked(checks: KindChecks, given: Given, sums: Sums) -> Checked:
    """What the checks say, those that look at the sums included."""
    early = checks.early(given)
    if not checks.is_late:
        return early
    together = sums.earlier + sums.worth
    return checks.late(
        early, msgspec.structs.replace(given, earlier=sums.earlier, together=together)
    )
