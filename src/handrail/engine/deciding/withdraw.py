"""Withdraw: the maker takes back what has not run yet; a person recalls what is held back."""

from __future__ import annotations

from typing import Final

from handrail.core.entry import Tag
from handrail.core.lifecycle import Event, State
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.engine.base.context import OPERATOR
from handrail.engine.base.record import advance, check_unchanged
from handrail.errors import Conflict, NotAllowed, NotFound
from handrail.store.protocol import Tx, Unit

__all__ = ["RECALLERS", "recall_unit", "withdraw_unit"]

_EVENTS: Final = {
    State.PENDING: Event.WITHDRAW,
    State.READY: Event.WITHDRAW,
    State.HOLDING: Event.RECALL,
}

RECALLERS: Final = (Role.REVIEWER, Role.CHECKER, Role.ADMIN)


def withdraw_unit(
    desk: str, id: str, *, actor: str, task: str | None, by_person: bool = False
) -> Unit[Proposal]:
    """The unit that withdraws what waits, or recalls what is held back.

    With `task`, only an action of that task. Raises Conflict `not_pending` once it runs or ended.
    """

    def unit(tx: Tx) -> Proposal:
        proposal = tx.proposals.get(desk, id)
        if proposal is None or (task is not None and proposal.task != task):
            raise NotFound("proposal_not_found", f"there is no action `{id}`")
        event = _EVENTS.get(proposal.state)
        if event is None:
            raise Conflict("not_pending", f"this action is {proposal.state.value.lower()} already")
        check_unchanged(tx, proposal)
        tx.caps.void(desk, id, tx.now)
        return advance(tx, proposal, event, Tag.ACTION_WITHDRAWN, actor=actor, by_person=by_person)

    return unit


def recall_unit(desk: str, id: str, *, by: str) -> Unit[Proposal]:
    """The unit by which somebody entitled takes back what was allowed and has not left.

    A person with one of the roles `RECALLERS`, the operator, or the agent that proposed it. What
    waits for a person is rejected instead. Raises NotAllowed `not_entitled`, and Conflict
    `not_pending` once it has left or ended.
    """

    def unit(tx: Tx) -> Proposal:
        proposal = tx.proposals.get(desk, id)
        if proposal is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        found = tx.people.get(desk, by)
        person = found is not None and found.kind is PrincipalKind.PERSON
        _check_may_recall(found, by, proposal)
        if proposal.state is State.PENDING and person:
            raise Conflict("not_pending", "this waits for a person: reject it instead")
        withdraw = withdraw_unit(desk, id, actor=by, task=None, by_person=person)
        return withdraw(tx)

    return unit


def _check_may_recall(found: Principal | None, by: str, proposal: Proposal) -> None:
    if found is None:
        allowed = by == OPERATOR
    elif found.kind is PrincipalKind.PERSON:
        allowed = bool(set(RECALLERS) & set(found.roles)) and not found.disabled
    else:
        allowed = by == proposal.agent
    if not allowed:
        raise NotAllowed("not_entitled", "only a reviewer, or the agent itself, recalls an action")
