"""The loop that drives many operations on one event loop."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from benchmarks.awaiting import await_for

CALLERS: Final = 64


@pytest.mark.parametrize("in_flight", [1, 8, CALLERS])
def test_every_call_counts_once(in_flight: int) -> None:
    """The number that it reports is the number of calls that came back."""
    calls: list[None] = []

    async def call() -> None:
        await asyncio.sleep(0)
        calls.append(None)

    found = await_for(call, in_flight=in_flight, seconds=0.02)
    assert found.n == len(calls) >= in_flight
    assert 0 <= found.p50_ms <= found.p99_ms


def test_as_many_as_wanted_are_in_flight() -> None:
    """Calls that wait for each other to begin all end: they really overlap."""
    here = 0

    async def meet() -> None:
        nonlocal here
        here += 1
        while here < CALLERS:
            await asyncio.sleep(0)

    assert await_for(meet, in_flight=CALLERS, seconds=0.000_001).n == CALLERS


@pytest.mark.parametrize("in_flight", [1, CALLERS])
def test_an_error_ends_the_measurement(in_flight: int) -> None:
    """An operation that fails is not a fast operation; its own error is what is raised."""

    async def fail() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        await_for(fail, in_flight=in_flight, seconds=60)


@pytest.mark.parametrize(("in_flight", "seconds"), [(0, 1.0), (1, 0.0)])
def test_nothing_to_measure_is_refused(in_flight: int, seconds: float) -> None:
    """No callers, or no time, is a mistake of whoever asks."""

    async def call() -> None: ...

    with pytest.raises(ValueError, match="nothing to measure"):
        await_for(call, in_flight=in_flight, seconds=seconds)
