"""Reservations under caps, and how much of each cap is taken.

`cap_use.used` counts pending reservations and those posted within the window; a posted one leaves
it, once, when its window since settlement has passed.
"""

from __future__ import annotations

import msgspec

from handrail.core.caps import CapRule, Charge, admits
from handrail.store.rows import Rows

__all__ = ["CapUse", "Caps"]


class CapUse(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a cap one scope has taken."""

    cap: str
    scope_key: str
    used: int


class Caps:
    """Rows of reservations."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def reserve(
        self, desk: str, proposal: str, charges: tuple[Charge, ...], now: int
    ) -> Charge | None:
        """Take every charge or none; the first charge that does not fit, or None when all do."""
        for charge in charges:
            used = self._used(desk, charge.rule, charge.scope_key, now)
            if not admits(used, charge.amount, charge.rule.limit):
                return charge
        for charge in charges:
            self._add(desk, charge.rule.name, charge.scope_key, charge.amount)
            self._rows.change(
                "INSERT INTO reservation (desk, cap, scope_key, proposal, amount, state,"
                " reserved_at, counted) VALUES (?, ?, ?, ?, ?, 'pending', ?, 1)"
                # A further attempt, maybe under a policy by which the cap counts otherwise.
                " ON CONFLICT (desk, proposal, cap) DO UPDATE SET scope_key = excluded.scope_key,"
                " amount = excluded.amount, state = 'pending', reserved_at = excluded.reserved_at,"
                " counted = 1, settled_at = NULL",
                (desk, charge.rule.name, charge.scope_key, proposal, charge.amount, now),
            )
        return None

    def post(self, desk: str, proposal: str, now: int) -> None:
        """The action happened: its reservations leave the window one window from now."""
        self._rows.change(
            "UPDATE reservation SET state = 'posted', settled_at = ?"
            " WHERE desk = ? AND proposal = ? AND state = 'pending'",
            (now, desk, proposal),
        )

    def void(self, desk: str, proposal: str, now: int) -> None:
        """The action certainly did not happen: its reservations are given back."""
        rows = self._rows.all(
            "SELECT cap, scope_key, amount FROM reservation"
            " WHERE desk = ? AND proposal = ? AND state = 'pending'",
            (desk, proposal),
        )
        for cap, scope_key, amount in rows:
            self._add(desk, str(cap), str(scope_key), -int(amount or 0))
        self._rows.change(
            "UPDATE reservation SET state = 'voided', settled_at = ?, counted = 0"
            " WHERE desk = ? AND proposal = ? AND state = 'pending'",
            (now, desk, proposal),
        )

    def uses(self, desk: str, rules: tuple[CapRule, ...], now: int) -> list[CapUse]:
        """What is taken of each cap now, the fullest scopes first."""
        found = []
        for rule in rules:
            rows = self._rows.all(
                "SELECT u.scope_key, u.used - coalesce((SELECT sum(r.amount) FROM reservation r"
                " WHERE r.desk = u.desk AND r.cap = u.cap AND r.scope_key = u.scope_key"
                " AND r.counted = 1 AND r.state = 'posted' AND r.settled_at <= ?), 0) AS left_used"
                " FROM cap_use u WHERE u.desk = ? AND u.cap = ? ORDER BY left_used DESC LIMIT 5",
                (now - rule.window_ms, desk, rule.name),
            )
            found += [
                CapUse(cap=rule.name, scope_key=str(key), used=int(used or 0)) for key, used in rows
            ]
        return found

    def _used(self, desk: str, rule: CapRule, scope_key: str, now: int) -> int:
        place = (desk, rule.name, scope_key)
        leaves_before = now - rule.window_ms
        row = self._rows.one(
            "SELECT used, (SELECT sum(amount) FROM reservation r WHERE r.desk = u.desk"
            " AND r.cap = u.cap AND r.scope_key = u.scope_key AND r.counted = 1"
            " AND r.state = 'posted' AND r.settled_at <= ?)"
            " FROM cap_use u WHERE desk = ? AND cap = ? AND scope_key = ?",
            (leaves_before, *place),
        )
        used, gone = (0, 0) if row is None else (int(row[0] or 0), int(row[1] or 0))
        if gone:
            self._rows.change(
                "UPDATE reservation SET counted = 0 WHERE desk = ? AND cap = ? AND scope_key = ?"
                " AND counted = 1 AND state = 'posted' AND settled_at <= ?",
                (*place, leaves_before),
            )
            self._add(desk, rule.name, scope_key, -gone)
        return used - gone

    def _add(self, desk: str, cap: str, scope_key: str, amount: int) -> None:
        if amount < 0:
            self._rows.change(
                "UPDATE cap_use SET used = used + ? WHERE desk = ? AND cap = ? AND scope_key = ?",
                (amount, desk, cap, scope_key),
            )
            return
        self._rows.change(
            "INSERT INTO cap_use (desk, cap, scope_key, used) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (desk, cap, scope_key) DO UPDATE SET used = used + excluded.used",
            (desk, cap, scope_key, amount),
        )
