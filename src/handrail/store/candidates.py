"""Candidate policies, and where they decide otherwise."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.contrast import Candidate, Contrast
from handrail.store.rows import Rows, from_row, insert_sql, select_sql, to_row

__all__ = ["Candidates", "Differing"]

_SELECT: Final = select_sql("candidate", Candidate)
_CONTRASTS: Final = select_sql("contrast", Contrast)


class Differing(msgspec.Struct, frozen=True, kw_only=True):
    """So many actions of one kind differ in one way; `example` is the newest of them."""

    kind: str
    direction: str
    live_control: str
    live_checkers: int
    live_grade: int
    control: str
    checkers: int
    grade: int
    n: int
    example: str


class Candidates:
    """Rows of candidates and contrasts."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, candidate: Candidate) -> None:
        """A new one that runs from now on. The database refuses a second one beside it."""
        self._rows.change(insert_sql("candidate", Candidate), to_row(candidate))

    def running(self, desk: str) -> Candidate | None:
        """The one that decides beside the active policy of a desk."""
        row = self._rows.one(_SELECT + " WHERE desk = ? AND stopped_at IS NULL", (desk,))
        return None if row is None else from_row(Candidate, row)

    def all_running(self) -> dict[str, str]:
        """The id of the one that runs, of every desk that has one."""
        rows = self._rows.all("SELECT desk, id FROM candidate WHERE stopped_at IS NULL")
        return {str(desk): str(id) for desk, id in rows}

    def latest(self, desk: str) -> Candidate | None:
        """The one that runs, or else the last one that did."""
        running = self.running(desk)
        if running is not None:
            return running
        last = " WHERE desk = ? ORDER BY stopped_at DESC, id DESC LIMIT 1"
        row = self._rows.one(_SELECT + last, (desk,))
        return None if row is None else from_row(Candidate, row)

    def everything(self, desk: str) -> list[Candidate]:
        """Every one that there ever was, by id."""
        rows = self._rows.all(_SELECT + " WHERE desk = ? ORDER BY id", (desk,))
        return [from_row(Candidate, row) for row in rows]

    def stop(self, candidate: Candidate) -> bool:
        """Write down who stopped it and when; whether it still ran."""
        changed = self._rows.change(
            "UPDATE candidate SET stopped_at = ?, stopped_by = ?"
            " WHERE desk = ? AND id = ? AND stopped_at IS NULL",
            (candidate.stopped_at, candidate.stopped_by, candidate.desk, candidate.id),
        )
        return changed == 1

    def note(self, contrast: Contrast) -> None:
        """One action that it decides otherwise."""
        self._rows.put(insert_sql("contrast", Contrast), to_row(contrast))

    def differing(self, desk: str, candidate: str) -> list[Differing]:
        """All that it decides otherwise, counted."""
        groups = (
            "kind, direction, live_control, live_checkers, live_grade, control, checkers, grade"
        )
        rows = self._rows.all(
            f"SELECT {groups}, count(*), max(proposal) FROM contrast"
            f" WHERE desk = ? AND candidate = ? GROUP BY {groups} ORDER BY {groups}",
            (desk, candidate),
        )
        return [from_row(Differing, row) for row in rows]

    def contrasts(
        self, desk: str, candidate: str, *, before: str = "~", most: int
    ) -> list[Contrast]:
        """The actions that it decides otherwise, newest first; `before` is the last one's id."""
        where = " WHERE desk = ? AND candidate = ? AND proposal < ?"
        rows = self._rows.all(
            f"{_CONTRASTS}{where} ORDER BY proposal DESC LIMIT ?", (desk, candidate, before, most)
        )
        return [from_row(Contrast, row) for row in rows]
