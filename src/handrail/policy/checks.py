"""Checks: the conditions of a policy about one action, made ready once per kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from handrail.core.accumulation import Accumulation
from handrail.core.decide import FailedCheck
from handrail.core.policy import CheckRule, KindRule, Policy
from handrail.policy.conditions import (
    NOW,
    Condition,
    Given,
    Truth,
    Variables,
    all_of,
    variables_of,
)

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
        self._early = _Row([one for one in ready if not one[1].is_late], variables)
        self._late = _Row([one for one in ready if one[1].is_late], variables)
        when = None if rule.cleared is None else rule.cleared.when
        self._clears = rule.cleared is not None
        self._when = None if when is None else Condition(when, variables)
        asked = [ask for _, ask in ready] + ([] if self._when is None else [self._when])
        self.is_late = any(ask.is_late for ask in asked)
        """Whether anything is left to ask once the transaction has read sums and counts."""
        self.counts = any(ask.counts for ask in asked)
        """Whether anything asks how many other actions are under way."""
        self.tells_time = any(NOW in ask.names for ask in asked)
        """Whether anything asks what time it is, so that `early` may say something else later."""
        self.reads_params = any(ask.reads("params") for ask in asked)
        """Whether anything asks for a parameter."""
        self.reads_facts = any(ask.reads("facts") for ask in asked)
        """Whether anything asks for a fact."""

    def early(self, given: Given) -> Checked:
        """What can be said without the sums. Nothing is cleared while something is left to ask."""
        failed = self._early.failed(given)
        cleared = self._clears and not failed and not self.is_late and self._is_cleared(given)
        return Checked(failed=failed, cleared=cleared) if failed or cleared else NOTHING

    def late(self, early: Checked, given: Given) -> Checked:
        """All that can be said, now that the sums are known."""
        failed = early.failed + self._late.failed(given)
        cleared = self._clears and not failed and self._is_cleared(given)
        return Checked(failed=failed, cleared=cleared)

    def _is_cleared(self, given: Given) -> bool:
        return self._when is None or self._when.ask(given) is Truth.TRUE


class _Row:
    """Checks that are asked together."""

    def __init__(self, checks: list[tuple[CheckRule, Condition]], variables: Variables) -> None:
        self._checks = checks
        self._all = all_of([condition for _, condition in checks], variables)

    def failed(self, given: Given) -> tuple[FailedCheck, ...]:
        """Those that do not pass; in most cases none, and then one question was enough."""
        if self._all is not None and self._all.ask(given) is Truth.TRUE:
            return ()
        return tuple(_failed(self._checks, given))


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
