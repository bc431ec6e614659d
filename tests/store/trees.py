"""A second, slow way to the roots of RFC 6962, straight from its text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

__all__ = ["LeafRoots", "slow_root"]


def slow_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, over the leaves' own bytes, by recursion."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    left, right = slow_root(leaves[:half]), slow_root(leaves[half:])
    return hashlib.sha256(b"\x01" + left + right).digest()


class LeafRoots:
    """Roots of many beginnings of one long list of leaves, remembering complete subtrees."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves
        self._known: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves."""
        return self._range(0, size)

    def _range(self, start: int, end: int) -> bytes:
        width = end - start
        if width <= 1:
            return slow_root(self._leaves[start:end])
        known = self._known.get((start, end))
        if known is not None:
            return known
        half = 1
        while half * 2 < width:
            half *= 2
        left, right = self._range(start, start + half), self._range(start + half, end)
        node = hashlib.sha256(b"\x01" + left + right).digest()
        if width & (width - 1) == 0:
            self._known[start, end] = node
        return node
