"""Caps by the real clock, under callers of several gateway processes at once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from handrail.core.lifecycle import State
from tests.engine.herd import Aftermath, Deed, faults, overfull, peaks, run_herd
from tests.store.databases import PostgresDatabase

ROUNDS: Final = 6
CALLERS: Final = 4
PROCESSES: Final = 4
PEOPLE_S: Final = 300
"""However slow the machine: what six rounds bring is in one window."""


def test_four_gateways_pass_no_cap(tmp_path: Path) -> None:
    """G1, G6: whichever gateway decides, 0 cents over any cap; different customers exact."""
    store = PostgresDatabase(tmp_path).address
    aftermath = run_herd(
        tmp_path,
        store=store,
        processes=PROCESSES,
        callers=CALLERS,
        rounds=ROUNDS,
        seed=7,
        people_s=PEOPLE_S,
    )
    assert faults(aftermath, wanted=PROCESSES * CALLERS * ROUNDS) == []
    # The caps were really met.
    assert aftermath.stand[State.REFUSED] > 0
    assert peaks(aftermath.deeds, PEOPLE_S)["d-agent-people"] == (5, 5)


def test_windows_roll_by_the_real_clock(tmp_path: Path) -> None:
    """G1: what settles is not dated before it happened, so that nothing leaves a window early."""
    aftermath = run_herd(tmp_path, store=None, processes=1, callers=16, rounds=40, seed=7)
    assert faults(aftermath, wanted=16 * 40) == []
    assert peaks(aftermath.deeds)["d-agent-people"] == (5, 5)


def test_the_judge_sees_what_is_wrong() -> None:
    """The checker itself can fail: each kind of fault is named."""
    deeds = [Deed(200 * n, 4_000, "bot", "C-1", f"hr_{n}") for n in range(4)]
    assert overfull(deeds) == ["b-customer-money: 16000 of 15000"]
    crowd = [Deed(0, 1, "bot", f"C-{n}", f"hr_{n}") for n in range(6)]
    assert overfull(crowd) == ["d-agent-people: 6 of 5"]
    apart = [deed._replace(at=180 * place) for place, deed in enumerate(crowd)]
    assert overfull(apart) == ["d-agent-people: 6 of 5"]
    assert overfull([deed._replace(at=200 * place) for place, deed in enumerate(crowd)]) == []
    twice = [Deed(0, 1, "bot", "C-1", "hr_1"), Deed(5, 1, "bot", "C-1", "hr_1")]
    stand = Counter({State.SUCCEEDED: 1, State.EXECUTING: 1})
    aftermath = Aftermath(
        [*twice, Deed(9, 1, "bot", "C-1", "hr_3")], stand, stand, ["hr_2"], ("x",)
    )
    assert faults(aftermath, wanted=3) == [
        "`hr_1` was done 2 times",
        "`hr_2` is held for done, and was not",
        *sorted(f"`{key}` was done, and is not held for it" for key in ("hr_1", "hr_3")),
        "1 are left EXECUTING",
        "2 answers to 3 proposals",
        "2 rows to 3 proposals",
        "the log: x",
    ]
