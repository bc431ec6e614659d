"""The log's tree is that of RFC 6962, whatever way the entries came, and gives its proofs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from pymerkle import InmemoryTree

from handrail.core import merkle
from handrail.errors import InvariantBroken, Unavailable
from handrail.store.protocol import Store, Tx
from tests.store.databases import DATABASES, Database
from tests.store.samples import DESK, add_entries, entry_of
from tests.store.trees import LeafRoots, slow_root

TILE = 256
BIG = TILE * TILE + 2 * TILE + 37
BATCHES = (1, 2, 255, 256, 257, 1, 3, 700, 13)


def _leaves(store: Store, desk: str = DESK) -> list[bytes]:
    return store.read(lambda tx: [leaf for *_, leaf in tx.log.scan(desk)])


def _root(store: Store, desk: str = DESK) -> bytes:
    return store.read(lambda tx: merkle.root(tx.log.head(desk)))


@pytest.fixture(params=DATABASES, scope="module")
def big(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store whose log has a full tile on the second level, and a bit more."""
    opened = DATABASES[request.param](tmp_path_factory.mktemp("big")).open()
    for start in range(0, BIG, 7_000):
        add_entries(opened, min(7_000, BIG - start), start=start)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def roots(big: Store) -> LeafRoots:
    """The roots of the big log, computed another way from its leaves."""
    return LeafRoots(_leaves(big))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, 600])
def test_the_root_is_that_of_two_oracles(store: Store, size: int) -> None:
    """Of a library, and of the standard's own recursion."""
    add_entries(store, size)
    leaves = _leaves(store)
    assert len(leaves) == size
    oracle = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        oracle.append_entry(leaf)
    assert _root(store) == slow_root(leaves)
    if size:
        assert _root(store) == oracle.get_root()


def test_the_tree_does_not_depend_on_the_commits(database: Database) -> None:
    """Entries one by one, in units of many, in shared commits and over restarts: one tree."""
    store = database.open()
    start = 0
    for width in BATCHES:
        add_entries(store, width, start=start)
        start += width
        assert _root(store) == slow_root(_leaves(store))
    store.close()
    again = database.open()
    tickets = [again.submit(lambda tx: tx.log.append(entry_of(0))) for _ in range(300)]
    for ticket in tickets:
        ticket.result()
    assert again.read(lambda tx: tx.log.size(DESK)) == start + 300
    assert _root(again) == slow_root(_leaves(again))
    again.close()


def test_each_desk_has_its_own_tree(store: Store) -> None:
    """Entries of two desks in one unit go to two trees, both counted from 0."""

    def unit(tx: Tx) -> None:
        for n in range(300):
            for desk in ("one", "two"):
                tx.log.append(entry_of(n, desk=desk))

    store.write(unit)
    for desk in ("one", "two"):
        rows = store.read(lambda tx: list(tx.log.scan(desk)))  # noqa: B023
        assert [row[0] for row in rows] == list(range(300))
        assert _root(store, desk) == slow_root(_leaves(store, desk))
    assert _leaves(store, "one") != _leaves(store, "two")


def _hundred(tx: Tx) -> None:
    for n in range(100):
        tx.log.append(entry_of(n))


def test_failed_units_leave_no_trace_in_the_tree(store: Store) -> None:
    """Also when they alone would have filled a tile."""

    def failing(tx: Tx) -> None:
        for n in range(600):
            tx.log.append(entry_of(n, tag="desk.opened", data={"never": n}))
        raise LookupError

    for _ in range(3):
        lost = store.submit(failing)
        kept = store.submit(_hundred)
        with pytest.raises(LookupError):
            lost.result()
        kept.result()
    assert _root(store) == slow_root(_leaves(store))
    assert len(_leaves(store)) == 300


def test_a_leaf_that_is_too_large_is_refused_alone(store: Store) -> None:
    """A leaf has at most 8 KiB; the unit fails, the log goes on without a hole."""
    with pytest.raises(Exception, match="leaf_too_large"):
        store.write(lambda tx: tx.log.append(entry_of(0, data={"x": "y" * 9_000})))
    add_entries(store, 1)
    assert store.read(lambda tx: tx.log.size(DESK)) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 8, 100, 255, 256, 257, 300, 513])
def test_every_entry_of_a_small_log_is_proven(store: Store, size: int) -> None:
    """An inclusion proof from the stored hashes holds for each index, and for no other leaf."""
    add_entries(store, size)
    leaves, root = _leaves(store), _root(store)

    def look(tx: Tx) -> None:
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, lambda h, n: tx.log.hash_at(DESK, h, n))
            leaf = merkle.leaf_hash(leaves[index])
            assert merkle.verify_inclusion(leaf, index, size, proof, root)
            assert not merkle.verify_inclusion(leaf, index, size, proof, b"\0" * 32)
            other = merkle.leaf_hash(leaves[index] + b" ")
            assert not merkle.verify_inclusion(other, index, size, proof, root)

    store.read(look)


