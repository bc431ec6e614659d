"""Checks: the conditions of a policy about one action, made ready once per kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from handrail.core.accumulation import Accumulation
from handrail.core.decide import FailedCheck
from handrail.core.policy import CheckRule, KindRule, Policy
from handrail.policy.conditions import Condition, Given, Truth, variables_of

__all__ = ["NOTHING", "Checked", "KindChecks", "compile_checks"]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks say: those that did not pass, and whether all that clears an action holds."""

    failed: tuple[FailedCheck, ...] = ()
    cleared: bool = False


NOTHING: Final = Checked()
"""What is said of a kind that has no checks."""


class KindChecks:
    """The checks of one kind. `early` asks those that need no sums, `late` the others as well."""

    def __init__(self, rule: KindRule, adds: Accumulation | None) -> None:
        variables = variables_of(rule.kind, rule.facts, adds)
        ready = [(check, Condition(check.require, variables)) for check in rule.checks]
        self._early = [(check, ask) for check, ask in ready if not ask.is_late]
        self._late = [(check, ask) for check, ask in ready if ask.is_late]
        when = None if rule.cleared is None else rule.cleared.when
        self._clears = rule.cleared is not None
        self._when = None if when is None else Condition(when, variables)
        self.is_late = bool(self._late) or (self._when is not None and self._when.is_late)
        """Whether anything is left to ask once the transaction has read sums and counts."""
        self.counts = any(ask.counts for _, ask in self._late) or (
            self._when is not None and self._when.counts
        )
        """Whether anything asks how many other actions are under way."""

    def early(self, given: Given) -> Checked:
        """What can be said without the sums. Nothing is cleared while something is left to ask."""
        failed = tuple(_failed(self._early, given))
        cleared = self._clears and not failed and not self.is_late and self._is_cleared(given)
        return Checked(failed=failed, cleared=cleared)

    def late(self, early: Checked, given: Given) -> Checked:
        """All that can be said, now that the sums are known."""
        failed = (*early.failed, *_failed(self._late, given))
        cleared = self._clears and not failed and self._is_cleared(given)
        return Checked(failed=failed, cleared=cleared)

    def _is_cleared(self, given: Given) -> bool:
        return self._when is None or self._when.ask(given) is Truth.TRUE


def compile_checks(policy: Policy) -> dict[str, KindChecks]:
    """The checks of every kind that has some, or that can be cleared.

    Raises InvalidInput `condition_invalid`; lint says where.
    """
    return {
        name: KindChecks(rule, policy.accumulation)
        for name, rule in policy.kinds.items()
        if rule.checks or rule.cleared is not None
    }


def _failed(checks: list[tuple[CheckRule, Condition]], given: Given) -> Iterator[FailedCheck]:
    for check, condition in checks:
        answer = condition.ask(given)
        if answer is Truth.TRUE:
            continue
        broken = answer is Truth.BROKEN
        yield FailedCheck(
            name=check.name,
            outcome=check.otherwise,
            text=check.reviewer,
            agent=check.agent,
            facts=condition.facts,
            broken=broken,
            unread=condition.unknown(given) if broken else (),
        )
