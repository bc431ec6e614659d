"""The rows of one action, compared with what the log says of them.

Nothing here trusts what it reads: a row or an entry that cannot even be read is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from handrail.core.entry import row_commitment
from handrail.core.passkey import Assertion, Passkey
from handrail.core.proposal import Proposal
from handrail.core.review import Review
from handrail.errors import HandrailError
from handrail.prove.signed import ASSERTED, odd_assertions
from handrail.store.protocol import LoggedEntry, Tx

__all__ = ["UNREADABLE", "Kept", "kept_of", "odd_kept", "odd_rows"]

UNREADABLE: Final = (HandrailError, msgspec.MsgspecError, ValueError, LookupError)
"""What reading something that was changed from outside can raise."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one action and committed to by its entries: its rows, and the entries.

    `passkeys` are those by which something was signed about it.
    """

    proposal: Proposal
    entries: tuple[LoggedEntry, ...]
    reviews: tuple[Review, ...]
    assertions: tuple[Assertion, ...]
    passkeys: tuple[Passkey, ...]


def kept_of(tx: Tx, proposal: Proposal) -> Kept:
    """Read it. Raises one of `UNREADABLE` for what cannot be read."""
    desk, id = proposal.desk, proposal.id
    assertions = tx.passkeys.assertions(desk, id)
    named = dict.fromkeys(one.passkey for one in assertions)
    passkeys = (tx.passkeys.get(desk, name) for name in named)
    return Kept(
        proposal=proposal,
        entries=tuple(tx.log.of_proposal(desk, id)),
        reviews=tuple(tx.proposals.reviews(desk, id)),
        assertions=tuple(assertions),
        passkeys=tuple(one for one in passkeys if one is not None),
    )


def odd_rows(tx: Tx, proposal: Proposal) -> Iterator[tuple[str, int | None]]:
    """What is wrong with an action's row, its reviews and what passkeys signed, in words.

    Each with the index of the entry that it should match, where there is one.
    """
    try:
        kept = kept_of(tx, proposal)
    except UNREADABLE:
        yield "a row or an entry of an action is not readable", None
        return
    yield from odd_kept(kept)


def odd_kept(kept: Kept) -> Iterator[tuple[str, int | None]]:
    """The same for what was read already, from a database or from a file."""
    committed: dict[str, tuple[int, str]] = {}
    for logged in kept.entries:
        for name, digest in logged.entry.rows.items():
            committed[name] = (logged.index, digest)
    index, digest = committed.get("proposal", (None, ""))
    if digest != row_commitment(kept.proposal):
        yield "the row of an action was changed outside the log", index
    names = {name for name in committed if name.startswith("review:")}
    for review in kept.reviews:
        name = f"review:{review.n}"
        index, digest = committed.get(name, (None, ""))
        if digest != row_commitment(review):
            yield "a review was changed or added outside the log", index
        names.discard(name)
    for name in sorted(names):
        yield "a review was removed", committed[name][0]
    said = {name: one for name, (_, one) in committed.items() if name.startswith(ASSERTED)}
    keys = {one.id: one for one in kept.passkeys}
    for what in odd_assertions(kept.proposal, kept.reviews, kept.assertions, keys, said):
        yield what, None
