"""Tasks of one event loop that call an operation again and again, as many at once as wanted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import uvloop

from benchmarks.figures import NS_PER_S, Figures

__all__ = ["await_for"]


def await_for(
    operation: Callable[[], Awaitable[object]], *, in_flight: int, seconds: float
) -> Figures:
    """Await `operation` from `in_flight` tasks on a loop of its own, and say how that went.

    The loop is the server's (uvloop). Every task waits for its own operation before it starts the
    next. One that began in time counts, and the clock runs until the last one ends. An exception
    of `operation` ends all and is raised here.
    """
    if in_flight < 1 or seconds <= 0:
        raise ValueError(f"`{in_flight}` in flight for `{seconds}` s is nothing to measure")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_await_all(operation, in_flight, seconds))


async def _await_all(
    operation: Callable[[], Awaitable[object]], in_flight: int, seconds: float
) -> Figures:
    took_ns: list[int] = []
    begin_ns = time.perf_counter_ns()
    until_ns = begin_ns + int(seconds * NS_PER_S)

    async def keep_calling() -> None:
        now_ns = time.perf_counter_ns()
        while True:
            await operation()
            done_ns = time.perf_counter_ns()
            took_ns.append(done_ns - now_ns)
            now_ns = done_ns
            if now_ns >= until_ns:
                return

    # WHY NOT: a task group. It would wrap the error; the loop's end stops the others as well.
    await asyncio.gather(*(keep_calling() for _ in range(in_flight)))
    return Figures.of(took_ns, time.perf_counter_ns() - begin_ns)
