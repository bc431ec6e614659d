"""The queue, sifted: what SQL finds is what the sieve lets pass, on every database."""

from __future__ import annotations

from typing import Final

import pytest

from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.proposal import Proposal
from handrail.core.sieve import Sieve
from handrail.store.protocol import Store, Tx, Unit
from tests.store.samples import DESK, entry_of, proposal_of, task_of

AMOUNTS: Final = (None, (100, "USD"), (5_000, "USD"), (5_000, "EUR"))
SIEVES: Final[dict[str, Sieve]] = {
    "everything": Sieve(),
    "a kind": Sieve(kind="refund.issue"),
    "no such kind": Sieve(kind="%"),
    "a grade": Sieve(grade=Grade.G3),
    "the lowest grade": Sieve(grade=Grade.G0),
    "an agent": Sieve(agent="bot-1"),
    "a currency": Sieve(currency="EUR"),
    "an amount": Sieve(currency="USD", minor_min=101),
    "the very amount": Sieve(currency="USD", minor_min=100),
    "a customer": Sieve(narrowed=True, subjects=("sub_1",)),
    "tasks": Sieve(narrowed=True, tasks=("tk_0", "tk_2")),
    "a part of an id": Sieve(narrowed=True, id_part="00e"),
    "one or the other": Sieve(narrowed=True, subjects=("sub_1",), tasks=("tk_0",), id_part="00e"),
    "nothing to be one of": Sieve(narrowed=True),
    "all at once": Sieve(
        kind="refund.issue", agent="bot-0", currency="USD", narrowed=True, subjects=("sub_0",)
    ),
}


def waiting(n: int) -> Proposal:
    """One of a mixed lot, of which some do not wait any more."""
    amount = AMOUNTS[n % 4]
    return proposal_of(
        f"hr_{n:032x}",
        kind=("refund.issue", "reply.send")[n % 2],
        grade=Grade(n % 4),
        agent=f"bot-{n % 3}",
        key=f"key-{n}",
        subject=f"sub_{n % 3}",
        task=f"tk_{n % 5}",
        value_minor=None if amount is None else amount[0],
        currency=None if amount is None else amount[1],
        rank=1_000 - n // 2,
        state=State.PENDING if n % 7 else State.REFUSED,
    )


@pytest.fixture(scope="module")
def lot(contract: Store) -> list[Proposal]:
    """Sixty actions, in the order of the queue."""
    made = [waiting(n) for n in range(60)]

    def unit(tx: Tx) -> None:
        for one in made:
            tx.proposals.add(one)

    contract.write(unit)
    return sorted(made, key=lambda one: (one.rank or 0, one.id))


@pytest.mark.parametrize("name", SIEVES)
def test_the_database_sifts_like_the_sieve(contract: Store, lot: list[Proposal], name: str) -> None:
    """The same actions, in the order of the queue."""
    sieve = SIEVES[name]
    wanted = [one.id for one in lot if one.state is State.PENDING and sieve.passes(one)]
    found = contract.read(lambda tx: tx.proposals.queue(DESK, sieve=sieve, most=100))
    assert [one.id for one in found] == wanted


def page_from(sieve: Sieve, after: tuple[int, str] | None) -> Unit[list[Proposal]]:
    """A look at four lines of the queue."""
    return lambda tx: tx.proposals.queue(DESK, sieve=sieve, after=after, most=4)


def test_pages_of_what_passes(contract: Store, lot: list[Proposal]) -> None:
    """Each goes on behind the last line of the one before; none is left out or comes twice."""
    sieve = Sieve(kind="refund.issue")
    wanted = [one.id for one in lot if one.state is State.PENDING and sieve.passes(one)]
    found: list[Proposal] = []
    while True:
        after = None if not found else (found[-1].rank or 0, found[-1].id)
        page = contract.read(page_from(sieve, after))
        found += page
        if len(page) < 4:
            break
    assert len(wanted) > 12
    assert [one.id for one in found] == wanted


def test_what_began_and_what_ended_by_the_log(store: Store) -> None:
    """In order, from an index on: what waits by what began it, and every end; nothing else."""
    states = {
        "hr_alone": (State.READY, "action.proposed"),
        "hr_waits": (State.PENDING, "action.proposed"),
        "hr_spoken": (State.PENDING, "review.recorded"),
        "hr_again": (State.PENDING, "action.reopened"),
        "hr_refused": (State.REFUSED, "action.rejected"),
    }

    def unit(tx: Tx) -> None:
        for id, (state, tag) in states.items():
            tx.proposals.add(proposal_of(id, state=state))
            tx.log.append(entry_of(0, tag=tag, proposal=id))
        tx.log.append(entry_of(1, tag="action.proposed", proposal="hr_of_another", desk="other"))

    store.write(unit)

    def moved(since: int, most: int = 9) -> list[tuple[str, str]]:
        found = store.read(lambda tx: tx.proposals.moved(DESK, since, most=most))
        return [(tag, one.id) for tag, one in found]

    everything = [
        ("action.proposed", "hr_waits"),
        ("action.reopened", "hr_again"),
        ("action.rejected", "hr_refused"),
    ]
    assert moved(0) == everything
    assert moved(0, most=2) == everything[:2]
    assert moved(2) == everything[1:]
    assert moved(5) == []


def test_tasks_of_a_ticket(store: Store) -> None:
    """The newest first, of this desk alone."""
    tickets = {"tk_1": "T-1", "tk_2": "T-2", "tk_3": "T-1", "tk_4": None}

    def unit(tx: Tx) -> None:
        for id, ticket in tickets.items():
            tx.tasks.add(task_of(id, ticket=ticket, token_hash=id))

    store.write(unit)

    def on(desk: str, most: int) -> list[str]:
        return store.read(lambda tx: [one.id for one in tx.tasks.of_ticket(desk, "T-1", most=most)])

    assert on(DESK, 9) == ["tk_3", "tk_1"]
    assert on(DESK, 1) == ["tk_3"]
    assert on("other", 9) == []
