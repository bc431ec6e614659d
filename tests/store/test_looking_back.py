"""What an auditor looks for: a customer's actions, payouts, tickets, and who was erased."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.policy import Control
from handrail.errors import HandrailError
from handrail.store.protocol import Store, Tx
from tests.store.databases import NOW
from tests.store.samples import DESK, entry_of, proposal_of, task_of


@pytest.fixture
def kept(store: Store) -> Store:
    """Six actions of two customers in two tasks, two of them drafts that ran alone."""

    def unit(tx: Tx) -> None:
        draft: dict[str, object] = {"kind": "reply.draft", "value_minor": None, "currency": None}
        alone: dict[str, object] = {
            "control": Control.RUN_AND_NOTIFY,
            "state": State.READY,
            **draft,
        }
        for proposal in (
            proposal_of("hr_1"),
            proposal_of("hr_2", task="tk_2"),
            proposal_of("hr_3", value_minor=9_900),
            proposal_of("hr_4", subject="sub_2", currency="EUR"),
            proposal_of("hr_5", **alone),
            proposal_of("hr_6", subject="sub_2", agent="bot2", **alone),
            proposal_of("hr_7", desk="other"),
        ):
            tx.proposals.add(proposal)
        tx.tasks.add(task_of())
        tx.tasks.add(task_of("tk_2"))
        tx.tasks.add(task_of("tk_3", ticket="T-2"))
        tx.tasks.add(task_of("tk_4", desk="other"))
        for n, (tag, person) in enumerate((("a", "ann"), ("b", "ann"), ("a", "bob"), ("a", "ann"))):
            tx.log.append(entry_of(n, tag=tag, actor=person), by_person=True)
        tx.vault.ref_of(DESK, "C-1", NOW)

    store.write(unit)
    return store


def test_a_customer_in_order(kept: Store) -> None:
    """Oldest first, page by page, of some kinds only, of this desk only."""

    def ids(**how: Any) -> list[str]:
        found = kept.read(lambda tx: tx.proposals.about(DESK, "sub_1", **{"most": 9, **how}))
        return [one.id for one in found]

    assert ids() == ["hr_1", "hr_2", "hr_3", "hr_5"]
    assert ids(most=2) == ["hr_1", "hr_2"]
    assert ids(after="hr_2") == ["hr_3", "hr_5"]
    assert ids(kinds=["reply.draft", "reply.send"]) == ["hr_5"]
    assert ids(kinds=["refund.issue"], after="hr_1", most=1) == ["hr_2"]


def test_payouts(kept: Store) -> None:
    """Newest first: of a customer, of a task, of one amount in one currency; never what is none."""

    def ids(**how: Any) -> list[str]:
        found = kept.read(lambda tx: tx.proposals.moving_money(DESK, **{"most": 9, **how}))
        return [one.id for one in found]

    assert ids(subject="sub_1") == ["hr_3", "hr_2", "hr_1"]
    assert ids(task="tk_2") == ["hr_2"]
    assert ids(subject="sub_1", value=Money(minor=12_000, currency="USD")) == ["hr_2", "hr_1"]
    assert ids(subject="sub_2", value=Money(minor=12_000, currency="USD")) == []
    assert ids(subject="sub_2", value=Money(minor=12_000, currency="EUR")) == ["hr_4"]
    assert ids(subject="sub_1", most=1) == ["hr_3"]


def test_what_ran_alone_of_one(kept: Store) -> None:
    """Of a kind, an agent or a customer, and of all three at once."""

    def ids(**how: Any) -> list[str]:
        return [one.id for one in kept.read(lambda tx: tx.proposals.ran_alone(DESK, most=9, **how))]

    assert ids() == ids(kind="reply.draft") == ["hr_6", "hr_5"]
    assert ids(agent="bot2") == ids(subject="sub_2") == ["hr_6"]
    assert ids(kind="reply.draft", agent="bot", subject="sub_1", before="hr_6") == ["hr_5"]
    assert ids(kind="refund.issue") == ids(agent="bot", subject="sub_2") == []


def test_tickets_and_entries(kept: Store) -> None:
    """The tasks of a ticket, newest first; the entries of one tag of a person, in order."""
    found = kept.read(lambda tx: tx.tasks.of_ticket(DESK, "T-1", most=9))
    assert [one.id for one in found] == ["tk_2", "tk_1"]
    entries = kept.read(lambda tx: tx.log.tagged(DESK, "ann", "a", most=9))
    assert [one.index for one in entries] == [0, 3]
    newest = kept.read(lambda tx: tx.log.tagged(DESK, "ann", "a", most=1))
    assert [one.index for one in newest] == [3]


def test_who_was_erased(kept: Store) -> None:
    """When, for who was; nothing for who was not; an unknown reference is said to be none."""
    ref = kept.read(lambda tx: tx.vault.find_ref(DESK, "C-1"))
    assert ref is not None
    assert kept.read(lambda tx: tx.vault.erased_at(DESK, ref)) is None
    assert kept.write(lambda tx: tx.vault.erase(DESK, ref, NOW + 5))
    assert kept.read(lambda tx: tx.vault.erased_at(DESK, ref)) == NOW + 5
    for desk, unknown in ((DESK, "sub_0"), ("other", ref)):
        with pytest.raises(HandrailError, match="subject_unknown"):
            kept.read(partial(erased_in, desk=desk, ref=unknown))


def erased_in(tx: Tx, *, desk: str, ref: str) -> int | None:
    """When that customer was erased."""
    return tx.vault.erased_at(desk, ref)
