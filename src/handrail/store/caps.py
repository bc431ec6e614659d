"""Reservations under caps, and how much of each cap is taken.

`cap_use.used` counts pending reservations and those posted within the window; a posted one leaves
it, once, when its window since settlement has passed. It may leave late, as long as there is room
anyway; it never leaves early. Of a distinct cap, `used` counts the rows of `cap_member`.

Every reservation first takes the row of its cap, in the order of the caps' names. Where several
gateways write, everything that counts here is done under one lock, `_COUNTING`: a commit carries
many actions of many desks, and no order of single rows would hold for all of them. `early_ms` is by
how much "now" may be ahead of the clock that all of them share.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec

from handrail.core.caps import CapRule, Charge, Scope, admits, has_room_again
from handrail.store.rows import Rows, Value

__all__ = ["SHARED", "CapUse", "Caps", "Full", "Posted"]

SHARED: Final = ""
"""The desk under which the caps stand that all desks of the store share."""

LEAVING_MAX: Final = 1000
"""About how many reservations leave a window in one statement."""

_COUNTING: Final = "caps"
_Place = tuple[str, str, str]
"""Desk, cap and scope key."""

_Taken = tuple[_Place, Charge, int]
"""Where a charge was added, and how much of it."""

_ADD: Final = (
    "INSERT INTO cap_use (desk, cap, scope_key, used) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (desk, cap, scope_key) DO UPDATE SET used = cap_use.used + excluded.used"
    " RETURNING used, tripped_at"
)
_GIVE_BACK: Final = (
    "UPDATE cap_use SET used = used - ? WHERE desk = ? AND cap = ? AND scope_key = ?"
)
_TRIP: Final = "UPDATE cap_use SET tripped_at = ? WHERE desk = ? AND cap = ? AND scope_key = ?"
_USED: Final = "SELECT used FROM cap_use WHERE desk = ? AND cap = ? AND scope_key = ?"
_RESERVE: Final = (
    # A further attempt, maybe under a policy by which the cap counts otherwise.
    " ON CONFLICT (desk, proposal, cap) DO UPDATE SET scope_key = excluded.scope_key,"
    " amount = excluded.amount, member = excluded.member, state = 'pending',"
    " reserved_at = excluded.reserved_at, counted = 1, settled_at = NULL"
)
_JOIN: Final = (
    "INSERT INTO cap_member (desk, cap, scope_key, member, held) VALUES (?, ?, ?, ?, 1)"
    " ON CONFLICT (desk, cap, scope_key, member) DO UPDATE SET held = cap_member.held + 1"
    " RETURNING held, last_at"
)
_LEFT: Final = (
    " WHERE desk = ? AND cap = ? AND scope_key = ? AND counted = 1 AND state = 'posted'"
    " AND settled_at <= "
)
_ANY_LEFT: Final = f"SELECT 1 FROM reservation{_LEFT} ? LIMIT 1"
_LEAVE: Final = (
    f"UPDATE reservation SET counted = 0{_LEFT} coalesce((SELECT settled_at FROM reservation"
    f"{_LEFT} ? ORDER BY settled_at LIMIT 1 OFFSET {LEAVING_MAX}), ?) RETURNING amount"
)
_OPEN: Final = " WHERE desk = ? AND proposal = ? AND state = 'pending'"
# WHY NOT: one UPDATE ... RETURNING over both desks. SQLite builds a table for what it returns, and
# one for `desk IN (?, '')`: reading the few rows first takes a third of the time.
_PENDING: Final = " UNION ALL ".join(
    [f"SELECT cap, desk, scope_key, member, amount FROM reservation{_OPEN}"] * 2
)
_POST: Final = f"UPDATE reservation SET state = 'posted', settled_at = ?{_OPEN}"
_VOID: Final = f"UPDATE reservation SET state = 'voided', settled_at = ?, counted = 0{_OPEN}"
_MEMBER: Final = " WHERE desk = ? AND cap = ? AND scope_key = ? AND member = ?"
_LAST_AT: Final = f"UPDATE cap_member SET held = held - 1, last_at = ?{_MEMBER}"
_NO_LONGER: Final = " WHERE desk = ? AND cap = ? AND scope_key = ? AND held = 0 AND last_at <= ?"


class CapUse(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a cap one scope has taken."""

    cap: str
    scope_key: str
    used: int


class Full(msgspec.Struct, frozen=True, kw_only=True):
    """The charge that no longer fits. `tripped` says that its cap was whole until now."""

    charge: Charge
    tripped: bool


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """A reservation that became final: which action, how much, and when."""

    proposal: str
    amount: int
    at: int


