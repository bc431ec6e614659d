"""The whole life of an action: what is kept of it, what was in it, and whether the log agrees.

It is read in one snapshot, and everything in it that the log commits to is compared with the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

import msgspec

from handrail.core import merkle
from handrail.core.artifact import digest_of
from handrail.core.entry import row_commitment
from handrail.core.lifecycle import State
from handrail.core.note import Checkpoint
from handrail.core.proposal import Proposal
from handrail.engine.asking.escalate import concerns_of
from handrail.engine.base.record import RESULT, Content, content_of, statement_of
from handrail.errors import HandrailError, NotFound, Tampered, Unavailable
from handrail.prove.rows import UNREADABLE, Kept, kept_of, odd_kept
from handrail.store.protocol import Escalation, LoggedEntry, PolicyVersion, Tx

__all__ = ["Life", "Odd", "Showing", "life_of", "odd_content", "odd_escalations", "outside"]

_ERASED: Final = "content_erased"


class Odd(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not match the log, with the entry that it should match."""

    what: str
    index: int | None = None


class Showing(msgspec.Struct, frozen=True, kw_only=True):
    """That a person was shown a version of an action, by its statement, and when for the first
    time: milliseconds UTC. How long they looked is theirs.
    """

    person: str
    statement: str
    at: int


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one action.

    `content` and `answer` are None once the customer was erased (`erased`), or when there is none.
    `reasons` are what people said with their reviews, by the review's number, and `said` what was
    said in a hand-off, by its id. `policy` is the version that decided, None when it is not kept.
    `shown` is to whom it was shown, empty while it waits, and once that is forgotten. `odd` is
    everything that does not match the log.
    """

    kept: Kept
    content: Content | None
    erased: bool
    answer: dict[str, object] | None
    reasons: dict[str, str]
    escalations: tuple[Escalation, ...]
    said: dict[str, tuple[str, ...]]
    policy: PolicyVersion | None
    shown: tuple[Showing, ...]
    odd: tuple[Odd, ...]


def life_of(tx: Tx, desk: str, id: str) -> Life:
    """The life of one action. Raises NotFound, also for another desk's.

    Raises Tampered `tampered` when its rows cannot even be read.
    """
    proposal = tx.proposals.look(desk, id)
    if proposal is None:
        raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
    try:
        kept = kept_of(tx, proposal)
    except UNREADABLE:
        what = f"a row or an entry of `{id}` is not readable: it was changed outside handrail"
        raise Tampered("tampered", what, desk=desk, proposal=id) from None
    odd = [Odd(what=what, index=index) for what, index in odd_kept(kept)]
    content, erased, why = _content(tx, proposal)
    if why is not None:
        odd.append(Odd(what=why))
    if content is not None:
        odd += [Odd(what=what) for what in odd_content(proposal, content)]
    escalations = tuple(tx.escalations.of_proposal(desk, id))
    odd += [Odd(what=what, index=index) for what, index in odd_escalations(kept, escalations)]
    answer = None if erased else _opened(tx, desk, id, RESULT)
    texts = {str(one.n): _opened(tx, desk, id, f"review:{one.n}") for one in kept.reviews}
    return Life(
        kept=kept,
        content=content,
        erased=erased,
        answer=None if answer is None else msgspec.json.decode(answer, type=dict[str, object]),
        reasons={n: text.decode() for n, text in texts.items() if text is not None},
        escalations=escalations,
        said={one.id: _concerns(tx, one) for one in escalations},
        policy=tx.desks.policy(desk, proposal.policy),
        shown=_showings(tx, proposal),
        odd=tuple(odd),
    )


def odd_content(proposal: Proposal, content: Content) -> Iterator[str]:
    """Whether the content is what the row's digests say: the artifact, and what was shown."""
    if digest_of(content.artifact) != proposal.digest:
        yield "the content is not what was decided on"
    elif proposal.statement and proposal.statement != statement_of(
        content, proposal.digest, proposal.policy, proposal.desk
    ):
        yield "the lines and facts are not what people were shown"


def odd_escalations(
    kept: Kept, escalations: Sequence[Escalation]
) -> Iterator[tuple[str, int | None]]:
    """Hand-offs about the action that are not as its entries say."""
    told: dict[str, tuple[int, str]] = {}
    for logged in kept.entries:
        for name, digest in logged.entry.rows.items():
            if name.startswith("escalation:"):
                told[name] = logged.index, digest
    for one in escalations:
        index, digest = told.pop(f"escalation:{one.id}", (None, ""))
        if digest != row_commitment(one):
            yield "a hand-off was changed or added outside the log", index
    for index, _ in told.values():
        yield "a hand-off was removed", index


def outside(tx: Tx, desk: str, entries: Sequence[LoggedEntry], signed: Checkpoint) -> list[int]:
    """The indices of entries that are not in the log which this checkpoint was signed for.

    What came after the checkpoint is left out: nothing is signed about it yet.
    """

    @cache
    def hash_at(level: int, n: int) -> bytes:
        return tx.log.hash_at(desk, level, n)

    found = []
    for logged in entries:
        if logged.index >= signed.size:
            continue
        try:
            path = merkle.inclusion_proof(logged.index, signed.size, hash_at)
        except HandrailError:
            found.append(logged.index)
            continue
        hashed = merkle.leaf_hash(logged.leaf)
        if not merkle.verify_inclusion(hashed, logged.index, signed.size, path, signed.root):
            found.append(logged.index)
    return found


def _showings(tx: Tx, proposal: Proposal) -> tuple[Showing, ...]:
    """To whom it was shown. That somebody was there tells a further checker what they said."""
    if proposal.state is State.PENDING:
        return ()
    return tuple(
        Showing(person=one.person, statement=one.statement, at=one.first_at)
        for one in tx.looks.of_action(proposal.desk, proposal.id)
    )


def _content(tx: Tx, proposal: Proposal) -> tuple[Content | None, bool, str | None]:
    """The content, whether it was erased, and what is wrong with it."""
    try:
        return content_of(tx, proposal), False, None
    except Unavailable as error:
        if error.code == _ERASED:
            return None, True, None
        return None, False, "the stored content does not open: it was changed"
    except (Tampered, msgspec.MsgspecError):
        return None, False, "the content is gone or is not readable"


def _opened(tx: Tx, desk: str, id: str, slot: str) -> bytes | None:
    """What was sealed there; None when there is none, or it cannot be opened any more."""
    try:
        return tx.vault.get(desk, id, slot)
    except Unavailable:
        return None


def _concerns(tx: Tx, escalation: Escalation) -> tuple[str, ...]:
    try:
        return concerns_of(tx, escalation)
    except Unavailable:
        return ("what was said does not open: it was changed",)
