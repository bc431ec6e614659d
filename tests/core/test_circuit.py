"""Retries: pauses that double, circuits that open, and a budget that runs out. Tables and runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.circuit import (
    FAILURES_MAX,
    OPEN_MS,
    OPEN_MS_MAX,
    RETRIES_MAX,
    RETRY_MS,
    Circuit,
    after_answer,
    after_silence,
    take,
    take_retry,
)
from handrail.core.pause import PAUSE_MS_MAX, pause_ms

NOW = 1_000_000

PAUSES = """
base  tries  spread  pause
1000  0      0       0
1000  1      0       1000
1000  1      65535   501
1000  2      0       2000
1000  3      32768   3000
5000  6      0       160000
5000  8      0       600000
5000  99     0       600000
"""


@pytest.mark.parametrize("row", PAUSES.strip().splitlines()[1:])
def test_pauses(row: str) -> None:
    """H7: doubled each time, up to ten minutes, anywhere in the second half."""
    base, tries, spread, pause = map(int, row.split())
    assert pause_ms(base, tries, spread) == pause


@given(st.integers(1, 10**6), st.integers(1, 10**4), st.integers(0, 65_535))
def test_a_pause_is_bounded_and_never_none(base: int, tries: int, spread: int) -> None:
    """H7: at least half of the base, never more than the most."""
    pause = pause_ms(base, tries, spread)
    assert min(base, PAUSE_MS_MAX) // 2 <= pause <= PAUSE_MS_MAX


def _opened(times: int = 1) -> Circuit:
    circuit = Circuit()
    for _ in range(FAILURES_MAX - 1 + times):
        circuit = after_silence(circuit, NOW)
    return circuit


def test_it_opens_after_a_few_in_a_row() -> None:
    """One answer in between starts the count anew."""
    circuit = Circuit()
    for _ in range(FAILURES_MAX - 1):
        circuit = after_silence(circuit, NOW)
    assert take(circuit, NOW)[1]
    assert take(after_silence(after_answer(circuit), NOW), NOW)[1]
    assert not take(after_silence(circuit, NOW), NOW)[1]


def test_one_call_at_a_time_tries_it() -> None:
    """Its pause over, one goes out; a further one only when that had time to be answered."""
    circuit, now = _opened(), NOW + OPEN_MS
    assert not take(circuit, now - 1)[1]
    circuit, first = take(circuit, now)
    circuit, second = take(circuit, now)
    assert (first, second) == (True, False)
    assert take(circuit, now + OPEN_MS)[1]
    closed = after_answer(circuit)
    assert closed.closed
    assert take(closed, now) == (closed, True)


def test_it_stays_open_for_longer_each_time() -> None:
    """Up to a minute, whatever the clock does."""
    spans = []
    for times in range(1, 8):
        until = _opened(times).until
        assert until is not None
        spans.append(until - NOW)
    assert spans == [OPEN_MS, 2 * OPEN_MS, 4 * OPEN_MS, 8 * OPEN_MS, *[OPEN_MS_MAX] * 3]
    assert take(_opened(9), NOW - 10 * OPEN_MS_MAX)[1], "a clock that was set back holds nothing"


def test_the_budget_runs_out_and_comes_back() -> None:
    """H7: so many at once, then one per while; a clock that is set back gives none away."""
    circuit, taken = Circuit(counted_at=NOW), 0
    while True:
        circuit, left = take_retry(circuit, NOW)
        if not left:
            break
        taken += 1
    assert taken == RETRIES_MAX
    assert take_retry(circuit, NOW + RETRY_MS)[1]
    assert not take_retry(circuit, NOW + RETRY_MS - 1)[1]
    assert not take_retry(circuit, NOW - 10**9)[1]
    rested, _ = take_retry(circuit, NOW + 10**9)
    assert rested.retries == RETRIES_MAX - 1


@given(st.lists(st.integers(-100, 5_000), min_size=1, max_size=300))
def test_no_span_gives_more_than_its_budget(steps: list[int]) -> None:
    """H7: however it is asked, never more than the budget and what time has added."""
    circuit, now, most, given_away, start = Circuit(counted_at=NOW), NOW, NOW, 0, NOW
    for step in steps:
        now += step
        most = max(most, now)
        circuit, left = take_retry(circuit, now)
        given_away += left
    back = sum(-step for step in steps if step < 0)
    assert given_away <= RETRIES_MAX + (most - start + back) // RETRY_MS + 1
