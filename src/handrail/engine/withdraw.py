"""Withdraw: the maker takes back what has not run yet."""

from __future__ import annotations

from typing import Final

from handrail.core.entry import Tag
from handrail.core.lifecycle import Event, State
from handrail.core.proposal import Proposal
from handrail.engine.record import advance, check_unchanged
from handrail.errors import Conflict, NotFound
from handrail.store.protocol import Tx, Unit

__all__ = ["withdraw_unit"]

_EVENTS: Final = {
    State.PENDING: Event.WITHDRAW,
    State.READY: Event.WITHDRAW,
    State.HOLDING: Event.RECALL,
}


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
