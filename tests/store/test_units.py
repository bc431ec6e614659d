"""Units of work: all of one or nothing of it, and nobody is told before it is durable."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from handrail.errors import InvalidInput, Unavailable
from handrail.store.protocol import DESK_SUBJECT, Store, Tx
from tests.store.databases import NOW, Clock, Database
from tests.store.samples import DESK, add_entries, entry_of, person_of, proposal_of

LATER = 60_000


class _Spoilt(Exception):
    """What a unit raises in the middle of its work."""


def _everything(tx: Tx) -> str:
    """A unit that touches every part of a transaction."""
    tx.people.add(person_of())
    tx.proposals.add(proposal_of())
    tx.counters.add(DESK, "seen", 3)
    ref = tx.vault.ref_of(DESK, "C-1", tx.now)
    tx.vault.put(DESK, "hr_1", "content", subject=ref, data=b"hello")
    tx.log.append(entry_of(1))
    tx.log.append(entry_of(2, desk="other"))
    return ref


def _left(store: Store) -> tuple[object, ...]:
    """What is left of `_everything`."""
    return store.read(
        lambda tx: (
            tx.people.get(DESK, "ann"),
            tx.proposals.get(DESK, "hr_1"),
            tx.counters.of(DESK),
            tx.vault.find_ref(DESK, "C-1"),
            tx.vault.get(DESK, "hr_1", "content"),
            tx.log.size(DESK),
            tx.log.size("other"),
            tx.log.entry(DESK, 0),
        )
    )


NOTHING: tuple[object, ...] = (None, None, {}, None, None, 0, 0, None)


def test_a_unit_is_dated_by_its_own_moment(store: Store, clock: Clock) -> None:
    """G1: what joins a transaction late is not dated back to its beginning."""

    def passing(tx: Tx) -> int:
        clock.now += LATER
        return tx.now

    tickets = [store.submit(unit) for unit in (passing, lambda tx: tx.now)]
    assert [ticket.result() for ticket in tickets] == [NOW, NOW + LATER]
    clock.now = NOW
    assert store.write(lambda tx: tx.now) == NOW


def test_a_unit_is_durable_when_it_returns(database: Database) -> None:
    """What a unit wrote and returned is there after the store was closed and opened again."""
    first = database.open()
    ref = first.write(_everything)
    before = _left(first)
    first.close()
    second = database.open()
    assert _left(second) == before
    assert before[3] == ref
    assert before[4] == b"hello"
    second.close()


def test_a_unit_that_raises_leaves_nothing(store: Store) -> None:
    """Rows, counters, sealed content and log entries of a failed unit are all gone."""

    def unit(tx: Tx) -> None:
        _everything(tx)
        raise _Spoilt

    with pytest.raises(_Spoilt):
        store.write(unit)
    assert _left(store) == NOTHING
    store.write(_everything)
    assert store.read(lambda tx: tx.log.size(DESK)) == 1


def test_a_unit_that_raises_rolls_back_alone(store: Store) -> None:
    """The units before and after it in the same commit stay, and the log has no hole."""

    def spoilt(tx: Tx) -> None:
        tx.log.append(entry_of(99))
        tx.log.append(entry_of(98))
        tx.counters.add(DESK, "units", 100)
        raise _Spoilt

    def good(n: int) -> Callable[[Tx], None]:
        def unit(tx: Tx) -> None:
            tx.counters.add(DESK, "units")
            tx.log.append(entry_of(n))

        return unit

    tickets = [store.submit(spoilt if n % 3 == 1 else good(n)) for n in range(9)]
    for n, ticket in enumerate(tickets):
        if n % 3 == 1:
            with pytest.raises(_Spoilt):
                ticket.result()
        else:
            ticket.result()
    numbers = store.read(
        lambda tx: [one.entry.data["n"] for one in tx.log.latest(DESK, before=99, most=99)[::-1]]
    )
    assert numbers == [0, 2, 3, 5, 6, 8]
    assert store.read(lambda tx: tx.counters.of(DESK)) == {"units": 6}


def test_a_customer_met_in_a_failed_unit_is_met_again(store: Store) -> None:
    """The reference that a failed unit made is forgotten: the next one works and is stored."""

    def failing(tx: Tx) -> None:
        tx.vault.ref_of(DESK, "C-1", tx.now)
        tx.vault.ref_of(DESK, "C-1", tx.now)
        raise _Spoilt

    def working(tx: Tx) -> str:
        ref = tx.vault.ref_of(DESK, "C-1", tx.now)
        tx.vault.put(DESK, "hr_1", "content", subject=ref, data=b"hello")
        return ref

    bad, bystander = store.submit(failing), store.submit(lambda tx: tx.log.append(entry_of(0)))
    with pytest.raises(_Spoilt):
        bad.result()
    bystander.result()
    ref = store.write(working)
    assert store.read(lambda tx: tx.vault.find_ref(DESK, "C-1")) == ref
    assert store.read(lambda tx: tx.vault.get(DESK, "hr_1", "content")) == b"hello"


def test_an_error_of_the_database_is_the_unit_s_own(store: Store) -> None:
    """A second row with the same key fails as `store_failed`, and its unit alone."""
    store.write(lambda tx: tx.people.add(person_of()))

    def again(tx: Tx) -> None:
        tx.log.append(entry_of(5))
        tx.people.add(person_of())

    twice = store.submit(again)
    other = store.submit(lambda tx: tx.log.append(entry_of(6)))
    with pytest.raises(Unavailable) as refusal:
        twice.result()
    assert refusal.value.code == "store_failed"
    other.result()
    assert [n for n, *_ in store.read(lambda tx: list(tx.log.scan(DESK)))] == [0]


def test_a_ticket_answers_the_same_every_time(store: Store) -> None:
    """Asking again neither runs the unit again nor changes the answer, from any thread."""
    runs: list[int] = []

    def unit(tx: Tx) -> str:
        runs.append(1)
        return "done"

    ticket = store.submit(unit)
    assert [ticket.result(), ticket.result()] == ["done", "done"]
    heard: list[str] = []
    listener = threading.Thread(target=lambda: heard.append(ticket.result()))
    listener.start()
    listener.join()
    assert (heard, runs) == (["done"], [1])


def test_a_failed_ticket_raises_every_time(store: Store) -> None:
    """The same error, each time it is asked."""

    def unit(tx: Tx) -> None:
        raise InvalidInput("too_large", "no")

    ticket = store.submit(unit)
    for _ in range(2):
        with pytest.raises(InvalidInput):
            ticket.result()


def test_units_run_in_the_order_of_submission(store: Store) -> None:
    """A later unit sees what an earlier one did, also when they share a commit."""

    def adding(n: int) -> Callable[[Tx], int]:
        def unit(tx: Tx) -> int:
            tx.proposals.add(proposal_of(f"hr_{n}"))
            return tx.proposals.count(DESK)

        return unit

    tickets = [store.submit(adding(n)) for n in range(40)]
    assert [ticket.result() for ticket in reversed(tickets)] == list(range(40, 0, -1))


def test_now_is_the_store_s_clock(store: Store, clock: Clock) -> None:
    """Units and reads are told the time by the store, not by their callers."""
    assert store.write(lambda tx: tx.now) == store.read(lambda tx: tx.now) == NOW
    clock.now += LATER
    assert store.write(lambda tx: tx.now) == store.read(lambda tx: tx.now) == NOW + LATER


def test_a_read_sees_one_moment(store: Store) -> None:
    """What is committed while a read is running is not seen by it, but by the next one."""

    def look(tx: Tx) -> tuple[int, int]:
        before = tx.log.size(DESK)
        writer = threading.Thread(target=lambda: add_entries(store, 5))
        writer.start()
        writer.join()
        return before, len(list(tx.log.scan(DESK)))

    add_entries(store, 3)
    assert store.read(look) == (3, 3)
    assert store.read(lambda tx: tx.log.size(DESK)) == 8


def test_a_read_cannot_write(store: Store) -> None:
    """A read that tries is refused, and nothing changes."""
    with pytest.raises(Unavailable):
        store.read(lambda tx: tx.people.add(person_of()))
    assert store.read(lambda tx: tx.people.get(DESK, "ann")) is None
    store.write(lambda tx: tx.people.add(person_of()))


def test_a_read_that_raises_raises(store: Store) -> None:
    """The error passes through, and the same thread can read on."""

    def look(tx: Tx) -> None:
        raise _Spoilt

    with pytest.raises(_Spoilt):
        store.read(look)
    assert store.read(lambda tx: tx.log.size(DESK)) == 0


def test_closing_commits_what_waits(database: Database) -> None:
    """A unit that was submitted before the end is durable, and its ticket answers."""
    store = database.open()
    ticket = store.submit(lambda tx: tx.log.append(entry_of(1)))
    store.close()
    ticket.result()
    again = database.open()
    assert again.read(lambda tx: tx.log.size(DESK)) == 1
    again.close()


def test_a_closed_store_says_so(database: Database) -> None:
    """Every later call raises `store_closed`; closing again is fine."""
    store = database.open()
    store.close()
    store.close()
    calls: list[Callable[[], object]] = [
        lambda: store.write(lambda tx: None),
        lambda: store.submit(lambda tx: None),
        lambda: store.read(lambda tx: None),
    ]
    for call in calls:
        with pytest.raises(Unavailable) as refusal:
            call()
        assert refusal.value.code == "store_closed"


def test_closing_while_many_write(database: Database) -> None:
    """Each of the writers either is durable or hears `store_closed`; nothing is in between."""
    store = database.open()
    started = threading.Barrier(5)
    done: list[int] = []
    refused: list[str] = []

    def work(name: int) -> None:
        started.wait()
        for n in range(200):
            try:
                store.write(lambda tx: tx.log.append(entry_of(name)))
            except Unavailable as refusal:
                refused.append(refusal.code)
                return
            done.append(n)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    started.wait()
    store.close()
    for thread in threads:
        thread.join()
    assert set(refused) <= {"store_closed"}
    again = database.open()
    assert again.read(lambda tx: tx.log.size(DESK)) == len(done)
    again.close()


def test_each_opening_has_a_higher_fence(database: Database) -> None:
    """The fence only ever grows, so that an attempt of an earlier process is known as such."""
    fences = []
    for _ in range(4):
        store = database.open()
        fences.append(store.fence)
        store.close()
    assert fences == sorted(set(fences))


def test_an_interrupted_unit_harms_nobody(store: Store) -> None:
    """Ctrl-C inside one unit: the others of its commit hear `Unavailable`, and work goes on."""

    def interrupted(tx: Tx) -> None:
        tx.log.append(entry_of(1))
        raise KeyboardInterrupt

    first = store.submit(lambda tx: tx.log.append(entry_of(0)))
    second = store.submit(interrupted)
    with pytest.raises(KeyboardInterrupt):
        second.result()
    with pytest.raises(Unavailable):
        first.result()
    store.write(lambda tx: tx.log.append(entry_of(2)))
    assert store.read(lambda tx: tx.log.size(DESK)) == 1
    assert DESK_SUBJECT == ""
