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
from handrail.core.entry import Tag, row_commitment
from handrail.core.note import (
    Checkpoint,
    VerifierKey,
    is_signed_by,
    parse_checkpoint,
    parse_note,
)
from handrail.core.restoration import Restoration
from handrail.errors import HandrailError
from handrail.prove.intact import intact
from handrail.prove.search import search
from handrail.store.protocol import Store, Tx

__all__ = ["Finding", "Report", "Verify", "verify_log"]

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
    none, the log is signed but unwitnessed. `restorations` are the backups that the log went on
    from: each names checkpoints whose entries are lost, and the two people who stand behind that.
    """

    desk: str
    size: int
    root: bytes
    checkpoints: int
    witnessed: int
    proposals: int
    findings: tuple[Finding, ...]
    restorations: tuple[Restoration, ...] = ()

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
        outer = self._opened(outside, "kept outside")
        restorations = self._restorations()
        departed = {one for restoration in restorations for one in restoration.checkpoints()}
        stands = [one for one in outer if (one.size, one.root) not in departed]
        # Where the log goes on from a backup it must be the log that the restoration was about.
        forks = [(one.size, bytes.fromhex(one.root)) for one in restorations]
        opened += [Checkpoint(origin=self._desk, size=size, root=root) for size, root in forks]
        signed = sorted([*opened, *stands], key=lambda checkpoint: checkpoint.size)
        whole = None if self._findings else intact(self._tx, self._desk, signed, rows=rows)
        if whole is None:
            whole = search(self._tx, self._desk, signed, self._found, rows=rows)
        head, proposals = whole
        return Report(
            desk=self._desk,
            size=head.size,
            root=merkle.root(head),
            checkpoints=len(inside),
            witnessed=len(outside) - (len(outer) - len(stands)),
            proposals=proposals,
            findings=tuple(self._findings),
            restorations=tuple(restorations),
        )

    def _restorations(self) -> list[Restoration]:
        """The restored backups that the log tells of, where it went on, signed; no others count.

        What does not count excuses no checkpoint: its row is a finding, like any that the log does
        not know.
        """
        found = []
        for one in self._tx.restorations.everything(self._desk):
            try:
                if self._is_told(one):
                    found.append(one)
                    continue
            except (HandrailError, msgspec.MsgspecError, ValueError):
                pass
            self._found(f"a restored backup that the log does not tell of: `{one.id}`")
        return found

    def _is_told(self, one: Restoration) -> bool:
        body, signatures = parse_note(one.note)
        if body != one.statement() or not is_signed_by(body, signatures, self._key, self._verify):
            return False
        logged = self._tx.log.entry(self._desk, one.size)
        begun: Restoration = msgspec.structs.replace(one, done_at=None)
        return (
            one.restored_by != one.confirmed_by
            and logged is not None
            and logged.entry.tag == Tag.LOG_RESTORED.value
            and logged.entry.rows.get(f"restoration:{one.id}") == row_commitment(begun)
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
