"""Passkeys, what they signed, and the challenges that were answered."""

from __future__ import annotations

from typing import Final

from handrail.core.passkey import Assertion, Passkey
from handrail.store.rows import Rows, from_row, insert_sql, select_sql, to_row

__all__ = ["Passkeys"]

_SELECT: Final = select_sql("passkey", Passkey)
_ASSERTIONS: Final = select_sql("assertion", Assertion)


class Passkeys:
    """Rows of passkeys and assertions. Neither is ever removed."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, passkey: Passkey) -> None:
        """A new one."""
        self._rows.change(insert_sql("passkey", Passkey), to_row(passkey))

    def get(self, desk: str, id: str) -> Passkey | None:
        """One by its id, live or not."""
        row = self._rows.one(_SELECT + " WHERE desk = ? AND id = ?", (desk, id))
        return None if row is None else from_row(Passkey, row)

    def of(self, desk: str, person: str) -> list[Passkey]:
        """Every one of an account, oldest first, live or not."""
        where = " WHERE desk = ? AND person = ? ORDER BY created_at, id"
        return [from_row(Passkey, row) for row in self._rows.all(_SELECT + where, (desk, person))]

    def page(self, desk: str, *, after: str, most: int) -> list[Passkey]:
        """The next ones by id, live or not."""
        where = " WHERE desk = ? AND id > ? ORDER BY id LIMIT ?"
        rows = self._rows.all(_SELECT + where, (desk, after, most))
        return [from_row(Passkey, row) for row in rows]

    def revoke(self, desk: str, id: str, at: int) -> bool:
        """End one; whether it was still good."""
        changed = self._rows.change(
            "UPDATE passkey SET revoked_at = ? WHERE desk = ? AND id = ? AND revoked_at IS NULL",
            (at, desk, id),
        )
        return changed == 1

    def used(self, desk: str, id: str) -> tuple[int, int]:
        """Its counter, and when it was last used; zero for one that never was."""
        row = self._rows.one(
            "SELECT counter, used_at FROM passkey_use WHERE desk = ? AND passkey = ?"
            + self._rows.lock_row,
            (desk, id),
        )
        return (0, 0) if row is None else (int(row[0] or 0), int(row[1] or 0))

    def use(self, desk: str, id: str, counter: int, at: int) -> None:
        """It was used, and its counter stands there now."""
        self._rows.change(
            "INSERT INTO passkey_use (desk, passkey, counter, used_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (desk, passkey) DO UPDATE"
            " SET counter = excluded.counter, used_at = excluded.used_at",
            (desk, id, counter, at),
        )

    def spend(self, nonce: str, expires_at: int) -> bool:
        """Take a challenge as answered; whether nobody had answered it before."""
        changed = self._rows.change(
            "INSERT INTO spent (nonce, expires_at) VALUES (?, ?) ON CONFLICT (nonce) DO NOTHING",
            (nonce, expires_at),
        )
        return changed == 1

    def sweep(self, now: int) -> int:
        """Forget challenges that nobody could answer any more."""
        return self._rows.change("DELETE FROM spent WHERE expires_at <= ?", (now,))

    def add_assertion(self, assertion: Assertion) -> None:
        """What was signed for a review."""
        self._rows.change(insert_sql("assertion", Assertion), to_row(assertion))

    def assertions(self, desk: str, proposal: str) -> list[Assertion]:
        """What was signed about an action, by review."""
        where = " WHERE desk = ? AND proposal = ? ORDER BY n"
        rows = self._rows.all(_ASSERTIONS + where, (desk, proposal))
        return [from_row(Assertion, row) for row in rows]

    def count_assertions(self, desk: str) -> int:
        """How many the desk has, by counting."""
        row = self._rows.one("SELECT count(*) FROM assertion WHERE desk = ?", (desk,))
        return 0 if row is None else int(row[0] or 0)
