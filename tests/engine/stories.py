"""A desk with an agent, people and customers, to tell stories with. Its clock is moved by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from itertools import cycle
from pathlib import Path
from typing import Final, Self

import msgspec
import pytest

import handrail
from handrail.connectors.protocol import Connector
from handrail.connectors.sandbox import Fault, Sandbox
from handrail.core.entry import Entry
from handrail.core.lifecycle import State
from handrail.core.policy import Limits, Policy
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.errors import HandrailError
from handrail.policy.loader import digest_policy, load_text, source_text
from handrail.surfaces.embedded import Action, Desk
from tests.store.databases import NOW, Clock

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "Story", "code_of", "pack", "pack_of_caps"]

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

SMALL: Final = "18.50 USD"
"""Runs alone and notifies."""
MIDDLE: Final = "120.00 USD"
"""Waits for one person."""
LARGE: Final = "2400.00 USD"
"""Waits for an independent checker."""
HUGE: Final = "6000.00 USD"
"""Waits for two."""

REASONS: Final = ("damaged", "not_received", "wrong_item", "late", "returned", "goodwill", "other")

TICKET_OF: Final = {"O-5001": "T-101", "O-5003": "T-103", "O-5005": "T-104", "O-5004": "T-105"}


def pack(*changes: tuple[str, str]) -> Policy:
    """The pack `support-desk` with every first text of `changes` replaced by the second."""
    text = source_text("support-desk")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return load_text(text, source="support-desk with changes")


def pack_of_caps(*changes: tuple[str, str]) -> Policy:
    """`pack` with nothing but its caps to count: no sums, and no limits on what is open."""
    policy = msgspec.structs.replace(pack(*changes), accumulation=None, limits=Limits())
    return msgspec.structs.replace(policy, digest=digest_policy(policy))


def code_of(call: Callable[[], object]) -> str:
    """The stable code of the error that a call ends in."""
    with pytest.raises(HandrailError) as refusal:
        call()
    message = refusal.value.message
    assert message
    assert not message.endswith(".")
    return refusal.value.code


class Story:
    """One desk in a folder. `boss` owns the agent; `ann` reviews; `carl` and `cora` check."""

    def __init__(
        self,
        folder: Path,
        *,
        policy: str | Policy = "support-desk",
        connectors: Mapping[str, Connector] | None = None,
        clock: Clock | None = None,
        store: str | None = None,
    ) -> None:
        self.folder = folder
        self.store = store
        self.clock = clock or Clock(NOW)
        self.policy = policy
        self._connectors = connectors
        self._reasons = cycle(REASONS)
        self.desk = self._opened()
        self.desk.agent("bot", owner="boss", operator="otto")
        for name in ("boss", "otto", "carl", "cora"):
            self.desk.person(name, roles=("reviewer", "checker"), limits=("20000.00 USD",))
        for name in ("ann", "bea"):
            self.desk.person(name)

    def _opened(self) -> Desk:
        return handrail.open(
            self.folder,
            policy=self.policy,
            connectors=self._connectors,
            store=self.store,
            clock=self.clock,
            entropy=os.urandom,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the desk."""
        self.desk.close()

    def reopen(self, policy: str | Policy | None = None) -> None:
        """Close the desk and open it again, as after a restart; maybe under another policy."""
        self.close()
        if policy is not None:
            self.policy = policy
        self.desk = self._opened()

    @property
    def world(self) -> Sandbox:
        """The embedded desk, on which everything happens for real."""
        found = self.desk.ctx.connectors["desk"]
        assert isinstance(found, Sandbox)
        return found

    def fail(self, fault: Fault | None) -> None:
        """From now on every write of the world fails this way, or none does."""
        self.world.fault = fault

    def later(self, span_ms: int) -> None:
        """Time passes, and nothing else happens."""
        self.clock.now += span_ms

    def task(self, ticket: str = "T-103", **more: str) -> Task:
        """The agent is given a ticket."""
        return self.desk.task(ticket=ticket, agent="bot", **more)

    def refund(
        self, amount: str = SMALL, order: str = "O-5003", *, key: str | None = None
    ) -> Action:
        """The agent proposes a refund on the ticket of the order's customer.

        Each has a reason of its own, or the second would be the same content again; but for those
        with a key.
        """
        task = self.task(TICKET_OF[order])
        reason = next(self._reasons) if key is None else "damaged"
        fields = {"order": order, "amount": amount, "reason": reason}
        return self.desk.propose(task, "refund.issue", fields, key=key)

    def approve(self, action: Action, *, by: str = "ann") -> Action:
        """A person approves what is stored."""
        return self.desk.review(action.id, "approve", by=by, digest=action.digest)

    def refused(self, action: Action, *, by: str, verdict: str = "approve") -> str:
        """The code with which a person's verdict is turned down."""
        return code_of(
            lambda: self.desk.review(
                action.id, verdict, by=by, digest=action.digest, reason="because"
            )
        )

    def refunded(self, order: str = "O-5003") -> int:
        """Minor units refunded on an order's payment, in the world."""
        return self.world.balance(order.replace("O-", "P-")).refunded_minor

    def state(self, action: Action) -> State:
        """Where the action stands now."""
        return self.desk.get(action.id).state

    def row(self, action: Action) -> Proposal:
        """The stored proposal."""
        found = self.desk.ctx.store.read(lambda tx: tx.proposals.get(self.desk.id, action.id))
        assert found is not None
        return found

    def entries(self, action: Action) -> list[Entry]:
        """What the log says about the action, in order."""
        entries = self.desk.ctx.store.read(lambda tx: tx.log.of_proposal(self.desk.id, action.id))
        return [logged.entry for logged in entries]

    def tags(self, action: Action) -> list[str]:
        """The tags of `entries`."""
        return [entry.tag for entry in self.entries(action)]

    def counters(self) -> dict[str, int]:
        """The desk's counters that are not zero."""
        found = self.desk.ctx.store.read(lambda tx: tx.counters.of(self.desk.id))
        return {name: count for name, count in found.items() if count}

    def open_escalations(self) -> list[str | None]:
        """The actions that a person was asked to look at, by deadline."""
        found = self.desk.ctx.store.read(lambda tx: tx.escalations.open(self.desk.id, most=99))
        return [escalation.proposal for escalation in found]

    def check(self) -> None:
        """The log verifies, and the counters are the states of the rows."""
        report = self.desk.verify()
        assert report.findings == ()
        rows = self.desk.ctx.store.read(
            lambda tx: tx.proposals.page(self.desk.id, after="", most=10_000)
        )
        counted = {
            name.removeprefix("state:"): count
            for name, count in self.counters().items()
            if name.startswith("state:")
        }
        states = [row.state.value for row in rows]
        assert counted == {state: states.count(state) for state in set(states)}
