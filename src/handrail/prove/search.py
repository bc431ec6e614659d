"""What is wrong with a log that is not whole: every entry, checkpoint and row looked at with care.

Nothing here trusts what it reads: a row or an entry that cannot even be read is a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from handrail.core import merkle
from handrail.core.entry import Entry, Tag, decode_entry
from handrail.core.merkle import Frontier
from handrail.core.note import Checkpoint
from handrail.core.proposal import Proposal
from handrail.prove.others import Told, odd_others, tell
from handrail.prove.rows import UNREADABLE, odd_rows
from handrail.prove.tiled import TiledTree
from handrail.store.protocol import Tx

__all__ = ["Find", "search"]

_PAGE_ROWS: Final = 1000


class Find(Protocol):
    """Takes down one thing that is wrong."""

    def __call__(
        self, what: str, *, index: int | None = None, proposal: str | None = None
    ) -> None: ...


def search(
    tx: Tx, desk: str, signed: Sequence[Checkpoint], find: Find, *, rows: bool
) -> tuple[Frontier, int]:
    """Say everything that is wrong.

    Returns the edge of the tree as the entries give it, and how many actions there are.
    """
    return _Search(tx, desk, find).run(signed, rows=rows)


class _Search:
    """One careful pass over a snapshot."""

    def __init__(self, tx: Tx, desk: str, find: Find) -> None:
        self._tx = tx
        self._desk = desk
        self._find = find
        self._odd = tx.log.first_odd(desk)
        self._told: Told = {}
        self._proposed: dict[str, None] = {}

    def run(self, signed: Sequence[Checkpoint], *, rows: bool) -> tuple[Frontier, int]:
        """The whole of it."""
        if self._odd is not None:
            self._find("an entry is not what was written at its index", index=self._odd)
        head = self._entries(signed)
        self._edge(head)
        return head, self._rows() if rows else 0

    def _entries(self, signed: Sequence[Checkpoint]) -> Frontier:
        """Hash every leaf in order; at each signed size the root must be the signed one."""
        tree = TiledTree(self._tx, self._desk, self._tile)
        due, good, expected = list(reversed(signed)), 0, 0
        for index, person, proposal, leaf in self._tx.log.scan(self._desk):
            if index != expected:
                self._find("entries are missing from the log", index=expected)
                if self._odd is None or expected < self._odd:
                    self._odd = expected
                expected = index
            self._entry(index, person, proposal, leaf)
            tree.extend((merkle.leaf_hash(leaf),))
            expected += 1
            while due and due[-1].size <= expected:
                wanted = due.pop()
                if wanted.size == tree.size and merkle.root(tree.edge) == wanted.root:
                    good = wanted.size
                elif wanted.size:
                    self._differs(good, wanted.size)
        tree.check_count()
        if due:
            wanted = due[-1]
            what = f"a signed checkpoint covers {wanted.size} entries, the log has {expected}"
            self._find(what + ": its tail was cut", index=expected)
        return tree.edge

    def _differs(self, good: int, size: int) -> None:
        """Between a root that is right and one that is wrong lies the first bad entry."""
        known = self._odd is not None and good <= self._odd < size
        what = f"the first {size} entries no longer give the root that was signed for them"
        self._find(what, index=self._odd if known else good)

    def _tile(self, level: int, number: int) -> None:
        # No index: the entries below may be the right ones, and the tile the wrong one.
        self._find(f"tile {level}/{number} of the tree is not what the entries give")

    def _entry(self, index: int, person: str | None, proposal: str | None, leaf: bytes) -> None:
        try:
            entry: Entry = decode_entry(leaf)
        except UNREADABLE:
            self._find("an entry is not readable", index=index)
            if proposal is not None:
                self._proposed[proposal] = None
            return
        if entry.desk != self._desk or entry.proposal != proposal:
            self._find("an entry is filed under another action or desk", index=index)
        if person is not None and entry.actor != person:
            self._find("an entry is filed under another person", index=index)
        tell(self._told, index, entry)
        if entry.tag == Tag.ACTION_PROPOSED.value and entry.proposal is not None:
            self._proposed[entry.proposal] = None

    def _edge(self, head: Frontier) -> None:
        """The stored right edge must be that of the entries."""
        size, edge = self._tx.log.stored_edge(self._desk)
        if (size, edge) == (head.size, head.to_bytes()):
            return
        index = self._odd
        if index is None and size != head.size:
            index = min(max(size, 0), head.size)
        self._find("the log's entries are not those of its stored tree", index=index)

    def _rows(self) -> int:
        """Every action that the log tells of must be there as its last entry says, and no other."""
        seen = 0
        for id in self._proposed:
            try:
                proposal = self._tx.proposals.get(self._desk, id)
            except UNREADABLE:
                seen += 1
                self._find("the row of an action is not readable", proposal=id)
                continue
            if proposal is None:
                self._find("an action was removed", proposal=id)
                continue
            seen += 1
            self._action(proposal)
        count = self._tx.proposals.count(self._desk)
        if count > seen:
            self._unknown(count - seen)
        for what, index in odd_others(self._tx, self._desk, self._told):
            self._find(what, index=index)
        return count

    def _unknown(self, count: int) -> None:
        """Name the actions that the log does not know, as far as they can be read."""
        self._find(f"the database has {count} actions that the log does not know")
        after = ""
        try:
            while page := self._tx.proposals.page(self._desk, after=after, most=_PAGE_ROWS):
                for proposal in page:
                    if proposal.id not in self._proposed:
                        self._find("an action was added outside the log", proposal=proposal.id)
                after = page[-1].id
        except UNREADABLE:
            return

    def _action(self, proposal: Proposal) -> None:
        for what, index in odd_rows(self._tx, proposal):
            self._find(what, index=index, proposal=proposal.id)
