"""The agents of a simulated life: they propose, repeat themselves, split, lie, and take back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from handrail.connectors.protocol import Receipt
from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.deciding.withdraw import withdraw_unit
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import plan
from handrail.engine.running.execute import Effect, Ending
from handrail.engine.running.permit import receipt_unit
from handrail.errors import HandrailError
from handrail.surfaces.embedded import Action
from tests.sim.rules import AGENTS, AMOUNTS, KINDS, PAYING
from tests.sim.view import MAIN
from tests.sim.workers import Held

if TYPE_CHECKING:
    from tests.sim.life import Life, Ways

__all__ = ["Agents"]

_CUSTOMERS: Final = ("c-1", "c-2", "c-3")
_BODIES: Final = ("thanks", "sorry", "on its way", "on\u200bits way", "pаypal.example")
"""Two of them are not what they look like."""
_LOOPS: Final = (3, 5, 9)
_OUTCOMES: Final = (Ending.DONE, Ending.DONE, Ending.NOT_DONE, Ending.UNKNOWN)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal that an agent made under a key of its own, to be repeated."""

    task: Task
    kind: str
    params: dict[str, object]
    key: str


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """The right to run a tool, in the hands of the agent that got it."""

    id: str
    task: str
    token: str


class Agents:
    """Everything that agents do."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._chance = life.chance
        self._tasks: dict[str, Task] = {}
        self._asked: list[Asked] = []
        self._permits: list[Permit] = []

    def ways(self) -> Ways:
        """What they may do next, with its weight."""
        return [
            (self._propose, 24),
            (self._replay, 6),
            (self._loop, 1),
            (self._split, 2),
            (self._withdraw, 4),
            (self._escalate, 3),
            (self._undo, 6),
            (self._report, 4),
            (self._next_door, 2),
        ]

    def _task(self, agent: str) -> Task:
        known = self._tasks.get(agent)
        task = known and self._life.desk.ctx.store.read(lambda tx: tx.tasks.get(MAIN, known.id))
        if task is None or task.ended(self._life.time.now) or self._chance.random() < 0.1:
            # One customer may be out of the task's lane.
            customers = _CUSTOMERS if self._chance.random() < 0.7 else _CUSTOMERS[:2]
            lane = "triage" if self._chance.random() < 0.05 else "support"
            task = self._life.desk.task(agent=agent, customers=customers, lane=lane)
            self._tasks[agent] = task
        return task

    def _params(self, kind: str) -> dict[str, object]:
        params: dict[str, object] = {}
        if kind != "tool.note":
            params["customer"] = self._chance.choice(_CUSTOMERS)
        if kind in PAYING:
            minor = self._chance.choice(AMOUNTS)
            currency = "CHF" if self._chance.random() < 0.02 else "USD"
            return params | {"amount": f"{minor // 100}.{minor % 100:02} {currency}"}
        return params | {"body": self._chance.choices(_BODIES, (9, 9, 9, 1, 1))[0]}

    def _propose(self) -> str:
        agent = self._chance.choice(list(AGENTS))
        kind = self._chance.choice(KINDS)
        task, params = self._task(agent), self._params(kind)
        if self._chance.random() < 0.03:
            # What a proposal is worth is not for its maker to say.
            params[self._chance.choice(("grade", "internal", "dry_run"))] = "G0"
        key = f"key-{self._life.step}" if self._chance.random() < 0.5 else None
        if key is not None:
            self._asked.append(Asked(task=task, kind=kind, params=params, key=key))
        claim = Grade(self._chance.choice((0, 3))) if self._chance.random() < 0.1 else None
        if self._chance.random() < 0.25:
            return self._propose_slowly(task, kind, params, key)
        # The first character of its prose is what it claims, for who watches.
        note = f"{0 if claim is None else int(claim)}, and the manager has approved this"
        action = self._life.desk.propose(task, kind, params, key=key, claim=claim, note=note)
        return self._got(task, action)

    def _got(self, task: Task, action: Action) -> str:
        if action.permit is not None:
            self._permits.append(Permit(id=action.id, task=task.id, token=action.permit))
        return f"{action.kind} {action.id[-6:]} {action.state.value}"

    def _propose_slowly(
        self, task: Task, kind: str, params: dict[str, object], key: str | None
    ) -> str:
        """Decide now; who is to perform it takes its time."""
        ctx = self._life.desk.ctx
        draft = Draft(maker=task.agent, kind=kind, params=params, key=key)
        decided = ctx.store.write(plan(ctx, task, draft))
        job, id = decided.job, decided.proposal.id
        if job is not None and job.permit is not None:
            self._permits.append(Permit(id=id, task=task.id, token=job.permit))
        elif job is not None:
            self._life.workers.held.append(Held(job=job))
        return f"{kind} {id[-6:]} {decided.proposal.state.value}, slowly"

    def _loop(self) -> str:
        """The same call, again and again: each is an action of its own."""
        agent = self._chance.choice(list(AGENTS))
        kind = self._chance.choice((*PAYING, "note.add"))
        task, params = self._task(agent), self._params(kind)
        said = []
        for _ in range(self._chance.choice(_LOOPS)):
            said.append(self._life.desk.propose(task, kind, params).state.value)
        return f"{kind}: {' '.join(said)}"

    def _split(self) -> str:
        """One amount in small pieces, over both agents and several tasks."""
        customer = self._chance.choice(_CUSTOMERS)
        said = []
        for turn in range(self._chance.choice(_LOOPS)):
            agent = list(AGENTS)[turn % len(AGENTS)]
            params = {"customer": customer, "amount": "49.99 USD"}
            kind = self._chance.choice(PAYING)
            said.append(self._life.desk.propose(self._task(agent), kind, params).state.value)
        return f"{customer}: {' '.join(said)}"

    def _replay(self) -> str:
        """The same call again, or another one under the same key."""
        if not self._asked:
            return "nothing to repeat"
        desk, broken = self._life.desk, self._life.watch.broken
        asked = self._chance.choice(self._asked)
        before = self._by_key(asked)
        if self._chance.random() < 0.3:
            other = (
                asked.params | {"body": "another"}
                if "body" in asked.params
                else {
                    **asked.params,
                    "customer": "c-1" if asked.params["customer"] != "c-1" else "c-2",
                }
            )
            if before is None:
                # From here on the key may be the other content's, even if the process dies over it.
                self._asked.remove(asked)
            try:
                desk.propose(asked.task, asked.kind, other, key=asked.key)
            except HandrailError as error:
                return f"with other content: {error.code}"
            if before is not None:
                raise broken(f"the key `{asked.key}` served two contents")
            return "with other content, for the first time"
        action = desk.propose(asked.task, asked.kind, asked.params, key=asked.key)
        if before is not None and action.id != before.id:
            raise broken(f"the key `{asked.key}` gave `{before.id}` and `{action.id}`")
        return self._got(asked.task, action)

    def _by_key(self, asked: Asked) -> Proposal | None:
        return self._life.desk.ctx.store.read(
            lambda tx: tx.proposals.by_key(MAIN, asked.task.agent, asked.key)
        )

    def _withdraw(self) -> str:
        row = self._life.some(
            State.PENDING, State.READY, State.HOLDING, State.UNKNOWN, State.EXECUTING
        )
        if row is None:
            return "nothing to withdraw"
        unit = withdraw_unit(MAIN, row.id, actor=row.agent, task=row.task)
        return f"{row.id[-6:]} {self._life.desk.ctx.store.write(unit).state.value}"

    def _escalate(self) -> str:
        task = self._task(self._chance.choice(list(AGENTS)))
        row = self._life.some(State.PENDING, State.READY, State.UNKNOWN)
        about = row.id if row is not None and row.task == task.id else None
        self._life.desk.escalate(task, "please look", action=about)
        return f"about {about}"

    def _undo(self) -> str:
        row = self._life.some(State.SUCCEEDED)
        if row is None:
            return "nothing to undo"
        by = self._chance.choice((row.agent, "ann", "operator"))
        action = self._life.desk.undo(row.id, by=by)
        return f"{row.id[-6:]} as {action.id[-6:]} {action.state.value}"

    def _report(self) -> str:
        """Say what came of a tool that the agent ran; maybe twice, maybe with a false permit."""
        if not self._permits:
            return "nothing to report"
        permit = self._chance.choice(self._permits)
        false = self._chance.random() < 0.1
        ending = self._chance.choice(_OUTCOMES)
        if not false:
            self._life.watch.view.reported.add(permit.id)
        ctx = self._life.desk.ctx
        unit = receipt_unit(
            ctx,
            MAIN,
            permit.id,
            task=permit.task,
            permit="hrp_made_up" if false else permit.token,
            effect=Effect(ending=ending, receipt=Receipt(provider_ref=permit.id)),
        )
        after = ctx.store.write(unit)
        if false:
            raise self._life.watch.broken(f"a false permit settled `{permit.id}`")
        return f"{permit.id[-6:]} {ending.value}: {after.state.value}"

    def _next_door(self) -> str:
        """The other desk of the same store has an agent, and the same customers."""
        other = self._life.process.other
        task = other.task(agent="ext", customers=_CUSTOMERS)
        kind = self._chance.choice((*PAYING, "note.add"))
        params: dict[str, object] = {"customer": self._chance.choice(_CUSTOMERS)}
        params |= {"amount": "49.99 USD"} if kind in PAYING else {"body": "hello"}
        action = other.propose(task, kind, params)
        return f"{kind} {action.id[-6:]} {action.state.value}"
