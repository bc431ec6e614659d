"""A scratch desk for one trial: its people, its agents, a clock moved by hand, and stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from handrail.connectors.protocol import Connector
from handrail.core.entry import Tag
from handrail.core.lifecycle import State
from handrail.core.money import EXPONENTS, MINOR_MAX, Money
from handrail.core.policy import ANY_KIND, KindRule, Limits, Policy
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.base.context import Context
from handrail.errors import HandrailError
from handrail.policy.loader import digest_policy
from handrail.prove.trial.inputs import Situation
from handrail.prove.trial.standin import Record, World, stand_ins

__all__ = [
    "BENEFICIARY",
    "CHECKERS",
    "FIRST_CUSTOMER",
    "OPERATING",
    "OWNER",
    "REVIEWER",
    "START_MS",
    "Opener",
    "Scratch",
    "ScratchDesk",
    "lane_of",
]

START_MS: Final = 1_800_000_000_000
OWNER: Final = "owner"
OPERATING: Final = "operator-person"
REVIEWER: Final = "reviewer"
BENEFICIARY: Final = "beneficiary"
CHECKERS: Final = ("checker-1", "checker-2", "checker-3", "checker-4", "checker-5", "checker-6")
FIRST_CUSTOMER: Final = "C-1"
"""The customer account that the beneficiary has themselves."""


class ScratchDesk(Protocol):
    """What a trial needs of an embedded desk."""

    id: str
    ctx: Context

    def close(self) -> None: ...
    def agent(self, id: str, *, owner: str | None, operator: str | None) -> Any: ...
    def person(
        self, id: str, *, roles: Sequence[str], limits: Sequence[str], customers: Sequence[str]
    ) -> Any: ...
    def task(self, *, agent: str, lane: str | None, customers: Sequence[str]) -> Task: ...
    def propose(self, task: Task, kind: str, params: Mapping[str, object]) -> Any: ...
    def review(self, id: str, verdict: str, *, by: str, digest: str, reason: str = "") -> Any: ...
    def undo(self, id: str, *, by: str) -> Any: ...
    def recall(self, id: str, *, by: str) -> Any: ...
    def halt(self, scope: str, target: str, *, by: str) -> Any: ...
    def lift(self, id: str, *, by: str) -> Any: ...
    def halts(self) -> list[Any]: ...
    def work(self) -> Any: ...


Opener = Callable[[Policy, Mapping[str, Connector], Callable[[], int]], ScratchDesk]
"""Opens a new desk in a place of its own."""


class Scratch:
    """One scratch desk with everybody on it. Everything that it opens, `close` lets go of."""

    def __init__(self, opener: Opener, policy: Policy, *, limits: Limits | None = None) -> None:
        # The policy's own limits would stop a trial before the control that it is about.
        bare = msgspec.structs.replace(policy, limits=limits or Limits())
        policy = msgspec.structs.replace(bare, digest=digest_policy(bare))
        self.policy = policy
        self.world = World()
        self.now = START_MS
        self._serial = 0
        self.desk = opener(policy, stand_ins(policy, self.world), lambda: self.now)
        amounts = [_most(currency) for currency in _currencies(policy)]
        both = ("reviewer", "checker")
        for name in (OWNER, OPERATING, *CHECKERS):
            self.desk.person(name, roles=both, limits=amounts, customers=())
        self.desk.person(REVIEWER, roles=("reviewer",), limits=(), customers=())
        self.desk.person(BENEFICIARY, roles=both, limits=amounts, customers=(FIRST_CUSTOMER,))
        self.desk.agent("agent-1", owner=OWNER, operator=OPERATING)
        self.later(policy.clocks.seasoning_ms + 1_000)

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self.desk.close()

    def later(self, span_ms: int) -> None:
        """Time passes, and what is due is done."""
        self.now += span_ms
        # What one round releases, the next one sends.
        self.desk.work()
        self.desk.work()

    def propose(
        self,
        rule: KindRule,
        situation: Situation,
        *,
        agent: str = "agent-1",
        customer: str = FIRST_CUSTOMER,
        task: Task | None = None,
        same: bool = False,
    ) -> Proposal:
        """An agent asks for it, in a lane that admits it; the content is new, or the `same`."""
        self._serial += not same
        if task is None:
            task = self.task(rule.kind.name, agent=agent, customer=customer)
        self.world.customer = customer
        self.world.facts = dict(situation.facts)
        self.world.next = Record(customer, dict(situation.facts), situation.value, None)
        made = self.desk.propose(task, rule.kind.name, situation.fresh(self._serial))
        return self.row(made.id)

    def task(self, kind: str, *, agent: str = "agent-1", customer: str = FIRST_CUSTOMER) -> Task:
        """A task for one customer, in the first lane that admits the kind."""
        return self.wide_task(kind, agent=agent, customers=(customer,))

    def wide_task(self, kind: str, *, agent: str, customers: Sequence[str]) -> Task:
        """A task for several customers, in the first lane that admits the kind."""
        if agent != "agent-1":
            self.desk.person(f"owner-of-{agent}", roles=("reviewer",), limits=(), customers=())
            self.desk.agent(agent, owner=f"owner-of-{agent}", operator=None)
        lane = lane_of(self.policy, kind)
        return self.desk.task(agent=agent, lane=lane, customers=customers)

    def row(self, id: str) -> Proposal:
        """The action as it is stored."""
        found = self.desk.ctx.store.read(lambda tx: tx.proposals.get(self.desk.id, id))
        assert found is not None
        return found

    def ran(self, row: Proposal) -> bool:
        """Whether it was done in the world; for what runs in the agent, whether it was let go."""
        if self.runs_in_agent(row.kind):
            return self.row(row.id).state in (State.EXECUTING, State.SUCCEEDED)
        return row.id in self.world.done

    def runs_in_agent(self, kind: str) -> bool:
        """Whether the gateway only hands out a permit."""
        rule = self.policy.kinds.get(kind)
        return rule is not None and rule.kind.runs_in_agent

    def says(self, row: Proposal, by: str, verdict: str = "approve") -> str:
        """A person's verdict on what is stored now; the code of the refusal, or ""."""
        row = self.row(row.id)
        try:
            self.desk.review(row.id, verdict, by=by, digest=row.statement, reason="a trial")
        except HandrailError as refusal:
            return refusal.code
        return ""

    def approvers(self, row: Proposal) -> list[str]:
        """Those who may pass it: whom the lot has drawn, or all the checkers."""
        drawn = self.row(row.id).assigned
        return drawn.split(",") if drawn else list(CHECKERS)

    def drive(self, row: Proposal) -> Proposal:
        """Do everything that people and time can do so that it runs."""
        for person in self.approvers(row):
            if self.row(row.id).state is not State.PENDING:
                break
            self.says(row, person)
        if self.row(row.id).state is State.HOLDING:
            self.later(self.policy.clocks.recall_ms)
        return self.row(row.id)

    def refused(self, act: Callable[[], object]) -> str:
        """The code with which something is refused, or "" when it is not."""
        try:
            act()
        except HandrailError as refusal:
            return refusal.code
        return ""

    def tripped(self) -> set[str]:
        """The caps of which the log says that they were met full."""
        desk = self.desk.id

        def look(tx: Any) -> set[str]:
            size = tx.log.size(desk)
            logged = tx.log.latest(desk, before=size, most=size)
            entries = [one.entry for one in logged]
            return {str(e.data.get("cap")) for e in entries if e.tag == Tag.CAP_TRIPPED.value}

        return self.desk.ctx.store.read(look)


def lane_of(policy: Policy, kind: str) -> str | None:
    """The first lane that admits a kind."""
    rule = policy.kinds.get(kind)
    for name, lane in policy.lanes.items():
        known = rule is not None and {ANY_KIND, rule.kind.connector} & set(lane.connectors)
        if {ANY_KIND, kind} & set(lane.kinds) and (known or rule is None):
            return name
    return None


def _currencies(policy: Policy) -> list[str]:
    named = {cap.currency for cap in policy.caps if cap.currency is not None}
    for rule in policy.kinds.values():
        named |= set(rule.bands)
    return sorted(named | {"USD", "JPY", "CHF", "NOK"} & set(EXPONENTS))


def _most(currency: str) -> str:
    return Money(minor=MINOR_MAX, currency=currency).text()
