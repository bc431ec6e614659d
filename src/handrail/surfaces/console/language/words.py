"""What the console calls things, in plain English. One table per closed set."""

from __future__ import annotations

import re
from typing import Final

from handrail.core.decide import ReasonCode
from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.grade import Grade
from handrail.core.halt import HaltScope
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import Role
from handrail.core.review import Verdict

__all__ = [
    "CAUSES",
    "CONTROL_WORDS",
    "ENTRIES",
    "ENTRY_FACTS",
    "GRADES",
    "HALT_SCOPES",
    "LOST_WHYS",
    "LOUD_REASONS",
    "REASONS",
    "ROLES",
    "STATES",
    "STATE_TONES",
    "VERDICTS",
    "WHYS",
    "control_text",
    "count_text",
    "name_text",
]

_IDENTIFIER: Final = re.compile(r"[a-z0-9_.]+")
_DAYS: Final = re.compile(r"(?:^| )([0-9]+)d(?: |$)")

STATES: Final[dict[State, str]] = {
    State.PROPOSED: "Proposed",
    State.PENDING: "Waiting for a person",
    State.HOLDING: "Goes out soon, can be recalled",
    State.READY: "Allowed, about to run",
    State.EXECUTING: "Running now",
    State.UNKNOWN: "Outcome not known",
    State.SUCCEEDED: "Done",
    State.FAILED: "Not done",
    State.REFUSED: "Refused by the policy",
    State.REJECTED: "Rejected by a person",
    State.EXPIRED: "Expired",
    State.WITHDRAWN: "Withdrawn",
    State.SUPERSEDED: "Replaced by an edit",
    State.ESCALATED: "Handed to a person",
}

STATE_TONES: Final[dict[State, str]] = {
    State.PENDING: "wait",
    State.HOLDING: "wait",
    State.READY: "wait",
    State.EXECUTING: "wait",
    State.UNKNOWN: "bad",
    State.SUCCEEDED: "good",
    State.FAILED: "bad",
    State.ESCALATED: "wait",
}
"""The colour of a state; what is left out is neutral."""

GRADES: Final[dict[Grade, str]] = {
    Grade.G0: "harmless: nothing outside is touched",
    Grade.G1: "minor: easily undone",
    Grade.G2: "serious: reaches a customer or moves money",
    Grade.G3: "severe: cannot be taken back, or a lot is at stake",
}

_CONTROLS: Final[dict[Control, str]] = {
    Control.RUN_AND_LOG: "Runs at once and is logged.",
    Control.RUN_AND_NOTIFY: "Runs at once; people can look at it and undo it.",
    Control.HOLD_AND_RECALL: "Goes out after a short while in which it can be recalled.",
    Control.APPROVE: "Waits for one person to approve it.",
    Control.MAKER_CHECKER: "Waits for one independent checker with the authority to pass it.",
    Control.ESCALATE: "Is handed to a person.",
    Control.REFUSE: "Is refused; nobody is asked.",
}

CONTROL_WORDS: Final[dict[Control, str]] = {
    Control.RUN_AND_LOG: "runs and is logged",
    Control.RUN_AND_NOTIFY: "runs, can be undone",
    Control.HOLD_AND_RECALL: "goes out after a while, can be recalled",
    Control.APPROVE: "one person approves",
    Control.MAKER_CHECKER: "independent checkers",
    Control.ESCALATE: "handed to a person",
    Control.REFUSE: "refused",
}
"""A control in a few words, for a list."""

