"""Looks: who was shown which version of an action, who has taken it, and when it was decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from handrail.core.attention import Look
from handrail.core.lifecycle import FINAL
from handrail.core.review import Verdict
from handrail.store.rows import Rows, Value, columns_of, from_row, insert_sql, select_sql, to_row

__all__ = ["Looks"]

_SELECT: Final = select_sql("look", Look)
_SHOWN: Final = (
    insert_sql("look", Look) + " ON CONFLICT (desk, proposal, statement, person) DO UPDATE"
    " SET seen_at = excluded.seen_at"
)
_OF_LOOK: Final = " WHERE desk = ? AND proposal = ? AND statement = ? AND person = ?"
_FINAL: Final = tuple(sorted(state.value for state in FINAL))
_COLUMNS: Final = ", ".join(f"l.{name}" for name in columns_of(Look))


class Looks:
    """Rows of looks. Each is of one person, one action and one version of it."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def show(self, look: Look) -> None:
        """Note that something is shown. What was shown before keeps its first time."""
        self._rows.change(_SHOWN, to_row(look))

    def get(self, desk: str, proposal: str, statement: str, person: str) -> Look | None:
        """One person's look at one version."""
        row = self._rows.one(_SELECT + _OF_LOOK, (desk, proposal, statement, person))
        return None if row is None else from_row(Look, row)

    def take(self, look: Look, until: int | None) -> None:
        """Take it until then; with None, let go of it."""
        key = (look.desk, look.proposal, look.statement, look.person)
        self._rows.change("UPDATE look SET taken_until = ?" + _OF_LOOK, (until, *key))

    def decide(
        self, desk: str, proposal: str, statement: str, person: str, verdict: Verdict, at: int
    ) -> None:
        """Note what somebody decided, if they were shown it here."""
        self._rows.change(
            "UPDATE look SET decided_at = ?, verdict = ?" + _OF_LOOK,
            (at, verdict.value, desk, proposal, statement, person),
        )

    def of_action(self, desk: str, proposal: str) -> list[Look]:
        """Everybody's looks at every version of an action, the first showing first."""
        where = " WHERE desk = ? AND proposal = ? ORDER BY first_at, person, statement"
        rows = self._rows.all(_SELECT + where, (desk, proposal))
        return [from_row(Look, row) for row in rows]

    def prune(self, desk: str, before: int, *, most: int) -> int:
        """Forget looks last seen before then, at actions that ended before then; how many."""
        places = ", ".join("?" * len(_FINAL))
        rows = self._rows.all(
            "SELECT l.proposal, l.statement, l.person FROM look l JOIN proposal p"
            " ON p.desk = l.desk AND p.id = l.proposal WHERE l.desk = ? AND l.seen_at < ?"
            f" AND p.updated_at < ? AND p.state IN ({places}) ORDER BY l.seen_at LIMIT ?",
            (desk, before, before, *_FINAL, most),
        )
        for row in rows:
            self._rows.change("DELETE FROM look" + _OF_LOOK, (desk, *row))
        return len(rows)

    def around(self, desk: str, proposals: Sequence[str], *, since: int, now: int) -> list[Look]:
        """Who was shown these actions since then, or has taken them still."""
        if not proposals:
            return []
        places = ", ".join("?" * len(proposals))
        where = (
            f" WHERE desk = ? AND proposal IN ({places}) AND (seen_at > ? OR taken_until > ?)"
            " ORDER BY first_at, person"
        )
        rows = self._rows.all(_SELECT + where, (desk, *proposals, since, now))
        return [from_row(Look, row) for row in rows]

    def decided_by(self, desk: str, person: str, *, since: int, most: int) -> list[Look]:
        """What one person decided since then, newest first."""
        where = " WHERE desk = ? AND person = ? AND decided_at > ?"
        where += " ORDER BY decided_at DESC LIMIT ?"
        rows = self._rows.all(_SELECT + where, (desk, person, since, most))
        return [from_row(Look, row) for row in rows]

    def decided(self, desk: str, *, since: int, most: int) -> list[Look]:
        """What everybody decided since then, newest first, but for what still waits for others.

        That somebody has decided what still waits would tell a further checker what they said.
        """
        values: tuple[Value, ...] = (desk, since, most)
        rows = self._rows.all(
            f"SELECT {_COLUMNS} FROM look l JOIN proposal p ON p.desk = l.desk AND p.id ="
            " l.proposal WHERE l.desk = ? AND l.decided_at > ? AND p.state <> 'PENDING'"
            " ORDER BY l.decided_at DESC LIMIT ?",
            values,
        )
        return [from_row(Look, row) for row in rows]

    def people_since(self, desk: str, since: int) -> list[str]:
        """Who was shown anything since then, by id."""
        rows = self._rows.all(
            "SELECT DISTINCT person FROM look WHERE desk = ? AND seen_at > ? ORDER BY person",
            (desk, since),
        )
        return [str(row[0]) for row in rows]
