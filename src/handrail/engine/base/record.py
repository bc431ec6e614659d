"""Changing a proposal and writing down that it changed: always both, in one transaction."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.artifact import Fact, Line, digest_of, statement_digest
from handrail.core.canonical import canonical
from handrail.core.decide import Ask, FailedCheck, Reason
from handrail.core.entry import Entry, Tag, row_commitment
from handrail.core.lifecycle import Event, after
from handrail.core.proposal import Proposal
from handrail.core.review import Review
from handrail.engine.base.outgoing import Spans
from handrail.errors import Conflict, Tampered
from handrail.store.protocol import DESK_SUBJECT, Tx

__all__ = [
    "CONTENT",
    "RESULT",
    "Content",
    "Data",
    "advance",
    "amend",
    "check_unchanged",
    "content_of",
    "note_down",
    "note_on_desk",
    "sealing_subject",
    "statement_of",
    "write_move",
]

CONTENT: Final = "content"
RESULT: Final = "result"

Data = dict[str, str | int | bool | None]


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed part of a proposal.

    `artifact` is its canonical bytes, `lines` the rendering a person was shown (empty when nobody
    was asked), `history` what happened before that bears on it, `failed` the checks of the policy
    that did not pass, `note` the agent's own prose, `instrument` the keyed hash of what the money
    goes to, `spans` what was found in the texts that leave the desk, by parameter. `ask` is what
    was decided on when it was proposed, `earlier` what the customer had been given by then.
    """

    artifact: bytes
    nonce: str
    facts: tuple[Fact, ...]
    lines: tuple[Line, ...]
    reasons: tuple[Reason, ...]
    note: str | None = None
    history: tuple[Line, ...] = ()
    failed: tuple[FailedCheck, ...] = ()
    ask: Ask | None = None
    earlier: int = 0
    instrument: str | None = None
    spans: Spans = {}


_content_decoder: Final = msgspec.msgpack.Decoder(Content)


def content_of(tx: Tx, proposal: Proposal) -> Content:
    """Open the sealed part of a proposal. Raises Tampered when it is not there any more."""
    sealed = tx.vault.get(proposal.desk, proposal.id, CONTENT)
    if sealed is None:
        what = f"the content of `{proposal.id}` is gone"
        raise Tampered("content_unreadable", what, desk=proposal.desk, proposal=proposal.id)
    return _content_decoder.decode(sealed)


def sealing_subject(tx: Tx, desk: str, subject: str) -> str:
    """Under whose key new content about a customer is sealed: the desk's, once they were erased."""
    if tx.vault.can_seal(desk, subject):
        return subject
    return tx.vault.ref_of(desk, DESK_SUBJECT, tx.now)


def statement_of(content: Content, digest: str, policy: str, desk: str) -> str:
    """What a review binds: artifact, rendering, facts, policy, desk and nonce.

    The rendering is the lines, what happened before, and what is marked in the texts.
    """
    marked = (span for found in content.spans.values() for span in found)
    return statement_digest(
        artifact=digest,
        rendering=digest_of(canonical((*content.lines, *content.history, *marked))),
        facts=digest_of(canonical(content.facts)),
        policy=policy,
        desk=desk,
        nonce=content.nonce,
    )


def check_unchanged(tx: Tx, proposal: Proposal) -> list[Review]:
    """The reviews of a proposal, all as the log last said, like the row itself.

    Raises Tampered when the row or a review of it is not: somebody has changed the database from
    outside. Nothing is written about the row, so that the log still tells: a new entry would commit
    to the changed row. `engine.asking.escalate.tell_tampered` hands it to a person without that.
    """
    committed: dict[str, str] = {}
    for logged in tx.log.of_proposal(proposal.desk, proposal.id):
        committed.update(logged.entry.rows)
    stands = {"proposal": row_commitment(proposal)}
    reviews = tx.proposals.reviews(proposal.desk, proposal.id)
    for review in reviews:
        stands[f"review:{review.n}"] = row_commitment(review)
    said = {name: committed[name] for name in committed if name.startswith(("proposal", "review:"))}
    if said != stands:
        what = f"`{proposal.id}` was changed in the database, not by handrail"
        raise Tampered("tampered", what, desk=proposal.desk, proposal=proposal.id)
    return reviews


def note_down(
    tx: Tx,
    proposal: Proposal,
    tag: Tag,
    *,
    actor: str,
    data: Data | None = None,
    by_person: bool = False,
    rows: dict[str, str] | None = None,
) -> None:
    """Append an entry about a proposal, with the commitment to its row as it stands now."""
    committed = {"proposal": row_commitment(proposal)}
    if rows:
        committed.update(rows)
    tx.log.append(
        Entry(
            at=tx.now,
            desk=proposal.desk,
            tag=tag.value,
            actor=actor,
            task=proposal.task,
            proposal=proposal.id,
            subject=proposal.subject,
            data=data or {},
            rows=committed,
        ),
        by_person=by_person,
    )


def note_on_desk(
    tx: Tx,
    desk: str,
    tag: Tag,
    *,
    actor: str,
    data: Data | None = None,
    rows: dict[str, str] | None = None,
    subject: str | None = None,
    by_person: bool = True,
) -> None:
    """Append an entry about a desk itself: its people, rules, halts, channels.

    `rows` names each row that was written with it, with its commitment.
    """
    entry = Entry(
        at=tx.now,
        desk=desk,
        tag=tag.value,
        actor=actor,
        subject=subject,
        data=data or {},
        rows=rows or {},
    )
    tx.log.append(entry, by_person=by_person)


def advance(
    tx: Tx,
    before: Proposal,
    event: Event,
    tag: Tag,
    *,
    actor: str,
    data: Data | None = None,
    by_person: bool = False,
    rows: dict[str, str] | None = None,
    **changes: object,
) -> Proposal:
    """Move a proposal by an event, and log it.

    Raises Conflict `not_pending` when the row is no longer as `before` says, and InvariantBroken
    for a move that does not exist.
    """
    state = after(before.state, event)
    moved: Proposal = msgspec.structs.replace(
        before, version=before.version + 1, updated_at=tx.now, state=state, **changes
    )
    said: Data = {"state": state.value, **(data or {})}
    write_move(tx, before, moved, tag, actor=actor, data=said, by_person=by_person, rows=rows)
    return moved


def write_move(
    tx: Tx,
    before: Proposal,
    moved: Proposal,
    tag: Tag,
    *,
    actor: str,
    data: Data,
    by_person: bool = False,
    rows: dict[str, str] | None = None,
) -> None:
    """Write a move made in memory: row, counters and entry, all or nothing."""
    if not tx.proposals.replace(before, moved):
        raise Conflict("not_pending", f"`{before.id}` was changed by somebody else just now")
    if moved.state is not before.state:
        tx.counters.add(before.desk, f"state:{before.state.value}", -1)
        tx.counters.add(before.desk, f"state:{moved.state.value}", 1)
    note_down(tx, moved, tag, actor=actor, data=data, by_person=by_person, rows=rows)


def amend(
    tx: Tx,
    before: Proposal,
    tag: Tag,
    *,
    actor: str,
    data: Data | None = None,
    by_person: bool = False,
    rows: dict[str, str] | None = None,
    **changes: object,
) -> Proposal:
    """Change a proposal without moving it, and log it."""
    changed: Proposal = msgspec.structs.replace(
        before, version=before.version + 1, updated_at=tx.now, **changes
    )
    write_move(
        tx, before, changed, tag, actor=actor, data=data or {}, by_person=by_person, rows=rows
    )
    return changed
