"""Threads that call the same operation again and again, as many at once as wanted.

Standard library only: the other systems' environments import it too, so that every system is
driven by the same loop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from benchmarks.figures import NS_PER_S, Figures

__all__ = ["call_for"]


def call_for(operation: Callable[[], object], *, in_flight: int, seconds: float) -> Figures:
    """Call `operation` from `in_flight` threads for `seconds`, and say how that went.

    Every thread waits for its own call before it makes the next. A call that began in time counts,
    and the clock runs until the last one ends; starting the threads does not count. With one in
    flight the calling thread itself calls. An exception of `operation` ends all and is raised here.
    """
    if in_flight < 1 or seconds <= 0:
        raise ValueError(f"`{in_flight}` in flight for `{seconds}` s is nothing to measure")
    callers = [_Caller(operation, seconds) for _ in range(in_flight)]
    if in_flight == 1:
        begin_ns = time.perf_counter_ns()
        callers[0].call_until_late(begin_ns, threading.Event())
    else:
        begin_ns = _run_threads(callers)
    for caller in callers:
        if caller.error is not None:
            raise caller.error
    took_ns = [took for caller in callers for took in caller.took_ns]
    return Figures.of(took_ns, max(caller.end_ns for caller in callers) - begin_ns)


class _Caller:
    def __init__(self, operation: Callable[[], object], seconds: float) -> None:
        self.operation = operation
        self.length_ns = int(seconds * NS_PER_S)
        self.took_ns: list[int] = []
        self.end_ns = 0
        self.error: BaseException | None = None

    def call_until_late(self, begin_ns: int, stop: threading.Event) -> None:
        until_ns = begin_ns + self.length_ns
        now_ns = time.perf_counter_ns()
        try:
            # at least one call each, also when the machine was slow to start the thread
            while not self.took_ns or (now_ns < until_ns and not stop.is_set()):
                self.operation()
                done_ns = time.perf_counter_ns()
                self.took_ns.append(done_ns - now_ns)
                now_ns = done_ns
        except BaseException as error:
            self.error = error
            stop.set()
        self.end_ns = now_ns


def _run_threads(callers: list[_Caller]) -> int:
    """Run every caller in its thread to the end; the time at which all of them were let go."""
    begun: list[int] = []
    stop = threading.Event()
    gate = threading.Barrier(len(callers), action=lambda: begun.append(time.perf_counter_ns()))

    def run(caller: _Caller) -> None:
        gate.wait()
        caller.call_until_late(begun[0], stop)

    threads = [threading.Thread(target=run, args=(caller,), daemon=True) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return begun[0]