REASONS: Final[dict[ReasonCode, str]] = {
    ReasonCode.HALTED: "Stopped for now",
    ReasonCode.OUTSIDE_LANE: "Outside its task",
    ReasonCode.UNDO_ONLY: "Only ever an undo",
    ReasonCode.DENIED_BEFORE: "Denied before",
    ReasonCode.OPEN_ALREADY: "Under way already",
    ReasonCode.TOO_MANY_OPEN: "Too much open",
    ReasonCode.QUEUE_FULL: "The queue is full",
    ReasonCode.EVALUATION_FAILED: "The check itself failed",
    ReasonCode.UNKNOWN_KIND: "Unknown kind of action",
    ReasonCode.UNLISTED_CURRENCY: "Currency not listed",
    ReasonCode.VALUE_UNKNOWN: "Amount not known",
    ReasonCode.ASKED_AGAIN: "Changed since it was decided",
    ReasonCode.CHECK_FAILED: "A check failed",
    ReasonCode.CHECK_FLAGGED: "A check points at it",
    ReasonCode.FACTS_MISSING: "A fact is missing",
    ReasonCode.FACTS_CONTRADICT: "Facts against it",
    ReasonCode.HIDDEN_CONTENT: "Something hides",
    ReasonCode.UNRESOLVED_REFERENCE: "A placeholder is not filled in",
    ReasonCode.LATE_UNDO: "Undone late",
    ReasonCode.CLAIMED_GRADE: "The agent's own warning",
    ReasonCode.EDITED: "Changed by a person",
    ReasonCode.CAP_FULL: "A cap is full",
    ReasonCode.ACCUMULATED: "Too much together",
    ReasonCode.CLEARED: "Cleared by its checks",
    ReasonCode.VALUE_BAND: "Amount",
    ReasonCode.KIND_DEFAULT: "Kind of action",
}

LOUD_REASONS: Final[dict[ReasonCode, str]] = {
    ReasonCode.EVALUATION_FAILED: "bad",
    ReasonCode.CHECK_FAILED: "bad",
    ReasonCode.CHECK_FLAGGED: "bad",
    ReasonCode.FACTS_CONTRADICT: "bad",
    ReasonCode.HIDDEN_CONTENT: "bad",
    ReasonCode.UNRESOLVED_REFERENCE: "bad",
    ReasonCode.UNKNOWN_KIND: "bad",
    ReasonCode.ASKED_AGAIN: "warn",
    ReasonCode.FACTS_MISSING: "warn",
    ReasonCode.VALUE_UNKNOWN: "warn",
    ReasonCode.UNLISTED_CURRENCY: "warn",
    ReasonCode.CLAIMED_GRADE: "warn",
    ReasonCode.CAP_FULL: "warn",
    ReasonCode.ACCUMULATED: "warn",
    ReasonCode.HALTED: "warn",
}
"""Reasons that a list shows beside the action, with their colour."""

VERDICTS: Final[dict[Verdict, str]] = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.REQUEST_CHANGES: "asked for changes",
    Verdict.ESCALATE: "handed it on",
    Verdict.TAKE_BACK: "took the approval back",
}

ROLES: Final[dict[Role, str]] = {
    Role.REVIEWER: "reviewer",
    Role.CHECKER: "checker",
    Role.POLICY_OWNER: "policy owner",
    Role.AUDITOR: "auditor",
    Role.ADMIN: "administrator",
}

