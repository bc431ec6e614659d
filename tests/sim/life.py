"""One simulated life of a desk, driven by one seed: agents, reviewers, time, faults and deaths."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.dispatch import claim_unit
from handrail.engine.execute import Effect, Job, perform, settle_unit
from handrail.engine.prepare import Draft
from handrail.engine.propose import plan
from handrail.engine.reread import reread
from handrail.engine.withdraw import withdraw_unit
from handrail.errors import HandrailError, InvariantBroken, SetupFailed
from handrail.surfaces.embedded import Desk
from tests.sim.process import Process
from tests.sim.rules import AGENTS, AMOUNTS, KINDS, PAYING, PEOPLE
from tests.sim.watch import DESK, Said, Watch
from tests.sim.world import Killed, Provider, Time

__all__ = ["STEPS", "Life", "Outcome", "lived"]

STEPS: Final = 120
_NOW: Final = 1_790_000_000_000
_MEMORY: Final = Path("/dev/shm")
_DEATH_CHANCE: Final = 0.12
_MOMENTS_MAX: Final = 40
_LAST_SPANS: Final = (0, *[61_000] * 3, 600_000, *[1_300_000, 700_000] * 4, *[61_000] * 3)
"""Time that passes at the end: longer than everything that may wait, with room to look again."""
_CUSTOMERS: Final = ("c-1", "c-2", "c-3")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a life came to. Two lives of one seed are equal."""

    seed: int
    trace: tuple[str, ...]
    root: str
    size: int
    effects: int
    killed: int
    states: tuple[tuple[str, int], ...]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal that an agent made under a key of its own, to be repeated."""

    task: Task
    kind: str
    params: dict[str, object]
    key: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A slow worker's job: claimed; and once performed, its outcome."""

    job: Job
    effect: Effect | None = None


