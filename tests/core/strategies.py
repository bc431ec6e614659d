"""Hypothesis strategies for the core: well-formed policies, kinds, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import strategies as st

from handrail.core.action import ActionKind, Param, ParamType
from handrail.core.decide import Ask, FailedCheck
from handrail.core.grade import Axes, Catchable, Grade
from handrail.core.money import Money
from handrail.core.policy import (
    ANY_KIND,
    Band,
    Cleared,
    Control,
    Guard,
    KindRule,
    LaneRule,
    Otherwise,
    Policy,
)

KINDS = ("refund.issue", "reply.send", "account.change", "ticket.read")
UNKNOWN_KIND = "moon.buy"
CONNECTORS = ("desk", "billing")
LISTED = ("USD", "JPY")
UNLISTED = "KWD"
LANES = ("front", "back")
UNKNOWN_LANE = "attic"
LIMIT_MAX = 10_000
"""Largest limit of a generated band, in minor units."""

WORRY_CHANCE = 0.3
"""How often each single thing is found about a generated action."""

controls = st.sampled_from(Control)
grades = st.sampled_from(Grade)
axes = st.builds(
    lambda reversibility, blast_radius, stakes: Axes(
        reversibility=reversibility, blast_radius=blast_radius, stakes=stakes
    ),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 3),
)


@st.composite
def guards(draw: st.DrawFn) -> Guard:
    """A guard as a policy may write it: checkers belong to maker-checker and to nothing else."""
    control = draw(controls)
    checkers = draw(st.integers(1, 3)) if control is Control.MAKER_CHECKER else 0
    return Guard(control=control, checkers=checkers)


@st.composite
def ladders(draw: st.DrawFn) -> tuple[Band, ...]:
    """Bands of one currency: rising limits, the last one open, guards and grades never falling."""
    limits = sorted(draw(st.sets(st.integers(0, LIMIT_MAX), max_size=4)))
    count = len(limits) + 1
    rising = sorted(
        draw(st.lists(guards(), min_size=count, max_size=count)), key=lambda guard: guard.order
    )
    worse = sorted(draw(st.lists(grades, min_size=count, max_size=count)))
    return tuple(
        Band(up_to_minor=limit, grade=grade, guard=guard)
        for limit, grade, guard in zip([*limits, None], worse, rising, strict=True)
    )


@st.composite
def kind_rules(draw: st.DrawFn, name: str, names: Sequence[str]) -> KindRule:
    """A rule for `name` with bands in one or two currencies or none; `names` may be its undo."""
    bands = draw(st.dictionaries(st.sampled_from(LISTED), ladders(), max_size=2))
    amount = (Param(name="amount", type=ParamType.MONEY),)
    kind = ActionKind(
        name=name,
        title=name,
        connector=draw(st.sampled_from(CONNECTORS)),
        axes=draw(axes),
        catchable=draw(st.sampled_from(Catchable)),
        params=amount if bands else (),
        value="amount" if bands else None,
        undo=draw(st.sampled_from((None, None, *(other for other in names if other != name)))),
    )
    guard = draw(guards())
    return KindRule(kind=kind, guard=guard, bands=bands, cleared=draw(clearances(guard, bands)))


@st.composite
def clearances(draw: st.DrawFn, guard: Guard, bands: dict[str, tuple[Band, ...]]) -> Cleared | None:
    """A clearance of a kind, or none: at no amount stricter than the kind without it."""
    if draw(st.booleans()):
        return None
    looser = {
        currency: tuple(draw(looser_band(band)) for band in ladder)
        for currency, ladder in bands.items()
        if draw(st.booleans())
    }
    if bands and not looser:
        return None
    rising = {currency: _rising(ladder) for currency, ladder in looser.items()}
    least = min((draw(guards()), guard), key=lambda one: one.order)
    return Cleared(when=None, guard=least, bands=rising)


@st.composite
def looser_band(draw: st.DrawFn, band: Band) -> Band:
    """A band with the same limit that asks for no more."""
    guard = min((draw(guards()), band.guard), key=lambda one: one.order)
    return Band(up_to_minor=band.up_to_minor, grade=min(draw(grades), band.grade), guard=guard)


def _rising(ladder: tuple[Band, ...]) -> tuple[Band, ...]:
    """The same limits; no band is looser than one below it, nor stricter than it was allowed."""
    found: list[Band] = []
    for band in reversed(ladder):
        above = found[-1] if found else band
        guard = min((band.guard, above.guard), key=lambda one: one.order)
        found.append(
            Band(up_to_minor=band.up_to_minor, grade=min(band.grade, above.grade), guard=guard)
        )
    return tuple(reversed(found))


@st.composite
def lanes(draw: st.DrawFn, name: str, kinds: Sequence[str]) -> LaneRule:
    """A lane over declared kinds: some, none, or any."""
    some_kinds = st.lists(st.sampled_from(kinds), unique=True).map(tuple)
    some_connectors = st.lists(st.sampled_from(CONNECTORS), unique=True).map(tuple)
    return LaneRule(
        name=name,
        kinds=draw(st.just((ANY_KIND,)) | some_kinds),
        connectors=draw(st.just((ANY_KIND,)) | some_connectors),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A well-formed policy of one to four kinds and two lanes."""
    names = draw(st.lists(st.sampled_from(KINDS), unique=True, min_size=1))
    return Policy(
        name="generated",
        version=1,
        kinds={name: draw(kind_rules(name, names)) for name in names},
        lanes={name: draw(lanes(name, names)) for name in LANES},
    )


