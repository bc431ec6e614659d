"""Three hundred lives, each from one seed; a seed lives the same life again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.house.repo import ROOT
from tests.sim.life import Outcome, lived
from tests.sim.soak import cores, lived_many, main
from tests.sim.watch import AT_THE_DOOR, CHECKS, ELSEWHERE

SEEDS = 300

pytestmark = pytest.mark.timeout(3_600)


@pytest.fixture(scope="module")
def lives() -> list[Outcome]:
    """The outcomes of all seeds; an invariant that breaks says its seed."""
    ended = list(lived_many(range(SEEDS), jobs=cores()))
    replay = "replay: make soak ARGS='--seed"
    assert [f"{one.error}; {replay} {one.seed}'" for one in ended if one.error] == []
    return [one.outcome for one in ended if one.outcome is not None]


def test_every_invariant_holds_in_every_life(lives: list[Outcome]) -> None:
    """Each was checked after each of its steps, and its log verified."""
    assert [life.seed for life in lives] == list(range(SEEDS))


def test_the_lives_are_eventful(lives: list[Outcome]) -> None:
    """Together they meet every way an action can end, and every kind of trouble."""
    states: Counter[str] = Counter()
    for life in lives:
        states.update(dict(life.states))
    ends = (
        "SUCCEEDED FAILED UNKNOWN REFUSED REJECTED EXPIRED WITHDRAWN ESCALATED SUPERSEDED".split()
    )
    assert {state for state in ends if states[state] >= 100} == set(ends)
    assert sum(life.effects for life in lives) > 1_500
    assert sum(life.killed for life in lives) > 300
    said = "\n".join(line for life in lives for line in life.trace)
    for met in (
        "killed before the effect",
        "killed after the effect",
        "no answer, done later",
        "slow",
        "the clock jumps",
        "maker_is_checker",
        "not_entitled",
        "reviewed_already",
        "take_back: PENDING",
        "take_back: nothing_to_take_back",
        "take_back: take_back_too_late",
        "stale_digest",
        "review_expired",
        "idempotency_conflict",
        "undo_unavailable",
        "connector_unavailable",
        "meanwhile",
        "an answer that makes no sense",
        "too late to be sent",
        "permit_invalid",
        "store_f",
        "field_",
        "1 of 2",
        "stops",
        "lets ",
        "halted",
        "amount_raised",
        "edit_refused",
        "testify",
        "is not there",
    ):
        assert met in said


@pytest.mark.parametrize("seed", [3, 11])
def test_a_seed_lives_the_same_life_again(lives: list[Outcome], seed: int) -> None:
    """Every step, and the root of the log, which every byte of every entry goes into."""
    assert lived(seed) == lives[seed]


@pytest.mark.parametrize("hashing", ["0", "7"])
def test_another_process_lives_it_too(lives: list[Outcome], hashing: str) -> None:
    """Whatever the order in which that process keeps its sets."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.sim.soak", "--seed", "5"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hashing},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert tuple(told[:-1]) == lives[5].trace
    assert lives[5].root in told[-1]


def test_every_invariant_is_checked_or_named() -> None:
    """I1 to I15: by a check after every step, by one at the provider's door, or by a test."""
    checked = {name.split()[0] for name in (*CHECKS, *AT_THE_DOOR)}
    assert not checked & set(ELSEWHERE)
    assert checked | set(ELSEWHERE) == {f"I{n}" for n in range(1, 16)}
    for held in ELSEWHERE.values():
        assert not held.startswith("tests/") or (ROOT / held).is_file()


def test_the_long_run_counts_what_it_saw(capsys: pytest.CaptureFixture[str]) -> None:
    """Its last line says that nothing broke."""
    assert main(["--seeds", "2", "--steps", "30"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "broken: none"
