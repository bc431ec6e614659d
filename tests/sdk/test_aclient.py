"""The asynchronous client against a real server: the same conversations in an event loop."""

from __future__ import annotations

import asyncio
import inspect

import httpx
import pytest

from handrail.sdk import (
    AccessRefused,
    AsyncHandrail,
    AsyncTaskClient,
    CallConflict,
    NothingThere,
    Retry,
    ServerUnavailable,
    TaskClient,
)
from handrail.sdk.talk import TaskTalk
from tests.sdk.breaking import breaking_line
from tests.sdk.gateway import RunningDesk

TALKS = sorted(name for name in vars(TaskTalk) if not name.startswith("_"))


def test_both_clients_say_the_same() -> None:
    """Every conversation of a task is a method of both, with the same parameters and words."""
    internal = {"setup", "grant", "poll"}
    for name in set(TALKS) - internal:
        talk = getattr(TaskTalk, name)
        for method in (getattr(TaskClient, name), getattr(AsyncTaskClient, name)):
            assert (
                list(inspect.signature(method).parameters)[1:]
                == (list(inspect.signature(talk).parameters)[1:])
            )
            assert method.__doc__ == talk.__doc__
        assert inspect.iscoroutinefunction(getattr(AsyncTaskClient, name))
    assert {"propose", "batch", "wait_for", "claim", "receipt"} <= set(TALKS) - internal


def test_many_proposals_are_under_way_at_once(served: RunningDesk) -> None:
    """One client, many calls in one loop; each gets its own action."""

    async def story() -> set[str]:
        async with AsyncHandrail(served.url, api_key=served.api_key) as client:
            task = await client.task(ticket="T-101")
            calls = [task.propose("kb.search", query=f"return {n}", wait=30) for n in range(20)]
            found = await asyncio.gather(*calls)
            assert all(one.ran for one in found)
            return {one.id for one in found}

    assert len(asyncio.run(story())) == 20
    assert served.counts() == {"SUCCEEDED": 20}


def test_approval_ends_the_wait(served: RunningDesk) -> None:
    """While one action waits for a person, the loop goes on with other things."""

    async def story() -> None:
        async with AsyncHandrail(served.url, api_key=served.api_key) as client:
            task = await client.task(ticket="T-101")
            held = await task.propose("reply.send", ticket="T-101", body="Hello", wait=0.1)
            assert held.waits
            waiting = asyncio.create_task(task.wait_for(held.id, 30))
            assert (await task.propose("kb.search", query="return", wait=30)).ran
            await asyncio.to_thread(served.review, held.id, "approve")
            assert (await waiting).ran

    asyncio.run(story())


def test_every_verb_in_a_loop(served: RunningDesk) -> None:
    """Batch, withdraw, escalate, undo and the end of the task."""

    async def story() -> None:
        async with AsyncHandrail(served.url, api_key=served.api_key) as client:
            async with await client.task(ticket="T-101") as task:
                (first, _) = await task.batch(
                    [{"kind": "shop.burn", "params": {}}, {"kind": "", "params": {}}]
                )
                assert not isinstance(first, Exception)
                assert (await task.withdraw(first.id)).state == "WITHDRAWN"
                with pytest.raises(CallConflict):
                    await task.withdraw(first.id)
                assert (await task.escalate("please look")).due_at is not None
                params = {"order": "O-5001", "amount": "5.00 USD", "reason": "other"}
                refund = await task.propose("refund.issue", params, wait=30)
                assert (await task.undo(refund.id)).undo_of == refund.id
                with pytest.raises(NothingThere):
                    await task.get("hr_nothing")
            assert (await task.get(refund.id)).ran
            await client.end(task.grant.id)
            with pytest.raises(AccessRefused):
                await task.get(refund.id)

    asyncio.run(story())


def test_lost_answers_are_asked_for_again(served: RunningDesk) -> None:
    """As often as was allowed, and with one effect."""
    retry = Retry(tries=3, first_s=0.01, longest_s=0.02)

    async def story(url: str) -> None:
        async with AsyncHandrail(url, api_key=served.api_key, retry=retry) as client:
            task = await client.task()
            line.lose_answers(2)
            assert (await task.propose("kb.search", query="return", wait=30)).ran
            line.lose_answers(3)
            with pytest.raises(ServerUnavailable, match="3 times"):
                await task.propose("kb.search", query="return", key="again")
            assert (await task.propose("kb.search", query="return", key="again", wait=30)).ran

    with breaking_line(served.url) as line:
        asyncio.run(story(line.url))
    assert served.counts() == {"SUCCEEDED": 2}


def test_own_http_client_stays_open(served: RunningDesk) -> None:
    """Who brings an httpx client closes it."""

    async def story() -> None:
        async with httpx.AsyncClient() as http:
            async with AsyncHandrail(served.url, api_key=served.api_key, http=http) as client:
                await client.task()
            assert not http.is_closed

    asyncio.run(story())
