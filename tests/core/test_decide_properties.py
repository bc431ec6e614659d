"""What holds for every policy and everything asked of it; and the second decider agrees."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.core.action import ActionKind, Param, ParamType
from handrail.core.decide import PRECEDENCE, Ask, Decision, FailedCheck, compile_policy
from handrail.core.grade import Axes, Grade
from handrail.core.money import Money
from handrail.core.policy import (
    STRICTEST,
    Band,
    Control,
    Guard,
    KindRule,
    LaneRule,
    Otherwise,
    Policy,
)
from handrail.errors import HandrailError
from tests.core import strategies as some
from tests.reference.decide import decide as decide_by_the_book

REFUSE = Guard(control=Control.REFUSE)
HOLDS = {Otherwise.HOLD, Otherwise.REFUSE}
RUNS_ALONE = {Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY, Control.HOLD_AND_RECALL}

# Bands that would let a bigger amount pass a looser control, or have no answer for some amount.
MALFORMED: dict[str, tuple[str, ...]] = {
    "no bands at all": (),
    "no open top": ("5000 G2 approve",),
    "open band in the middle": (
        "- G2 approve",
        "5000 G2 approve",
    ),
    "two open bands": (
        "- G2 approve",
        "- G3 refuse",
    ),
    "falling limits": (
        "5000 G2 approve",
        "100 G2 approve",
        "- G3 refuse",
    ),
    "equal limits": (
        "5000 G2 run_and_notify",
        "5000 G2 approve",
        "- G3 refuse",
    ),
    "looser above": (
        "5000 G2 approve",
        "- G2 run_and_notify",
    ),
    "fewer checkers above": (
        "5000 G3 maker_checker*2",
        "- G3 maker_checker*1",
    ),
    "lower grade above": (
        "5000 G3 approve",
        "- G2 approve",
    ),
    "negative limit": (
        "-1 G2 run_and_notify",
        "- G3 refuse",
    ),
}


MALFORMED_VALUES: dict[str, tuple[str | None, tuple[Param, ...]]] = {
    "bands without a value": (None, (Param(name="amount", type=ParamType.MONEY),)),
    "a value that is no parameter": ("total", (Param(name="amount", type=ParamType.MONEY),)),
    "a value that is not money": ("amount", (Param(name="amount", type=ParamType.INTEGER),)),
    "a value that may be left out": (
        "amount",
        (Param(name="amount", type=ParamType.MONEY, required=False),),
    ),
}


WORRIES: dict[str, Any] = {
    "missing": ("the balance",),
    "contradicted": ("refunded yesterday",),
    "hidden": ("body at 3",),
    "unresolved": ("{{name}} in `body`",),
    "late": True,
    "failure": "the condition gave no answer",
    "claim": Grade.G3,
    **{
        f"failed {outcome.value}{'?' if broken else ''}": (
            FailedCheck(name="a", outcome=outcome, text="it is too late", broken=broken),
        )
        for outcome in Otherwise
        for broken in (False, True)
    },
}


def _is_at_least(one: Decision, other: Decision) -> bool:
    return one.guard.order >= other.guard.order and one.grade >= other.grade


def _codes(decision: Decision) -> tuple[str, ...]:
    return tuple(reason.code.value for reason in decision.reasons)


ASKS = 1_000_000
ROUNDS = 25
"""How often each thing is asked of a policy, each time with other things found about it."""

EVERY_POLICY = settings(max_examples=150, deadline=None)
"""Policies per property; each is asked some two hundred things."""


def test_two_deciders_agree() -> None:
    """A million asks: guard, grade and reason codes equal those of the slow reference."""
    asked = 0

    @settings(EVERY_POLICY, max_examples=400)
    @given(some.policies(), some.choosers)
    def agree(policy: Policy, chooser: Random) -> None:
        nonlocal asked
        decider = compile_policy(policy)
        for ask in (ask for _ in range(ROUNDS) for ask in some.asks(policy, chooser)):
            decision = decider.decide(ask)
            answer = decide_by_the_book(policy, ask)
            assert (decision.guard, decision.grade, _codes(decision)) == answer, ask
            asked += 1

    agree()
    assert asked >= ASKS


@EVERY_POLICY
@given(some.policies(), some.choosers)
def test_a_bigger_amount_never_loosens(policy: Policy, chooser: Random) -> None:
    """Whatever else was found, more money gets at least the same guard and grade."""
    decider = compile_policy(policy)
    for kind in policy.kinds:
        for found in [{}, *(some.worries(chooser) for _ in range(8))]:
            values = [value for value in some.values_of(policy, kind) if value is not None]
            asked = [
                Ask(kind=kind, lane=None, value=value, as_undo=True, **found) for value in values
            ]
            for less, more in pairwise(asked):
                assert less.value is not None
                assert more.value is not None
                if less.value.currency == more.value.currency:
                    assert less.value.minor < more.value.minor
                    assert _is_at_least(decider.decide(more), decider.decide(less)), (less, more)


@EVERY_POLICY
@given(some.policies(), some.choosers)
def test_a_bigger_sum_never_loosens(policy: Policy, chooser: Random) -> None:
    """C1: with more behind it the same action gets at least the same guard and grade."""
    decider = compile_policy(policy)
    for kind in policy.kinds:
        for value in some.values_of(policy, kind):
            found = some.worries(chooser)
            sums: list[Money | None] = [None]
            if value is not None:
                more = sorted(chooser.choices(range(2 * some.LIMIT_MAX), k=6))
                sums += [Money(minor=value.minor + n, currency=value.currency) for n in more]
            asked = [
                Ask(kind=kind, lane=None, value=value, accumulated=total, as_undo=True, **found)
                for total in sums
            ]
            for less, more_of_it in pairwise(asked):
                assert _is_at_least(decider.decide(more_of_it), decider.decide(less))


@EVERY_POLICY
@given(some.policies(), some.choosers)
def test_a_sum_is_judged_as_one_amount_would_be(policy: Policy, chooser: Random) -> None:
    """C1: ten small ones are at least as bad as one of ten times the size."""
    decider = compile_policy(policy)
    for kind in policy.kinds:
        for value in some.values_of(policy, kind):
            total = some.sums(value, chooser)
            if total is None:
                continue
            split = Ask(kind=kind, lane=None, value=value, accumulated=total, as_undo=True)
            whole = Ask(kind=kind, lane=None, value=total, as_undo=True)
            assert _is_at_least(decider.decide(split), decider.decide(whole))


@EVERY_POLICY
@given(some.policies(), some.choosers)
def test_one_more_worry_never_loosens(policy: Policy, chooser: Random) -> None:
    """A missing fact, a contradiction, hidden text, a claim, a failure: all stays or rises."""
    decider = compile_policy(policy)
    for ask in some.asks(policy, chooser):
        calm = decider.decide(ask)
        for worry, found in WORRIES.items():
            name = worry.partition(" ")[0]
            more = (*getattr(ask, name), *found) if isinstance(found, tuple) else found
            worried = decider.decide(msgspec.structs.replace(ask, **{name: more}))
            assert _is_at_least(worried, calm), (ask, worry)
            if "accumulated" not in _codes(calm):
                assert set(_codes(calm)) - {"cleared"} <= set(_codes(worried)), (ask, worry)


@EVERY_POLICY
@given(some.policies(), some.choosers)
def test_a_claim_only_raises(policy: Policy, chooser: Random) -> None:
    """A higher claim is never looser, and one that the kind's axes say anyway does nothing."""
    decider = compile_policy(policy)
    for ask in some.asks(policy, chooser):
        before = silent = decider.decide(msgspec.structs.replace(ask, claim=None))
        for claim in Grade:
            claimed = decider.decide(msgspec.structs.replace(ask, claim=claim))
            assert _is_at_least(claimed, before), (ask, claim)
            rule = policy.kinds.get(ask.kind)
            if rule is None or claim <= rule.kind.grade:
                assert claimed == silent, (ask, claim)
            before = claimed


