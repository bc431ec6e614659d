"""Desks: making one, and making a policy the active one."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.canonical import canonical
from handrail.core.entry import Entry, Tag
from handrail.core.policy import Policy
from handrail.engine.bench import roster_of
from handrail.engine.context import Context, Rulebook
from handrail.engine.quorum import impossible
from handrail.engine.shadow import follow_candidates
from handrail.errors import NotFound, PolicyInvalid, SetupFailed
from handrail.policy.loader import digest_body
from handrail.store.protocol import DeskRow, PolicyVersion, Tx, Unit

__all__ = [
    "activate_policy",
    "follow_desks",
    "follow_policy",
    "open_desk",
    "resume_desks",
]

GAPS_MAX: Final = 5
"""What one refusal names of a policy that a desk's people could not keep."""


def open_desk(ctx: Context, desk: str, policy: Policy, *, actor: str) -> None:
    """Make the desk if it is new, and make `policy` its active one if it is another."""
    ctx.check_served(policy)
    row = ctx.store.read(lambda tx: tx.desks.get(desk))
    if row is None:
        ctx.store.write(_new_desk_unit(desk, actor))
    if row is None or row.policy != policy.digest:
        activate_policy(ctx, desk, policy, actor=actor)
    else:
        ctx.rulebooks[desk] = Rulebook(policy)


def activate_policy(ctx: Context, desk: str, policy: Policy, *, actor: str) -> None:
    """Make `policy` the active one of a desk, as a new version in the log.

    Raises PolicyInvalid `quorum_impossible` when the desk's people could never decide what it asks
    people to decide.
    """
    ctx.check_served(policy)
    rulebook = Rulebook(policy)

    def unit(tx: Tx) -> None:
        gaps = impossible(policy, roster_of(tx, desk))
        if gaps:
            raise PolicyInvalid("quorum_impossible", "; ".join(gaps[:GAPS_MAX]))
        latest = tx.desks.latest_policy(desk)
        if latest is not None and latest.digest == policy.digest:
            return  # another process was quicker
        version = 1 if latest is None else latest.version + 1
        tx.desks.activate(
            PolicyVersion(
                desk=desk,
                version=version,
                digest=policy.digest,
                name=policy.name,
                body=canonical(policy).decode(),
                activated_at=tx.now,
                activated_by=actor,
            )
        )
        data: dict[str, str | int | bool | None] = {
            "policy": policy.digest,
            "name": policy.name,
            "version": version,
        }
        entry = Entry(at=tx.now, desk=desk, tag=Tag.POLICY_ACTIVATED.value, actor=actor, data=data)
        tx.log.append(entry, by_person=True)

    ctx.store.write(unit)
    ctx.rulebooks[desk] = rulebook


def resume_desks(ctx: Context) -> None:
    """Load the active policy of every desk that the store knows."""

    def look(tx: Tx) -> list[PolicyVersion]:
        return [_active_version(tx, row.id, row.policy) for row in tx.desks.all()]

    for active in ctx.store.read(look):
        _take_up(ctx, active)
    follow_candidates(ctx)


def follow_desks(ctx: Context) -> None:
    """Take up what other processes have activated since: policies, and desks."""

    def look(tx: Tx) -> list[PolicyVersion]:
        return [
            _active_version(tx, row.id, row.policy)
            for row in tx.desks.all()
            if row.policy != "" and _differs(ctx, row.id, row.policy)
        ]

    for active in ctx.store.read(look):
        _take_up(ctx, active)
    follow_candidates(ctx)


def follow_policy(tx: Tx, ctx: Context, desk: str) -> None:
    """Inside a unit: from here on `ctx.rulebook(desk)` is what is active in this transaction."""
    digest = tx.active.get(desk)
    if digest is not None and _differs(ctx, desk, digest):
        _take_up(ctx, _active_version(tx, desk, digest))


def _differs(ctx: Context, desk: str, digest: str) -> bool:
    known = ctx.rulebooks.get(desk)
    return known is None or known.policy.digest != digest


def _active_version(tx: Tx, desk: str, digest: str) -> PolicyVersion:
    active = tx.desks.policy(desk, digest)
    if active is None:
        raise NotFound("policy_not_found", f"the active policy of `{desk}` is gone")
    return active


def _take_up(ctx: Context, active: PolicyVersion) -> None:
    policy = msgspec.json.decode(active.body, type=Policy)
    if policy.digest != active.digest or digest_body(active.body) != active.digest:
        raise SetupFailed(
            "log_damaged", f"the stored policy of `{active.desk}` is not the one that was activated"
        )
    ctx.check_served(policy)
    ctx.rulebooks[active.desk] = Rulebook(policy)


def _new_desk_unit(desk: str, actor: str) -> Unit[None]:
    def unit(tx: Tx) -> None:
        if tx.desks.get(desk) is not None:
            return  # another process was quicker
        tx.desks.add(DeskRow(id=desk, name=desk, created_at=tx.now))
        entry = Entry(at=tx.now, desk=desk, tag=Tag.DESK_OPENED.value, actor=actor)
        tx.log.append(entry, by_person=True)

    return unit