def test_every_size_of_a_small_log_is_consistent(store: Store) -> None:
    """Each earlier tree is shown to be a beginning of each later one."""
    add_entries(store, 40)
    leaves = _leaves(store)
    oracle = [slow_root(leaves[:size]) for size in range(41)]

    def look(tx: Tx) -> None:
        for size in range(41):
            for old in range(size + 1):
                proof = merkle.consistency_proof(old, size, lambda h, n: tx.log.hash_at(DESK, h, n))
                assert merkle.verify_consistency(old, size, proof, oracle[old], oracle[size])

    store.read(look)


def test_a_big_tree_has_the_right_root(big: Store, roots: LeafRoots) -> None:
    """Beyond 65,536 leaves, where tiles stand on tiles."""
    assert big.read(lambda tx: tx.log.size(DESK)) == BIG
    assert _root(big) == roots.root(BIG)


def test_a_big_tree_proves_entries_in_any_of_its_sizes(big: Store, roots: LeafRoots) -> None:
    """Inclusion in the tree as it is and as it was, near every edge and anywhere."""
    chance = random.Random(6962)
    leaves = _leaves(big)
    sizes = [1, TILE, TILE + 1, TILE * TILE - 1, TILE * TILE, TILE * TILE + 1, BIG]
    sizes += [chance.randrange(1, BIG) for _ in range(25)]

    def look(tx: Tx) -> None:
        for size in sizes:
            for index in {0, size - 1, size // 2, chance.randrange(size)}:
                proof = merkle.inclusion_proof(index, size, lambda h, n: tx.log.hash_at(DESK, h, n))
                leaf = merkle.leaf_hash(leaves[index])
                assert merkle.verify_inclusion(leaf, index, size, proof, roots.root(size))

    big.read(look)


def test_a_big_tree_is_consistent_with_all_it_was(big: Store, roots: LeafRoots) -> None:
    """Consistency between many pairs of sizes."""
    chance = random.Random(9162)
    edges = [1, 255, 256, 257, 65_535, 65_536, 65_537, BIG - 1, BIG]
    pairs = [(old, new) for old in edges for new in edges if old <= new]
    for _ in range(60):
        one, other = chance.randrange(1, BIG), chance.randrange(1, BIG)
        pairs.append((min(one, other), max(one, other)))

    def look(tx: Tx) -> None:
        for old, new in pairs:
            proof = merkle.consistency_proof(old, new, lambda h, n: tx.log.hash_at(DESK, h, n))
            assert merkle.verify_consistency(old, new, proof, roots.root(old), roots.root(new))

    big.read(look)


def test_a_tile_keeps_its_leaves_hashes(big: Store) -> None:
    """Full tiles hold the hashes below them in order; the unfinished ones at the edge are none."""

    def look(tx: Tx) -> None:
        for number in (0, 1, 156, BIG // TILE - 1):
            leaves = [tx.log.leaf(DESK, number * TILE + at) or b"" for at in range(TILE)]
            tile = tx.log.tile(DESK, 0, number)
            assert tile == b"".join(merkle.leaf_hash(leaf) for leaf in leaves)
        assert tx.log.tile(DESK, 0, BIG // TILE) is None
        assert tx.log.leaf(DESK, BIG) is None
        assert tx.log.tile_count(DESK) == BIG // TILE + 1

    big.read(look)


def test_an_entry_that_changed_by_itself_is_named(database: Database) -> None:
    """A flipped bit, or two entries that changed places: the first one is known by its echo."""
    store = database.open()
    add_entries(store, 300)
    assert store.read(lambda tx: tx.log.first_odd(DESK)) is None
    store.close()
    database.change(
        "DROP TRIGGER IF EXISTS entry_fixed",
        "UPDATE entry SET leaf = CAST(leaf || x'20' AS BLOB) WHERE idx = 290",
    )
    store = database.open()
    assert store.read(lambda tx: tx.log.first_odd(DESK)) == 290
    store.close()
    database.change(
        "DROP TRIGGER IF EXISTS entry_fixed",
        "UPDATE entry SET idx = -1 WHERE idx = 17",
        "UPDATE entry SET idx = 17 WHERE idx = 19",
        "UPDATE entry SET idx = 19 WHERE idx = -1",
    )
    store = database.open()
    assert store.read(lambda tx: tx.log.first_odd(DESK)) == 17
    store.close()


def test_a_missing_tile_is_noticed(database: Database) -> None:
    """A tree whose tiles were taken away is not extended into a wrong one."""
    store = database.open()
    add_entries(store, 300)
    store.close()
    database.change("DROP TRIGGER entry_stays", "DELETE FROM entry WHERE idx = 280")
    store = database.open()
    with pytest.raises((InvariantBroken, Unavailable)) as refusal:
        add_entries(store, 300)
    assert refusal.value.code == "log_damaged"
    store.close()


def test_a_damaged_edge_is_noticed(database: Database) -> None:
    """The stored edge of the tree must fit its size, or nothing is appended."""
    store = database.open()
    add_entries(store, 3)
    store.close()
    database.change("UPDATE tree SET frontier = substr(frontier, 1, 40)")
    store = database.open()
    with pytest.raises(InvariantBroken) as refusal:
        add_entries(store, 1)
    assert refusal.value.code == "log_damaged"
    store.close()
