"""Read again: what an action that waited would do, and on which facts, right before it may run.

It happens outside any transaction. What was found goes into the claiming unit as a proof for this
very content: a claim without one, or with one of another round, claims nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec
from msgspec.structs import astuple

from handrail.core.action import ActionKind
from handrail.core.artifact import Fact
from handrail.core.canonical import canonical
from handrail.core.lifecycle import State
from handrail.core.pause import pause_ms
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.engine.base.circuits import spread_of
from handrail.engine.base.context import Context
from handrail.engine.base.record import Content, content_of
from handrail.engine.governing.halt import halt_over
from handrail.engine.proposing.prepare import Draft, Plan, prepare
from handrail.engine.waiting.ask_again import Again
from handrail.errors import HandrailError, InvalidInput, InvariantBroken, Unavailable
from handrail.store.protocol import Tx

__all__ = ["Answered", "Reread", "reread"]

READ_AGAIN_MS: Final = 1_000
"""The pause after the first time that nobody answered; it doubles up to `READ_AGAIN_MS_MAX`."""
READ_AGAIN_MS_MAX: Final = 60_000
_GONE: Final = frozenset(("subject_unknown", "connector_refused"))


class Answered(Enum):
    """What came of asking the system of record again."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"
    NOTHING = "nothing"


class Reread(msgspec.Struct, frozen=True, kw_only=True):
    """What was read again, for the content with this digest.

    `why` says what changed, or the code with which the system of record refuses it now; `plan` is
    the action as it would be decided now, and `same_request` whether it would send the same. GONE:
    it cannot be done at all any more. NOTHING: nobody answered.
    """

    digest: str
    answered: Answered
    why: str = ""
    plan: Plan | None = None
    same_request: bool = True


def reread(ctx: Context, desk: str, id: str) -> Reread | None:
    """Read an action's request and facts again and compare them with what is stored.

    Of what runs in the agent's process nothing is asked; only the policy is. None when the action
    is not READY, is stopped, is of no kind any more, or cannot be opened: the claim says why.
    """
    loaded = ctx.store.read(lambda tx: _loaded(tx, ctx, desk, id))
    if loaded is None:
        return None
    proposal, content, task = loaded
    stored = msgspec.json.decode(content.artifact)
    draft = Draft(
        maker=proposal.agent, kind=proposal.kind, params=stored["params"], undoes=proposal.undoes
    )
    try:
        plan = prepare(ctx, task, draft)
    except InvariantBroken:
        raise
    except InvalidInput as error:
        why = error.code if error.code in _GONE else Again.POLICY_TIGHTENED.value
        return Reread(digest=proposal.digest, answered=Answered.GONE, why=why)
    except HandrailError:
        tries = ctx.circuits.tries(desk, id)
        pause = min(pause_ms(READ_AGAIN_MS, tries + 1, spread_of(id, tries)), READ_AGAIN_MS_MAX)
        ctx.circuits.pause(desk, id, ctx.clock() + pause)
        return Reread(digest=proposal.digest, answered=Answered.NOTHING)
    ctx.circuits.forget(desk, id)
    return _compared(proposal, content, stored, plan)


def _compared(
    proposal: Proposal, content: Content, stored: dict[str, object], plan: Plan
) -> Reread:
    why = _difference(plan, plan.kind, stored, content)
    if why is None:
        return Reread(digest=proposal.digest, answered=Answered.SAME, plan=plan)
    if why is Again.TARGET_CHANGED and plan.prepared.customer != stored["customer"]:
        # WHY NOT: ask again. It would be about somebody whom nobody has looked at.
        return Reread(digest=proposal.digest, answered=Answered.GONE, why=why.value)
    return Reread(
        digest=proposal.digest,
        answered=Answered.CHANGED,
        why=why.value,
        plan=plan,
        same_request=canonical(plan.prepared.request) == canonical(stored["request"]),
    )


def _loaded(tx: Tx, ctx: Context, desk: str, id: str) -> tuple[Proposal, Content, Task] | None:
    proposal = tx.proposals.get(desk, id)
    if proposal is None or proposal.state is not State.READY:
        return None
    if ctx.rulebook(desk).kind(proposal.kind) is None or halt_over(tx, proposal) is not None:
        return None
    task = tx.tasks.get(desk, proposal.task)
    try:
        content = content_of(tx, proposal)
    except Unavailable:
        return None
    return None if task is None else (proposal, content, task)


def _difference(
    plan: Plan, kind: ActionKind | None, stored: dict[str, object], content: Content
) -> Again | None:
    """The gravest thing that differs: who carries it out, what would be sent, what is known."""
    if kind is None or (kind.connector, plan.version) != (
        stored["connector"],
        stored["connector_version"],
    ):
        return Again.CONNECTOR_CHANGED
    prepared = plan.prepared
    if prepared.customer != stored["customer"] or canonical(prepared.request) != canonical(
        stored["request"]
    ):
        return Again.TARGET_CHANGED
    if _conditions(prepared.facts, prepared.background) != _conditions(
        content.facts, prepared.background
    ):
        return Again.STALE
    shown, was = sorted(map(astuple, plan.lines)), sorted(map(astuple, content.lines))
    return None if shown == was else Again.CONNECTOR_CHANGED


def _conditions(facts: tuple[Fact, ...], background: tuple[str, ...]) -> list[tuple[str, str, str]]:
    return sorted(
        (fact.name, repr(fact.value), fact.against or "")
        for fact in facts
        if fact.name not in background
    )
