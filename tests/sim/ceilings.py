"""I5: the history of what really happened, against every cap; unknown outcomes count as they are.

The windows are found by `tests.history`, which knows nothing of handrail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handrail.core.lifecycle import State
from handrail.core.proposal import Proposal
from tests.history import Happened, fullest, most_customers
from tests.sim.rules import AGENTS, CAPS, Ceiling
from tests.sim.view import View

__all__ = ["overfull", "within_caps"]


def within_caps(view: View) -> Iterator[str]:
    """I5: no rolling window over real times holds more than its cap, open attempts included."""
    landed = {effect.key: effect.lands_at for effect in view.provider.effects}
    charged: list[tuple[Proposal, int]] = []
    for row in view.rows:
        if row.id in landed:
            charged.append((row, landed[row.id]))
        elif row.state in (State.EXECUTING, State.UNKNOWN):
            charged.append((row, view.time.now))
    told = [(row.id, at) for row, at in charged]
    if told != view.charged:
        view.charged = told
        yield from overfull(CAPS, charged)


def overfull(caps: Mapping[str, Ceiling], charged: list[tuple[Proposal, int]]) -> Iterator[str]:
    """Each cap that ever held more than it may, given what happened when."""
    for name, cap in caps.items():
        happened = [
            Happened(_scope(cap, row), at, _amount(cap, row), row.subject)
            for row, at in charged
            if row.kind in cap.kinds
        ]
        count = most_customers if cap.distinct else fullest
        for scope, used in count(happened, cap.window_ms).items():
            if used > cap.most:
                yield f"the cap `{name}` of {cap.most} holds {used} for `{scope}`"


def _amount(cap: Ceiling, row: Proposal) -> int:
    """Another currency than the cap's is held for two people, and not counted."""
    if not cap.money:
        return 1
    return (row.value_minor or 0) if row.currency == "USD" else 0


def _scope(cap: Ceiling, row: Proposal) -> str:
    match cap.per:
        case "customer":
            key = row.subject
        case "agent":
            key = row.agent
        case "owner":
            key = AGENTS[row.agent][0] if row.agent in AGENTS else row.agent
        case "task":
            key = row.task
        case "kind":
            key = row.kind
        case _:
            key = ""
    return f"{row.desk}/{key}"
