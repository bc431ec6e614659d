"""Finds inputs for a kind: parameters and facts by which its checks pass, or one of them fails.

Candidate values are tried, against the very conditions that the gateway asks. What is not found
within the bounds is not shown; nothing is ever assumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from typing import Final

import msgspec

from handrail.core.accumulation import Accumulation
from handrail.core.action import Param, ParamType
from handrail.core.money import Money
from handrail.core.policy import FactType, KindRule, Otherwise, Policy
from handrail.policy.case import found_by
from handrail.policy.conditions import UNDER_WAY, Condition, Given, Truth, variables_of

__all__ = ["Inputs", "Situation"]

TRIES_MAX: Final = 20_000
"""Combinations of values that are tried for one check."""
FIRST_MAX: Final = 4
"""Actions that may have to come before the one that is tried."""
_STRING: Final = re.compile(r"\"([^\"\\]*)\"|'([^'\\]*)'")
_NUMBER: Final = re.compile(r"(?<![\w.])\d{1,15}(?![\w.])")
_DAYS: Final = (0, 1, 7, 29, 45, 100, 400, 4_000, -2)
_LETTERS: Final = (
    "Thank you for your message.",
    "Please see https://handrail.invalid/help for more.",
    "You get 12.34 USD from us.",
    "We promise to call you back.",
    "It comes on 3 March 2031.",
    "Write to other@handrail.invalid about it.",
    "Call +44 20 7946 0958 about it.",
    "The card is 4111 1111 1111 1111.",
    "The account is GB82 WEST 1234 5698 7654 32.",
    "Dear Mr Miller,",
    "Internal note: not for the customer.",
    "Vielen Dank f\u00fcr Ihre Nachricht, wir haben sie erhalten.",
    "Thank you\u200b for your message.",
    "Thank you, {{name}}.",
)
"""Texts in which nothing is found, and in which one thing or another is."""
_FREE: Final = (ParamType.ID, ParamType.TEXT)

Value = str | int | bool | None


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """One set of inputs. `free` names the texts that no condition looks at.

    So many actions of the kind about the same customer have to come first: `waiting` that are still
    open, or `done` that ran.
    """

    params: dict[str, object]
    facts: dict[str, Value]
    value: Money | None
    free: tuple[str, ...] = ()
    waiting: int = 0
    done: int = 0

    def fresh(self, serial: int) -> dict[str, object]:
        """The parameters as an agent sends them, new content each time where that is possible."""
        sent = {
            name: value.text() if isinstance(value, Money) else value
            for name, value in self.params.items()
        }
        return {**sent, **{name: f"{sent[name]}-{serial}" for name in self.free}}


class Inputs:
    """The inputs of one kind under its policy."""

    def __init__(self, rule: KindRule, policy: Policy, now: int) -> None:
        self.rule = rule
        self._adds: Accumulation | None = policy.accumulation
        self._now = now
        known = variables_of(rule.kind, rule.facts, policy.accumulation)
        self._checks = {one.name: Condition(one.require, known) for one in rule.checks}
        when = None if rule.cleared is None else rule.cleared.when
        self._when = None if when is None else Condition(when, known)
        conditions = [*self._checks.values(), *([self._when] if self._when else [])]
        text = "\n".join(one.text for one in conditions)
        self._named = {name for one in conditions for name in one.names}
        looks = any(name.startswith("found.") for name in self._named)
        self._looked = rule.kind.outgoing if looks else ()
        self._texts = tuple(dict.fromkeys("".join(one) for one in _STRING.findall(text)))
        self._numbers = tuple(dict.fromkeys(int(one) for one in _NUMBER.findall(text)))

    def plain(self, amount: Money | None) -> Situation | None:
        """Inputs by which every check passes; cleared or not, as it comes."""
        return next(self._solved(amount, {}, None), None)

    def cleared(self, amount: Money | None) -> Situation | None:
        """Inputs that are cleared."""
        if self.rule.cleared is None:
            return None
        return next(self._solved(amount, {}, Truth.TRUE), None)

    def uncleared(self, amount: Money | None) -> Situation | None:
        """Inputs that no check raises and that are not cleared: the bands of the kind itself."""
        if self.rule.cleared is None:
            return self.plain(amount)
        if self._when is not None:
            found = next(self._solved(amount, {}, Truth.FALSE), None)
            if found is not None:
                return found
        flags = [one.name for one in self.rule.checks if one.otherwise is Otherwise.FLAG]
        for name in flags:
            found = self.failing(name, amount)
            if found is not None:
                return found
        return None

    def failing(self, check: str, amount: Money | None) -> Situation | None:
        """Inputs by which this check is false, and every other one passes."""
        for waiting, done in self._pasts():
            past = msgspec.structs.replace(self._base(amount), waiting=waiting, done=done)
            found = next(self._solved(amount, {check: Truth.FALSE}, None, past), None)
            if found is not None:
                return found
        return None

    def _pasts(self) -> Iterator[tuple[int, int]]:
        """What may have come first, as far as conditions ask: the least first."""
        yield 0, 0
        if UNDER_WAY in self._named:
            yield from ((waiting, 0) for waiting in range(1, FIRST_MAX + 1))
        if not {"earlier.minor", "together.minor"}.isdisjoint(self._named):
            yield from ((0, done) for done in range(1, FIRST_MAX + 1))

    def _solved(
        self,
        amount: Money | None,
        wanted: Mapping[str, Truth],
        when: Truth | None,
        past: Situation | None = None,
    ) -> Iterator[Situation]:
        """Situations in which each check answers as wanted, and true where nothing is said."""
        roots = _roots(self._named) | {f"params.{name}" for name in self._looked}
        names = sorted(name for name in roots if self._varies(name))
        choices = [tuple(self._candidates(name, amount)) for name in names]
        base = past or self._base(amount)
        for values in islice(product(*choices), TRIES_MAX):
            made = self._with(base, dict(zip(names, values, strict=True)))
            given = self._given(made)
            answers = all(
                condition.ask(given) is wanted.get(name, Truth.TRUE)
                for name, condition in self._checks.items()
            )
            clears = self._when is None or when is None or self._when.ask(given) is when
            if answers and clears:
                yield made

    def _given(self, made: Situation) -> Given:
        adds, kind = self._adds, self.rule.kind.name
        worth = None if adds is None or kind not in adds.weights else adds.worth(kind, made.value)
        return Given(
            params=made.params,
            facts=made.facts,
            value=made.value,
            now=self._now,
            found=found_by(self.rule.kind, made.params, made.value),
            under_way=made.waiting,
            earlier=None if worth is None else worth * made.done,
            together=None if worth is None else worth * (made.done + 1),
        )

    def _base(self, amount: Money | None) -> Situation:
        kind = self.rule.kind
        params: dict[str, object] = {}
        for param in kind.params:
            if param.required or param.name == kind.value:
                params[param.name] = _plainest(param, amount)
        free = tuple(
            param.name
            for param in kind.params
            if param.name in params
            and param.type in _FREE
            and param.chars_max >= 20
            and f"params.{param.name}" not in self._named
            and param.name not in self._looked
        )
        facts: dict[str, Value] = dict.fromkeys(kind.needs, "on file")
        for name, type_ in self.rule.facts.items():
            facts[name] = next(iter(self._fact(type_, amount)))
        valued = kind.value is not None or kind.value_from_connector
        return Situation(params=params, facts=facts, value=amount if valued else None, free=free)

    def _with(self, base: Situation, values: Mapping[str, object]) -> Situation:
        params, facts = dict(base.params), dict(base.facts)
        for name, value in values.items():
            place, _, key = name.partition(".")
            if place == "facts":
                facts[key] = value if isinstance(value, str | int) else None
            elif value is None:
                params.pop(key, None)
            else:
                params[key] = value
        return msgspec.structs.replace(base, params=params, facts=facts)

    def _varies(self, name: str) -> bool:
        place, _, key = name.partition(".")
        return place == "facts" or (place == "params" and key != self.rule.kind.value)

    def _candidates(self, name: str, amount: Money | None) -> Iterator[object]:
        place, _, key = name.partition(".")
        if place == "facts":
            yield from self._fact(self.rule.facts[key], amount)
            if f"known.{name}" in self._named:
                yield None
            return
        param = next(one for one in self.rule.kind.params if one.name == key)
        match param.type:
            case ParamType.BOOLEAN:
                yield from (True, False)
            case ParamType.INTEGER:
                yield from self._whole()
            case ParamType.CHOICE:
                yield from param.choices
            case ParamType.ID | ParamType.TEXT:
                texts = ("x-1", FIRST, *self._texts, "y-2")
                if key in self._looked:
                    texts = (*_LETTERS, *texts)
                yield from (one for one in texts if one and len(one) <= param.chars_max)
            case ParamType.MONEY | ParamType.RECORD:
                yield _plainest(param, amount)
        if not param.required:
            yield None

    def _fact(self, type_: FactType, amount: Money | None) -> Iterator[Value]:
        match type_:
            case FactType.BOOLEAN:
                yield from (True, False)
            case FactType.INTEGER:
                yield from self._whole()
            case FactType.TEXT:
                yield from (*self._texts, "x-1", FIRST, "y-2")
            case FactType.DATE:
                today = datetime.fromtimestamp(self._now / 1000, UTC)
                yield from ((today - timedelta(days=n)).date().isoformat() for n in _DAYS)
            case FactType.MONEY:
                sum_ = amount or Money(minor=1000, currency="USD")
                yield Money(minor=sum_.minor * 2, currency=sum_.currency).text()
                yield Money(minor=max(1, sum_.minor // 2), currency=sum_.currency).text()
                other = "NOK" if sum_.currency != "NOK" else "CHF"
                yield Money(minor=sum_.minor * 2, currency=other).text()

    def _whole(self) -> Iterator[int]:
        yield from dict.fromkeys((0, 1, *(n + d for n in self._numbers for d in (0, 1, -1)), 1_000))


FIRST: Final = "C-1"


def _roots(names: set[str]) -> set[str]:
    """`facts.x` and `params.x` of everything that conditions name."""
    found = set()
    for name in names:
        bare = name.removeprefix("known.")
        place, _, key = bare.partition(".")
        if place in ("facts", "params"):
            found.add(f"{place}.{key.removesuffix('.minor').removesuffix('.currency')}")
    return found


def _plainest(param: Param, amount: Money | None) -> object:
    match param.type:
        case ParamType.ID | ParamType.TEXT:
            return "x"
        case ParamType.MONEY:
            return amount or Money(minor=1000, currency="USD")
        case ParamType.INTEGER:
            return 1
        case ParamType.BOOLEAN:
            return True
        case ParamType.CHOICE:
            return param.choices[0]
        case ParamType.RECORD:
            return {}
