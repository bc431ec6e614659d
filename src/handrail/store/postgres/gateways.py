"""The gateways on one database: who is alive, under which fence, and what moved elsewhere.

Each gateway holds a lease on its row and renews it all the time. Once a lease is over, another
gateway removes the row: the fence is then gone for good, and what was claimed under it is looked up
by whoever is alive. The gateway that lost it notices, because it may not write without its row, and
goes on under a new fence.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import psycopg

from handrail.store.postgres.link import ServerRefused, connect
from handrail.store.postgres.statistics import keep_up

__all__ = ["BEAT_S", "LEASE_MS", "Membership"]

LEASE_MS: Final = 6_000
"""How long a gateway may be silent before the others take up what it had claimed."""
BEAT_S: Final = 1.0
ALIVE_S_MAX: Final = 0.5
"""How old the list of the living may be by which a fence counts as alive."""
PAUSE_S: Final = 0.5
STOP_S_MAX: Final = 5.0
CHANNEL: Final = "handrail"

# INVARIANT: a fence is above every earlier one, and not below the clock's milliseconds. So one that
# was given out after a backup was made is not given out again when that backup is put back.
_JOIN: Final = (
    "WITH clock AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms),"
    " next AS (INSERT INTO meta (name, value) SELECT 'fence', ms::text FROM clock"
    " ON CONFLICT (name) DO UPDATE SET"
    " value = GREATEST(meta.value::bigint + 1, excluded.value::bigint)::text"
    " RETURNING value::bigint AS fence)"
    " INSERT INTO gateway (fence, since, lease_until) SELECT fence, clock_timestamp(),"
    " clock_timestamp() + %s * interval '1 millisecond' FROM next RETURNING fence"
)
_BEAT: Final = (
    "UPDATE gateway SET lease_until = clock_timestamp() + %s * interval '1 millisecond'"
    " WHERE fence = %s RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
)
# Whoever is just writing has its row locked, and is not silent.
_BURY: Final = (
    "DELETE FROM gateway WHERE fence IN (SELECT fence FROM gateway"
    " WHERE lease_until < clock_timestamp() FOR UPDATE SKIP LOCKED)"
)
_log: Final = logging.getLogger("handrail.store")

Connection = psycopg.Connection[Any]


class Membership:
    """This gateway's place among the others. One thread keeps it, on a connection of its own."""

    def __init__(
        self,
        address: str,
        connection: Connection,
        *,
        lease_ms: int = LEASE_MS,
        beat_s: float = BEAT_S,
    ) -> None:
        self._address = address
        self._connection = connection
        self._lease_ms = lease_ms
        self._beat_s = beat_s
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._bell, self._ring = socket.socketpair()
        self._told: list[Callable[[str], None]] = []
        self._alive: frozenset[int] = frozenset()
        self._alive_until = 0.0
        self._gone: set[int] = set()
        self._ours_until = 0.0
        self.fence = 0
        self._join(connection)
        self._thread = threading.Thread(target=self._live, name="handrail-membership", daemon=True)
        self._thread.start()

    def holds(self, fence: int | None) -> bool:
        """Whether this process is the gateway of that fence, and its lease is not over."""
        return fence == self.fence and time.monotonic() < self._ours_until

    def is_gone(self, fence: int, living: Callable[[], list[int]]) -> bool:
        """Whether no gateway will ever write under this fence again.

        `living` asks the database for the fences that are alive.
        """
        if fence == self.fence:
            return False
        if fence in self._gone:
            return True
        if fence not in self._alive or time.monotonic() >= self._alive_until:
            # A row is there before anything is claimed under its fence, and never comes back: one
            # that is not there any more, by a look from after the claim, is gone for good.
            self._alive = frozenset(living())
            self._alive_until = time.monotonic() + ALIVE_S_MAX
        if fence in self._alive:
            return False
        self._gone.add(fence)
        return True

    def join_again(self, lost: int) -> None:
        """Be a new gateway, unless that has happened meanwhile."""
        with self._lock:
            if self.fence != lost:
                return
            with connect(self._address) as connection:
                self._join(connection)
        _log.warning("the lease of fence %s was over; this gateway goes on as %s", lost, self.fence)

    def tell(self, moved: Callable[[str], None]) -> None:
        """From now on call with the id of each action that a gateway has moved."""
        self._told.append(moved)

    def stop(self) -> None:
        """Leave: what was still claimed may be taken up at once."""
        self._stopped.set()
        self._ring.send(b".")
        self._thread.join(STOP_S_MAX)
        self._ours_until = 0.0
        # WHY NOT: raise when the database is gone. The lease ends by itself.
        with suppress(psycopg.Error), self._connection as connection:
            connection.execute("DELETE FROM gateway WHERE fence = %s", (self.fence,))
        self._bell.close()
        self._ring.close()

    def _join(self, connection: Connection) -> None:
        before = time.monotonic()
        row = connection.execute(_JOIN, (self._lease_ms,)).fetchone()
        assert row is not None
        self._ours_until = before + self._lease_ms / 1000
        self.fence = int(row[0])

    def _live(self) -> None:
        answers = True
        while not self._stopped.is_set():
            try:
                if self._connection.closed:
                    self._connection = connect(self._address)
                self._connection.execute(f"LISTEN {CHANNEL}".encode())
                answers = True
                while not self._stopped.is_set():
                    self._beat(self._connection)
                    self._hear(self._connection)
            except (psycopg.Error, ServerRefused) as error:
                if answers:
                    _log.warning("the database does not answer: %s", type(error).__name__)
                answers = False
                self._connection.close()
                self._stopped.wait(PAUSE_S)

    def _beat(self, connection: Connection) -> None:
        fence, before = self.fence, time.monotonic()
        if connection.execute(_BEAT, (self._lease_ms, fence)).fetchone() is None:
            self.join_again(fence)
        elif fence == self.fence:
            self._ours_until = before + self._lease_ms / 1000
        connection.execute(_BURY)
        keep_up(connection)

    def _hear(self, connection: Connection) -> None:
        """Pass on what others have moved, until the next beat is due."""
        until = time.monotonic() + self._beat_s
        while not self._stopped.is_set():
            # First what came in during a beat: for that the socket is no longer ready.
            for notice in connection.notifies(timeout=0):
                for moved in self._told:
                    moved(notice.payload)
            left = until - time.monotonic()
            if left <= 0:
                return
            select.select([connection.fileno(), self._bell.fileno()], [], [], left)
