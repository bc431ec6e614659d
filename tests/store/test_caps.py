"""Reservations: never more than the limit in any window, whoever races, and what one is told."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final

import pytest

from handrail.core.caps import CapRule, Charge, Scope, WhenFull
from handrail.store.caps import Full
from handrail.store.protocol import Store, Tx
from tests.history import Happened, fullest, most_customers
from tests.store.databases import NOW, Clock
from tests.store.samples import DESK

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
WINDOW: Final = HOUR


def cap(name: str = "usd", limit: int = 10_000, **changes: object) -> CapRule:
    """A cap on money of the whole desk within an hour, unless told otherwise."""
    fields: dict[str, object] = {
        "name": name,
        "scope": Scope.DESK,
        "limit": limit,
        "window_ms": WINDOW,
        "currency": "USD",
    }
    return CapRule(**{**fields, **changes})  # type: ignore[arg-type]


def charge(rule: CapRule, amount: int = 1, key: str = "", member: str = "") -> Charge:
    """What one action takes."""
    return Charge(rule=rule, scope_key=key, amount=amount, member=member)


class _Spoilt(Exception):
    """What a unit raises after it has taken its caps."""


class Ledger:
    """A store's reservations, one action after the other."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.number = 0

    def take(self, *charges: Charge, desk: str = DESK) -> Full | None:
        """Reserve for a new action."""
        self.number += 1
        id = f"hr_{self.number}"
        return self.store.write(lambda tx: tx.caps.reserve(desk, id, charges, tx.now))

    def settle(self, number: int, *, done: bool = True, desk: str = DESK) -> None:
        """The action with that number was done, or certainly not."""

        def unit(tx: Tx) -> None:
            end = tx.caps.post if done else tx.caps.void
            end(desk, f"hr_{number}", tx.now)

        self.store.write(unit)

    def used(self, *rules: CapRule, desk: str = DESK) -> dict[tuple[str, str], int]:
        """What is taken, as the console reads it."""
        uses = self.store.read(lambda tx: tx.caps.uses(desk, rules, tx.now))
        return {(use.cap, use.scope_key): use.used for use in uses}


@pytest.fixture
def ledger(store: Store) -> Ledger:
    """The reservations of a fresh store."""
    return Ledger(store)


