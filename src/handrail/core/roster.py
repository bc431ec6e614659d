"""The people of a desk, by natural person, and everybody who answers for an action.

A natural person is known by names: the ids of their accounts, their identities, `mail:` with a
keyed hash of their address, and `vouched:` with one of their identity at a login provider. Accounts
that share a name are one person, however far the chain goes. A name that was taken away still
counts for what was proposed before it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from handrail.core.principal import Principal, PrincipalKind

__all__ = ["Roster"]


class Roster:
    """Everybody on a desk. `at`, below, is when the action in question was proposed."""

    def __init__(self, everybody: Iterable[Principal] = ()) -> None:
        self.everybody = tuple(everybody)
        self._called: dict[str, list[Principal]] = {}
        self._accounts = {one.id: one for one in self.everybody}
        self._own: dict[tuple[str, int], tuple[Principal, frozenset[str]]] = {}
        self._found: dict[tuple[frozenset[str], int], frozenset[str]] = {}
        # Where nobody has a name that was taken away, it makes no difference when something was.
        self._dated = any(one.former for one in self.everybody)
        for one in self.everybody:
            for name in one.names():
                self._called.setdefault(name, []).append(one)

    @property
    def knows_mail(self) -> bool:
        """Whether anybody's address is known."""
        return any(one.mail is not None for one in self.everybody)

    def account(self, id: str) -> Principal | None:
        """The account of that id."""
        return self._accounts.get(id)

    def people(self) -> list[Principal]:
        """Every active account of a person."""
        return [
            one for one in self.everybody if one.kind is PrincipalKind.PERSON and not one.disabled
        ]

    def names(self, *known: str, at: int = 0) -> frozenset[str]:
        """Every name of the person, or of the persons, who go by a known one."""
        key = (frozenset(known), at if self._dated else 0)
        known_names = self._found.get(key)
        if known_names is None:
            known_names = self._found[key] = self._names(known, at)
        return known_names

    def _names(self, known: Iterable[str], at: int) -> frozenset[str]:
        found: set[str] = set()
        waiting = list(known)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            for one in self._called.get(name, ()):
                if one.kind is PrincipalKind.PERSON:
                    waiting.extend((*one.names(), *one.former_names(at)))
        return frozenset(found)

    def of(self, person: Principal, at: int = 0) -> frozenset[str]:
        """Every name of the natural person behind an account."""
        key = (person.id, at if self._dated or person.former else 0)
        known = self._own.get(key)
        # An account may be asked about as it stood before or will stand: then it is another object.
        if known is None or known[0] is not person:
            found = self.names(*person.names(), *person.former_names(at), at=at)
            known = self._own[key] = (person, found)
        return known[1]

    def makers(self, named: Iterable[str], at: int = 0) -> frozenset[str]:
        """Everybody who answers for what the named ones make.

        For an agent: its owner, operator and deployer, whom it acts for, and all who answer for
        that one; then every name of each of them.
        """
        found: set[str] = set()
        waiting = list(named)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            for one in self._called.get(name, ()):
                waiting.extend((*one.makers(), *one.names(), *one.former_names(at)))
        return frozenset(found)

    def acts_in_a_circle(self, agent: str) -> bool:
        """Whether the agents that this one acts for lead back to one of them: A for B for A."""
        seen: set[str] = set()
        name: str | None = agent
        while name is not None:
            if name in seen:
                return True
            seen.add(name)
            acting = [one for one in self._called.get(name, ()) if one.delegator is not None]
            name = acting[0].delegator if acting else None
        return False

    def interests(self, person: Principal, at: int = 0) -> frozenset[str]:
        """What an action must not touch if this person is to pass it.

        The customer accounts and the addresses of the natural person, on any of their accounts.
        """
        found: set[str] = set()
        for name in self.of(person, at):
            if name.startswith("mail:"):
                found.add(name)
            for one in (person, *self._called.get(name, ())):
                if one.kind is PrincipalKind.PERSON:
                    found.update((*one.subjects, *one.former_subjects(at)))
        return frozenset(found)
