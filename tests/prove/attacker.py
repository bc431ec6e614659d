"""Somebody with write access to the database file, in two strengths.

The clumsy one changes a row. The careful one drops the triggers first and afterwards makes tree,
tiles and everything else that can be computed without the signing key fit again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import apsw

from handrail.bootstrap import inspect
from handrail.prove.verify import Report, verify_log
from handrail.store.log import echo_of

__all__ = ["Attacker", "examined"]

TILE = 256


def examined(folder: Path, *, outside: bool = True) -> Report:
    """What the verifier says of a desk's directory, with the checkpoints kept outside or not."""
    with inspect(folder) as inspection:
        return verify_log(
            inspection.store,
            "main",
            key=inspection.signer.verifier,
            verify=inspection.signer.verify,
            outside=inspection.kept_checkpoints() if outside else (),
        )


def _leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def _node(hashes: Sequence[bytes]) -> bytes:
    """The root of a tree over given leaf hashes."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return hashlib.sha256(b"\x01" + _node(hashes[:half]) + _node(hashes[half:])).digest()


class Attacker:
    """Raw hands on a closed desk's database; all triggers are gone at once."""

    def __init__(self, folder: Path) -> None:
        self._db = apsw.Connection(str(folder / "handrail.db"))
        triggers = self.all("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        for (name,) in triggers:
            self._db.execute(f"DROP TRIGGER {name}")

    def __enter__(self) -> Attacker:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def run(self, sql: str, *values: object) -> None:
        """Change something; it must have changed something."""
        self._db.execute(sql, values)
        assert self._db.changes() > 0, sql

    def all(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Look something up."""
        return list(self._db.execute(sql, values))

    def size(self) -> int:
        """How many entries the log has."""
        return len(self.all("SELECT 1 FROM entry"))

    def leaf(self, index: int) -> bytes:
        """The bytes of an entry."""
        ((leaf,),) = self.all("SELECT leaf FROM entry WHERE idx = ?", index)
        assert isinstance(leaf, bytes)
        return leaf

    def set_leaf(self, index: int, leaf: bytes) -> None:
        """Replace the bytes of an entry."""
        self.run("UPDATE entry SET leaf = ? WHERE idx = ?", leaf, index)

    def index_of(self, tag: str, nth: int = 0) -> int:
        """The index of the n-th entry with a tag."""
        rows = self.all("SELECT idx FROM entry WHERE tag = ? ORDER BY idx", tag)
        index = rows[nth][0]
        assert isinstance(index, int)
        return index

    def close_gaps(self) -> None:
        """Number the entries from 0 without a gap, in their order."""
        for new, (old,) in enumerate(self.all("SELECT idx FROM entry ORDER BY idx")):
            if new != old:
                self.run("UPDATE entry SET idx = ? WHERE idx = ?", new, old)

    def mend_tree(self) -> None:
        """Compute tiles and the tree's edge anew from the entries as they are now."""
        rows = self.all("SELECT leaf FROM entry ORDER BY idx")
        hashes = [_leaf_hash(leaf) for (leaf,) in rows if isinstance(leaf, bytes)]
        self._db.execute("DELETE FROM tile")
        level, row = 0, hashes
        while len(row) >= TILE:
            above = []
            for n in range(len(row) // TILE):
                part = row[n * TILE : (n + 1) * TILE]
                values = ("main", level, n, b"".join(part))
                self._db.execute("INSERT INTO tile VALUES (?, ?, ?, ?)", values)
                above.append(_node(part))
            level, row = level + 1, above
        edge, start = [], 0
        for bit in reversed(range(len(hashes).bit_length())):
            width = 1 << bit
            if len(hashes) & width:
                edge.append(_node(hashes[start : start + width]))
                start += width
        frontier = len(hashes).to_bytes(8, "big") + b"".join(edge)
        self._db.execute("UPDATE tree SET size = ?, frontier = ?", (len(hashes), frontier))

    def mend_echoes(self) -> None:
        """Make the short value that lies beside each entry fit again."""
        for index, leaf in self.all("SELECT idx, leaf FROM entry"):
            assert isinstance(index, int)
            assert isinstance(leaf, bytes)
            echo = echo_of(index, _leaf_hash(leaf))
            self.run("UPDATE entry SET echo = ? WHERE idx = ?", echo, index)