ENTRIES: Final[dict[str, str]] = {
    Tag.DESK_OPENED.value: "Desk opened",
    Tag.LOG_RESTORED.value: "Log goes on after a restore",
    Tag.LOG_RECONCILED.value: "Restore finished",
    Tag.POLICY_ACTIVATED.value: "Policy made active",
    Tag.POLICY_PROPOSED.value: "Policy proposed",
    Tag.POLICY_APPROVED.value: "Proposed policy approved",
    Tag.POLICY_REJECTED.value: "Proposed policy rejected",
    Tag.POLICY_KEPT.value: "Policy file not taken up",
    Tag.SHADOW_STARTED.value: "A candidate decides in shadow",
    Tag.SHADOW_STOPPED.value: "The candidate in shadow is over",
    Tag.PRINCIPAL_ADDED.value: "Person or agent added",
    Tag.PRINCIPAL_CHANGED.value: "Person or agent changed",
    Tag.CREDENTIAL_ISSUED.value: "Credential issued",
    Tag.CREDENTIAL_REVOKED.value: "Credential revoked",
    Tag.SESSION_OPENED.value: "Logged in",
    Tag.SESSION_CLOSED.value: "Session ended",
    Tag.SESSION_PROVED.value: "Showed anew who they are",
    Tag.PASSKEY_ADDED.value: "Passkey added",
    Tag.PASSKEY_REVOKED.value: "Passkey ended",
    Tag.TASK_ISSUED.value: "Task issued",
    Tag.TASK_REVOKED.value: "Task ended",
    Tag.HALT_PULLED.value: "Work stopped",
    Tag.HALT_LIFTED.value: "Work goes on",
    Tag.CUSTOMER_ERASED.value: "Customer's content erased",
    Tag.PROOF_EXPORTED.value: "Records exported as a proof",
    Tag.CHANNEL_ADDED.value: "Notifications: a channel added",
    Tag.CHANNEL_ENDED.value: "Notifications: a channel ended",
    Tag.ACTION_PROPOSED.value: "Proposed",
    Tag.REVIEW_RECORDED.value: "Approved, and waits for a further checker",
    Tag.REVIEW_WITHDRAWN.value: "Approval taken back: it waits again",
    Tag.ACTION_APPROVED.value: "Approved",
    Tag.ACTION_REJECTED.value: "Rejected",
    Tag.ACTION_EXPIRED.value: "Expired; nothing ran",
    Tag.ACTION_WITHDRAWN.value: "Withdrawn",
    Tag.ACTION_ASSIGNED.value: "Given to people by lot",
    Tag.ACTION_RECUSED.value: "Somebody drawn said that they cannot",
    Tag.ACTION_SUPERSEDED.value: "Replaced by an edit",
    Tag.ACTION_ESCALATED.value: "Handed to a person",
    Tag.ACTION_RELEASED.value: "Recall window over, released",
    Tag.ACTION_WAITED.value: "Waits for room under a cap",
    Tag.ACTION_REOPENED.value: "Changed: put to a person anew",
    Tag.ACTION_UNDONE.value: "Undone",
    Tag.ACTION_DOUBTED.value: "May have run after the backup",
    Tag.ACTION_RECONCILED.value: "Looked up after a restore",
    Tag.EXECUTION_INTENDED.value: "About to be carried out",
    Tag.EXECUTION_SUCCEEDED.value: "Carried out",
    Tag.EXECUTION_FAILED.value: "Not carried out",
    Tag.EXECUTION_LOST.value: "No answer: outcome not known",
    Tag.EXECUTION_FOUND.value: "Looked up: it was carried out",
    Tag.EXECUTION_ABSENT.value: "Looked up: it was not carried out",
    Tag.EXECUTION_ABANDONED.value: "Given up; it was not carried out",
    Tag.EXECUTION_RETURNED.value: "Answered after it had been given up",
    Tag.EXECUTION_TESTIFIED.value: "A person said what became of it",
    Tag.EXECUTION_CONFIRMED.value: "Confirmed by people",
    Tag.CAP_TRIPPED.value: "A cap is full",
    Tag.BREAKGLASS_ASKED.value: "Break-glass asked for",
    Tag.BREAKGLASS_OPENED.value: "Break-glass in force",
    Tag.BREAKGLASS_CLOSED.value: "Break-glass over",
    Tag.BUNCHING_ALARMED.value: "Amounts bunch below a limit",
    Tag.ESCALATION_OPENED.value: "Escalation opened",
    Tag.ESCALATION_CONTINUED.value: "More was said about an escalation",
    Tag.ESCALATION_TAKEN.value: "Escalation taken",
    Tag.ESCALATION_OVERDUE.value: "Escalation overdue",
    Tag.ESCALATION_CLOSED.value: "Escalation closed",
}

HALT_SCOPES: Final[dict[HaltScope, str]] = {
    HaltScope.DESK: "everything on this desk",
    HaltScope.AGENT: "one agent",
    HaltScope.KIND: "one kind of action",
    HaltScope.TASK: "one task",
    HaltScope.CUSTOMER: "one customer",
}

