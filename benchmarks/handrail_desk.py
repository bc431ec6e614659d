"""handrail in this process, on the work that every system in the benchmark does: a $40 refund that
runs alone, and a $120 refund that one person approves.

The outside world is one function in memory, as it is for the other systems. What differs is ours:
each refund has the two facts that its kind needs, is counted under a cap, is sealed under its
customer's key, and leaves its entries in the log.

Alone and from threads it is driven through the embedded API, as a program would; many at once on an
event loop, through the units that the server awaits.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

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
from handrail.core.artifact import Fact, Line
from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.policy import Limits
from handrail.core.review import Verdict
from handrail.core.task import Task
from handrail.engine.base.context import Context
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import Decided, plan
from handrail.engine.running.execute import Job, perform, settle_unit
from handrail.engine.waiting.dispatch import claim_unit
from handrail.engine.waiting.reread import reread
from handrail.policy.loader import digest_policy, load
from handrail.store.protocol import Unit
from handrail.surfaces.embedded import Desk

__all__ = ["CUSTOMER", "GUARDED", "KIND", "ORDER", "POLICY", "SMALL", "RefundDesk", "Till"]

POLICY: Final = Path(__file__).with_name("decisions.yaml")
GUARDED: Final = Path(__file__).with_name("guarded.yaml")
KIND: Final = "refund.issue"
LARGE_KIND: Final = "refund.large"
SMALL: Final = "40.00 USD"
LARGE: Final = "120.00 USD"
REVIEWER: Final = "rita"
CHECKED: Final = "9000000000000.00 USD"
"""More than everything that is approved in a run: a limit is held against the customer's sum."""
CUSTOMER: Final = "C-1001"
ORDER: Final = "A-1001"
DAY_MS: Final = 86_400_000


class Till:
    """A system of record that is one function in memory: what a decision costs, and no more."""

    name = "desk"
    version = "1"

    def kinds(self) -> Mapping[str, Capability]:
        return SERVED

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        amount = params["amount"]
        assert isinstance(amount, Money)
        request = {"order": params["order"], "cents": amount.minor, "currency": amount.currency}
        return Prepared(customer=CUSTOMER, request=request, facts=FACTS)

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        return (
            Line(label="Refund", text=f"{request['cents']} {request['currency']}"),
            Line(label="Order", text=str(request["order"])),
        )

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        result = {"refunded": request["cents"], "order": request["order"]}
        return Receipt(provider_ref=f"re_{key}", result=result)

    def lookup(self, kind: str, key: str) -> Found:
        return Found(looked=Looked.CANNOT_TELL)

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        return Reversal(kind="refund.reverse", params={"refund": receipt.provider_ref})


SERVED: Final = {
    kind: Capability(kind=kind, promise=Promise.KEYED, ttl_ms=DAY_MS, undoable=True)
    for kind in (KIND, LARGE_KIND, "refund.reverse")
}
FACTS: Final = (
    Fact(name="order_owner", value=CUSTOMER, source="orders"),
    Fact(name="refundable", value="1000.00 USD", source="payments"),
)


