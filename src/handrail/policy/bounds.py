"""What two policies differ in besides what they decide about one action: ceilings, clocks, lanes.

Each setting says which way is looser. Where nobody can tell, it counts as looser: another currency,
another measure, another connector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from handrail.core.caps import CapRule, WhenFull
from handrail.core.money import Money
from handrail.core.policy import Assignment, PasskeyRule, Policy
from handrail.policy.difference import Difference, Direction
from handrail.policy.shape import span_text

__all__ = ["LONGER_IS", "bounded_otherwise"]

LOOSER: Final = Direction.LOOSER
TIGHTER: Final = Direction.TIGHTER

LONGER_IS: Final[dict[str, tuple[Direction, Direction]]] = {
    "approval": (LOOSER, TIGHTER),
    "execution": (LOOSER, TIGHTER),
    "attempt": (TIGHTER, LOOSER),
    "quiescence": (TIGHTER, LOOSER),
    "recall": (TIGHTER, LOOSER),
    # A longer one judges late reversals as usual, a shorter one takes a promise back.
    "undo": (LOOSER, LOOSER),
    "task": (LOOSER, TIGHTER),
    "assignment": (TIGHTER, LOOSER),
    "seasoning": (TIGHTER, LOOSER),
    "loosening": (TIGHTER, LOOSER),
}
"""Which way a clock goes when it is set longer, and when it is set shorter."""

_STRICTER_LOTS: Final = (Assignment.NEVER, Assignment.QUORUM, Assignment.ALWAYS)


def bounded_otherwise(old: Policy, new: Policy) -> Iterator[Difference]:
    """Every ceiling, clock and other setting that stands otherwise."""
    yield from _caps(old, new)
    yield from _limits(old, new)
    yield from _sums(old, new)
    yield from _clocks(old, new)
    if old.assignment is not new.assignment:
        more = _STRICTER_LOTS.index(new.assignment) > _STRICTER_LOTS.index(old.assignment)
        text = f"checkers are drawn by lot: {old.assignment.value} -> {new.assignment.value}"
        yield _told("by_lot", text, TIGHTER if more else LOOSER)
    if old.passkeys is not new.passkeys:
        text = (
            f"whose approvals at G3 a passkey signs: {old.passkeys.value} -> {new.passkeys.value}"
        )
        more = new.passkeys is PasskeyRule.REQUIRE
        yield _told("passkeys", text, TIGHTER if more else LOOSER)
    yield from _attention(old, new)
    if old.name != new.name:
        yield _told("policy", f"its name: `{old.name}` -> `{new.name}`", Direction.DIFFERENT)


def _told(where: str, text: str, direction: Direction) -> Difference:
    return Difference(direction=direction, where=where, text=text)


def _caps(old: Policy, new: Policy) -> Iterator[Difference]:
    before, after = ({cap.name: cap for cap in one.caps} for one in (old, new))
    for name in dict.fromkeys((*before, *after)):
        where, was, now = f"caps.{name}", before.get(name), after.get(name)
        if was is None and now is not None:
            yield _told(where, f"cap `{name}` is new: {_limit(now)}", TIGHTER)
        elif was is not None and now is None:
            yield _told(where, f"cap `{name}` is gone: it was {_limit(was)}", LOOSER)
        elif was is not None and now is not None:
            yield from _cap(where, was, now)


def _cap(where: str, was: CapRule, now: CapRule) -> Iterator[Difference]:
    said = f"cap `{was.name}`"
    if (was.currency, was.distinct, was.scope) != (now.currency, now.distinct, now.scope):
        text = f"{said} counts something else: {_limit(was)} -> {_limit(now)}"
        yield _told(where, text, LOOSER)
    elif was.limit != now.limit:
        text = f"{said}: {_limit(was)} -> {_limit(now)}"
        yield _told(where, text, LOOSER if now.limit > was.limit else TIGHTER)
    if was.window_ms != now.window_ms:
        text = f"{said} counts over {span_text(was.window_ms)} -> {span_text(now.window_ms)}"
        yield _told(where, text, LOOSER if now.window_ms < was.window_ms else TIGHTER)
    left = _only(was.kinds, now.kinds)
    if left:
        yield _told(where, f"{said} no longer counts {left}", LOOSER)
    added = _only(now.kinds, was.kinds)
    if added:
        yield _told(where, f"{said} counts {added} too", TIGHTER)
    if was.when_full is not now.when_full:
        text = f"{said}, when full: {was.when_full.value} -> {now.when_full.value}"
        yield _told(where, text, LOOSER if now.when_full is WhenFull.WAIT else TIGHTER)
    if was.halts_agent is not now.halts_agent:
        verb = "stops" if now.halts_agent else "no longer stops"
        text = f"{said} {verb} the agent that meets it"
        yield _told(where, text, TIGHTER if now.halts_agent else LOOSER)


def _only(these: tuple[str, ...], those: tuple[str, ...]) -> str:
    """The kinds that `these` counts and `those` does not, in words; empty means every kind."""
    if not those:
        return ""
    if not these:
        return "every kind"
    return ", ".join(f"`{kind}`" for kind in these if kind not in those)


def _limit(cap: CapRule) -> str:
    if cap.currency is not None:
        what = Money(minor=cap.limit, currency=cap.currency).text()
    else:
        what = f"{cap.limit} {'customers' if cap.distinct else 'actions'}"
    return f"{what} per {cap.scope.value}"


def _limits(old: Policy, new: Policy) -> Iterator[Difference]:
    for name in old.limits.__struct_fields__:
        was, now = getattr(old.limits, name), getattr(new.limits, name)
        if was != now:
            text = f"limit `{name}`: {_or_none(was)} -> {_or_none(now)}"
            more = now is None or (was is not None and now > was)
            yield _told(f"limits.{name}", text, LOOSER if more else TIGHTER)


def _attention(old: Policy, new: Policy) -> Iterator[Difference]:
    was, now = old.attention.dwell_percent, new.attention.dwell_percent
    if was != now:
        text = f"how long something is shown before it is approved: {was}% -> {now}%"
        yield _told("attention.dwell_percent", text, LOOSER if now < was else TIGHTER)
    for name in ("per_hour", "per_day"):
        before, after = getattr(old.attention, name), getattr(new.attention, name)
        if before != after:
            more = after is None or (before is not None and after > before)
            text = f"decisions of one person, `{name}`: {_or_none(before)} -> {_or_none(after)}"
            yield _told(f"attention.{name}", text, LOOSER if more else TIGHTER)


def _or_none(number: int | None) -> str:
    return "none" if number is None else str(number)


def _clocks(old: Policy, new: Policy) -> Iterator[Difference]:
    for field in old.clocks.__struct_fields__:
        was, now = getattr(old.clocks, field), getattr(new.clocks, field)
        if was != now:
            name = field.removesuffix("_ms")
            longer, shorter = LONGER_IS.get(name, (LOOSER, LOOSER))
            text = f"clock `{name}`: {_span(was)} -> {_span(now)}"
            yield _told(f"clocks.{name}", text, longer if now > was else shorter)


def _span(span: int) -> str:
    return span_text(span) if span else "none"


def _sums(old: Policy, new: Policy) -> Iterator[Difference]:
    was, now, where = old.accumulation, new.accumulation, "accumulation"
    if was is None and now is not None:
        yield _told(where, "what a customer was given is added up", TIGHTER)
    if was is None or now is None:
        if was is not None:
            yield _told(where, "what a customer was given is no longer added up", LOOSER)
        return
    if was.currency != now.currency:
        yield _told(where, f"sums are kept in {now.currency}, not {was.currency}", LOOSER)
    if was.window_ms != now.window_ms:
        text = f"sums go back {span_text(was.window_ms)} -> {span_text(now.window_ms)}"
        yield _told(where, text, LOOSER if now.window_ms < was.window_ms else TIGHTER)
    if was.margin != now.margin:
        text = f"margin on what is converted: {was.margin}% -> {now.margin}%"
        yield _told(where, text, LOOSER if now.margin < was.margin else TIGHTER)
    if was.bunching != now.bunching:
        text = f"bunching, in percent: {_or_none(was.bunching)} -> {_or_none(now.bunching)}"
        later = now.bunching is None or (was.bunching is not None and now.bunching > was.bunching)
        yield _told(where, text, LOOSER if later else TIGHTER)
    for kind, before, after in _pairs(was.weights, now.weights):
        text = f"`{kind}` counts in sums with {before}% -> {after}%"
        yield _told(where, text, LOOSER if after < before else TIGHTER)
    for currency, before, after in _pairs(was.rates, now.rates):
        if after:
            text = f"another rate for {currency}: some sums are larger, some smaller"
            yield _told(where, text, LOOSER)
        elif before:
            text = f"no rate for {currency} any more: every amount counts as too much"
            yield _told(where, text, TIGHTER)


def _pairs(was: Mapping[str, int], now: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """Names with two numbers that differ; 0 where there was none."""
    for name in dict.fromkeys((*was, *now)):
        before, after = was.get(name, 0), now.get(name, 0)
        if before != after:
            yield name, before, after
