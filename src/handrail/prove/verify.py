"""Verify a desk's log from its bytes: entries, tree, checkpoints, and the business rows.

What it detects: a changed, removed, inserted or reordered entry (the first bad index is named), a
history rewritten since a checkpoint was signed, a tail cut since a checkpoint was kept outside the
database, and business rows that no longer are what their last entry says.

A log that is whole is passed over quickly. Only when something does not match is it gone through
a second time, with care for what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from handrail.core import merkle
from handrail.core.entry import Entry, Tag, decode_entry, row_commitment
from handrail.core.merkle import EMPTY_FRONTIER, Frontier
from handrail.core.note import (
    Checkpoint,
    VerifierKey,
    is_signed_by,
    parse_checkpoint,
    parse_note,
)
from handrail.errors import HandrailError
from handrail.prove.intact import intact
from handrail.store.protocol import Store, Tx

__all__ = ["Finding", "Report", "verify_log"]

FINDINGS_MAX: Final = 100
_PAGE_ROWS: Final = 1000
_BATCH: Final = 4096

Verify = Callable[[bytes, bytes], bool]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. `index` is the first bad log index, where there is one."""

    what: str
    index: int | None = None
    proposal: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a verification: good only when nothing was found.

    `witnessed` counts the checkpoints kept outside the database that were checked against; with
    none, the log is signed but unwitnessed.
    """

    desk: str
    size: int
    root: bytes
    checkpoints: int
    witnessed: int
    proposals: int
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether everything matches."""
        return not self.findings


def verify_log(
    store: Store,
    desk: str,
    *,
    key: VerifierKey,
    verify: Verify,
    outside: Sequence[str] = (),
    rows: bool = True,
) -> Report:
    """Verify the whole log of a desk in one snapshot.

    `outside` are signed checkpoints from anywhere but the database: all of them must be extended
    by the log as it is. Without `rows` only the log itself is verified (entries, tree and
    checkpoints) and not the business rows, which then count as 0 proposals.
    """

    def look(tx: Tx) -> Report:
        return _Verification(tx, desk, key, verify).run(outside, rows)

    return store.read(look)


