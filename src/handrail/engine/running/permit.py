"""Permit mode: the agent's own process runs the tool, under a single-use permit, and reports back.

Weaker than the gateway running it, and named so: the log says that the agent executed it.
"""

from __future__ import annotations

import hashlib
import hmac

from handrail.core.lifecycle import State
from handrail.core.proposal import Proposal
from handrail.engine.base.context import Context
from handrail.engine.base.record import check_unchanged
from handrail.engine.running.execute import Effect, settle, well_formed
from handrail.errors import Conflict, InvalidInput, NotFound
from handrail.store.protocol import Tx, Unit

__all__ = ["receipt_unit"]


def receipt_unit(
    ctx: Context, desk: str, id: str, *, task: str, permit: str, effect: Effect
) -> Unit[Proposal]:
    """The unit that settles an attempt by its permit, once.

    Raises Conflict `permit_invalid` for an unknown, used or foreign permit, and for one whose time
    is over: the attempt is then unknown, and a person looks at it.
    """
    if not well_formed(effect.receipt):
        raise InvalidInput("field_malformed", "the receipt's reference or result is malformed")
    hashed = hashlib.sha256(permit.encode()).hexdigest()

    def unit(tx: Tx) -> Proposal:
        proposal = tx.proposals.get(desk, id)
        if proposal is None or proposal.task != task:
            raise NotFound("proposal_not_found", f"there is no action `{id}` in this task")
        known = proposal.permit or ""
        if proposal.state is not State.EXECUTING or not hmac.compare_digest(known, hashed):
            raise Conflict("permit_invalid", "this permit is unknown, used up or out of time")
        check_unchanged(tx, proposal)
        return settle(tx, ctx, proposal, effect)

    return unit