class Life:
    """A desk, its world, and everybody who acts on it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.step = -1
        self.trace: list[str] = []
        self.chance = random.Random(f"{seed}/steps")
        self.time = Time(_NOW)
        self.provider = Provider(self.time, random.Random(f"{seed}/world"))
        self.watch = Watch(lambda: f"seed {seed}, step {self.step}", self.provider, self.time)
        self.process = Process(folder, self.provider, self.time, seed)
        self.provider.asked = self._at_the_door
        self.provider.meanwhile = self._meanwhile
        self.provider.note = self.trace.append
        self._tasks: dict[str, Task] = {}
        self._asked: list[Asked] = []
        self._held: list[Held] = []
        self._people()

    @property
    def desk(self) -> Desk:
        """The desk as the process of now has it open."""
        return self.process.desk

    def live(self, steps: int) -> Outcome:
        """Take every step, check after each, and drain what is left at the end."""
        for self.step in range(steps):
            self._survived(self._chosen())
            self.watch.check(self.desk.ctx.store)
        self._drain()
        report = self.desk.verify()
        if not report.good:
            raise self.watch.broken(f"the log does not verify: {report.findings}")
        states = [row.state.value for row in self.watch.seen.values()]
        return Outcome(
            seed=self.seed,
            trace=tuple(self.trace),
            root=report.root.hex(),
            size=report.size,
            effects=len(self.provider.effects),
            killed=self.process.killed,
            states=tuple(sorted((state, states.count(state)) for state in set(states))),
        )

    def _people(self) -> None:
        for agent, (owner, operator) in AGENTS.items():
            self.desk.agent(agent, owner=owner, operator=operator)
        for person in PEOPLE.values():
            minor = person.limit_minor
            limits = () if minor is None else (f"{minor // 100}.{minor % 100:02} USD",)
            self.desk.person(person.id, roles=person.roles, limits=limits, identity=person.identity)

    def _chosen(self) -> Callable[[], str]:
        ways: list[tuple[Callable[[], str], int]] = [
            (self._propose, 26),
            (self._replay, 6),
            (self._review, 24),
            (self._sweep, 14),
            (self._wait, 12),
            (self._jump, 2),
            (self._withdraw, 4),
            (self._escalate, 3),
            (self._undo, 6),
            (self._work_slowly, 10),
            (self._checkpoint, 2),
            (self._restart, 1),
            (self._verify, 1),
        ]
        return self.chance.choices([way for way, _ in ways], [weight for _, weight in ways])[0]

    def _survived(self, act: Callable[[], str]) -> None:
        """Do one thing. A refusal is an answer; a death is followed by the next process."""
        if self.chance.random() < _DEATH_CHANCE:
            self.process.doom(self.chance.randint(1, _MOMENTS_MAX))
        name = act.__name__.strip("_")
        try:
            said = act()
        except Killed:
            said = "killed"
            self._held.clear()
            self.process.bury()
            self.time.pass_by(self.chance.choice((0, 50, 5_000, 45_000)))
            self.process.begin()
        except (InvariantBroken, SetupFailed) as error:
            raise self.watch.broken(f"{name}: {error}") from error
        except HandrailError as error:
            said = error.code
        finally:
            self.process.doom(None)
        self.trace.append(f"{self.step:3} +{self.time.now - self.time.start} {name}: {said}")

    def _at_the_door(self, kind: str, key: str) -> None:
        self.watch.at_the_door(self.desk.ctx.store, kind, key)

    def _meanwhile(self) -> None:
        """What others do while an answer takes long."""
        self.trace.append(f"   meanwhile: {self.desk.work()}")

    def _task(self, agent: str) -> Task:
        task = self._tasks.get(agent)
        if task is None or task.ended(self.time.now) or self.chance.random() < 0.1:
            # One customer may be out of the task's lane.
            customers = _CUSTOMERS if self.chance.random() < 0.7 else _CUSTOMERS[:2]
            lane = "triage" if self.chance.random() < 0.05 else "support"
            task = self.desk.task(agent=agent, customers=customers, lane=lane)
            self._tasks[agent] = task
        return task

    def _params(self, kind: str) -> dict[str, object]:
        params: dict[str, object] = {"customer": self.chance.choice(_CUSTOMERS)}
        if kind in PAYING:
            minor = self.chance.choice(AMOUNTS)
            currency = "CHF" if self.chance.random() < 0.02 else "USD"
            return params | {"amount": f"{minor // 100}.{minor % 100:02} {currency}"}
        return params | {"body": self.chance.choice(("thanks", "sorry", "on its way"))}

    def _propose(self) -> str:
        agent = self.chance.choice(list(AGENTS))
        kind = self.chance.choice(KINDS)
        task, params = self._task(agent), self._params(kind)
        key = f"key-{self.step}" if self.chance.random() < 0.5 else None
        if key is not None:
            self._asked.append(Asked(task=task, kind=kind, params=params, key=key))
        claim = Grade.G3 if self.chance.random() < 0.05 else None
        if self.chance.random() < 0.25:
            return self._propose_slowly(task, kind, params, key)
        action = self.desk.propose(task, kind, params, key=key, claim=claim)
        return f"{kind} {action.id[-6:]} {action.state.value}"

    def _propose_slowly(
        self, task: Task, kind: str, params: dict[str, object], key: str | None
    ) -> str:
        """Decide now; who is to perform it takes its time."""
        draft = Draft(maker=task.agent, kind=kind, params=params, key=key)
        decided = self.desk.ctx.store.write(plan(self.desk.ctx, task, draft))
        if decided.job is not None:
            self._held.append(Held(job=decided.job))
        return f"{kind} {decided.proposal.id[-6:]} {decided.proposal.state.value}, slowly"

    def _replay(self) -> str:
        """The same call again, or another one under the same key."""
        if not self._asked:
            return "nothing to repeat"
        asked = self.chance.choice(self._asked)
        before = self._by_key(asked)
        if self.chance.random() < 0.3:
            other = asked.params | {
                "customer": "c-1" if asked.params["customer"] != "c-1" else "c-2"
            }
            try:
                self.desk.propose(asked.task, asked.kind, other, key=asked.key)
            except HandrailError as error:
                return f"with other content: {error.code}"
            if before is not None:
                raise self.watch.broken(f"the key `{asked.key}` served two contents")
            self._asked.remove(asked)
            return "with other content, for the first time"
        action = self.desk.propose(asked.task, asked.kind, asked.params, key=asked.key)
        if before is not None and action.id != before.id:
            raise self.watch.broken(f"the key `{asked.key}` gave `{before.id}` and `{action.id}`")
        return f"{action.id[-6:]} {action.state.value}"

    def _by_key(self, asked: Asked) -> Proposal | None:
        return self.desk.ctx.store.read(
            lambda tx: tx.proposals.by_key(DESK, asked.task.agent, asked.key)
        )

    def _review(self) -> str:
        pending = [row for row in self.watch.seen.values() if row.statement]
        waiting = [row for row in pending if row.state is State.PENDING]
        if waiting and self.chance.random() < 0.9:
            pending = waiting
        if not pending:
            return "nothing to review"
        row = self.chance.choice(pending)
        person = self.chance.choice([*PEOPLE.values()])
        verdict, statement = "approve", row.statement
        if self.chance.random() < person.care:
            verdict = self.chance.choice(
                ("approve", "approve", "approve", "reject", "request_changes", "escalate")
            )
        elif self.chance.random() < 0.1:
            statement = self.chance.choice(pending).statement
        self.watch.said.add(Said(person=person.id, proposal=row.id, verdict=verdict))
        try:
            action = self.desk.review(
                row.id, verdict, by=person.id, digest=statement, reason="because"
            )
        except HandrailError as error:
            return f"{person.id} on {row.id[-6:]} {verdict}: {error.code}"
        return f"{person.id} on {row.id[-6:]} {verdict}: {action.state.value}"

    def _sweep(self) -> str:
        return f"{self.desk.work()}"

    def _wait(self) -> str:
        self.time.pass_by(self.chance.choice((1, 400, 5_000, 20_000, 61_000, 130_000, 400_000)))
        return "time passes"

    def _jump(self) -> str:
        self.time.pass_by(self.chance.choice((1_200_000, 3_600_000, 22_000_000, 90_000_000)))
        return "the clock jumps"

    def _some(self, *states: State) -> Proposal | None:
        found = [row for row in self.watch.seen.values() if row.state in states]
        return self.chance.choice(found) if found else None

    def _withdraw(self) -> str:
        row = self._some(State.PENDING, State.READY, State.HOLDING, State.UNKNOWN, State.EXECUTING)
        if row is None:
            return "nothing to withdraw"
        unit = withdraw_unit(DESK, row.id, actor=row.agent, task=row.task)
        return f"{row.id[-6:]} {self.desk.ctx.store.write(unit).state.value}"

    def _escalate(self) -> str:
        agent = self.chance.choice(list(AGENTS))
        task = self._task(agent)
        row = self._some(State.PENDING, State.READY, State.UNKNOWN)
        about = row.id if row is not None and row.task == task.id else None
        self.desk.escalate(task, "please look", action=about)
        return f"about {about}"

    def _undo(self) -> str:
        row = self._some(State.SUCCEEDED)
        if row is None:
            return "nothing to undo"
        by = self.chance.choice((row.agent, "ann", "operator"))
        action = self.desk.undo(row.id, by=by)
        return f"{row.id[-6:]} as {action.id[-6:]} {action.state.value}"

    def _work_slowly(self) -> str:
        """A worker that takes a step: claim, perform or settle, with anything in between."""
        ctx = self.desk.ctx
        if not self._held:
            row = self._some(State.READY)
            if row is None:
                return "nothing to do"
            after, job = ctx.store.write(claim_unit(ctx, DESK, row.id, reread(ctx, DESK, row.id)))
            if job is not None:
                self._held.append(Held(job=job))
            return f"claim {row.id[-6:]}: {after.state.value}"
        held = self._held.pop(self.chance.randrange(len(self._held)))
        id = held.job.proposal.id
        if held.effect is None:
            effect = perform(ctx, held.job)
            self._held.append(Held(job=held.job, effect=effect))
            return f"perform {id[-6:]}: {effect.ending.value}"
        return f"settle {id[-6:]}: {self._settled(held.job, held.effect)}"

    def _settled(self, job: Job, effect: Effect) -> str:
        ctx = self.desk.ctx
        return ctx.store.write(settle_unit(ctx, job, effect)).state.value

    def _checkpoint(self) -> str:
        return f"{len(self.desk.checkpoint())} bytes"

    def _restart(self) -> str:
        self._held.clear()
        self.process.restart()
        return "in order"

    def _verify(self) -> str:
        report = self.desk.verify()
        if not report.good:
            raise self.watch.broken(f"the log does not verify: {report.findings}")
        return f"{report.size} entries"

    def _drain(self) -> None:
        """No more faults, nobody acts any more: time alone brings everything to an end."""
        self.provider.faulty = False
        self._held.clear()
        for span in _LAST_SPANS:
            self.step += 1
            self.time.pass_by(span)
            self.trace.append(f"{self.step:3} drain: {self.desk.work()}")
            self.watch.check(self.desk.ctx.store)
        self.watch.at_the_end(self.desk.ctx.store, self.provider.effects)


def lived(seed: int, *, steps: int = STEPS) -> Outcome:
    """The life of a seed. Raises `Broken` with the seed when an invariant does not hold.

    A worker may also wake up and turn to the provider after its attempt's deadline has passed.
    """
    place = _MEMORY if _MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="handrail-sim-", dir=place))
    life: Life | None = None
    try:
        life = Life(seed, folder)
        return life.live(steps)
    except BaseException as error:
        if life is not None:
            error.add_note("\n".join(life.trace))
        raise
    finally:
        if life is not None:
            life.desk.ctx.store.close()
        shutil.rmtree(folder, ignore_errors=True)
