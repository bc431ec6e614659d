"""How a policy stands to the one that is active, by meaning, and whether that one still is."""

from __future__ import annotations

import msgspec

from handrail.core.amendment import Amendment
from handrail.core.policy import Policy
from handrail.engine.base.context import Context
from handrail.engine.governing.versions import active_policy, as_stored, opened_policy
from handrail.errors import Conflict, NotFound
from handrail.policy.diff import compare
from handrail.policy.difference import Difference, Direction
from handrail.store.protocol import Tx

__all__ = ["Comparison", "check_still", "check_version", "compared_with_active", "differences_of"]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How many classes and settings get looser or tighter from `base`, which was active then."""

    base: Policy
    looser: int
    tighter: int


def compared_with_active(ctx: Context, desk: str, policy: Policy) -> Comparison:
    """Compare a policy with the active one of a desk. Takes time: never inside a unit."""
    base = ctx.store.read(lambda tx: active_policy(tx, desk))
    found = [one.direction for one in compare(base, as_stored(policy))]
    return Comparison(
        base=base, looser=found.count(Direction.LOOSER), tighter=found.count(Direction.TIGHTER)
    )


def check_still(tx: Tx, desk: str, compared: Comparison) -> None:
    """What was compared with must still be active. Raises Conflict `amendment_stale`."""
    row = tx.desks.get(desk)
    if row is None or row.policy != compared.base.digest:
        raise Conflict("amendment_stale", "another policy was activated just now; look again")


def check_version(policy: Policy, active: Policy) -> None:
    """Raises Conflict `policy_unchanged` for what is active, `policy_version_old` for no later."""
    if policy.digest == active.digest:
        raise Conflict("policy_unchanged", "this very policy is active already")
    # INVARIANT: versions only move forward, also for a text that was active before.
    if policy.version <= active.version:
        raise Conflict(
            "policy_version_old",
            f"its version is {policy.version}, and {active.version} is active: raise `version`",
        )


def differences_of(ctx: Context, amendment: Amendment) -> tuple[Difference, ...]:
    """What an amendment changes: against the active policy, or the one that it was closed on."""

    def look(tx: Tx) -> Policy:
        if amendment.is_open:
            return active_policy(tx, amendment.desk)
        version = tx.desks.policy(amendment.desk, amendment.base)
        if version is None:
            raise NotFound("policy_not_found", "the policy that it was compared with is gone")
        return opened_policy(version.body, version.digest, amendment.desk)

    base = ctx.store.read(look)
    return compare(base, opened_policy(amendment.body, amendment.digest, amendment.desk))
