"""Tries the limits of a policy: how much may be open, and how often the same may be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import msgspec

from handrail.core.lifecycle import State
from handrail.core.policy import Control, Limits, Policy
from handrail.policy.loader import digest_policy
from handrail.prove.trial.borders import absent, first_place
from handrail.prove.trial.guards import Setting
from handrail.prove.trial.inputs import Situation
from handrail.prove.trial.outcome import Sides, Trial, attempt
from handrail.prove.trial.stage import Opener, Scratch

__all__ = ["flood_trials"]

OPEN_MAX: Final = 2_500
"""Actions that one trial leaves open; a limit above it is not shown."""
_PER_AGENT: Final = 100
_ASKS: Final = (Control.APPROVE, Control.MAKER_CHECKER)

_Try = Callable[[Sides, Scratch, Setting, Situation, int], None]


def flood_trials(opener: Opener, policy: Policy) -> Iterator[Trial]:
    """One trial for every limit that is set."""
    set_ = {name: n for name, n in msgspec.structs.asdict(policy.limits).items() if n is not None}
    if not set_:
        yield absent("limits", "the policy sets none")
    for name, most in set_.items():
        yield attempt(f"limit {name}", partial(_try_limit, opener, policy, name, most))


def _try_limit(opener: Opener, policy: Policy, name: str, most: int) -> Trial:
    case = Sides(f"limit {name}", f"{most}, and one more")
    found = first_place(policy, _ASKS)
    if found is None or not found[1].free:
        case.unshown("no kind that waits for people takes a text that can be new each time")
        return case.ended()
    if most > OPEN_MAX:
        case.unshown(f"it takes more than {OPEN_MAX} actions")
        return case.ended()
    bare = msgspec.structs.replace(policy, caps=(), accumulation=None)
    alone = msgspec.structs.replace(bare, digest=digest_policy(bare))
    with Scratch(opener, alone, limits=Limits(**{name: most})) as stage:
        _TRIED[name](case, stage, *found, most)
    return case.ended()


def _open(case: Sides, stage: Scratch, setting: Setting, situation: Situation, most: int) -> None:
    """One agent may have so many waiting, and another one begins anew."""
    task = stage.task(setting.rule.kind.name)
    rows = [stage.propose(setting.rule, situation, task=task) for _ in range(most)]
    case.lets(all(row.state is State.PENDING for row in rows), f"{most} of one agent wait")
    over = stage.propose(setting.rule, situation, task=task)
    case.stops(over.state is State.REFUSED, "one more of its was refused")
    other = stage.propose(setting.rule, situation, agent="agent-2", customer="C-9")
    case.lets(other.state is State.PENDING, "another agent's waits")


def _waiting(
    case: Sides, stage: Scratch, setting: Setting, situation: Situation, most: int
) -> None:
    """So many may wait on the desk, whoever sends them."""
    states = set()
    left = most
    while left > 0:
        agent = f"agent-{2 + left // _PER_AGENT}"
        task = stage.task(setting.rule.kind.name, agent=agent, customer="C-9")
        for _ in range(min(left, _PER_AGENT)):
            states.add(stage.propose(setting.rule, situation, task=task, customer="C-9").state)
        left -= _PER_AGENT
    case.lets(states == {State.PENDING}, f"{most} wait")
    over = stage.propose(setting.rule, situation)
    case.stops(over.state is State.REFUSED, "one more was refused")


def _same(case: Sides, stage: Scratch, setting: Setting, situation: Situation, most: int) -> None:
    """The same content may be open so often; other content is another matter."""
    rows = [
        stage.propose(setting.rule, situation, agent=f"agent-{place + 2}", same=place > 0)
        for place in range(most)
    ]
    case.lets(all(row.state is State.PENDING for row in rows), f"the same is open {most} times")
    over = stage.propose(setting.rule, situation, same=True)
    case.stops(over.state is State.REFUSED, "once more was refused")
    other = stage.propose(setting.rule, situation)
    case.lets(other.state is State.PENDING, "other content waits")


def _denied(case: Sides, stage: Scratch, setting: Setting, situation: Situation, most: int) -> None:
    """The same content may be denied so often; then a further try is refused by itself."""
    states = []
    for place in range(most):
        row = stage.propose(setting.rule, situation, agent=f"agent-{place + 2}", same=place > 0)
        states.append(row.state)
        stage.says(row, stage.approvers(row)[0], "reject")
    case.lets(set(states) == {State.PENDING}, f"it was asked {most} times, and denied each time")
    over = stage.propose(setting.rule, situation, same=True)
    case.stops(over.state is State.REFUSED, "a further try was refused, and nobody asked")
    other = stage.propose(setting.rule, situation)
    case.lets(other.state is State.PENDING, "other content waits")


def _refused(
    case: Sides, stage: Scratch, setting: Setting, situation: Situation, most: int
) -> None:
    """A task is answered so many refusals, and then it ends."""
    kind = setting.rule.kind.name
    task, fresh = stage.task(kind), stage.task(kind, agent="agent-2", customer="C-9")
    rows = [stage.propose(setting.rule, situation, task=task, customer="C-99") for _ in range(most)]
    if not all(row.state is State.REFUSED for row in rows):
        case.unshown("its lane lets it touch every customer, so nothing was refused")
        return
    case.lets(len(rows) == most, f"{most} refusals were answered")
    over = stage.refused(lambda: stage.propose(setting.rule, situation, task=task))
    case.stops(over == "task_expired", "then the task was over")
    other = stage.refused(lambda: stage.propose(setting.rule, situation, task=fresh))
    case.lets(not other, "another task goes on")


_TRIED: Final[dict[str, _Try]] = {
    "open_per_agent": _open,
    "waiting_per_desk": _waiting,
    "same_action_open": _same,
    "same_action_denied": _denied,
    "refused_per_task": _refused,
}
