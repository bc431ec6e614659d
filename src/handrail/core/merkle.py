"""The Merkle tree of the log: RFC 6962 hashes and proofs, and the C2SP tile geometry.

A leaf is hashed as SHA-256(0x00 || data), a node as SHA-256(0x01 || left || right). A tree of n
leaves splits at the largest power of two below n. Nothing here stores a tree: the writer carries a
`Frontier` (at most 63 hashes) and appends to it; proofs ask for the hashes they need.

Leaves and entries count from 0. All hashes are 32 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final, Self

import msgspec

from handrail.errors import InvariantBroken, NotFound

__all__ = [
    "EMPTY_FRONTIER",
    "EMPTY_ROOT",
    "HASH_BYTES",
    "TILE_HEIGHT",
    "TILE_WIDTH",
    "Frontier",
    "HashAt",
    "TilePlace",
    "append",
    "consistency_proof",
    "extend",
    "full_tiles",
    "inclusion_proof",
    "leaf_hash",
    "leaf_hashes",
    "node_hash",
    "root",
    "root_of",
    "tile_place",
    "verify_consistency",
    "verify_inclusion",
]

HASH_BYTES: Final = 32
"""Bytes of one SHA-256 hash."""

TILE_HEIGHT: Final = 8
"""Levels of the tree that one tile spans (C2SP tlog-tiles)."""

TILE_WIDTH: Final = 1 << TILE_HEIGHT
"""Hashes in a full tile."""

EMPTY_ROOT: Final = sha256(b"").digest()
"""Root of the tree without leaves."""

HashAt = Callable[[int, int], bytes]
"""`hash_at(level, n)`: the hash of the complete subtree of the `2**level` leaves that start at leaf
`n * 2**level`. Proofs ask only for subtrees that are complete in the tree they are about."""

_SIZE_BYTES: Final = 8
_SIZE_MAX: Final = 2**63 - 1


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one entry's bytes (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + data).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Return the hashes of many entries' bytes, as `leaf_hash` does one by one, but faster."""
    return [sha256(b"\x00" + data).digest() for data in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees side by side (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier(msgspec.Struct, frozen=True, kw_only=True):
    """All of a tree that is needed to append to it and to know its root.

    `hashes` are the roots of the perfect subtrees that the leaves fall into, from the largest
    (leftmost) to the smallest: one for each bit set in `size`.
    """

    size: int
    hashes: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """Return `size` as 8 bytes, big-endian, and then the hashes: one database value."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read back what `to_bytes` wrote.

        Raises InvariantBroken `log_damaged` when the hashes do not fit the size.
        """
        size = int.from_bytes(data[:_SIZE_BYTES], "big")
        count = size.bit_count()
        if size > _SIZE_MAX or len(data) != _SIZE_BYTES + count * HASH_BYTES:
            raise InvariantBroken("log_damaged", "the stored edge of the log's tree is damaged")
        starts = range(_SIZE_BYTES, len(data), HASH_BYTES)
        return cls(size=size, hashes=tuple(data[at : at + HASH_BYTES] for at in starts))


EMPTY_FRONTIER: Final = Frontier(size=0, hashes=())
"""The edge of the tree without leaves."""


def append(frontier: Frontier, leaf: bytes) -> Frontier:
    """Return the frontier with one more leaf, given that leaf's hash."""
    return extend(frontier, (leaf,))


def extend(frontier: Frontier, leaves: Sequence[bytes]) -> Frontier:
    """Return the frontier with more leaves, given their hashes in order.

    Costs one SHA-256 a leaf, and copies the edge once.
    """
    hashes, size = list(frontier.hashes), frontier.size
    start, end = 0, len(leaves)
    while start < end:
        # the largest perfect subtree that starts at this place and is all there
        width = 1 << ((end - start).bit_length() - 1)
        if size:
            width = min(width, size & -size)
        node = leaves[start] if width == 1 else _perfect_root(leaves[start : start + width])
        start += width
        bits = size // width
        while bits & 1:
            node = sha256(b"\x01" + hashes.pop() + node).digest()
            bits >>= 1
        hashes.append(node)
        size += width
    return Frontier(size=size, hashes=tuple(hashes))


def root(frontier: Frontier) -> bytes:
    """Return the root hash of the whole tree."""
    return _folded(frontier.hashes)


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root of the tree whose leaves have these hashes: a tile's, or a part's."""
    return root(extend(EMPTY_FRONTIER, hashes))


def inclusion_proof(index: int, size: int, hash_at: HashAt) -> tuple[bytes, ...]:
    """Return the audit path of leaf `index` in the tree of `size` leaves (RFC 6962 section 2.1.1).

    From the leaf's sibling up to the root's child. Raises NotFound `entry_not_found` unless
    `0 <= index < size`.
    """
    if not 0 <= index < size:
        raise NotFound("entry_not_found", f"there is no entry `{index}` in a log of `{size}`")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(middle, end, hash_at))
            end = middle
        else:
            path.append(_range_root(start, middle, hash_at))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, size: int, hash_at: HashAt) -> tuple[bytes, ...]:
    """Return the proof that the tree of `size` leaves only adds to that of `old` leaves.

    RFC 6962 section 2.1.2; empty when `old` is 0 or `size`. Raises NotFound `entry_not_found`
    unless `0 <= old <= size`.
    """
    if not 0 <= old <= size:
        raise NotFound("entry_not_found", f"a log of `{size}` entries does not go back to `{old}`")
    if old in (0, size):
        return ()
    path: list[bytes] = []
    start, end = 0, size
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_root(middle, end, hash_at))
            end = middle
        else:
            path.append(_range_root(start, middle, hash_at))
            start = middle
    if start:  # at 0 it is the old root itself, which the verifier has
        path.append(_range_root(start, end, hash_at))
    return tuple(reversed(path))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Return whether the proof shows that leaf hash `leaf` is entry `index` of the tree `root`.

    The algorithm of RFC 9162 section 2.1.3.2. Never raises: a proof of another length, of other
    hashes or for an index outside the tree is False.
    """
    if not 0 <= index < size or not _all_hashes((leaf, *proof, root)):
        return False
    at, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and node == root


def verify_consistency(
    old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes
) -> bool:
    """Return whether the proof shows that the tree `root` only adds to the tree `old_root`.

    The algorithm of RFC 9162 section 2.1.4.2. Never raises. Every tree adds to the empty one, and
    a tree of the same size is consistent only when its root is the same; both take an empty proof.
    """
    if not 0 <= old <= size or not _all_hashes((old_root, *proof, root)):
        return False
    if old == size:
        return not proof and old_root == root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at >>= 1
        last >>= 1
    old_node = node = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old_node, node = node_hash(sibling, old_node), node_hash(sibling, node)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and old_node == old_root and node == root


def full_tiles(old_size: int, new_size: int) -> Iterator[tuple[int, int]]:
    """Yield (tile level, tile number) of the tiles that become full between the two sizes.

    From the lowest level up, left to right. Tile `n` of level `l` holds the hashes of the complete
    subtrees of `256**l` leaves from number `256 * n` on, and is full once the tree has
    `(n + 1) * 256**(l + 1)` leaves.
    """
    level, old, new = 0, old_size >> TILE_HEIGHT, new_size >> TILE_HEIGHT
    while new:
        for number in range(old, new):
            yield level, number
        level, old, new = level + 1, old >> TILE_HEIGHT, new >> TILE_HEIGHT


class TilePlace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a subtree's hash is found: `root_of` a tile's hashes from `start` to `end` (exclusive).

    The tile is number `number` of tile level `level`, full or not.
    """

    level: int
    number: int
    start: int
    end: int


def tile_place(level: int, number: int) -> TilePlace:
    """Return the part of a tile that gives the hash of complete subtree `number` of `level`.

    The arguments are those of `HashAt`. The part is one hash at a tile's own level and twice as
    many at each level above.
    """
    tile_level, height = divmod(level, TILE_HEIGHT)
    tile_number, start = divmod(number << height, TILE_WIDTH)
    return TilePlace(level=tile_level, number=tile_number, start=start, end=start + (1 << height))


def _perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of leaves, level by level."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]


def _folded(hashes: Sequence[bytes]) -> bytes:
    """Return the root over perfect subtrees that stand side by side, largest first."""
    if not hashes:
        return EMPTY_ROOT
    *larger, node = hashes
    for left in reversed(larger):
        node = node_hash(left, node)
    return node


def _range_root(start: int, end: int, hash_at: HashAt) -> bytes:
    """Return the root of leaves `start` to `end` (exclusive), a node of some tree."""
    hashes: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(hash_at(level, start >> level))
        start += 1 << level
    return _folded(hashes)


def _split(width: int) -> int:
    """Return the largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _all_hashes(hashes: Sequence[bytes]) -> bool:
    return all(len(each) == HASH_BYTES for each in hashes)
