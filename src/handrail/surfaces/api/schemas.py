"""What the API takes and gives, as strict structs. The OpenAPI document is made from these.

Requests refuse fields that they do not know. Answers are called `...View`: what this caller may
see of a thing, never the stored row itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from handrail.core.artifact import Fact, Line
from handrail.core.decide import Reason
from handrail.core.entry import Entry
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.review import Verdict
from handrail.engine.execute import Ending

__all__ = [
    "BATCH_MAX",
    "PAGE_MAX",
    "WAIT_MS_MAX",
    "ActionView",
    "BatchRequest",
    "BatchView",
    "CardView",
    "CheckpointQuery",
    "DetailView",
    "EmptyRequest",
    "EntryView",
    "EscalateRequest",
    "EscalatedView",
    "EscalationView",
    "EscalationsQuery",
    "EscalationsView",
    "HealthView",
    "ItemRequest",
    "LogQuery",
    "LogView",
    "LoggedOutView",
    "LoginRequest",
    "NewTaskView",
    "ProblemView",
    "ProofView",
    "ProposeRequest",
    "QueueQuery",
    "QueueView",
    "ReadyView",
    "ReceiptRequest",
    "RefusedItemView",
    "ReviewRequest",
    "ReviewView",
    "ReviewedView",
    "SessionView",
    "TaskRequest",
    "TaskView",
    "WaitQuery",
]

BATCH_MAX: Final = 100
PAGE_MAX: Final = 200
WAIT_MS_MAX: Final = 30_000

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


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every answer."""


# requests


class EmptyRequest(_Request, kw_only=True):
    """Nothing to say: an empty object, or no body at all."""


class LoginRequest(_Request, kw_only=True):
    """A person logs in. Without `desk`, on the server's own."""

    person: str
    password: str
    desk: str | None = None


class TaskRequest(_Request, kw_only=True):
    """A task for the calling agent. The customers of the ticket are read from the helpdesk."""

    ticket: str | None = None
    lane: str | None = None


class ItemRequest(_Request, kw_only=True):
    """One action of a batch."""

    kind: str
    params: _Params
    key: str | None = None
    note: str | None = None
    claim: _Claim | None = None


class ProposeRequest(_Request, kw_only=True):
    """One action that an agent wants done. `key` makes it safe to send again."""

    kind: str
    params: _Params
    key: str | None = None
    note: str | None = None
    claim: _Claim | None = None
    wait_ms: _Wait = 0


class BatchRequest(_Request, kw_only=True):
    """Many actions, each decided for itself, made durable together."""

    items: Annotated[
        list[dict[str, Any]],
        msgspec.Meta(
            min_length=1,
            max_length=BATCH_MAX,
            extra_json_schema={"items": {"$ref": "#/components/schemas/ItemRequest"}},
        ),
    ]


class ReceiptRequest(_Request, kw_only=True):
    """What became of an action that ran in the agent's own process."""

    permit: str
    outcome: Ending
    provider_ref: str | None = None
    result: dict[str, Any] | None = None
    error: str | None = None


class ReviewRequest(_Request, kw_only=True):
    """A person's verdict on the digest that they were shown."""

    verdict: Verdict
    digest: str
    reason: str = ""


class EscalateRequest(_Request, kw_only=True):
    """A hand-off to a person, of the whole task or of one of its actions."""

    concern: str
    action: str | None = None


# queries


class WaitQuery(_Request, kw_only=True):
    """How long to wait for the end of an action."""

    wait_ms: _Wait = 0


class QueueQuery(_Request, kw_only=True):
    """A page of the queue; `after` is the last page's `next`."""

    after: str | None = None
    limit: _Limit = 50


class LogQuery(_Request, kw_only=True):
    """A page of the log from the newest down, or every entry about one thing."""

    before: Annotated[int, msgspec.Meta(ge=0)] | None = None
    limit: _Limit = 50
    proposal: str | None = None
    person: str | None = None
    customer: str | None = None


class EscalationsQuery(_Request, kw_only=True):
    """How many open escalations, by deadline."""

    limit: _Limit = 50


class CheckpointQuery(_Request, kw_only=True):
    """Which desk's log."""

    desk: str | None = None


# answers


