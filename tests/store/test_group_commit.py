"""Many callers, one commit: threads, event loops and both at once."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable

import pytest

from handrail.errors import Unavailable
from handrail.store import writer
from handrail.store.postgres import PostgresStore
from handrail.store.protocol import Store, Tx
from handrail.store.sqlite import SqliteStore
from tests.store.databases import Database
from tests.store.samples import DESK, entry_of, proposal_of

THREADS = 8
EACH = 40
TASKS = 64
_MARKS = itertools.count()
AWAITS = 5


def _append(name: int) -> Callable[[Tx], int]:
    """A unit that appends one entry and counts it; it returns a number that is its own."""
    mark = next(_MARKS)

    def unit(tx: Tx) -> int:
        tx.counters.add(DESK, f"of {name}")
        tx.log.append(entry_of(name))
        return mark

    return unit


def _in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run `work` in so many threads that start together; raises what any of them raised."""
    together = threading.Barrier(count)
    trouble: list[BaseException] = []

    def run(name: int) -> None:
        together.wait()
        try:
            work(name)
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if trouble:
        raise trouble[0]


def _check(store: Store, marks: list[int], expected: dict[str, int]) -> None:
    """Every unit ran once, each caller got its own answer, and the log has no hole."""
    assert len(set(marks)) == len(marks) == sum(expected.values())
    assert store.read(lambda tx: tx.counters.of(DESK)) == expected
    assert store.read(lambda tx: tx.log.size(DESK)) == len(marks)
    scanned = store.read(lambda tx: [row[0] for row in tx.log.scan(DESK)])
    assert scanned == list(range(len(marks)))


def test_eight_threads(store: Store) -> None:
    """Every call of every thread is run exactly once and answered with its own answer."""
    marks: list[int] = []

    def work(name: int) -> None:
        for _ in range(EACH):
            marks.append(store.write(_append(name)))

    _in_threads(THREADS, work)
    _check(store, marks, {f"of {name}": EACH for name in range(THREADS)})


def test_sixty_four_tasks(store: Store) -> None:
    """The same for tasks of one event loop."""
    marks: list[int] = []

    async def work(name: int) -> None:
        for _ in range(AWAITS):
            marks.append(await store.submit(_append(name)))

    async def main() -> None:
        await asyncio.gather(*(work(name) for name in range(TASKS)))

    asyncio.run(main())
    _check(store, marks, {f"of {name}": AWAITS for name in range(TASKS)})


def test_callers_that_come_one_a_turn_share_a_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While each turn of the loop brings another unit, none of them is committed alone."""
    monkeypatch.setattr(writer, "GATHER_S_MAX", 600.0)

    async def main() -> None:
        waiting = []
        for name in range(TASKS):
            waiting.append(asyncio.ensure_future(_awaited(store.submit(_append(name)))))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)

    assert isinstance(store, SqliteStore | PostgresStore)
    before = store.commits
    asyncio.run(main())
    assert store.commits - before < TASKS / 4
    assert store.read(lambda tx: tx.log.size(DESK)) == TASKS


def test_threads_and_two_loops_together(store: Store) -> None:
    """Threads that wait and two event loops that await share the same commits."""
    marks: list[int] = []

    async def task(name: int) -> None:
        for _ in range(AWAITS):
            marks.append(await store.submit(_append(name)))

    async def loop(name: int) -> None:
        await asyncio.gather(*(task(name) for _ in range(16)))

    def work(name: int) -> None:
        if name < 2:
            asyncio.run(loop(name))
            return
        for _ in range(EACH):
            marks.append(store.write(_append(name)))

    _in_threads(6, work)
    expected = {f"of {name}": 16 * AWAITS if name < 2 else EACH for name in range(6)}
    _check(store, marks, expected)


def test_a_failure_stays_with_its_caller(store: Store) -> None:
    """Under load, each of many callers gets its own error or its own answer, never another's."""

    def work(name: int) -> None:
        for n in range(EACH):
            if (n + name) % 3:
                store.write(_append(name))
                continue
            with pytest.raises(LookupError, match=f"^'{name}/{n}'$"):
                store.write(_failing(f"{name}/{n}"))

    _in_threads(THREADS, work)
    size = store.read(lambda tx: tx.log.size(DESK))
    assert size == sum(1 for name in range(THREADS) for n in range(EACH) if (n + name) % 3)


def _failing(text: str) -> Callable[[Tx], None]:
    def unit(tx: Tx) -> None:
        tx.log.append(entry_of(-1))
        raise KeyError(text)

    return unit


def test_what_waits_together_is_committed_together(database: Database) -> None:
    """Units that were queued before anybody waited for one of them cost one commit."""
    store = database.open()
    assert isinstance(store, SqliteStore | PostgresStore)
    before = store.commits
    tickets = [store.submit(_append(n)) for n in range(8)]
    tickets[3].result()
    assert store.commits == before + 1
    assert all(ticket.done for ticket in tickets)
    store.close()


