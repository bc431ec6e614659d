"""Who acts: agents, people and services."""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

__all__ = ["SUBJECT_PREFIX", "VOUCHED_PREFIX", "Principal", "PrincipalKind", "Role"]

SUBJECT_PREFIX: Final = "sub_"
"""How the reference of a customer begins; no name of a person does."""
VOUCHED_PREFIX: Final = "vouched:"
"""How an identity at a login provider begins among the names of a person."""


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
    the same identity, or the same `mail` (a keyed hash of an address). `owner`, `operator` and
    `deployer` of an agent are identities, `delegator` is whom it acts for, a person or another
    agent; all four count as makers of what the agent proposes. `limits` are minor units per
    currency that a checker may pass. `subjects` are the references of the customer accounts that
    are the person's own. `granted_at` is when this account was last given more than it had;
    `former` holds names and subjects that were taken away, each with the time until which it
    stood. `vouched` are identities at a login provider, each a keyed hash: two accounts that share
    one are one natural person.
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
    delegator: str | None = None
    mail: str | None = None
    subjects: tuple[str, ...] = ()
    granted_at: int = 0
    former: dict[str, int] = {}
    vouched: tuple[str, ...] = ()

    @property
    def granted(self) -> int:
        """When this account came by what it may do."""
        return max(self.created_at, self.granted_at)

    def names(self) -> frozenset[str]:
        """The names that this account goes by."""
        mail = () if self.mail is None else (f"mail:{self.mail}",)
        vouched = (f"{VOUCHED_PREFIX}{one}" for one in self.vouched)
        return frozenset((self.id, self.identity, *mail, *vouched))

    def makers(self) -> frozenset[str]:
        """Every name that answers for what this principal makes, without looking further."""
        named = (self.id, self.identity, self.owner, self.operator, self.deployer, self.delegator)
        return frozenset(name for name in named if name is not None)

    def former_names(self, at: int) -> frozenset[str]:
        """Names, of itself or of who answers for it, that still counted at `at`."""
        return frozenset(one for one in self._former(at) if not one.startswith(SUBJECT_PREFIX))

    def former_subjects(self, at: int) -> frozenset[str]:
        """Customer accounts of its own that still counted at `at`."""
        return frozenset(one for one in self._former(at) if one.startswith(SUBJECT_PREFIX))

    def _former(self, at: int) -> list[str]:
        former = self.former
        return [one for one, until in former.items() if until >= at] if former else []

    def widens(self, before: Principal) -> bool:
        """Whether this account may do more than before, or stands less near to what it may pass.

        Any change of who somebody is counts: it could be made to reach a quorum.
        """
        open_limits = bool(before.limits) and not self.limits
        return (
            bool(set(self.roles) - set(before.roles))
            or open_limits
            or any(most > before.limits.get(name, -1) for name, most in self.limits.items())
            or (before.disabled and not self.disabled)
            or self.makers() != before.makers()
            or (before.mail is not None and self.mail != before.mail)
            or bool(set(before.vouched) - set(self.vouched))
            or bool(set(before.subjects) - set(self.subjects))
        )
