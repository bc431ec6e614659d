"""The gateway that API and console share: the use cases, for callers in an event loop.

Each call writes through the store's group commit and hands what may run to the runner. When a
caller's task is cancelled in the middle, what it wrote still runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from handrail.core.lifecycle import State
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.access.tasks import IssuedTask, check_task, issue_unit
from handrail.engine.asking.quorum import recuse_unit
from handrail.engine.base.context import AGENT_CONNECTOR, Context
from handrail.engine.deciding.edit import edit_plan
from handrail.engine.deciding.review import Manner, Opinion, review_unit
from handrail.engine.deciding.testify import Testimony, testify_unit
from handrail.engine.deciding.withdraw import withdraw_unit
from handrail.engine.governing.halt import Pulled, Stop, clear_halts, pull_unit
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import Decided, plan
from handrail.engine.proposing.undo import undo_plan
from handrail.engine.running.execute import Effect, Job
from handrail.engine.running.permit import receipt_unit
from handrail.engine.waiting.dispatch import claim_unit
from handrail.engine.waiting.reread import reread
from handrail.errors import (
    Conflict,
    HandrailError,
    InvariantBroken,
    NotAuthenticated,
    NotFound,
)
from handrail.store.protocol import Means, Session, Ticket, Tx, Unit
from handrail.surfaces.api.runner import Runner
from handrail.surfaces.auth import Logins, renew
from handrail.surfaces.provider import TAKE_BACK_MS, Door, Provider

__all__ = ["Gateway"]

PROMPT_CONNECTORS: Final = frozenset(("desk", AGENT_CONNECTOR))
"""Connectors whose `prepare` answers from this machine: asked from the event loop itself.

