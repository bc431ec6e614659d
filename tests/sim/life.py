"""One simulated life of a desk, driven by one seed: agents, reviewers, time, faults and deaths."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from handrail.core.lifecycle import State
from handrail.core.proposal import Proposal
from handrail.errors import HandrailError, InvariantBroken, SetupFailed, Tampered
from handrail.prove.verify import Report
from handrail.surfaces.embedded import Desk
from tests.sim.agents import Agents
from tests.sim.people import Reviewers
from tests.sim.process import Process
from tests.sim.rules import AGENTS, PEOPLE, STRANGERS
from tests.sim.view import MAIN
from tests.sim.watch import Watch
from tests.sim.workers import Workers
from tests.sim.world import Killed, Provider, Time

__all__ = ["STEPS", "Life", "Outcome", "Ways", "lived"]

Ways = list[tuple[Callable[[], str], int]]

STEPS: Final = 120
_NOW: Final = 1_790_000_000_000
_MEMORY: Final = Path("/dev/shm")
_DEATH_CHANCE: Final = 0.12
_FULL_CHANCE: Final = 0.05
_MOMENTS_MAX: Final = 40
_LAST_SPANS: Final = (0, *[61_000] * 3, 600_000, *[1_300_000, 700_000] * 4, *[61_000] * 3)
"""Time that passes at the end: longer than everything that may wait, with room to look again."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a life came to. Two lives of one seed are equal."""

    seed: int
    trace: tuple[str, ...]
    root: str
    size: int
    effects: int
    killed: int
    states: tuple[tuple[str, int], ...]


class Life:
    """Two desks in one store, their world, and everybody who acts on them."""

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
        self.workers = Workers(self)
        self._ways = [*Agents(self).ways(), *Reviewers(self).ways(), *self.workers.ways()]
        self._people()

    @property
    def desk(self) -> Desk:
        """The desk as the process of now has it open."""
        return self.process.desk

    def live(self, steps: int) -> Outcome:
        """Take every step, check after each, and drain what is left at the end."""
        ways = [way for way, _ in self._ways]
        weights = [weight for _, weight in self._ways]
        for self.step in range(steps):
            self._survived(self.chance.choices(ways, weights)[0])
            self.watch.check(self.desk.ctx.store)
        self._drain()
        report = self.verified()
        states = [row.state.value for row in self.watch.view.rows]
        return Outcome(
            seed=self.seed,
            trace=tuple(self.trace),
            root=report.root.hex(),
            size=report.size,
            effects=len(self.provider.effects),
            killed=self.process.killed,
            states=tuple(sorted((state, states.count(state)) for state in set(states))),
        )

    def some(self, *states: State) -> Proposal | None:
        """Some action of the desk that was last seen in one of the states."""
        rows = self.watch.view.rows
        found = [row for row in rows if row.desk == MAIN and row.state in states]
        return self.chance.choice(found) if found else None

    def verified(self) -> Report:
        """The log of the desk verifies, from its first entry on."""
        report = self.desk.verify()
        if not report.good:
            raise self.watch.broken(f"I7 evidence: the log does not verify: {report.findings}")
        return report

    def _people(self) -> None:
        for agent, (owner, operator) in AGENTS.items():
            self.desk.agent(agent, owner=owner, operator=operator)
        for person in PEOPLE.values():
            minor = person.limit_minor
            limits = () if minor is None else (f"{minor // 100}.{minor % 100:02} USD",)
            self.desk.person(person.id, roles=person.roles, limits=limits, identity=person.identity)
        other = self.process.other
        other.person(STRANGERS[0], roles=("reviewer", "checker"), limits=("20000.00 USD",))
        other.agent(STRANGERS[1], owner=STRANGERS[0])

    def _survived(self, act: Callable[[], str]) -> None:
        """Do one thing. A refusal is an answer; a death is followed by the next process."""
        if self.chance.random() < _DEATH_CHANCE:
            self.process.doom(self.chance.randint(1, _MOMENTS_MAX))
        if self.chance.random() < _FULL_CHANCE:
            self.process.fill(self.chance.randint(1, _MOMENTS_MAX))
        name = act.__name__.strip("_")
        try:
            said = act()
        except Killed:
            said = "killed"
            self.workers.held.clear()
            self.process.bury()
            self.time.pass_by(self.chance.choice((0, 50, 5_000, 45_000)))
            self.process.begin()
        except (InvariantBroken, SetupFailed, Tampered) as error:
            raise self.watch.broken(f"{name}: {error}") from error
        except HandrailError as error:
            said = error.code
        finally:
            self.process.doom(None)
            self.process.make_room()
        self.trace.append(f"{self.step:3} +{self.time.now - self.time.start} {name}: {said}")

    def _at_the_door(self, kind: str, key: str, request: dict[str, object]) -> None:
        self.watch.at_the_door(self.desk.ctx.store, kind, key, request)

    def _meanwhile(self) -> None:
        """What others do while an answer takes long."""
        self.trace.append(f"   meanwhile: {self.desk.work()}")

    def _drain(self) -> None:
        """No more faults, nobody acts any more: time alone brings everything to an end."""
        self.provider.faulty = False
        self.workers.held.clear()
        for span in _LAST_SPANS:
            self.step += 1
            self.time.pass_by(span)
            self.trace.append(f"{self.step:3} drain: {self.desk.work()}")
            self.watch.check(self.desk.ctx.store)
        self.watch.at_the_end(self.desk.ctx.store)


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
