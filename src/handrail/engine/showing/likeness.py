"""Likeness: what an action is compared with, so that a person sees what is different about it.

Its own earlier try or the action that it corrects, and what people passed of the kind just before.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

import msgspec

from handrail.core.lifecycle import State
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict
from handrail.core.usual import ALIKE_MAX, Unusual, unusual_in
from handrail.engine.base.record import Content, content_of
from handrail.engine.waiting.ask_again import Change, lines_between, texts_of
from handrail.errors import Tampered, Unavailable
from handrail.store.protocol import Tx

__all__ = ["Before", "Likeness", "likeness_of"]

TRIES_AMONG: Final = 50
"""Newest actions about a customer among which an earlier try is looked for."""
_IN_VAIN: Final = frozenset(
    (State.REJECTED, State.EXPIRED, State.WITHDRAWN, State.FAILED, State.REFUSED)
)

_OWN: Final = frozenset(("Message-ID",))
"""Lines that no two actions share: that they differ says nothing."""


class Before(Enum):
    """What an action is compared with, word for word."""

    CORRECTED = "corrected"
    SENT_BACK = "sent_back"
    TRIED = "tried"


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """How an action stands beside others.

    `before` is the one that it corrects or comes after, `how` says which, and `changed` what
    differs; `wish` is what a person had asked for then. `unusual` is the one line in which it
    departs from those that people passed of this agent and kind.
    """

    before: Proposal | None = None
    how: Before | None = None
    changed: tuple[Change, ...] = ()
    wish: str | None = None
    unusual: Unusual | None = None


def likeness_of(tx: Tx, proposal: Proposal) -> Likeness:
    """How an action stands beside others, as far as those can still be opened."""
    now = _opened(tx, proposal)
    if now is None:
        return Likeness()
    unusual = _unusual(tx, proposal, now)
    before = _before(tx, proposal)
    content = None if before is None else _opened(tx, before)
    if before is None or content is None:
        return Likeness(unusual=unusual)
    how = Before.CORRECTED if proposal.supersedes == before.id else Before.TRIED
    if how is Before.TRIED and before.sent_back_at is not None:
        how = Before.SENT_BACK
    return Likeness(
        before=before,
        how=how,
        changed=tuple(one for one in lines_between(content, now) if one.label not in _OWN),
        wish=_wish(tx, before) if how is Before.SENT_BACK else None,
        unusual=unusual,
    )


def _before(tx: Tx, proposal: Proposal) -> Proposal | None:
    """The action that this one corrects, or else its latest try in the same task."""
    if proposal.supersedes is not None:
        return tx.proposals.look(proposal.desk, proposal.supersedes)
    tries = (
        one
        for one in tx.proposals.of_subject(proposal.desk, proposal.subject, most=TRIES_AMONG)
        if (one.task, one.kind, one.agent) == (proposal.task, proposal.kind, proposal.agent)
    )
    return next((one for one in tries if one.id < proposal.id and one.state in _IN_VAIN), None)


def _unusual(tx: Tx, proposal: Proposal, now: Content) -> Unusual | None:
    passed = tx.proposals.passed(proposal.desk, proposal.kind, proposal.agent, most=ALIKE_MAX + 1)
    others = [one for one in passed if one.id != proposal.id][:ALIKE_MAX]
    return unusual_in(texts_of(now.lines), [texts_of(one.lines) for one in _all(tx, others)])


def _all(tx: Tx, proposals: list[Proposal]) -> Iterator[Content]:
    found = (_opened(tx, one) for one in proposals)
    return (content for content in found if content is not None and content.lines)


def _opened(tx: Tx, proposal: Proposal) -> Content | None:
    """The content; None once its customer was erased, or when it is not as it was sealed."""
    try:
        return content_of(tx, proposal)
    except (Unavailable, Tampered):
        return None


def _wish(tx: Tx, before: Proposal) -> str | None:
    for review in tx.proposals.reviews(before.desk, before.id):
        if review.verdict is Verdict.REQUEST_CHANGES:
            try:
                data = tx.vault.get(before.desk, before.id, f"review:{review.n}")
            except Unavailable:
                return None
            return None if data is None else data.decode()
    return None