A change of thread would cost more than the answer. Every other connector is asked from a thread.
"""

_BY_PEOPLE: Final = Manner(take_back_ms=TAKE_BACK_MS, retypes=True, watched=True)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """One serving handrail over all desks of a store. `desk` is meant when nobody names one.

    `address` is where people's browsers reach it, like `https://desk.example.com`; without one it
    is whatever address a request was sent to. `provider` is where people log in, beside here.

    `manner` is how people's verdicts are taken here.

    `answered` counts answers by (path, method, status) for the metrics.
    """

    ctx: Context
    desk: str
    runner: Runner
    address: str | None = None
    provider: Provider | None = None
    manner: Manner = _BY_PEOPLE
    logins: Logins = field(default_factory=Logins)
    answered: dict[tuple[str, str, int], int] = field(default_factory=dict)

    @classmethod
    def over(cls, ctx: Context, desk: str, door: Door | None = None) -> Gateway:
        """A gateway over an opened store. Its runner is started by the application's lifespan."""
        at = Door() if door is None else door
        provider = None
        if at.provider is not None:
            provider = Provider(at.provider, clock=ctx.clock, entropy=ctx.entropy)
        runner = Runner(ctx)
        manner = msgspec.structs.replace(_BY_PEOPLE, take_back_ms=at.take_back_ms)
        return cls(
            ctx=ctx,
            desk=desk,
            runner=runner,
            address=at.address,
            provider=provider,
            manner=manner,
        )

    def origin(self, scheme: str, host: str) -> str:
        """The origin that a browser names for this console, given how a request came in."""
        return self.address or f"{scheme}://{host}"

    async def issue_task(
        self, agent: Principal, *, lane: str | None, ticket: str | None
    ) -> IssuedTask:
        """Issue a task to an agent; the customer behind the ticket is read from the helpdesk."""
        self.runner.check_working()
        issue = partial(
            issue_unit,
            self.ctx,
            agent.desk,
            agent=agent.id,
            lane=lane,
            ticket=ticket,
            by_agent=True,
        )
        return await self.ctx.store.submit(await self.runner.call(issue))

    async def propose(self, task: Task, draft: Draft) -> Decided:
        """Decide and record an action; its job, if any, is under way when this returns."""
        runner = self.runner
        runner.check_working()
        await runner.room()
        ticket = self.ctx.store.submit(await self._planned(task, draft))
        return await self._started(ticket)

    async def propose_all(
        self, task: Task, drafts: Sequence[Draft | HandrailError]
    ) -> list[Decided | HandrailError]:
        """Decide many actions in one group commit, each for itself.

        An error among the drafts, or of one of them, stands in its place in the answer.
        """
        self.runner.check_working()
        await self.runner.room()
        planned = await self._all_planned(task, drafts)
        # All of them are queued before the first is waited for: one commit takes them all.
        tickets = [
            unit if isinstance(unit, HandrailError) else self.ctx.store.submit(unit)
            for unit in planned
        ]
        return await asyncio.shield(self.runner.spawn(self._started_all(tickets)))

    async def review(self, desk: str, id: str, opinion: Opinion) -> Proposal:
        """Count a person's verdict. An action that it lets run is read again and claimed: at once
        where nobody can take that back, else by the chores once that time is over.

        Raises what `engine.deciding.review.review_unit` raises where handrail shows the action
        itself.
        """
        self.runner.check_working()
        reviewed = self.runner.spawn(self._reviewed(desk, id, opinion))
        return await asyncio.shield(reviewed)

    async def reviewed(
        self, session: Session, id: str, opinion: Opinion
    ) -> tuple[str | None, Proposal]:
        """`review` by the person of a session, whose token changes if a passkey signed.

        The new token, or None when none had to sign.
        """
        proposal = await self.review(session.desk, id, opinion)
        signed = opinion.signed
        if signed is None or not self.ctx.store.read(
            lambda tx: any(
                one.nonce == signed.nonce for one in tx.passkeys.assertions(session.desk, id)
            )
        ):
            return None, proposal
        try:
            return await renew(self.ctx, session, Means.PASSKEY), proposal
        except NotAuthenticated:
            # It was ended meanwhile; what was decided stands.
            return None, proposal

    async def _reviewed(self, desk: str, id: str, opinion: Opinion) -> Proposal:
        """The verdict and what follows from it, also when its caller has gone away meanwhile."""
        unit = review_unit(self.ctx, desk, id, opinion, self.manner)
        proposal = await self.ctx.store.submit(unit)
        kind = self.ctx.rulebook(desk).kind(proposal.kind)
        waits = proposal.state is not State.READY or proposal.waits_out(self.ctx.clock())
        if waits or kind is None or kind.runs_in_agent:
            self.runner.wake(id)
            return proposal
        stands = await self.runner.claim(desk, id, prompt=kind.connector in PROMPT_CONNECTORS)
        return proposal if stands is None else stands

    async def testify(self, desk: str, id: str, said: Testimony) -> Proposal:
        """Take down what a person says became of an action whose outcome is not known."""
        self.runner.check_working()
        return await self.moved(testify_unit(self.ctx, desk, id, said))

    async def edit(
        self, desk: str, id: str, *, editor: str, changes: Mapping[str, object], digest: str
    ) -> Proposal:
        """Put a corrected action in the place of a waiting one; the new one."""
        self.runner.check_working()
        planned = partial(
            edit_plan, self.ctx, desk, id, editor=editor, changes=changes, statement=digest
        )
        decided = await self.ctx.store.submit(await self.runner.call(planned))
        self.runner.wake(id)
        return decided.proposal

    async def recuse(self, desk: str, id: str, *, person: str) -> Proposal:
        """Draw another one for somebody who was drawn to check and cannot."""
        return await self.ctx.store.submit(recuse_unit(self.ctx, desk, id, person=person))

    async def undo(self, desk: str, id: str, *, maker: str) -> Decided:
        """Reverse an executed action, as a new action on the same road."""
        self.runner.check_working()
        await self.runner.room()
        unit = await self.runner.call(partial(undo_plan, self.ctx, desk, id, maker=maker))
        return await self._started(self.ctx.store.submit(unit))

    async def claim(self, task: Task, id: str) -> tuple[Proposal, Job | None]:
        """Take up an action that runs in the agent's process; the job carries its permit."""
        self.runner.check_working()

        def unit(tx: Tx) -> tuple[Proposal, Job | None]:
            proposal = tx.proposals.get(task.desk, id)
            if proposal is None or proposal.task != task.id:
                raise NotFound("proposal_not_found", f"there is no action `{id}` in this task")
            check_task(tx, task)
            kind = self.ctx.rulebook(task.desk).kind(proposal.kind)
            if kind is None or not kind.runs_in_agent:
                raise Conflict("not_pending", "handrail runs this kind of action itself")
            if proposal.state is not State.READY:
                stands = proposal.state.value.lower()
                raise Conflict("not_pending", f"this action is {stands}, not ready to be taken up")
            return claim_unit(self.ctx, task.desk, id, seen)(tx)

        # What runs in the agent's process is read from nobody, so it may be read here.
        seen = reread(self.ctx, task.desk, id)
        return await self.ctx.store.submit(unit)

    async def receipt(self, task: Task, id: str, *, permit: str, effect: Effect) -> Proposal:
        """Settle what ran in the agent's process, by its single-use permit."""
        self.runner.check_working()
        unit = receipt_unit(self.ctx, task.desk, id, task=task.id, permit=permit, effect=effect)
        return await self.moved(unit)

    async def halt(self, desk: str, stop: Stop, *, by: str) -> Pulled:
        """Stop something at once. Taken also when the worker has stopped."""
        pulled = await self.ctx.store.submit(pull_unit(self.ctx, desk, stop, by=by))
        # What the halt leaves to do is done beside the answer, and by every sweep again.
        self.runner.spawn(self._cleared())
        return pulled

    async def _cleared(self) -> None:
        await self.runner.chore(partial(clear_halts, self.ctx))
        self.runner.wake_all()

    async def withdraw(self, task: Task, id: str) -> Proposal:
        """Take back what has not run yet."""
        self.runner.check_working()
        return await self.moved(withdraw_unit(task.desk, id, actor=task.agent, task=task.id))

    async def moved(self, unit: Unit[Proposal]) -> Proposal:
        """Run a unit that moves one action, and wake who waits for it."""
        moved = await self.ctx.store.submit(unit)
        self.runner.wake(moved.id)
        return moved

    async def _planned(self, task: Task, draft: Draft) -> Unit[Decided]:
        """Read the facts: here when they are at hand, else in a thread."""
        if self._at_hand(task, draft):
            return plan(self.ctx, task, draft)
        return await self.runner.call(partial(plan, self.ctx, task, draft))

    def _at_hand(self, task: Task, draft: Draft) -> bool:
        kind = self.ctx.rulebook(task.desk).kind(draft.kind)
        return kind is None or kind.runs_in_agent or kind.connector in PROMPT_CONNECTORS

    async def _all_planned(
        self, task: Task, drafts: Sequence[Draft | HandrailError]
    ) -> list[Unit[Decided] | HandrailError]:
        """The facts of many: one after the other when they are at hand, else side by side."""
        slow = [
            not isinstance(draft, HandrailError) and not self._at_hand(task, draft)
            for draft in drafts
        ]
        if any(slow):
            return list(
                await asyncio.gather(*(self._planned_or_not(task, draft) for draft in drafts))
            )
        return [await self._planned_or_not(task, draft) for draft in drafts]

    async def _planned_or_not(
        self, task: Task, draft: Draft | HandrailError
    ) -> Unit[Decided] | HandrailError:
        if isinstance(draft, HandrailError):
            return draft
        try:
            return await self._planned(task, draft)
        except InvariantBroken:
            raise
        except HandrailError as error:
            return error

    async def _started(self, ticket: Ticket[Decided]) -> Decided:
        """The decision once it is durable, with its job handed to the runner."""
        try:
            decided = await ticket
        except asyncio.CancelledError:
            # INVARIANT: a claim that is committed is performed, whoever has gone away meanwhile.
            self.runner.spawn(self._started(ticket))
            raise
        if decided.job is not None:
            self.runner.start_job(decided.job)
        if decided.proposal.undoes is not None:
            self.runner.wake(decided.proposal.undoes)
        if decided.proposal.state is State.PENDING:
            self.runner.wake(decided.proposal.id)
        return decided

    async def _started_all(
        self, tickets: Sequence[Ticket[Decided] | HandrailError]
    ) -> list[Decided | HandrailError]:
        answers: list[Decided | HandrailError] = []
        for ticket in tickets:
            if isinstance(ticket, HandrailError):
                answers.append(ticket)
                continue
            try:
                answers.append(await self._started(ticket))
            except InvariantBroken as error:
                self.runner.break_down(error)
                answers.append(error)
            except HandrailError as error:
                answers.append(error)
        return answers