def race(work: Callable[[int], None], callers: int) -> None:
    """Run `work` in many threads that start together."""
    together = threading.Barrier(callers)

    def one(name: int) -> None:
        together.wait()
        work(name)

    threads = [threading.Thread(target=one, args=(name,)) for name in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_sixty_four_race_for_the_last_fifty_dollars(store: Store) -> None:
    """G1: exactly as many get through as fit, and not one cent more."""
    rule = cap(limit=5_000)
    got: list[bool] = []

    def work(name: int) -> None:
        taken = (charge(rule, 400),)
        full = store.write(lambda tx: tx.caps.reserve(DESK, f"hr_{name}", taken, tx.now))
        got.append(full is None)

    race(work, 64)
    assert got.count(True) == 12
    assert Ledger(store).used(rule) == {("usd", ""): 4_800}


def test_a_failed_unit_takes_nothing_from_those_that_share_its_commit(store: Store) -> None:
    """G1, G2: what a transaction remembers of a cap is what its row says, after a failure too."""
    rule = cap(limit=100)

    def spoilt(tx: Tx) -> None:
        assert tx.caps.reserve(DESK, "hr_bad", (charge(rule, 60),), tx.now) is None
        raise _Spoilt

    def taking(id: str, amount: int) -> Callable[[Tx], bool]:
        return lambda tx: tx.caps.reserve(DESK, id, (charge(rule, amount),), tx.now) is None

    first = store.submit(taking("hr_1", 40))
    failed = store.submit(spoilt)
    others = [store.submit(taking(f"hr_{n}", amount)) for n, amount in ((2, 61), (3, 60), (4, 1))]
    assert first.result()
    with pytest.raises(_Spoilt):
        failed.result()
    assert [ticket.result() for ticket in others] == [False, True, False]
    store.write(lambda tx: tx.caps.void(DESK, "hr_3", tx.now))
    last = [store.submit(taking(f"hr_{n}", amount)) for n, amount in ((5, 59), (6, 2), (7, 1))]
    assert [ticket.result() for ticket in last] == [True, False, True]
    uses = store.read(lambda tx: tx.caps.uses(DESK, (rule,), tx.now))
    assert [use.used for use in uses] == [100]


def test_two_caps_are_taken_together_or_not_at_all(store: Store) -> None:
    """G2: racers under two caps in turn never leave half a reservation, and never skew."""
    wide, narrow = cap("a-wide", 10_000), cap("b-narrow", 3_000)
    both = (charge(wide, 100), charge(narrow, 100))
    got: list[bool] = []

    def take(id: str) -> None:
        got.append(store.write(lambda tx: tx.caps.reserve(DESK, id, both, tx.now)) is None)

    def work(name: int) -> None:
        take(f"hr_{name}_0")
        take(f"hr_{name}_1")

    race(work, 32)
    assert got.count(True) == 30
    assert Ledger(store).used(wide, narrow) == {("a-wide", ""): 3_000, ("b-narrow", ""): 3_000}


def test_a_lowered_limit_drains(ledger: Ledger, clock: Clock) -> None:
    """G4: nothing new goes, nothing turns negative, and room comes back only with time."""
    for _ in range(4):
        assert ledger.take(charge(cap(limit=10_000), 2_000)) is None
    for number in (1, 2, 3, 4):
        ledger.settle(number)
        clock.now += HOUR // 8
    lowered = cap(limit=3_000)
    assert ledger.take(charge(lowered, 1)) is not None
    assert ledger.take(charge(lowered, 0)) is not None
    assert ledger.used(lowered) == {("usd", ""): 8_000}
    clock.now += HOUR - 2 * (HOUR // 8)
    assert ledger.used(lowered) == {("usd", ""): 2_000}
    assert ledger.take(charge(lowered, 1_000)) is None
    assert ledger.take(charge(lowered, 1)) is not None


def test_what_is_voided_is_given_back_and_what_is_open_stays(ledger: Ledger, clock: Clock) -> None:
    """G3: a reservation that nobody settled counts for ever; one proven void counts no more."""
    rule = cap(limit=1_000)
    assert ledger.take(charge(rule, 600)) is None
    assert ledger.take(charge(rule, 400)) is None
    ledger.settle(2, done=False)
    clock.now += 400 * DAY
    assert ledger.take(charge(rule, 401)) is not None
    assert ledger.take(charge(rule, 400)) is None
    ledger.settle(1, done=False)
    ledger.settle(1, done=False)
    assert ledger.used(rule) == {("usd", ""): 400}


def test_huge_amounts_are_exact(ledger: Ledger) -> None:
    """G7: the sum of the largest amounts is exact to the last unit."""
    rule = cap(limit=10**15)
    assert ledger.take(charge(rule, 10**15 - 1)) is None
    assert ledger.take(charge(rule, 2)) is not None
    assert ledger.take(charge(rule, 1)) is None
    assert ledger.take(charge(rule, 1)) is not None
    assert ledger.used(rule) == {("usd", ""): 10**15}


def test_desks_share_the_account_that_they_pay_from(ledger: Ledger) -> None:
    """G8: one cap over one merchant account, whichever desk pays, to each desk's own limit."""
    here = cap("stripe", 1_000, scope=Scope.ACCOUNT)
    there = cap("stripe", 700, scope=Scope.ACCOUNT)
    assert ledger.take(charge(here, 600, "stripe USD"), desk="one") is None
    assert ledger.take(charge(there, 101, "stripe USD"), desk="two") is not None
    assert ledger.take(charge(there, 100, "stripe USD"), desk="two") is None
    assert ledger.used(here, desk="one") == {("stripe", "stripe USD"): 700}
    ledger.settle(1, done=False, desk="one")
    assert ledger.used(there, desk="two") == {("stripe", "stripe USD"): 100}
    ledger.settle(3, desk="two")
    assert ledger.take(charge(here, 901, "stripe USD"), desk="one") is not None


def test_other_scopes_stay_in_their_desk(ledger: Ledger) -> None:
    """The same cap name on two desks is two caps."""
    assert ledger.take(charge(cap(limit=10), 10), desk="one") is None
    assert ledger.take(charge(cap(limit=10), 10), desk="two") is None
    assert ledger.take(charge(cap(limit=10), 1), desk="two") is not None


def distinct(limit: int, **changes: object) -> CapRule:
    """A cap on different customers per task."""
    return cap("who", limit, scope=Scope.TASK, currency=None, distinct=True, **changes)


def test_a_customer_is_counted_once(ledger: Ledger, clock: Clock) -> None:
    """Who is counted already may come again; one more customer may not, until one has left."""
    rule = distinct(2)
    for who in ("ann", "bob", "ann", "bob", "bob"):
        assert ledger.take(charge(rule, key="tk_1", member=who)) is None
    assert ledger.take(charge(rule, key="tk_1", member="eve")) is not None
    assert ledger.take(charge(rule, key="tk_2", member="eve")) is None
    assert ledger.used(rule) == {("who", "tk_1"): 2, ("who", "tk_2"): 1}
    for number in (1, 2, 3, 4):
        ledger.settle(number)
    clock.now += 2 * HOUR
    # Bob's last one is still open, and Ann has left.
    assert ledger.used(rule) == {("who", "tk_1"): 1, ("who", "tk_2"): 1}
    assert ledger.take(charge(rule, key="tk_1", member="eve")) is None
    assert ledger.take(charge(rule, key="tk_1", member="ann")) is not None


def test_a_customer_who_left_and_comes_back_is_counted_again(ledger: Ledger, clock: Clock) -> None:
    """Coming back takes a place of its own: the last one is not free because of it."""
    rule = distinct(2)
    assert ledger.take(charge(rule, key="t", member="ann")) is None
    ledger.settle(1)
    clock.now += HOUR
    assert ledger.take(charge(rule, key="t", member="ann")) is None
    assert ledger.take(charge(rule, key="t", member="bob")) is None
    assert ledger.take(charge(rule, key="t", member="eve")) is not None
    assert ledger.used(rule) == {("who", "t"): 2}


def test_a_customer_to_whom_nothing_happened_gives_the_place_back(ledger: Ledger) -> None:
    """Voided to the last, a customer is not counted; with one thing done, they are."""
    rule = distinct(1)
    assert ledger.take(charge(rule, key="t", member="ann")) is None
    assert ledger.take(charge(rule, key="t", member="ann")) is None
    ledger.settle(1, done=False)
    assert ledger.take(charge(rule, key="t", member="bob")) is not None
    ledger.settle(2, done=False)
    assert ledger.take(charge(rule, key="t", member="bob")) is None
    ledger.settle(4)
    assert ledger.take(charge(rule, key="t", member="bob")) is None
    ledger.settle(5, done=False)
    assert ledger.take(charge(rule, key="t", member="ann")) is not None


def test_a_cap_trips_once(ledger: Ledger, clock: Clock) -> None:
    """However often it is met: again only after it had room, and not within the hour."""
    rule = cap(limit=1_000)
    assert ledger.take(charge(rule, 1_000)) is None
    ledger.settle(1)

    def trips() -> list[bool]:
        met = [ledger.take(charge(rule, 1_000)) for _ in range(3)]
        return [full.tripped for full in met if full is not None]

    assert trips() == [True, False, False]
    clock.now += HOUR - 1
    assert trips() == [False, False, False]
    clock.now += 1
    assert trips() == [True, False]


def test_a_cap_that_was_never_down_to_three_quarters_does_not_trip_again(
    ledger: Ledger, clock: Clock
) -> None:
    """One that flutters at its limit tells people once."""
    rule = cap(limit=1_000, window_ms=4 * HOUR)
    for _ in range(10):
        assert ledger.take(charge(rule, 100)) is None
        ledger.settle(ledger.number)
        clock.now += HOUR // 3
    first = ledger.take(charge(rule, 900))
    assert first is not None
    assert first.tripped
    told = []
    for _ in range(12):
        clock.now += HOUR // 3
        if ledger.take(charge(rule, 100)) is None:
            ledger.settle(ledger.number)
        full = ledger.take(charge(rule, 900))
        assert full is not None
        told.append(full.tripped)
    assert not any(told)


def test_a_refusal_takes_nothing(ledger: Ledger) -> None:
    """What came before the full cap is given back, and the full one is as full as before."""
    first, second = cap("a", 100), cap("b", 10)
    assert ledger.take(charge(second, 10)) is None
    for _ in range(3):
        full = ledger.take(charge(first, 50), charge(second, 1))
        assert full is not None
        assert full.charge.rule.name == "b"
    assert ledger.used(first, second) == {("a", ""): 0, ("b", ""): 10}


def test_many_leave_a_window_at_once(ledger: Ledger, clock: Clock) -> None:
    """More than leave it in one statement: what fits, fits, and the rest follows."""
    rule = cap("n", 2_500, currency=None)
    for _ in range(2_500):
        ledger.number += 1

    def fill(tx: Tx) -> None:
        for number in range(1, 2_501):
            tx.caps.reserve(DESK, f"hr_{number}", (charge(rule),), tx.now)
            tx.caps.post(DESK, f"hr_{number}", tx.now)

    ledger.store.write(fill)
    assert ledger.take(charge(rule)) is not None
    clock.now += HOUR
    assert ledger.take(charge(rule)) is None
    assert ledger.used(rule) == {("n", ""): 1}
    assert ledger.take(charge(rule, 2_499)) is None
    assert ledger.take(charge(rule)) is not None


def test_the_total_of_a_scope_is_exact(ledger: Ledger, clock: Clock) -> None:
    """What has left the window is not in it, though there was room anyway."""
    rule = cap("@value", 10**15)
    assert ledger.store.write(lambda tx: tx.caps.total(DESK, rule, "sub_1", tx.now)) == 0
    for amount in (500, 700):
        ledger.take(charge(rule, amount, "sub_1"))
        ledger.settle(ledger.number)
        clock.now += HOUR // 2
    assert ledger.store.write(lambda tx: tx.caps.total(DESK, rule, "sub_1", tx.now)) == 700
    clock.now += HOUR
    assert ledger.store.write(lambda tx: tx.caps.total(DESK, rule, "sub_1", tx.now)) == 0
    assert ledger.take(charge(rule, 5, "sub_1")) is None


@pytest.mark.parametrize("seed", range(12))
def test_no_window_ever_holds_more_than_the_limit(store: Store, clock: Clock, seed: int) -> None:
    """G1: random amounts, fates and pauses; an independent judge looks at every window."""
    chance = random.Random(seed)
    money = cap("m", 1_000, scope=Scope.AGENT, when_full=WhenFull.WAIT)
    who = distinct(3)
    ledger, open_, done = Ledger(store), [], []
    for _ in range(250):
        clock.now += chance.choice((0, 1, 1_000, 60_000, HOUR // 4))
        amount, agent, customer = (
            chance.randint(0, 400),
            chance.choice("xy"),
            chance.choice("abcdef"),
        )
        full = ledger.take(charge(money, amount, agent), charge(who, 1, agent, customer))
        if full is None:
            open_.append((ledger.number, agent, amount, customer))
        while open_ and chance.random() < 0.6:
            number, agent, amount, customer = open_.pop(chance.randrange(len(open_)))
            happened = chance.random() < 0.7
            if happened:
                done.append(Happened(agent, clock.now, amount, customer))
            clock.now += chance.choice((0, 5, 30_000))
            ledger.settle(number, done=happened)
    done += [Happened(agent, clock.now, amount, who) for _, agent, amount, who in open_]
    assert max(fullest(done, WINDOW).values()) <= 1_000
    assert max(most_customers(done, WINDOW).values()) <= 3
    assert clock.now > NOW
    assert max(fullest(done, WINDOW).values()) > 600


@pytest.mark.parametrize("writes", [True, False])
def test_what_others_counted_outlives_a_unit_that_fails(store: Store, writes: bool) -> None:
    """Many actions of one commit are counted in memory and written once: none of them is lost."""
    rule = cap(limit=100)

    def reserve(number: int, amount: int) -> Callable[[Tx], Full | None]:
        taken = (charge(rule, amount),)
        return lambda tx: tx.caps.reserve(DESK, f"hr_{number}", taken, tx.now)

    def spoilt(tx: Tx) -> None:
        if writes:
            tx.caps.reserve(DESK, "hr_x", (charge(rule, 7),), tx.now)
        raise _Spoilt

    first = [store.submit(reserve(n, 20)) for n in range(3)]
    bad = store.submit(spoilt)
    last = [store.submit(reserve(n, 20)) for n in range(3, 7)]
    full = [ticket.result() for ticket in (*first, *last)]
    with pytest.raises(_Spoilt):
        bad.result()
    assert [one is None for one in full] == [True] * 5 + [False] * 2
    assert Ledger(store).used(rule) == {("usd", ""): 100}
