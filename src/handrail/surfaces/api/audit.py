"""The auditor's questions over HTTP, and proofs to take away."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from handrail.core.artifact import Line
from handrail.core.money import Money
from handrail.errors import InvalidInput, NotFound
from handrail.prove.audit import Allowed, Telling, Voice, find_payouts, tellings
from handrail.prove.export import export_action, export_customer
from handrail.store.protocol import Tx
from handrail.surfaces.api.incoming import Access, Answer, Incoming, id_in
from handrail.surfaces.api.operations import Operation

__all__ = ["OPERATIONS"]

TELLINGS_MAX: Final = 50


class TellingsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer, by their id or by the reference that the log has; `after` an action's id."""

    customer: str
    after: str = ""


class PayoutsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An action, a provider's reference, a ticket or a customer, and maybe an amount."""

    what: str
    amount: str | None = None


class ProofRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose records: of one action, or of a customer by reference, from after an action's id on."""

    action: str | None = None
    customer: str | None = None
    after: str = ""


class VoiceView(msgspec.Struct, frozen=True, kw_only=True):
    """What one person said about an action."""

    person: str
    name: str
    roles: tuple[str, ...]
    verdict: str
    at: int
    signed: bool
    break_glass: bool


class AllowedView(msgspec.Struct, frozen=True, kw_only=True):
    """Who allowed an action, by which policy, and what became of it; `says` is all of it."""

    id: str
    kind: str
    state: str
    amount: str | None
    says: str
    people: tuple[VoiceView, ...]
    policy: str
    policy_version: int | None
    proposed_at: int
    done_at: int | None
    provider_ref: str | None
    undone_by: str | None


class TellingView(msgspec.Struct, frozen=True, kw_only=True):
    """One text to a customer; `texts` is None once the customer was erased."""

    action: AllowedView
    texts: tuple[Line, ...] | None


class TellingsView(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer was told, oldest first; `next` is what to go on after."""

    customer_ref: str
    items: tuple[TellingView, ...]
    next: str | None


class PayoutsView(msgspec.Struct, frozen=True, kw_only=True):
    """The actions that were meant, newest first."""

    items: tuple[AllowedView, ...]


async def get_tellings(call: Incoming) -> TellingsView:
    """Every text by which something could leave the desk for a customer."""
    query: TellingsQuery = call.query
    person, ctx = call.by_person(), call.gateway.ctx

    def look(tx: Tx) -> TellingsView:
        customer = query.customer
        ref = customer if customer.startswith("sub_") else tx.vault.find_ref(person.desk, customer)
        if ref is None:
            raise NotFound("subject_unknown", "nothing is stored about a customer of that id")
        found, following = tellings(tx, ctx, person, ref, after=query.after, most=TELLINGS_MAX)
        items = tuple(_telling(one) for one in found)
        return TellingsView(customer_ref=ref, items=items, next=following)

    return ctx.store.read(look)


async def get_payouts(call: Incoming) -> PayoutsView:
    """Who approved what is meant, each with a sentence that says so."""
    query: PayoutsQuery = call.query
    person, ctx = call.by_person(), call.gateway.ctx
    value = None if query.amount is None else Money.parse(query.amount)
    found = ctx.store.read(lambda tx: find_payouts(tx, ctx, person, query.what, value))
    return PayoutsView(items=tuple(_allowed(one) for one in found))


async def make_proof(call: Incoming) -> Answer:
    """A zip file with the records and everything that it takes to check them. It is logged."""
    body: ProofRequest = call.body
    person, ctx = call.by_person(), call.gateway.ctx
    if body.action is not None and body.customer is None:
        id = id_in(body.action, "proposal_not_found")
        export = partial(export_action, ctx, id, person)
    elif body.customer is not None and body.action is None:
        export = partial(export_customer, ctx, body.customer, person, after=body.after)
    else:
        raise InvalidInput("field_malformed", "name one of `action` and `customer`")
    made = await call.gateway.runner.chore(export)
    return Answer(body=made.data, content_type=b"application/zip")


def _telling(one: Telling) -> TellingView:
    return TellingView(action=_allowed(one.allowed), texts=one.texts)


def _allowed(one: Allowed) -> AllowedView:
    proposal = one.proposal
    return AllowedView(
        id=proposal.id,
        kind=proposal.kind,
        state=proposal.state.value,
        amount=None if proposal.value is None else proposal.value.text(),
        says=one.says,
        people=tuple(_voice(voice) for voice in one.voices),
        policy=proposal.policy,
        policy_version=one.version,
        proposed_at=proposal.created_at,
        done_at=one.done_at,
        provider_ref=proposal.provider_ref,
        undone_by=proposal.undone_by,
    )


def _voice(one: Voice) -> VoiceView:
    return VoiceView(
        person=one.person,
        name=one.name,
        roles=one.roles,
        verdict=one.verdict.value,
        at=one.at,
        signed=one.signed,
        break_glass=one.granted,
    )


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/v1/audit/tellings",
        summary="What a customer was told",
        handle=get_tellings,
        access=Access.PERSON,
        query=TellingsQuery,
        answer=TellingsView,
        problems=("subject_unknown",),
    ),
    Operation(
        method="GET",
        path="/v1/audit/payouts",
        summary="Who approved a payout",
        handle=get_payouts,
        access=Access.PERSON,
        query=PayoutsQuery,
        answer=PayoutsView,
        problems=("money_malformed", "money_is_ambiguous"),
    ),
    Operation(
        method="POST",
        path="/v1/audit/proofs",
        summary="Take records out of the desk as a proof",
        handle=make_proof,
        access=Access.PERSON,
        body=ProofRequest,
        content_type="application/zip",
        problems=("role_missing", "proposal_not_found", "subject_unknown", "proof_waits"),
    ),
)
