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
from handrail.core.note import (
    Checkpoint,
    VerifierKey,
    is_signed_by,
    parse_checkpoint,
    parse_note,
)
from handrail.errors import HandrailError
from handrail.prove.intact import intact
from handrail.prove.search import search
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

    def run(self, outside: Sequence[str], rows: bool) -> Report:
        inside = self._tx.log.checkpoints(self._desk)
        opened = self._opened([row.note for row in inside], "in the database")
        if [checkpoint.size for checkpoint in opened] != [row.size for row in inside]:
            self._found("a checkpoint in the database is filed under another size")
        opened += self._opened(outside, "kept outside")
        signed = sorted(opened, key=lambda checkpoint: checkpoint.size)
        whole = None if self._findings else intact(self._tx, self._desk, signed, rows=rows)
        if whole is None:
            whole = search(self._tx, self._desk, signed, self._found, rows=rows)
        head, proposals = whole
        return Report(
            desk=self._desk,
            size=head.size,
            root=merkle.root(head),
            checkpoints=len(inside),
            witnessed=len(outside),
            proposals=proposals,
            findings=tuple(self._findings),
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
