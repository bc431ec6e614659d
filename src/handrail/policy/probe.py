"""What two policies decide about the same things: every class of inputs, asked of both deciders.

The deciders are the very ones that run live. Within a segment between two neighbouring limits a
decider gives one answer, so that one question for each segment is enough; what was found about an
action (a missing fact, what the agent claims) is asked one by one. That is enough as well: each
finding raises a stricter answer at least as far as a looser one, so that together they turn round
no order that each of them keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import msgspec

from handrail.core.decide import Ask, Decider, Decision
from handrail.core.grade import Grade
from handrail.core.money import EXPONENTS, MINOR_MAX, Money
from handrail.core.policy import KindRule
from handrail.policy.difference import Difference, Direction, direction_of, guard_text

__all__ = ["UNDECLARED", "decided_otherwise", "reached_otherwise"]

UNDECLARED: Final = "any.kind.not.declared"
"""Stands for every kind that neither policy declares."""

_FOUND: Final[dict[str, dict[str, Any]]] = {
    "": {},
    "when every check passes": {"cleared": True},
    "when a fact cannot be read": {"missing": ("a fact",)},
    "when the facts speak against it": {"contradicted": ("a fact",)},
    "when there is hidden content": {"hidden": ("a character",)},
    "when something is not filled in": {"unresolved": ("a placeholder",)},
    "when it reverses too late": {"late": True},
    "when an error is met": {"failure": "an error"},
    **{f"when the agent itself says {grade.name}": {"claim": grade} for grade in Grade},
    **{
        f"when every check passes and the agent itself says {grade.name}": {
            "claim": grade,
            "cleared": True,
        }
        for grade in Grade
    },
}


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in `currency` above `low`, up to and including `high`; or no amount to speak of."""

    label: str = ""
    currency: str | None = None
    low: int | None = None
    high: int | None = None

    @property
    def value(self) -> Money | None:
        """An amount in the middle, in whole units where one lies there."""
        if self.currency is None:
            return None
        one = 10 ** EXPONENTS[self.currency]
        floor = -1 if self.low is None else self.low
        top = max(100 * one, 2 * (floor + 1)) if self.high is None else self.high
        middle = (max(0, floor) + min(top, MINOR_MAX) + 1) // 2
        whole = middle - middle % one
        return Money(minor=whole if floor < whole else middle, currency=self.currency)

    @property
    def text(self) -> str:
        """The place in words."""
        if self.label or self.currency is None:
            return self.label
        bounds = [
            f"{word} {_amount(limit, self.currency)}"
            for word, limit in (("above", self.low), ("up to", self.high))
            if limit is not None
        ]
        return f"in {self.currency}, {' '.join(bounds) or 'any amount'}"


_Answers = tuple[_Place, Decision, Decision]


def decided_otherwise(old: Decider, new: Decider) -> Iterator[Difference]:
    """Every class of inputs about which the two decide otherwise, lanes aside."""
    for kind in _kinds(old, new):
        rules = old.policy.kinds.get(kind), new.policy.kinds.get(kind)
        is_reversal = _is_reversal(kind, old), _is_reversal(kind, new)
        if rules[0] == rules[1] and is_reversal[0] is is_reversal[1]:
            continue
        places = list(_places(*rules))
        known: dict[_Place, list[Direction | None]] = {place: [] for place in places}
        for as_undo in (False, True) if any(is_reversal) else (False,):
            for found, fields in _FOUND.items():
                ask = Ask(kind=kind, lane=None, as_undo=as_undo, **fields)
                answers = []
                for place in places:
                    asked = msgspec.structs.replace(ask, value=place.value)
                    before, after = old.decide(asked), new.decide(asked)
                    direction = direction_of(before, after)
                    # What goes the same way with nothing found needs no line of its own.
                    if direction is not None and direction not in known[place]:
                        answers.append((place, before, after))
                    if direction is not None:
                        known[place].append(direction)
                said = " ".join(one for one in (("as a reversal" if as_undo else ""), found) if one)
                for place in _classes(answers):
                    example = msgspec.structs.replace(ask, value=place.value)
                    yield _told(example, place, said, old, new)


def reached_otherwise(old: Decider, new: Decider) -> Iterator[Difference]:
    """What tasks may touch in one policy and not in the other, by lane."""
    for lane in dict.fromkeys((*old.policy.lanes, *new.policy.lanes)):
        for direction in (Direction.LOOSER, Direction.TIGHTER):
            kinds = [
                kind
                for kind in _kinds(old, new)
                if (old.admits_kind(kind, lane), new.admits_kind(kind, lane))
                == ((False, True) if direction is Direction.LOOSER else (True, False))
            ]
            if kinds:
                yield _reach(lane, kinds, direction, old, new)


