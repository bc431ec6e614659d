"""Hypothesis strategies for the core: well-formed policies, kinds, and what is asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st

from handrail.core.action import ActionKind, Param, ParamType
from handrail.core.decide import Ask
from handrail.core.grade import Axes, Catchable, Grade
from handrail.core.money import Money
from handrail.core.policy import ANY_KIND, Band, Control, Guard, KindRule, LaneRule, Policy

KINDS = ("refund.issue", "reply.send", "account.change", "ticket.read")
UNKNOWN_KIND = "moon.buy"
CONNECTORS = ("desk", "billing")
LISTED = ("USD", "JPY")
UNLISTED = "KWD"
LANES = ("front", "back")
UNKNOWN_LANE = "attic"
LIMIT_MAX = 10_000
"""Small, so that amounts often fall on a limit or right beside it."""

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
def kind_rules(draw: st.DrawFn, name: str) -> KindRule:
    """A rule for `name`: with bands in one or two currencies, or without any."""
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
    )
    return KindRule(kind=kind, guard=draw(guards()), bands=bands)


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
        kinds={name: draw(kind_rules(name)) for name in names},
        lanes={name: draw(lanes(name, names)) for name in LANES},
    )


@st.composite
def amounts(draw: st.DrawFn, policy: Policy, kind: str) -> Money:
    """An amount, in a listed or an unlisted currency, often on a limit or one beside it."""
    currency = draw(st.sampled_from((*LISTED, UNLISTED)))
    rule = policy.kinds.get(kind)
    edges = [
        band.up_to_minor
        for band in (() if rule is None else rule.bands.get(currency, ()))
        if band.up_to_minor is not None
    ]
    anywhere = st.integers(0, LIMIT_MAX + 100)
    near = (
        st.builds(lambda edge, step: max(0, edge + step), st.sampled_from(edges), st.integers(-1, 1))
        if edges
        else anywhere
    )
    return Money(minor=draw(near | anywhere), currency=currency)


def kinds_to_ask(policy: Policy) -> st.SearchStrategy[str]:
    """A declared kind, or one that the policy does not know."""
    return st.sampled_from((*policy.kinds, UNKNOWN_KIND))


findings = st.lists(st.sampled_from(("order total", "ticket owner", "balance")), max_size=2).map(
    tuple
)


@st.composite
def asks(draw: st.DrawFn, policy: Policy, *, worried: bool = True) -> Ask:
    """Something to decide; with `worried` False nothing was found that could raise it."""
    kind = draw(kinds_to_ask(policy))
    plain = Ask(
        kind=kind,
        lane=draw(st.sampled_from((None, *LANES, UNKNOWN_LANE))),
        value=draw(st.none() | amounts(policy, kind)),
        account_in_lane=draw(st.sampled_from((True, True, True, False))),
    )
    return draw(with_worries(plain)) if worried else plain


@st.composite
def with_worries(draw: st.DrawFn, ask: Ask) -> Ask:
    """The same ask with whatever may have been found about it."""
    return Ask(
        kind=ask.kind,
        lane=ask.lane,
        value=ask.value,
        account_in_lane=ask.account_in_lane,
        missing=draw(findings),
        contradicted=draw(findings),
        hidden=draw(findings),
        claim=draw(st.none() | grades),
        failure=draw(st.none() | st.just("the condition gave no answer")),
    )


@st.composite
def policies_and_asks(draw: st.DrawFn) -> tuple[Policy, Ask]:
    """A policy and something to ask of it."""
    policy = draw(policies())
    return policy, draw(asks(policy))


@st.composite
def policies_and_rising_asks(draw: st.DrawFn) -> tuple[Policy, Ask, Ask]:
    """A policy and two asks that differ in one thing: the second moves more of the same money."""
    policy = draw(policies())
    ask = draw(asks(policy))
    first = ask.value or draw(amounts(policy, ask.kind))
    second = draw(amounts(policy, ask.kind))
    low, high = sorted((first.minor, second.minor))
    return (
        policy,
        _with_value(ask, Money(minor=low, currency=first.currency)),
        _with_value(ask, Money(minor=high, currency=first.currency)),
    )


def _with_value(ask: Ask, value: Money) -> Ask:
    return Ask(
        kind=ask.kind,
        lane=ask.lane,
        value=value,
        account_in_lane=ask.account_in_lane,
        missing=ask.missing,
        contradicted=ask.contradicted,
        hidden=ask.hidden,
        claim=ask.claim,
        failure=ask.failure,
    )


def is_ladder(bands: Sequence[Band]) -> bool:
    """Whether bands are what `ladders` promises; the tests of malformed bands start from it."""
    limits = [band.up_to_minor for band in bands]
    closed = [limit for limit in limits if limit is not None]
    return (
        bool(limits)
        and limits[-1] is None
        and len(closed) == len(limits) - 1
        and all(low < high for low, high in pairwise(closed))
        and all(a.guard.order <= b.guard.order and a.grade <= b.grade for a, b in pairwise(bands))
    )