class ProblemView(_Answer, kw_only=True):
    """A problem document (RFC 9457). `code` is stable; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class SessionView(_Answer, kw_only=True):
    """A login. `csrf` goes into the header `x-csrf-token` of every unsafe request."""

    person: str
    csrf: str
    expires_at: int


class LoggedOutView(_Answer, kw_only=True):
    """Whether there was a session to end."""

    ended: bool


class NewTaskView(_Answer, kw_only=True):
    """A task that was just issued. The token is shown once."""

    id: str
    token: str
    lane: str
    ticket: str | None
    expires_at: int


class TaskView(_Answer, kw_only=True):
    """A task."""

    id: str
    lane: str
    ticket: str | None
    agent: str
    created_at: int
    expires_at: int
    revoked_at: int | None


class ActionView(_Answer, kw_only=True):
    """Where an action stands, as an agent may see it. `says` is what the agent should be told."""

    id: str
    kind: str
    state: State
    control: Control
    says: str
    final: bool
    result: dict[str, Any] | None = None
    permit: str | None = None
    params: dict[str, Any] | None = None
    undo_of: str | None = None
    can_undo: bool = False
    says_reviewer: str | None = None


class ReviewedView(ActionView, kw_only=True):
    """An action after a review, with how many approvals it needs and has."""

    reviews_needed: int
    reviews_given: int


class RefusedItemView(_Answer, kw_only=True):
    """An item of a batch that was not accepted; nothing of it was written."""

    problem: ProblemView


_BatchItem = Annotated[
    Any,
    msgspec.Meta(
        extra_json_schema={
            "anyOf": [
                {"$ref": "#/components/schemas/Action"},
                {"$ref": "#/components/schemas/RefusedItem"},
            ]
        }
    ),
]


class BatchView(_Answer, kw_only=True):
    """One answer per item, in the order of the items."""

    items: list[_BatchItem]


class CardView(_Answer, kw_only=True):
    """An action in a list: enough to choose it, never enough to decide it."""

    id: str
    kind: str
    title: str
    headline: str
    customer: str | None
    state: State
    grade: int
    control: Control
    checkers: int
    value: str | None
    agent: str
    task: str
    created_at: int
    updated_at: int
    decide_by: int | None


class QueueView(_Answer, kw_only=True):
    """A page of what waits for a person, by deadline, and how many actions are in each state."""

    items: list[CardView]
    next: str | None
    counts: dict[str, int]


class ReviewView(_Answer, kw_only=True):
    """A review that was given."""

    person: str
    name: str
    verdict: Verdict
    reason: str
    at: int


class EscalationView(_Answer, kw_only=True):
    """A hand-off. `concern` is None once its customer was erased."""

    id: str
    task: str
    agent: str
    action: str | None
    concern: str | None
    opened_at: int
    due_at: int
    closed_at: int | None
    closed_by: str | None


class EntryView(_Answer, kw_only=True):
    """One entry of the log; `leaf` is exactly what is hashed, in base64."""

    index: int
    leaf: bytes
    entry: Entry


class DetailView(_Answer, kw_only=True):
    """Everything about one action that this person may see. A review quotes `digest`.

    `why_not` says why this person may not approve it, `why_no_undo` why it cannot be undone.
    """

    card: CardView
    digest: str
    lines: tuple[Line, ...]
    facts: tuple[Fact, ...]
    reasons: tuple[Reason, ...]
    artifact: dict[str, Any]
    note: str | None
    makers: tuple[str, ...]
    result: dict[str, Any] | None
    reviews: list[ReviewView]
    escalations: list[EscalationView]
    entries: list[EntryView]
    why_not: str | None
    why_no_undo: str | None


class EscalatedView(_Answer, kw_only=True):
    """A hand-off that was just made, with the action that it is about."""

    id: str
    due_at: int
    action: ActionView | None


class EscalationsView(_Answer, kw_only=True):
    """Open hand-offs, by deadline."""

    items: list[EscalationView]


class LogView(_Answer, kw_only=True):
    """Entries of the log; `next` continues below them as `before`."""

    size: int
    items: list[EntryView]
    next: int | None


class ProofView(_Answer, kw_only=True):
    """That an entry is in the log of a signed checkpoint: its audit path, in hex."""

    index: int
    size: int
    leaf: bytes
    proof: list[str]
    checkpoint: str


class HealthView(_Answer, kw_only=True):
    """The process answers."""

    ok: bool


class ReadyView(_Answer, kw_only=True):
    """Whether work is taken, and if not, why."""

    ready: bool
    reasons: list[str]
