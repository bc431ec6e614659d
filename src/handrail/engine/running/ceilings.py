"""Ceilings: an action's charges under the caps, and what happens once when a cap is met full."""

from __future__ import annotations

from typing import Final

from handrail.core.caps import Charge, Deed, Scope, charges_of
from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.halt import HaltScope
from handrail.core.money import Money
from handrail.core.principal import PrincipalKind
from handrail.core.proposal import Proposal
from handrail.engine.asking.escalate import open_for
from handrail.engine.base.context import GATEWAY, Context, Rulebook
from handrail.engine.base.record import note_down
from handrail.engine.governing.halt import Stop, pull
from handrail.store.protocol import Full, Tx

__all__ = ["deed_of", "reserve", "reserve_again", "tell_of_trip"]

_WHOM: Final = {
    Scope.DESK: "the whole desk",
    Scope.AGENT: "this agent",
    Scope.OWNER: "all agents of this agent's owner",
    Scope.CUSTOMER: "this customer",
    Scope.TASK: "this task",
    Scope.KIND: "this kind of action",
    Scope.ACCOUNT: "this connector, over all desks",
}


def deed_of(
    tx: Tx,
    rules: Rulebook,
    *,
    desk: str,
    task: str,
    kind: str,
    value: Money | None,
    agent: str,
    customer: str,
) -> Deed:
    """What the caps look at; what only some policies ask for is read only then."""
    owner = agent
    if Scope.OWNER in rules.cap_scopes:
        found = tx.people.get(desk, agent)
        owner = agent if found is None else (found.owner or found.identity)
    declared = rules.kind(kind)
    return Deed(
        kind=kind,
        value=value,
        agent=agent,
        owner=owner,
        customer=customer,
        task=task,
        account="" if declared is None else declared.connector,
        of_nobody=rules.counts_customers and tx.vault.is_nobody(desk, customer),
    )


def reserve(
    tx: Tx, rules: Rulebook, desk: str, id: str, deed: Deed, more: tuple[Charge, ...] = ()
) -> Full | None:
    """Take every cap of an action, and `more`, or none; the first that is full."""
    charges = (*more, *charges_of(rules.policy.caps, deed))
    return tx.caps.reserve(desk, id, charges, tx.now) if charges else None


def reserve_again(
    tx: Tx, rules: Rulebook, proposal: Proposal, more: tuple[Charge, ...]
) -> Full | None:
    """`reserve` for an action that was proposed earlier, by its row."""
    deed = deed_of(
        tx,
        rules,
        desk=proposal.desk,
        task=proposal.task,
        kind=proposal.kind,
        value=proposal.value,
        agent=proposal.agent,
        customer=proposal.subject,
    )
    return reserve(tx, rules, proposal.desk, proposal.id, deed, more)


def tell_of_trip(tx: Tx, ctx: Context, proposal: Proposal, full: Full) -> None:
    """A cap was met full: once per trip an entry, and a person is asked to look."""
    if not full.tripped:
        return
    rule = full.charge.rule
    note_down(
        tx,
        proposal,
        Tag.CAP_TRIPPED,
        actor=GATEWAY,
        data={"cap": rule.name, "scope": rule.scope.value, "halts_agent": rule.halts_agent},
    )
    concern = f"the cap `{rule.name}` is full for {_WHOM[rule.scope]}, and this no longer fits"
    open_for(tx, ctx, proposal, concern, cause=Cause.CAP)
    if rule.halts_agent:
        _halt_agent(tx, ctx, proposal)


def _halt_agent(tx: Tx, ctx: Context, proposal: Proposal) -> None:
    """Stop the agent that met a cap with `halts_agent`; what a person does stops nobody."""
    found = tx.people.get(proposal.desk, proposal.agent)
    if found is not None and found.kind is not PrincipalKind.PERSON:
        stop = Stop(scope=HaltScope.AGENT, target=proposal.agent)
        pull(tx, ctx, proposal.desk, stop, by=GATEWAY)
