"""The policy over HTTP: what is active, what is proposed, and the steps of its life.

People only: no credential of an agent reads or changes any of it.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

import msgspec

from handrail.core.amendment import Amendment, AmendmentState
from handrail.core.principal import Principal
from handrail.engine.governing.amendment import (
    activate_amendment,
    amendment_reason,
    approve_plan,
    check_reader,
    propose_policy_plan,
    reject_unit,
)
from handrail.engine.governing.comparison import differences_of
from handrail.engine.governing.desks import follow_desks
from handrail.engine.governing.versions import active_version
from handrail.errors import NotFound
from handrail.policy.difference import PlainDifference, plain_of
from handrail.policy.loader import load_text
from handrail.policy.source import TEXT_BYTES_MAX
from handrail.store.protocol import Tx
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest

__all__ = ["OPERATIONS"]

LISTED_MAX: Final = 100


class AmendRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole policy as YAML, and why it should take the place of the active one."""

    policy: Annotated[str, msgspec.Meta(max_length=TEXT_BYTES_MAX)]
    reason: str


class AmendmentView(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed policy. `looser` and `tighter` count what moves that way from `base`."""

    id: str
    name: str
    version: int
    digest: str
    base: str
    looser: int
    tighter: int
    state: AmendmentState
    reason: str
    proposed_by: str
    proposed_at: int
    approved_by: str | None
    approved_at: int | None
    ready_at: int | None
    closed_by: str | None
    closed_at: int | None


class AmendmentsView(msgspec.Struct, frozen=True, kw_only=True):
    """Proposed policies, newest first."""

    items: list[AmendmentView]


class AmendmentDetailView(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed policy with what it changes, by meaning."""

    amendment: AmendmentView
    differences: list[PlainDifference]


class ActivePolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """The policy that is in force. `number` counts the desk's versions; `version` is the file's."""

    name: str
    version: int
    number: int
    digest: str
    activated_at: int
    activated_by: str


async def get_policy(call: Incoming) -> ActivePolicyView:
    """The policy that is in force."""
    person, ctx = _reader(call), call.gateway.ctx
    policy = ctx.rulebook(person.desk).policy
    stands = ctx.store.read(lambda tx: active_version(tx, person.desk, policy.digest))
    return ActivePolicyView(
        name=policy.name,
        version=policy.version,
        number=stands.version,
        digest=policy.digest,
        activated_at=stands.activated_at,
        activated_by=stands.activated_by,
    )


async def get_amendments(call: Incoming) -> AmendmentsView:
    """What is or was proposed, the newest hundred."""
    desk = _reader(call).desk

    def look(tx: Tx) -> list[AmendmentView]:
        return [_view(tx, one) for one in tx.amendments.latest(desk, most=LISTED_MAX)]

    return AmendmentsView(items=call.gateway.ctx.store.read(look))


async def get_amendment(call: Incoming) -> AmendmentDetailView:
    """One proposed policy, with what it changes against the active one."""
    desk, ctx = _reader(call).desk, call.gateway.ctx
    id = call.path_id("id", "amendment_not_found")
    found = ctx.store.read(lambda tx: tx.amendments.get(desk, id))
    if found is None:
        raise NotFound("amendment_not_found", f"there is no proposed policy `{id}` on this desk")
    differences = await call.gateway.runner.call(partial(differences_of, ctx, found))
    return AmendmentDetailView(
        amendment=_viewed(call, found), differences=[plain_of(one) for one in differences]
    )


async def propose_policy(call: Incoming) -> AmendmentView:
    """Propose a policy. Nothing changes by it."""
    body: AmendRequest = call.body
    person, ctx = _reader(call), call.gateway.ctx
    policy = await call.gateway.runner.call(partial(load_text, body.policy, source="policy"))
    planned = partial(
        propose_policy_plan, ctx, person.desk, policy, by=person.id, reason=body.reason
    )
    return _viewed(call, await ctx.store.submit(await call.gateway.runner.call(planned)))


async def approve_amendment(call: Incoming) -> AmendmentView:
    """Approve what another policy owner proposed; the delay begins."""
    person, ctx = call.by_person(), call.gateway.ctx
    id = call.path_id("id", "amendment_not_found")
    planned = partial(approve_plan, ctx, person.desk, id, by=person.id)
    return _viewed(call, await ctx.store.submit(await call.gateway.runner.call(planned)))


async def reject_amendment(call: Incoming) -> AmendmentView:
    """End a proposed policy; one person is enough."""
    person, ctx = call.by_person(), call.gateway.ctx
    id = call.path_id("id", "amendment_not_found")
    return _viewed(call, await ctx.store.submit(reject_unit(person.desk, id, by=person.id)))


async def activate_policy(call: Incoming) -> AmendmentView:
    """Make a proposed policy the active one: at once if nothing gets looser."""
    person, ctx = call.by_person(), call.gateway.ctx
    id = call.path_id("id", "amendment_not_found")
    planned = partial(activate_amendment, ctx, person.desk, id, by=person.id)
    done = await ctx.store.submit(await call.gateway.runner.call(planned))
    follow_desks(ctx)
    return _viewed(call, done)


def _reader(call: Incoming) -> Principal:
    person = call.by_person()
    check_reader(person)
    return person


def _viewed(call: Incoming, amendment: Amendment) -> AmendmentView:
    return call.gateway.ctx.store.read(lambda tx: _view(tx, amendment))


def _view(tx: Tx, amendment: Amendment) -> AmendmentView:
    shown = {name: getattr(amendment, name) for name in _SHOWN}
    return AmendmentView(reason=amendment_reason(tx, amendment), **shown)


_SHOWN: Final = tuple(name for name in AmendmentView.__struct_fields__ if name != "reason")
_ENTITLED: Final = ("not_entitled", "role_missing")
_STEP: Final = ("amendment_not_found", "amendment_closed", "invariant_broken", *_ENTITLED)
_COMPARED: Final = (
    "amendment_stale",
    "connector_unknown",
    "connector_unavailable",
    "policy_not_found",
    "log_damaged",
)

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/v1/policy",
        summary="The policy that is in force",
        handle=get_policy,
        access=Access.PERSON,
        answer=ActivePolicyView,
        problems=("role_missing", "policy_not_found"),
    ),
    Operation(
        method="GET",
        path="/v1/policy/proposals",
        summary="Proposed policies",
        handle=get_amendments,
        access=Access.PERSON,
        answer=AmendmentsView,
        problems=("role_missing",),
    ),
    Operation(
        method="POST",
        path="/v1/policy/proposals",
        summary="Propose a policy",
        handle=propose_policy,
        access=Access.PERSON,
        body=AmendRequest,
        answer=AmendmentView,
        status=201,
        problems=(
            "policy_invalid",
            "reason_missing",
            "policy_unchanged",
            "policy_version_old",
            *_ENTITLED,
            *_COMPARED,
        ),
    ),
    Operation(
        method="GET",
        path="/v1/policy/proposals/{id}",
        summary="A proposed policy and what it changes",
        handle=get_amendment,
        access=Access.PERSON,
        answer=AmendmentDetailView,
        problems=("amendment_not_found", "role_missing", *_COMPARED),
    ),
    Operation(
        method="POST",
        path="/v1/policy/proposals/{id}/approve",
        summary="Approve what another person proposed",
        handle=approve_amendment,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=AmendmentView,
        problems=("own_authority", "not_seasoned", *_STEP, *_COMPARED),
    ),
    Operation(
        method="POST",
        path="/v1/policy/proposals/{id}/reject",
        summary="End a proposed policy",
        handle=reject_amendment,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=AmendmentView,
        problems=_STEP,
    ),
    Operation(
        method="POST",
        path="/v1/policy/proposals/{id}/activate",
        summary="Make a proposed policy the active one",
        handle=activate_policy,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=AmendmentView,
        problems=(
            "amendment_waits",
            "policy_version_old",
            "policy_unchanged",
            "quorum_impossible",
            "own_authority",
            "not_seasoned",
            *_STEP,
            *_COMPARED,
        ),
    ),
)
