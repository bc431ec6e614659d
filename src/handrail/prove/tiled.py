"""The tree of a log as it grows leaf by leaf, held against the tiles that are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from handrail.core import merkle
from handrail.core.merkle import EMPTY_FRONTIER, Frontier
from handrail.store.protocol import Tx

__all__ = ["TiledTree"]

_WIDTH: Final = merkle.TILE_WIDTH


class TiledTree:
    """Takes leaf hashes in order. `odd` is called with every full tile that is not as stored.

    It costs no more hashing than the tree alone: a full tile's root is the tree's own node.
    """

    def __init__(self, tx: Tx, desk: str, odd: Callable[[int, int], None]) -> None:
        self._tx = tx
        self._desk = desk
        self._odd = odd
        self._tiles = EMPTY_FRONTIER
        self._part = EMPTY_FRONTIER
        self._rows: list[list[bytes]] = [[]]

    @property
    def size(self) -> int:
        """How many leaves it has taken."""
        return self._tiles.size * _WIDTH + self._part.size

    @property
    def edge(self) -> Frontier:
        """The right edge of the tree as it is now."""
        return Frontier(size=self.size, hashes=self._tiles.hashes + self._part.hashes)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Take the next leaf hashes."""
        at = 0
        while at < len(leaves):
            piece = leaves[at : at + _WIDTH - self._part.size]
            at += len(piece)
            self._part = merkle.extend(self._part, piece)
            self._rows[0] += piece
            if self._part.size == _WIDTH:
                (top,) = self._part.hashes
                self._close(0, top)
                self._tiles, self._part = merkle.append(self._tiles, top), EMPTY_FRONTIER

    def check_count(self) -> None:
        """Say `odd` of the number of tiles when more are stored than the leaves fill."""
        full, width = 0, _WIDTH
        while width <= self.size:
            full, width = full + self.size // width, width * _WIDTH
        if self._tx.log.tile_count(self._desk) > full:
            self._odd(0, self.size // _WIDTH)

    def _close(self, level: int, top: bytes) -> None:
        """A tile is full: compare it, and hand its root to the level above."""
        hashes = self._rows[level]
        number = (self.size - 1) // _WIDTH ** (level + 1)
        if b"".join(hashes) != self._tx.log.tile(self._desk, level, number):
            self._odd(level, number)
        hashes.clear()
        if len(self._rows) == level + 1:
            self._rows.append([])
        above = self._rows[level + 1]
        above.append(top)
        if len(above) == _WIDTH:
            self._close(level + 1, merkle.root_of(above))
