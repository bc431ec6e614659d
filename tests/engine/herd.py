"""A stampede by the real clock: gateway processes on one desk, and what they really did.

Every effect is one line in one file that all processes append to, with the time of this machine's
clock at which it happened; the judge reads that file, and nothing of handrail's. The windows are a
few seconds, so that they roll while the callers run.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final, NamedTuple

import handrail
from handrail.connectors.protocol import (
    Capability,
    Found,
    Looked,
    Prepared,
    Promise,
    Receipt,
    Reversal,
)
from handrail.core.action import Params
from handrail.core.artifact import Line
from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.proposal import Proposal
from handrail.policy.loader import load_text
from handrail.store.protocol import Tx
from handrail.surfaces.embedded import Desk
from tests.history import Happened, fullest, most_customers
from tests.store.databases import long_leases

__all__ = ["Aftermath", "Deed", "Till", "deeds_in", "faults", "overfull", "peaks", "run_herd"]

AGENTS: Final = ("bot", "bob")
CUSTOMERS: Final = tuple(f"C-{number}" for number in range(1, 13))
KIND: Final = "credit.grant"
DRAIN_S_MAX: Final = 600
_ENDS: Final = (State.SUCCEEDED, State.REFUSED, State.EXPIRED)
GATE_S_MAX: Final = 600
SWEEP_S: Final = 0.3
PAGE: Final = 1_000
DAY_MS: Final = 86_400_000

_POLICY: Final = """
policy: herd
version: 1
clocks: {execution: 3s}
lanes:
  support: {kinds: "*", any_customer: "yes"}
caps:
  a-desk-money: {scope: desk, money: 900.00 USD, window: 2s, kinds: [credit.grant]}
  b-customer-money: {scope: customer, money: 150.00 USD, window: 1s, kinds: [credit.grant]}
  c-account-count: {scope: account, count: 44, window: 2s, kinds: [credit.grant]}
  d-agent-people: {scope: agent, accounts: 5, window: PEOPLE, kinds: [credit.grant]}
  e-agent-count: {scope: agent, count: 14, window: 1s, kinds: [credit.grant], when_full: wait}
kinds:
  credit.grant:
    title: Store credit
    connector: till
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    params:
      customer: {type: id}
      amount: {type: money}
      agent: {type: id}
    value: amount
    undo: credit.revoke
    bands:
      USD:
        - {grade: G2, control: run_and_notify}
  credit.revoke:
    title: Take store credit back
    connector: till
    axes: {reversibility: 1, blast_radius: 1, stakes: 1}
    params: {credit: {type: id}}
    control: run_and_log
"""


class Deed(NamedTuple):
    """One effect, as the till wrote it down. `at` is in milliseconds of this machine's clock."""

    at: int
    cents: int
    agent: str
    customer: str
    key: str


class Aftermath(NamedTuple):
    """What really happened; what callers were told and what the rows say, by state.

    `keys` are the actions that handrail holds for done, `findings` what is wrong with its log,
    `people_s` the window of the cap on different customers.
    """

    deeds: list[Deed]
    told: Counter[State]
    stand: Counter[State]
    keys: list[str]
    findings: tuple[object, ...]
    people_s: int = 1


class Till:
    """A system of record that is a file: a line for each effect, appended by any process."""

    name = "till"
    version = "1"

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def kinds(self) -> Mapping[str, Capability]:
        """Credits, and that they can be taken back: nobody does it here."""
        return {
            kind: Capability(kind=kind, promise=Promise.KEYED, ttl_ms=DAY_MS, undoable=True)
            for kind in (KIND, "credit.revoke")
        }

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        """The request is the parameters."""
        amount = params["amount"]
        assert isinstance(amount, Money)
        request = {"cents": amount.minor, "to": params["customer"], "by": params["agent"]}
        return Prepared(customer=str(params["customer"]), request=request)

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        """Nobody is shown anything here."""
        return (Line(label="Credit", text=str(request["cents"])),)

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        """Append a line, and the time at which it happened."""
        at = time.time_ns() // 1_000_000
        line = f"{at} {request['cents']} {request['by']} {request['to']} {key}\n"
        os.write(self._file, line.encode())
        return Receipt(provider_ref=f"cr_{key}")

    def lookup(self, kind: str, key: str) -> Found:
        """It keeps no index; nothing here asks."""
        return Found(looked=Looked.CANNOT_TELL)

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        """Never asked for here."""
        return Reversal(kind="credit.revoke", params={"credit": receipt.provider_ref})


