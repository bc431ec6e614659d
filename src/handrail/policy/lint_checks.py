"""What is wrong with the conditions of a policy, and with what they clear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from handrail.core.ladder import is_looser
from handrail.core.policy import KindRule, Policy
from handrail.errors import InvalidInput
from handrail.policy.conditions import Condition, Variables, variables_of
from handrail.policy.problem import Path

__all__ = ["check_doubts", "check_problems", "cleared_problems"]

_FIGURE: Final = re.compile(r"[0-9]")


def check_problems(rule: KindRule, policy: Policy) -> Iterator[tuple[Path, str]]:
    """What is wrong with the conditions of a kind, each with its place in the file."""
    if not rule.checks and rule.cleared is None:
        return
    variables = variables_of(rule.kind, rule.facts, policy.accumulation)
    path = ("kinds", rule.kind.name)
    for check in rule.checks:
        yield from _problem(check.require, variables, (*path, "checks", check.name, "require"))
    if rule.cleared is not None and rule.cleared.when is not None:
        yield from _problem(rule.cleared.when, variables, (*path, "cleared", "when"))


def check_doubts(rule: KindRule) -> Iterator[tuple[Path, str]]:
    """What can work and is probably not meant: facts for nothing, limits told to the agent."""
    path = ("kinds", rule.kind.name)
    texts = [check.require for check in rule.checks]
    if rule.cleared is not None and rule.cleared.when is not None:
        texts.append(rule.cleared.when)
    for name in rule.facts:
        if not any(re.search(rf"\bfacts\.{name}\b", text) for text in texts):
            yield (*path, "facts", name), f"no condition looks at the fact `{name}`"
    for check in rule.checks:
        if check.agent is not None and _FIGURE.search(check.agent):
            said = "the agent is told a figure, and must not learn a limit"
            yield (*path, "checks", check.name, "agent"), said


def cleared_problems(rule: KindRule) -> Iterator[tuple[Path, str]]:
    """What is cleared may only be looser than what is not. Its bands are in order by themselves."""
    path = ("kinds", rule.kind.name, "cleared")
    cleared = rule.cleared
    if cleared is None:
        return
    if bool(cleared.bands) is not bool(rule.bands):
        form = "bands" if rule.bands else "control"
        yield path, f"`cleared` needs `{form}`, as `{rule.kind.name}` has"
        return
    if not rule.checks and cleared.when is None:
        yield path, "nothing clears it: add a check to the kind, or `when`"
    for currency in cleared.bands:
        if currency not in rule.bands:
            yield (*path, "bands", currency), f"the kind itself has no bands for {currency}"
    listed = all(currency in rule.bands for currency in cleared.bands)
    if listed and not is_looser(rule):
        yield path, "what is cleared may not be stricter than what is not, at any amount"


def _problem(text: str, variables: Variables, path: Path) -> Iterator[tuple[Path, str]]:
    try:
        Condition(text, variables)
    except InvalidInput as refusal:
        yield path, f"`{path[-1]}` is not a condition: {refusal.message}"
