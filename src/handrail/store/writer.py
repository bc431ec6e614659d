"""Group commit: many units, one fdatasync.

There is no writer thread. Whoever waits for a ticket while nobody is committing becomes the
leader: it takes what is queued, runs each unit, commits once and resolves every caller. While it
commits, the next batch gathers.

Units hardly ever fail once they have written something, and savepoints are dear. So a batch first
runs without them; one in which a unit failed after it had written is rolled back whole and run once
more, each unit under a savepoint of its own.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, Generic, Protocol, TypeVar

from handrail.errors import Unavailable
from handrail.store.tx import Tx

__all__ = ["Batch", "QueuedTicket", "Writer"]

T = TypeVar("T")

UNITS_MAX: Final = 256
BATCH_S_MAX: Final = 0.05
GATHER_S_MAX: Final = 0.01
"""How long a unit of an event loop waits at most for company, as long as more keep coming."""
AGAIN_MAX: Final = 5
"""How often a batch is run again that the database gave up for another writer's sake."""
AGAIN_PAUSE_S: Final = 0.01


class Batch(Protocol):
    """One open write transaction, as the dialect makes it; with savepoints, or without."""

    tx: Tx

    def run(self, unit: Callable[[Tx], T]) -> T:
        """Run a unit. Raises what the unit raises, after undoing what it did.

        Raises `BatchTorn` when it cannot be undone alone, for there are no savepoints, and
        `BatchLost` when the whole transaction is gone (the database rolled it back).
        """
        ...

    def commit(self) -> None:
        """Make it durable, or raise with nothing written."""
        ...

    def abandon(self) -> None:
        """Roll everything back; never raises."""
        ...


class QueuedTicket(Generic[T]):
    """The outcome of a unit, once durable."""

    __slots__ = ("_done", "_error", "_future", "_loop", "_value", "_writer", "unit")

    def __init__(self, writer: Writer, unit: Callable[[Tx], T]) -> None:
        self.unit = unit
        self._writer = writer
        self._done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._future: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def result(self) -> T:
        """Wait, leading a commit if nobody else does, and return or raise."""
        while not self._done:
            self._writer.lead(self)
        return self._outcome()

    def __await__(self) -> Generator[Any, None, T]:
        if not self._done:
            self._loop = asyncio.get_running_loop()
            if self._future is None or self._future.done():
                self._future = self._loop.create_future()
            # A leader in another thread sets `_done` before it looks for `_future`.
            if not self._done:
                self._writer.lead_soon(self._loop)
                yield from self._future.__await__()
        return self._outcome()

    @property
    def done(self) -> bool:
        """Whether the outcome is known."""
        return self._done

    def resolve(self, value: T | None, error: BaseException | None) -> None:
        """Set the outcome and wake who waits."""
        self._value, self._error, self._done = value, error, True
        future, loop = self._future, self._loop
        if future is None or loop is None:
            return
        try:
            here = asyncio.get_running_loop() is loop
        except RuntimeError:
            here = False
        if here:
            _wake(future)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(_wake, future)

    def _outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


