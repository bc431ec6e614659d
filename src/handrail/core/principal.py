"""Who acts: agents, people and services."""

from __future__ import annotations

from enum import Enum

import msgspec

__all__ = ["Principal", "PrincipalKind", "Role"]


class PrincipalKind(Enum):
    """What sort of principal."""

    AGENT = "agent"
    PERSON = "person"
    SERVICE = "service"


class Role(Enum):
    """What a person may do on a desk."""

    REVIEWER = "reviewer"
    CHECKER = "checker"
    POLICY_OWNER = "policy_owner"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Principal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One agent, person or service on a desk.

    `identity` is the natural person behind a person's account: two accounts of one person carry
    the same identity. `owner`, `operator` and `deployer` of an agent are identities, and all three
    count as makers of what the agent proposes. `limits` are minor units per currency that a
    checker may pass.
    """

    desk: str
    id: str
    kind: PrincipalKind
    name: str
    identity: str
    owner: str | None = None
    operator: str | None = None
    deployer: str | None = None
    roles: tuple[Role, ...] = ()
    limits: dict[str, int] = {}
    disabled: bool = False
    created_at: int

    def makers(self) -> frozenset[str]:
        """Every identity that answers for what this principal makes."""
        named = (self.id, self.identity, self.owner, self.operator, self.deployer)
        return frozenset(name for name in named if name is not None)
