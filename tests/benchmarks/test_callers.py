"""The loop that drives every system."""

from __future__ import annotations

import threading
from typing import Final

import pytest

from benchmarks.callers import call_for

CALLERS: Final = 8
MEET_S_MAX: Final = 30


@pytest.mark.parametrize("in_flight", [1, CALLERS])
def test_every_call_counts_once(in_flight: int) -> None:
    """The number that it reports is the number of calls that were made."""
    calls: list[None] = []
    found = call_for(lambda: calls.append(None), in_flight=in_flight, seconds=0.05)
    assert found.n == len(calls) >= in_flight
    assert 0 <= found.p50_ms <= found.p99_ms


def test_as_many_as_wanted_are_in_flight() -> None:
    """Calls that wait for each other to begin all end: they really overlap."""
    all_here = threading.Barrier(CALLERS)
    found = call_for(lambda: all_here.wait(MEET_S_MAX), in_flight=CALLERS, seconds=0.000_001)
    assert found.n == CALLERS


def test_one_in_flight_needs_no_thread() -> None:
    """A single caller is the thread that asked, so nothing is spent on switching."""
    seen: set[int] = set()
    call_for(lambda: seen.add(threading.get_ident()), in_flight=1, seconds=0.001)
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize("in_flight", [1, CALLERS])
def test_an_error_ends_the_measurement(in_flight: int) -> None:
    """An operation that fails is not a fast operation."""

    def fail() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        call_for(fail, in_flight=in_flight, seconds=60)


@pytest.mark.parametrize(("in_flight", "seconds"), [(0, 1.0), (-1, 1.0), (1, 0.0)])
def test_nothing_to_measure_is_refused(in_flight: int, seconds: float) -> None:
    """No callers, or no time, is a mistake of whoever asks."""
    with pytest.raises(ValueError, match="nothing to measure"):
        call_for(print, in_flight=in_flight, seconds=seconds)
