"""The reference agent at work: for each ticket it asks for a task and proposes its moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from handrail.agent.playbook import PLAYBOOK, Visit
from handrail.sdk import Action, Handrail

__all__ = ["work_through"]

RUN_S_MAX: Final = 10.0
_RUNNING: Final = frozenset(("READY", "EXECUTING"))

Watch = Callable[[Visit, Action], None]


def work_through(
    client: Handrail,
    *,
    visits: Sequence[Visit] = PLAYBOOK,
    pause: Callable[[], None],
    watch: Watch,
) -> None:
    """Work through the tickets in order; `pause` is called between two moves.

    What runs at once is waited for. What waits for a person is left waiting: the agent goes on
    with the next thing, as it is told.
    """
    for visit in visits:
        task = client.task(ticket=visit.ticket)
        for number, move in enumerate(visit.moves):
            key = f"{visit.ticket}:{number}"
            action = task.propose(move.kind, move.params, key=key, note=move.note)
            if action.state in _RUNNING:
                action = task.wait_for(action.id, timeout=RUN_S_MAX)
            watch(visit, action)
            pause()
        if visit.handover is not None:
            task.escalate(visit.handover)
            pause()
