"""What the API takes, as strict structs: bodies and queries.

They refuse fields that they do not know. The OpenAPI document is made from them.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from handrail.core.ground import Ground
from handrail.core.halt import HaltScope
from handrail.core.passkey import Signed
from handrail.core.review import Verdict
from handrail.core.snooze import Nap
from handrail.engine.running.execute import Ending

__all__ = [
    "BATCH_MAX",
    "PAGE_MAX",
    "WAIT_MS_MAX",
    "BatchRequest",
    "CheckpointQuery",
    "EditRequest",
    "EmptyRequest",
    "EscalateRequest",
    "EscalationsQuery",
    "GlassRequest",
    "HaltRequest",
    "ItemRequest",
    "LiftRequest",
    "LogQuery",
    "LoginRequest",
    "OutcomeRequest",
    "ProposeRequest",
    "QueueQuery",
    "ReceiptRequest",
    "ReviewRequest",
    "SessionsQuery",
    "SnoozeRequest",
    "TaskRequest",
    "WaitQuery",
]

BATCH_MAX: Final = 100
PAGE_MAX: Final = 200
WAIT_MS_MAX: Final = 30_000
TARGET_CHARS_MAX: Final = 200

_Claim = Annotated[int, msgspec.Meta(ge=0, le=3, description="the agent's own grade; only raises")]
_Wait = Annotated[
    int,
    msgspec.Meta(ge=0, le=WAIT_MS_MAX, description="longest time to wait for the end, in ms"),
]
_Limit = Annotated[int, msgspec.Meta(ge=1, le=PAGE_MAX)]
_Params = Annotated[
    dict[str, Any], msgspec.Meta(description="parameters of the kind, as the policy types them")
]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every request body."""


# requests


class EmptyRequest(_Request, frozen=True, kw_only=True):
    """Nothing to say: an empty object, or no body at all."""


class LoginRequest(_Request, frozen=True, kw_only=True):
    """A person logs in. Without `desk`, on the server's own."""

    person: str
    password: str
    desk: str | None = None


class TaskRequest(_Request, frozen=True, kw_only=True):
    """A task for the calling agent. The customers of the ticket are read from the helpdesk."""

    ticket: str | None = None
    lane: str | None = None


class ItemRequest(_Request, frozen=True, kw_only=True):
    """One action of a batch."""

    kind: str
    params: _Params
    key: str | None = None
    note: str | None = None
    claim: _Claim | None = None


class ProposeRequest(_Request, frozen=True, kw_only=True):
    """One action that an agent wants done. `key` makes it safe to send again."""

    kind: str
    params: _Params
    key: str | None = None
    note: str | None = None
    claim: _Claim | None = None
    wait_ms: _Wait = 0


# Each item is converted on its own, so that a wrong one is a problem of its own.
_Item = Annotated[
    dict[str, Any], msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/ItemRequest"})
]


class BatchRequest(_Request, frozen=True, kw_only=True):
    """Many actions, each decided for itself, made durable together."""

    items: Annotated[list[_Item], msgspec.Meta(min_length=1, max_length=BATCH_MAX)]


class ReceiptRequest(_Request, frozen=True, kw_only=True):
    """What became of an action that ran in the agent's own process."""

    permit: str
    outcome: Ending
    provider_ref: str | None = None
    result: dict[str, Any] | None = None
    error: str | None = None


class ReviewRequest(_Request, frozen=True, kw_only=True):
    """A person's verdict on the digest that they were shown.

    `signed` is what their passkey signed for an approval at G3, where one has to, `retyped` what
    they typed once more for it: the amount with its currency, or else what the action's page asks.
    `ground` says why they reject it; without one it takes a reason in words.
    """

    verdict: Verdict
    digest: str
    reason: str = ""
    signed: Signed | None = None
    ground: Ground | None = None
    retyped: str = ""


class OutcomeRequest(_Request, frozen=True, kw_only=True):
    """What a person says became of an action whose outcome is not known, and how they know."""

    done: bool
    evidence: str
    provider_ref: str | None = None


class EditRequest(_Request, frozen=True, kw_only=True):
    """A person's correction of a waiting action that they were shown under this digest."""

    digest: str
    params: Annotated[
        dict[str, Any],
        msgspec.Meta(description="the parameters that change; null leaves one out"),
    ]


class GlassRequest(_Request, frozen=True, kw_only=True):
    """A person asks to check for a while, though their role is missing or too new."""

    reason: str
    minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 60


class SnoozeRequest(_Request, frozen=True, kw_only=True):
    """For how long: a quarter of an hour, an hour, or until shortly before its deadline."""

    nap: Nap


class EscalateRequest(_Request, frozen=True, kw_only=True):
    """A hand-off to a person, of the whole task or of one of its actions."""

    concern: str
    action: str | None = None


class HaltRequest(_Request, frozen=True, kw_only=True):
    """What to stop. `target` names the agent, kind, task or customer; a desk has none."""

    scope: HaltScope
    target: Annotated[str, msgspec.Meta(max_length=TARGET_CHARS_MAX)] = ""
    reason: str = ""


class LiftRequest(_Request, frozen=True, kw_only=True):
    """Let work go on; a reason is welcome."""

    reason: str = ""


# queries


class WaitQuery(_Request, frozen=True, kw_only=True):
    """How long to wait for the end of an action."""

    wait_ms: _Wait = 0


class QueueQuery(_Request, frozen=True, kw_only=True):
    """A page of the queue; `after` is the last page's `next`. The others say what must pass.

    `find` is a customer's or a ticket's id, or at least four characters of an action's. `at_least`
    is an amount like `120.00 USD`, or without a currency beside one in `currency`. With `mine` it
    is what the caller may approve.
    """

    after: str | None = None
    limit: _Limit = 50
    find: str = ""
    kind: str = ""
    grade: str = ""
    agent: str = ""
    at_least: str = ""
    currency: str = ""
    mine: bool = False


class SessionsQuery(_Request, frozen=True, kw_only=True):
    """Whose sessions; the caller's own unless an admin names somebody else."""

    person: str | None = None


class LogQuery(_Request, frozen=True, kw_only=True):
    """A page of the log from the newest down, or every entry about one thing."""

    before: Annotated[int, msgspec.Meta(ge=0)] | None = None
    limit: _Limit = 50
    proposal: str | None = None
    person: str | None = None
    customer: str | None = None


class EscalationsQuery(_Request, frozen=True, kw_only=True):
    """How many open escalations, by deadline."""

    limit: _Limit = 50


class CheckpointQuery(_Request, frozen=True, kw_only=True):
    """Which desk's log."""

    desk: str | None = None
