"""A transaction on PostgreSQL: the same nouns, of which two must know that they are not alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handrail.core.proposal import Proposal
from handrail.errors import Unavailable
from handrail.store.postgres.log import SequencedLog
from handrail.store.postgres.rows import PostgresRows
from handrail.store.proposal_rows import proposal_of
from handrail.store.proposals import BY_KEY, Proposals
from handrail.store.tx import Tx
from handrail.store.vault import Keys, Vault

__all__ = ["SharedTx"]


class _SharedVault(Vault):
    """Sealed content whose keys another gateway may have destroyed."""

    def get(self, desk: str, id: str, slot: str) -> bytes | None:
        row = self._rows.one(
            "SELECT c.subject, c.sealed, s.ref FROM content c LEFT JOIN subject s"
            " ON s.desk = c.desk AND s.ref = c.subject AND s.sealed_key IS NOT NULL"
            " WHERE c.desk = ? AND c.id = ? AND c.slot = ?",
            (desk, id, slot),
        )
        if row is None:
            return None
        subject, sealed, owner = str(row[0]), row[1], row[2]
        if owner is None:
            # INVARIANT: a key at hand does not outlive its customer's erasure elsewhere.
            raise Unavailable("content_erased", f"the customer `{subject}` was erased")
        assert isinstance(sealed, bytes)
        return self._opened(self._cipher(desk, subject), sealed, f"{desk}/{id}/{slot}")


class _SharedProposals(Proposals):
    """Proposals at a distance: the keys of a whole batch are asked for in one journey.

    What was foreseen answers once a key. Whoever asks a second time asks the database: another unit
    may have used the key meanwhile. Another gateway may use it at any time, foreseen or not; then
    its unique index refuses the second.
    """

    def __init__(self, rows: PostgresRows) -> None:
        super().__init__(rows)
        self._distant = rows
        self._foreseen: dict[tuple[str, str, str], Proposal | None] = {}

    def foresee(self, keys: Sequence[tuple[str, str, str]]) -> None:
        # WHY NOT: one statement with `key IN (...)`. The plan that it is given while the table is
        # small reads every key of the agent, and is kept when the table has grown.
        for key, row in zip(keys, self._distant.first_of_each(BY_KEY, keys), strict=True):
            self._foreseen[key] = None if row is None else proposal_of(row)

    def by_key(self, desk: str, agent: str, key: str) -> Proposal | None:
        sought = (desk, agent, key)
        if sought in self._foreseen:
            return self._foreseen.pop(sought)
        return super().by_key(desk, agent, key)


class SharedTx(Tx):
    """One open transaction or snapshot of a database that several gateways write to."""

    def __init__(
        self,
        rows: PostgresRows,
        keys: Keys,
        now: int,
        *,
        seen: Mapping[str, int],
        active: Mapping[str, str],
    ) -> None:
        super().__init__(rows, {}, keys, now)
        self.log = SequencedLog(rows, seen)
        self.vault = _SharedVault(rows, keys)
        self.active = active
        self._shared = _SharedProposals(rows)
        self.proposals = self._shared

    def foresee(self, keys: Sequence[tuple[str, str, str]]) -> None:
        """Look for actions under these keys (desk, agent, idempotency key) in one journey."""
        if keys:
            self._shared.foresee(keys)