class _Herd(NamedTuple):
    """What every process is told."""

    folder: Path
    store: str | None
    callers: int
    rounds: int
    seed: int
    people_s: int

    def open(self, till: Till, place: str) -> Desk:
        """One more gateway on the desk, by the store's own clock."""
        folder = self.folder / ("gateway" if self.store is not None else place)
        text = _POLICY.replace("PEOPLE", f"{self.people_s}s")
        policy = load_text(text, source="the herd's policy")
        with long_leases():
            return handrail.open(
                folder, policy=policy, store=self.store, connectors={till.name: till}
            )


def run_herd(
    folder: Path,
    *,
    store: str | None,
    processes: int,
    callers: int,
    rounds: int,
    seed: int,
    people_s: int = 1,
) -> Aftermath:
    """Run `callers` in each process, all of them at once in every round; what became of it.

    `store` is the address of a PostgreSQL database; with None there can be one process. `people_s`
    is the window of the cap on different customers: with a long one it is met on any machine.
    """
    assert store is not None or processes == 1
    herd = _Herd(folder, store, callers, rounds, seed, people_s)
    till = Till(folder / "till")
    with herd.open(till, "desk") as desk:
        for agent in AGENTS:
            desk.agent(agent)
    spawn = multiprocessing.get_context("spawn")
    gate, answers = spawn.Barrier(processes), spawn.SimpleQueue()
    running = [
        spawn.Process(target=_live, args=(herd, number, gate, answers))
        for number in range(processes)
    ]
    for process in running:
        process.start()
    told: Counter[State] = Counter()
    for _ in running:
        said = answers.get()
        assert isinstance(said, dict), said
        told.update({State(state): count for state, count in said.items()})
    for process in running:
        process.join()
        assert process.exitcode == 0
    with herd.open(till, "desk") as desk:
        _drain(desk)
        aftermath = _look(folder, desk, told)._replace(people_s=people_s)
    till.close()
    return aftermath


def _live(
    herd: _Herd,
    number: int,
    gate: Barrier,
    answers: multiprocessing.SimpleQueue[dict[str, int] | str],
) -> None:
    """One gateway's life: its callers, and a sweep now and then."""
    try:
        till = Till(herd.folder / "till")
        with herd.open(till, "desk") as desk:
            told = _drive(herd, number, desk, gate)
        answers.put({state.value: count for state, count in told.items()})
    except BaseException:
        gate.abort()
        answers.put(traceback.format_exc())


