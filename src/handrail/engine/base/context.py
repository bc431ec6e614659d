"""What every use case is given: the store, the connectors, the rules, a clock and randomness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from handrail.connectors.protocol import Capability, Connector, Promise
from handrail.core.action import ActionKind, Params, params_parser
from handrail.core.decide import Decider, compile_policy
from handrail.core.lifecycle import State
from handrail.core.note import VerifierKey
from handrail.core.policy import Policy
from handrail.core.task import Task
from handrail.engine.base.circuits import Circuits, Way
from handrail.errors import InvariantBroken, NotFound, SetupFailed
from handrail.policy.around import Offer, offer_problems
from handrail.policy.checks import compile_checks
from handrail.store.protocol import Store

__all__ = [
    "AGENT_CONNECTOR",
    "GATEWAY",
    "OPERATOR",
    "Context",
    "MetTask",
    "Rulebook",
    "Shadow",
    "Signer",
    "new_id",
    "offer_of",
]

GATEWAY: Final = "gateway"
"""The actor of what handrail does by itself."""
OPERATOR: Final = "operator"
"""The actor of what the command line and the embedding program do themselves."""
AGENT_CONNECTOR: Final = "agent"
"""Serves kinds that run in the agent's own process under a permit."""
_VARIANT: Final = {digit: "89ab"[place % 4] for place, digit in enumerate("0123456789abcdef")}


def new_id(prefix: str, now: int, entropy: Callable[[int], bytes]) -> str:
    """A UUIDv7 (RFC 9562) in hex behind a prefix: ids sort by the time they were made."""
    tail = entropy(10).hex()
    variant = _VARIANT[tail[3]]
    return f"{prefix}_{now:012x}7{tail[:3]}{variant}{tail[4:19]}"


def offer_of(capability: Capability) -> Offer:
    """What a connector can do for a kind, as a policy is compared with it."""
    return Offer(undoable=capability.undoable, facts=capability.facts)


class Signer(Protocol):
    """Signs checkpoints; its key lies outside the database."""

    verifier: VerifierKey

    def sign(self, body: str) -> str:
        """A signed note over `body`."""
        ...

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature over the message is this signer's."""
        ...


class MetTask(NamedTuple):
    """A task that showed its token: as it was read at `read_at`, after so many revocations."""

    task: Task
    read_at: int
    revocations: int


class Rulebook:
    """A policy made ready: compiled decisions, and a parser of parameters per kind."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.decider: Decider = compile_policy(policy)
        self.checks = compile_checks(policy)
        self.cap_scopes = frozenset(cap.scope for cap in policy.caps)
        self.counts_customers = any(cap.distinct for cap in policy.caps)
        # Where a placeholder must not be left, and what is looked through.
        self.outgoing = {name: rule.kind.outgoing for name, rule in policy.kinds.items()}
        self._parsers = {name: params_parser(rule.kind) for name, rule in policy.kinds.items()}

    def kind(self, name: str) -> ActionKind | None:
        """The declared kind, or None."""
        rule = self.policy.kinds.get(name)
        return None if rule is None else rule.kind

    def parse(self, kind: str, raw: Mapping[str, object]) -> Params:
        """Typed parameters of a declared kind; raises InvalidInput by field."""
        return self._parsers[kind](raw)


class Shadow(NamedTuple):
    """The candidate that decides beside a desk's active rules."""

    id: str
    rules: Rulebook


@dataclass(frozen=True, kw_only=True)
class Context:
    """One running handrail. `rulebooks` maps a desk to its active rules, `shadows` to
    the candidate beside them, if there is one.

    `turns` is how far the sweeps have come in each state: a bounded sweep goes on where the last
    one stopped, so that what cannot be moved holds up nothing behind it. `tokens` holds tasks by
    the hash of their token, for a moment. `circuits` remembers which connectors answer. While there
    is a reason in `doubts`, nothing is sent anywhere: what may run stays READY. `watched` says when
    each desk's amounts were last looked at.
    """

    store: Store
    connectors: Mapping[str, Connector]
    signer: Signer
    clock: Callable[[], int]
    entropy: Callable[[int], bytes]
    rulebooks: dict[str, Rulebook] = field(default_factory=dict)
    shadows: dict[str, Shadow] = field(default_factory=dict)
    turns: dict[State, tuple[str, str]] = field(default_factory=dict)
    circuits: Circuits = field(default_factory=Circuits)
    doubts: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, MetTask] = field(default_factory=dict)
    watched: dict[str, int] = field(default_factory=dict)

    def rulebook(self, desk: str) -> Rulebook:
        """The active rules of a desk."""
        try:
            return self.rulebooks[desk]
        except KeyError:
            raise NotFound("desk_not_found", f"there is no desk `{desk}`") from None

    def connector(self, name: str) -> Connector:
        """A configured connector; a policy that names another does not activate."""
        try:
            return self.connectors[name]
        except KeyError:
            raise InvariantBroken(
                "connector_unknown", f"the connector `{name}` is not configured"
            ) from None

    def may_send(self, connector: str, now: int) -> bool:
        """Whether anything goes out through a connector now; what may not, stays READY."""
        return not self.doubts and self.circuits.admits(connector, Way.SEND, now)

    def capability(self, kind: ActionKind) -> Capability | None:
        """What the kind's connector can do for it; None for kinds that run in the agent."""
        if kind.runs_in_agent:
            return None
        return self.connector(kind.connector).kinds().get(kind.name)

    def check_served(self, policy: Policy) -> None:
        """Refuse a policy with a kind that no connector serves, or a false promise of an undo."""
        for rule in policy.kinds.values():
            kind = rule.kind
            if kind.runs_in_agent:
                continue
            connector = self.connectors.get(kind.connector)
            found = None if connector is None else connector.kinds().get(kind.name)
            if found is None:
                raise SetupFailed(
                    "connector_unknown",
                    f"the policy's `{kind.name}` needs a connector `{kind.connector}` that serves"
                    " it, and none is configured",
                )
            for _, text in offer_problems(rule, offer_of(found)):
                raise SetupFailed("connector_unknown", text)
            if kind.undo is not None and not self._can_verify(policy.kinds[kind.undo].kind):
                raise SetupFailed(
                    "connector_unknown",
                    f"the policy promises to undo `{kind.name}` by `{kind.undo}`, of which nobody"
                    " can say afterwards whether it took place",
                )

    def _can_verify(self, undo: ActionKind) -> bool:
        """Whether the gateway runs the reversal itself and can look it up."""
        connector = None if undo.runs_in_agent else self.connectors.get(undo.connector)
        found = None if connector is None else connector.kinds().get(undo.name)
        return found is not None and found.promise is not Promise.BLIND
