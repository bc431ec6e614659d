"""What happened before that bears on an action, for the person who is asked about it."""

from __future__ import annotations

from typing import Final

from handrail.core.artifact import Line
from handrail.core.decide import Decision
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.engine.proposing.accumulate import Accrued, history_of, when_text
from handrail.engine.proposing.prepare import Plan
from handrail.store.protocol import Tx

__all__ = ["before_of_plan"]

_SHOWN: Final = (Control.APPROVE, Control.MAKER_CHECKER, Control.ESCALATE)
"""Controls under which a person looks at what happened before."""
_AMONG: Final = 30
"""Actions about one customer that are looked through; of more, nothing is said."""
_BY: Final = {State.REJECTED: "by a person", State.REFUSED: "by the policy"}


def before_of_plan(
    tx: Tx,
    plan: Plan,
    subject: str,
    decision: Decision,
    denied: tuple[Proposal, ...],
    accrued: Accrued | None,
) -> tuple[Line, ...]:
    """Earlier denials of the same content, what else is under way, and what adds up; or nothing.

    Nothing where nobody is asked.
    """
    if decision.guard.control not in _SHOWN:
        return ()
    given = history_of(tx, plan.rules, plan.task.desk, accrued)
    return (*_denials(denied), *_beside(tx, plan, subject), *given)


def _denials(denied: tuple[Proposal, ...]) -> tuple[Line, ...]:
    return tuple(
        Line(
            label="Denied before",
            text=f"{when_text(one.updated_at)} {_BY[one.state]}, as {one.id}",
        )
        for one in denied
    )


def _beside(tx: Tx, plan: Plan, subject: str) -> tuple[Line, ...]:
    """How many other actions of the kind are open for the customer, if that is soon counted."""
    if plan.prepared.customer is None or plan.kind is None:
        return ()
    desk, kind = plan.task.desk, plan.kind.name
    count = tx.proposals.under_way(desk, subject, kind, among=_AMONG)
    if not count:
        return ()
    text = f"{count} more of this kind"
    return (Line(label="Under way for this customer", text=text),)
