"""Desks: making one, following its active policy, and what a start-up with another policy does."""

from __future__ import annotations

from handrail.core.entry import Tag
from handrail.core.policy import Policy
from handrail.engine.base.context import Context, Rulebook
from handrail.engine.base.record import Data, note_on_desk
from handrail.engine.governing.amendment import offer_policy
from handrail.engine.governing.candidates import follow_candidates
from handrail.engine.governing.versions import active_version, take_up, write_version
from handrail.store.protocol import DeskRow, PolicyVersion, Tx, Unit

__all__ = [
    "activate_policy",
    "follow_desks",
    "follow_policy",
    "open_desk",
    "resume_desks",
]


def open_desk(ctx: Context, desk: str, policy: Policy, *, actor: str) -> None:
    """Make the desk if it is new. On one that exists, `policy` is compared with the active one.

    Where somebody on the desk may approve policies, only what is nowhere looser, and of a higher
    version, is made active; anything else leaves the active one in force and is told to people.
    """
    ctx.check_served(policy)
    row = ctx.store.read(lambda tx: tx.desks.get(desk))
    if row is None:
        ctx.store.write(_new_desk_unit(desk, actor))
    if row is None or row.policy == "":
        activate_policy(ctx, desk, policy, actor=actor)
    elif row.policy == policy.digest:
        ctx.rulebooks[desk] = Rulebook(policy)
    else:
        offered = offer_policy(ctx, desk, policy, actor=actor)
        if offered is not None:
            activate_policy(ctx, desk, policy, actor=actor, data=offered)


def activate_policy(
    ctx: Context, desk: str, policy: Policy, *, actor: str, data: Data | None = None
) -> None:
    """Make `policy` the active one of a desk, as a new version in the log.

    WHY NOT: for a change by people. It asks nobody; `engine.governing.amendment` does. Raises
    PolicyInvalid `quorum_impossible` when the desk's people could never decide what it asks people
    to decide.
    """
    ctx.check_served(policy)
    rulebook = Rulebook(policy)

    def unit(tx: Tx) -> None:
        tx.amendments.lock(desk)
        latest = tx.desks.latest_policy(desk)
        if latest is not None and latest.digest == policy.digest:
            return  # another process was quicker
        write_version(tx, policy, desk, actor=actor, data=data)

    ctx.store.write(unit)
    ctx.rulebooks[desk] = rulebook


def resume_desks(ctx: Context) -> None:
    """Load the active policy of every desk that the store knows."""

    def look(tx: Tx) -> list[PolicyVersion]:
        return [active_version(tx, row.id, row.policy) for row in tx.desks.all()]

    for active in ctx.store.read(look):
        take_up(ctx, active)
    follow_candidates(ctx)


def follow_desks(ctx: Context) -> None:
    """Take up what was activated since, here or elsewhere: policies, and desks."""

    def look(tx: Tx) -> list[PolicyVersion]:
        return [
            active_version(tx, row.id, row.policy)
            for row in tx.desks.all()
            if row.policy != "" and _differs(ctx, row.id, row.policy)
        ]

    for active in ctx.store.read(look):
        take_up(ctx, active)
    follow_candidates(ctx)


def follow_policy(tx: Tx, ctx: Context, desk: str) -> None:
    """Inside a unit: from here on `ctx.rulebook(desk)` is what is active in this transaction."""
    digest = tx.active.get(desk)
    if digest is not None and _differs(ctx, desk, digest):
        take_up(ctx, active_version(tx, desk, digest))


def _differs(ctx: Context, desk: str, digest: str) -> bool:
    known = ctx.rulebooks.get(desk)
    return known is None or known.policy.digest != digest


def _new_desk_unit(desk: str, actor: str) -> Unit[None]:
    def unit(tx: Tx) -> None:
        if tx.desks.get(desk) is not None:
            return  # another process was quicker
        tx.desks.add(DeskRow(id=desk, name=desk, created_at=tx.now))
        note_on_desk(tx, desk, Tag.DESK_OPENED, actor=actor)

    return unit