class Caps:
    """Rows of reservations."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.early_ms = 0
        self._known: dict[_Place, tuple[int, int | None]] = {}
        self._whole: set[_Place] = set()
        self._due: dict[_Place, int] = {}

    def mark(self) -> dict[_Place, int]:
        """What is still to be written of the counting so far."""
        return dict(self._due)

    def back_to(self, mark: dict[_Place, int]) -> None:
        """Forget what a failed unit counted; what the units before it counted is read again."""
        self._due = mark
        self._known.clear()
        self._whole.clear()

    def flush(self) -> None:
        """Write what was counted: once a place and commit, however many actions it counts."""
        for place in list(self._due):
            self._write(place)

    def reserve(
        self, desk: str, proposal: str, charges: tuple[Charge, ...], now: int
    ) -> Full | None:
        """Take every charge or none; the first charge that does not fit, or None when all do."""
        taken: list[_Taken] = []
        self._rows.lock(_COUNTING)
        for charge in charges:
            place = (SHARED if charge.shared else desk, charge.rule.name, charge.scope_key)
            amount = charge.amount
            used, tripped_at = self._add(place, amount)
            if charge.member and not self._join(place, charge.member):
                # Whom a distinct cap counts already takes nothing more of it.
                self._give_back(place, amount)
                used, amount = used - amount, 0
            taken.append((place, charge, amount))
            if tripped_at is None and admits(used, 0, charge.rule.limit):
                continue
            used = self._left(place, charge.rule, used, now, fits=charge.rule.limit)
            if tripped_at is not None and has_room_again(
                used - amount, charge.rule.limit, tripped_at=tripped_at, now=now
            ):
                tripped_at = None
                self._trip(place, None)
            if not admits(used, 0, charge.rule.limit):
                return self._none(taken, tripped_at, now)
        self._note(taken, proposal, now)
        return None

    def held(self, desk: str, rule: CapRule, scope_key: str) -> int:
        """What a scope has taken of a cap, at most: some of it may have left the window already."""
        place = (desk, rule.name, scope_key)
        self._rows.lock(_COUNTING)
        known = self._known.get(place)
        if known is not None:
            return known[0]
        self._write(place)
        row = self._rows.one(_USED, place)
        return 0 if row is None else int(row[0] or 0)

    def total(self, desk: str, rule: CapRule, scope_key: str, now: int) -> int:
        """What a scope has taken of a cap, exactly. Must run in a writing unit."""
        used = self.held(desk, rule, scope_key)
        return self._left((desk, rule.name, scope_key), rule, used, now, fits=0) if used else 0

    def post(self, desk: str, proposal: str, now: int) -> None:
        """The action happened: its reservations leave the window one window from now."""
        for cap, home, scope_key, member, _ in self._settled(_POST, desk, proposal, now):
            if member:
                self._rows.lock(_COUNTING)
                self._rows.put(_LAST_AT, (now, home, cap, scope_key, member))

    def void(self, desk: str, proposal: str, now: int) -> None:
        """The action certainly did not happen: its reservations are given back."""
        rows = self._settled(_VOID, desk, proposal, now)
        if rows:
            self._rows.lock(_COUNTING)
        for cap, home, scope_key, member, amount in sorted(rows):
            place = (str(home), str(cap), str(scope_key))
            back = self._unjoin(place, str(member)) if member else int(amount or 0)
            if back:
                self._give_back(place, back)

    def trip(self, desk: str, cap: str, scope_key: str, now: int) -> bool:
        """Mark something that is no cap of the policy as tripped; whether it was not already."""
        place = (desk, cap, scope_key)
        self._rows.lock(_COUNTING)
        if self._add(place, 0)[1] is not None:
            return False
        self._whole.discard(place)
        self._trip(place, now)
        return True

    def untrip(self, desk: str, cap: str, scope_key: str) -> None:
        """From now on it may trip again."""
        place = (desk, cap, scope_key)
        if place in self._whole:
            return
        self._rows.lock(_COUNTING)
        self._known.pop(place, None)
        # Once a transaction: from then on, it is tripped by nobody but this one.
        self._whole.add(place)
        self._rows.put(_TRIP + " AND tripped_at IS NOT NULL", (None, *place))

    def count(self, desk: str, cap: str, scope_key: str) -> int:
        """One more of what is only ever counted up; how many there are now."""
        self._rows.lock(_COUNTING)
        return self._add((desk, cap, scope_key), 1)[0]

    def posted(self, desk: str, cap: str, scope_key: str, since: int, *, most: int) -> list[Posted]:
        """What settled after `since`, newest first."""
        rows = self._rows.all(
            "SELECT proposal, amount, settled_at FROM reservation WHERE desk = ? AND cap = ?"
            " AND scope_key = ? AND counted = 1 AND state = 'posted' AND settled_at > ?"
            " ORDER BY settled_at DESC LIMIT ?",
            (desk, cap, scope_key, since, most),
        )
        return [
            Posted(proposal=str(proposal), amount=int(amount or 0), at=int(at or 0))
            for proposal, amount, at in rows
        ]

    def uses(self, desk: str, rules: tuple[CapRule, ...], now: int) -> list[CapUse]:
        """What is taken of each cap now, the fullest scopes first."""
        found = []
        for rule in rules:
            home = SHARED if rule.scope is Scope.ACCOUNT else desk
            gone = _GONE_MEMBERS if rule.distinct else _GONE
            rows = self._rows.all(
                f"SELECT u.scope_key, u.used - ({gone}) AS left_used"
                " FROM cap_use u WHERE u.desk = ? AND u.cap = ? ORDER BY left_used DESC LIMIT 5",
                (now - rule.window_ms, home, rule.name),
            )
            found += [
                CapUse(cap=rule.name, scope_key=str(key), used=int(used or 0)) for key, used in rows
            ]
        return found

    def _settled(self, sql: str, desk: str, proposal: str, now: int) -> list[tuple[Value, ...]]:
        """Settle what is pending for an action, here and under the shared caps; what it was."""
        rows = self._rows.all(_PENDING, (desk, proposal, SHARED, proposal))
        for home in sorted({str(row[1]) for row in rows}):
            self._rows.put(sql, (now, home, proposal))
        return rows

    def _none(self, taken: list[_Taken], tripped_at: int | None, now: int) -> Full:
        """Give back what was taken so far: all caps of an action together, or none."""
        for place, charge, amount in taken:
            back = self._unjoin(place, charge.member) if charge.member else amount
            if back:
                self._give_back(place, back)
        place, charge, _ = taken[-1]
        if tripped_at is None:
            self._trip(place, now)
        return Full(charge=charge, tripped=tripped_at is None)

    def _note(self, taken: list[_Taken], proposal: str, now: int) -> None:
        """Write down what was taken. Of a distinct cap the member counts, not the reservation."""
        values: list[Value] = []
        for place, charge, amount in taken:
            counts = 0 if charge.member else amount
            values += (*place, proposal, counts, charge.member, now)
        self._rows.put(_reserve_sql(len(taken)), values)

    def _add(self, place: _Place, amount: int) -> tuple[int, int | None]:
        """Add to what is taken; how much that is now, and since when the cap is tripped.

        The row is ours until the commit, so it is read once, and then only written.
        """
        known = self._known.get(place)
        if known is None:
            self._write(place)
            (row,) = self._rows.all(_ADD, (*place, amount))
            known = int(row[0] or 0), None if row[1] is None else int(row[1])
            self._known[place] = known
        elif amount:
            self._give_back(place, -amount)
        return self._known[place]

    def _give_back(self, place: _Place, amount: int) -> None:
        known = self._known.get(place)
        if known is None:
            self._rows.put(_GIVE_BACK, (amount, *place))
            return
        # The row is ours until the commit: what it is to become is written once, by `flush`.
        self._known[place] = (known[0] - amount, known[1])
        self._due[place] = self._due.get(place, 0) + amount

    def _write(self, place: _Place) -> None:
        back = self._due.pop(place, 0)
        if back:
            self._rows.put(_GIVE_BACK, (back, *place))

    def _trip(self, place: _Place, at: int | None) -> None:
        known = self._known.get(place)
        if known is not None:
            self._known[place] = (known[0], at)
        self._rows.put(_TRIP, (at, *place))

    def _left(self, place: _Place, rule: CapRule, used: int, now: int, *, fits: int) -> int:
        """What is taken without what has left the window: all of it, unless less is enough."""
        before, first = now - self.early_ms - rule.window_ms, True
        while first or used > fits:
            first = False
            if rule.distinct:
                gone = self._rows.change(f"DELETE FROM cap_member{_NO_LONGER}", (*place, before))
            elif self._rows.one(_ANY_LEFT, (*place, before)):
                rows = self._rows.all(_LEAVE, (*place, *place, before, before))
                gone = sum(int(amount or 0) for (amount,) in rows)
            else:
                # Most often nothing leaves: an UPDATE that finds nothing costs three times as much.
                gone = 0
            if not gone:
                break
            self._give_back(place, gone)
            used -= gone
        return used

    def _join(self, place: _Place, member: str) -> bool:
        """One reservation more for a customer; whether they were not counted until now."""
        ((held, last_at),) = self._rows.all(_JOIN, (*place, member))
        return held == 1 and last_at is None

    def _unjoin(self, place: _Place, member: str) -> int:
        """One reservation less; 1 when the customer is thereby no longer counted."""
        self._rows.put(f"UPDATE cap_member SET held = held - 1{_MEMBER}", (*place, member))
        return self._rows.change(
            f"DELETE FROM cap_member{_MEMBER} AND held = 0 AND last_at IS NULL", (*place, member)
        )


@cache
def _reserve_sql(n: int) -> str:
    places = ", ".join(["(?, ?, ?, ?, ?, ?, 'pending', ?, 1)"] * n)
    columns = "desk, cap, scope_key, proposal, amount, member, state, reserved_at, counted"
    return f"INSERT INTO reservation ({columns}) VALUES {places}{_RESERVE}"


_GONE: Final = (
    "SELECT coalesce(sum(r.amount), 0) FROM reservation r WHERE r.desk = u.desk AND r.cap = u.cap"
    " AND r.scope_key = u.scope_key AND r.counted = 1 AND r.state = 'posted' AND r.settled_at <= ?"
)
_GONE_MEMBERS: Final = (
    "SELECT count(*) FROM cap_member m WHERE m.desk = u.desk AND m.cap = u.cap"
    " AND m.scope_key = u.scope_key AND m.held = 0 AND m.last_at <= ?"
)
