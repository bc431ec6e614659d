"""Stand-ins for the connectors of a policy: they keep what was done, and reach nothing outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from handrail.connectors.protocol import (
    Capability,
    Connector,
    Found,
    Looked,
    Prepared,
    Promise,
    Receipt,
    Reversal,
)
from handrail.core.action import Param, Params, ParamType
from handrail.core.artifact import Fact, Line
from handrail.core.canonical import canonical
from handrail.core.money import Money
from handrail.core.policy import KindRule, Policy

__all__ = ["Happened", "Record", "StandIn", "World", "stand_ins"]

_KEY_MS: Final = 400 * 86_400_000


class Happened:
    """One thing that was really done, and whether it was taken back."""

    def __init__(self, kind: str, key: str) -> None:
        self.kind = kind
        self.key = key
        self.undone = False


class Record(NamedTuple):
    """What is on record about one action: whose it is, the facts, the amount, what it reverses."""

    customer: str | None
    facts: dict[str, str | int | bool | None]
    value: Money | None
    reverses: str | None


class World:
    """What the stand-ins read and what was done through them.

    `next` is on record for the action that is read next; read again, it is what it was. A fact that
    is None cannot be read.
    """

    def __init__(self) -> None:
        self.next: Record | None = None
        self.done: dict[str, Happened] = {}
        self.facts: dict[str, str | int | bool | None] = {}
        self.customer: str | None = None
        self._read: dict[bytes, Record] = {}

    @property
    def effects(self) -> int:
        """How many things were done and stand; a reversal is none of them."""
        return sum(not one.undone for one in self.done.values())

    def read(self, kind: str, params: Params) -> Record:
        """What is on record for an action."""
        place = canonical([kind, params])
        if self.next is not None:
            self._read[place], self.next = self.next, None
        return self._read.setdefault(place, Record(self.customer, self.facts, None, None))


class StandIn:
    """Serves every kind that a policy gives to one connector, and promises what the policy needs.

    It does what it is asked, once per key, can be looked up, and can reverse what the policy says
    can be undone.
    """

    version = "stand-in"

    def __init__(self, name: str, rules: Sequence[KindRule], policy: Policy, world: World) -> None:
        self.name = name
        self._rules = {rule.kind.name: rule for rule in rules}
        self._policy = policy
        self._world = world

    def kinds(self) -> Mapping[str, Capability]:
        """Every declared kind of the connector."""
        return {
            name: Capability(
                kind=name,
                promise=Promise.KEYED,
                ttl_ms=_KEY_MS,
                undoable=rule.kind.undo is not None,
            )
            for name, rule in self._rules.items()
        }

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        """The facts of the world, and a request that holds the parameters as they are."""
        rule, world = self._rules[kind], self._world
        request: dict[str, object] = {
            name: value.text() if isinstance(value, Money) else value
            for name, value in params.items()
        }
        found = world.read(kind, params)
        if found.reverses is not None:
            request["reverses"] = found.reverses
        facts = dict.fromkeys(rule.kind.needs, "on file") | found.facts
        return Prepared(
            customer=found.customer,
            request=request,
            value=found.value if rule.kind.value_from_connector else None,
            facts=tuple(
                Fact(name=name, value=value, source=f"{self.name}, a stand-in")
                for name, value in facts.items()
            ),
        )

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        """The request, field by field."""
        return [
            Line(label=name, text=value if isinstance(value, str) else canonical(value).decode())
            for name, value in request.items()
        ]

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        """Do it, or take back what it reverses; a key that is known does nothing more."""
        if key not in self._world.done:
            made = Happened(kind, key)
            reversed_ = self._world.done.get(str(request.get("reverses", "")))
            if reversed_ is not None:
                reversed_.undone = made.undone = True
            self._world.done[key] = made
        return Receipt(provider_ref=key)

    def lookup(self, kind: str, key: str) -> Found:
        """Whether it was done."""
        if key in self._world.done:
            return Found(looked=Looked.DONE, receipt=Receipt(provider_ref=key))
        return Found(looked=Looked.NOT_DONE)

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        """The declared undo, with parameters of the declared types."""
        undo = self._rules[kind].kind.undo or ""
        world = self._world
        world.next = Record(world.customer, world.facts, None, receipt.provider_ref)
        return Reversal(
            kind=undo,
            params={param.name: plainest(param) for param in self._policy.kinds[undo].kind.params},
        )


def plainest(param: Param) -> object:
    """A value that the type of a parameter takes."""
    match param.type:
        case ParamType.ID | ParamType.TEXT:
            return "x-1"
        case ParamType.MONEY:
            return "1 JPY"
        case ParamType.INTEGER:
            return 1
        case ParamType.BOOLEAN:
            return True
        case ParamType.CHOICE:
            return param.choices[0]
        case ParamType.RECORD:
            return {}


def stand_ins(policy: Policy, world: World) -> dict[str, Connector]:
    """A stand-in for every connector that the policy names."""
    by_name: dict[str, list[KindRule]] = {}
    for rule in policy.kinds.values():
        if not rule.kind.runs_in_agent:
            by_name.setdefault(rule.kind.connector, []).append(rule)
    return {name: StandIn(name, rules, policy, world) for name, rules in by_name.items()}
