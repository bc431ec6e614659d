"""The store on PostgreSQL. See `protocol.Store` for what it promises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg

from handrail.errors import SetupFailed, Unavailable
from handrail.store.kept import keep_note, kept_notes
from handrail.store.postgres.batch import PostgresBatch
from handrail.store.postgres.clock import ServerClock
from handrail.store.postgres.gateways import BEAT_S, LEASE_MS, Membership
from handrail.store.postgres.link import Link, ServerRefused, connect, said_by
from handrail.store.postgres.rows import PostgresRows
from handrail.store.postgres.schema import check_schema, migrate, version
from handrail.store.postgres.server import check_server
from handrail.store.postgres.tx import SharedTx
from handrail.store.protocol import Unit
from handrail.store.vault import Keys
from handrail.store.writer import QueuedTicket, Writer

__all__ = ["PostgresStore"]

T = TypeVar("T")

READERS_MAX: Final = 8
"""Reading connections of one gateway; a further reader waits for one."""
DOUBT_S_MAX: Final = 10.0
"""How long a commit whose answer was lost is asked after."""
_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresStore:
    """All desks of one database, which other gateways may have open as well.

    Opening raises SetupFailed by code; docs/postgres.md says which and why. With `read_only`
    nothing is written: no table made, no gateway joined.
    """

    def __init__(
        self,
        address: str,
        *,
        keys: Keys,
        checkpoints: Path,
        clock: Callable[[], int] | None = None,
        read_only: bool = False,
        lease_ms: int = LEASE_MS,
        beat_s: float = BEAT_S,
    ) -> None:
        self._address = address
        self.keys = keys
        self.seen: dict[str, int] = {}
        self._given_clock = clock
        self._server_clock = ServerClock()
        self._checkpoints = checkpoints
        self._closed = False
        self._link: Link | None = None
        self._known_changes = ""
        self.revocations = 0
        self._active: dict[str, str] = {}
        self._idle: list[Link] = []
        self._room = threading.Semaphore(READERS_MAX)
        self._membership: Membership | None = None
        try:
            connection = connect(address)
        except ServerRefused as refusal:
            raise _refused_at_start(refusal) from refusal
        try:
            self._start(connection, read_only=read_only)
            if read_only:
                connection.close()
            else:
                self._membership = Membership(address, connection, lease_ms=lease_ms, beat_s=beat_s)
        except BaseException as error:
            connection.close()
            if isinstance(error, psycopg.Error):
                said = ServerRefused(error.sqlstate or "", said_by(error))
                raise _refused_at_start(said) from error
            raise
        self._writer = Writer(partial(PostgresBatch, self))

    @staticmethod
    def holds_desk(address: str) -> bool:
        """Whether handrail has been set up on that database. Raises SetupFailed by code."""
        try:
            with connect(address) as connection:
                return version(connection) > 0
        except ServerRefused as refusal:
            raise _refused_at_start(refusal) from refusal

    def _start(self, connection: psycopg.Connection[Any], *, read_only: bool) -> None:
        if not read_only:
            check_server(connection)
            migrate(connection)
        check_schema(connection)
        self._server_clock.read(connection)

    @property
    def fence(self) -> int:
        return 0 if self._membership is None else self._membership.fence

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def commits(self) -> int:
        """How many batches have been committed since opening."""
        return self._writer.commits

    def now(self) -> int:
        """The database's clock, in milliseconds UTC, or the one that was given."""
        return self._server_clock.now() if self._given_clock is None else self._given_clock()

    def early_ms(self) -> int:
        """By how much `now` may be early; a clock that was given is believed."""
        return self._server_clock.early_ms if self._given_clock is None else 0

    def holds(self, fence: int | None) -> bool:
        return self._membership is not None and self._membership.holds(fence)

    def is_gone(self, fence: int | None) -> bool:
        if fence is None or self._membership is None:
            return False
        return self._membership.is_gone(fence, self._living)

    def listen(self, moved: Callable[[str], None]) -> None:
        if self._membership is not None:
            self._membership.tell(moved)

    def submit(self, unit: Unit[T]) -> QueuedTicket[T]:
        return self._writer.submit(unit)

    def write(self, unit: Unit[T]) -> T:
        return self._writer.submit(unit).result()

    def read(self, look: Unit[T]) -> T:
        try:
            try:
                return self._look(look)
            except ServerRefused as refusal:
                if not refusal.lost:
                    raise
                # Connections that lay idle may all be dead since the server was restarted.
                self._drop_idle()
                return self._look(look)
        except ServerRefused as refusal:
            raise refusal.translated() from refusal

    def _look(self, look: Unit[T]) -> T:
        with self._reading() as link:
            rows = PostgresRows(link, writing=False)
            # Made before the snapshot is taken, so that it never keeps a key that was erased since.
            tx = SharedTx(rows, self.keys, self.now(), seen={}, active=self._active)
            link.send(_READ)
            try:
                return look(tx)
            finally:
                if not link.broken:
                    link.ask("ROLLBACK")

    def keep_checkpoint(self, desk: str, note: str) -> None:
        self._check_open()
        keep_note(self._checkpoints, desk, note)

    def kept_checkpoints(self, desk: str) -> list[str]:
        return kept_notes(self._checkpoints, desk)

    def close(self) -> None:
        if self._closed:
            return
        self._writer.close()
        self._closed = True
        if self._membership is not None:
            self._membership.stop()
        # Readers that are at work end first.
        for _ in range(READERS_MAX):
            self._room.acquire()
        self._drop_idle()
        if self._link is not None:
            self._link.close()
        for _ in range(READERS_MAX):
            self._room.release()

    # what a batch needs

    def writing_link(self) -> Link:
        """The writing connection; one that was lost is opened anew, and looked at again."""
        if self._link is None or self._link.broken:
            if self._link is not None:
                self._link.close()
            self._link = self._opened()
        return self._link

    def ask_the_time(self) -> None:
        """Note that the server is being asked what time it is; `learn` gets its answer."""
        self._server_clock.ask()

    def join_again(self) -> None:
        """Be a new gateway, with a new fence."""
        assert self._membership is not None
        try:
            self._membership.join_again(self._membership.fence)
        except ServerRefused as refusal:
            raise refusal.translated() from refusal

    def learn(self, now: int, changes: str, link: Link) -> dict[str, str]:
        """Take note of what time it is and what was changed; each desk's active policy.

        `changes` counts what this process keeps in memory and another one may have changed.
        """
        self._server_clock.is_now(now)
        if changes != self._known_changes:
            before, after = _counts(self._known_changes), _counts(changes)
            if before.get("erasures") != after.get("erasures"):
                self.keys.forget_all()
            if before.get("revocations") != after.get("revocations"):
                self.revocations += 1
            rows = link.rows("SELECT id, policy FROM desk")
            self._active = {str(desk): str(policy) for desk, policy in rows}
            self._known_changes = changes
        return self._active

    def was_committed(self, transaction: str) -> bool:
        """Whether a transaction whose end was not heard of was committed.

        Raises Unavailable `commit_unknown` when the database cannot be asked.
        """
        until = time.monotonic() + DOUBT_S_MAX
        while time.monotonic() < until:
            with suppress(ServerRefused), connect(self._address) as connection:
                row = connection.execute(
                    "SELECT pg_xact_status(%s::xid8)", (transaction,)
                ).fetchone()
                if row is not None and row[0] in ("committed", "aborted"):
                    return bool(row[0] == "committed")
            time.sleep(0.2)
        raise Unavailable(
            "commit_unknown", "the connection was lost while committing; it may or may not be done"
        )

    def _opened(self) -> Link:
        """A new writing connection, to a server that still is what it must be."""
        try:
            return Link(self._address, check_server)
        except SetupFailed as error:
            raise Unavailable(error.code, error.message) from error
        except ServerRefused as refusal:
            raise refusal.translated() from refusal

    def _living(self) -> list[int]:
        try:
            with self._reading() as link:
                return [int(fence or 0) for (fence,) in link.rows("SELECT fence FROM gateway")]
        except ServerRefused as refusal:
            raise refusal.translated() from refusal

    @contextmanager
    def _reading(self) -> Iterator[Link]:
        """A reading connection of one's own. Raises ServerRefused when there is none."""
        self._room.acquire()
        link: Link | None = None
        try:
            self._check_open()
            link = self._idle.pop() if self._idle else Link(self._address)
            yield link
        finally:
            if link is not None:
                if link.broken:
                    link.close()
                else:
                    self._idle.append(link)
            self._room.release()

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("store_closed", "the desk is closed")


def _refused_at_start(refusal: ServerRefused) -> SetupFailed:
    return SetupFailed("store_failed", f"the database says: {refusal.said}")


def _counts(changes: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in changes.split())
