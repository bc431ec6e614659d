"""What a ruling is written down as: the sealed content, the proposal's row, and its entry."""

from __future__ import annotations

from typing import Final

from handrail.core.artifact import digest_of, encode_artifact
from handrail.core.decide import Ask
from handrail.core.grade import Grade
from handrail.core.lifecycle import Event, State, after
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.core.reason import codes_of
from handrail.core.urgency import rank_of, stake_of
from handrail.engine.base.record import Content, Data, statement_of
from handrail.engine.proposing.advice import told_of
from handrail.engine.proposing.background import before_of_plan
from handrail.engine.proposing.prepare import Plan
from handrail.engine.proposing.ruling import Footing, Ruling
from handrail.store.protocol import Tx

__all__ = ["content_of_plan", "proposal_of_plan", "summary_of"]

_NONCE_BYTES: Final = 16
_EVENTS: Final = {
    Control.RUN_AND_LOG: Event.RUN,
    Control.RUN_AND_NOTIFY: Event.RUN,
    Control.HOLD_AND_RECALL: Event.HOLD,
    Control.APPROVE: Event.ASK,
    Control.MAKER_CHECKER: Event.ASK,
    Control.ESCALATE: Event.ESCALATE,
    Control.REFUSE: Event.REFUSE,
}


def content_of_plan(tx: Tx, ready: Plan, ruling: Ruling, on: Footing, ask: Ask) -> Content:
    """The artifact under a fresh nonce, and what is sealed with it."""
    nonce = ready.ctx.entropy(_NONCE_BYTES).hex()
    artifact = encode_artifact(
        desk=ready.task.desk,
        proposal=on.id,
        nonce=nonce,
        kind=ready.draft.kind,
        connector="" if ready.kind is None else ready.kind.connector,
        connector_version=ready.version,
        customer=ready.prepared.customer,
        params=ready.params,
        request=ready.prepared.request,
    )
    return Content(
        artifact=artifact,
        nonce=nonce,
        facts=ready.prepared.facts,
        lines=ready.lines,
        reasons=ruling.decision.reasons,
        note=ready.draft.note,
        failed=ruling.decision.failed,
        ask=ask,
        earlier=0 if on.accrued is None else on.accrued.sums.earlier,
        history=before_of_plan(tx, ready, on.subject, ruling.decision, ruling.denied, on.accrued),
        instrument=None if on.accrued is None else on.accrued.instrument,
        spans=ready.spans,
    )


def proposal_of_plan(
    ready: Plan, ruling: Ruling, on: Footing, content: Content, ask: Ask
) -> Proposal:
    """The row of the action, as it stands once it was decided."""
    decision = ruling.decision
    task, draft, value = ready.task, ready.draft, ready.value
    policy = ready.rules.policy
    state = after(State.PROPOSED, _EVENTS[decision.guard.control])
    digest = digest_of(content.artifact)
    asked = state is State.PENDING
    clocks, now = policy.clocks, on.now
    return Proposal(
        desk=task.desk,
        id=on.id,
        task=task.id,
        agent=draft.maker,
        kind=draft.kind,
        connector="" if ready.kind is None else ready.kind.connector,
        state=state,
        version=1,
        grade=decision.grade,
        control=decision.guard.control,
        checkers=decision.guard.checkers,
        reasons=codes_of(decision.reasons),
        value_minor=None if value is None else value.minor,
        currency=None if value is None else value.currency,
        subject=on.subject,
        key=draft.key if draft.key is not None else on.id,
        fingerprint=on.fingerprint,
        digest=digest,
        statement=statement_of(content, digest, policy.digest, task.desk) if asked else "",
        policy=policy.digest,
        editor=None if draft.lowers and decision.grade <= Grade.G2 else draft.editor,
        undoes=draft.undoes,
        same_as=ruling.same_as,
        told=told_of(decision),
        sum_minor=None if ask.accumulated is None else ask.accumulated.minor,
        supersedes=None if draft.replaces is None else draft.replaces.id,
        created_at=now,
        updated_at=now,
        decide_by=now + clocks.approval_ms if asked else None,
        rank=rank_of(now + clocks.approval_ms, stake_of(policy, draft.kind, value, decision.grade))
        if asked
        else None,
        hold_until=now + clocks.recall_ms if state is State.HOLDING else None,
        execute_by=now + clocks.execution_ms if state is State.READY else None,
    )


def summary_of(proposal: Proposal) -> Data:
    """What the log says of it: nothing personal."""
    return {
        "state": proposal.state.value,
        "kind": proposal.kind,
        "grade": int(proposal.grade),
        "control": proposal.control.value,
        "checkers": proposal.checkers,
        "reasons": proposal.reasons,
        "value_minor": proposal.value_minor,
        "currency": proposal.currency,
        "digest": proposal.digest,
        "policy": proposal.policy,
        "undoes": proposal.undoes,
        **({} if proposal.sum_minor is None else {"sum_minor": proposal.sum_minor}),
        **({} if proposal.supersedes is None else {"supersedes": proposal.supersedes}),
        **({"people": proposal.assigned} if proposal.assigned else {}),
    }
