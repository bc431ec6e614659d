"""The policy room: what is in force, what was before it, and what is proposed."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.amendment import Amendment
from handrail.core.policy import Policy
from handrail.core.principal import Role
from handrail.engine.base.context import GATEWAY, OPERATOR
from handrail.engine.governing.amendment import check_reader
from handrail.engine.governing.versions import opened_policy
from handrail.errors import NotFound
from handrail.policy.difference import Difference, Direction, PlainDifference, plain_of
from handrail.policy.loader import load_text
from handrail.policy.packs import pack_names, pack_text
from handrail.policy.written import written
from handrail.store.protocol import PolicyVersion, Tx
from handrail.surfaces.console.pages import Visitor
from handrail.surfaces.console.policy.readable import shown_policy

__all__ = [
    "Choice",
    "ShownChanges",
    "changes_of",
    "choice_of",
    "choices_of",
    "owns_policies",
    "policy",
    "version",
    "who_text",
]

PROPOSALS_MOST: Final = 50
VERSIONS_MOST: Final = 50
DIFFERENCES_MOST: Final = 200
"""What one page lists of each direction; it says how many more there are."""
_NOBODY: Final = {
    OPERATOR: "the operator",
    GATEWAY: "the server, when it was due",
}


class ShownChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What one policy changes against another, by direction, as far as a page lists it."""

    looser: tuple[PlainDifference, ...]
    tighter: tuple[PlainDifference, ...]
    different: tuple[PlainDifference, ...]
    looser_all: int
    tighter_all: int
    different_all: int


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that can be chosen on a form: the active one, a pack, a proposal."""

    value: str
    words: str


def owns_policies(visitor: Visitor) -> bool:
    """Whether this person proposes and approves policies."""
    return Role.POLICY_OWNER in visitor.person.roles


async def policy(visitor: Visitor) -> Response:
    """The page of the active policy, with what is proposed and what was before."""
    check_reader(visitor.person)
    ctx, desk = visitor.gateway.ctx, visitor.desk

    def look(tx: Tx) -> tuple[list[PolicyVersion], list[Amendment], str]:
        row = tx.desks.get(desk)
        active = "" if row is None else row.policy
        return tx.desks.policies(desk)[::-1], tx.amendments.open(desk), active

    versions, proposed, digest = ctx.store.read(look)
    active = next((one for one in versions if one.digest == digest), None)
    if active is None:
        raise NotFound("policy_not_found", f"the active policy of `{desk}` is gone")
    return visitor.render(
        "policy.html",
        active=active,
        by=who_text(active.activated_by),
        shown=shown_policy(opened_policy(active.body, active.digest, desk)),
        past=[one for one in versions if one is not active][:VERSIONS_MOST],
        proposed=proposed[:PROPOSALS_MOST],
        who=who_text,
        owner=owns_policies(visitor),
    )


async def version(visitor: Visitor) -> Response:
    """An earlier version, as data and as text."""
    check_reader(visitor.person)
    n = visitor.request.path_params["n"]
    found = _version(visitor, n)
    opened = opened_policy(found.body, found.digest, visitor.desk)
    text = written(opened)
    return visitor.render(
        "policy_version.html",
        version=found,
        by=who_text(found.activated_by),
        shown=shown_policy(opened),
        text=text,
        owner=owns_policies(visitor),
    )


def changes_of(differences: tuple[Difference, ...]) -> ShownChanges:
    """Differences by direction; the looser ones are what a page shows first."""
    found = {
        direction: [one for one in differences if one.direction is direction]
        for direction in Direction
    }
    plain = {
        direction: tuple(plain_of(one) for one in ones[:DIFFERENCES_MOST])
        for direction, ones in found.items()
    }
    return ShownChanges(
        looser=plain[Direction.LOOSER],
        tighter=plain[Direction.TIGHTER],
        different=plain[Direction.DIFFERENT],
        looser_all=len(found[Direction.LOOSER]),
        tighter_all=len(found[Direction.TIGHTER]),
        different_all=len(found[Direction.DIFFERENT]),
    )


def choices_of(visitor: Visitor, *, active: bool = True) -> list[Choice]:
    """The policies that a form lets somebody choose from."""
    rules = visitor.gateway.ctx.rulebook(visitor.desk).policy
    proposed = visitor.gateway.ctx.store.read(lambda tx: tx.amendments.open(visitor.desk))
    found = [Choice(value="active", words=f"the active policy, {rules.name} {rules.version}")]
    found += (
        Choice(
            value=one.id,
            words=f"proposed: {one.name} {one.version}, by {who_text(one.proposed_by)}",
        )
        for one in proposed[:PROPOSALS_MOST]
    )
    found += (Choice(value=name, words=f"the pack {name}") for name in pack_names())
    return found if active else found[1:]


def choice_of(visitor: Visitor, value: str) -> Policy:
    """The policy of a choice. Raises NotFound `policy_not_found` and `amendment_not_found`."""
    ctx, desk = visitor.gateway.ctx, visitor.desk
    if value == "active":
        return ctx.rulebook(desk).policy
    if value in pack_names():
        return load_text(pack_text(value), source=value)
    if value.isdecimal():
        found = _version(visitor, value)
        return opened_policy(found.body, found.digest, desk)
    amendment = ctx.store.read(lambda tx: tx.amendments.get(desk, value))
    if amendment is None:
        raise NotFound("amendment_not_found", "there is no such policy to choose")
    return opened_policy(amendment.body, amendment.digest, desk)


def who_text(id: str) -> str:
    """Who did a step; a program has no name."""
    return _NOBODY.get(id, id)


def _version(visitor: Visitor, n: str) -> PolicyVersion:
    versions = visitor.gateway.ctx.store.read(lambda tx: tx.desks.policies(visitor.desk))
    found = next((one for one in versions if str(one.version) == n), None)
    if found is None:
        raise NotFound("policy_not_found", "there is no version of that number")
    return found
