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
from handrail.errors import NotFound, PolicyInvalid, SetupFailed
from handrail.policy.loader import digest_body
from handrail.store.protocol import DeskRow, PolicyVersion, Tx, Unit

__all__ = ["activate_policy", "open_desk", "resume_desks"]

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

    def look(tx: Tx) -> list[tuple[str, str, str]]:
        found = []
        for desk in tx.desks.all():
            active = tx.desks.policy(desk.id, desk.policy)
            if active is None:
                raise NotFound("policy_not_found", f"the active policy of `{desk.id}` is gone")
            found.append((desk.id, active.digest, active.body))
        return found

    for desk, digest, body in ctx.store.read(look):
        policy = msgspec.json.decode(body, type=Policy)
        if policy.digest != digest or digest_body(body) != digest:
            raise SetupFailed(
                "log_damaged", f"the stored policy of `{desk}` is not the one that was activated"
            )
        ctx.check_served(policy)
        ctx.rulebooks[desk] = Rulebook(policy)


def _new_desk_unit(desk: str, actor: str) -> Unit[None]:
    def unit(tx: Tx) -> None:
        tx.desks.add(DeskRow(id=desk, name=desk, created_at=tx.now))
        entry = Entry(at=tx.now, desk=desk, tag=Tag.DESK_OPENED.value, actor=actor)
        tx.log.append(entry, by_person=True)

    return unit
