"""Proposals and their reviews."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from handrail.core.lifecycle import OPEN, State
from handrail.core.money import Money
from handrail.core.proposal import Proposal
from handrail.core.review import Review
from handrail.core.sieve import Sieve
from handrail.core.urgency import due_rank
from handrail.store.proposal_rows import (
    any_of,
    difference,
    new_sql,
    proposal_of,
    readable,
    row_of,
    update_sql,
)
from handrail.store.rows import (
    Rows,
    Value,
    columns_of,
    from_row,
    insert_sql,
    select_sql,
    to_row,
)
from handrail.store.sifting import sifting_sql

__all__ = ["BY_KEY", "Proposals"]

_SELECT: Final = select_sql("proposal", Proposal)
BY_KEY: Final = _SELECT + " WHERE desk = ? AND agent = ? AND key = ?"
_MOVING: Final = any_of(State.READY, State.EXECUTING, State.UNKNOWN, State.HOLDING)
_WAITING: Final = any_of(State.PENDING, State.HOLDING, State.READY)
_STANDS: Final = any_of(
    State.PENDING,
    State.HOLDING,
    State.READY,
    State.EXECUTING,
    State.UNKNOWN,
    State.REJECTED,
    State.REFUSED,
)
_ASKED: Final = "('approve', 'maker_checker')"
_OPEN: Final = frozenset(state.value for state in OPEN)
_OF_SUBJECT: Final = (
    "SELECT id, kind, state FROM proposal WHERE desk = ? AND subject = ? ORDER BY id DESC LIMIT ?"
)
SUBJECT_ROWS_MAX: Final = 1_000
"""Actions about one customer that are looked through for those that are under way."""
_REVIEWS: Final = select_sql("review", Review)
_BEGAN: Final = "'action.proposed', 'action.reopened', 'review.withdrawn'"
_ENDED: Final = (
    "'action.approved', 'action.rejected', 'action.expired', 'action.withdrawn',"
    " 'action.superseded', 'action.escalated', 'action.doubted'"
)
_MOVED: Final = (
    f"SELECT e.tag, {', '.join(f'p.{name}' for name in columns_of(Proposal))}"
    " FROM entry e JOIN proposal p ON p.desk = e.desk AND p.id = e.proposal"
    f" WHERE e.desk = ? AND e.idx >= ? AND e.tag IN ({_BEGAN}, {_ENDED})"
    f" AND (p.state = 'PENDING' OR e.tag IN ({_ENDED}))"
    # INVARIANT: where several decide, an approval that is taken back is nobody else's to know.
    " AND (e.tag <> 'review.withdrawn' OR p.checkers <= 1) ORDER BY e.idx LIMIT ?"
)


class Proposals:
    """Rows of proposals and reviews. Every change of state is conditional and says if it landed."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, proposal: Proposal) -> None:
        """A new proposal in the state that it starts in."""
        self._rows.put(new_sql(self._rows.or_fail), row_of(proposal))

    def get(self, desk: str, proposal: str) -> Proposal | None:
        """One proposal by its id. In a writing unit nobody else moves it until the commit."""
        return self._one(" WHERE desk = ? AND id = ?" + self._rows.lock_row, (desk, proposal))

    def get_free(self, desk: str, proposal: str) -> Proposal | None:
        """The same, but None while another gateway is moving it."""
        return self._one(" WHERE desk = ? AND id = ?" + self._rows.lock_free_row, (desk, proposal))

    def look(self, desk: str, proposal: str) -> Proposal | None:
        """The same, only to be looked at: it may move at any time."""
        return self._one(" WHERE desk = ? AND id = ?", (desk, proposal))

    def some(self, desk: str, ids: Sequence[str]) -> dict[str, Proposal]:
        """Those of these proposals that there are, by id."""
        if not ids:
            return {}
        places = ", ".join("?" * len(ids))
        found = self._many(f" WHERE desk = ? AND id IN ({places})", [desk, *ids])
        return {one.id: one for one in found}

    def amounts(self, desk: str, ids: Sequence[str]) -> dict[str, tuple[str, Money | None]]:
        """The kind and the amount of those of these proposals that there are, by id."""
        if not ids:
            return {}
        places = ", ".join("?" * len(ids))
        sql = (
            "SELECT id, kind, value_minor, currency FROM proposal"
            f" WHERE desk = ? AND id IN ({places})"
        )
        found: dict[str, tuple[str, Money | None]] = {}
        for id, kind, minor, currency in self._rows.all(sql, [desk, *ids]):
            value = None if minor is None else Money(minor=int(minor), currency=str(currency))
            found[str(id)] = (str(kind), value)
        return found

    def by_key(self, desk: str, agent: str, key: str) -> Proposal | None:
        """The proposal that an agent made under an idempotency key."""
        row = self._rows.one(BY_KEY, (desk, agent, key))
        return None if row is None else proposal_of(row)

    def by_provider(self, desk: str, connector: str, provider_ref: str) -> Proposal | None:
        """The proposal that a provider's reference belongs to."""
        where = " WHERE desk = ? AND connector = ? AND provider_ref = ?"
        return self._one(where, (desk, connector, provider_ref))

    def undo_of(self, desk: str, proposal: str) -> Proposal | None:
        """The newest proposal that undoes this one."""
        return self._one(
            " WHERE desk = ? AND undoes = ? ORDER BY id DESC LIMIT 1", (desk, proposal)
        )

    def replace(self, before: Proposal, after: Proposal) -> bool:
        """Write what differs, if the row still is as `before` says; whether it landed."""
        names, values = difference(before, after)
        where: list[Value] = [before.desk, before.id, before.state.value, before.version]
        return self._rows.change(update_sql(names, self._rows.or_fail), [*values, *where]) == 1

    def queue(
        self,
        desk: str,
        *,
        sieve: Sieve | None = None,
        after: tuple[int, str] | None = None,
        without: Collection[str] = (),
        most: int,
    ) -> list[Proposal]:
        """What waits for a person and passes, by rank; `after` is the last row's (rank, id).

        `without` are ids that are left out; they are few.
        """
        where = " WHERE desk = ? AND state = 'PENDING'"
        values: list[Value] = [desk]
        if without:
            where += f" AND id NOT IN ({', '.join('?' * len(without))})"
            values.extend(without)
        if after is not None:
            where += " AND (rank, id) > (?, ?)"
            values.extend(after)
        order = " ORDER BY rank, id LIMIT ?"
        if sieve is None or sieve.is_open:
            return self._many(where + order, [*values, most])
        asked, said = sifting_sql(sieve)
        # First the ids, for which the index of the queue has every column: what does not pass is
        # never fetched.
        some = f"SELECT id FROM proposal{where}{asked}{order}"
        return self._many(
            f" WHERE desk = ? AND id IN ({some}) ORDER BY rank, id", [desk, *values, *said, most]
        )

    def moved(self, desk: str, since: int, *, most: int) -> list[tuple[str, Proposal]]:
        """What the log from an index on says began to wait or no longer waits, in order.

        The entry's tag with the action as it stands now, for each entry of these tags. One that
        never waited is not among those that were proposed.
        """
        rows = self._rows.all(_MOVED, (desk, since, most))
        return [(str(row[0]), proposal_of(row[1:])) for row in rows]

    def deadlines(self, desk: str, *, most: int) -> list[tuple[int, int]]:
        """When what waits runs out of time, and how many people it takes, by rank."""
        sql = "SELECT decide_by, checkers FROM proposal WHERE desk = ? AND state = 'PENDING'"
        rows = self._rows.all(sql + " ORDER BY rank, id LIMIT ?", (desk, most))
        return [(int(due or 0), max(1, int(checkers or 0))) for due, checkers in rows]

    def ran_alone(
        self,
        desk: str,
        *,
        before: str | None = None,
        kind: str | None = None,
        agent: str | None = None,
        subject: str | None = None,
        most: int,
    ) -> list[Proposal]:
        """What ran and notified, newest first, of a kind, an agent or a customer if one is named.

        `before` is the last row's id.
        """
        where = " WHERE desk = ? AND control = 'run_and_notify'"
        values: list[Value] = [desk]
        wanted = {"kind": kind, "agent": agent, "subject": subject}
        for name, value in wanted.items():
            if value is not None:
                where += f" AND {name} = ?"
                values.append(value)
        if before is not None:
            where += " AND id < ?"
            values.append(before)
        return self._many(where + " ORDER BY id DESC LIMIT ?", [*values, most])

    def about(
        self,
        desk: str,
        subject: str,
        *,
        kinds: Sequence[str] | None = None,
        after: str = "",
        most: int,
    ) -> list[Proposal]:
        """What was proposed about one customer, oldest first, of these kinds if some are named.

        `after` is the last row's id.
        """
        where, values = " WHERE desk = ? AND subject = ? AND id > ?", [desk, subject, after]
        if kinds is not None:
            where += f" AND kind IN ({', '.join('?' * len(kinds))})"
            values += kinds
        return self._many(where + " ORDER BY id LIMIT ?", [*values, most])

    def moving_money(
        self,
        desk: str,
        *,
        subject: str | None = None,
        task: str | None = None,
        value: Money | None = None,
        most: int,
    ) -> list[Proposal]:
        """What moves money for one customer or in one task, newest first; of `value` if given."""
        where, values = " WHERE desk = ? AND value_minor IS NOT NULL", list[Value]([desk])
        for name, wanted in (("subject", subject), ("task", task)):
            if wanted is not None:
                where += f" AND {name} = ?"
                values.append(wanted)
        if value is not None:
            where += " AND value_minor = ? AND currency = ?"
            values += (value.minor, value.currency)
        return self._many(where + " ORDER BY id DESC LIMIT ?", [*values, most])

    def latest(self, desk: str, *, before: str | None = None, most: int) -> list[Proposal]:
        """Every proposal, newest first; `before` is the last row's id."""
        where, values = " WHERE desk = ?", [desk]
        if before is not None:
            where += " AND id < ?"
            values.append(before)
        return self._many(where + " ORDER BY id DESC LIMIT ?", [*values, most])

    def of_subject(self, desk: str, subject: str, *, most: int) -> list[Proposal]:
        """What was proposed about one customer, newest first."""
        where = " WHERE desk = ? AND subject = ? ORDER BY id DESC LIMIT ?"
        return self._many(where, (desk, subject, most))

    def passed(self, desk: str, kind: str, agent: str, *, most: int) -> list[Proposal]:
        """What an agent had done of a kind after people passed it, newest first."""
        where = (
            " WHERE desk = ? AND kind = ? AND agent = ? AND state = 'SUCCEEDED'"
            f" AND control IN {_ASKED} ORDER BY id DESC LIMIT ?"
        )
        return self._many(where, (desk, kind, agent, most))

    def under_way(
        self,
        desk: str,
        subject: str,
        kind: str,
        *,
        before: str | None = None,
        among: int = SUBJECT_ROWS_MAX,
    ) -> int | None:
        """How many actions of a kind about a customer are open: all, or those that came earlier.

        None for a customer about whom there were more than `among` actions.
        """
        rows = self._rows.all(_OF_SUBJECT, (desk, subject, among + 1))
        if len(rows) > among:
            return None
        return sum(
            of_kind == kind and state in _OPEN and (before is None or str(id) < before)
            for id, of_kind, state in rows
        )

    def same(self, desk: str, fingerprint: str, *, most: int) -> list[Proposal]:
        """What has the same content and is open or was denied, newest first; not what is G0."""
        where = (
            f" WHERE desk = ? AND fingerprint = ? AND grade > 0 AND {_STANDS}"
            " ORDER BY id DESC LIMIT ?"
        )
        return self._many(where, (desk, fingerprint, most))

    def waiting_of(self, desk: str, agent: str, *, most: int) -> int:
        """How much an agent has waiting for people or for its time; counted up to `most`."""
        rows = self._rows.all(
            f"SELECT 1 FROM proposal WHERE desk = ? AND agent = ? AND {_WAITING} LIMIT ?",
            (desk, agent, most),
        )
        return len(rows)

    def in_state(
        self, state: State, *, after: tuple[str, str] = ("", ""), most: int
    ) -> list[Proposal]:
        """Open proposals of all desks in READY, EXECUTING, UNKNOWN or HOLDING, by (desk, id).

        What a newer version wrote and this one cannot read is passed over: it is left as it stands.
        """
        # The second term repeats the partial index's own, which is how it is chosen.
        where = f" WHERE state = ? AND {_MOVING} AND (desk, id) > (?, ?)"
        found: list[Proposal] = []
        while len(found) < most:
            wanted = most - len(found)
            sql = _SELECT + where + " ORDER BY desk, id LIMIT ?"
            rows = self._rows.all(sql, (state.value, *after, wanted))
            found += readable(rows)
            if len(rows) < wanted:
                break
            after = (str(rows[-1][0]), str(rows[-1][1]))
        return found

    def drawn(self, desk: str, *, most: int) -> list[Proposal]:
        """What waits for people who were drawn by lot."""
        where = (
            " WHERE desk = ? AND state = 'PENDING' AND assign_by IS NOT NULL ORDER BY id LIMIT ?"
        )
        return self._many(where, (desk, most))

    def held(self, desk: str, *, most: int) -> list[Proposal]:
        """What is held back, the first to have been proposed, and to go out, first."""
        where = f" WHERE state = 'HOLDING' AND {_MOVING} AND desk = ? ORDER BY id LIMIT ?"
        return self._many(where, (desk, most))

    def overdue(self, desk: str, now: int, *, most: int) -> list[Proposal]:
        """What waits for a person past its deadline."""
        where = (
            " WHERE desk = ? AND state = 'PENDING' AND rank <= ? AND decide_by <= ?"
            " ORDER BY rank, id LIMIT ?"
        )
        return readable(self._rows.all(_SELECT + where, (desk, due_rank(now), now, most)))

    def count(self, desk: str) -> int:
        """How many proposals the desk has, by counting."""
        row = self._rows.one("SELECT count(*) FROM proposal WHERE desk = ?", (desk,))
        return 0 if row is None else int(row[0] or 0)

    def page(self, desk: str, *, after: str, most: int) -> list[Proposal]:
        """Proposals by id from `after` on, for going through all of them."""
        return self._many(" WHERE desk = ? AND id > ? ORDER BY id LIMIT ?", (desk, after, most))

    def add_review(self, review: Review) -> None:
        """A new review; a second one by the same person is refused by the database."""
        self._rows.put(insert_sql("review", Review), to_row(review))

    def reviews(self, desk: str, proposal: str) -> list[Review]:
        """The reviews of a proposal, in order."""
        where = " WHERE desk = ? AND proposal = ? ORDER BY n"
        return [from_row(Review, row) for row in self._rows.all(_REVIEWS + where, (desk, proposal))]

    def _one(self, where: str, values: tuple[Value, ...]) -> Proposal | None:
        row = self._rows.one(_SELECT + where, values)
        return None if row is None else proposal_of(row)

    def _many(self, where: str, values: tuple[Value, ...] | list[Value]) -> list[Proposal]:
        return [proposal_of(row) for row in self._rows.all(_SELECT + where, values)]
