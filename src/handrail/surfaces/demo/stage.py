"""The demo's desk: sample people with fresh passwords, one agent with its key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

import msgspec

from handrail.bootstrap import open as open_desk
from handrail.core.policy import Attention
from handrail.engine.access.people import issue_key_unit
from handrail.policy.loader import digest_policy, load
from handrail.surfaces.auth import set_password
from handrail.surfaces.embedded import OPERATOR, Desk

__all__ = ["AGENT", "OWNER", "PEOPLE", "Sample", "Shop", "Stage", "set_up"]

AGENT: Final = "scout"
OWNER: Final = "lee"
_WORDS: Final = (
    "amber birch cedar delta ember fjord grove harbor island juniper kettle lantern meadow nectar"
    " orchard pebble quartz river saddle timber umber velvet willow yarrow"
).split()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A person of the demo, and what they are there to show."""

    id: str
    name: str
    roles: tuple[str, ...]
    limits: tuple[str, ...] = ()
    shows: str


PEOPLE: Final = (
    Sample(
        id="dana",
        name="Dana Reyes",
        roles=("reviewer",),
        shows="reviewer: decides replies, and refunds up to 1,000 USD",
    ),
    Sample(
        id="chris",
        name="Chris Adeyemi",
        roles=("reviewer", "checker"),
        limits=("5000.00 USD", "500000 JPY"),
        shows="checker: decides the 2,400.00 USD refund too",
    ),
    Sample(
        id="sam",
        name="Sam Novak",
        roles=("reviewer", "checker"),
        limits=("20000.00 USD", "500000 JPY"),
        shows="second checker, for what takes two",
    ),
    Sample(
        id=OWNER,
        name="Lee Marsh",
        roles=("reviewer", "checker", "auditor"),
        limits=("20000.00 USD", "500000 JPY"),
        shows="owns the agent, so may not approve what it proposes",
    ),
    Sample(
        id="pat",
        name="Pat Okafor",
        roles=("policy_owner",),
        shows="policy owner: reads, tries and proposes policies under Rules",
    ),
    Sample(
        id="ada",
        name="Ada Lind",
        roles=("admin", "policy_owner"),
        shows="administrator: the whole desk, and the second person for a policy",
    ),
)


class Shop(Protocol):
    """What the demo asks the embedded desk for at the end."""

    def money_moved(self, currency: str) -> int:
        """Minor units that reached customers since the start, less what was taken back."""
        ...


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The desk of a demo, ready to be served."""

    desk: Desk
    shop: Shop
    key: str
    passwords: Mapping[str, str]


def set_up(folder: Path, *, scripted: bool = False) -> Stage:
    """Make the demo's desk in an empty folder, with people, passwords, an agent and its key.

    Reviewers of a script read nothing, so nothing has to be shown to them for a while.
    """
    policy = load("support-desk")
    if scripted:
        policy = msgspec.structs.replace(policy, attention=Attention(dwell_percent=0))
        policy = msgspec.structs.replace(policy, digest=digest_policy(policy))
    desk = open_desk(folder, policy=policy)
    passwords = {}
    for person in PEOPLE:
        desk.person(person.id, name=person.name, roles=person.roles, limits=person.limits)
        passwords[person.id] = "-".join(secrets.choice(_WORDS) for _ in range(3))
        set_password(desk.ctx, desk.id, person.id, passwords[person.id])
    desk.agent(AGENT, owner=OWNER)
    key = desk.ctx.store.write(issue_key_unit(desk.ctx, desk.id, AGENT, actor=OPERATOR))
    shop = cast(Shop, desk.ctx.connector("desk"))
    return Stage(desk=desk, shop=shop, key=key, passwords=passwords)
