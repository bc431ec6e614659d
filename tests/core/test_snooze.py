"""Putting off: for how long, and never past the deadline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.snooze import MARGIN_MS, Nap, wakes_at
from handrail.errors import Conflict

MINUTE = 60_000

# for how long | minutes until the deadline | minutes until it comes back, - for refused
WAKES = """
quarter  240  15
hour     240  60
latest   240  230
quarter  20   10
hour     20   10
latest   20   10
quarter  10   -
latest   10   -
hour     3    -
"""


@pytest.mark.parametrize("row", WAKES.strip().splitlines())
def test_when_it_comes_back(row: str) -> None:
    """At the latest with ten minutes left; with no more than that it is not put off at all."""
    nap, left, wakes = row.split()
    now = 1_000
    if wakes == "-":
        with pytest.raises(Conflict, match="snooze_too_late"):
            wakes_at(Nap(nap), now, now + int(left) * MINUTE)
    else:
        assert wakes_at(Nap(nap), now, now + int(left) * MINUTE) == now + int(wakes) * MINUTE


@given(st.sampled_from(Nap), st.integers(0, 10**13), st.integers(0, 10**10))
def test_never_past_the_deadline(nap: Nap, now: int, left: int) -> None:
    """Whatever the times are."""
    try:
        wakes = wakes_at(nap, now, now + left)
    except Conflict:
        assert left <= MARGIN_MS
    else:
        assert now < wakes <= now + left - MARGIN_MS


def test_what_has_no_deadline_is_not_put_off() -> None:
    """It counts as run out."""
    with pytest.raises(Conflict):
        wakes_at(Nap.QUARTER, 1, None)
