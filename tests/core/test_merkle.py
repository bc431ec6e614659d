"""The log's tree: RFC 6962's own numbers, a second implementation, and proofs that cannot lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from handrail.core.merkle import (
    EMPTY_FRONTIER,
    EMPTY_ROOT,
    HASH_BYTES,
    Frontier,
    append,
    consistency_proof,
    extend,
    full_tiles,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    root_of,
    tile_place,
    verify_consistency,
    verify_inclusion,
)
from handrail.errors import InvariantBroken, NotFound

# The eight entries that certificate transparency's own tests use, and the roots over the first n.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "", "00", "10", "2021", "3031", "40414243",
        "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = """
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
""".split()
INCLUSION_5_OF_8 = """
bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b
ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
""".split()
CONSISTENCY_6_TO_8 = """
0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a
ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
""".split()
CONSISTENCY_2_TO_5 = """
5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b
""".split()

SMALL = 200
LEAVES = [leaf_hash(b"entry %d" % number) for number in range(2000)]


@cache
def mth(start: int, end: int) -> bytes:
    """RFC 6962's MTH over LEAVES[start:end], written as the RFC defines it."""
    if start == end:
        return EMPTY_ROOT
    if end - start == 1:
        return LEAVES[start]
    split = 1
    while split * 2 < end - start:
        split *= 2
    return node_hash(mth(start, start + split), mth(start + split, end))


def hash_at(level: int, number: int) -> bytes:
    """What a store answers: the hash of a complete subtree."""
    width = 1 << level
    assert (number + 1) * width <= len(LEAVES), "a proof asked for a subtree that is not complete"
    return mth(number * width, (number + 1) * width)


def sizes(most: int = len(LEAVES)) -> st.SearchStrategy[tuple[int, int]]:
    """Two numbers: a position or an older size, and a size not below it."""
    pairs = st.tuples(st.integers(0, most), st.integers(0, most))
    return pairs.map(lambda pair: (min(pair), max(pair)))


