"""A transaction on PostgreSQL: the same nouns, of which two must know that they are not alone."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.errors import Unavailable
from handrail.store.postgres.log import SequencedLog
from handrail.store.rows import Rows
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


class SharedTx(Tx):
    """One open transaction or snapshot of a database that several gateways write to."""

    def __init__(
        self,
        rows: Rows,
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