CAUSES: Final[dict[Cause, str]] = {
    Cause.AGENT: "Handed over by the agent",
    Cause.REVIEWER: "Handed over by a reviewer",
    Cause.POLICY: "Handed over by the policy",
    Cause.POLICY_ERROR: "The policy could not be evaluated",
    Cause.CAP: "A limit was reached",
    Cause.DENIED_AGAIN: "Tried again after it was denied",
    Cause.EXPIRED: "Its time ran out",
    Cause.UNKNOWN_OUTCOME: "Nobody knows whether it was done",
    Cause.UNDO_UNVERIFIED: "An undo could not be verified",
    Cause.QUORUM: "Not enough people can decide it",
    Cause.BREAK_GLASS: "Break-glass was used",
    Cause.POLICY_KEPT: "A policy file was not taken up",
    Cause.HALTED: "It ran out of time while work was stopped",
    Cause.TAMPERED: "A record was changed from outside",
    Cause.RESTORED: "Restored from a backup",
}

ENTRY_FACTS: Final = (
    "state", "kind", "grade", "control", "verdict", "ground", "why", "attempt", "by",
)  # fmt: skip
"""What of an entry's data is worth a word in a list; the leaf itself has everything."""

WHYS: Final[dict[str, str]] = {
    "halted": "Work was stopped by a halt, so it was taken back and did not run.",
    "nobody_decided": "Nobody decided in time, so nothing ran.",
    "execution_expired": "It was allowed but did not run in time, so it did not run at all.",
    "digest_mismatch": "What was stored is not what was approved, so it did not run.",
    "policy_tightened": "The policy became stricter in the meantime, so it did not run.",
    "cap_full": "A cap was full when it was about to run, so it did not run.",
    "target_changed": "It would have touched somebody or something else than was allowed, so it did"
    " not run.",
    "stale": "It was tried once and not done, and the facts have changed since, so it did not run"
    " again.",
    "connector_changed": "It was tried once and not done, and what carries it out has changed"
    " since, so it did not run again.",
    "subject_unknown": "What it is about was no longer there when it was about to run.",
    "connector_refused": "The system of record could no longer take it when it was about to run.",
    "key_expired": "It was tried and not done, and can no longer be tried again safely.",
    "content_erased": "Its customer was erased, so it did not run.",
    "asked_too_often": "It changed each time after it was allowed, so it was given up and handed to"
    " a person.",
    "approval_void": "Who had approved it may not any more, so it did not run.",
    "not_approved": "Its approvals did not cover what is stored, so it did not run.",
}
"""Why an action expired, by the log's word for it."""

LOST_WHYS: Final[dict[str, str]] = {
    "interrupted": "The process that carried it out was gone.",
    "deadline": "No answer came in time.",
    "restored": "It stood in a backup that was restored.",
    "time_over": "Its time to run was over.",
    "tried_too_often": "It came to nothing too many times.",
}
"""Why an attempt was given up, by the log's word for it."""


def control_text(control: Control, checkers: int) -> str:
    """What is done about an action, as a sentence."""
    if control is Control.MAKER_CHECKER and checkers > 1:
        return (
            f"Waits for {count_text(checkers)} independent checkers with the"
            " authority to pass it. Neither sees what the other says."
        )
    return _CONTROLS[control]


_NUMBERS: Final = {2: "two", 3: "three"}


def count_text(n: int) -> str:
    """A small number as a word."""
    return _NUMBERS.get(n, str(n))


def name_text(name: str) -> str:
    """The name of a fact or field as words: `refunds_30d_sum` becomes `Refunds sum (30 days)`.

    What is not a plain identifier stays exactly as it is.
    """
    if not _IDENTIFIER.fullmatch(name):
        return name
    words = _DAYS.sub(" ", name.replace("_", " ").replace(".", " ")).strip()
    days = "".join(f" ({n} days)" for n in _DAYS.findall(name.replace("_", " ")))
    return words[:1].upper() + words[1:] + days
