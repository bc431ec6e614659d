"""What can be stopped on a desk, by name: kinds, agents, open tasks, customers met lately."""

from __future__ import annotations

from typing import Final, TypeAlias

from handrail.core.halt import HaltScope
from handrail.core.principal import PrincipalKind
from handrail.engine.base.context import Context
from handrail.errors import Unavailable
from handrail.store.protocol import Tx

__all__ = ["STOP_GROUPS", "Stoppable", "stoppable"]

Stoppable: TypeAlias = dict[HaltScope, list[tuple[str, str]]]
"""The target and the words for each thing that can be stopped, by scope."""

NAMED_MOST: Final = 60
"""Of each group; whatever else there is can be typed."""

STOP_GROUPS: Final[dict[HaltScope, str]] = {
    HaltScope.KIND: "A kind of action",
    HaltScope.AGENT: "An agent",
    HaltScope.TASK: "An open task",
    HaltScope.CUSTOMER: "A customer met lately",
}


def stoppable(ctx: Context, tx: Tx, desk: str) -> Stoppable:
    """What can be stopped, at most 60 of each scope."""
    kinds = ctx.rulebook(desk).policy.kinds
    agents = [one.id for one in tx.people.everybody(desk) if one.kind is not PrincipalKind.PERSON]
    return {
        HaltScope.KIND: [(name, f"{rule.kind.title} ({name})") for name, rule in kinds.items()][
            :NAMED_MOST
        ],
        HaltScope.AGENT: [(id, id) for id in agents[:NAMED_MOST]],
        HaltScope.TASK: _tasks(tx, desk, agents),
        HaltScope.CUSTOMER: _customers(tx, desk),
    }


def _tasks(tx: Tx, desk: str, agents: list[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for agent in agents[:NAMED_MOST]:
        for id in tx.tasks.open_of(desk, agent, tx.now, most=NAMED_MOST - len(found)):
            task = tx.tasks.get(desk, id)
            ticket = "" if task is None or task.ticket is None else f"{task.ticket}, "
            found.append((id, f"{ticket}{agent}, …{id[-6:]}"))
    return found


def _customers(tx: Tx, desk: str) -> list[tuple[str, str]]:
    """Whose actions are the newest; who was erased is not among them."""
    met = dict.fromkeys(one.subject for one in tx.proposals.latest(desk, most=NAMED_MOST))
    found = set()
    for subject in met:
        try:
            found.add(tx.vault.customer_of(desk, subject))
        except Unavailable:
            continue
    return [(one, one) for one in sorted(one for one in found if one)]
