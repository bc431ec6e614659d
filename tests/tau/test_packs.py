"""The packs against the desks that they are for, and the six strategies against each other."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from benchmarks.tau.client import Backend
from benchmarks.tau.facts import RULES as FACTS
from benchmarks.tau.facts import THREAD_FACTS
from benchmarks.tau.strategies import (
    PACKS,
    THRESHOLD_CENTS,
    Strategy,
    is_write,
    pack_of,
    policy_of,
)
from handrail.core.decide import Ask, Decider, Decision, compile_policy
from handrail.core.grade import Axes
from handrail.core.money import Money
from handrail.core.policy import Control, KindRule, Otherwise
from handrail.policy.grader import advise
from handrail.policy.lint import RUNS_ALONE
from handrail.policy.loader import problems_of

DOMAINS = ("retail", "airline")
RULES = Path(__file__).resolve().parents[2] / "benchmarks" / "tau" / "rules.md"
CENTS = (0, 1, 4999, 5000, 5001, 6000, 99_999, 100_001, 500_001, 10_000_000, None)


def decided(strategy: Strategy, domain: str, kind: str, cents: int | None) -> Decision:
    """What a strategy decides about a call that moves this much to a customer of the task."""
    value = None if cents is None else Money(minor=cents, currency="USD")
    return decider_of(strategy, domain).decide(Ask(kind=kind, lane="one_customer", value=value))


@cache
def decider_of(strategy: Strategy, domain: str) -> Decider:
    """The policy of a strategy, compiled once for all tests."""
    return compile_policy(policy_of(strategy, domain))


def writes_of(domain: str) -> dict[str, KindRule]:
    """The kinds of a pack that have an effect."""
    return {name: rule for name, rule in pack_of(domain).kinds.items() if is_write(rule)}


@pytest.mark.parametrize("pack", ["retail", "airline", "retail-scarce", "airline-scarce"])
def test_a_pack_has_nothing_to_complain_about(pack: str) -> None:
    """It loads without a warning."""
    assert problems_of((PACKS / f"{pack}.yaml").read_text()) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_facts_of_a_pack_are_those_of_the_desk(domain: str) -> None:
    """Each declared fact is one that is read for that tool, and each check names one."""
    for name, rule in writes_of(domain).items():
        records, said = FACTS[name]
        assert rule.facts.keys() <= {"to_customer_cents", *records, *said}, name
        for check in rule.checks:
            assert re.findall(r"facts\.(\w+)", check.require), (name, check.name)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_scarce_pack_is_the_same_desk(domain: str) -> None:
    """Same kinds and checks; what would ask because of a check only marks instead."""
    usual, scarce = pack_of(domain), pack_of(domain, scarce=True)
    assert (scarce.lanes, scarce.caps, scarce.clocks) == (usual.lanes, usual.caps, usual.clocks)
    assert scarce.kinds.keys() == usual.kinds.keys()
    for name, rule in usual.kinds.items():
        other = scarce.kinds[name]
        assert other.kind == rule.kind
        for check, looser in zip(rule.checks, other.checks, strict=True):
            asks = check.otherwise is Otherwise.HOLD and looser.otherwise is Otherwise.FLAG
            assert asks or check.otherwise is looser.otherwise, (name, check.name)
            # money that goes back to where it came from needs no asking where
            same = check.require == looser.require
            assert same or (name, check.name) == ("update_reservation_flights", "method_told")
        assert other.guard.order <= rule.guard.order


def test_records_alone_hear_nothing() -> None:
    """Without the ticket's messages no check asks for them, and nothing is cleared by them."""
    for domain in DOMAINS:
        for name, rule in policy_of(Strategy.RECORDS, domain).kinds.items():
            named = {
                fact for one in rule.checks for fact in re.findall(r"facts\.(\w+)", one.require)
            }
            assert not named & THREAD_FACTS, name
            assert rule.cleared is None, name
            dropped = [one for one in pack_of(domain).kinds[name].checks if one not in rule.checks]
            for one in dropped:
                assert THREAD_FACTS & set(re.findall(r"facts\.(\w+)", one.require)), one.name


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_tool_of_the_desk_is_a_kind(backend: Backend, domain: str) -> None:
    """No tool is left out or made up; its parameters and what it can do are as the desk says."""
    tools = {tool["name"]: tool for tool in backend.tools(domain)}
    rules = pack_of(domain).kinds
    assert rules.keys() == tools.keys()
    for name, tool in tools.items():
        params = rules[name].kind.params
        assert {param.name for param in params} == tool["parameters"]["properties"].keys(), name
        optional = {param.name for param in params if not param.required}
        assert optional <= {"address2", "thought", "summary"}, name
        assert is_write(rules[name]) is (tool["type"] == "write"), name
        # a booking and bags charge the customer: they never move money to them
        charges = name in ("book_reservation", "update_reservation_baggages")
        assert rules[name].kind.value_from_connector is (tool["moves_money"] and not charges), name


