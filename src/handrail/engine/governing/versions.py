"""The versions of a desk's policy: reading the active one, and writing the next. Only forward."""

from __future__ import annotations

from typing import Final

from handrail.core.canonical import canonical
from handrail.core.entry import Tag
from handrail.core.policy import Policy
from handrail.engine.asking.checkers import roster_of
from handrail.engine.asking.quorum import impossible
from handrail.engine.base.context import Context, Rulebook
from handrail.engine.base.record import Data, note_on_desk
from handrail.errors import NotFound, PolicyInvalid, SetupFailed
from handrail.policy.loader import digest_body, read_body
from handrail.store.protocol import PolicyVersion, Tx

__all__ = [
    "active_policy",
    "active_version",
    "as_stored",
    "opened_policy",
    "take_up",
    "write_version",
]

GAPS_MAX: Final = 5
"""What one refusal names of a policy that a desk's people could not keep."""


def active_version(tx: Tx, desk: str, digest: str) -> PolicyVersion:
    """The stored version of that digest. Raises NotFound `policy_not_found`."""
    active = tx.desks.policy(desk, digest)
    if active is None:
        raise NotFound("policy_not_found", f"the active policy of `{desk}` is gone")
    return active


def active_policy(tx: Tx, desk: str) -> Policy:
    """The policy that is active on a desk. Raises NotFound, and SetupFailed `log_damaged`."""
    row = tx.desks.get(desk)
    if row is None:
        raise NotFound("desk_not_found", f"there is no desk `{desk}`")
    active = active_version(tx, desk, row.policy)
    return opened_policy(active.body, active.digest, desk)


def opened_policy(body: str, digest: str, desk: str) -> Policy:
    """A stored policy. Raises SetupFailed `log_damaged` when it is not the one of that digest."""
    policy = read_body(body)
    if policy.digest != digest or digest_body(body) != digest:
        raise SetupFailed(
            "log_damaged", f"a stored policy of `{desk}` is not the one that was written"
        )
    return policy


def as_stored(policy: Policy) -> Policy:
    """A policy as it is read back from the store, where names stand in canonical order."""
    return read_body(canonical(policy).decode())


def write_version(
    tx: Tx,
    policy: Policy,
    desk: str,
    *,
    actor: str,
    body: str | None = None,
    data: Data | None = None,
    rows: dict[str, str] | None = None,
) -> None:
    """Make a policy the active one, as the next version, inside a running unit, and log it.

    `body` is how it was stored before, maybe by a version that knew fewer settings.
    Raises PolicyInvalid `quorum_impossible` when the desk's people could never decide what it asks
    people to decide.
    """
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
            body=canonical(policy).decode() if body is None else body,
            activated_at=tx.now,
            activated_by=actor,
        )
    )
    said: Data = {
        "policy": policy.digest,
        "name": policy.name,
        "version": version,
        **(data or {}),
    }
    note_on_desk(tx, desk, Tag.POLICY_ACTIVATED, actor=actor, data=said, rows=rows)


def take_up(ctx: Context, active: PolicyVersion) -> None:
    """From here on this process decides by a stored version."""
    policy = opened_policy(active.body, active.digest, active.desk)
    ctx.check_served(policy)
    ctx.rulebooks[active.desk] = Rulebook(policy)
