"""The pace of a clock, as a run of readings: what time it is, and whether the clock has jumped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.pace import SKEW_MS_MAX, Pace, paced

MINUTE = 60_000
START = 1_000 * MINUTE

RUNS = """
steps (day counter)          | now | jump
0,0 1,1 2,2                  | 2   | 0
5,5 4,6                      | 5   | 0
5,5 4,6 9,9                  | 9   | 0
1,1 62,2                     | 2   | 60
1,1 62,2 3,3                 | 3   | 0
1,1 -58,2                    | 2   | -60
1,1 -58,2 -57,3 4,4          | 4   | 0
1,1 11,1                     | 11  | 0
1,1 12,1                     | 1   | 11
9,9 18,10 27,11              | 27  | 0
"""


@pytest.mark.parametrize("row", RUNS.strip().splitlines()[1:])
def test_runs(row: str) -> None:
    """F6: minutes of day and counter since the start; a jump over ten minutes is not followed."""
    steps, now, jump = row.split("|")
    pace, skew = Pace(day_ms=START, counter_ms=0, latest_ms=START), 0
    for step in steps.split():
        day, counter = map(int, step.split(","))
        pace, skew = paced(pace, START + day * MINUTE, counter * MINUTE)
    assert pace.latest_ms == START + int(now) * MINUTE
    assert skew == int(jump) * MINUTE


READINGS = st.lists(st.tuples(st.integers(-(10**8), 10**8), st.integers(0, 10**6)), max_size=50)


@given(READINGS)
def test_time_never_goes_back_and_never_leaps(readings: list[tuple[int, int]]) -> None:
    """F6: whatever the time of day says, time goes on, by what passed and the bound at most."""
    pace, counter = Pace(day_ms=START, counter_ms=0, latest_ms=START), 0
    for day, passed in readings:
        before = pace.latest_ms
        counter += passed
        pace, skew = paced(pace, START + counter + day, counter)
        assert before <= pace.latest_ms <= before + passed + 2 * SKEW_MS_MAX
        assert skew == 0 or abs(skew) > SKEW_MS_MAX
