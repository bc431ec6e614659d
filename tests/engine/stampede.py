"""A stampede: many callers at once, round after round, against caps; judged by what happened.

`python -m tests.engine.stampede --rounds 1000` is the long run; the test does a short one. What is
judged are the rows of the embedded desk, with the times at which it did them, never handrail's own
books. With `--store postgres`, or `--real`, it is run by the real clock: see `herd`.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final, NamedTuple

import apsw

import handrail
from handrail.core.lifecycle import State
from handrail.policy.loader import load_text
from handrail.surfaces.embedded import Desk
from tests.engine.herd import faults, peaks, run_herd
from tests.history import Happened, fullest, most_customers
from tests.store.databases import NOW, Clock, PostgresDatabase

__all__ = ["CALLERS", "Outcome", "credits_of", "problems", "stampede"]

CALLERS: Final = 64
PROCESSES: Final = 4
MINUTE: Final = 60_000
CUSTOMERS: Final = tuple(f"C-{number}" for number in range(1001, 1013))

_ROUNDS_PER_TASK: Final = 50
"""A task ends after eight hours, and the clock is quick here."""

_POLICY: Final = """
policy: stampede
version: 1
lanes:
  support: {kinds: "*", any_customer: "yes"}
caps:
  desk-money: {scope: desk, money: 400.00 USD, window: 1h, kinds: [credit.grant]}
  customer-money: {scope: customer, money: 90.00 USD, window: 30m, kinds: [credit.grant]}
  agent-count: {scope: agent, count: 40, window: 10m, kinds: [credit.grant], when_full: wait}
  agent-people: {scope: agent, accounts: 5, window: 15m, kinds: [credit.grant]}
kinds:
  credit.grant:
    title: Store credit
    connector: desk
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    params:
      customer: {type: id}
      amount: {type: money}
      reason: {type: choice, of: [goodwill]}
    value: amount
    undo: credit.revoke
    bands:
      USD:
        - {grade: G2, control: run_and_notify}
  credit.revoke:
    title: Take store credit back
    connector: desk
    axes: {reversibility: 1, blast_radius: 1, stakes: 1}
    params: {credit: {type: id}}
    control: run_and_log
"""


class Outcome(NamedTuple):
    """What really happened, and what callers were told, by state."""

    effects: list[Happened]
    told: dict[State, int]


def stampede(folder: Path, *, rounds: int, seed: int, callers: int = CALLERS) -> Outcome:
    """Run the callers, all of them at once in every round; the clock moves between the rounds."""
    clock, told, lock = Clock(NOW), dict.fromkeys(State, 0), threading.Lock()
    policy = load_text(_POLICY, source="the stampede's policy")
    with handrail.open(folder, policy=policy, clock=clock) as desk:
        desk.agent("bot")
        gate = threading.Barrier(callers, action=lambda: _tick(clock, seed))
        work = [
            threading.Thread(target=_call, args=(desk, gate, told, lock, rounds, seed * 1000 + n))
            for n in range(callers)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
        desk.work()
    return Outcome(credits_of(folder), told)


def _tick(clock: Clock, seed: int) -> None:
    clock.now += random.Random(seed ^ clock.now).choice((1, 1_000, MINUTE, 3 * MINUTE))


def _call(
    desk: Desk,
    gate: threading.Barrier,
    told: dict[State, int],
    lock: threading.Lock,
    rounds: int,
    seed: int,
) -> None:
    chance = random.Random(seed)
    task = desk.task(agent="bot")
    for turn in range(1, rounds + 1):
        gate.wait()
        if turn % _ROUNDS_PER_TASK == 0:
            task = desk.task(agent="bot")
        fields = {
            "customer": chance.choice(CUSTOMERS),
            "amount": f"{chance.randint(1, 40)}.{chance.randint(0, 99):02} USD",
            "reason": "goodwill",
        }
        state = desk.propose(task, "credit.grant", fields).state
        with lock:
            told[state] += 1


def credits_of(folder: Path) -> list[Happened]:
    """The credits that the embedded desk granted through handrail, by its own rows."""
    with apsw.Connection(str(folder / "desk.db")) as world:
        rows = world.execute(
            "SELECT granted_at, minor, customer FROM credits WHERE key IS NOT NULL"
        ).fetchall()
    return [Happened("", int(str(at)), int(str(minor)), str(who)) for at, minor, who in rows]


def problems(effects: list[Happened]) -> list[str]:
    """Every cap that was passed in any window, in words."""
    by_customer = [one._replace(scope=one.customer) for one in effects]
    counts = [one._replace(amount=1) for one in effects]
    looked = (
        ("desk-money", fullest(effects, 60 * MINUTE), 40_000),
        ("customer-money", fullest(by_customer, 30 * MINUTE), 9_000),
        ("agent-count", fullest(counts, 10 * MINUTE), 40),
        ("agent-people", most_customers(effects, 15 * MINUTE), 5),
    )
    return [
        f"{cap} of {scope or 'the desk'}: {most} of {limit}"
        for cap, found, limit in looked
        for scope, most in found.items()
        if most > limit
    ]


def main() -> int:
    """The long run; 1 when a cap was passed."""
    parser = argparse.ArgumentParser(description="many callers at once against caps")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--real", action="store_true", help="by the real clock, also on SQLite")
    options = parser.parse_args()
    if options.real or options.store == "postgres":
        return _by_the_clock(options.store, rounds=options.rounds, seed=options.seed)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = stampede(Path(folder), rounds=options.rounds, seed=options.seed)
    found = problems(outcome.effects)
    spent = time.monotonic() - started
    told = {state.value: n for state, n in outcome.told.items() if n}
    print(f"seed {options.seed}: {len(outcome.effects)} effects, {told}, {spent:.0f} s")
    for problem in found:
        print(problem)
    return 1 if found else 0


def _by_the_clock(store: str, *, rounds: int, seed: int) -> int:
    """The same by the real clock: four gateways on PostgreSQL, or one on SQLite."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        address = PostgresDatabase(place).address if store == "postgres" else None
        processes = 1 if address is None else PROCESSES
        callers = CALLERS // processes
        aftermath = run_herd(
            place, store=address, processes=processes, callers=callers, rounds=rounds, seed=seed
        )
    found = faults(aftermath, wanted=CALLERS * rounds)
    stand = {state.value: count for state, count in aftermath.stand.items()}
    spent = time.monotonic() - started
    print(f"seed {seed}: {len(aftermath.deeds)} effects by {processes} processes, {spent:.0f} s")
    print(f"rows: {stand}")
    for cap, (most, limit) in peaks(aftermath.deeds).items():
        print(f"{cap}: at most {most} of {limit} in any window")
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
