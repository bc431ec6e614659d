"""The log: one RFC 6962 tree per desk, integrated in the transaction of the change it records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from handrail.core import merkle
from handrail.core.entry import Entry, decode_entry, encode_entry
from handrail.core.merkle import EMPTY_FRONTIER, Frontier
from handrail.errors import InvariantBroken
from handrail.store.rows import Rows

__all__ = ["CheckpointRow", "Log", "LoggedEntry", "Trees", "echo_of"]

Trees = dict[str, Frontier]
"""The right edge of each desk's tree, as of the last commit."""

_SCAN_ROWS: Final = 512


class LoggedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with its index in the desk's tree and the leaf exactly as stored."""

    index: int
    leaf: bytes
    entry: Entry


class CheckpointRow(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that was signed: a tree size and the signed note."""

    size: int
    note: str
    at: int


class Log:
    """Append and read entries. Appended leaves become part of the tree at `integrate`."""

    def __init__(self, rows: Rows, trees: Trees) -> None:
        self._rows = rows
        self._trees = trees
        self._waiting: dict[str, list[bytes]] = {}

    def append(self, entry: Entry, *, by_person: bool = False) -> None:
        """Write one entry. With `by_person` it is found by its actor.

        Its index is known when the transaction is committed, and no earlier.
        """
        leaf = encode_entry(entry)
        desk = entry.desk
        waiting = self._waiting.get(desk)
        if waiting is None:
            waiting = self._waiting[desk] = []
        index = self._tree(desk).size + len(waiting)
        person = entry.actor if by_person else None
        hashed = merkle.leaf_hash(leaf)
        self._rows.change(
            "INSERT INTO entry (desk, idx, tag, person, proposal, leaf, echo)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (desk, index, entry.tag, person, entry.proposal, leaf, echo_of(index, hashed)),
        )
        waiting.append(hashed)

    def mark(self) -> dict[str, int]:
        """How many leaves wait per desk."""
        return {desk: len(leaves) for desk, leaves in self._waiting.items()}

    def back_to(self, mark: dict[str, int]) -> None:
        """Drop the leaves of a unit that failed."""
        for desk, leaves in self._waiting.items():
            del leaves[mark.get(desk, 0) :]

    def integrate(self) -> Trees:
        """Extend the trees by the waiting leaves and write heads and full tiles."""
        grown: Trees = {}
        for desk, leaves in self._waiting.items():
            if not leaves:
                continue
            old = self._tree(desk)
            new = merkle.extend(old, leaves)
            self._rows.change(
                "INSERT INTO tree (desk, size, frontier) VALUES (?, ?, ?) ON CONFLICT (desk)"
                " DO UPDATE SET size = excluded.size, frontier = excluded.frontier",
                (desk, new.size, new.to_bytes()),
            )
            for level, number in merkle.full_tiles(old.size, new.size):
                self._write_tile(desk, level, number)
            grown[desk] = new
        self._waiting.clear()
        return grown

    def size(self, desk: str) -> int:
        """How many entries the desk's log has."""
        return self._tree(desk).size

    def head(self, desk: str) -> Frontier:
        """The right edge of the desk's tree."""
        return self._tree(desk)

    def entry(self, desk: str, index: int) -> LoggedEntry | None:
        """One entry by its index."""
        row = self._rows.one("SELECT leaf FROM entry WHERE desk = ? AND idx = ?", (desk, index))
        return None if row is None else _logged(index, row[0])

    def of_proposal(self, desk: str, proposal: str) -> list[LoggedEntry]:
        """Every entry about one proposal, in order."""
        rows = self._rows.all(
            "SELECT idx, leaf FROM entry WHERE desk = ? AND proposal = ? ORDER BY idx",
            (desk, proposal),
        )
        return [_logged(index, leaf) for index, leaf in rows]

    def of_person(self, desk: str, person: str, *, most: int) -> list[LoggedEntry]:
        """The newest entries that a person caused, in order."""
        rows = self._rows.all(
            "SELECT idx, leaf FROM entry WHERE desk = ? AND person = ? ORDER BY idx DESC LIMIT ?",
            (desk, person, most),
        )
        return [_logged(index, leaf) for index, leaf in reversed(rows)]

    def tagged(self, desk: str, person: str, tag: str, *, most: int) -> list[LoggedEntry]:
        """The newest entries of one tag that a person caused, in order."""
        rows = self._rows.all(
            "SELECT idx, leaf FROM entry WHERE desk = ? AND person = ? AND tag = ?"
            " ORDER BY idx DESC LIMIT ?",
            (desk, person, tag, most),
        )
        return [_logged(index, leaf) for index, leaf in reversed(rows)]

    def latest(self, desk: str, *, before: int, most: int) -> list[LoggedEntry]:
        """The newest entries below an index, newest first."""
        rows = self._rows.all(
            "SELECT idx, leaf FROM entry WHERE desk = ? AND idx < ? ORDER BY idx DESC LIMIT ?",
            (desk, before, most),
        )
        return [_logged(index, leaf) for index, leaf in rows]

    def following(self, desk: str, start: int, *, most: int) -> list[LoggedEntry]:
        """The entries from an index on, oldest first."""
        rows = self._rows.all(
            "SELECT idx, leaf FROM entry WHERE desk = ? AND idx >= ? ORDER BY idx LIMIT ?",
            (desk, start, most),
        )
        return [_logged(index, leaf) for index, leaf in rows]

    def scan(
        self, desk: str, start: int = 0
    ) -> Iterator[tuple[int, str | None, str | None, bytes]]:
        """(index, person, proposal, leaf) of every entry from `start`, in order, streamed."""
        rows = self._rows.each(
            "SELECT idx, person, proposal, leaf FROM entry WHERE desk = ? AND idx >= ?"
            " ORDER BY idx",
            (desk, start),
        )
        return rows  # type: ignore[return-value]

    def leaf(self, desk: str, index: int) -> bytes | None:
        """The stored bytes of one entry."""
        row = self._rows.one("SELECT leaf FROM entry WHERE desk = ? AND idx = ?", (desk, index))
        return None if row is None or not isinstance(row[0], bytes) else row[0]

    def first_odd(self, desk: str) -> int | None:
        """The first entry that no longer is what was written at its index, or None."""
        start = 0
        while True:
            rows = self._rows.all(
                "SELECT idx, leaf, echo FROM entry WHERE desk = ? AND idx >= ?"
                " ORDER BY idx LIMIT ?",
                (desk, start, _SCAN_ROWS),
            )
            for index, leaf, echo in rows:
                assert isinstance(index, int)
                if not isinstance(leaf, bytes) or echo_of(index, merkle.leaf_hash(leaf)) != echo:
                    return index
            if len(rows) < _SCAN_ROWS:
                return None
            start = int(rows[-1][0] or 0) + 1

    def tile(self, desk: str, level: int, number: int) -> bytes | None:
        """The hashes of a full tile as stored, one after the other; None when it is not there."""
        row = self._rows.one(
            "SELECT hashes FROM tile WHERE desk = ? AND level = ? AND n = ?", (desk, level, number)
        )
        return None if row is None or not isinstance(row[0], bytes) else row[0]

    def tile_count(self, desk: str) -> int:
        """How many tiles are stored."""
        row = self._rows.one("SELECT count(*) FROM tile WHERE desk = ?", (desk,))
        return 0 if row is None else int(row[0] or 0)

    def stored_edge(self, desk: str) -> tuple[int, bytes]:
        """The tree's size and edge exactly as stored, whatever they are; for verifying."""
        row = self._rows.one("SELECT size, frontier FROM tree WHERE desk = ?", (desk,))
        if row is None or not isinstance(row[1], bytes):
            return 0, EMPTY_FRONTIER.to_bytes()
        return int(row[0] or 0), row[1]

    def hash_at(self, desk: str, level: int, number: int) -> bytes:
        """The hash of the complete subtree of 2**level leaves that starts at number * 2**level."""
        place = merkle.tile_place(level, number)
        tile = self._tile(desk, place.level, place.number)
        if tile is not None:
            return merkle.root_of(tile[place.start : place.end])
        first = place.number * merkle.TILE_WIDTH
        wanted = range(first + place.start, first + place.end)
        if place.level == 0:
            return merkle.root_of(self._leaf_hashes(desk, wanted.start, len(wanted)))
        below = (self._full_tile(desk, place.level - 1, n) for n in wanted)
        return merkle.root_of([merkle.root_of(hashes) for hashes in below])

    def add_checkpoint(self, desk: str, checkpoint: CheckpointRow) -> None:
        """Keep a signed checkpoint; one per size."""
        self._rows.change(
            "INSERT INTO checkpoint (desk, size, note, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (desk, size) DO NOTHING",
            (desk, checkpoint.size, checkpoint.note, checkpoint.at),
        )

    def checkpoints(self, desk: str) -> list[CheckpointRow]:
        """Every checkpoint in the database, by size."""
        rows = self._rows.all(
            "SELECT size, note, at FROM checkpoint WHERE desk = ? ORDER BY size", (desk,)
        )
        return [
            CheckpointRow(size=int(size or 0), note=str(note), at=int(at or 0))
            for size, note, at in rows
        ]

    def latest_checkpoint(self, desk: str) -> CheckpointRow | None:
        """The checkpoint of the largest size."""
        row = self._rows.one(
            "SELECT size, note, at FROM checkpoint WHERE desk = ? ORDER BY size DESC LIMIT 1",
            (desk,),
        )
        if row is None:
            return None
        return CheckpointRow(size=int(row[0] or 0), note=str(row[1]), at=int(row[2] or 0))

    def _tree(self, desk: str) -> Frontier:
        tree = self._trees.get(desk)
        if tree is None:
            row = self._rows.one("SELECT frontier FROM tree WHERE desk = ?", (desk,))
            stored = b"" if row is None or not isinstance(row[0], bytes) else row[0]
            tree = Frontier.from_bytes(stored) if stored else EMPTY_FRONTIER
            self._trees[desk] = tree
        return tree

    def _leaf_hashes(self, desk: str, start: int, width: int) -> list[bytes]:
        rows = self._rows.all(
            "SELECT leaf FROM entry WHERE desk = ? AND idx >= ? AND idx < ? ORDER BY idx",
            (desk, start, start + width),
        )
        return [merkle.leaf_hash(leaf) for (leaf,) in rows if isinstance(leaf, bytes)]

    def _tile(self, desk: str, level: int, number: int) -> list[bytes] | None:
        hashes = self.tile(desk, level, number)
        if hashes is None:
            return None
        return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]

    def _full_tile(self, desk: str, level: int, number: int) -> list[bytes]:
        tile = self._tile(desk, level, number)
        if tile is None:
            raise InvariantBroken("log_damaged", f"tile {level}/{number} of the log is gone")
        return tile

    def _write_tile(self, desk: str, level: int, number: int) -> None:
        first = number * merkle.TILE_WIDTH
        if level == 0:
            hashes = self._leaf_hashes(desk, first, merkle.TILE_WIDTH)
        else:
            below = range(first, first + merkle.TILE_WIDTH)
            hashes = [merkle.root_of(self._full_tile(desk, level - 1, n)) for n in below]
        if len(hashes) != merkle.TILE_WIDTH:
            raise InvariantBroken("log_damaged", "entries of the log are gone")
        self._rows.change(
            "INSERT INTO tile (desk, level, n, hashes) VALUES (?, ?, ?, ?)",
            (desk, level, number, b"".join(hashes)),
        )


def echo_of(index: int, hashed: bytes) -> int:
    """What is stored beside an entry to name it should it change: part of its hash, and its index.

    A signed 64-bit number, as databases keep them.
    """
    return int.from_bytes(hashed[:8], "big", signed=True) ^ index


def _logged(index: object, leaf: object) -> LoggedEntry:
    assert isinstance(index, int)
    assert isinstance(leaf, bytes)
    return LoggedEntry(index=index, leaf=leaf, entry=decode_entry(leaf))
