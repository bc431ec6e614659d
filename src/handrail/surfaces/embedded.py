"""The embedded desk: the whole engine in your process, no server and no threads to manage.

    import handrail

    desk = handrail.open("my-desk")
    task = desk.task(ticket="T-1001")
    action = desk.propose(task, "refund.issue", order="O-1", amount="18.50 USD", reason="damaged")

Every call returns when its effect on the desk is durable. Calls are thread-safe; many threads
share one commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from handrail.core.grade import Grade
from handrail.core.ground import Ground
from handrail.core.halt import Halt, HaltScope
from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.policy import Control
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict
from handrail.core.task import Task
from handrail.engine.access.people import add_principal_unit
from handrail.engine.access.tasks import issue_unit
from handrail.engine.asking.escalate import close_unit, escalate_unit, take_unit, telling
from handrail.engine.asking.quorum import recuse_unit
from handrail.engine.base.context import OPERATOR, Context
from handrail.engine.base.record import RESULT
from handrail.engine.deciding.edit import edit_plan
from handrail.engine.deciding.review import Manner, Opinion, review_unit
from handrail.engine.deciding.testify import Testimony, testify_unit
from handrail.engine.deciding.withdraw import recall_unit
from handrail.engine.governing.halt import Pulled, Stop, clear_halts, lift_unit, pull_unit
from handrail.engine.keeping.checkpoint import sign_checkpoint
from handrail.engine.keeping.erase import erase_unit
from handrail.engine.proposing.advice import advice_of
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import Decided, plan
from handrail.engine.proposing.undo import undo_plan
from handrail.engine.showing.handoff import HandOff, hand_off
from handrail.engine.showing.show import Card, Shown, cards_of, show
from handrail.engine.waiting.sweep import Swept, run_job, run_ready, sweep
from handrail.errors import Conflict, NotFound
from handrail.prove.verify import Report, verify_log
from handrail.store.protocol import Escalation, Tx
from handrail.surfaces.named import one_of

__all__ = ["DEFAULT_AGENT", "OPERATOR", "Action", "Desk"]

DEFAULT_AGENT = "agent"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """Where a proposed action stands, as its caller may see it.

    `says` is what an agent should be told. `digest` is what a review must quote; empty when nobody
    is asked. `result` is the connector's answer once it ran. `permit` and `params` come with an
    action that runs in the caller's own process.
    """

    id: str
    kind: str
    state: State
    grade: Grade
    control: Control
    says: str
    digest: str
    result: dict[str, object] | None = None
    permit: str | None = None
    params: dict[str, object] | None = None


class Desk:
    """One desk, opened by `handrail.open`. Use it as a context manager, or call `close`."""

    def __init__(self, ctx: Context, desk: str, *, on_close: Callable[[], None]) -> None:
        self.ctx = ctx
        self.id = desk
        self._on_close = on_close

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Sign a last checkpoint and let go of the files. Safe to call twice."""
        self._on_close()

    def agent(
        self,
        id: str,
        *,
        owner: str | None = None,
        operator: str | None = None,
        delegator: str | None = None,
    ) -> Principal:
        """The agent of that id; added on first use. `owner` and `operator` are people's ids.

        `delegator` is whom it acts for: a person, or another agent.
        """
        return self._principal(
            id, PrincipalKind.AGENT, owner=owner, operator=operator, delegator=delegator
        )

    def person(
        self,
        id: str,
        *,
        roles: Sequence[str] = ("reviewer",),
        limits: Sequence[str] = (),
        name: str | None = None,
        identity: str | None = None,
        mail: str | None = None,
        customers: Sequence[str] = (),
    ) -> Principal:
        """The person of that id; added on first use.

        `roles` are among reviewer, checker, policy_owner, auditor, admin. `limits` are amounts that
        a checker may pass, one per currency, like "5000.00 USD". `customers` are the ids of their
        own customer accounts.
        """
        known = tuple(one_of(Role, role, "a role") for role in roles)
        amounts = [Money.parse(limit) for limit in limits]
        return self._principal(
            id,
            PrincipalKind.PERSON,
            roles=known,
            limits={amount.currency: amount.minor for amount in amounts},
            name=name,
            identity=identity,
            mail=mail,
            customers=customers,
        )

    def task(
        self,
        *,
        ticket: str | None = None,
        agent: str = DEFAULT_AGENT,
        lane: str | None = None,
        customers: Sequence[str] = (),
    ) -> Task:
        """Issue a task to an agent (added on first use), bound to a ticket and its customers."""
        self.agent(agent)
        unit = issue_unit(
            self.ctx, self.id, agent=agent, lane=lane, ticket=ticket, customers=customers
        )
        return self.ctx.store.write(unit).task

    def propose(
        self,
        task: Task,
        kind: str,
        params: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
        note: str | None = None,
        claim: Grade | None = None,
        **fields: object,
    ) -> Action:
        """Propose an action; it runs at once when the policy lets it. Parameters by name or dict.

        The same `key` with the same content gives the same answer, and never a second effect.
        """
        draft = Draft(
            maker=task.agent,
            kind=kind,
            params={**(params or {}), **fields},
            key=key,
            note=note,
            claim=claim,
        )
        return self._settled(self.ctx.store.write(plan(self.ctx, task, draft)))

    def review(
        self,
        id: str,
        verdict: str,
        *,
        by: str,
        digest: str,
        reason: str = "",
        ground: str | None = None,
        take_back_ms: int = 0,
    ) -> Action:
        """A person's verdict: approve, reject, request_changes, escalate or take_back.

        `digest` is the one of what the person was shown, `ground` a code for why they reject it. An
        approved action runs before this returns, or with `take_back_ms` not before that is over:
        until then whoever approved it can take that back.
        """
        said = one_of(Verdict, verdict, "a verdict")
        why = None if ground is None else one_of(Ground, ground, "a ground")
        opinion = Opinion(person=by, verdict=said, statement=digest, reason=reason, ground=why)
        unit = review_unit(self.ctx, self.id, id, opinion, Manner(take_back_ms=take_back_ms))
        with telling(self.ctx):
            reviewed = self.ctx.store.write(unit)
            if reviewed.state is State.READY:
                reviewed = run_ready(self.ctx, self.id, id)
        return self._action(reviewed)

    def settle(
        self, id: str, *, by: str, done: bool, evidence: str, provider_ref: str | None = None
    ) -> Action:
        """A person says whether an action with an unknown outcome was done, and how they know.

        What moves money takes two people who say the same; until then it stays unknown.
        """
        said = Testimony(person=by, done=done, evidence=evidence, provider_ref=provider_ref)
        return self._action(self.ctx.store.write(testify_unit(self.ctx, self.id, id, said)))

    def edit(
        self,
        id: str,
        params: Mapping[str, object] | None = None,
        *,
        by: str,
        digest: str | None = None,
        **fields: object,
    ) -> Action:
        """A person corrects a waiting action: the new one that takes its place.

        The parameters that change, by name or dict; None leaves one out. `digest` is the one of
        what the person was shown.
        """
        changes = {**(params or {}), **fields}
        unit = edit_plan(self.ctx, self.id, id, editor=by, changes=changes, statement=digest)
        return self._settled(self.ctx.store.write(unit))

    def recuse(self, id: str, *, by: str) -> Action:
        """Somebody who was drawn to check says that they cannot; another one is drawn."""
        return self._action(self.ctx.store.write(recuse_unit(self.ctx, self.id, id, person=by)))

    def get(self, id: str) -> Action:
        """Where an action stands now."""
        return self._action(self._proposal(id))

    def show(self, id: str, *, by: str) -> Shown:
        """The literal artifact, the facts and the history, as this person may see them."""
        viewer = self.ctx.store.read(lambda tx: tx.people.get(self.id, by))
        if viewer is None:
            raise NotFound("principal_not_found", f"there is no person `{by}` on this desk")
        return show(self.ctx, self.id, id, viewer=viewer)

    def queue(self, *, most: int = 50) -> list[Card]:
        """What waits for a person, the most urgent first."""

        def look(tx: Tx) -> list[Card]:
            return cards_of(self.ctx, tx, tx.proposals.queue(self.id, most=most))

        return self.ctx.store.read(look)

    def undo(self, id: str, *, by: str = OPERATOR) -> Action:
        """Reverse an executed action while its undo window is open, as a new action."""
        return self._settled(self.ctx.store.write(undo_plan(self.ctx, self.id, id, maker=by)))

    def escalate(self, task: Task, concern: str, *, action: str | None = None) -> Escalation:
        """Hand the task, or one action of it, to a person. Always allowed."""
        unit = escalate_unit(self.ctx, task, actor=task.agent, concern=concern, proposal=action)
        return self.ctx.store.write(unit)

    def take_escalation(self, id: str, *, by: str) -> Escalation:
        """A person makes an escalation theirs."""
        return self.ctx.store.write(take_unit(self.id, id, person=by))

    def handed_over(self, id: str) -> HandOff:
        """One escalation with the conversation, what ran, what waits and the facts."""
        return hand_off(self.ctx, self.id, id)

    def held(self, *, most: int = 50) -> list[Card]:
        """What is held back and can still be recalled, the first to go out first."""
        return self.ctx.store.read(
            lambda tx: cards_of(self.ctx, tx, tx.proposals.held(self.id, most=most))
        )

    def recall(self, id: str, *, by: str = OPERATOR) -> Action:
        """Take back what is held back, or allowed and has not left yet."""
        return self._action(self.ctx.store.write(recall_unit(self.id, id, by=by)))

    def close_escalation(self, id: str, *, by: str) -> Escalation:
        """A person says that an escalation is dealt with."""
        return self.ctx.store.write(close_unit(self.id, id, person=by))

    def halt(
        self,
        scope: str = "desk",
        target: str = "",
        *,
        by: str = OPERATOR,
        reason: str = "",
    ) -> Pulled:
        """Stop the desk, or one agent, kind, task or customer, at once; what cannot be stopped.

        `scope` is desk, agent, kind, task or customer; `target` names which. Nobody is asked why.
        """
        stop = Stop(scope=one_of(HaltScope, scope, "a scope"), target=target, reason=reason)
        pulled = self.ctx.store.write(pull_unit(self.ctx, self.id, stop, by=by))
        clear_halts(self.ctx)
        return pulled

    def lift(self, id: str, *, by: str, reason: str = "") -> Halt:
        """Another person lets work go on."""
        return self.ctx.store.write(lift_unit(self.id, id, by=by, reason=reason))

    def halts(self) -> list[Halt]:
        """What is stopped now, oldest first."""
        return self.ctx.store.read(lambda tx: tx.halts.list_active(self.id))

    def erase(self, customer: str, *, by: str = OPERATOR) -> bool:
        """Destroy a customer's key: their content is gone, the log still verifies."""
        return self.ctx.store.write(erase_unit(self.id, customer, actor=by))

    def work(self) -> Swept:
        """Do once what time makes due: expiry, recall windows, lost attempts, look-ups."""
        return sweep(self.ctx)

    def checkpoint(self) -> str:
        """Sign the head of the log, and keep the note outside the database."""
        return sign_checkpoint(self.ctx, self.id)

    def verify(self) -> Report:
        """Verify the whole log against the database and the checkpoints kept outside it."""
        signer = self.ctx.signer
        return verify_log(
            self.ctx.store,
            self.id,
            key=signer.verifier,
            verify=signer.verify,
            outside=self.ctx.store.kept_checkpoints(self.id),
        )

    def _settled(self, decided: Decided) -> Action:
        if decided.job is None:
            return self._action(decided.proposal)
        if decided.job.permit is None:
            return self._action(run_job(self.ctx, decided.job))
        action = self._action(decided.proposal)
        return msgspec.structs.replace(action, permit=decided.job.permit, params=decided.job.params)

    def _proposal(self, id: str) -> Proposal:
        found = self.ctx.store.read(lambda tx: tx.proposals.get(self.id, id))
        if found is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        return found

    def _action(self, proposal: Proposal) -> Action:
        result = None
        if proposal.state in (State.SUCCEEDED, State.FAILED):
            data = self.ctx.store.read(lambda tx: tx.vault.get(proposal.desk, proposal.id, RESULT))
            result = None if data is None else msgspec.json.decode(data)
        return Action(
            id=proposal.id,
            kind=proposal.kind,
            state=proposal.state,
            grade=proposal.grade,
            control=proposal.control,
            says=advice_of(proposal),
            digest=proposal.statement,
            result=result,
        )

    def _principal(self, id: str, kind: PrincipalKind, **fields: Any) -> Principal:
        """The known one, or a new one with the fields that `add_principal_unit` takes."""
        known = self.ctx.store.read(lambda tx: tx.people.get(self.id, id))
        if known is None or known.kind is not kind:
            unit = add_principal_unit(self.id, id, kind=kind, actor=OPERATOR, **fields)
            try:
                return self.ctx.store.write(unit)
            except Conflict:
                known = self.ctx.store.read(lambda tx: tx.people.get(self.id, id))
                if known is None or known.kind is not kind:
                    raise
        _check_same(known, fields)
        return known


def _check_same(known: Principal, fields: Mapping[str, Any]) -> None:
    """Refuse to pass over in silence that somebody else answers for an agent that is known."""
    for name in ("owner", "operator", "delegator"):
        said = fields.get(name)
        if said is not None and said != getattr(known, name):
            raise Conflict(
                "principal_exists",
                f"`{known.id}` is known already, and not as an agent that `{said}` answers for",
            )
