"""Escalations: hand-offs to a person."""

from __future__ import annotations

import msgspec

from handrail.core.escalation import Cause
from handrail.store.rows import Rows, from_row, insert_sql, select_sql, to_row

__all__ = ["Escalation", "Escalations"]


class Escalation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One hand-off. What is said lies sealed in the vault under the escalation's id.

    `owner` is the person who took it, `said` how often something was said about it, `overdue_at`
    when it was noticed that its time was over.
    """

    desk: str
    id: str
    task: str
    agent: str
    proposal: str | None
    subject: str
    opened_at: int
    due_at: int
    owner: str | None = None
    closed_at: int | None = None
    closed_by: str | None = None
    cause: Cause = Cause.AGENT
    taken_at: int | None = None
    said: int = 1
    overdue_at: int | None = None


class Escalations:
    """Rows of escalations."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, escalation: Escalation) -> None:
        """A new escalation."""
        self._rows.change(insert_sql("escalation", Escalation), to_row(escalation))

    def get(self, desk: str, escalation: str) -> Escalation | None:
        """One escalation by its id."""
        row = self._rows.one(
            select_sql("escalation", Escalation) + " WHERE desk = ? AND id = ?", (desk, escalation)
        )
        return None if row is None else from_row(Escalation, row)

    def open(self, desk: str, *, most: int) -> list[Escalation]:
        """What is open, by deadline."""
        rows = self._rows.all(
            select_sql("escalation", Escalation)
            + " WHERE desk = ? AND closed_at IS NULL ORDER BY due_at, id LIMIT ?",
            (desk, most),
        )
        return [from_row(Escalation, row) for row in rows]

    def of_proposal(self, desk: str, proposal: str) -> list[Escalation]:
        """Every escalation about one action."""
        rows = self._rows.all(
            select_sql("escalation", Escalation) + " WHERE desk = ? AND proposal = ? ORDER BY id",
            (desk, proposal),
        )
        return [from_row(Escalation, row) for row in rows]

    def late(self, desk: str, now: int, *, most: int) -> list[Escalation]:
        """What is open past its deadline and was not noticed yet."""
        rows = self._rows.all(
            select_sql("escalation", Escalation)
            + " WHERE desk = ? AND closed_at IS NULL AND due_at <= ? AND overdue_at IS NULL"
            " ORDER BY due_at, id LIMIT ?",
            (desk, now, most),
        )
        return [from_row(Escalation, row) for row in rows]

    def open_of(
        self, desk: str, task: str, proposal: str | None, cause: Cause
    ) -> Escalation | None:
        """The open one about a task, or about one action of it, for this cause."""
        row = self._rows.one(
            select_sql("escalation", Escalation)
            + " WHERE desk = ? AND task = ? AND closed_at IS NULL AND cause = ?"
            " AND coalesce(proposal, '') = ? ORDER BY id LIMIT 1",
            (desk, task, cause.value, proposal or ""),
        )
        return None if row is None else from_row(Escalation, row)

    def page(self, desk: str, *, after: str, most: int) -> list[Escalation]:
        """Escalations by id from `after` on, for going through all of them."""
        rows = self._rows.all(
            select_sql("escalation", Escalation) + " WHERE desk = ? AND id > ? ORDER BY id LIMIT ?",
            (desk, after, most),
        )
        return [from_row(Escalation, row) for row in rows]

    def change(self, escalation: Escalation) -> bool:
        """Write down who has it, that more was said, or that it is closed; whether it was open."""
        changed = self._rows.change(
            "UPDATE escalation SET owner = ?, taken_at = ?, said = ?, overdue_at = ?,"
            " closed_at = ?, closed_by = ? WHERE desk = ? AND id = ? AND closed_at IS NULL",
            (
                escalation.owner,
                escalation.taken_at,
                escalation.said,
                escalation.overdue_at,
                escalation.closed_at,
                escalation.closed_by,
                escalation.desk,
                escalation.id,
            ),
        )
        return changed == 1
