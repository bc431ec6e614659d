"""Permit mode against a real server: a tool of this process under the desk's policy."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from handrail.sdk import (
    AlreadyRan,
    AsyncHandrail,
    AsyncTaskClient,
    CallConflict,
    Ended,
    Handrail,
    Held,
    InDoubt,
    Refused,
    Retry,
    TaskClient,
    guard,
    resume,
)
from tests.patience import wait_until
from tests.sdk.breaking import breaking_line
from tests.sdk.gateway import RunningDesk

MINUTE_MS = 60_000


class OutOfStock(Exception):
    """The shop's own word for: nothing happened."""


class Shop:
    """What the tool does, and how often it did it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, customer: str, amount: str, note: str | None = None) -> dict[str, str]:
        """Send a coupon."""
        if note == "lost":
            raise TimeoutError("no answer from the printer")
        if note == "none left":
            raise OutOfStock("none left")
        self.sent.append((customer, amount))
        return {"coupon": f"K-{len(self.sent)}"}


@pytest.fixture
def shop() -> Shop:
    """A shop that has sent nothing yet."""
    return Shop()


Send = Callable[..., Any]


def guarded(shop: Shop, task: TaskClient, kind: str = "coupon.send", **terms: Any) -> Send:
    """The shop's tool under a kind of the desk."""
    tool: Send = guard(task, kind=kind, not_done=(OutOfStock,), **terms)(shop.send)
    return tool


def only(served: RunningDesk, state: str) -> None:
    """There is one action on the desk, in this state."""
    assert served.counts() == {state: 1}


def test_tool_runs_and_reports(served: RunningDesk, task: TaskClient, shop: Shop) -> None:
    """What may run runs here, with the amount as it was decided on, and the log has its result."""
    assert guarded(shop, task)("C-1001", "12.5 USD") == {"coupon": "K-1"}
    assert shop.sent == [("C-1001", "12.50 USD")]
    only(served, "SUCCEEDED")


def test_log_says_that_the_agent_ran_it(served: RunningDesk, task: TaskClient, shop: Shop) -> None:
    """Permit mode is weaker than the gateway's own hands, and the log names it."""
    guarded(shop, task, key=lambda _: "call-1")("C-1001", "1.00 USD")
    id = task.propose("coupon.send", customer="C-1001", amount="1.00 USD", key="call-1").id
    entries = [one["entry"] for one in served.detail(id)["entries"]]
    intended = [one for one in entries if "attempt" in one["data"] and "by" in one["data"]]
    assert [(one["tag"], one["data"]["by"]) for one in intended] == [("action.proposed", "agent")]


def test_held_call_raises_and_goes_on_after_the_approval(
    served: RunningDesk, task: TaskClient, shop: Shop
) -> None:
    """In this process or in another one, days later, by the action's id; and only once."""
    send = guarded(shop, task, "coupon.large")
    with pytest.raises(Held) as held:
        send("C-1001", "500.00 USD")
    assert "Held for a person" in held.value.says
    id = held.value.action.id
    with pytest.raises(Held):
        resume(send, id)
    served.review(id, "approve")
    assert shop.sent == []
    assert resume(send, id) == {"coupon": "K-1"}
    assert resume(send, id) == {"coupon": "K-1"}
    assert shop.sent == [("C-1001", "500.00 USD")]


def test_held_call_waits_and_then_runs(served: RunningDesk, task: TaskClient, shop: Shop) -> None:
    """With `wait` the call returns what the tool returned, as if nobody had been asked."""
    send = guarded(shop, task, "coupon.large", wait=30, key=lambda _: "call-1")
    results: list[object] = []
    calling = threading.Thread(target=lambda: results.append(send("C-1001", "500.00 USD")))
    calling.start()
    params = {"customer": "C-1001", "amount": "500.00 USD"}
    served.review(task.propose("coupon.large", params, key="call-1").id, "approve")
    calling.join()
    assert results == [{"coupon": "K-1"}]
    assert len(shop.sent) == 1


def test_rejected_call_never_runs(served: RunningDesk, task: TaskClient, shop: Shop) -> None:
    """The person's no reaches the agent with the person's words."""
    send = guarded(shop, task, "coupon.large")
    with pytest.raises(Held) as held:
        send("C-1001", "500.00 USD")
    served.review(held.value.action.id, "reject", "too much")
    with pytest.raises(Refused) as refused:
        resume(send, held.value.action.id)
    assert refused.value.action.says_reviewer == "too much"
    assert shop.sent == []


def test_refused_call_says_so(task: TaskClient, shop: Shop) -> None:
    """By an error, or as text for the model."""
    with pytest.raises(Refused) as refused:
        guarded(shop, task, "coupon.never")("C-1001", "1.00 USD")
    assert refused.value.action.control == "refuse"
    said = guarded(shop, task, "coupon.never", on_held="say")("C-1001", "1.00 USD")
    assert isinstance(said, str)
    assert said.startswith("Refused as hr_")
    said = guarded(shop, task, "coupon.large", on_held="say")("C-1001", "1.00 USD")
    assert said.startswith("Held for a person as hr_")
    assert shop.sent == []


