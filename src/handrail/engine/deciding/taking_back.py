"""Taking back: who approved an action just before thinks again, and it waits for people as before.

Nothing was sent. Whoever else approved it stands by that; the deadline is not moved.
"""

from __future__ import annotations

from typing import Final

from handrail.core.decide import ReasonCode
from handrail.core.entry import Tag
from handrail.core.lifecycle import Event, State
from handrail.core.proposal import Proposal
from handrail.core.review import Review
from handrail.engine.base.record import Data, advance, amend
from handrail.store.protocol import Tx

__all__ = ["taken_back"]

_WAITED: Final = (ReasonCode.HALTED.value, ReasonCode.CAP_FULL.value)


def taken_back(
    tx: Tx, proposal: Proposal, review: Review, data: Data, rows: dict[str, str]
) -> Proposal:
    """What becomes of an action once one of its approvals was taken back; judged already.

    READY becomes PENDING again. While it waits for a further checker it stays PENDING, and nobody
    else sees anything of it.
    """
    if proposal.state is State.PENDING:
        return amend(
            tx,
            proposal,
            Tag.REVIEW_WITHDRAWN,
            actor=review.person,
            data=data,
            by_person=True,
            rows=rows,
        )
    tx.caps.void(proposal.desk, proposal.id, tx.now)
    # Why it did not run at once, when it was allowed, is over.
    reasons = [code for code in proposal.reasons.split(",") if code not in _WAITED]
    return advance(
        tx,
        proposal,
        Event.TAKE_BACK,
        Tag.REVIEW_WITHDRAWN,
        actor=review.person,
        data=data,
        by_person=True,
        rows=rows,
        reasons=",".join(reasons),
        execute_by=None,
        hold_until=None,
    )
