"""Questions: what the conditions of a policy are asked about a recorded action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handrail.core.action import Params
from handrail.core.triggers.find import counts_of
from handrail.engine.base.context import Rulebook
from handrail.errors import InvalidInput
from handrail.policy.checks import Checked, KindChecks
from handrail.policy.conditions import Given
from handrail.prove.backtest.traffic import Recorded

__all__ = ["Questions"]

_NO_TRIGGER: Final = counts_of(())


class Questions:
    """Asks the checks of one policy. Nothing in it depends on what came before."""

    def __init__(self, rules: Rulebook) -> None:
        self._rules = rules

    def checks_of(self, kind: str, lane: str | None) -> KindChecks | None:
        """The checks of a kind; none where nothing is even graded."""
        if not self._rules.decider.admits_kind(kind, lane):
            return None
        return self._rules.checks.get(kind)

    def early(self, records: list[Recorded]) -> list[Checked | None]:
        """What the checks say of each action before the sums are known; None where none ask."""
        checks: dict[tuple[str, str | None], KindChecks | None] = {}
        found: list[Checked | None] = []
        for recorded in records:
            key = (recorded.kind, recorded.lane)
            if key not in checks:
                checks[key] = self.checks_of(*key)
            ask = checks[key]
            try:
                found.append(
                    None if ask is None else ask.early(self.given(recorded, ask, recorded.at))
                )
            except InvalidInput:
                # An amount that is none; the replay says on which line.
                found.append(None)
        return found

    def lacks(self, recorded: Recorded, checks: KindChecks) -> bool:
        """Whether checks ask for something that is not in the record."""
        return (checks.reads_params and recorded.params is None) or (
            checks.reads_facts and recorded.facts is None
        )

    def given(self, recorded: Recorded, checks: KindChecks, now: int) -> Given:
        """What checks get to see of an action at a time."""
        triggers = recorded.triggers
        looked = triggers is not None and self._rules.outgoing.get(recorded.kind)
        return Given(
            params=self._params(recorded) if checks.reads_params else {},
            facts=_known(recorded.facts) if checks.reads_facts else {},
            value=recorded.value,
            now=now,
            found={**_NO_TRIGGER, **(triggers or {})} if looked else {},
        )

    def _params(self, recorded: Recorded) -> Params:
        """Typed parameters; none when they are not recorded, or are none by this policy."""
        if recorded.params is None:
            return {}
        try:
            return self._rules.parse(recorded.kind, recorded.params)
        except InvalidInput:
            return {}


def _known(facts: Mapping[str, object] | None) -> Mapping[str, str | int | bool | None]:
    """The facts that a condition can look at; anything else is as one that is not known."""
    if facts is None:
        return {}
    return {name: value if isinstance(value, (str, int)) else None for name, value in facts.items()}