def lies(proof: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
    """Every near miss of a proof: a hash flipped, left out, doubled, swapped, added, cut short."""
    path = list(proof)
    yield (*path, bytes(HASH_BYTES))
    yield (bytes(HASH_BYTES), *path)
    for at, node in enumerate(path):
        yield (*path[:at], bytes((node[0] ^ 1,)) + node[1:], *path[at + 1 :])
        yield (*path[:at], *path[at + 1 :])
        yield (*path[:at], node, node, *path[at + 1 :])
        yield (*path[:at], node[:-1], *path[at + 1 :])
        if at:
            yield (*path[: at - 1], node, path[at - 1], *path[at + 1 :])


def hexes(proof: Sequence[bytes]) -> list[str]:
    """A proof as the vectors above are written."""
    return [node.hex() for node in proof]


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_known_roots(size: int) -> None:
    """The published root of each size, by appending, by a batch, and read back from bytes."""
    leaves = [leaf_hash(entry) for entry in ENTRIES[:size]]
    grown = EMPTY_FRONTIER
    for leaf in leaves:
        grown = append(grown, leaf)
    assert root(grown).hex() == ROOTS[size]
    assert root_of(leaves).hex() == ROOTS[size]
    assert root(Frontier.from_bytes(grown.to_bytes())).hex() == ROOTS[size]


def test_known_proofs() -> None:
    """The published paths of entry 5 of 8, and from 6 to 8 and 2 to 5 entries."""

    def published(level: int, number: int) -> bytes:
        width = 1 << level
        entries = ENTRIES[number * width : (number + 1) * width]
        return root_of([leaf_hash(entry) for entry in entries])

    assert hexes(inclusion_proof(5, 8, published)) == INCLUSION_5_OF_8
    assert hexes(consistency_proof(6, 8, published)) == CONSISTENCY_6_TO_8
    assert hexes(consistency_proof(2, 5, published)) == CONSISTENCY_2_TO_5


def test_every_root_grows_by_one() -> None:
    """Size by size the frontier has one hash for each bit and the root that the RFC defines."""
    frontier = EMPTY_FRONTIER
    for size, leaf in enumerate(LEAVES):
        assert len(frontier.hashes) == size.bit_count()
        assert root(frontier) == mth(0, size)
        frontier = append(frontier, leaf)


@given(st.lists(st.integers(0, 70), max_size=12))
def test_batches_do_not_matter(batches: list[int]) -> None:
    """However the leaves are cut into batches, the frontier is the same."""
    frontier, done = EMPTY_FRONTIER, 0
    for batch in batches:
        before = frontier
        frontier = extend(before, LEAVES[done : done + batch])
        assert before.size == done, "the old frontier was changed"
        done += batch
    assert frontier == extend(EMPTY_FRONTIER, LEAVES[:done])
    assert root(frontier) == mth(0, done)
    assert Frontier.from_bytes(frontier.to_bytes()) == frontier


def test_the_largest_frontier_is_read_back() -> None:
    """A tree of 2^63 - 1 entries has one hash for each bit."""
    largest = Frontier(size=2**63 - 1, hashes=tuple(LEAVES[:63]))
    assert Frontier.from_bytes(largest.to_bytes()) == largest


def test_damaged_frontiers_are_noticed() -> None:
    """A stored edge whose length does not fit its size is not taken for a tree."""
    stored = extend(EMPTY_FRONTIER, LEAVES[:11]).to_bytes()
    assert len(stored) == 8 + 3 * HASH_BYTES
    for damaged in (
        b"",
        stored[:7],
        stored[:-1],
        stored + b"\x00",
        stored[:-HASH_BYTES],
        b"\xff" + stored[1:],
        (15).to_bytes(8, "big") + stored[8:],
        b"\x80" + bytes(7) + bytes(HASH_BYTES),
    ):
        with pytest.raises(InvariantBroken) as caught:
            Frontier.from_bytes(damaged)
        assert caught.value.code == "log_damaged"


def test_every_small_inclusion_proof() -> None:
    """Each entry of each tree up to 200: the proof holds, and for no other index or size."""
    for size in range(1, SMALL + 1):
        whole = mth(0, size)
        for index in range(size):
            proof = inclusion_proof(index, size, hash_at)
            assert verify_inclusion(LEAVES[index], index, size, proof, whole)
            assert not verify_inclusion(LEAVES[index], index ^ 1, size, proof, whole)
            assert not verify_inclusion(LEAVES[index + 1], index, size, proof, whole)
            assert not verify_inclusion(LEAVES[index], index, size, proof, mth(0, size + 1))


def test_every_small_consistency_proof() -> None:
    """Each pair of sizes up to 200: the proof holds, and for no other older root."""
    for size in range(SMALL + 1):
        whole = mth(0, size)
        for old in range(size + 1):
            proof = consistency_proof(old, size, hash_at)
            assert verify_consistency(old, size, proof, mth(0, old), whole)
            assert not verify_consistency(old, size, proof, mth(1, old + 2), whole)
            if old:  # every tree adds to the empty one
                assert not verify_consistency(old, size, proof, mth(0, old), mth(1, size + 2))


@pytest.fixture(scope="module")
def oracle() -> Any:
    """The same entries in another implementation of the tree."""
    tree = InmemoryTree(algorithm="sha256")
    for number in range(len(LEAVES)):
        tree.append_entry(b"entry %d" % number)
    return tree


@given(sizes())
def test_the_other_implementation_agrees(oracle: Any, pair: tuple[int, int]) -> None:
    """Same leaf hashes, same roots, same inclusion paths."""
    index, size = pair
    if index == size:
        index, size = max(index - 1, 0), max(size, 1)
    assert oracle.get_root(size) == root_of(LEAVES[:size])
    theirs = oracle.prove_inclusion(index + 1, size).path
    assert theirs == [LEAVES[index], *inclusion_proof(index, size, hash_at)]


@given(sizes())
def test_lies_about_inclusion_fail(pair: tuple[int, int]) -> None:
    """No near miss of a proof is accepted."""
    index, size = pair
    if index == size:
        index, size = max(index - 1, 0), max(size, 1)
    proof = inclusion_proof(index, size, hash_at)
    assert verify_inclusion(LEAVES[index], index, size, proof, mth(0, size))
    for lie in lies(proof):
        assert not verify_inclusion(LEAVES[index], index, size, lie, mth(0, size))
    for wrong in (-1, size, size + 7):
        assert not verify_inclusion(LEAVES[index], wrong, size, proof, mth(0, size))


@given(sizes())
def test_lies_about_history_fail(pair: tuple[int, int]) -> None:
    """No near miss of a proof is accepted; neither is a smaller tree that calls itself newer."""
    old, size = pair
    proof = consistency_proof(old, size, hash_at)
    before, after = mth(0, old), mth(0, size)
    assert verify_consistency(old, size, proof, before, after)
    for lie in lies(proof):
        assert not verify_consistency(old, size, lie, before, after)
    assert not verify_consistency(size + 1, size, proof, before, after)
    assert not verify_consistency(-1, size, proof, before, after)


@given(sizes(), st.data())
def test_rewritten_history_fails(pair: tuple[int, int], data: st.DataObject) -> None:
    """A tree in which one old entry was changed has no proof, not even its own honest one."""
    old, size = pair
    if old == 0:
        return
    changed = data.draw(st.integers(0, old - 1))
    forged = [*LEAVES[:size]]
    forged[changed] = leaf_hash(b"changed")

    def forged_at(level: int, number: int) -> bytes:
        return root_of(forged[number << level : (number + 1) << level])

    proof = consistency_proof(old, size, forged_at)
    assert not verify_consistency(old, size, proof, mth(0, old), root_of(forged))


def test_proofs_that_go_on_above_the_root_fail() -> None:
    """A tree hung under a bigger one is not the tree of that size."""
    extra, leaf, (old_root, new_root) = LEAVES[9], LEAVES[0], (mth(0, 3), mth(0, 4))
    assert not verify_inclusion(leaf, 0, 1, (extra,), node_hash(extra, leaf))
    assert not verify_inclusion(leaf, 0, 1, (extra,), node_hash(leaf, extra))
    proof = (*consistency_proof(3, 4, hash_at), extra)
    hung, hung_new = node_hash(extra, old_root), node_hash(extra, new_root)
    assert not verify_consistency(3, 4, proof, hung, hung_new)
    assert not verify_consistency(3, 4, proof, old_root, node_hash(new_root, extra))


def test_what_is_not_a_hash_is_never_verified() -> None:
    """Texts of another length, and sizes below zero, are equal to themselves and prove nothing."""
    assert not verify_inclusion(b"x", 0, 1, (), b"x")
    assert not verify_consistency(3, 3, (), b"x", b"x")
    assert not verify_consistency(-1, -1, (), EMPTY_ROOT, EMPTY_ROOT)


def test_short_and_empty_trees() -> None:
    """One entry needs no path; everything adds to nothing; nothing is in nothing."""
    assert inclusion_proof(0, 1, hash_at) == ()
    assert verify_inclusion(LEAVES[0], 0, 1, (), LEAVES[0])
    assert not verify_inclusion(LEAVES[0], 0, 2, (), LEAVES[0])
    assert not verify_inclusion(EMPTY_ROOT, 0, 0, (), EMPTY_ROOT)
    assert verify_consistency(0, 0, (), EMPTY_ROOT, EMPTY_ROOT)
    assert verify_consistency(0, 5, (), EMPTY_ROOT, mth(0, 5))
    assert not verify_consistency(0, 5, (), LEAVES[0], mth(0, 5))
    assert not verify_consistency(3, 5, (), mth(0, 3), mth(0, 5))


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (9, 5)])
def test_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    """An index outside the log is a missing entry."""
    with pytest.raises(NotFound) as caught:
        inclusion_proof(index, size, hash_at)
    assert caught.value.code == "entry_not_found"


