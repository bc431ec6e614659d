"""Show: what a person is shown about an action, from the bytes that are stored.

The lines are rendered by the gateway from the stored artifact; they, the facts and the artifact
are under the statement digest that a review must quote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.core.artifact import Fact, Line
from handrail.core.decide import FailedCheck, Reason
from handrail.core.entry import Tag
from handrail.core.grade import Grade
from handrail.core.lifecycle import FINAL, State
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.retype import Retype
from handrail.core.review import Review, why_not
from handrail.core.triggers.find import pressure_of
from handrail.core.triggers.span import Span
from handrail.engine.asking.checkers import bench_of, lacking, makers_of, nobody_text, roster_of
from handrail.engine.base.context import Context
from handrail.engine.base.outgoing import Place, Spans, places_of, spans_by_text, texts_of
from handrail.engine.base.record import RESULT, content_of
from handrail.engine.deciding.edit import editable_params
from handrail.engine.deciding.review import retype_for
from handrail.engine.deciding.testify import Witness, why_not_testify, witnesses
from handrail.engine.proposing.undo import why_no_undo
from handrail.engine.waiting.ask_again import Change, before_of, changes_between
from handrail.errors import NotFound, Unavailable
from handrail.store.protocol import Escalation, LoggedEntry, Tx

__all__ = ["Card", "GivenReview", "Shown", "cards_of", "is_sealed", "show"]

_VIEWS: Final = (Tag.REVIEW_RECORDED.value, Tag.REVIEW_WITHDRAWN.value)
"""What a checker said, which another one does not see before all have decided."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal in a list: enough to choose it, never enough to decide it."""

    proposal: Proposal
    title: str
    customer: str | None
    headline: str


