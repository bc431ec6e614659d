"""Edit: a person corrects a waiting action; a new one takes its place, on the same road.

The new action stays in the task and lane of the old one, keeps at least its guard, and counts its
editor among its makers. An edit may lower an amount and never raise it. Who only lowers one, up to
G2, may pass it as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.core.action import ActionKind, Params, ParamType
from handrail.core.entry import Tag
from handrail.core.lifecycle import Event, State
from handrail.core.money import Money
from handrail.core.principal import PrincipalKind
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict, check_reviewer
from handrail.core.task import Task
from handrail.engine.asking.checkers import bench_of, makers_of
from handrail.engine.base.context import Context
from handrail.engine.base.record import advance, check_unchanged, content_of
from handrail.engine.proposing.prepare import Draft, prepare
from handrail.engine.proposing.propose import Decided, decide_unit
from handrail.errors import Conflict, NotAllowed, NotFound
from handrail.store.protocol import Tx, Unit

__all__ = ["edit_plan", "editable_params"]

_FORMS: Final = frozenset(ParamType) - {ParamType.RECORD}


def edit_plan(
    ctx: Context,
    desk: str,
    id: str,
    *,
    editor: str,
    changes: Mapping[str, object],
    statement: str | None = None,
) -> Unit[Decided]:
    """Prepare a waiting action with some parameters changed; the unit puts it in its place.

    A parameter whose new value is None is left out. `statement` is what the editor was shown.
    Raises NotAllowed `amount_raised`, `not_entitled` and `edit_refused`, Conflict `not_pending`,
    `review_expired` and `stale_digest`, and what preparing raises.
    """
    before, task, params = ctx.store.read(lambda tx: _loaded(ctx, tx, desk, id))
    draft = _draft(ctx, before, task, params, editor=editor, changes=changes)
    ready = prepare(ctx, task, draft)
    _check_value(before.value, ready.value)
    decide = decide_unit(ready)

    def unit(tx: Tx) -> Decided:
        stands = tx.proposals.get(desk, id)
        _check_editor(ctx, tx, before, stands, editor, statement)
        decided = decide(tx)
        if decided.proposal.state is State.REFUSED:
            raise NotAllowed("edit_refused", "the policy refuses what the edit asks for")
        tx.caps.void(desk, id, tx.now)
        advance(
            tx,
            before,
            Event.EDIT,
            Tag.ACTION_SUPERSEDED,
            actor=editor,
            data={"by": decided.proposal.id},
            by_person=True,
            superseded_by=decided.proposal.id,
        )
        return decided

    return unit


def editable_params(ctx: Context, tx: Tx, proposal: Proposal) -> dict[str, str | None]:
    """The parameters of a waiting action that a form can change, as text; none when it cannot be.

    A parameter that was left out is None.
    """
    kind = ctx.rulebook(proposal.desk).kind(proposal.kind)
    if kind is None or proposal.undoes is not None or proposal.state is not State.PENDING:
        return {}
    stored = msgspec.json.decode(content_of(tx, proposal).artifact)["params"]
    params = ctx.rulebook(proposal.desk).parse(proposal.kind, stored)
    return {
        param.name: _text(params.get(param.name)) for param in kind.params if param.type in _FORMS
    }


def _text(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case Money():
            return value.text()
        case _:
            return str(value)


def _loaded(ctx: Context, tx: Tx, desk: str, id: str) -> tuple[Proposal, Task, dict[str, object]]:
    before = tx.proposals.get(desk, id)
    if before is None:
        raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
    if before.state is not State.PENDING:
        raise _too_late(before)
    task = tx.tasks.get(desk, before.task)
    if task is None:
        raise NotFound("task_not_found", f"the task of `{id}` is gone")
    return before, task, msgspec.json.decode(content_of(tx, before).artifact)["params"]


def _draft(
    ctx: Context,
    before: Proposal,
    task: Task,
    params: dict[str, object],
    *,
    editor: str,
    changes: Mapping[str, object],
) -> Draft:
    """What the editor wants done instead; refused when it is nothing, more money, or no edit."""
    rules = ctx.rulebook(before.desk)
    kind = rules.kind(before.kind)
    admitted = rules.decider.admits_kind(before.kind, task.lane)
    if kind is None or before.undoes is not None or not admitted:
        raise NotAllowed("edit_refused", "this action cannot be edited; reject it instead")
    asked = {name: value for name, value in {**params, **changes}.items() if value is not None}
    old, new = rules.parse(before.kind, params), rules.parse(before.kind, asked)
    if new == old:
        raise NotAllowed("edit_refused", "nothing is different; approve it or reject it")
    _check_amounts(kind, old, new)
    return Draft(
        maker=before.agent,
        kind=before.kind,
        params=asked,
        editor=editor,
        replaces=before,
        lowers=_only_lowers(kind, old, new),
    )


def _check_editor(
    ctx: Context,
    tx: Tx,
    before: Proposal,
    stands: Proposal | None,
    editor: str,
    statement: str | None,
) -> None:
    """Whoever may say no may also correct; nobody who has had their say, or saw something else."""
    if stands != before:
        raise Conflict("not_pending", "somebody has decided or changed this action just now")
    prior = check_unchanged(tx, before)
    if before.decide_by is None or tx.now >= before.decide_by:
        raise Conflict("review_expired", "the time to decide has run out; nothing was changed")
    if statement is not None and statement != before.statement:
        raise Conflict(
            "stale_digest", "what you saw is not what is stored now; open the action again"
        )
    person = tx.people.get(before.desk, editor)
    if person is None:
        raise NotAllowed("not_entitled", "only a person of this desk can edit")
    makers, bench = makers_of(tx, before), bench_of(ctx, tx, before)
    if person.kind is not PrincipalKind.PERSON:
        # A service may say no, and puts no words into anybody's mouth.
        raise NotAllowed("not_entitled", "only a person who reviews can edit")
    check_reviewer(before, makers, person, Verdict.REJECT, prior, bench)


def _check_amounts(kind: ActionKind, old: Params, new: Params) -> None:
    for param in kind.params:
        if param.type is ParamType.MONEY:
            before, after = old.get(param.name), new.get(param.name)
            _check_value(
                before if isinstance(before, Money) else None,
                after if isinstance(after, Money) else None,
            )


def _check_value(before: Money | None, after: Money | None) -> None:
    if before == after:
        return
    if before is None or after is None or after.currency != before.currency or after > before:
        raise NotAllowed(
            "amount_raised", "an edit may lower an amount, never raise it or change its currency"
        )


def _only_lowers(kind: ActionKind, old: Params, new: Params) -> bool:
    """Whether nothing is different but a lower amount of what the policy looks at."""
    different = [name for name in {*old, *new} if old.get(name) != new.get(name)]
    return kind.value is not None and different == [kind.value]


def _too_late(before: Proposal) -> Conflict:
    return Conflict("not_pending", f"this action is {before.state.value.lower()} already")
