"""Explain one action: the case that was decided, under the policy that was active then."""

from __future__ import annotations

import msgspec

from handrail.core.proposal import Proposal
from handrail.core.reason import Decision
from handrail.engine.base.context import Rulebook
from handrail.engine.base.outgoing import found_in
from handrail.engine.base.record import content_of
from handrail.errors import NotFound
from handrail.policy.case import Case
from handrail.policy.explain import Explanation, explain
from handrail.policy.loader import read_body
from handrail.store.protocol import Store, Tx

__all__ = ["Explained", "explain_action"]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One action explained: `again` is what its policy decides on what was decided on then.

    It differs from the action's own control where caps, halts, what else was open, or a person's
    edit came on top.
    """

    proposal: Proposal
    policy: str
    version: int
    again: Decision
    explanation: Explanation


def explain_action(store: Store, desk: str, id: str) -> Explained:
    """Why an action was decided as it was, and which inputs would have changed that.

    Raises NotFound by code, `ask_not_kept` for one of an older version, Unavailable
    `content_erased`, and Tampered when the content is gone.
    """
    return store.read(lambda tx: _explained(tx, desk, id))


def _explained(tx: Tx, desk: str, id: str) -> Explained:
    proposal = tx.proposals.get(desk, id)
    if proposal is None:
        raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
    row = tx.desks.policy(desk, proposal.policy)
    if row is None:
        raise NotFound("policy_not_found", f"the policy that decided `{id}` is gone")
    rules = Rulebook(read_body(row.body))
    content = content_of(tx, proposal)
    ask = content.ask
    if ask is None:
        raise NotFound("ask_not_kept", f"what `{id}` was decided on was not kept")
    stored = msgspec.json.decode(content.artifact)
    known = rules.kind(proposal.kind) is not None
    case = Case(
        kind=proposal.kind,
        now=proposal.updated_at if proposal.rounds else proposal.created_at,
        lane=ask.lane,
        params=rules.parse(proposal.kind, stored["params"]) if known else stored["params"],
        facts={fact.name: fact.value for fact in content.facts},
        value=ask.value,
        earlier=content.earlier,
        missing=ask.missing,
        against=ask.contradicted,
        hidden=ask.hidden,
        unresolved=ask.unresolved,
        found=dict(found_in(rules, proposal.kind, content.spans, stored["request"])),
        claim=ask.claim,
        as_undo=ask.as_undo,
        late=ask.late,
    )
    return Explained(
        proposal=proposal,
        policy=row.name,
        version=row.version,
        again=rules.decider.decide(ask),
        explanation=explain(rules.policy, case),
    )