def _reach(
    lane: str, kinds: list[str], direction: Direction, old: Decider, new: Decider
) -> Difference:
    """One lane and the kinds that it gains or loses; an example where it shows in a decision."""
    asks = [Ask(kind=kind, lane=lane, as_undo=_is_reversal(kind, old, new)) for kind in kinds]
    shown = (one for one in asks if direction_of(old.decide(one), new.decide(one)) is direction)
    ask = next(shown, None)
    verb = "may touch" if direction is Direction.LOOSER else "may no longer touch"
    return Difference(
        direction=direction,
        where=f"lanes.{lane}",
        text=f"lane `{lane}` {verb} {', '.join(_kind_text(kind) for kind in kinds)}",
        ask=ask,
        before=None if ask is None else old.decide(ask),
        after=None if ask is None else new.decide(ask),
    )


def _kinds(old: Decider, new: Decider) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old.policy.kinds, *new.policy.kinds, UNDECLARED)))


def _kind_text(kind: str) -> str:
    return "what is not declared" if kind == UNDECLARED else f"`{kind}`"


def _is_reversal(kind: str, *deciders: Decider) -> bool:
    rules = [rule for one in deciders for rule in one.policy.kinds.values()]
    return any(rule.kind.undo == kind for rule in rules)


def _places(old: KindRule | None, new: KindRule | None) -> Iterator[_Place]:
    """Every place where one of the two rules may decide otherwise than beside it."""
    rules = [rule for rule in (old, new) if rule is not None]
    currencies = list(dict.fromkeys(name for rule in rules for name in rule.bands))
    if not currencies and not any(rule.kind.value_from_connector for rule in rules):
        yield _Place()
        return
    yield _Place(label="of an amount that is not known")
    for currency in currencies:
        ladders = [rule.bands for rule in rules]
        ladders += [rule.cleared.bands for rule in rules if rule.cleared is not None]
        bands = [band for ladder in ladders for band in ladder.get(currency, ())]
        limits = {band.up_to_minor for band in bands if band.up_to_minor is not None}
        low: int | None = None
        for high in sorted(limit for limit in limits if limit < MINOR_MAX):
            yield _Place(currency=currency, low=low, high=high)
            low = high
        yield _Place(currency=currency, low=low)
    other = next((name for name in ("USD", "EUR", *EXPONENTS) if name not in currencies), None)
    if other is not None:
        label = "in a currency without bands" if currencies else "of a known amount"
        yield _Place(label=label, currency=other)


def _classes(answers: list[_Answers]) -> Iterator[_Place]:
    """One place for each row of neighbours with the same answers."""

    def alike(answer: _Answers) -> tuple[object, ...]:
        place, before, after = answer
        which = place.label or place.currency
        return which, before.guard, before.grade, after.guard, after.grade

    for _, group in groupby(answers, key=alike):
        first, *others = (place for place, *_ in group)
        start = end = first
        for place in others:
            if place.low != end.high:
                yield msgspec.structs.replace(start, high=end.high)
                start = place
            end = place
        yield msgspec.structs.replace(start, high=end.high)


def _told(ask: Ask, place: _Place, said: str, old: Decider, new: Decider) -> Difference:
    """A class in words, with its example."""
    before, after = old.decide(ask), new.decide(ask)
    what = ", ".join(part for part in (_kind_text(ask.kind), said) if part)
    words = f"{what} {place.text}".rstrip()
    if ask.kind != UNDECLARED and ask.kind not in old.policy.kinds:
        words += " (not declared before)"
    if ask.kind != UNDECLARED and ask.kind not in new.policy.kinds:
        words += " (not declared any more)"
    graded = before.grade is not after.grade
    shown = [
        guard_text(one.guard) + (f" ({one.grade.name})" if graded else "")
        for one in (before, after)
    ]
    example = "" if place.label or ask.value is None else f", e.g. {ask.value.text()}"
    return Difference(
        direction=direction_of(before, after) or Direction.DIFFERENT,
        where=f"kinds.{ask.kind}",
        text=f"{words}: {shown[0]} -> {shown[1]}{example}",
        ask=ask,
        before=before,
        after=after,
    )


def _amount(minor: int, currency: str) -> str:
    return Money(minor=minor, currency=currency).text().partition(" ")[0]
