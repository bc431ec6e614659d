"""The log on PostgreSQL, where several gateways extend one tree.

What a batch appends is kept in memory until its end. Then it locks the head of each tree, takes the
next indexes, writes the entries and the new head, and commits: whoever holds the head's row is the
one sequencer of that desk for this moment. So indexes have no gap, a transaction that began early
and ends late is simply later in the log, and no snapshot ever sees a row without its entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handrail.core import merkle
from handrail.core.entry import Entry, encode_entry
from handrail.core.merkle import EMPTY_FRONTIER, Frontier
from handrail.errors import InvariantBroken
from handrail.store.log import Log, LoggedEntry, Trees, echo_of
from handrail.store.rows import Rows

__all__ = ["UNPLACED", "SequencedLog"]

UNPLACED: Final = -1
"""The index of an entry whose transaction has not ended."""

_Leaf = tuple[Entry, bytes, bytes, str | None]


class SequencedLog(Log):
    """A log whose entries are placed at the end of the transaction.

    `seen` are the sizes that this process knows to be committed: a head below one of them means
    that the database has lost what it had promised.
    """

    def __init__(self, rows: Rows, seen: Mapping[str, int]) -> None:
        super().__init__(rows, {})
        self._seen = seen
        self._unplaced: dict[str, list[_Leaf]] = {}

    def append(self, entry: Entry, *, by_person: bool = False) -> None:
        leaf = encode_entry(entry)
        person = entry.actor if by_person else None
        placed = (entry, leaf, merkle.leaf_hash(leaf), person)
        self._unplaced.setdefault(entry.desk, []).append(placed)

    def mark(self) -> dict[str, int]:
        return {desk: len(leaves) for desk, leaves in self._unplaced.items()}

    def back_to(self, mark: dict[str, int]) -> None:
        for desk, leaves in self._unplaced.items():
            del leaves[mark.get(desk, 0) :]

    def of_proposal(self, desk: str, proposal: str) -> list[LoggedEntry]:
        own = [
            LoggedEntry(index=UNPLACED, leaf=leaf, entry=entry)
            for entry, leaf, _, _ in self._unplaced.get(desk, ())
            if entry.proposal == proposal
        ]
        return super().of_proposal(desk, proposal) + own

    def integrate(self) -> Trees:
        grown: Trees = {}
        # INVARIANT: heads are locked last, and in one order, so that no two gateways wait for
        # each other here.
        for desk in sorted(self._unplaced):
            leaves = self._unplaced[desk]
            if leaves:
                grown[desk] = self._extended(desk, self._locked_head(desk), leaves)
        self._unplaced.clear()
        return grown

    def _locked_head(self, desk: str) -> Frontier:
        """The edge of the desk's tree, which nobody else moves until the commit."""
        wanted = "SELECT frontier FROM tree WHERE desk = ? FOR UPDATE"
        row = self._rows.one(wanted, (desk,))
        if row is None:
            self._rows.put(
                "INSERT INTO tree (desk, size, frontier) VALUES (?, 0, ?)"
                " ON CONFLICT (desk) DO NOTHING",
                (desk, EMPTY_FRONTIER.to_bytes()),
            )
            row = self._rows.one(wanted, (desk,))
        assert row is not None
        assert isinstance(row[0], bytes)
        head = Frontier.from_bytes(row[0])
        if head.size < self._seen.get(desk, 0):
            raise InvariantBroken(
                "log_shrunk",
                f"the log of `{desk}` has {head.size} entries and had {self._seen[desk]}: the"
                " database has lost what it had promised to keep",
            )
        return head

    def _extended(self, desk: str, old: Frontier, leaves: list[_Leaf]) -> Frontier:
        for index, (entry, leaf, hashed, person) in enumerate(leaves, start=old.size):
            self._rows.put(
                "INSERT INTO entry (desk, idx, tag, person, proposal, leaf, echo)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (desk, index, entry.tag, person, entry.proposal, leaf, echo_of(index, hashed)),
            )
        new = merkle.extend(old, [hashed for _, _, hashed, _ in leaves])
        self._rows.put(
            "UPDATE tree SET size = ?, frontier = ? WHERE desk = ?",
            (new.size, new.to_bytes(), desk),
        )
        for level, number in merkle.full_tiles(old.size, new.size):
            self._write_tile(desk, level, number)
        return new
