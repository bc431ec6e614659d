"""The types that a policy is made of. Values only: reading YAML is the policy room's work."""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from handrail.core.accumulation import Accumulation
from handrail.core.action import ActionKind
from handrail.core.caps import CapRule
from handrail.core.grade import Grade

__all__ = [
    "ANY_KIND",
    "STRICTEST",
    "Assignment",
    "Attention",
    "Band",
    "CheckRule",
    "Cleared",
    "Clocks",
    "Control",
    "FactType",
    "Guard",
    "KindRule",
    "LaneRule",
    "Limits",
    "Otherwise",
    "PasskeyRule",
    "Policy",
]

ANY_KIND: Final = "*"


class Control(Enum):
    """What is done about an action. `strictness` orders them; a guard is only ever raised."""

    RUN_AND_LOG = "run_and_log"
    RUN_AND_NOTIFY = "run_and_notify"
    HOLD_AND_RECALL = "hold_and_recall"
    APPROVE = "approve"
    MAKER_CHECKER = "maker_checker"
    ESCALATE = "escalate"
    REFUSE = "refuse"

    @property
    def strictness(self) -> int:
        """Position in the written order, 0 for the loosest."""
        return _STRICTNESS[self]


_STRICTNESS: Final = {control: place for place, control in enumerate(Control)}


class Assignment(Enum):
    """When the people who may check are drawn by lot from all who could.

    QUORUM: where two or more must check. In each case only when more people could than must.
    """

    NEVER = "never"
    QUORUM = "quorum"
    ALWAYS = "always"


class PasskeyRule(Enum):
    """Whose approvals at G3 a passkey must sign: of people who have one, or of everybody."""

    OWN = "own"
    REQUIRE = "require"


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """A control and, for maker-checker, how many independent checkers it takes."""

    control: Control
    checkers: int = 0

    def at_least(self, other: Guard) -> Guard:
        """The stricter of the two."""
        return other if other.order > self.order else self

    @property
    def order(self) -> tuple[int, int]:
        """Sort key: control first, then checkers."""
        return (self.control.strictness, self.checkers)


STRICTEST: Final = Guard(control=Control.MAKER_CHECKER, checkers=2)
"""What doubt and errors get: held for two independent checkers. It never runs by itself."""


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """One value band: applies up to and including `up_to_minor` minor units; None is the top."""

    up_to_minor: int | None
    grade: Grade
    guard: Guard


class FactType(Enum):
    """What a fact holds, as conditions see it.

    MONEY is an exact amount such as `12.50 USD`; DATE is a UTC day such as `2026-02-28`.
    """

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    MONEY = "money"
    DATE = "date"


class Otherwise(Enum):
    """What a check that fails does: only marks, raises the grade by one, asks, or refuses."""

    FLAG = "flag"
    RAISE_GRADE = "raise_grade"
    HOLD = "hold"
    REFUSE = "refuse"


class CheckRule(msgspec.Struct, frozen=True, kw_only=True):
    """A named condition in CEL. It passes when `require` is true, and in no other case.

    `reviewer` says what is wrong to who decides, `agent` what the agent is told of a refusal; it
    never names a limit.
    """

    name: str
    require: str
    otherwise: Otherwise
    reviewer: str
    agent: str | None = None


class Cleared(msgspec.Struct, frozen=True, kw_only=True):
    """What applies once every check of a kind has passed and nothing speaks against the action.

    `when` is one more condition in CEL, None for none. Bands and guard are as those of a kind, and
    never stricter than its own: losing the clearance never loosens anything.
    """

    when: str | None
    guard: Guard
    bands: dict[str, tuple[Band, ...]] = {}


class KindRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the policy says about one action kind.

    `bands` are ordered by limit per currency and end with an unbounded one. A kind with bands is
    never decided by `guard`: a currency without bands takes the strictest guard of the kind.
    `facts` are those that conditions may name, with what they hold.
    """

    kind: ActionKind
    guard: Guard
    bands: dict[str, tuple[Band, ...]] = {}
    facts: dict[str, FactType] = {}
    checks: tuple[CheckRule, ...] = ()
    cleared: Cleared | None = None


class LaneRule(msgspec.Struct, frozen=True, kw_only=True):
    """What tasks of this lane may touch. `kinds` may be ("*",); accounts come with the task.

    `agents` are those that may ask for it, or ("*",); without any, see `core.lane`.
    """

    name: str
    kinds: tuple[str, ...]
    connectors: tuple[str, ...] = (ANY_KIND,)
    any_customer: bool = False
    agents: tuple[str, ...] = ()


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """How long things may wait, in milliseconds."""

    approval_ms: int = 4 * 3_600_000
    execution_ms: int = 30 * 60_000
    attempt_ms: int = 30_000
    quiescence_ms: int = 5_000
    recall_ms: int = 2 * 60_000
    undo_ms: int = 24 * 3_600_000
    task_ms: int = 8 * 3_600_000
    assignment_ms: int = 3_600_000
    seasoning_ms: int = 0
    loosening_ms: int = 24 * 3_600_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be open or be tried at once. None where nothing is limited.

    `open_per_agent` counts what an agent has waiting, `waiting_per_desk` what waits for people;
    `same_action_open` and `same_action_denied` count actions of the same content, by anybody;
    `refused_per_task` is how many refusals a task is answered before it ends.
    """

    open_per_agent: int | None = None
    waiting_per_desk: int | None = None
    same_action_open: int | None = None
    same_action_denied: int | None = None
    refused_per_task: int | None = None


class Attention(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may be asked of, see `core.attention`. None where nothing is limited.

    `dwell_percent` is how long something must have been shown before it is approved, of the
    standard time; 0 for not at all. `per_hour` and `per_day` are decisions of one person, after
    which what is G3 goes to others.
    """

    dwell_percent: int = 100
    per_hour: int | None = None
    per_day: int | None = None


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A whole policy. `digest` is the SHA-256 (hex) of the canonical form of all the rest.

    The order of the lanes bears on decisions (see `core.lane`), and a canonical form has none:
    `lane_order` says it.
    """

    name: str
    version: int
    kinds: dict[str, KindRule]
    lanes: dict[str, LaneRule]
    caps: tuple[CapRule, ...] = ()
    clocks: Clocks = Clocks()
    accumulation: Accumulation | None = None
    limits: Limits = Limits()
    assignment: Assignment = Assignment.QUORUM
    passkeys: PasskeyRule = PasskeyRule.OWN
    attention: Attention = Attention()
    lane_order: tuple[str, ...] = ()
    digest: str = ""

    def in_order(self) -> Policy:
        """The same policy with its lanes in their order again, after it was stored."""
        named = [name for name in self.lane_order if name in self.lanes]
        order = [*named, *(name for name in self.lanes if name not in named)]
        return msgspec.structs.replace(self, lanes={name: self.lanes[name] for name in order})
