"""Actions, from a person's side: the queue, one action in full, and the verdict on it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from handrail.core.canonical import check_plain
from handrail.core.lifecycle import State
from handrail.engine.deciding.review import Opinion
from handrail.engine.deciding.testify import Testimony
from handrail.engine.showing.looks import shown_unit
from handrail.engine.showing.search import Haul, Search, haul
from handrail.engine.showing.show import Card, cards_of, show
from handrail.errors import InvalidInput
from handrail.store.protocol import Tx
from handrail.surfaces.api.answers import ActionView, DetailView, QueueView, ReviewedView
from handrail.surfaces.api.incoming import Access, Answer, Incoming, id_in
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import (
    EditRequest,
    EmptyRequest,
    OutcomeRequest,
    QueueQuery,
    ReviewRequest,
)
from handrail.surfaces.api.views import (
    action_view,
    card_view,
    detail_view,
    escalation_view,
    reviewed_view,
)
from handrail.surfaces.auth import session_cookie
from handrail.surfaces.challenges import asked_to_sign

__all__ = ["OPERATIONS", "ChallengeView"]


class ChallengeView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a passkey has to sign; if so what, as WebAuthn's request options, and the nonce."""

    needed: bool
    nonce: str
    options: dict[str, Any]


_STATE: Final = "state:"


async def review_proposal(call: Incoming) -> ReviewedView | Answer:
    """Count a verdict on the digest that this person was shown."""
    body: ReviewRequest = call.body
    person = call.by_person()
    opinion = Opinion(
        person=person.id,
        verdict=body.verdict,
        statement=body.digest,
        reason=body.reason,
        signed=body.signed,
        ground=body.ground,
        retyped=body.retyped,
    )
    id = call.path_id("id", "proposal_not_found")
    assert call.session is not None
    token, proposal = await call.gateway.reviewed(call.session, id, opinion)
    view = reviewed_view(call.gateway.ctx, proposal)
    if token is None:
        return view
    cookie = session_cookie(token, secure=call.secure).encode("latin-1")
    return Answer(body=msgspec.json.encode(view), headers=((b"set-cookie", cookie),))


async def ask_for_signature(call: Incoming) -> ChallengeView:
    """What a passkey of this person has to sign for their approval, if one has to."""
    person, id = call.by_person(), call.path_id("id", "proposal_not_found")
    asked = asked_to_sign(call.gateway.ctx, person, id)
    if asked is None:
        return ChallengeView(needed=False, nonce="", options={})
    return ChallengeView(needed=True, nonce=asked.nonce, options=asked.options)


async def settle_proposal(call: Incoming) -> ActionView:
    """Say what became of an action whose outcome is not known; money takes two who agree."""
    body: OutcomeRequest = call.body
    person = call.by_person()
    said = Testimony(
        person=person.id,
        done=body.done,
        evidence=body.evidence,
        provider_ref=body.provider_ref,
    )
    id = call.path_id("id", "proposal_not_found")
    return action_view(call.gateway.ctx, await call.gateway.testify(person.desk, id, said))


async def edit_proposal(call: Incoming) -> ActionView:
    """Correct a waiting action: the new one that takes its place, and waits for another person."""
    body: EditRequest = call.body
    check_plain(body.params)
    person = call.by_person()
    id = call.path_id("id", "proposal_not_found")
    proposal = await call.gateway.edit(
        person.desk, id, editor=person.id, changes=body.params, digest=body.digest
    )
    return action_view(call.gateway.ctx, proposal)


async def recuse_from_proposal(call: Incoming) -> ActionView:
    """Say that one was drawn by lot and cannot decide it; another one is drawn."""
    person = call.by_person()
    id = call.path_id("id", "proposal_not_found")
    proposal = await call.gateway.recuse(person.desk, id, person=person.id)
    return action_view(call.gateway.ctx, proposal)


async def get_proposal_in_full(call: Incoming) -> DetailView:
    """The literal artifact, the facts and the history, as this person may see them."""
    person = call.by_person()
    ctx = call.gateway.ctx
    shown = show(ctx, person.desk, call.path_id("id", "proposal_not_found"), viewer=person)
    look = None
    if shown.card.proposal.state is State.PENDING and call.scope["method"] == "GET":
        look = await ctx.store.submit(shown_unit(ctx, shown, person))
    escalations = ctx.store.read(lambda tx: [escalation_view(tx, one) for one in shown.escalations])
    return detail_view(shown, escalations, look)


