"""What the API gives, as structs: what this caller may see of a thing, never the stored row.

The OpenAPI document is made from them; it calls them by their names without `View`.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from handrail.core.artifact import Fact, Line
from handrail.core.decide import FailedCheck, Reason
from handrail.core.entry import Entry
from handrail.core.escalation import Cause
from handrail.core.ground import Ground
from handrail.core.halt import HaltScope
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.retype import Retyped
from handrail.core.review import Verdict
from handrail.core.triggers.span import Span
from handrail.engine.base.outgoing import Place
from handrail.engine.deciding.testify import Witness
from handrail.engine.waiting.ask_again import Change

__all__ = [
    "ActionView",
    "BatchView",
    "CardView",
    "DetailView",
    "EscalatedView",
    "EscalationView",
    "EscalationsView",
    "HaltView",
    "HaltsView",
    "HandOffView",
    "HealthView",
    "HeldView",
    "LogEntryView",
    "LogView",
    "LoggedOutView",
    "MessageView",
    "NewTaskView",
    "ProblemView",
    "ProofView",
    "PulledView",
    "QueueView",
    "ReadyView",
    "RefusedItemView",
    "ReviewView",
    "ReviewedView",
    "SessionView",
    "TaskView",
]


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every answer."""


class ProblemView(_Answer, frozen=True, kw_only=True):
    """A problem document (RFC 9457). `code` is stable; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class SessionView(_Answer, frozen=True, kw_only=True):
    """A login. `csrf` goes into the header `x-csrf-token` of every unsafe request."""

    person: str
    csrf: str
    expires_at: int


class LoggedOutView(_Answer, frozen=True, kw_only=True):
    """Whether there was a session to end."""

    ended: bool


class NewTaskView(_Answer, frozen=True, kw_only=True):
    """A task that was just issued. The token is shown once."""

    id: str
    token: str
    lane: str
    ticket: str | None
    expires_at: int


class TaskView(_Answer, frozen=True, kw_only=True):
    """A task."""

    id: str
    lane: str
    ticket: str | None
    agent: str
    created_at: int
    expires_at: int
    revoked_at: int | None


class ActionView(_Answer, frozen=True, kw_only=True):
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
    supersedes: str | None = None
    superseded_by: str | None = None


class ReviewedView(ActionView, frozen=True, kw_only=True):
    """An action after a review, with how many approvals it needs and has."""

    reviews_needed: int
    reviews_given: int


class RefusedItemView(_Answer, frozen=True, kw_only=True):
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


class BatchView(_Answer, frozen=True, kw_only=True):
    """One answer per item, in the order of the items."""

    items: list[_BatchItem]


class CardView(_Answer, frozen=True, kw_only=True):
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
    hold_until: int | None


class QueueView(_Answer, frozen=True, kw_only=True):
    """A page of what waits for a person, the most urgent first, and how many are in each state."""

    items: list[CardView]
    next: str | None
    counts: dict[str, int]


class ReviewView(_Answer, frozen=True, kw_only=True):
    """A review that was given."""

    person: str
    name: str
    verdict: Verdict
    reason: str
    at: int
    ground: Ground | None


class EscalationView(_Answer, frozen=True, kw_only=True):
    """A hand-off. `concern` is None once its customer was erased.

    `owner` is the person who took it; `said` counts how often something was said about it.
    """

    id: str
    task: str
    agent: str
    action: str | None
    concern: str | None
    cause: Cause
    opened_at: int
    due_at: int
    overdue: bool
    owner: str | None
    taken_at: int | None
    said: int
    closed_at: int | None
    closed_by: str | None


class LogEntryView(_Answer, frozen=True, kw_only=True):
    """One entry of the log; `leaf` is exactly what is hashed, in base64."""

    index: int
    leaf: bytes
    entry: Entry


class DetailView(_Answer, frozen=True, kw_only=True):
    """Everything about one action that this person may see. A review quotes `digest`; an approval
    counts from `approve_from` on, milliseconds UTC.

    `changed` is what differs from what was decided on before, when it is put to people anew.
    `history` is what happened before that bears on it, `failed` are the policy's checks that did
    not pass. `found` is what is marked in the texts that leave the desk, `pressure` what in the
    note presses whoever decides. `editable` are the parameters that an edit may change. `why_not`
    says why this person may not approve it, `why_nobody` why nobody can as things are,
    `why_no_undo` why it cannot be undone, `why_not_testify` why they may not say what became of
    it. `witnesses` said so already. `retype` is what an approval has to name as `retyped`.
    """

    card: CardView
    digest: str
    approve_from: int | None
    lines: tuple[Line, ...]
    history: tuple[Line, ...]
    facts: tuple[Fact, ...]
    changed: tuple[Change, ...]
    reasons: tuple[Reason, ...]
    failed: tuple[FailedCheck, ...]
    found: tuple[Place, ...]
    artifact: dict[str, Any]
    note: str | None
    pressure: tuple[Span, ...]
    makers: tuple[str, ...]
    result: dict[str, Any] | None
    reviews: list[ReviewView]
    escalations: list[EscalationView]
    entries: list[LogEntryView]
    witnesses: tuple[Witness, ...]
    why_not: str | None
    why_nobody: str | None
    retype: Retyped | None
    editable: dict[str, str | None]
    why_no_undo: str | None
    why_not_testify: str | None


class HeldView(_Answer, frozen=True, kw_only=True):
    """What is held back, the first to go out first."""

    items: list[CardView]


class MessageView(_Answer, frozen=True, kw_only=True):
    """One message of the conversation."""

    author: str
    sender: str
    body: str
    sent_at: int
    through_handrail: bool


class HandOffView(_Answer, frozen=True, kw_only=True):
    """A hand-off with all that is known: what was said, the conversation, what ran and what waits.

    `conversation` is None when the helpdesk could not be read, or there is no ticket.
    """

    escalation: EscalationView
    said: list[str]
    ticket: str | None
    customer: str | None
    about: CardView | None
    ran: list[CardView]
    waits: list[CardView]
    ended: list[CardView]
    facts: tuple[Fact, ...]
    conversation: list[MessageView] | None


class EscalatedView(_Answer, frozen=True, kw_only=True):
    """A hand-off that was just made, with the action that it is about."""

    id: str
    due_at: int
    action: ActionView | None


class EscalationsView(_Answer, frozen=True, kw_only=True):
    """Open hand-offs, by deadline."""

    items: list[EscalationView]


class HaltView(_Answer, frozen=True, kw_only=True):
    """A stop. `target` is empty for a desk, and None for a customer who was erased.

    `why_no_lift` says why this person may not lift it; None when they may.
    """

    id: str
    scope: HaltScope
    target: str | None
    reason: str | None
    pulled_by: str
    pulled_at: int
    lifted_by: str | None
    lifted_at: int | None
    why_no_lift: str | None


class HaltsView(_Answer, frozen=True, kw_only=True):
    """What is stopped, then what was, newest first."""

    items: list[HaltView]


class PulledView(_Answer, frozen=True, kw_only=True):
    """The halt that now counts.

    `fresh` is False when it counted already, `met` is False for a customer who is not known yet.
    `in_flight` are actions that had left before and cannot be stopped any more; only people see it.
    """

    halt: HaltView
    fresh: bool
    met: bool
    in_flight: list[str]


class LogView(_Answer, frozen=True, kw_only=True):
    """Entries of the log; `next` continues below them as `before`."""

    size: int
    items: list[LogEntryView]
    next: int | None


class ProofView(_Answer, frozen=True, kw_only=True):
    """That an entry is in the log of a signed checkpoint: its audit path, in hex."""

    index: int
    size: int
    leaf: bytes
    proof: list[str]
    checkpoint: str


class HealthView(_Answer, frozen=True, kw_only=True):
    """The process answers."""

    ok: bool


class ReadyView(_Answer, frozen=True, kw_only=True):
    """Whether work is taken, and if not, why."""

    ready: bool
    reasons: list[str]
