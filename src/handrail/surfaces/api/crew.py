"""A crew: threads for calls that may never come back.

The connector's side can hang, and a thread that hangs cannot be stopped. It is counted as lost
after a while and another takes its place, so that the line behind it goes on; when it does come
back, what it brings is used, and it goes home. All are daemons: none keeps the process from ending.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from handrail.errors import Unavailable

__all__ = ["HANG_S", "Crew"]

T = TypeVar("T")

HANG_S: Final = 30.0
"""A call that lasts longer than this counts as lost."""
LOST_MAX: Final = 64
"""Threads that may be lost at the same time; with more, the line stands still."""

_log: Final = logging.getLogger("handrail.crew")


class Crew:
    """So many threads that take what is put in line, in order."""

    def __init__(self, name: str, threads: int, *, hang_s: float = HANG_S) -> None:
        self._name = name
        self._threads = threads
        self._hang_s = hang_s
        self._line: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._busy: dict[int, float] = {}
        self._lost: set[int] = set()
        self._lock = threading.Lock()
        self._hired = 0

    @property
    def lost(self) -> int:
        """How many threads hang in a call."""
        return len(self._lost)

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self._threads):
            self._hire()

    def stop(self) -> None:
        """Let every thread end that comes back."""
        for _ in range(self._threads):
            self._line.put(None)

    def put(self, work: Callable[[], None]) -> None:
        """Put something in line. It must not raise."""
        self._line.put(work)

    async def call(self, work: Callable[[], T]) -> T:
        """Run something in a thread and wait for it, for a bounded time.

        Raises Unavailable `connector_unavailable` when it does not come back.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            try:
                value = work()
            except BaseException as error:
                _tell(loop, _fail, future, error)
            else:
                _tell(loop, _give, future, value)

        self.put(run)
        try:
            async with asyncio.timeout(self._hang_s):
                return await future
        except TimeoutError:
            if future.done() and not future.cancelled():
                raise
            raise _too_late() from None

    def ask(self, work: Callable[[], T], within_s: float) -> T:
        """The same for a caller outside the event loop: wait here, for a bounded time."""
        answer: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        def run() -> None:
            try:
                answer.put((True, work()))
            except BaseException as error:
                answer.put((False, error))

        self.put(run)
        try:
            good, value = answer.get(timeout=within_s)
        except queue.Empty:
            raise _too_late() from None
        if good:
            return value  # type: ignore[no-any-return]
        raise value

    def mend(self) -> None:
        """Count threads as lost whose call has lasted too long, and start others for them."""
        now = time.monotonic()
        for number, since in list(self._busy.items()):
            if now - since < self._hang_s:
                continue
            with self._lock:
                if number in self._lost or number not in self._busy or self.lost >= LOST_MAX:
                    continue
                self._lost.add(number)
            _log.error("a call has not come back for %d s; it is left to itself", now - since)
            self._hire()

    def _hire(self) -> None:
        number, self._hired = self._hired, self._hired + 1
        name = f"{self._name}-{number}"
        threading.Thread(target=self._work, args=(number,), name=name, daemon=True).start()

    def _work(self, number: int) -> None:
        while (work := self._line.get()) is not None:
            self._busy[number] = time.monotonic()
            try:
                work()
            finally:
                with self._lock:
                    self._busy.pop(number, None)
                    replaced = number in self._lost
                    self._lost.discard(number)
            if replaced:
                return


def _too_late() -> Unavailable:
    return Unavailable("connector_unavailable", "the system of record did not answer in time")


def _tell(
    loop: asyncio.AbstractEventLoop, how: Callable[..., None], future: object, what: object
) -> None:
    try:
        loop.call_soon_threadsafe(how, future, what)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more


def _give(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