async def get_queue(call: Incoming) -> QueueView:
    """What waits for a person, the most urgent first, a page at a time."""
    query: QueueQuery = call.query
    person, ctx = call.by_person(), call.gateway.ctx
    after = None if query.after is None else _place(query.after)
    search = Search(**{name: getattr(query, name) for name in Search.__struct_fields__})

    def look(tx: Tx) -> tuple[Haul, list[Card], dict[str, int]]:
        found = haul(ctx, tx, person, search, after=after, most=query.limit)
        return found, cards_of(ctx, tx, found.proposals), tx.counters.of(person.desk)

    found, cards, counters = ctx.store.read(look)
    return QueueView(
        items=[card_view(card) for card in cards],
        next=None if found.rest is None else f"{found.rest[0]}.{found.rest[1]}",
        counts={
            name.removeprefix(_STATE): n
            for name, n in counters.items()
            if name.startswith(_STATE) and n
        },
    )


def _place(after: str) -> tuple[int, str]:
    """The (rank, id) that a page ended with."""
    rank, _, id = after.partition(".")
    if not (rank.isascii() and rank.isdigit() and len(rank) <= 19 and int(rank) < 2**63):
        raise InvalidInput("field_malformed", "`after` is not the `next` of a page")
    return int(rank), id_in(id, "proposal_not_found")


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/proposals/{id}/reviews",
        summary="Decide about an action",
        handle=review_proposal,
        access=Access.PERSON,
        body=ReviewRequest,
        answer=ReviewedView,
        problems=(
            "proposal_not_found",
            "not_pending",
            "review_expired",
            "stale_digest",
            "reason_missing",
            "maker_is_checker",
            "delegation_cycle",
            "beneficiary_conflict",
            "not_entitled",
            "not_seasoned",
            "reviewed_already",
            "not_assigned",
            "nothing_can_run",
            "too_soon",
            "budget_spent",
            "nothing_to_take_back",
            "take_back_too_late",
            "retype_missing",
            "retype_wrong",
            "passkey_needed",
            "passkey_refused",
            "content_erased",
            "tampered",
            "invariant_broken",
        ),
    ),
    Operation(
        method="GET",
        path="/v1/proposals/{id}/challenge",
        summary="What a passkey has to sign for an approval",
        handle=ask_for_signature,
        access=Access.PERSON,
        answer=ChallengeView,
        problems=("proposal_not_found",),
    ),
    Operation(
        method="POST",
        path="/v1/proposals/{id}/outcome",
        summary="Say what became of an action whose outcome is not known",
        handle=settle_proposal,
        access=Access.PERSON,
        body=OutcomeRequest,
        answer=ActionView,
        problems=(
            "proposal_not_found",
            "not_pending",
            "outcome_too_early",
            "provider_ref_taken",
            "reason_missing",
            "maker_is_checker",
            "not_entitled",
            "tampered",
            "invariant_broken",
        ),
    ),
    Operation(
        method="POST",
        path="/v1/proposals/{id}/edit",
        summary="Correct a waiting action",
        handle=edit_proposal,
        access=Access.PERSON,
        body=EditRequest,
        answer=ActionView,
        problems=(
            "proposal_not_found",
            "not_pending",
            "review_expired",
            "stale_digest",
            "not_entitled",
            "reviewed_already",
            "amount_raised",
            "edit_refused",
            "subject_unknown",
            "connector_refused",
            "connector_unavailable",
            "content_erased",
            "tampered",
            "invariant_broken",
        ),
    ),
    Operation(
        method="POST",
        path="/v1/proposals/{id}/recuse",
        summary="Leave the decision to another person who is drawn",
        handle=recuse_from_proposal,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=ActionView,
        problems=(
            "proposal_not_found",
            "not_pending",
            "not_assigned",
            "reviewed_already",
            "tampered",
            "invariant_broken",
        ),
    ),
    Operation(
        method="GET",
        path="/v1/proposals/{id}/full",
        summary="One action in full",
        handle=get_proposal_in_full,
        access=Access.PERSON,
        answer=DetailView,
        problems=("proposal_not_found", "content_erased"),
    ),
    Operation(
        method="GET",
        path="/v1/queue",
        summary="What waits for a person",
        handle=get_queue,
        access=Access.PERSON,
        query=QueueQuery,
        answer=QueueView,
        problems=("proposal_not_found",),
    ),
)
