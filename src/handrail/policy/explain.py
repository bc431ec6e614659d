"""Explain: why a policy decides a case as it does, and what would have to be different.

Every "if" is tried with the very code that decides; none is guessed. What is tried: amounts at the
limits of bands and at the amounts that conditions and facts name, each check as if it passed or
failed, each fact as if it were not known, yes or no, every lane, and what the customer had before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from handrail.core.money import MINOR_MAX, Money
from handrail.core.policy import FactType, KindRule, Policy
from handrail.core.reason import Decision, FailedCheck
from handrail.policy.case import Case, Judge

__all__ = ["Explanation", "Turn", "explain"]

AMOUNTS_MAX: Final = 200
_NUMBER: Final = re.compile(r"(?<![\w.'])(\d{1,15})(?![\w.'])")
_AMOUNT: Final = re.compile(r"\d+(\.\d+)? [A-Z]{3}\Z")


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would have to be different, and what would be decided then.

    `looser` is True when that asks for less than now, False for more.
    """

    what: str
    decision: Decision
    looser: bool


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided and why, every check with whether it passed, and what would change it.

    `passed` are the names of the checks that passed; `looks_at` are the facts that the policy looks
    at, with what they are, None for one that is not known.
    """

    decision: Decision
    passed: tuple[str, ...]
    failed: tuple[FailedCheck, ...]
    cleared: bool
    looks_at: dict[str, str | int | bool | None]
    turns: tuple[Turn, ...]


def explain(policy: Policy, case: Case) -> Explanation:
    """Why `policy` decides `case` as it does, and which inputs would change that."""
    judge = Judge(policy)
    decision = judge.decide(case)
    checked = judge.checked(case)
    rule = policy.kinds.get(case.kind)
    names = () if rule is None else tuple(check.name for check in rule.checks)
    lacking = {one.name for one in checked.failed}
    looked = () if rule is None else (*rule.facts, *rule.kind.needs)
    return Explanation(
        decision=decision,
        passed=tuple(name for name in names if name not in lacking),
        failed=checked.failed,
        cleared=checked.cleared,
        looks_at={name: case.facts.get(name) for name in dict.fromkeys(looked)},
        turns=tuple(_turns(judge, case, decision, rule)),
    )


def _turns(judge: Judge, case: Case, now: Decision, rule: KindRule | None) -> Iterator[Turn]:
    for what, changed in _changes(judge, case, rule):
        then = judge.decide(changed)
        if _differs(now, then):
            yield Turn(what=what, decision=then, looser=_is_looser(then, now))
    for check in judge.checked(case).failed:
        then = judge.decide(case, passing=(check.name,))
        if _differs(now, then):
            said = f"the check `{check.name}` passed"
            yield Turn(what=said, decision=then, looser=_is_looser(then, now))
    if rule is not None and case.value is not None:
        yield from _amounts(judge, case, now, rule)


def _changes(judge: Judge, case: Case, rule: KindRule | None) -> Iterator[tuple[str, Case]]:
    """Everything but the amount that may be different, in plain words, one at a time."""
    for name in judge.policy.lanes:
        if case.lane is not None and name != case.lane:
            yield f"the task were in lane `{name}`", _with(case, lane=name)
    if case.earlier:
        yield "the customer had been given nothing lately", _with(case, earlier=0)
    for text in case.against:
        rest = tuple(one for one in case.against if one != text)
        yield f"this did not speak against it: {text}", _with(case, against=rest)
    if case.hidden:
        yield "no characters were hidden", _with(case, hidden=())
    if any(case.found.values()):
        yield "nothing were found in its texts", _with(case, found=dict.fromkeys(case.found, 0))
    if case.unresolved:
        yield "every placeholder were filled in", _with(case, unresolved=())
    if case.missing:
        yield "every fact could be read", _with(case, missing=())
    if case.claim is not None:
        yield "the agent claimed no grade", _with(case, claim=None)
    if rule is not None:
        yield from _facts(case, rule)


def _facts(case: Case, rule: KindRule) -> Iterator[tuple[str, Case]]:
    for name in dict.fromkeys((*rule.facts, *rule.kind.needs)):
        known = case.facts.get(name)
        if known is not None:
            facts = {**case.facts, name: None}
            yield f"the fact `{name}` could not be read", _with(case, facts=facts)
        if rule.facts.get(name) is FactType.BOOLEAN:
            for value in (True, False):
                if known is not value:
                    said = "yes" if value else "no"
                    facts = {**case.facts, name: value}
                    yield f"the fact `{name}` were {said}", _with(case, facts=facts)
    for param in rule.kind.params:
        for choice in param.choices:
            if case.params.get(param.name) not in (None, choice):
                params = {**case.params, param.name: choice}
                yield f"`{param.name}` were `{choice}`", _with(case, params=params)


def _amounts(judge: Judge, case: Case, now: Decision, rule: KindRule) -> Iterator[Turn]:
    """The nearest amounts below and above at which something else is decided."""
    value = case.value
    assert value is not None
    edges = sorted(_edges(judge.policy, case, rule, value))[:AMOUNTS_MAX]
    below = [minor for minor in edges if minor < value.minor]
    above = [minor for minor in edges if minor > value.minor]
    for found in (reversed(below), iter(above)):
        for minor in found:
            then = judge.decide(_priced(case, rule, Money(minor=minor, currency=value.currency)))
            if _differs(now, then):
                amount = Money(minor=minor, currency=value.currency).text()
                yield Turn(
                    what=f"the amount were {amount}", decision=then, looser=_is_looser(then, now)
                )
                break


def _edges(policy: Policy, case: Case, rule: KindRule, value: Money) -> set[int]:
    """Amounts around which the answer may turn: limits, numbers of conditions, facts, sums."""
    limits: set[int] = set()
    ladders = [rule.bands] if rule.cleared is None else [rule.bands, rule.cleared.bands]
    for ladder in ladders:
        limits |= {band.up_to_minor or 0 for band in ladder.get(value.currency, ())}
    if policy.accumulation is not None and policy.accumulation.currency == value.currency:
        limits |= {limit - case.earlier for limit in limits}
    texts = [check.require for check in rule.checks]
    if rule.cleared is not None and rule.cleared.when is not None:
        texts.append(rule.cleared.when)
    for text in texts:
        numbers = {int(number) for number in _NUMBER.findall(text)}
        limits |= numbers | {number - case.earlier for number in numbers}
    for fact in case.facts.values():
        if isinstance(fact, str) and fact.endswith(f" {value.currency}") and _AMOUNT.match(fact):
            limits.add(int(re.sub(r"\D", "", fact)))
    edges = {limit + step for limit in limits for step in (-1, 0, 1)}
    return {edge for edge in edges if 0 < edge <= MINOR_MAX}


def _priced(case: Case, rule: KindRule, value: Money) -> Case:
    """The case with another amount, in its parameter as well."""
    name = rule.kind.value
    if name is None or name not in case.params:
        return _with(case, value=value)
    return _with(case, value=value, params={**case.params, name: value})


def _with(case: Case, **changes: object) -> Case:
    return msgspec.structs.replace(case, **changes)


def _differs(one: Decision, other: Decision) -> bool:
    return (one.guard, one.grade) != (other.guard, other.grade)


def _is_looser(one: Decision, other: Decision) -> bool:
    """Whether `one` asks for less: by its guard, and where that is the same, by its grade."""
    return (one.guard.order, one.grade) < (other.guard.order, other.grade)
