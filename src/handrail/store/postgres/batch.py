"""One write transaction on PostgreSQL: many units, one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

from handrail.errors import Unavailable
from handrail.store.postgres.link import Link, ServerRefused
from handrail.store.postgres.rows import PostgresRows
from handrail.store.postgres.tx import SharedTx
from handrail.store.protocol import KeyedUnit
from handrail.store.tx import Tx
from handrail.store.vault import Keys
from handrail.store.writer import BatchLost, BatchTorn

__all__ = ["Owner", "PostgresBatch"]

T = TypeVar("T")

JOINS_MAX: Final = 3
_UNIQUE: Final = "23505"

# INVARIANT: the row of this gateway is held until the commit. A gateway that was given up has none:
# whatever it still wanted to claim or settle under its old fence is not written.
_STANDS: Final = (
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, pg_current_xact_id()::text,"
    " (SELECT string_agg(name || '=' || value, ' ' ORDER BY name) FROM meta"
    " WHERE name IN ('erasures', 'policies', 'revocations'))"
    " FROM gateway WHERE fence = ? FOR KEY SHARE"
)


class Owner(Protocol):
    """What a batch needs of the store that it belongs to."""

    keys: Keys
    seen: dict[str, int]
    revocations: int

    @property
    def fence(self) -> int:
        """The fence of this gateway now."""
        ...

    def now(self) -> int:
        """The store's clock."""
        ...

    def early_ms(self) -> int:
        """By how much that clock may be ahead of the database's."""
        ...

    def ask_the_time(self) -> None:
        """Note that the server is being asked what time it is; `learn` gets its answer."""
        ...

    def writing_link(self) -> Link:
        """The writing connection, opened again if it was lost."""
        ...

    def join_again(self) -> None:
        """Be a new gateway, with a new fence."""
        ...

    def learn(self, now: int, changes: str, link: Link) -> dict[str, str]:
        """Take note of what time it is and what was changed; each desk's active policy."""
        ...

    def was_committed(self, transaction: str) -> bool:
        """Whether a transaction whose end was not heard of was committed."""
        ...


class PostgresBatch:
    """One BEGIN ... COMMIT. See `writer.Batch`."""

    def __init__(
        self, store: Owner, savepoints: bool, waiting: Sequence[Callable[[Tx], Any]]
    ) -> None:
        self._store = store
        self._savepoints = savepoints
        self._link = store.writing_link()
        try:
            active = self._begin()
        except ServerRefused as refusal:
            self.abandon()
            raise refusal.translated() from refusal
        self._rows = PostgresRows(self._link, writing=True)
        shared = SharedTx(self._rows, store.keys, store.now(), seen=store.seen, active=active)
        self._rows.on_lock = self._look_at_the_clock
        # INVARIANT: gateways guess the one clock, each a little late. Nothing leaves a window
        # before it has left it by every guess.
        shared.caps.early_ms = store.early_ms()
        self.tx: Tx = shared
        self._read_ahead(shared, waiting)

    def _read_ahead(self, tx: SharedTx, waiting: Sequence[Callable[[Tx], Any]]) -> None:
        """Ask for every key of the batch in one journey, where each unit would make its own."""
        try:
            tx.foresee([unit.key for unit in waiting if isinstance(unit, KeyedUnit)])
        except ServerRefused as refusal:
            self.abandon()
            raise refusal.translated() from refusal

    def run(self, unit: Callable[[Tx], T]) -> T:
        try:
            return self._run_once(unit)
        except _Again:
            # Another gateway was first with the same key: what it wrote is there to be found now.
            return self._run_once(unit, last=True)

    def commit(self) -> None:
        try:
            grown = self.tx.finish()
        except ServerRefused as refusal:
            raise self._what_now(refusal) from refusal
        self._end()
        self._store.seen.update({desk: tree.size for desk, tree in grown.items()})
        self._store.revocations += self.tx.tasks.revoked
        self.tx.vault.settle()

    def abandon(self) -> None:
        try:
            if not self._link.broken:
                self._link.ask("ROLLBACK")
        except ServerRefused:
            self._link.close()
        except BaseException:
            self._link.close()
            raise

    def _begin(self) -> dict[str, str]:
        for _ in range(JOINS_MAX):
            self._link.send("BEGIN")
            self._store.ask_the_time()
            found = self._link.rows(_STANDS, (self._store.fence,))
            if found:
                now, transaction, changes = found[0]
                self._transaction = str(transaction)
                return self._store.learn(int(now or 0), str(changes or ""), self._link)
            self._link.ask("ROLLBACK")
            self._store.join_again()
        raise Unavailable("store_failed", "this gateway cannot join the others")

    def _run_once(self, unit: Callable[[Tx], T], *, last: bool = False) -> T:
        mark, writes = self.tx.mark(), self._rows.writes
        self._look_at_the_clock()
        try:
            if self._savepoints:
                self._link.send("SAVEPOINT unit")
            value = unit(self.tx)
            if self._savepoints:
                self._link.ask("RELEASE SAVEPOINT unit")
            elif self._rows.torn:
                raise BatchTorn
            return value
        except BatchTorn:
            raise
        except Exception as error:
            self.tx.back_to(mark)
            self._undo(error, wrote=self._rows.writes != writes)
            if isinstance(error, ServerRefused):
                if error.sqlstate == _UNIQUE and not last:
                    raise _Again from error
                raise error.translated() from error
            raise

    def _undo(self, error: Exception, *, wrote: bool) -> None:
        """Undo one unit; without savepoints that is only possible before it has written."""
        if isinstance(error, ServerRefused) and (error.passes or self._link.broken):
            raise self._what_now(error) from error
        if not self._savepoints:
            if wrote or self._rows.torn:
                raise BatchTorn from error
            return
        try:
            self._link.send("ROLLBACK TO SAVEPOINT unit")
            self._link.ask("RELEASE SAVEPOINT unit")
        except ServerRefused as refusal:
            raise self._what_now(refusal) from refusal
        self._rows.let_go()

    def _what_now(self, refusal: ServerRefused) -> Exception:
        if not (refusal.passes or self._link.broken or self._savepoints):
            return BatchTorn()
        return BatchLost(refusal.translated(), again=refusal.passes)

    def _end(self) -> None:
        """Commit, and be certain of it: a lost answer is asked for over another connection."""
        try:
            # COMMIT POINT: all units of the batch become durable here
            if self._link.ask("COMMIT").command_status != b"COMMIT":
                raise BatchLost(Unavailable("store_failed", "the database did not commit"))
        except ServerRefused as refusal:
            if not self._link.broken:
                raise self._what_now(refusal) from refusal
            if not self._store.was_committed(self._transaction):
                raise BatchLost(refusal.translated()) from refusal

    def _look_at_the_clock(self) -> None:
        self.tx.now = max(self.tx.now, self._store.now())


class _Again(Exception):
    """A row with the same key was there before; the unit is run once more, and finds it."""