@pytest.mark.parametrize("domain", DOMAINS)
def test_axes_are_those_of_the_written_rules(domain: str) -> None:
    """The tables in rules.md and the packs say the same."""
    rows = re.findall(r"^\| `(\w+)` \| (\d), (\d), (\d) \|", RULES.read_text(), re.MULTILINE)
    written = {
        name: Axes(reversibility=int(a), blast_radius=int(b), stakes=int(c))
        for name, a, b, c in rows
    }
    for name, rule in writes_of(domain).items():
        assert rule.kind.axes == written[name], name


@pytest.mark.parametrize("domain", DOMAINS)
def test_controls_are_those_of_the_grader(domain: str) -> None:
    """What is not decided by amount gets the control and the cap that `handrail grade` advises."""
    pack = pack_of(domain)
    for name, rule in pack.kinds.items():
        if rule.bands:
            continue
        advice = advise(rule.kind.axes, rule.kind.catchable, undo=False, money=False)
        assert rule.guard == advice.guard, name
        capped = any(name in cap.kinds for cap in pack.caps)
        assert capped or not advice.capped, name


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_write_needs_to_know_whose_it_is(domain: str) -> None:
    """What touches nobody known waits for a person, whatever it is."""
    decider = compile_policy(pack_of(domain))
    for name, rule in writes_of(domain).items():
        assert rule.kind.needs == ("owner",)
        value = Money(minor=0, currency="USD")
        ask = Ask(kind=name, lane="one_customer", value=value, missing=("owner",))
        assert decider.decide(ask).guard.control not in RUNS_ALONE, name


@pytest.mark.parametrize("domain", DOMAINS)
def test_reads_run_under_every_strategy(domain: str) -> None:
    """Nobody is asked about what has no effect."""
    for name, rule in pack_of(domain).kinds.items():
        for strategy in Strategy:
            control = decided(strategy, domain, name, None).guard.control
            assert is_write(rule) or control is Control.RUN_AND_LOG, (name, strategy)


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_each_strategy_asks_about(domain: str) -> None:
    """Allow nothing, ask every write, threshold what moves more than 50 dollars to the customer."""
    for name, rule in writes_of(domain).items():
        for cents in CENTS:
            alone = {
                strategy: decided(strategy, domain, name, cents).guard.control in RUNS_ALONE
                for strategy in Strategy
            }
            assert alone[Strategy.ALLOW], name
            assert not alone[Strategy.ASK], name
            # an amount that is not known is not a small one
            small = cents is not None and cents <= THRESHOLD_CENTS
            pays = rule.kind.value_from_connector
            assert alone[Strategy.THRESHOLD] is (small or not pays), (name, cents)


@pytest.mark.parametrize("domain", DOMAINS)
def test_handrail_is_never_looser_than_the_threshold(domain: str) -> None:
    """At no amount, known or not, does a pack let run what the threshold holds."""
    for name in writes_of(domain):
        for cents in CENTS:
            ours = decided(Strategy.HANDRAIL, domain, name, cents).guard
            theirs = decided(Strategy.THRESHOLD, domain, name, cents).guard
            assert ours.order >= theirs.order, (name, cents)


def test_strategies_are_six_policies() -> None:
    """Each has a digest of its own, by which its decisions name it."""
    digests = {policy_of(one, domain).digest for one in Strategy for domain in DOMAINS}
    assert len(digests) == 12