@pytest.mark.parametrize(("old", "size"), [(-1, 5), (6, 5)])
def test_no_proof_from_a_size_that_never_was(old: int, size: int) -> None:
    """A log does not go back to more entries than it has."""
    with pytest.raises(NotFound) as caught:
        consistency_proof(old, size, hash_at)
    assert caught.value.code == "entry_not_found"


@pytest.mark.parametrize(
    ("old", "new", "tiles"),
    [
        (0, 0, []),
        (0, 255, []),
        (0, 256, [(0, 0)]),
        (255, 256, [(0, 0)]),
        (256, 511, []),
        (256, 768, [(0, 1), (0, 2)]),
        (65_535, 65_536, [(0, 255), (1, 0)]),
        (65_536, 65_537, []),
        (131_071, 131_072, [(0, 511), (1, 1)]),
        (2**24 - 1, 2**24, [(0, 65_535), (1, 255), (2, 0)]),
    ],
)
def test_full_tiles(old: int, new: int, tiles: list[tuple[int, int]]) -> None:
    """Which tiles become full between two sizes."""
    assert list(full_tiles(old, new)) == tiles


def test_seventy_thousand_entries_make_273_full_tiles_and_one_above() -> None:
    """The example of the tlog-tiles specification."""
    levels = [level for level, _ in full_tiles(0, 70_000)]
    assert (levels.count(0), levels.count(1), levels.count(2)) == (273, 1, 0)


@given(st.lists(st.integers(0, 200_000), min_size=2, max_size=6))
def test_no_tile_is_missed_or_written_twice(stops: list[int]) -> None:
    """However the log grows, the same tiles become full, each once."""
    stops.sort()
    grown = [tile for old, new in pairwise(stops) for tile in full_tiles(old, new)]
    assert sorted(grown) == sorted(full_tiles(stops[0], stops[-1]))


@given(st.integers(0, 10), st.integers(0, 2000))
def test_tiles_answer_for_every_subtree(level: int, number: int) -> None:
    """A complete subtree's hash is the root of the part of the tile that tile_place names."""
    number %= len(LEAVES) >> level
    place = tile_place(level, number)
    width = 256**place.level
    tile = [
        mth(at * width, (at + 1) * width)
        for at in range(place.number * 256, (place.number + 1) * 256)
        if (at + 1) * width <= len(LEAVES)
    ]
    part = tile[place.start : place.end]
    assert 0 <= place.start < place.end <= len(tile)
    assert root_of(part) == hash_at(level, number)
