"""Proposed policies: what one changes, who said what, and the steps that are left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.amendment import Amendment, AmendmentState
from handrail.core.policy import Policy
from handrail.engine.governing.amendment import (
    activate_amendment,
    amendment_reason,
    approve_plan,
    check_reader,
    reject_unit,
)
from handrail.engine.governing.amendment_steps import Steps, steps_of
from handrail.engine.governing.comparison import differences_of
from handrail.engine.governing.desks import follow_desks
from handrail.engine.governing.versions import active_policy, opened_policy
from handrail.errors import Conflict, InvalidInput, NotFound
from handrail.policy.difference import Difference
from handrail.policy.written import written
from handrail.store.protocol import Tx, Unit
from handrail.surfaces.console.pages import Visitor, redirect
from handrail.surfaces.console.policy.readable import shown_policy
from handrail.surfaces.console.policy.room import changes_of, owns_policies, who_text

__all__ = ["proposal", "proposals", "step"]

LISTED_MOST: Final = 100
STATES: Final = {
    AmendmentState.PROPOSED: ("Proposed", "wait"),
    AmendmentState.APPROVED: ("Approved", "wait"),
    AmendmentState.ACTIVATED: ("Made active", "good"),
    AmendmentState.REJECTED: ("Rejected", ""),
}


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a page of a proposal was made of, and comes back with its form."""

    digest: str
    base: str
    state: str


async def proposals(visitor: Visitor) -> Response:
    """Every proposed policy, the newest first."""
    check_reader(visitor.person)
    ctx, desk = visitor.gateway.ctx, visitor.desk
    found = ctx.store.read(lambda tx: tx.amendments.latest(desk, most=LISTED_MOST))
    return visitor.render(
        "policy_proposals.html",
        current=[one for one in found if one.is_open],
        closed=[one for one in found if not one.is_open],
        states=STATES,
        who=who_text,
        owner=owns_policies(visitor),
    )


async def proposal(visitor: Visitor) -> Response:
    """One proposed policy: what it changes, and the buttons that work for this person."""
    check_reader(visitor.person)
    ctx, desk = visitor.gateway.ctx, visitor.desk
    found = _amendment(visitor)
    differences: tuple[Difference, ...] = await visitor.gateway.runner.call(
        partial(differences_of, ctx, found)
    )
    changes = changes_of(differences)
    opened = opened_policy(found.body, found.digest, desk)

    def look(tx: Tx) -> tuple[str, Policy, Steps | None]:
        active = active_policy(tx, desk)
        steps = None
        if found.is_open:
            steps = steps_of(
                tx,
                found,
                visitor.person,
                policy=opened,
                active=active,
                looser=changes.looser_all,
            )
        return amendment_reason(tx, found), active, steps

    reason, active, steps = ctx.store.read(look)
    return visitor.render(
        "policy_proposal.html",
        one=found,
        state=STATES[found.state],
        reason=reason,
        changes=changes,
        steps=steps,
        base=active,
        delay_ms=active.clocks.loosening_ms,
        who=who_text,
        owner=owns_policies(visitor),
        shown=shown_policy(opened),
        text=written(opened),
    )


async def step(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Approve, reject or activate what the page showed. A page that is out of date is refused."""
    check_reader(visitor.person)
    ctx, desk, by = visitor.gateway.ctx, visitor.desk, visitor.person.id
    id = _amendment(visitor).id
    seen = _Seen(
        digest=form.get("digest", ""), base=form.get("base", ""), state=form.get("state", "")
    )
    taken = form.get("step")
    if taken == "reject":
        planned: Callable[[], Unit[Amendment]] = partial(reject_unit, desk, id, by=by)
    elif taken == "approve":
        planned = partial(approve_plan, ctx, desk, id, by=by)
    elif taken == "activate":
        planned = partial(activate_amendment, ctx, desk, id, by=by)
    else:
        raise InvalidInput("field_malformed", "choose what to do with it")
    ctx.store.read(lambda tx: _check_seen(tx, desk, id, seen))
    unit = await visitor.gateway.runner.call(planned)
    await ctx.store.submit(_as_seen(unit, desk, id, seen))
    if taken == "activate":
        follow_desks(ctx)
    return redirect(f"/policy/proposals/{id}")


def _as_seen(unit: Unit[Amendment], desk: str, id: str, seen: _Seen) -> Unit[Amendment]:
    """The unit, once more only if everything stands as the page showed it."""

    def checked(tx: Tx) -> Amendment:
        _check_seen(tx, desk, id, seen)
        return unit(tx)

    return checked


def _check_seen(tx: Tx, desk: str, id: str, seen: _Seen) -> None:
    found, row = tx.amendments.get(desk, id), tx.desks.get(desk)
    if found is None or row is None:
        raise NotFound("amendment_not_found", "there is no such proposed policy on this desk")
    if not found.is_open:
        raise Conflict("amendment_closed", f"this proposed policy is {found.state.value} already")
    if seen != _Seen(digest=found.digest, base=row.policy, state=found.state.value):
        said = "something changed after this page was made: look at the proposal as it is now"
        raise Conflict("amendment_stale", said)


def _amendment(visitor: Visitor) -> Amendment:
    id = visitor.request.path_params["id"]
    found = visitor.gateway.ctx.store.read(lambda tx: tx.amendments.get(visitor.desk, id))
    if found is None:
        raise NotFound("amendment_not_found", "there is no such proposed policy on this desk")
    return found