def test_same_key_returns_the_first_result(
    served: RunningDesk, task: TaskClient, shop: Shop
) -> None:
    """The model's call, sent twice, runs once; other arguments under its key are a conflict."""
    send = guarded(shop, task, key=lambda _: "call-1")
    assert send("C-1001", "12.50 USD") == {"coupon": "K-1"}
    assert send("C-1001", "12.5 USD") == {"coupon": "K-1"}
    with pytest.raises(CallConflict, match="idempotency_conflict"):
        send("C-1001", "13.00 USD")
    assert len(shop.sent) == 1
    only(served, "SUCCEEDED")


def test_many_calls_with_one_key_run_once(
    served: RunningDesk, task: TaskClient, shop: Shop
) -> None:
    """Eight threads, one key: one of them runs, the others get its result."""
    send = guarded(shop, task, key=lambda _: "call-1", wait=30)
    results: list[object] = []
    start = threading.Barrier(8)

    def call() -> None:
        start.wait()
        results.append(send("C-1001", "12.50 USD"))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [{"coupon": "K-1"}] * 8
    assert len(shop.sent) == 1
    only(served, "SUCCEEDED")


def test_result_that_was_not_kept_is_not_made_up(task: TaskClient, shop: Shop) -> None:
    """The second call knows that it was done, and that its result is gone."""
    tool = guard(task, kind="coupon.send", key=lambda _: "call-1")(raw_bytes)
    assert tool("C-1001", "1.00 USD") == b"K-1"
    with pytest.raises(AlreadyRan, match="Done as hr_"):
        tool("C-1001", "1.00 USD")


def raw_bytes(customer: str, amount: str) -> bytes:
    """A tool whose result is not JSON."""
    return b"K-1"


@pytest.mark.parametrize(
    ("note", "error", "state", "then"),
    [("none left", OutOfStock, "FAILED", Ended), ("lost", TimeoutError, "UNKNOWN", InDoubt)],
)
def test_tools_own_error_is_raised_and_reported(
    served: RunningDesk,
    task: TaskClient,
    shop: Shop,
    note: str,
    error: type[Exception],
    state: str,
    then: type[Exception],
) -> None:
    """Certainly nothing happened, or nobody knows: in both cases it is not run again."""
    send = guarded(shop, task, key=lambda _: "call-1")
    with pytest.raises(error):
        send("C-1001", "1.00 USD", note)
    only(served, state)
    with pytest.raises(then):
        send("C-1001", "1.00 USD", note)
    assert shop.sent == []


def test_crash_between_run_and_report_becomes_unknown(
    served: RunningDesk, client: Handrail, task: TaskClient, shop: Shop
) -> None:
    """The process dies with the coupon sent: nobody sends it again, and a person is asked."""

    class Killed(BaseException):
        """The process is gone; nothing more is reported."""

    def dies(customer: str, amount: str) -> None:
        shop.send(customer, amount)
        raise Killed

    tool = guard(task, kind="coupon.send", key=lambda _: "call-1")(dies)
    with pytest.raises(Killed):
        tool("C-1001", "1.00 USD")
    only(served, "EXECUTING")
    with pytest.raises(InDoubt):
        tool("C-1001", "1.00 USD")
    served.clock.shift_ms += 11 * MINUTE_MS
    lost = task.propose("coupon.send", customer="C-1001", amount="1.00 USD", key="call-1").id
    wait_until(lambda: task.get(lost, wait=1).state == "UNKNOWN")
    with pytest.raises(InDoubt, match="not known yet"):
        tool("C-1001", "1.00 USD")
    assert len(shop.sent) == 1


