"""The workers of a simulated life: sweeps, slow and doubled workers, and what is kept in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import pytest

from handrail.core.lifecycle import State
from handrail.engine.running.execute import Effect, Job, perform, settle_unit
from handrail.engine.waiting.dispatch import claim_unit
from handrail.engine.waiting.reread import reread
from handrail.store import writer
from tests.sim.view import MAIN

if TYPE_CHECKING:
    from tests.sim.life import Life, Ways

__all__ = ["Held", "Workers"]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A slow worker's job: claimed; and once performed, its outcome."""

    job: Job
    effect: Effect | None = None


class Workers:
    """Everything that the gateway does by itself, and time."""

    def __init__(self, life: Life) -> None:
        self.held: list[Held] = []
        self._life = life
        self._chance = life.chance

    def ways(self) -> Ways:
        """What may happen next, with its weight."""
        return [
            (self._sweep, 14),
            (self._wait, 12),
            (self._jump, 2),
            (self._work_slowly, 10),
            (self._claim_twice, 2),
            (self._checkpoint, 2),
            (self._restart, 1),
            (self._verify, 1),
        ]

    def _sweep(self) -> str:
        return f"{self._life.desk.work()}"

    def _wait(self) -> str:
        self._life.time.pass_by(
            self._chance.choice((1, 400, 5_000, 20_000, 61_000, 130_000, 400_000))
        )
        return "time passes"

    def _jump(self) -> str:
        self._life.time.pass_by(self._chance.choice((1_200_000, 3_600_000, 22_000_000, 90_000_000)))
        return "the clock jumps"

    def _work_slowly(self) -> str:
        """A worker that takes a step: claim, perform or settle, with anything in between."""
        ctx = self._life.desk.ctx
        if not self.held:
            row = self._life.some(State.READY)
            if row is None:
                return "nothing to do"
            after, job = ctx.store.write(claim_unit(ctx, MAIN, row.id, reread(ctx, MAIN, row.id)))
            self._hold([job])
            return f"claim {row.id[-6:]}: {after.state.value}"
        held = self.held.pop(self._chance.randrange(len(self.held)))
        id = held.job.proposal.id
        if held.effect is None:
            effect = perform(ctx, held.job)
            self.held.append(Held(job=held.job, effect=effect))
            return f"perform {id[-6:]}: {effect.ending.value} {effect.why}"
        return f"settle {id[-6:]}: {self._settled(held.job, held.effect)}"

    def _settled(self, job: Job, effect: Effect) -> str:
        ctx = self._life.desk.ctx
        return ctx.store.write(settle_unit(ctx, job, effect)).state.value

    def _claim_twice(self) -> str:
        """Two workers turn to one action at once: one of them gets it, at most."""
        row = self._life.some(State.READY)
        if row is None:
            return "nothing to claim"
        ctx = self._life.desk.ctx
        seen = reread(ctx, MAIN, row.id)
        with pytest.MonkeyPatch.context() as patch:
            # A batch that a standing machine cut in two would be another life.
            patch.setattr(writer, "BATCH_S_MAX", 600.0)
            tickets = [ctx.store.submit(claim_unit(ctx, MAIN, row.id, seen)) for _ in range(2)]
            claimed = [ticket.result() for ticket in tickets]
        jobs = [job for _, job in claimed if job is not None]
        if len(jobs) > 1:
            raise self._life.watch.broken(f"two workers may run `{row.id}`")
        self._hold(jobs)
        return f"{row.id[-6:]}: {len(jobs)} of 2"

    def _hold(self, jobs: Sequence[Job | None]) -> None:
        """Keep what the gateway itself carries out; a permit is for the agent, who may lose it."""
        self.held += [Held(job=job) for job in jobs if job is not None and job.permit is None]

    def _checkpoint(self) -> str:
        return f"{len(self._life.desk.checkpoint())} bytes"

    def _restart(self) -> str:
        self.held.clear()
        self._life.process.restart()
        return "in order"

    def _verify(self) -> str:
        return f"{self._life.verified().size} entries"
