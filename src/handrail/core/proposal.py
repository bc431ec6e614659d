"""The proposal: the durable record of one action, without any personal data."""

from __future__ import annotations

import msgspec

from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.money import MINOR_MAX, Money
from handrail.core.policy import Control, Guard

__all__ = ["Proposal"]


class Proposal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One proposal as stored. Content (artifact, facts, prose) lies sealed in the vault.

    `digest` is the artifact's digest; `statement` is what a review binds (empty when nobody was
    asked). `fingerprint` is a keyed hash of the content without nonce, for idempotency. Times are
    milliseconds UTC: `decide_by` ends the asking, `execute_by` the right to run, `hold_until` the
    window in which it can be recalled or its approval taken back (nothing leaves before),
    `attempt_until` the running attempt, `undo_until` the undo window. `sent_back_at` is when a
    person asked for changes, which ended it. `rounds` says
    how often it was put to a person anew after it had been allowed; `same_as` is the open action
    because of which this one was refused. `assigned` are the people who may approve it, drawn by
    lot (empty: whoever may), `assign_by` is when one more is drawn, `recused` are those who said
    that they cannot; ids with commas between them. `told` is what the policy has for the
    agent about a check that did not pass; `rank` is the place in the queue. `sum_minor` is the
    customer's sum that the bands looked at, in the amount's currency, None when there was none.
    """

    desk: str
    id: str
    task: str
    agent: str
    kind: str
    connector: str
    state: State
    version: int
    grade: Grade
    control: Control
    checkers: int
    reasons: str
    value_minor: int | None
    currency: str | None
    subject: str
    key: str
    fingerprint: str
    digest: str
    statement: str
    policy: str
    editor: str | None = None
    undoes: str | None = None
    undone_by: str | None = None
    created_at: int
    updated_at: int
    decide_by: int | None = None
    execute_by: int | None = None
    hold_until: int | None = None
    attempt: int = 0
    attempt_until: int | None = None
    fence: int | None = None
    permit: str | None = None
    provider_ref: str | None = None
    undo_until: int | None = None
    rounds: int = 0
    same_as: str | None = None
    supersedes: str | None = None
    superseded_by: str | None = None
    told: str | None = None
    rank: int | None = None
    sum_minor: int | None = None
    assigned: str = ""
    assign_by: int | None = None
    recused: str = ""
    sent_back_at: int | None = None

    def waits_out(self, now: int) -> bool:
        """Whether it is allowed and does not leave yet: its approval can still be taken back."""
        return self.hold_until is not None and now < self.hold_until

    @property
    def guard(self) -> Guard:
        """The control and the number of checkers that were decided."""
        return Guard(control=self.control, checkers=self.checkers)

    @property
    def value(self) -> Money | None:
        """The money that the action moves, if it moves any."""
        if self.value_minor is None or self.currency is None:
            return None
        return Money(minor=self.value_minor, currency=self.currency)

    @property
    def judged(self) -> Money | None:
        """What a checker's limit is held against: the amount, or the customer's sum if it is more.

        A sum that cannot be said is no number to hold anything against: what stands for it is the
        strictest guard, which it has brought about.
        """
        value, total = self.value, self.sum_minor
        if value is None or total is None or not value.minor < total < MINOR_MAX:
            return value
        return Money(minor=total, currency=value.currency)
