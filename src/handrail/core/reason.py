"""What a decision consists of: a guard, a grade, and every reason in a written precedence."""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from handrail.core.grade import Grade
from handrail.core.policy import Guard, Otherwise

__all__ = ["PRECEDENCE", "Decision", "FailedCheck", "Reason", "ReasonCode", "codes_of"]


class ReasonCode(Enum):
    """Why a decision is what it is. The order here is the order in which reasons are given."""

    HALTED = "halted"
    OUTSIDE_LANE = "outside_lane"
    UNDO_ONLY = "undo_only"
    DENIED_BEFORE = "denied_before"
    OPEN_ALREADY = "open_already"
    TOO_MANY_OPEN = "too_many_open"
    QUEUE_FULL = "queue_full"
    EVALUATION_FAILED = "evaluation_failed"
    UNKNOWN_KIND = "unknown_kind"
    UNLISTED_CURRENCY = "unlisted_currency"
    VALUE_UNKNOWN = "value_unknown"
    ASKED_AGAIN = "asked_again"
    CHECK_FAILED = "check_failed"
    FACTS_MISSING = "facts_missing"
    FACTS_CONTRADICT = "facts_contradict"
    HIDDEN_CONTENT = "hidden_content"
    UNRESOLVED_REFERENCE = "unresolved_reference"
    CHECK_FLAGGED = "check_flagged"
    LATE_UNDO = "late_undo"
    CLAIMED_GRADE = "claimed_grade"
    EDITED = "edited"
    CAP_FULL = "cap_full"
    ACCUMULATED = "accumulated"
    CLEARED = "cleared"
    VALUE_BAND = "value_band"
    KIND_DEFAULT = "kind_default"


PRECEDENCE: Final = {code: place for place, code in enumerate(ReasonCode)}


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason: a stable code and a sentence for the reviewer."""

    code: ReasonCode
    text: str


def codes_of(reasons: tuple[Reason, ...]) -> str:
    """The codes of reasons with commas between them, each one once."""
    if len(reasons) == 1:
        return reasons[0].code.value
    return ",".join(dict.fromkeys(reason.code.value for reason in reasons))


class FailedCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check of the policy that did not pass.

    `facts` are those that its condition names. `broken` says that it could not be evaluated: then
    it has its outcome, and the strictest guard besides. `unread` says what was not known, if that
    is why.
    """

    name: str
    outcome: Otherwise
    text: str
    agent: str | None = None
    facts: tuple[str, ...] = ()
    broken: bool = False
    unread: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A guard, a grade, every reason in the order of precedence, and the checks that failed."""

    guard: Guard
    grade: Grade
    reasons: tuple[Reason, ...]
    failed: tuple[FailedCheck, ...] = ()