def test_report_after_the_permits_time_is_too_late(
    served: RunningDesk, task: TaskClient, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """The tool took too long: its result is returned, and the action stays unknown."""

    def slow(customer: str, amount: str) -> str:
        served.clock.shift_ms += 11 * MINUTE_MS
        id = task.propose("coupon.send", customer="C-1001", amount="1.00 USD", key="call-1").id
        wait_until(lambda: task.get(id, wait=1).state == "UNKNOWN")
        return "sent"

    tool = guard(task, kind="coupon.send", key=lambda _: "call-1")(slow)
    assert tool("C-1001", "1.00 USD") == "sent"
    only(served, "UNKNOWN")
    assert "the report failed (permit_invalid" in caplog.text


def test_lost_report_is_sent_again_and_counts_once(served: RunningDesk, shop: Shop) -> None:
    """The tool ran once, its receipt arrived, only the answer to it was lost."""
    retry = Retry(tries=3, first_s=0.01, longest_s=0.02)
    with (
        breaking_line(served.url) as line,
        Handrail(line.url, api_key=served.api_key, retry=retry) as client,
    ):
        send = guarded(shop, client.task())
        line.lose_answers(1, after=1)
        assert send("C-1001", "1.00 USD") == {"coupon": "K-1"}
    assert len(shop.sent) == 1
    only(served, "SUCCEEDED")


def test_lost_permit_is_never_run(served: RunningDesk, shop: Shop) -> None:
    """The answer with the permit was lost: the tool does not run, and it is said so."""
    retry = Retry(tries=3, first_s=0.01, longest_s=0.02)
    with (
        breaking_line(served.url) as line,
        Handrail(line.url, api_key=served.api_key, retry=retry) as client,
    ):
        send = guarded(shop, client.task())
        line.lose_answers(1)
        with pytest.raises(InDoubt):
            send("C-1001", "1.00 USD")
    assert shop.sent == []
    only(served, "EXECUTING")


def test_delayed_call_runs_when_its_delay_is_over(
    served: RunningDesk, task: TaskClient, shop: Shop
) -> None:
    """`hold_and_recall`: held at first, then it is the agent's to run."""
    send = guarded(shop, task, "coupon.slow", wait=30)
    with pytest.raises(Held) as held:
        guarded(shop, task, "coupon.slow")("C-1001", "1.00 USD")
    served.clock.shift_ms += 6 * MINUTE_MS
    assert resume(send, held.value.action.id) == {"coupon": "K-1"}


def test_full_cap_holds_the_call(task: TaskClient, shop: Shop) -> None:
    """What no longer fits waits, and says so; it does not run meanwhile."""
    send = guarded(shop, task, "coupon.rare")
    send("C-1001", "1.00 USD")
    with pytest.raises(Held) as held:
        send("C-1001", "1.00 USD")
    assert held.value.action.state == "READY"
    assert len(shop.sent) == 1


def test_task_is_found_when_the_tool_is_called(client: Handrail, shop: Shop) -> None:
    """A tool is defined once; the task comes with each conversation."""
    current: ContextVar[TaskClient] = ContextVar("current")
    tool = guard(current.get, kind="coupon.send")(shop.send)
    current.set(client.task())
    tool("C-1001", "1.00 USD")
    current.set(client.task(lane="reader"))
    with pytest.raises(Refused, match="outside this task"):
        tool("C-1001", "1.00 USD")
    assert len(shop.sent) == 1


def test_coroutine_function_runs_in_its_loop(served: RunningDesk, shop: Shop) -> None:
    """The same in an event loop: run, duplicate, held, resumed, the tool's own error."""

    async def story(task: AsyncTaskClient) -> None:
        async def send(customer: str, amount: str, note: str | None = None) -> dict[str, str]:
            await asyncio.sleep(0)
            return shop.send(customer, amount, note)

        tool = guard(task, kind="coupon.send", key=lambda params: f"k:{params['customer']}")(send)
        assert await tool("C-1001", "1.00 USD") == {"coupon": "K-1"}
        assert await tool("C-1001", "1.00 USD") == {"coupon": "K-1"}
        large = guard(task, kind="coupon.large")(send)
        with pytest.raises(Held) as held:
            await large("C-1001", "500.00 USD")
        await asyncio.to_thread(served.review, held.value.action.id, "approve")
        assert await resume(large, held.value.action.id) == {"coupon": "K-2"}
        with pytest.raises(TimeoutError):
            await tool("C-1002", "1.00 USD", "lost")
        never = guard(task, kind="coupon.never", on_held="say")(send)
        assert "Refused as hr_" in await never("C-1001", "1.00 USD")

    async def main() -> None:
        async with AsyncHandrail(served.url, api_key=served.api_key) as client:
            await story(await client.task())

    asyncio.run(main())
    assert len(shop.sent) == 2
    assert served.counts() == {"SUCCEEDED": 2, "UNKNOWN": 1, "REFUSED": 1}


def test_cancelled_call_is_not_run_again(served: RunningDesk, shop: Shop) -> None:
    """Cancelled in the middle of its run: like a crash, and nothing is repeated."""

    async def main() -> None:
        begun = asyncio.Event()

        async def send(customer: str, amount: str) -> None:
            shop.send(customer, amount)
            begun.set()
            await asyncio.Event().wait()

        async with AsyncHandrail(served.url, api_key=served.api_key) as client:
            task = await client.task()
            tool = guard(task, kind="coupon.send", key=lambda _: "call-1")(send)
            running = asyncio.create_task(tool("C-1001", "1.00 USD"))
            await begun.wait()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            with pytest.raises(InDoubt):
                await tool("C-1001", "1.00 USD")

    asyncio.run(main())
    assert len(shop.sent) == 1
    only(served, "EXECUTING")
