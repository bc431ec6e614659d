"""Desks, the policy versions that were active on them, and counters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from handrail.store.rows import Rows, from_row, insert_sql, select_sql, to_row

__all__ = ["Counters", "DeskRow", "Desks", "PolicyVersion"]


class DeskRow(msgspec.Struct, frozen=True, kw_only=True):
    """One desk; `policy` is the digest of the active policy."""

    id: str
    name: str
    created_at: int
    policy: str = ""


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that was made active, with its whole body (JSON)."""

    desk: str
    version: int
    digest: str
    name: str
    body: str
    activated_at: int
    activated_by: str


class Desks:
    """Rows of desks, their policy versions and the store's own settings."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, desk: DeskRow) -> None:
        """A new desk."""
        self._rows.change(insert_sql("desk", DeskRow), to_row(desk))

    def get(self, desk: str) -> DeskRow | None:
        """One desk by its id."""
        row = self._rows.one(select_sql("desk", DeskRow) + " WHERE id = ?", (desk,))
        return None if row is None else from_row(DeskRow, row)

    def all(self) -> list[DeskRow]:
        """Every desk."""
        rows = self._rows.all(select_sql("desk", DeskRow) + " ORDER BY id")
        return [from_row(DeskRow, row) for row in rows]

    def activate(self, version: PolicyVersion) -> None:
        """Add a policy version and make it the active one."""
        self._rows.change(insert_sql("policy_version", PolicyVersion), to_row(version))
        self._rows.change("UPDATE desk SET policy = ? WHERE id = ?", (version.digest, version.desk))

    def latest_policy(self, desk: str) -> PolicyVersion | None:
        """The newest policy version of a desk."""
        row = self._rows.one(
            select_sql("policy_version", PolicyVersion)
            + " WHERE desk = ? ORDER BY version DESC LIMIT 1",
            (desk,),
        )
        return None if row is None else from_row(PolicyVersion, row)

    def policy(self, desk: str, digest: str) -> PolicyVersion | None:
        """A policy version by its digest."""
        row = self._rows.one(
            select_sql("policy_version", PolicyVersion) + " WHERE desk = ? AND digest = ?",
            (desk, digest),
        )
        return None if row is None else from_row(PolicyVersion, row)

    def policies(self, desk: str) -> list[PolicyVersion]:
        """Every policy version of a desk, oldest first."""
        rows = self._rows.all(
            select_sql("policy_version", PolicyVersion) + " WHERE desk = ? ORDER BY version",
            (desk,),
        )
        return [from_row(PolicyVersion, row) for row in rows]

    def setting(self, name: str) -> str | None:
        """A setting of the store itself."""
        row = self._rows.one("SELECT value FROM meta WHERE name = ?", (name,))
        return None if row is None else str(row[0])

    def set_all(self, settings: Mapping[str, str]) -> None:
        """Write settings of the store itself."""
        for name, value in settings.items():
            self._rows.change(
                "INSERT INTO meta (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def settle(self, settings: Mapping[str, str]) -> bool:
        """Write settings that are not there yet, for good; whether they are what stands then."""
        for name, value in settings.items():
            self._rows.change(
                "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (name, value),
            )
        return all(self.setting(name) == value for name, value in settings.items())


class Counters:
    """Counts that would be slow to make by counting rows. Added up in memory until the commit."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._added: dict[tuple[str, str], int] = {}

    def add(self, desk: str, name: str, n: int = 1) -> None:
        """Add `n` (may be negative) to a counter."""
        key = (desk, name)
        self._added[key] = self._added.get(key, 0) + n

    def now(self, desk: str, name: str) -> int:
        """One counter with what this transaction has added to it so far."""
        row = self._rows.one("SELECT n FROM counter WHERE desk = ? AND name = ?", (desk, name))
        return (0 if row is None else int(row[0] or 0)) + self._added.get((desk, name), 0)

    def mark(self) -> dict[tuple[str, str], int]:
        """What has been added so far in this commit."""
        return self._added.copy()

    def back_to(self, mark: dict[tuple[str, str], int]) -> None:
        """Forget what was added since `mark`."""
        self._added = mark

    def flush(self) -> None:
        """Write what was added."""
        # INVARIANT: in one order, so that no two gateways wait for each other.
        for (desk, name), n in sorted(self._added.items()):
            if n:
                self._rows.put(
                    "INSERT INTO counter (desk, name, n) VALUES (?, ?, ?)"
                    " ON CONFLICT (desk, name) DO UPDATE SET n = counter.n + excluded.n",
                    (desk, name, n),
                )
        self._added = {}

    def of(self, desk: str, names: Iterable[str] | None = None) -> dict[str, int]:
        """The committed counters of a desk."""
        rows = self._rows.all("SELECT name, n FROM counter WHERE desk = ? ORDER BY name", (desk,))
        wanted = None if names is None else set(names)
        return {str(name): int(n or 0) for name, n in rows if wanted is None or name in wanted}