_Outcome = tuple[QueuedTicket[Any], Any, Exception | None]


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Writer:
    """The queue of units and the lock that makes one caller at a time the leader."""

    def __init__(self, begin: Callable[[bool, Sequence[Callable[[Tx], Any]]], Batch]) -> None:
        """`begin` opens a transaction.

        It is told whether each unit needs a savepoint, and what waits: a store may read ahead for
        those units. More may come while they run.
        """
        self._begin = begin
        self._lock = threading.Lock()
        self._queue: deque[QueuedTicket[Any]] = deque()
        self._closed = False
        self._over = False
        self._soon: asyncio.AbstractEventLoop | None = None
        self.commits = 0
        self.units = 0

    def submit(self, unit: Callable[[Tx], T]) -> QueuedTicket[T]:
        """Queue a unit."""
        if self._closed:
            raise _closed()
        ticket: QueuedTicket[T] = QueuedTicket(self, unit)
        self._queue.append(ticket)
        return ticket

    def lead(self, ticket: QueuedTicket[Any]) -> None:
        """Commit one batch, unless another leader has dealt with `ticket` meanwhile."""
        with self._lock:
            if not ticket.done:
                self._commit_batch()

    def lead_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Commit from the event loop, once a turn of it has brought no further unit."""
        # WHY NOT: a flag. A loop that ended before its turn came would leave it set for good.
        if self._soon is not loop:
            self._soon = loop
            loop.call_soon(self._lead_from_loop, loop, 0, time.monotonic() + GATHER_S_MAX)

    def close(self) -> None:
        """Commit what waits and take nothing more."""
        self._closed = True
        with self._lock:
            while self._queue:
                self._commit_batch()
            self._over = True

    def _lead_from_loop(self, loop: asyncio.AbstractEventLoop, before: int, until: float) -> None:
        # Callers that one commit has answered come back one after the other. While they do, each
        # turn of the loop brings some: it is cheaper to wait for them than to commit without.
        waiting = len(self._queue)
        if before < waiting < UNITS_MAX and time.monotonic() < until:
            loop.call_soon(self._lead_from_loop, loop, waiting, until)
            return
        self._soon = None
        with self._lock:
            while self._queue:
                self._commit_batch()

    def _commit_batch(self) -> None:
        """Run what waits, up to a bound of units and time, and commit once."""
        taken: list[QueuedTicket[Any]] = []
        try:
            if self._over:
                raise _closed()
            batch = self._begin(False, [each.unit for each in islice(self._queue, UNITS_MAX)])
        except BaseException as error:
            self._fail_all(error)
            return
        try:
            outcomes = self._committed(batch, taken)
        except BaseException as error:
            cause = error.cause if isinstance(error, BatchLost) else error
            for ticket in taken:
                ticket.resolve(None, _for_others(cause))
            if not isinstance(cause, Exception):
                raise
            return
        self.commits += 1
        for ticket, value, problem in outcomes:
            self.units += problem is None
            ticket.resolve(value, problem)

    def _committed(self, batch: Batch, taken: list[QueuedTicket[Any]]) -> list[_Outcome]:
        """The outcomes of one batch, once they are durable; raises when nothing is written.

        It is run again with savepoints when a unit failed late, and a few times when it only met
        another writer at a bad moment. What is run again is the transaction, never an effect.
        """
        tickets: Iterable[QueuedTicket[Any]] = self._take(taken)
        savepoints, again = False, 0
        while True:
            try:
                outcomes = _run_all(batch, tickets)
                batch.commit()  # COMMIT POINT: all units of the batch become durable here
                return outcomes
            except BatchTorn:
                batch.abandon()
                if savepoints:
                    raise
                savepoints = True
            except BatchLost as lost:
                batch.abandon()
                again += 1
                if not lost.again or again > AGAIN_MAX:
                    raise
                time.sleep(AGAIN_PAUSE_S * again)
            except BaseException:
                batch.abandon()
                raise
            tickets = [*taken]
            batch = self._begin(savepoints, ())

    def _take(self, taken: list[QueuedTicket[Any]]) -> Iterator[QueuedTicket[Any]]:
        """What is queued, one after the other, noted in `taken` before it is run."""
        until = time.monotonic() + BATCH_S_MAX
        while self._queue and len(taken) < UNITS_MAX and time.monotonic() < until:
            ticket = self._queue.popleft()
            taken.append(ticket)
            yield ticket

    def _fail_all(self, error: BaseException) -> None:
        while self._queue:
            self._queue.popleft().resolve(None, _for_others(error))
        if not isinstance(error, Exception):
            raise error


def _run_all(batch: Batch, tickets: Iterable[QueuedTicket[Any]]) -> list[_Outcome]:
    """Run the unit of each ticket: its value, or what it raised."""
    outcomes: list[_Outcome] = []
    for ticket in tickets:
        try:
            outcomes.append((ticket, batch.run(ticket.unit), None))
        except (BatchLost, BatchTorn):
            raise
        except Exception as error:
            outcomes.append((ticket, None, error))
    return outcomes


def _closed() -> Unavailable:
    return Unavailable("store_closed", "the desk is closed")


def _for_others(error: BaseException) -> Exception:
    """What the callers hear whose units shared the commit: Ctrl-C is for the thread it came to."""
    if isinstance(error, Exception):
        return error
    return Unavailable("store_failed", "the commit was interrupted")


class BatchTorn(Exception):
    """A unit failed after it had written, in a batch without savepoints."""


class BatchLost(Exception):
    """The database rolled the whole transaction back; `cause` says why.

    With `again` the same transaction may go through next time: it met another one.
    """

    def __init__(self, cause: Exception, *, again: bool = False) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.again = again
