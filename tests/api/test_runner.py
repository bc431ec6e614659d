"""The runner: what was claimed is performed, whoever goes away, and it ends in bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

import handrail
from handrail.core.lifecycle import State
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import Decided
from handrail.errors import InvariantBroken, Unavailable
from handrail.policy.loader import load_text
from handrail.policy.packs import pack_text
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.api.runner import UNSETTLED_MAX
from handrail.surfaces.embedded import Desk
from tests.api.gated import FarDesk, GatedDesk
from tests.patience import HANG_S

TICKS = 6


@contextmanager
def gated(folder: Path) -> Iterator[tuple[Desk, GatedDesk, Task]]:
    """A desk whose connector waits at a gate, and a task on it."""
    connector = GatedDesk.open(folder / "gated.db")
    try:
        with handrail.open(folder, connectors={"desk": connector}) as desk:
            yield desk, connector, desk.task(ticket="T-101")
    finally:
        connector.gate.set()
        connector.close()


REASONS: Final = (
    *("damaged", "not_received", "wrong_item", "late", "returned", "duplicate_charge"),
    *("cancelled_order", "goodwill"),
)


def refund(task: Task, key: str) -> Draft:
    """A small refund, which runs by itself; another key, another reason."""
    reason = REASONS[sum(key.encode()) % len(REASONS)]
    params = {"order": "O-5001", "amount": "1.00 USD", "reason": reason}
    return Draft(maker=task.agent, kind="refund.issue", params=params, key=key)


def by_key(desk: Desk, key: str) -> Proposal | None:
    """What was made under a key."""
    return desk.ctx.store.read(lambda tx: tx.proposals.by_key(desk.id, "agent", key))


def test_caller_that_goes_away_leaves_nothing_undone(tmp_path: Path) -> None:
    """However far a call has come when it is cancelled: not there, or done."""

    async def story(desk: Desk, task: Task) -> list[str]:
        gateway = Gateway.over(desk.ctx, desk.id)
        await gateway.runner.start()
        made = []
        for ticks in range(TICKS):
            key = f"after-{ticks}"
            call = asyncio.create_task(gateway.propose(task, refund(task, key)))
            for _ in range(ticks):
                await asyncio.sleep(0)
            call.cancel()
            with suppress(asyncio.CancelledError):
                await call
            await desk.ctx.store.submit(lambda tx: None)  # behind whatever it has queued
            found = by_key(desk, key)
            if found is not None:
                made.append(found.id)
        for id in made:
            ended = await gateway.runner.outcome(desk.id, id, wait_ms=30_000)
            assert ended.state is State.SUCCEEDED
        await gateway.runner.stop()
        return made

    with gated(tmp_path) as (desk, connector, task):
        connector.gate.set()
        made = asyncio.run(story(desk, task))
        assert made
        assert connector.calls == len(made)
        assert connector.money_moved("USD") == 100 * len(made)
        assert desk.verify().good


def test_stop_waits_for_what_runs(tmp_path: Path) -> None:
    """Told to stop, it lets the running call come back, and takes nothing new."""

    async def story(desk: Desk, connector: GatedDesk, task: Task) -> None:
        gateway = Gateway.over(desk.ctx, desk.id)
        runner = gateway.runner
        await runner.start()
        decided = await gateway.propose(task, refund(task, "one"))
        assert await asyncio.to_thread(connector.began.wait, HANG_S)
        stopping = asyncio.create_task(runner.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        with pytest.raises(Unavailable, match="stopping"):
            await gateway.propose(task, refund(task, "two"))
        connector.gate.set()
        await stopping
        assert runner.look(desk.id, decided.proposal.id).state is State.SUCCEEDED

    with gated(tmp_path) as (desk, connector, task):
        asyncio.run(story(desk, connector, task))
        assert by_key(desk, "two") is None


def test_stop_is_bounded_and_the_next_process_goes_on(tmp_path: Path) -> None:
    """A connector that does not come back is left behind; the next opening looks it up."""

    async def story(desk: Desk, connector: GatedDesk, task: Task) -> str:
        gateway = Gateway.over(desk.ctx, desk.id)
        await gateway.runner.start()
        decided = await gateway.propose(task, refund(task, "stuck"))
        assert await asyncio.to_thread(connector.began.wait, HANG_S)
        await gateway.runner.stop(within_s=0.2)
        return decided.proposal.id

    with gated(tmp_path) as (desk, connector, task):
        id = asyncio.run(story(desk, connector, task))
        assert desk.get(id).state is State.EXECUTING
    with gated(tmp_path) as (desk, connector, _):
        connector.gate.set()
        assert desk.work().lost == 1
        assert desk.get(id).state is State.UNKNOWN


def test_waiting_callers_are_answered_when_it_stops(tmp_path: Path) -> None:
    """A long poll does not keep the server from stopping."""

    async def story(desk: Desk, task: Task) -> Proposal:
        gateway = Gateway.over(desk.ctx, desk.id)
        await gateway.runner.start()
        decided = await gateway.propose(task, refund(task, "wait"))
        id = decided.proposal.id
        waiting = asyncio.create_task(gateway.runner.outcome(desk.id, id, wait_ms=30_000))
        await asyncio.sleep(0.02)
        assert gateway.runner.waiting == 1
        gateway.runner.interrupt()
        async with asyncio.timeout(HANG_S):
            found = await waiting
        assert gateway.runner.waiting == 0
        await gateway.runner.stop(within_s=0.1)
        return found

    with gated(tmp_path) as (desk, _, task):
        assert asyncio.run(story(desk, task)).state is State.EXECUTING


def test_late_attempt_is_not_performed(tmp_path: Path) -> None:
    """An attempt that is taken up after its deadline is left to the look-up."""

    async def story(desk: Desk, connector: GatedDesk, task: Task) -> None:
        gateway = Gateway.over(desk.ctx, desk.id)
        runner = gateway.runner
        decided = await gateway.propose(task, refund(task, "late"))
        assert decided.job is not None
        until = decided.job.proposal.attempt_until
        assert until is not None
        clock[0] = until
        await runner.start()
        async with asyncio.timeout(HANG_S):
            while runner.unsettled:
                await asyncio.sleep(0.01)
        await runner.stop()

    clock = [1_800_000_000_000]
    connector = GatedDesk.open(tmp_path / "gated.db")
    connector.gate.set()
    with handrail.open(tmp_path, connectors={"desk": connector}, clock=lambda: clock[0]) as desk:
        asyncio.run(story(desk, connector, desk.task(ticket="T-101")))
        assert connector.calls == 0
    connector.close()


def test_too_much_at_once_waits_for_room(tmp_path: Path) -> None:
    """With too many attempts under way a new one waits, and goes on when there is room."""

    async def story(desk: Desk, connector: GatedDesk, task: Task) -> None:
        gateway = Gateway.over(desk.ctx, desk.id)
        runner = gateway.runner
        await runner.start()
        await gateway.propose(task, refund(task, "first"))
        runner.unsettled += UNSETTLED_MAX
        waiting = asyncio.create_task(gateway.propose(task, refund(task, "second")))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert by_key(desk, "second") is None
        runner.unsettled -= UNSETTLED_MAX
        connector.gate.set()
        async with asyncio.timeout(HANG_S):
            decided = await waiting
        ended = await runner.outcome(desk.id, decided.proposal.id, wait_ms=30_000)
        assert ended.state is State.SUCCEEDED
        await runner.stop()

    with gated(tmp_path) as (desk, connector, task):
        asyncio.run(story(desk, connector, task))


def test_broken_invariant_stops_the_worker(tmp_path: Path) -> None:
    """Nothing more is taken on, and the first reason is kept."""

    async def story(desk: Desk, task: Task) -> None:
        gateway = Gateway.over(desk.ctx, desk.id)
        runner = gateway.runner
        await runner.start()
        runner.break_down(InvariantBroken("invariant_broken", "a first thing"))
        runner.break_down(InvariantBroken("invariant_broken", "a second thing"))
        assert runner.broken == "a first thing"
        with pytest.raises(InvariantBroken, match="a first thing"):
            await gateway.propose(task, refund(task, "one"))
        async with asyncio.timeout(HANG_S):
            await runner.stop()

    with gated(tmp_path) as (desk, _, task):
        asyncio.run(story(desk, task))
        assert by_key(desk, "one") is None


def test_slow_facts_hold_up_nobody_else(tmp_path: Path) -> None:
    """While a far system of record is asked, the event loop goes on; many are asked at once."""

    async def story(desk: Desk, connector: FarDesk, task: Task) -> None:
        gateway = Gateway.over(desk.ctx, desk.id)
        await gateway.runner.start()
        drafts = [refund(task, f"{number}") for number in range(3)]
        alone = asyncio.create_task(gateway.propose(task, refund(task, "alone")))
        together = asyncio.create_task(gateway.propose_all(task, drafts))
        await asyncio.sleep(0.05)
        assert not alone.done()
        assert not together.done()
        connector.gate.set()
        found = [await alone, *await together]
        for decided in found:
            assert isinstance(decided, Decided)
            id = decided.proposal.id
            ended = await gateway.runner.outcome(desk.id, id, wait_ms=30_000)
            assert ended.state is State.SUCCEEDED
        await gateway.runner.stop()

    text = pack_text("support-desk").replace("connector: desk", "connector: shop")
    policy = load_text(text, source="test")
    connector = FarDesk.open(tmp_path / "far.db")
    with handrail.open(tmp_path, policy=policy, connectors={"shop": connector}) as desk:
        task = desk.task(customers=["C-1001"])
        asyncio.run(story(desk, connector, task))
    connector.close()