@EVERY_POLICY
@given(some.policies(), some.choosers, st.data())
def test_a_narrower_lane_never_turns_refuse_into_run(
    policy: Policy, chooser: Random, data: st.DataObject
) -> None:
    """Kinds or connectors taken out of a lane only ever take away; so does having a lane."""
    wide = policy.lanes["front"]
    kinds = list(policy.kinds) if "*" in wide.kinds else list(wide.kinds)
    plugs = list(some.CONNECTORS) if "*" in wide.connectors else list(wide.connectors)
    narrow = LaneRule(
        name="front",
        kinds=data.draw(st.just(wide.kinds) | _subset(kinds)),
        connectors=data.draw(st.just(wide.connectors) | _subset(plugs)),
    )
    decider = compile_policy(policy)
    narrowed = compile_policy(msgspec.structs.replace(policy, lanes={"front": narrow}))
    for ask in some.asks(policy, chooser):
        if ask.lane == "front":
            inside = decider.decide(ask)
            assert narrowed.decide(ask).guard.order >= inside.guard.order, ask
            free = decider.decide(msgspec.structs.replace(ask, lane=None))
            assert inside.guard.order >= free.guard.order, ask


def _subset(names: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), unique=True).map(tuple) if names else st.just(())


@EVERY_POLICY
@given(some.policies(), some.choosers)
def test_money_that_nobody_listed_is_as_strict_as_every_band_and_as_doubt(
    policy: Policy, chooser: Random
) -> None:
    """Neither a currency nobody thought of nor an unknown amount ever runs alone."""
    decider = compile_policy(policy)
    for kind, rule in policy.kinds.items():
        bands = [band for ladder in rule.bands.values() for band in ladder]
        for value in (None, Money(minor=1, currency=some.UNLISTED)) if bands else ():
            found = some.worries(chooser)
            decision = decider.decide(Ask(kind=kind, lane=None, value=value, as_undo=True, **found))
            assert decision.grade is Grade.G3
            assert decision.guard.order >= STRICTEST.order
            assert all(decision.guard.order >= band.guard.order for band in bands)


