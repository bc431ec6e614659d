"""The runner: performs what was claimed, settles it, and wakes who waits for it.

Claimed attempts go to a few threads that call the connectors. What they bring back is settled from
the event loop, many at once in one commit. All of a runner's own state is touched by the event
loop's thread only. Once a second or so it does what time makes due, and signs checkpoints.

A claimed attempt is never dropped because its caller went away: from the commit on it belongs to
the runner. If the process dies, the next one finds it by its fence.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

from handrail.core.lifecycle import FINAL, UNDER_WAY
from handrail.core.proposal import Proposal
from handrail.engine.asking.escalate import tell_tampered
from handrail.engine.base.circuits import Way
from handrail.engine.base.context import Context
from handrail.engine.keeping.checkpoint import sign_checkpoint
from handrail.engine.running.execute import Effect, Job, perform, settle_unit
from handrail.engine.waiting.dispatch import claim_unit
from handrail.engine.waiting.reread import reread
from handrail.engine.waiting.sweep import Swept, sweep
from handrail.errors import HandrailError, InvariantBroken, NotFound, Tampered, Unavailable
from handrail.surfaces.api.crew import Crew
from handrail.surfaces.api.waiters import Waiters

__all__ = ["Runner"]

T = TypeVar("T")

THREADS: Final = 8
"""Connector calls at the same time."""
UNSETTLED_MAX: Final = 2_000
"""Claimed attempts that are not settled yet; above it, new proposals wait for room.

