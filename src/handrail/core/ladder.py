"""Ladders: which guard and grade an amount gets, by the bands of a kind, made ready once.

The usual answer for a kind and a band is a ready-made value. A kind may have a second ladder, for
what every check has cleared; it is never stricter than the first, so that a check that fails, or
cannot be evaluated, only ever tightens.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Final

from handrail.core.action import ActionKind, ParamType
from handrail.core.grade import Grade
from handrail.core.money import MINOR_MAX, Money
from handrail.core.policy import STRICTEST, Band, Control, Guard, KindRule
from handrail.core.reason import Decision, Reason, ReasonCode
from handrail.errors import PolicyInvalid

__all__ = ["Base", "base_of", "check_rule", "cleared_base_of", "is_looser"]

Base = Callable[[Money | None], Decision]
"""The usual decision for a value; None when the value is not known, or the kind moves none."""

Bands = Mapping[str, tuple[Band, ...]]


def check_rule(rule: KindRule) -> None:
    """Refuse a rule that could be looser than it looks; lint says it with line numbers.

    Raises PolicyInvalid `policy_invalid`.
    """
    _check_guards(rule, rule.guard, rule.bands)
    amount = {param.name for param in rule.kind.params if param.type is ParamType.MONEY}
    required = {param.name for param in rule.kind.params if param.required}
    # INVARIANT: an amount that caps and bands look at is never left out by whoever proposes.
    stated = bool(rule.bands) and not rule.kind.value_from_connector
    if (stated or rule.kind.value is not None) and rule.kind.value not in amount & required:
        raise _invalid(rule, "`value` must name a required money parameter")
    _check_bands(rule, rule.bands)
    if rule.cleared is None:
        return
    _check_guards(rule, rule.cleared.guard, rule.cleared.bands)
    _check_bands(rule, rule.cleared.bands)
    if bool(rule.cleared.bands) is not bool(rule.bands):
        raise _invalid(rule, "`cleared` has bands where the kind has bands, and only there")
    if not is_looser(rule):
        raise _invalid(rule, "`cleared` may not be stricter than the kind without it")


def base_of(rule: KindRule) -> Base:
    """The usual decision of a kind, by value."""
    if not rule.bands:
        return _unbanded(rule)
    by_currency = {
        currency: _steps(rule.kind, bands, currency) for currency, bands in rule.bands.items()
    }
    strictest = max(
        (band.guard for bands in rule.bands.values() for band in bands),
        key=lambda guard: guard.order,
    ).at_least(STRICTEST)
    valueless = _valueless(strictest)

    def decide(value: Money | None) -> Decision:
        if value is None:
            return valueless
        ladder = by_currency.get(value.currency)
        if ladder is None:
            text = f"the policy lists no bands for {value.currency}"
            return _one(ReasonCode.UNLISTED_CURRENCY, text, strictest, Grade.G3)
        limits, decisions = ladder
        return decisions[bisect_left(limits, value.minor)]

    return decide


def cleared_base_of(rule: KindRule, usual: Base) -> Base | None:
    """The decision of a kind for what is cleared; `usual` where that says nothing of the value."""
    cleared = rule.cleared
    if cleared is None:
        return None
    if not cleared.bands:
        decision = _one(ReasonCode.CLEARED, _CLEARED, cleared.guard, rule.kind.grade)
        unknown = rule.kind.value_from_connector
        return lambda value: usual(None) if value is None and unknown else decision
    by_currency = {
        currency: _steps(rule.kind, bands, currency, cleared=True)
        for currency, bands in cleared.bands.items()
    }

    def decide(value: Money | None) -> Decision:
        ladder = None if value is None else by_currency.get(value.currency)
        if value is None or ladder is None:
            return usual(value)
        limits, decisions = ladder
        return decisions[bisect_left(limits, value.minor)]

    return decide


_CLEARED: Final = "every check passed"


def _check_guards(rule: KindRule, guard: Guard, bands: Bands) -> None:
    guards = (guard, *(band.guard for ladder in bands.values() for band in ladder))
    if any((one.checkers > 0) is not (one.control is Control.MAKER_CHECKER) for one in guards):
        raise _invalid(rule, "`checkers` stands with `maker_checker`, and only there")


def _check_bands(rule: KindRule, ladders: Bands) -> None:
    for bands in ladders.values():
        limits = [band.up_to_minor for band in bands]
        closed = [limit for limit in limits[:-1] if limit is not None and limit >= 0]
        if not limits or limits[-1] is not None or len(closed) != len(limits) - 1:
            raise _invalid(rule, "the last band, and no other, is open")
        for place in range(1, len(bands)):
            low, high = bands[place - 1], bands[place]
            if high.up_to_minor is not None and high.up_to_minor <= (low.up_to_minor or 0):
                raise _invalid(rule, "bands must rise")
            if high.guard.order < low.guard.order or high.grade < low.grade:
                raise _invalid(rule, "more money may not get a looser guard or a lower grade")


def is_looser(rule: KindRule) -> bool:
    """Whether what is cleared is never stricter than what is not, at any amount.

    The bands of both are in order; a currency that the kind does not list may not be cleared.
    """
    cleared = rule.cleared
    if cleared is None or not cleared.bands:
        return cleared is None or cleared.guard.order <= rule.guard.order
    usual = base_of(rule)
    loose = cleared_base_of(rule, usual)
    for currency, bands in cleared.bands.items():
        if loose is None or currency not in rule.bands:
            return False
        ends = {band.up_to_minor for band in (*bands, *rule.bands[currency])}
        for end in ends:
            value = Money(minor=MINOR_MAX if end is None else end, currency=currency)
            with_it, without = loose(value), usual(value)
            if with_it.guard.order > without.guard.order or with_it.grade > without.grade:
                return False
    return True


def _invalid(rule: KindRule, why: str) -> PolicyInvalid:
    return PolicyInvalid("policy_invalid", f"`{rule.kind.name}`: {why}")


def _unbanded(rule: KindRule) -> Base:
    text = f"the policy's rule for `{rule.kind.name}`"
    usual = _one(ReasonCode.KIND_DEFAULT, text, rule.guard, rule.kind.grade)
    if not rule.kind.value_from_connector:
        return lambda value: usual
    # Caps look at it too, and none can count what the connector does not know.
    valueless = _valueless(rule.guard.at_least(STRICTEST))
    return lambda value: valueless if value is None else usual


def _valueless(strictest: Guard) -> Decision:
    text = "how much money it moves is not known"
    return _one(ReasonCode.VALUE_UNKNOWN, text, strictest, Grade.G3)


def _steps(
    kind: ActionKind, bands: tuple[Band, ...], currency: str, *, cleared: bool = False
) -> tuple[list[int], list[Decision]]:
    """Limits and the ready-made decision of each band; bisect_left makes a limit inclusive."""
    limits: list[int] = []
    decisions: list[Decision] = []
    floor: int | None = None
    for band in bands:
        text = _band_text(floor, band.up_to_minor, currency)
        code = ReasonCode.VALUE_BAND
        if cleared:
            code, text = ReasonCode.CLEARED, f"{_CLEARED}, and {text}"
        decisions.append(_one(code, text, band.guard, max(band.grade, kind.grade)))
        if band.up_to_minor is not None:
            limits.append(band.up_to_minor)
            floor = band.up_to_minor
    return limits, decisions


def _band_text(floor: int | None, up_to: int | None, currency: str) -> str:
    high = None if up_to is None else Money(minor=up_to, currency=currency).text()
    if floor is None:
        return "any amount" if high is None else f"the amount is up to {high}"
    low = Money(minor=floor, currency=currency).text()
    return f"the amount is above {low}" + ("" if high is None else f" and up to {high}")


def _one(code: ReasonCode, text: str, guard: Guard, grade: Grade) -> Decision:
    return Decision(guard=guard, grade=grade, reasons=(Reason(code=code, text=text),))
