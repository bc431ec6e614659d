"""The decision: the pack's table row by row, what raises it, and what never loosens it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.core.action import ActionKind, Param, ParamType
from handrail.core.decide import (
    PRECEDENCE,
    Ask,
    Decision,
    ReasonCode,
    compile_policy,
)
from handrail.core.grade import Axes, Grade
from handrail.core.money import Money
from handrail.core.policy import (
    STRICTEST,
    Band,
    Control,
    Guard,
    KindRule,
    LaneRule,
    Policy,
)
from handrail.errors import HandrailError
from tests.core import strategies as some
from tests.reference.decide import decide as decide_by_the_book

RUNS_ALONE = {Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY, Control.HOLD_AND_RECALL}

# The written order, loosest first.
CONTROLS = "run_and_log run_and_notify hold_and_recall approve maker_checker escalate refuse"

REASONS = """
outside_lane escalation_asked evaluation_failed unknown_kind unlisted_currency value_unknown
facts_missing facts_contradict hidden_content claimed_grade cap_full value_band kind_default
"""


def _guard(text: str) -> Guard:
    name, _, checkers = text.partition("*")
    return Guard(control=Control(name), checkers=int(checkers or 0))


def _kind(name: str, connector: str, axes: tuple[int, int, int], *, money: bool) -> ActionKind:
    return ActionKind(
        name=name,
        title=name,
        connector=connector,
        axes=Axes(reversibility=axes[0], blast_radius=axes[1], stakes=axes[2]),
        params=(Param(name="amount", type=ParamType.MONEY),) if money else (),
        value="amount" if money else None,
    )


def _bands(*rows: str) -> tuple[Band, ...]:
    """Bands from rows like `5000 G2 approve`; `-` is no limit."""
    bands = []
    for row in rows:
        limit, grade, guard = row.split()
        up_to = None if limit == "-" else int(limit)
        bands.append(Band(up_to_minor=up_to, grade=Grade[grade], guard=_guard(guard)))
    return tuple(bands)


def _desk() -> Policy:
    rules = {
        "ticket.read": KindRule(
            kind=_kind("ticket.read", "desk", (0, 0, 0), money=False), guard=_guard("run_and_log")
        ),
        "reply.draft": KindRule(
            kind=_kind("reply.draft", "desk", (1, 0, 0), money=False), guard=_guard("run_and_log")
        ),
        "reply.send": KindRule(
            kind=_kind("reply.send", "mail", (2, 1, 2), money=False), guard=_guard("approve")
        ),
        "reply.later": KindRule(
            kind=_kind("reply.later", "mail", (2, 1, 2), money=False),
            guard=_guard("hold_and_recall"),
        ),
        "login.change": KindRule(
            kind=_kind("login.change", "accounts", (3, 1, 3), money=False),
            guard=_guard("maker_checker*1"),
        ),
        "account.wipe": KindRule(
            kind=_kind("account.wipe", "accounts", (3, 1, 3), money=False), guard=_guard("refuse")
        ),
        "ask.human": KindRule(
            kind=_kind("ask.human", "desk", (0, 0, 0), money=False), guard=_guard("escalate")
        ),
        "refund.issue": KindRule(
            kind=_kind("refund.issue", "billing", (2, 1, 2), money=True),
            guard=_guard("approve"),
            bands={
                "USD": _bands(
                    "5000 G2 run_and_notify",
                    "100000 G2 approve",
                    "500000 G3 maker_checker*1",
                    "- G3 maker_checker*2",
                ),
                "JPY": _bands("7500 G2 run_and_notify", "- G3 maker_checker*1"),
            },
        ),
    }
    lanes = {
        "all": LaneRule(name="all", kinds=("*",)),
        "mail": LaneRule(name="mail", kinds=("*",), connectors=("mail",)),
        "refunds": LaneRule(name="refunds", kinds=("refund.issue", "ticket.read")),
        "empty": LaneRule(name="empty", kinds=()),
        "offline": LaneRule(name="offline", kinds=("*",), connectors=()),
    }
    return Policy(name="desk", version=1, kinds=rules, lanes=lanes)


DESK = compile_policy(_desk())

# kind | value | what was found | control, grade | reasons
DECIDED = """
ticket.read  | none            |                | run_and_log G0     | kind_default
reply.draft  | none            |                | run_and_log G1     | kind_default
reply.send   | none            |                | approve G2         | kind_default
reply.later  | none            |                | hold_and_recall G2 | kind_default
login.change | none            |                | maker_checker*1 G3 | kind_default
account.wipe | none            |                | refuse G3          | kind_default
ask.human    | none            |                | escalate G0        | kind_default
refund.issue | 0.01 USD        |                | run_and_notify G2  | value_band
refund.issue | 49.99 USD       |                | run_and_notify G2  | value_band
refund.issue | 50.00 USD       |                | run_and_notify G2  | value_band
refund.issue | 50.01 USD       |                | approve G2         | value_band
refund.issue | 1000.00 USD     |                | approve G2         | value_band
refund.issue | 1000.01 USD     |                | maker_checker*1 G3 | value_band
refund.issue | 5000.00 USD     |                | maker_checker*1 G3 | value_band
refund.issue | 5000.01 USD     |                | maker_checker*2 G3 | value_band
refund.issue | 9999999.99 USD  |                | maker_checker*2 G3 | value_band
refund.issue | 7500 JPY        |                | run_and_notify G2  | value_band
refund.issue | 7501 JPY        |                | maker_checker*1 G3 | value_band
refund.issue | 0.01 EUR        |                | maker_checker*2 G3 | unlisted_currency
refund.issue | none            |                | maker_checker*2 G3 | value_unknown
moon.buy     | none            |                | maker_checker*2 G3 | unknown_kind
moon.buy     | 0.01 USD        | claim=G0       | maker_checker*2 G3 | unknown_kind
refund.issue | 30.00 USD       | missing        | approve G2         | facts_missing value_band
refund.issue | 30.00 USD       | contradicted   | approve G2         | facts_contradict value_band
refund.issue | 30.00 USD       | hidden         | maker_checker*1 G3 | hidden_content value_band
refund.issue | 30.00 USD       | claim=G0       | run_and_notify G2  | value_band
refund.issue | 30.00 USD       | claim=G2       | run_and_notify G2  | value_band
refund.issue | 30.00 USD       | claim=G3       | maker_checker*1 G3 | claimed_grade value_band
refund.issue | 30.00 USD       | failure        | maker_checker*2 G3 | evaluation_failed value_band
refund.issue | 2400.00 USD     | missing        | maker_checker*1 G3 | facts_missing value_band
refund.issue | 2400.00 USD     | hidden         | maker_checker*1 G3 | hidden_content value_band
ticket.read  | none            | missing        | approve G2         | facts_missing kind_default
ticket.read  | none            | hidden         | approve G1         | hidden_content kind_default
ticket.read  | none            | claim=G1       | run_and_log G1     | claimed_grade kind_default
ticket.read  | none            | claim=G2       | approve G2         | claimed_grade kind_default
ticket.read  | none            | missing hidden | maker_checker*1 G3 | facts_missing hidden_content kind_default
reply.later  | none            | missing        | approve G2         | facts_missing kind_default
reply.later  | none            | hidden         | maker_checker*1 G3 | hidden_content kind_default
reply.send   | none            | failure        | maker_checker*2 G3 | evaluation_failed kind_default
account.wipe | none            | failure        | refuse G3          | evaluation_failed kind_default
ask.human    | none            | failure        | escalate G3        | evaluation_failed kind_default
moon.buy     | none            | failure        | maker_checker*2 G3 | evaluation_failed unknown_kind
refund.issue | 1.00 EUR        | hidden missing | maker_checker*2 G3 | unlisted_currency facts_missing hidden_content
"""

# lane | kind | in the task's account? | inside
LANES = """
-        refund.issue  yes  inside
-        moon.buy      yes  inside
-        refund.issue  no   outside
all      refund.issue  yes  inside
all      moon.buy      yes  inside
all      refund.issue  no   outside
mail     reply.send    yes  inside
mail     refund.issue  yes  outside
mail     moon.buy      yes  outside
refunds  refund.issue  yes  inside
refunds  ticket.read   yes  inside
refunds  reply.send    yes  outside
refunds  moon.buy      yes  outside
refunds  refund.issue  no   outside
empty    ticket.read   yes  outside
empty    moon.buy      yes  outside
offline  ticket.read   yes  outside
offline  moon.buy      yes  outside
attic    ticket.read   yes  outside
attic    moon.buy      yes  outside
"""

# Bands that would let a bigger amount pass a looser control, or have no answer for some amount.
MALFORMED = {
    "no bands at all": (),
    "no open top": _bands("5000 G2 approve"),
    "open band in the middle": _bands("- G2 approve", "5000 G2 approve"),
    "two open bands": _bands("- G2 approve", "- G3 refuse"),
    "falling limits": _bands("5000 G2 approve", "100 G2 approve", "- G3 refuse"),
    "equal limits": _bands("5000 G2 run_and_notify", "5000 G2 approve", "- G3 refuse"),
    "looser above": _bands("5000 G2 approve", "- G2 run_and_notify"),
    "fewer checkers above": _bands("5000 G3 maker_checker*2", "- G3 maker_checker*1"),
    "lower grade above": _bands("5000 G3 approve", "- G2 approve"),
    "negative limit": _bands("-1 G2 run_and_notify", "- G3 refuse"),
}


def _ask(kind: str, value: str, found: str) -> Ask:
    changes: dict[str, Any] = {}
    for word in found.split():
        name, _, grade = word.partition("=")
        if name == "claim":
            changes["claim"] = Grade[grade]
        else:
            changes[name] = "it broke" if name == "failure" else ("the order total",)
    money = None if value == "none" else Money.parse(value)
    return Ask(kind=kind, lane="all", value=money, **changes)


def _codes(decision: Decision) -> tuple[str, ...]:
    return tuple(reason.code.value for reason in decision.reasons)


@pytest.mark.parametrize("row", DECIDED.strip().splitlines())
def test_what_the_desk_decides(row: str) -> None:
    """Kind, amount and findings on one side; control, grade and every reason on the other."""
    kind, value, found, outcome, reasons = (part.strip() for part in row.split("|"))
    guard, grade = outcome.split()
    decision = DESK.decide(_ask(kind, value, found))
    assert (decision.guard, decision.grade) == (_guard(guard), Grade[grade])
    assert _codes(decision) == tuple(reasons.split())


@pytest.mark.parametrize("row", LANES.strip().splitlines())
def test_what_a_lane_lets_in(row: str) -> None:
    """Outside the lane nothing is graded: refused, for that one reason."""
    lane, kind, mine, place = row.split()
    ask = Ask(
        kind=kind,
        lane=None if lane == "-" else lane,
        value=Money(minor=1, currency="USD"),
        account_in_lane=mine == "yes",
        missing=("the order total",),
    )
    decision = DESK.decide(ask)
    outside = (decision.guard.control, _codes(decision)) == (Control.REFUSE, ("outside_lane",))
    assert outside is (place == "outside")
    if mine == "yes":
        assert DESK.admits_kind(kind, ask.lane) is (place == "inside")


def test_the_written_orders() -> None:
    """Controls from loose to strict and reasons by precedence, as the specification lists them."""
    assert [control.value for control in sorted(Control, key=lambda c: c.strictness)] == (
        CONTROLS.split()
    )
    assert [code.value for code in sorted(ReasonCode, key=lambda c: PRECEDENCE[c])] == (
        REASONS.split()
    )


@settings(max_examples=2000, deadline=None)
@given(some.policies_and_asks())
def test_two_deciders_agree(case: tuple[Policy, Ask]) -> None:
    """Guard, grade and reason codes equal those of the slow reference, policy by policy."""
    policy, ask = case
    decision = compile_policy(policy).decide(ask)
    answer = decide_by_the_book(policy, ask)
    assert (decision.guard, decision.grade, _codes(decision)) == answer


@settings(max_examples=1000, deadline=None)
@given(some.policies_and_rising_asks())
def test_a_bigger_amount_never_loosens(case: tuple[Policy, Ask, Ask]) -> None:
    """Whatever else was found, more money gets at least the same guard and grade."""
    policy, smaller, bigger = case
    decider = compile_policy(policy)
    less, more = decider.decide(smaller), decider.decide(bigger)
    assert more.guard.order >= less.guard.order
    assert more.grade >= less.grade


WORRIES: dict[str, Any] = {
    "missing": ("the balance",),
    "contradicted": ("refunded yesterday",),
    "hidden": ("body at 3",),
    "failure": "the condition gave no answer",
    "claim": Grade.G3,
}


@settings(max_examples=1000, deadline=None)
@given(some.policies_and_asks(), st.sampled_from(sorted(WORRIES)))
def test_one_more_worry_never_loosens(case: tuple[Policy, Ask], worry: str) -> None:
    """A missing fact, hidden text, a claim, a failure: guard and grade stay or rise."""
    policy, ask = case
    decider = compile_policy(policy)
    calm = decider.decide(ask)
    found = WORRIES[worry]
    if isinstance(found, tuple):
        found = (*getattr(ask, worry), *found)
    worried = decider.decide(msgspec.structs.replace(ask, **{worry: found}))
    assert worried.guard.order >= calm.guard.order
    assert worried.grade >= calm.grade
    assert {reason.code for reason in calm.reasons} <= {reason.code for reason in worried.reasons}


@settings(max_examples=500, deadline=None)
@given(some.policies_and_asks(), st.sampled_from(Grade))
def test_a_higher_claim_never_loosens_and_a_lower_one_does_nothing(
    case: tuple[Policy, Ask], claim: Grade
) -> None:
    """What the agent says about itself can only raise."""
    policy, ask = case
    decider = compile_policy(policy)
    silent = decider.decide(msgspec.structs.replace(ask, claim=None))
    claimed = decider.decide(msgspec.structs.replace(ask, claim=claim))
    higher = decider.decide(msgspec.structs.replace(ask, claim=Grade(min(3, claim + 1))))
    assert higher.guard.order >= claimed.guard.order >= silent.guard.order
    assert higher.grade >= claimed.grade >= silent.grade
    rule = policy.kinds.get(ask.kind)
    if rule is None or claim <= rule.kind.grade:
        assert claimed == silent


@settings(max_examples=500, deadline=None)
@given(some.policies_and_asks(), st.data())
def test_a_narrower_lane_never_turns_refuse_into_run(
    case: tuple[Policy, Ask], data: st.DataObject
) -> None:
    """Kinds or connectors taken out of a lane only ever take away."""
    policy, ask = case
    wide = data.draw(some.lanes("front", list(policy.kinds)))
    names = list(policy.kinds) if "*" in wide.kinds else list(wide.kinds)
    plugs = list(some.CONNECTORS) if "*" in wide.connectors else list(wide.connectors)
    kept_kinds = data.draw(st.just(wide.kinds) | _subset(names))
    kept_connectors = data.draw(st.just(wide.connectors) | _subset(plugs))
    narrow = LaneRule(name="front", kinds=kept_kinds, connectors=kept_connectors)
    ask = msgspec.structs.replace(ask, lane="front")
    before, after = (
        compile_policy(msgspec.structs.replace(policy, lanes={"front": lane})).decide(ask)
        for lane in (wide, narrow)
    )
    assert after.guard.order >= before.guard.order
    free = compile_policy(policy).decide(msgspec.structs.replace(ask, lane=None))
    assert before.guard.order >= free.guard.order


def _subset(names: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), unique=True).map(tuple) if names else st.just(())


@settings(max_examples=500, deadline=None)
@given(some.policies_and_asks())
def test_an_unlisted_currency_is_as_strict_as_every_band_and_as_doubt(
    case: tuple[Policy, Ask],
) -> None:
    """Neither a currency nobody thought of nor an unknown amount ever runs alone."""
    policy, ask = case
    decider = compile_policy(policy)
    for name, rule in policy.kinds.items():
        if not rule.bands:
            continue
        strange = msgspec.structs.replace(
            ask, kind=name, lane=None, value=Money(minor=1, currency=some.UNLISTED)
        )
        for value in (strange.value, None):
            decision = decider.decide(msgspec.structs.replace(strange, value=value))
            if not ask.account_in_lane:
                assert decision.guard.control is Control.REFUSE
                continue
            assert decision.grade is Grade.G3
            assert decision.guard.order >= STRICTEST.order
            for band in (band for bands in rule.bands.values() for band in bands):
                assert decision.guard.order >= band.guard.order


@settings(max_examples=500, deadline=None)
@given(some.policies_and_asks())
def test_an_unknown_kind_is_g3_and_held_and_never_runs(case: tuple[Policy, Ask]) -> None:
    """Whatever lane, claim and findings come with it."""
    policy, ask = case
    decision = compile_policy(policy).decide(msgspec.structs.replace(ask, kind=some.UNKNOWN_KIND))
    assert decision.grade is Grade.G3
    assert decision.guard in (STRICTEST, Guard(control=Control.REFUSE))
    if ask.lane is None and ask.account_in_lane:
        assert decision.guard == STRICTEST


@settings(max_examples=500, deadline=None)
@given(some.policies_and_asks())
def test_every_decision_gives_its_reasons_in_order(case: tuple[Policy, Ask]) -> None:
    """At least one reason, each code once, by precedence, in words, and the same every time."""
    policy, ask = case
    decision = compile_policy(policy).decide(ask)
    places = [PRECEDENCE[reason.code] for reason in decision.reasons]
    assert places
    assert places == sorted(set(places))
    assert all(reason.text.strip() for reason in decision.reasons)
    assert compile_policy(policy).decide(ask) == decision


@settings(max_examples=500, deadline=None)
@given(some.policies_and_asks())
def test_nothing_that_was_found_runs_alone(case: tuple[Policy, Ask]) -> None:
    """A finding brings a person in, whatever the policy says about the kind."""
    policy, ask = case
    decision = compile_policy(policy).decide(ask)
    if ask.missing or ask.contradicted or ask.hidden or ask.failure is not None:
        assert decision.guard.control not in RUNS_ALONE


@pytest.mark.parametrize("name", sorted(MALFORMED))
def test_malformed_bands_are_refused_when_the_policy_is_made(name: str) -> None:
    """A gap, a wrong order or a looser top band is an error at start, not a surprise at run time."""
    assert not some.is_ladder(MALFORMED[name])
    kind = _kind("refund.issue", "billing", (2, 1, 2), money=True)
    with pytest.raises(HandrailError):
        compile_policy(
            Policy(
                name="desk",
                version=1,
                kinds={
                    "refund.issue": KindRule(
                        kind=kind, guard=_guard("approve"), bands={"USD": MALFORMED[name]}
                    )
                },
                lanes={},
            )
        )


@pytest.mark.parametrize(
    "text",
    ["approve*2", "run_and_log*1", "refuse*1", "maker_checker", "maker_checker*0"],
)
def test_checkers_belong_to_maker_checker_and_to_nothing_else(text: str) -> None:
    """Otherwise raising `approve*2` to `maker_checker*1` would lose a checker."""
    with pytest.raises(HandrailError):
        _guard(text)


def test_currency_bands_say_where_they_begin_and_end() -> None:
    """The sentence for the reviewer names both ends of the band."""
    texts = [
        DESK.decide(_ask("refund.issue", value, "")).reasons[0].text
        for value in ("50.00 USD", "50.01 USD", "5000.01 USD", "1 JPY")
    ]
    assert texts == [
        "the amount is up to 50.00 USD",
        "the amount is above 50.00 USD and up to 1000.00 USD",
        "the amount is above 5000.00 USD",
        "the amount is up to 7500 JPY",
    ]


def test_a_band_above_a_limit_of_zero_says_so() -> None:
    """A limit of zero is a limit: what is above it is not `up to` something."""
    rule = KindRule(
        kind=_kind("refund.issue", "billing", (2, 1, 2), money=True),
        guard=_guard("approve"),
        bands={"USD": _bands("0 G2 run_and_notify", "100 G2 approve", "- G3 refuse")},
    )
    decider = compile_policy(
        Policy(name="desk", version=1, kinds={"refund.issue": rule}, lanes={})
    )
    found = [
        decider.decide(Ask(kind="refund.issue", lane=None, value=Money(minor=n, currency="USD")))
        for n in (0, 1)
    ]
    assert [decision.guard.control for decision in found] == [
        Control.RUN_AND_NOTIFY,
        Control.APPROVE,
    ]
    assert found[1].reasons[0].text == "the amount is above 0.00 USD and up to 1.00 USD"


def test_a_reason_stays_short_however_much_was_found() -> None:
    """Ten thousand hidden characters do not make a reason that no log entry can hold."""
    found = tuple(f"body at {place}" for place in range(10_000))
    decision = DESK.decide(
        Ask(kind="reply.send", lane=None, missing=found, contradicted=found, hidden=found)
    )
    assert all(len(reason.text) <= 500 for reason in decision.reasons)
