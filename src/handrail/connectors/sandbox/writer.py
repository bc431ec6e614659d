"""Group commit for the embedded desk: units that wait together are made durable together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import apsw

__all__ = ["UNITS_MAX", "EffectWriter"]

UNITS_MAX: Final = 256
"""Most units that share one commit."""

T = TypeVar("T")


class _Job(Generic[T]):
    """One unit on its way: settled with a value, with its own error, or lost with its batch."""

    __slots__ = ("_unit", "_value", "error", "lost", "settled")

    def __init__(self, unit: Callable[[apsw.Connection], T]) -> None:
        self._unit = unit
        self._value: list[T] = []
        self.error: Exception | None = None
        self.lost: BaseException | None = None
        self.settled = False

    def run(self, db: apsw.Connection) -> None:
        self._value.append(self._unit(db))

    def answer(self) -> T:
        if self.error is not None:
            raise self.error
        if self.lost is not None:
            raise OSError("the desk's file could not be written") from self.lost
        return self._value[0]


class EffectWriter:
    """One guarded connection. Whoever comes first writes for all who wait.

    Each unit runs under its own savepoint and one commit makes the batch durable, so that a unit
    that raises rolls back alone. No answer leaves before the commit. Units run in the order in
    which they came, so that a unit sees every unit that was handed in before it.
    """

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._turn = threading.Lock()
        self._waiting: deque[_Job[object]] = deque()

    def run(self, unit: Callable[[apsw.Connection], T]) -> T:
        """Run one unit in a transaction and return its value once it is durable.

        Raises what the unit raised (then nothing of it happened), or OSError when the batch could
        not be committed (then nobody knows).
        """
        job = _Job(unit)
        self._waiting.append(job)  # type: ignore[arg-type]
        with self._turn:
            while not job.settled:
                self._write_batch()
        return job.answer()

    def close(self) -> None:
        """Close the connection after the batch that is being written."""
        with self._turn:
            self._db.close()

    def _write_batch(self) -> None:
        count = min(len(self._waiting), UNITS_MAX)
        jobs = [self._waiting.popleft() for _ in range(count)]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._run_alone(job)
            # COMMIT POINT: the effects of all these units and their rows in `effects`
            self._db.execute("COMMIT")
        except BaseException as lost:
            for job in jobs:
                job.lost = lost
            self._roll_back()
            if not isinstance(lost, Exception):
                raise
        finally:
            for job in jobs:
                job.settled = True

    def _run_alone(self, job: _Job[object]) -> None:
        self._db.execute("SAVEPOINT unit")
        try:
            job.run(self._db)
        except Exception as error:
            # Raises when SQLite gave up the whole transaction (disk full): then the batch is lost.
            self._db.execute("ROLLBACK TO unit")
            job.error = error
        self._db.execute("RELEASE unit")

    def _roll_back(self) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except apsw.Error:
            # WHY NOT: raise this one. The caller learns of the loss itself; SQLite discards what
            # was not committed in any case.
            return