class GivenReview(msgspec.Struct, frozen=True, kw_only=True):
    """A review with the reason that its person gave."""

    review: Review
    name: str
    reason: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one action that this person may see.

    `history` is what happened before that bears on it, under the digest that a review quotes.
    `found` is what is marked in the texts that leave the desk, `spans` the same by the whole text,
    `texts` each of those by its name, and `pressure` what is marked in the note.
    `artifact` is the full stored artifact, decoded. `changed` is what differs from what was decided
    on before, for an action that is put to people anew. `note` (the agent's own prose) is None at
    G3 until the decision. `reviews` is empty for a further checker until all are in. `why_not` says
    why this person may not approve, `why_nobody` why nobody can, `why_no_undo` why it cannot be
    undone; None means they can. `editable` are the parameters that an edit may change, as text.
    `retype` is what whoever approves it types once more where they decide over HTTP or on a page.
    `witnesses` is who said what became of a lost attempt, `why_not_testify` why this person cannot.
    """

    card: Card
    lines: tuple[Line, ...]
    history: tuple[Line, ...]
    facts: tuple[Fact, ...]
    changed: tuple[Change, ...]
    reasons: tuple[Reason, ...]
    failed: tuple[FailedCheck, ...]
    found: tuple[Place, ...]
    spans: Spans
    texts: dict[str, str]
    artifact: dict[str, object]
    note: str | None
    pressure: tuple[Span, ...]
    makers: tuple[str, ...]
    result: dict[str, object] | None
    reviews: tuple[GivenReview, ...]
    witnesses: tuple[Witness, ...]
    escalations: tuple[Escalation, ...]
    entries: tuple[LoggedEntry, ...]
    why_not: str | None
    why_nobody: str | None
    retype: Retype | None
    editable: dict[str, str | None]
    why_no_undo: str | None
    why_not_testify: str | None


def show(ctx: Context, desk: str, id: str, *, viewer: Principal) -> Shown:
    """One action in full. Raises NotFound, also for another desk's."""
    return ctx.store.read(lambda tx: _shown(ctx, tx, desk, id, viewer))


def cards_of(ctx: Context, tx: Tx, proposals: list[Proposal]) -> list[Card]:
    """Cards for a list, in its order."""
    return [_card(ctx, tx, proposal) for proposal in proposals]


def is_sealed(tx: Tx, viewer: Principal, logged: LoggedEntry) -> bool:
    """Whether an entry is another checker's view of an action that is not decided yet."""
    entry = logged.entry
    if entry.tag not in _VIEWS or entry.proposal is None:
        return False
    if entry.data.get("identity") == viewer.identity:
        return False
    proposal = tx.proposals.get(viewer.desk, entry.proposal)
    return proposal is not None and proposal.state is State.PENDING


def _shown(ctx: Context, tx: Tx, desk: str, id: str, viewer: Principal) -> Shown:
    proposal = tx.proposals.get(desk, id)
    if proposal is None:
        raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
    content = content_of(tx, proposal)
    before = before_of(tx, proposal)
    roster = roster_of(tx, desk)
    makers = makers_of(tx, proposal, roster)
    reviews = tx.proposals.reviews(desk, id)
    undecided, unknown = proposal.state is State.PENDING, proposal.state is State.UNKNOWN
    own = [review for review in reviews if review.identity == viewer.identity]
    refusal: str | None = "it is decided"
    short = 0
    if undecided:
        bench = bench_of(ctx, tx, proposal, roster=roster, content=content)
        refusal = why_not(proposal, makers, viewer, reviews, bench)
        short = lacking(ctx, tx, proposal, roster=roster)
    entries = tx.log.of_proposal(desk, id)
    entries = [logged for logged in entries if not is_sealed(tx, viewer, logged)]
    artifact = msgspec.json.decode(content.artifact)
    texts = texts_of(artifact)
    note = None if undecided and proposal.grade is Grade.G3 else content.note
    return Shown(
        card=_card(ctx, tx, proposal),
        lines=content.lines,
        history=content.history,
        facts=content.facts,
        changed=() if before is None else changes_between(before, content),
        reasons=content.reasons,
        failed=content.failed,
        found=places_of(content.spans, texts),
        spans=spans_by_text(content.spans, texts),
        texts=texts,
        artifact=artifact,
        note=note,
        pressure=() if note is None else pressure_of(note),
        makers=tuple(sorted(makers)),
        result=_result(tx, proposal),
        reviews=_given(tx, proposal, own if undecided else reviews),
        witnesses=tuple(witnesses(tx, proposal)) if unknown else (),
        escalations=tuple(tx.escalations.of_proposal(desk, id)),
        entries=tuple(entries),
        why_not=refusal,
        why_nobody=nobody_text(proposal, short) if short else None,
        retype=retype_for(tx, proposal) if undecided else None,
        editable=editable_params(ctx, tx, proposal) if undecided else {},
        why_no_undo=why_no_undo(ctx, proposal, tx.now),
        why_not_testify=why_not_testify(tx, ctx, proposal, viewer) if unknown else "it is known",
    )


def _card(ctx: Context, tx: Tx, proposal: Proposal) -> Card:
    kind = ctx.rulebook(proposal.desk).kind(proposal.kind)
    value = proposal.value
    try:
        customer = tx.vault.customer_of(proposal.desk, proposal.subject)
    except Unavailable:
        customer = None
    title = proposal.kind if kind is None else kind.title
    return Card(
        proposal=proposal,
        title=title,
        customer=customer or None,
        headline=title if value is None else f"{title}: {value.text()}",
    )


def _result(tx: Tx, proposal: Proposal) -> dict[str, object] | None:
    if proposal.state not in FINAL:
        return None
    data = tx.vault.get(proposal.desk, proposal.id, RESULT)
    return None if data is None else msgspec.json.decode(data)


def _given(tx: Tx, proposal: Proposal, reviews: list[Review]) -> tuple[GivenReview, ...]:
    names: Mapping[str, Principal | None] = {
        review.person: tx.people.get(proposal.desk, review.person) for review in reviews
    }
    given = []
    for review in reviews:
        person = names[review.person]
        data = tx.vault.get(proposal.desk, proposal.id, f"review:{review.n}")
        name = review.person if person is None else person.name
        reason = "" if data is None else data.decode()
        given.append(GivenReview(review=review, name=name, reason=reason))
    return tuple(given)
