"""Whether a log is whole, and nothing else: the fast way to a yes, with no way to explain a no.

Every leaf is hashed, in order, into every signed root. An entry is decoded once: one about an
action where the action's rows are compared, any other in passing. Whatever is not as it must be
ends the pass, and the caller looks again, carefully. Full tiles and all other rows that the log
tells of are compared in the same pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Final

import msgspec

from handrail.core import merkle
from handrail.core.entry import Entry, Tag, decode_entry, row_commitment
from handrail.core.merkle import Frontier
from handrail.core.note import Checkpoint
from handrail.core.proposal import Proposal
from handrail.errors import HandrailError
from handrail.prove.others import Told, odd_others, tell
from handrail.prove.rows import kept_of, odd_kept
from handrail.prove.signed import ASSERTED
from handrail.prove.tiled import TiledTree
from handrail.store.protocol import Tx

__all__ = ["intact"]

PAGE_ROWS: Final = 512
"""What is worked on at once: small enough to stay in the processor's cache."""
_PROPOSED: Final = Tag.ACTION_PROPOSED.value
_HANDED_OFF: Final = "escalation."

_Row = tuple[int, str | None, str | None, bytes]


class _Doubt(Exception):
    """Something is not as it must be."""


def intact(
    tx: Tx, desk: str, signed: Sequence[Checkpoint], *, rows: bool
) -> tuple[Frontier, int] | None:
    """The edge of the tree and how many actions there are, when everything matches; else None.

    `signed` are checkpoints of this log whose signatures were checked, by size. Without `rows`
    only entries, tree and checkpoints are compared, and no action is counted.
    """
    told: Told = {}
    try:
        head, filed = _hashed(tx, desk, signed, told)
        if tx.log.stored_edge(desk) != (head.size, head.to_bytes()):
            return None
        return head, _compared(tx, desk, filed, told) if rows else 0
    except (_Doubt, msgspec.MsgspecError, HandrailError, ValueError, LookupError):
        return None


def _hashed(tx: Tx, desk: str, signed: Sequence[Checkpoint], told: Told) -> tuple[Frontier, int]:
    """The tree's edge over all leaves, and how many entries are filed under an action."""
    tree, filed = TiledTree(tx, desk, _doubt), 0
    due = list(reversed(signed))
    for page in _pages(tx, desk):
        start, end = tree.size, tree.size + len(page)
        if [row[0] for row in page] != list(range(start, end)):
            raise _Doubt
        loose = [row for row in page if row[2] is None or row[1] is not None]
        for row in loose:
            tell(told, row[0], _checked(row, desk))
        filed += len(page) - sum(row[2] is None for row in loose)
        # WHY NOT: merkle.leaf_hash. It is this; calling it costs a tenth of the whole pass.
        hashes = [sha256(b"\x00" + row[3]).digest() for row in page]
        while due and due[-1].size <= end:
            wanted = due.pop()
            tree.extend(hashes[tree.size - start : wanted.size - start])
            if merkle.root(tree.edge) != wanted.root:
                raise _Doubt
        tree.extend(hashes[tree.size - start :])
    if due:
        raise _Doubt
    tree.check_count()
    return tree.edge, filed


def _doubt(level: int, number: int) -> None:
    raise _Doubt


def _pages(tx: Tx, desk: str) -> Iterator[list[_Row]]:
    scan = tx.log.scan(desk)
    while page := list(islice(scan, PAGE_ROWS)):
        yield page


def _checked(row: _Row, desk: str) -> Entry:
    """The entry, provided that what it is found by is what it says."""
    _, person, proposal, leaf = row
    entry: Entry = decode_entry(leaf)
    if entry.desk != desk or entry.proposal != proposal or person not in (None, entry.actor):
        raise _Doubt
    return entry


def _compared(tx: Tx, desk: str, filed: int, told: Told) -> int:
    """Compare every action with its entries, and all other rows with what was told of them.

    Returns how many actions there are. `filed` entries must be met.
    """
    after, seen, met, proposed, signed = "", 0, 0, 0, 0
    while page := tx.proposals.page(desk, after=after, most=PAGE_ROWS):
        for proposal in page:
            logged = tx.log.of_proposal(desk, proposal.id)
            entries = [one.entry for one in logged]
            for one in logged:
                if one.entry.tag.startswith(_HANDED_OFF):
                    tell(told, one.index, one.entry)
            met += len(entries)
            proposed += sum(entry.tag == _PROPOSED for entry in entries)
            signed += _check_rows(tx, proposal, entries)
        seen += len(page)
        after = page[-1].id
    # every entry was met under an action that is there, and every action was proposed
    if met != filed or seen != proposed or signed != tx.passkeys.count_assertions(desk):
        raise _Doubt
    for _ in odd_others(tx, desk, told):
        raise _Doubt
    return seen


def _check_rows(tx: Tx, proposal: Proposal, entries: Sequence[Entry]) -> int:
    """Compare an action and its reviews; how many of those a passkey signed."""
    committed: dict[str, str] = {}
    for entry in entries:
        if entry.proposal != proposal.id or entry.desk != proposal.desk:
            raise _Doubt
        committed.update(entry.rows)
    if committed.get("proposal") != row_commitment(proposal):
        raise _Doubt
    logged = {name: digest for name, digest in committed.items() if name.startswith("review:")}
    reviews = tx.proposals.reviews(proposal.desk, proposal.id)
    if logged != {f"review:{review.n}": row_commitment(review) for review in reviews}:
        raise _Doubt
    signed = sum(name.startswith(ASSERTED) for name in committed)
    if signed:
        for _ in odd_kept(kept_of(tx, proposal)):
            raise _Doubt
    return signed
