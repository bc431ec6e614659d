"""Several gateways on one PostgreSQL: what each must notice of the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec
import pytest

from handrail.core.caps import CapRule, Charge, Scope, WhenFull
from handrail.core.lifecycle import State
from handrail.errors import Unavailable
from handrail.store.postgres import PostgresStore
from handrail.store.postgres.clock import ServerClock
from handrail.store.protocol import DeskRow, Store, Tx
from tests.store.databases import NOW, Clock, PostgresDatabase, new_keys
from tests.store.gateways import (
    BEAT_S,
    WAIT_S_MAX,
    Pair,
    check_log,
    end_lease,
    lease_left_s,
    set_lease,
    side_by_side,
    silence,
    until_true,
    wait_for_beats,
)
from tests.store.samples import DESK, add_entries, entry_of, proposal_in, proposal_of, task_of


def test_one_log_of_two_gateways(pair: Pair) -> None:
    """However their commits mix, indexes have no gap and no entry is lost or doubled."""

    def work(store: Store, start: int) -> Callable[[], None]:
        def write() -> None:
            for n in range(start, start + 60):
                store.write(lambda tx: tx.log.append(entry_of(n)))  # noqa: B023

        return write

    works = [work(pair[n % 2], n * 1000) for n in range(6)]
    side_by_side(*works)
    check_log(pair[0], 360)


def test_a_late_commit_is_not_lost(pair: Pair) -> None:
    """A transaction that began first and ends last is simply later in the log."""
    slow, quick = pair
    begun, go_on = threading.Event(), threading.Event()

    def dawdling(tx: Tx) -> None:
        tx.log.append(entry_of(1))
        tx.proposals.add(proposal_of())
        begun.set()
        assert go_on.wait(WAIT_S_MAX)

    def overtake() -> None:
        assert begun.wait(WAIT_S_MAX)
        add_entries(quick, 3, start=10)
        go_on.set()

    side_by_side(lambda: slow.write(dawdling), overtake)
    check_log(quick, 4)
    logged = quick.read(lambda tx: tx.log.latest(DESK, before=9, most=9))
    numbers = [one.entry.data["n"] for one in logged]
    assert numbers == [1, 12, 11, 10]


def test_entries_of_the_own_transaction_are_seen(pair: Pair) -> None:
    """A unit finds what it, and the units before it in the commit, have said of an action."""

    def say(n: int) -> Callable[[Tx], list[object]]:
        def unit(tx: Tx) -> list[object]:
            tx.log.append(entry_of(n, proposal="hr_1"))
            return [one.entry.data["n"] for one in tx.log.of_proposal(DESK, "hr_1")]

        return unit

    pair[1].write(say(0))
    tickets = [pair[0].submit(say(n)) for n in (1, 2)]
    assert [ticket.result() for ticket in tickets] == [[0, 1], [0, 1, 2]]


RULE: Final = CapRule(
    name="money", scope=Scope.DESK, limit=50, window_ms=60_000, when_full=WhenFull.REFUSE
)


def test_no_cap_is_overshot_by_two_gateways(pair: Pair) -> None:
    """G1, G2, G6: each thread of each gateway takes what it can; together exactly the limit."""
    names = ("money", "other")
    charges = tuple(
        Charge(rule=msgspec.structs.replace(RULE, name=name), scope_key="", amount=1)
        for name in names
    )
    admitted: list[str] = []

    def work(store: Store, thread: int) -> Callable[[], None]:
        def take() -> None:
            for n in range(20):
                id = f"hr_{thread}_{n}"
                full = store.write(lambda tx: tx.caps.reserve(DESK, id, charges, NOW))  # noqa: B023
                if full is None:
                    admitted.append(id)

        return take

    side_by_side(*(work(pair[n % 2], n) for n in range(6)))
    assert len(admitted) == 50
    rules = tuple(charge.rule for charge in charges)
    for store in pair:
        assert [use.used for use in store.read(lambda tx: tx.caps.uses(DESK, rules, NOW))] == [
            50,
            50,
        ]


def test_two_that_wait_for_each_other_both_get_through(pair: Pair) -> None:
    """K3: a deadlock runs the transaction again, and its units are counted once."""
    for id in ("hr_1", "hr_2"):
        proposal_in(pair[0], State.READY, id)
    first_locked = [threading.Event(), threading.Event()]
    runs: list[int] = []

    def crossing(own: int) -> Callable[[Tx], None]:
        order = ("hr_1", "hr_2") if own == 0 else ("hr_2", "hr_1")

        def unit(tx: Tx) -> None:
            runs.append(own)
            for place, id in enumerate(order):
                row = tx.proposals.get(DESK, id)
                assert row is not None
                moved = msgspec.structs.replace(row, version=row.version + 1)
                assert tx.proposals.replace(row, moved)
                if place == 0:
                    first_locked[own].set()
                    assert first_locked[1 - own].wait(WAIT_S_MAX)
            tx.counters.add(DESK, "crossed")

        return unit

    side_by_side(lambda: pair[0].write(crossing(0)), lambda: pair[1].write(crossing(1)))
    assert len(runs) > 2
    before = proposal_of().version
    rows = pair[0].read(lambda tx: [tx.proposals.get(DESK, id) for id in ("hr_1", "hr_2")])
    assert [row.version - before for row in rows if row is not None] == [2, 2]
    assert pair[0].read(lambda tx: tx.counters.of(DESK)) == {"crossed": 2}


def test_the_second_of_two_equal_keys_finds_the_first(pair: Pair) -> None:
    """E1: who loses the race for an idempotency key is given what the winner wrote."""
    looked = threading.Barrier(2)

    def proposing(id: str) -> Callable[[Tx], str]:
        tries: list[str] = []

        def unit(tx: Tx) -> str:
            known = tx.proposals.by_key(DESK, "bot", "k")
            if known is not None:
                return known.id
            if not tries:
                tries.append(id)
                looked.wait(WAIT_S_MAX)
            tx.proposals.add(proposal_of(id, key="k"))
            tx.log.append(entry_of(1, proposal=id))
            return id

        return unit

    answers: list[str] = []
    side_by_side(
        lambda: answers.append(pair[0].write(proposing("hr_a"))),
        lambda: answers.append(pair[1].write(proposing("hr_b"))),
    )
    assert len(answers) == 2
    assert len(set(answers)) == 1
    assert pair[0].read(lambda tx: tx.proposals.count(DESK)) == 1
    check_log(pair[0], 1)


def test_who_would_rather_not_wait_finds_nothing(pair: Pair) -> None:
    """H5: of two workers at one action, the second does not even see it as free."""
    proposal_in(pair[0], State.READY)
    found: list[object] = []

    def holding(tx: Tx) -> None:
        assert tx.proposals.get_free(DESK, "hr_1") is not None
        found.append(pair[1].write(lambda tx: tx.proposals.get_free(DESK, "hr_1")))
        found.append(pair[1].write(lambda tx: tx.proposals.look(DESK, "hr_1")) is not None)

    pair[0].write(holding)
    assert found == [None, True]
    assert pair[1].write(lambda tx: tx.proposals.get_free(DESK, "hr_1")) is not None


def test_a_silent_gateway_is_given_up_for_good(pair: Pair) -> None:
    """H6, K2: nobody acts under its fence again; when it wakes, it goes on under another."""
    zombie, other = pair
    old = zombie.fence
    assert zombie.holds(old)
    assert not other.is_gone(old)
    silence(zombie)
    end_lease(zombie)
    until_true(lambda: other.is_gone(old))
    assert not zombie.holds(old)
    seen = zombie.write(lambda tx: zombie.fence)
    assert seen > max(old, other.fence)
    assert zombie.holds(seen)
    assert not zombie.holds(old)
    assert other.is_gone(old)
    assert not other.is_gone(seen)
    assert not other.holds(seen)


def test_who_is_just_writing_is_not_given_up(pair: Pair) -> None:
    """A lease that ends in the middle of a transaction ends after it."""
    slow, other = pair
    fence = slow.fence
    silence(slow)

    def dawdling(tx: Tx) -> bool:
        end_lease(slow)
        wait_for_beats(other)
        return other.is_gone(fence)

    assert slow.write(dawdling) is False
    until_true(lambda: other.is_gone(fence))


def test_a_lease_is_renewed(pair: Pair) -> None:
    """A gateway that lives is not given up: each beat begins its lease anew."""
    fence, member = pair[0].fence, pair[0]._membership
    assert member is not None
    member._ours_until = 0.0
    set_lease(pair[0], fence, 60)
    until_true(lambda: lease_left_s(pair[0], fence) > 60)
    until_true(lambda: pair[0].holds(fence))


def test_a_lease_ends_by_itself(postgres: PostgresDatabase, pair: Pair) -> None:
    """H6: once no beat has come for so long, for the others and for itself."""
    brief = postgres.open(lease_ms=300, beat_s=BEAT_S)
    silence(brief)
    fence = brief.fence
    until_true(lambda: not brief.holds(fence))
    until_true(lambda: pair[0].is_gone(fence))
    brief.close()


def test_who_closes_is_gone_at_once(pair: Pair) -> None:
    """What it had claimed need not wait for its lease."""
    fence = pair[0].fence
    pair[0].close()
    until_true(lambda: pair[1].is_gone(fence))


def test_a_customer_erased_elsewhere_is_erased_here(pair: Pair) -> None:
    """A key at hand does not outlive the erasure on another gateway; nor does the reference."""
    here, there = pair

    def put(tx: Tx) -> str:
        ref = tx.vault.ref_of(DESK, "C-1", tx.now)
        tx.vault.put(DESK, "hr_1", "content", subject=ref, data=b"hello")
        return ref

    ref = here.write(put)
    assert here.read(lambda tx: tx.vault.get(DESK, "hr_1", "content")) == b"hello"
    assert there.write(lambda tx: tx.vault.erase(DESK, ref, tx.now)) is True
    with pytest.raises(Unavailable) as refusal:
        here.read(lambda tx: tx.vault.get(DESK, "hr_1", "content"))
    assert refusal.value.code == "content_erased"
    assert here.write(lambda tx: tx.vault.can_seal(DESK, ref)) is False
    assert here.write(lambda tx: tx.vault.ref_of(DESK, "C-1", tx.now)) != ref


def test_a_read_from_before_the_erasure_keeps_no_key(pair: Pair) -> None:
    """A snapshot may still open it; what it has learned is forgotten with it."""
    here, there = pair
    ref = there.write(lambda tx: tx.vault.ref_of(DESK, "C-1", tx.now))

    def put(tx: Tx) -> None:
        tx.vault.put(DESK, "hr_1", "content", subject=ref, data=b"hello")

    there.write(put)

    def look(tx: Tx) -> bytes | None:
        tx.log.size(DESK)
        there.write(lambda tx: tx.vault.erase(DESK, ref, tx.now))
        here.write(lambda tx: None)
        return tx.vault.get(DESK, "hr_1", "content")

    assert here.read(look) == b"hello"
    assert here.write(lambda tx: tx.vault.can_seal(DESK, ref)) is False


def test_what_is_active_is_known_in_the_next_unit(pair: Pair) -> None:
    """A policy that another gateway has activated stands in every transaction from then on."""
    here, there = pair
    there.write(lambda tx: tx.desks.add(DeskRow(id=DESK, name="Main", created_at=NOW, policy="p1")))
    assert here.write(lambda tx: dict(tx.active)) == {DESK: "p1"}


def test_a_task_ended_elsewhere_is_no_longer_remembered(pair: Pair) -> None:
    """What this process remembers of tasks is forgotten at its next transaction."""
    here, there = pair
    before = here.revocations
    there.write(lambda tx: tx.tasks.revoke(DESK, "tk_1", NOW))
    assert here.write(lambda tx: None) is None
    assert here.revocations == before
    there.write(lambda tx: tx.tasks.add(task_of()))
    there.write(lambda tx: tx.tasks.revoke(DESK, "tk_1", NOW))
    here.write(lambda tx: None)
    assert here.revocations > before


def test_what_moves_is_heard_elsewhere(pair: Pair) -> None:
    """By id: what begins to wait for a person, and what moves that somebody may be waiting for."""
    heard: list[str] = []
    pair[1].listen(heard.append)
    proposal_in(pair[0], State.READY, "hr_7")
    stands = proposal_in(pair[0], State.PENDING, "hr_8")
    until_true(lambda: "hr_8" in heard)
    heard.clear()
    moved = proposal_of("hr_8", state=State.READY, version=stands.version + 1)
    assert pair[0].write(lambda tx: tx.proposals.replace(stands, moved))
    until_true(lambda: "hr_8" in heard)
    assert set(heard) <= {"hr_7", "hr_8"}


def test_the_clock_is_the_database_s(postgres: PostgresDatabase) -> None:
    """F6: every gateway goes by one clock, whatever its own machine says."""
    store = PostgresStore(
        postgres.address, keys=new_keys(), checkpoints=postgres.folder / "checkpoints"
    )
    for _ in range(3):
        before = _clock_of(postgres)
        now = store.write(lambda tx: tx.now)
        assert before - 50 <= now <= _clock_of(postgres) + 1 + store.early_ms()
    store.close()


def _clock_of(postgres: PostgresDatabase) -> int:
    """The database's clock, in whole milliseconds UTC that are over."""
    ((now,),) = postgres.rows("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    assert isinstance(now, int)
    return now


def test_the_guess_of_the_clock_says_how_far_it_may_be_off() -> None:
    """G1, F6: nobody's window ends before it has ended by the database's own clock."""
    clock = ServerClock()
    clock.ask()
    time.sleep(0.03)
    clock.is_now(NOW)
    assert clock.now() >= NOW + 30
    assert clock.early_ms >= 31
    for _ in range(20):
        clock.ask()
        clock.is_now(NOW)
    assert 1 <= clock.early_ms < 30


def test_a_window_ends_by_the_slowest_guess(postgres: PostgresDatabase, clock: Clock) -> None:
    """G1: what the clock's guess may be ahead by is waited for; by a given clock, nothing."""
    store = postgres.open(clock=clock)
    rule = CapRule(name="usd", scope=Scope.DESK, limit=1, window_ms=100, currency="USD")

    def taking(id: str, early_ms: int) -> Callable[[Tx], bool]:
        def unit(tx: Tx) -> bool:
            assert tx.caps.early_ms == 0
            tx.caps.early_ms = early_ms
            charge = Charge(rule=rule, scope_key="", amount=1)
            return tx.caps.reserve(DESK, id, (charge,), tx.now) is None

        return unit

    assert store.write(taking("hr_1", 0))
    store.write(lambda tx: tx.caps.post(DESK, "hr_1", tx.now))
    clock.now += 100
    assert not store.write(taking("hr_2", 5))
    clock.now += 5
    assert store.write(taking("hr_3", 5))
    store.close()