def values_of(policy: Policy, kind: str) -> list[Money | None]:
    """No amount, amounts on and beside every limit, and one in a currency nobody listed."""
    rule = policy.kinds.get(kind)
    values: list[Money | None] = [None, Money(minor=1, currency=UNLISTED)]
    for currency in LISTED:
        bands = () if rule is None else rule.bands.get(currency, ())
        limits = {0, *(band.up_to_minor for band in bands if band.up_to_minor is not None)}
        edges = {max(0, limit + step) for limit in limits for step in (-1, 0, 1)}
        values += [Money(minor=minor, currency=currency) for minor in sorted(edges)]
    return values


def worries(chooser: Random) -> dict[str, Any]:
    """What may have been found about an action; often nothing."""
    found: dict[str, Any] = {
        name: chooser.sample(("order total", "ticket owner", "balance"), chooser.randint(1, 2))
        for name in ("missing", "contradicted", "hidden", "unresolved")
        if chooser.random() < WORRY_CHANCE
    }
    found = {name: tuple(items) for name, items in found.items()}
    if chooser.random() < WORRY_CHANCE:
        found["claim"] = chooser.choice(list(Grade))
    if chooser.random() < WORRY_CHANCE / 2:
        found["failure"] = "the condition gave no answer"
    if chooser.random() < WORRY_CHANCE / 2:
        found["late"] = True
    if chooser.random() < WORRY_CHANCE:
        found["failed"] = tuple(failed_check(chooser) for _ in range(chooser.randint(1, 2)))
    return found


def failed_check(chooser: Random) -> FailedCheck:
    """A check that did not pass, of any outcome and for any cause."""
    broken = chooser.random() < WORRY_CHANCE
    return FailedCheck(
        name="a check",
        outcome=chooser.choice(list(Otherwise)),
        text="it is too late",
        broken=broken,
        unread=("facts.date",) if broken and chooser.random() < 2 * WORRY_CHANCE else (),
    )


def sums(value: Money | None, chooser: Random) -> Money | None:
    """What an action makes together with earlier ones: often nothing else, never less than it."""
    if value is None or chooser.random() > WORRY_CHANCE:
        return None
    return Money(minor=value.minor + chooser.randint(0, LIMIT_MAX), currency=value.currency)


def asks(policy: Policy, chooser: Random) -> Iterator[Ask]:
    """Every kind, known or not, with every value of `values_of`, in every lane and in none."""
    for kind in (*policy.kinds, UNKNOWN_KIND):
        for value in values_of(policy, kind):
            for lane in (None, *LANES, UNKNOWN_LANE):
                yield Ask(
                    kind=kind,
                    lane=lane,
                    value=value,
                    account_in_lane=chooser.random() > WORRY_CHANCE / 2,
                    as_undo=chooser.random() < 2 * WORRY_CHANCE,
                    accumulated=sums(value, chooser),
                    halted=chooser.random() < WORRY_CHANCE / 8,
                    cleared=chooser.random() < 2 * WORRY_CHANCE,
                    **worries(chooser),
                )


choosers = st.builds(Random, st.integers(0, 2**32))
"""Seeded, so that what a policy is asked is the same whenever the example is replayed."""


def is_ladder(bands: Sequence[Band]) -> bool:
    """Whether bands are what `ladders` promises; the tests of malformed bands start from it."""
    limits = [band.up_to_minor for band in bands]
    closed = [limit for limit in limits if limit is not None]
    return (
        bool(limits)
        and limits[-1] is None
        and len(closed) == len(limits) - 1
        and all(limit >= 0 for limit in closed)
        and all(low < high for low, high in pairwise(closed))
        and all(a.guard.order <= b.guard.order and a.grade <= b.grade for a, b in pairwise(bands))
    )