def _counted(runs: list[str], name: str, fail: str = "") -> Callable[[Tx], str]:
    """A unit that notes each of its runs, and fails before or after it has written."""

    def unit(tx: Tx) -> str:
        runs.append(name)
        if fail == "early":
            raise KeyError(name)
        tx.proposals.add(proposal_of(f"hr_{name}"))
        tx.log.append(entry_of(0))
        tx.counters.add(DESK, name)
        if fail == "late":
            raise KeyError(name)
        return name

    return unit


@pytest.mark.parametrize(
    ("fail", "runs"), [("early", ["a", "b", "c"]), ("late", ["a", "b", "a", "b", "c"])]
)
def test_a_torn_batch_is_run_again(store: Store, fail: str, runs: list[str]) -> None:
    """A unit that fails late makes its batch run once more; each caller still gets its own answer.

    One that fails before it has written is left out, and nothing is run twice.
    """
    ran: list[str] = []
    tickets = [
        store.submit(_counted(ran, name, fail if name == "b" else "")) for name in ("a", "b", "c")
    ]
    assert tickets[0].result() == "a"
    with pytest.raises(KeyError, match="b"):
        tickets[1].result()
    assert tickets[2].result() == "c"
    assert ran == runs
    assert store.read(lambda tx: tx.counters.of(DESK)) == {"a": 1, "c": 1}
    assert store.read(lambda tx: tx.log.size(DESK)) == 2


def test_a_loop_that_ends_early_blocks_nobody(store: Store) -> None:
    """A loop that is closed before its commit ran leaves later loops working."""

    left: list[asyncio.Future[object]] = []

    async def leave() -> None:
        # The task gets as far as waiting in the loop's very last turn.
        left.append(asyncio.ensure_future(_awaited(store.submit(_append(0)))))

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    loop.run_until_complete(leave())
    loop.close()

    async def main() -> int:
        return await store.submit(_append(1))

    asyncio.run(main())
    assert store.read(lambda tx: tx.counters.of(DESK)) == {"of 0": 1, "of 1": 1}


async def _awaited(ticket: object) -> object:
    return await ticket  # type: ignore[misc]


def test_two_tasks_can_await_one_ticket(store: Store) -> None:
    """Both get the answer, and so does who asks later."""

    async def main() -> list[object]:
        ticket = store.submit(_append(0))
        both = await asyncio.gather(_awaited(ticket), _awaited(ticket))
        return [*both, await ticket, ticket.result()]

    answers = asyncio.run(main())
    assert (len(answers), len(set(answers))) == (4, 1)


def test_a_task_that_is_cancelled_loses_only_the_answer(store: Store) -> None:
    """Its unit was submitted, and is durable like any other."""

    async def main() -> None:
        waiting = asyncio.ensure_future(_awaited(store.submit(_append(0))))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await store.submit(_append(1))

    asyncio.run(main())
    assert store.read(lambda tx: tx.counters.of(DESK)) == {"of 0": 1, "of 1": 1}


def test_awaiting_raises_what_the_unit_raised(store: Store) -> None:
    """An error reaches the task that awaits, and the others of its commit go on."""

    async def main() -> tuple[object, ...]:
        return tuple(
            await asyncio.gather(
                *(_awaited(store.submit(unit)) for unit in (_append(0), _failing("x"), _append(1))),
                return_exceptions=True,
            )
        )

    first, failed, last = asyncio.run(main())
    assert (type(first), type(last)) == (int, int)
    assert first != last
    assert isinstance(failed, KeyError)


def test_readers_never_see_half_a_unit(store: Store) -> None:
    """While two entries and a counter move together, no read finds them apart."""
    stop = threading.Event()
    torn: list[tuple[int, int]] = []

    def pair(tx: Tx) -> None:
        tx.log.append(entry_of(1))
        tx.log.append(entry_of(2))
        tx.counters.add(DESK, "pairs")

    def work(name: int) -> None:
        if name == 0:
            try:
                for _ in range(120):
                    store.write(pair)
            finally:
                stop.set()
            return
        while not stop.is_set():
            size, pairs = store.read(
                lambda tx: (tx.log.size(DESK), tx.counters.of(DESK).get("pairs", 0))
            )
            if size != 2 * pairs:
                torn.append((size, pairs))

    _in_threads(4, work)
    assert torn == []


def test_closing_waits_for_reads(database: Database) -> None:
    """Closing while others read raises in none of them but `store_closed`, and lets go of all."""
    store = database.open()
    store.write(_append(0))
    reading = threading.Event()
    codes: list[str] = []

    def work(name: int) -> None:
        if name == 0:
            reading.wait()
            store.close()
            return
        try:
            while True:
                store.read(lambda tx: tx.log.latest(DESK, before=9, most=9))
                reading.set()
        except Unavailable as refusal:
            codes.append(refusal.code)

    _in_threads(4, work)
    assert codes == ["store_closed"] * 3
    again = database.open()
    again.close()