class RefundDesk:
    """A desk and one task on it, with each operation in two forms: called, and awaited."""

    def __init__(
        self,
        desk: Desk,
        *,
        customer: str = CUSTOMER,
        order: str = ORDER,
        small: str = SMALL,
        large_kind: str = KIND,
    ) -> None:
        self.desk: Final = desk
        self.ctx: Final[Context] = desk.ctx
        self.order, self.small, self.large_kind = order, small, large_kind
        desk.person(REVIEWER, roles=("reviewer", "checker"), limits=(CHECKED,))
        self.task: Final[Task] = desk.task(customers=[customer])

    @classmethod
    def open(cls, folder: Path, *, store: str | None = None) -> Self:
        """A desk in `folder` under the benchmark's policy, with a till; maybe on PostgreSQL."""
        till = Till()
        connectors = {till.name: till}
        return cls(handrail.open(folder, policy=str(POLICY), connectors=connectors, store=store))

    @classmethod
    def open_guarded(cls, folder: Path) -> Self:
        """The same with every cap, sum and limit, and a checker for what waits."""
        till = Till()
        desk = handrail.open(folder, policy=str(GUARDED), connectors={till.name: till})
        return cls(desk, large_kind=LARGE_KIND)

    @classmethod
    def open_shipped(cls, folder: Path) -> Self:
        """A desk as it is shipped: the embedded desk's database, the policy `support-desk`.

        The amount is one cent, so that no cap runs out; the same refund thousands of times is what
        its limits and its sums are there to stop, so both are left out. Decide only: the facts of a
        refund sum up the customer's earlier ones, of which nobody has thousands.
        """
        policy = msgspec.structs.replace(load("support-desk"), limits=Limits(), accumulation=None)
        policy = msgspec.structs.replace(policy, digest=digest_policy(policy))
        desk = handrail.open(folder, policy=policy)
        return cls(desk, customer="C-1005", order="O-5005", small="0.01 USD")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.desk.close()

    def decide(self) -> None:
        """A refund that runs alone: durable with its intent when this returns."""
        _must_run(self.ctx.store.write(self._planned(self.small)))

    def decide_and_execute(self) -> None:
        """The same, executed and settled."""
        _must_be(self._propose(self.small).state, State.SUCCEEDED)

    def approve(self) -> None:
        """A refund that waits, is approved, claimed, executed and settled."""
        waiting = self._propose(LARGE)
        _must_be(waiting.state, State.PENDING)
        desk = self.desk
        done = desk.review(waiting.id, "approve", by=REVIEWER, digest=waiting.digest)
        _must_be(done.state, State.SUCCEEDED)

    async def decide_soon(self) -> None:
        """`decide`, awaited."""
        _must_run(await self.ctx.store.submit(self._planned(self.small)))

    async def decide_and_execute_soon(self) -> None:
        """`decide_and_execute`, awaited."""
        decided = await self.ctx.store.submit(self._planned(self.small))
        await self._execute_soon(_must_run(decided))

    async def approve_soon(self) -> None:
        """`approve`, awaited."""
        ctx, desk = self.ctx, self.desk.id
        waiting = (await ctx.store.submit(self._planned(LARGE))).proposal
        opinion = Opinion(person=REVIEWER, verdict=Verdict.APPROVE, statement=waiting.statement)
        # as the server does it: once it is approved, it is read again and claimed
        await ctx.store.submit(review_unit(ctx, desk, waiting.id, opinion))
        seen = reread(ctx, desk, waiting.id)
        stands, job = await ctx.store.submit(claim_unit(ctx, desk, waiting.id, seen))
        if job is None:
            raise RuntimeError(f"it was not claimed: {stands.state}")
        await self._execute_soon(job)

    async def wait_soon(self) -> None:
        """A refund that waits for a person, and goes on waiting."""
        decided = await self.ctx.store.submit(self._planned(LARGE))
        _must_be(decided.proposal.state, State.PENDING)

    async def _execute_soon(self, job: Job) -> None:
        effect = perform(self.ctx, job)
        settled = await self.ctx.store.submit(settle_unit(self.ctx, job, effect))
        _must_be(settled.state, State.SUCCEEDED)

    def _planned(self, amount: str) -> Unit[Decided]:
        draft = Draft(
            maker=self.task.agent,
            kind=self.large_kind if amount == LARGE else KIND,
            params={"order": self.order, "amount": amount, "reason": "damaged"},
            key=uuid.uuid4().hex,
        )
        return plan(self.ctx, self.task, draft)

    def _propose(self, amount: str) -> handrail.Action:
        return self.desk.propose(
            self.task,
            self.large_kind if amount == LARGE else KIND,
            key=uuid.uuid4().hex,
            order=self.order,
            amount=amount,
            reason="damaged",
        )


def _must_run(decided: Decided) -> Job:
    if decided.job is None:
        raise RuntimeError(f"it does not run: {decided.proposal.state}")
    return decided.job


def _must_be(state: State, wanted: State) -> None:
    if state is not wanted:
        raise RuntimeError(f"it is {state.value}, not {wanted.value}")