def _drive(herd: _Herd, number: int, desk: Desk, gate: Barrier) -> Counter[State]:
    told: Counter[State] = Counter()
    trouble: list[BaseException] = []
    lock = threading.Lock()
    here = threading.Barrier(herd.callers, action=partial(_meet, gate))

    def call(caller: int) -> None:
        place = number * herd.callers + caller
        chance = random.Random(herd.seed * 1_000 + place)
        agent = AGENTS[place % len(AGENTS)]
        try:
            task = desk.task(agent=agent)
            for turn in range(herd.rounds):
                here.wait()
                fields = {
                    "customer": chance.choice(CUSTOMERS),
                    "amount": f"{chance.randint(1, 40)}.{chance.randint(0, 99):02} USD",
                    "agent": agent,
                }
                state = desk.propose(task, KIND, fields, key=f"{place}-{turn}").state
                with lock:
                    told[state] += 1
        except BaseException as error:
            trouble.append(error)
            here.abort()
            gate.abort()

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(herd.callers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        desk.work()
        threads[0].join(SWEEP_S)
    for thread in threads:
        thread.join()
    if trouble:
        raise trouble[0]
    return told


def _meet(gate: Barrier) -> None:
    """Once all callers of a process are here: wait for the other processes."""
    gate.wait(GATE_S_MAX)


def _drain(desk: Desk) -> None:
    """Sweep until nothing waits for room any more; what found none expires."""
    until = time.monotonic() + DRAIN_S_MAX
    while time.monotonic() < until:
        desk.work()
        counters = desk.ctx.store.read(lambda tx: tx.counters.of(desk.id))
        if not any(
            counters.get(f"state:{state.value}") for state in (State.READY, State.EXECUTING)
        ):
            return
        time.sleep(0.1)


def _look(folder: Path, desk: Desk, told: Counter[State]) -> Aftermath:
    stand: Counter[State] = Counter()
    keys: list[str] = []
    after = ""
    while rows := desk.ctx.store.read(partial(_page, desk.id, after)):
        stand.update(row.state for row in rows)
        keys += [row.id for row in rows if row.state is State.SUCCEEDED]
        after = rows[-1].id
    return Aftermath(deeds_in(folder / "till"), told, stand, keys, desk.verify().findings)


def _page(desk: str, after: str, tx: Tx) -> list[Proposal]:
    return tx.proposals.page(desk, after=after, most=PAGE)


def deeds_in(path: Path) -> list[Deed]:
    """Every line of the till."""
    lines = [line.split(" ") for line in path.read_text().splitlines()]
    return [
        Deed(int(at), int(cents), agent, customer, key) for at, cents, agent, customer, key in lines
    ]


def peaks(deeds: list[Deed], people_s: int = 1) -> dict[str, tuple[int, int]]:
    """For each cap the most that there ever was in one of its windows, and its limit."""
    of_desk = [Happened("", one.at, one.cents, one.customer) for one in deeds]
    of_agent = [Happened(one.agent, one.at, 1, one.customer) for one in deeds]
    of_customer = [one._replace(scope=one.customer) for one in of_desk]
    counted = [one._replace(amount=1) for one in of_desk]
    found = {
        "a-desk-money": (fullest(of_desk, 2_000), 90_000),
        "b-customer-money": (fullest(of_customer, 1_000), 15_000),
        "c-account-count": (fullest(counted, 2_000), 44),
        "d-agent-people": (most_customers(of_agent, people_s * 1_000), 5),
        "e-agent-count": (fullest(of_agent, 1_000), 14),
    }
    return {cap: (max(most.values(), default=0), limit) for cap, (most, limit) in found.items()}


def overfull(deeds: list[Deed], people_s: int = 1) -> list[str]:
    """Every cap that was passed in any window, in words."""
    return [
        f"{cap}: {most} of {limit}"
        for cap, (most, limit) in peaks(deeds, people_s).items()
        if most > limit
    ]


def faults(aftermath: Aftermath, *, wanted: int) -> list[str]:
    """All that is wrong after `wanted` proposals, in words: nothing is what is promised."""
    found = overfull(aftermath.deeds, aftermath.people_s)
    done = Counter(deed.key for deed in aftermath.deeds)
    found += [f"`{key}` was done {times} times" for key, times in done.items() if times > 1]
    found += [
        f"`{key}` is held for done, and was not" for key in sorted(set(aftermath.keys) - set(done))
    ]
    found += [
        f"`{key}` was done, and is not held for it"
        for key in sorted(set(done) - set(aftermath.keys))
    ]
    found += [
        f"{count} are left {state.value}"
        for state, count in aftermath.stand.items()
        if state not in _ENDS
    ]
    for what, count in (("answers", aftermath.told), ("rows", aftermath.stand)):
        if count.total() != wanted:
            found.append(f"{count.total()} {what} to {wanted} proposals")
    return found + [f"the log: {finding}" for finding in aftermath.findings]