@EVERY_POLICY
@given(some.policies(), some.choosers)
def test_what_nobody_knows_or_doubts_never_runs_alone(policy: Policy, chooser: Random) -> None:
    """An unknown kind is G3 and held; a finding of any sort brings a person in."""
    decider = compile_policy(policy)
    for ask in some.asks(policy, chooser):
        decision = decider.decide(ask)
        if (
            ask.missing
            or ask.contradicted
            or ask.hidden
            or ask.unresolved
            or ask.late
            or ask.failure is not None
        ):
            assert decision.guard.control not in RUNS_ALONE, ask
        if ask.kind == some.UNKNOWN_KIND:
            inside = ask.account_in_lane and decider.admits_kind(ask.kind, ask.lane)
            inside = inside and not ask.halted
            assert decision.grade is Grade.G3
            refused = any(check.outcome is Otherwise.REFUSE for check in ask.failed)
            assert decision.guard == (STRICTEST if inside and not refused else REFUSE), ask
        if any(check.broken or check.outcome in HOLDS for check in ask.failed):
            assert decision.guard.control not in RUNS_ALONE, ask


@EVERY_POLICY
@given(some.policies(), some.choosers)
def test_every_decision_gives_its_reasons_in_order(policy: Policy, chooser: Random) -> None:
    """At least one reason, by precedence, in words, and the same every time.

    Each code stands once, but for checks: each of them has a reason of its own.
    """
    decider, again = compile_policy(policy), compile_policy(policy)
    for ask in some.asks(policy, chooser):
        decision = decider.decide(ask)
        places = [PRECEDENCE[reason.code] for reason in decision.reasons]
        assert places
        assert places == sorted(places)
        assert len(places) - len(set(places)) <= max(0, len(ask.failed) - 1) + bool(ask.failure)
        assert all(reason.text.strip() for reason in decision.reasons)
        assert again.decide(ask) == decision


@pytest.mark.parametrize("name", sorted(MALFORMED))
def test_malformed_bands_are_refused_when_the_policy_is_compiled(name: str) -> None:
    """A gap, a wrong order or a looser top band is an error at start, not a surprise later."""
    bands = tuple(_band(row) for row in MALFORMED[name])
    assert not some.is_ladder(bands)
    with pytest.raises(HandrailError):
        compile_policy(_banded(bands))


@pytest.mark.parametrize("name", sorted(MALFORMED_VALUES))
def test_bands_need_an_amount_that_is_always_there(name: str) -> None:
    """An amount that may be left out is never charged to a cap, whoever approves it."""
    value, params = MALFORMED_VALUES[name]
    with pytest.raises(HandrailError):
        compile_policy(_banded((_band("- G3 refuse"),), value=value, params=params))


@pytest.mark.parametrize(
    "text", ["approve*2", "run_and_log*1", "refuse*1", "maker_checker*0", "maker_checker*-1"]
)
def test_checkers_belong_to_maker_checker_and_to_nothing_else(text: str) -> None:
    """Otherwise raising `approve*2` to `maker_checker*1` would lose a checker."""
    rule = _banded((_band("- G3 refuse"),)).kinds["refund.issue"]
    plain = KindRule(kind=msgspec.structs.replace(rule.kind, value=None), guard=_guard(text))
    with pytest.raises(HandrailError):
        compile_policy(Policy(name="p", version=1, kinds={"refund.issue": plain}, lanes={}))
    with pytest.raises(HandrailError):
        compile_policy(_banded((_band(f"- G3 {text}"),)))


AMOUNT = Param(name="amount", type=ParamType.MONEY)


def _guard(text: str) -> Guard:
    name, _, checkers = text.partition("*")
    return Guard(control=Control(name), checkers=int(checkers or 0))


def _band(row: str) -> Band:
    limit, grade, guard = row.split()
    up_to = None if limit == "-" else int(limit)
    return Band(up_to_minor=up_to, grade=Grade[grade], guard=_guard(guard))


def _banded(
    bands: tuple[Band, ...],
    *,
    value: str | None = "amount",
    params: tuple[Param, ...] = (AMOUNT,),
) -> Policy:
    kind = ActionKind(
        name="refund.issue",
        title="Refund",
        connector="billing",
        axes=Axes(reversibility=2, blast_radius=1, stakes=2),
        params=params,
        value=value,
    )
    rule = KindRule(kind=kind, guard=_guard("approve"), bands={"USD": bands})
    return Policy(name="desk", version=1, kinds={"refund.issue": rule}, lanes={})