class _Verification:
    """One pass over a snapshot, collecting findings."""

    def __init__(self, tx: Tx, desk: str, key: VerifierKey, verify: Verify) -> None:
        self._tx = tx
        self._desk = desk
        self._key = key
        self._verify = verify
        self._findings: list[Finding] = []
        self._proposed = 0

    def run(self, outside: Sequence[str], rows: bool) -> Report:
        inside = [row.note for row in self._tx.log.checkpoints(self._desk)]
        opened = self._opened(inside, "in the database") + self._opened(outside, "kept outside")
        signed = sorted(opened, key=lambda checkpoint: checkpoint.size)
        whole = None if self._findings else intact(self._tx, self._desk, signed, rows=rows)
        if whole is not None:
            head, proposals = whole
        else:
            head = self._entries(signed)
            self._tree(head)
            proposals = self._rows() if rows else 0
        return Report(
            desk=self._desk,
            size=head.size,
            root=merkle.root(head),
            checkpoints=len(inside),
            witnessed=len(outside),
            proposals=proposals,
            findings=tuple(self._findings[:FINDINGS_MAX]),
        )

    def _found(self, what: str, *, index: int | None = None, proposal: str | None = None) -> None:
        if len(self._findings) < FINDINGS_MAX:
            self._findings.append(Finding(what=what, index=index, proposal=proposal))

    def _opened(self, notes: Sequence[str], where: str) -> list[Checkpoint]:
        found = []
        for note in notes:
            try:
                body, signatures = parse_note(note)
                checkpoint = parse_checkpoint(body)
            except HandrailError:
                self._found(f"a checkpoint {where} is not readable")
                continue
            if not is_signed_by(body, signatures, self._key, self._verify):
                self._found(f"a checkpoint {where} is not signed by this log's key")
            elif checkpoint.origin == f"handrail/{self._desk}":
                found.append(checkpoint)
            else:
                self._found(f"a checkpoint {where} is of another log")
        return found

    def _entries(self, signed: list[Checkpoint]) -> Frontier:
        """Hash every leaf in order; at each signed size the root must be the signed one."""
        frontier, hashes = EMPTY_FRONTIER, []
        leaf_hash, expected = merkle.leaf_hash, 0
        due = iter(signed)
        wanted = next(due, None)
        last_good = 0
        for index, person, proposal, leaf in self._tx.log.scan(self._desk):
            if index != expected:
                self._found("entries are missing from the log", index=expected)
                expected = index
            self._entry(index, person, proposal, leaf)
            hashes.append(leaf_hash(leaf))
            expected += 1
            at_signed = wanted is not None and expected == wanted.size
            if at_signed or len(hashes) >= _BATCH:
                frontier = merkle.extend(frontier, hashes)
                hashes.clear()
            while wanted is not None and expected == wanted.size:
                if merkle.root(frontier) == wanted.root:
                    last_good = wanted.size
                else:
                    self._differs(last_good, wanted.size)
                wanted = next(due, None)
        while wanted is not None:
            if wanted.size > expected:
                what = f"a signed checkpoint covers {wanted.size} entries, the log has {expected}"
                self._found(what + ": its tail was cut", index=expected)
                break
            wanted = next(due, None)
        return merkle.extend(frontier, hashes)

    def _differs(self, good: int, size: int) -> None:
        """Name the first entry that no longer is what the stored tiles say, if they tell."""
        index = self._first_bad(good, size)
        what = f"the first {size} entries no longer give the root that was signed for them"
        self._found(what, index=index)

    def _first_bad(self, start: int, end: int) -> int:
        """The first leaf that is not what a full tile says; the range's start when none tells."""
        for index in range(start, end):
            tile = self._tx.log.tile_leaf(self._desk, index)
            logged = self._tx.log.leaf(self._desk, index)
            if tile is not None and logged is not None and merkle.leaf_hash(logged) != tile:
                return index
        return start

    def _entry(self, index: int, person: str | None, proposal: str | None, leaf: bytes) -> None:
        try:
            entry: Entry = decode_entry(leaf)
        except msgspec.MsgspecError:
            self._found("an entry is not readable", index=index)
            return
        if entry.desk != self._desk or entry.proposal != proposal:
            self._found("an entry is filed under another action or desk", index=index)
        if person is not None and entry.actor != person:
            self._found("an entry is filed under another person", index=index)
        if entry.tag == Tag.ACTION_PROPOSED.value:
            self._proposed += 1

    def _tree(self, head: Frontier) -> None:
        """The stored right edge and tiles must be those of the entries."""
        stored = self._tx.log.head(self._desk)
        if stored != head:
            index = min(stored.size, head.size)
            if stored.size == head.size:
                index = self._first_bad(0, head.size)
            self._found("the log's entries are not those of its stored tree", index=index)

    def _rows(self) -> int:
        """Every proposal and review must be what its last entry committed to."""
        after, seen = "", 0
        while page := self._tx.proposals.page(self._desk, after=after, most=_PAGE_ROWS):
            for proposal in page:
                seen += 1
                self._row(proposal.id, row_commitment(proposal))
            after = page[-1].id
        if seen != self._proposed:
            self._found(f"the log tells of {self._proposed} actions, the database has {seen}")
        return seen

    def _row(self, id: str, commitment: str) -> None:
        try:
            entries = self._tx.log.of_proposal(self._desk, id)
        except msgspec.MsgspecError:
            self._found("an entry of an action is not readable", proposal=id)
            return
        committed: dict[str, tuple[int, str]] = {}
        for logged in entries:
            for name, digest in logged.entry.rows.items():
                committed[name] = (logged.index, digest)
        index, digest = committed.get("proposal", (None, ""))
        if digest != commitment:
            self._found(
                "the row of an action was changed outside the log", index=index, proposal=id
            )
        self._reviews(id, committed)

    def _reviews(self, id: str, committed: dict[str, tuple[int, str]]) -> None:
        names = {name for name in committed if name.startswith("review:")}
        for review in self._tx.proposals.reviews(self._desk, id):
            name = f"review:{review.n}"
            index, digest = committed.get(name, (None, ""))
            if digest != row_commitment(review):
                what = "a review was changed or added outside the log"
                self._found(what, index=index, proposal=id)
            names.discard(name)
        for name in names:
            self._found("a review was removed", index=committed[name][0], proposal=id)