An attempt has a deadline from its claim on, so that a long line of claimed ones would only expire.
"""
ROOM_S_MAX: Final = 10.0
WAITING_MAX: Final = 2_000
"""Callers that wait for an action at the same time; a further one is answered at once."""
LOOK_AGAIN_S: Final = 1.0
"""A waiting caller looks by itself this often: not everything that moves an action is a runner."""
SWEEP_S: Final = 0.5
LOOK_UP_S_MAX: Final = 5.0
"""How long the chores wait for an answer about a lost attempt."""
CHECKPOINT_S: Final = 5.0
STOP_S_MAX: Final = 10.0
SETTLE_PAUSES_S: Final = (0.2, 1.0, 5.0)
"""When the store cannot take an outcome, it is offered again after these pauses."""

_LOG_BROKEN: Final = ("log_shrunk", "log_damaged")
_log: Final = logging.getLogger("handrail.runner")


class Runner:
    """Background work of one serving process. Started and stopped by the application's lifespan."""

    def __init__(self, ctx: Context, *, threads: int = THREADS) -> None:
        self.ctx = ctx
        self.broken: str | None = None
        self.stopping = False
        self.unsettled = 0
        self._runs = Crew("handrail-run", threads)
        self._calls = Crew("handrail-call", threads)
        self._taking: set[str] = set()
        self._performed: deque[tuple[Job, Effect | BaseException | None]] = deque()
        self._told = False
        self.waiters = Waiters()
        self._room = asyncio.Event()
        self._halt = asyncio.Event()
        self._over = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._chores: ThreadPoolExecutor | None = None
        self._chore_task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def waiting(self) -> int:
        """How many callers wait for an action."""
        return self.waiters.count

    @property
    def hanging(self) -> int:
        """How many calls to connectors have not come back and are left to themselves."""
        return self._runs.lost + self._calls.lost

    async def start(self) -> None:
        """Start the threads, and take up what an earlier process has left."""
        self._loop = asyncio.get_running_loop()
        self._chores = ThreadPoolExecutor(1, thread_name_prefix="handrail-chore")
        self._runs.start()
        self._calls.start()
        self.ctx.store.listen(partial(self.waiters.wake_from, self._loop))
        self._chore_task = self.spawn(self._do_chores())

    async def stop(self, within_s: float = STOP_S_MAX) -> None:
        """Take nothing more, let what runs finish for a bounded time, and let go."""
        self.interrupt()
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while self.unsettled and loop.time() < until and self.broken is None:
            self._room.clear()
            try:
                async with asyncio.timeout(min(LOOK_AGAIN_S, max(0.0, until - loop.time()))):
                    await self._room.wait()
            except TimeoutError:
                continue
        # What is still in line is left to the next process, which looks it up.
        self._over = True
        self._runs.stop()
        self._calls.stop()
        if self._chore_task is not None:
            # A chore reads and writes the store: let it end before somebody closes that.
            await asyncio.wait({self._chore_task}, timeout=within_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._chores is not None:
            self._chores.shutdown(wait=False, cancel_futures=True)

    def interrupt(self) -> None:
        """Answer every waiting caller with how things stand, and refuse new work."""
        self.stopping = True
        self._halt.set()
        self.wake_all()

    def check_working(self) -> None:
        """Refuse work that would not be done.

        Raises InvariantBroken after one was broken, and Unavailable while stopping.
        """
        if self.broken is not None:
            raise InvariantBroken("invariant_broken", f"the worker has stopped: {self.broken}")
        if self.stopping:
            raise Unavailable("store_closed", "the server is stopping; nothing was done")

    def break_down(self, error: InvariantBroken) -> None:
        """Stop for good, and say why: what must never happen was seen."""
        if self.broken is None:
            self.broken = error.message
            _log.critical("stopped: %s", error)
        self.wake_all()

    def meet(self, error: HandrailError) -> None:
        """Stop for a broken invariant; tell people of an action whose record was changed."""
        if isinstance(error, InvariantBroken):
            self.break_down(error)
        elif isinstance(error, Tampered) and not self.stopping:
            self.spawn(self.chore(partial(tell_tampered, self.ctx, error)))

    # jobs

    def start_job(self, job: Job) -> None:
        """Perform a claimed attempt. What runs in the agent's own process is the agent's."""
        if job.permit is None:
            self.unsettled += 1
            self._runs.put(partial(self._run, job))

    async def room(self) -> None:
        """Wait until another attempt may be claimed.

        Raises Unavailable `connector_unavailable` when that takes too long.
        """
        if self.unsettled < UNSETTLED_MAX:
            return
        try:
            async with asyncio.timeout(ROOM_S_MAX):
                while self.unsettled >= UNSETTLED_MAX and not self.stopping:
                    self._room.clear()
                    await self._room.wait()
        except TimeoutError:
            raise Unavailable(
                "connector_unavailable", "too many actions are running now; nothing was done"
            ) from None

    async def claim(self, desk: str, id: str, *, prompt: bool = False) -> Proposal | None:
        """Read a READY action again (`prompt`: here), claim and start it; None if it failed."""
        look = partial(reread, self.ctx, desk, id)
        try:
            seen = look() if prompt else await self.call(look)
            proposal, job = await self.ctx.store.submit(claim_unit(self.ctx, desk, id, seen))
        except HandrailError as error:
            self.meet(error)
            if error.code == "connector_unavailable":
                silent = self.look(desk, id).connector
                self.ctx.circuits.silent(silent, Way.READ, self.ctx.clock())
            _log.warning("%s was not claimed: %s", id, error)
            return None
        if job is not None:
            self.start_job(job)
        self.wake(id)
        return proposal

    def _run(self, job: Job) -> None:
        """In a thread of the crew: perform a job, and let the loop collect what it brought."""
        self._performed.append((job, self._effect_of(job)))
        # Appended before the flag is looked at: whoever resets it sees this one.
        if not self._told and self._loop is not None:
            self._told = True
            # A loop that is closed collects nothing; the next process looks it up.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._collect)

    def _effect_of(self, job: Job) -> Effect | BaseException | None:
        if self.broken is not None or self._over:
            return None
        until = job.proposal.attempt_until
        if until is not None and self.ctx.clock() >= until:
            # WHY NOT: run it late. Its deadline is over, so that another attempt may be on its way.
            return None
        try:
            return perform(self.ctx, job)
        except BaseException as error:
            return error

    def _collect(self) -> None:
        self._told = False
        performed = [self._performed.popleft() for _ in range(len(self._performed))]
        if performed:
            self.spawn(self._settle(performed))

    async def _settle(self, performed: list[tuple[Job, Effect | BaseException | None]]) -> None:
        """Write outcomes, all in one commit."""
        submit, ctx = self.ctx.store.submit, self.ctx
        tickets = []
        for job, effect in performed:
            if isinstance(effect, Effect):
                tickets.append((job, effect, submit(settle_unit(ctx, job, effect))))
                continue
            if isinstance(effect, InvariantBroken):
                self.break_down(effect)
            elif effect is not None:
                _log.error("an attempt of %s ended oddly", job.proposal.id, exc_info=effect)
            self._settled(job)
        for job, effect, ticket in tickets:
            try:
                await ticket
            except Unavailable:
                self.spawn(self._settle_later(job, effect))
                continue
            except HandrailError as error:
                self.meet(error)
                _log.error("%s was not settled: %s", job.proposal.id, error)
            self._settled(job)

    async def _settle_later(self, job: Job, effect: Effect) -> None:
        """The store could not take it. It stays EXECUTING; past its deadline it is looked up."""
        try:
            for pause in SETTLE_PAUSES_S:
                await asyncio.sleep(pause)
                try:
                    await self.ctx.store.submit(settle_unit(self.ctx, job, effect))
                    return
                except Unavailable as error:
                    _log.error("%s is not settled yet: %s", job.proposal.id, error)
        except InvariantBroken as error:
            self.break_down(error)
        finally:
            self._settled(job)

    def _settled(self, job: Job) -> None:
        self.unsettled -= 1
        self._room.set()
        self.waiters.settle(job.proposal.id)

    # waiting

    async def outcome(self, desk: str, id: str, *, wait_ms: int) -> Proposal:
        """Where an action stands once nothing more happens by itself, or when the time is over.

        Raises NotFound `proposal_not_found`.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_ms / 1_000
        proposal = self.look(desk, id)
        if wait_ms <= 0 or self.waiting >= WAITING_MAX or self._rests(proposal):
            return proposal
        with self.waiters.waiting_for(id) as changed:
            while True:
                changed.clear()
                proposal = self.look(desk, id)
                left = until - loop.time()
                if left <= 0 or self._rests(proposal) or self.stopping or self.broken:
                    return proposal
                try:
                    async with asyncio.timeout(min(left, LOOK_AGAIN_S)):
                        await changed.wait()
                except TimeoutError:
                    continue

    def look(self, desk: str, id: str) -> Proposal:
        """An action as it is stored now. Raises NotFound `proposal_not_found`."""
        found = self.ctx.store.read(lambda tx: tx.proposals.get(desk, id))
        if found is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        return found

    def wake(self, id: str) -> None:
        """Let everybody who waits for this action look again."""
        self.waiters.wake(id)

    def wake_all(self) -> None:
        """Let everybody who waits look again."""
        self._room.set()
        self.waiters.wake_all()

    def _rests(self, proposal: Proposal) -> bool:
        """Whether the next move is the caller's: it is over, or it runs in the agent's process."""
        if proposal.state in FINAL:
            return True
        if proposal.state not in UNDER_WAY:
            return False
        kind = self.ctx.rulebook(proposal.desk).kind(proposal.kind)
        return kind is not None and kind.runs_in_agent

    # chores

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something beside the callers; it is kept until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, InvariantBroken):
            self.break_down(error)
        elif error is not None and not isinstance(error, HandrailError):
            _log.error("background work failed", exc_info=error)
            if task is self._chore_task:
                what = f"the chores have ended ({type(error).__name__})"
                self.break_down(InvariantBroken("internal", what))

    async def call(self, work: Callable[[], T]) -> T:
        """Run something in a thread, within its time. Raises what `Crew.call` raises."""
        return await self._calls.call(work)

    async def chore(self, work: Callable[[], T]) -> T:
        """Run something in the one thread of chores, behind whatever is due there."""
        assert self._chores is not None
        return await asyncio.get_running_loop().run_in_executor(self._chores, work)

    async def _do_chores(self) -> None:
        loop = asyncio.get_running_loop()
        checkpoint_at = loop.time()
        while not self.stopping and self.broken is None:
            try:
                swept = await self.chore(self._sweep)
                if swept.total:
                    self.wake_all()
                if loop.time() >= checkpoint_at:
                    checkpoint_at = loop.time() + CHECKPOINT_S
                    for desk in list(self.ctx.rulebooks):
                        await self.chore(partial(sign_checkpoint, self.ctx, desk))
            except HandrailError as error:
                self._chore_failed(error)
            except OSError as error:
                _log.error("a chore failed: %s", error)
            try:
                async with asyncio.timeout(SWEEP_S):
                    await self._halt.wait()
            except TimeoutError:
                continue

    def _chore_failed(self, error: HandrailError) -> None:
        if isinstance(error, InvariantBroken) or error.code in _LOG_BROKEN:
            self.break_down(InvariantBroken(error.code, error.message))
        else:
            _log.error("a chore failed: %s", error)

    def _sweep(self) -> Swept:
        """In the chores' thread: what time makes due. Connectors are called by the crews."""
        self._runs.mend()
        self._calls.mend()
        return sweep(
            self.ctx, run=self._hand_over, ask=partial(self._calls.ask, within_s=LOOK_UP_S_MAX)
        )

    def _hand_over(self, ctx: Context, desk: str, id: str) -> Proposal:
        """Let the loop take a READY action up: reading it again may take long, or for ever."""
        if self._loop is not None and not self.stopping:
            self._loop.call_soon_threadsafe(self._take_up, desk, id)
        return self.look(desk, id)

    def _take_up(self, desk: str, id: str) -> None:
        if id not in self._taking and self.unsettled < UNSETTLED_MAX:
            self._taking.add(id)
            taken = self.spawn(self.claim(desk, id))
            taken.add_done_callback(lambda _: self._taking.discard(id))
