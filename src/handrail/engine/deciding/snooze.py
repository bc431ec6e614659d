"""Snooze: a person does not see an action in their queue for a while. Nothing else changes."""

from __future__ import annotations

from handrail.core.lifecycle import State
from handrail.core.snooze import Nap, Snooze, wakes_at
from handrail.errors import Conflict, InvalidInput, NotFound
from handrail.store.protocol import SNOOZES_MAX, Tx, Unit

__all__ = ["snooze_unit", "wake_unit"]


def snooze_unit(desk: str, id: str, *, person: str, nap: Nap) -> Unit[Snooze]:
    """The unit that hides a waiting action from one person's queue; others see it as before.

    Raises Conflict `not_pending` and `snooze_too_late`, InvalidInput `too_large` for too many.
    """

    def unit(tx: Tx) -> Snooze:
        proposal = tx.proposals.look(desk, id)
        if proposal is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        if proposal.state is not State.PENDING:
            raise Conflict("not_pending", f"this action is {proposal.state.value.lower()} already")
        until = wakes_at(nap, tx.now, proposal.decide_by)
        tx.snoozes.clear(desk, person, tx.now)
        if len(tx.snoozes.of(desk, person, tx.now)) >= SNOOZES_MAX:
            raise InvalidInput("too_large", f"at most {SNOOZES_MAX} actions can be put off at once")
        snooze = Snooze(desk=desk, person=person, proposal=id, until=until)
        tx.snoozes.put(snooze)
        return snooze

    return unit


def wake_unit(desk: str, id: str, *, person: str) -> Unit[None]:
    """The unit that shows an action again to whoever put it off."""

    def unit(tx: Tx) -> None:
        tx.snoozes.end(desk, person, id)

    return unit
