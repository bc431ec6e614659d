"""Who may review what, and what a set of reviews amounts to.

Makers and checkers never overlap. One rejection ends it. There is no bypass and no superuser.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import Enum

import msgspec

from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.errors import Conflict, InvalidInput, NotAllowed

__all__ = ["Outcome", "Review", "Verdict", "check_reviewer", "judge", "why_not"]


class Verdict(Enum):
    """What a person says about one digest."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"
    ESCALATE = "escalate"


class Outcome(Enum):
    """What the reviews so far amount to."""

    APPROVED = "approved"
    WAITING = "waiting"
    REJECTED = "rejected"
    ESCALATED = "escalated"


class Review(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One review as stored: a person's verdict on one statement digest, single use."""

    desk: str
    proposal: str
    n: int
    person: str
    identity: str
    verdict: Verdict
    statement: str
    at: int


def judge(
    *,
    proposal: Proposal,
    makers: frozenset[str],
    reviewer: Principal,
    verdict: Verdict,
    statement: str,
    reason: str,
    prior: Sequence[Review],
    now: int,
) -> Outcome:
    """What the desk does with this verdict; raises with a stable code when it does not count.

    The order of the checks is the order of the codes: not_pending, review_expired, stale_digest,
    reason_missing, maker_is_checker, not_entitled, reviewed_already. Only approvals of this very
    statement by distinct independent people count towards the quorum.
    """
    ended = any(review.verdict is not Verdict.APPROVE for review in prior)
    if proposal.state is not State.PENDING or ended:
        said = "decided" if ended else proposal.state.value.lower()
        raise Conflict("not_pending", f"this action is {said} already")
    # A pending action without a deadline could be approved for ever; it counts as run out.
    if proposal.decide_by is None or now >= proposal.decide_by:
        raise Conflict("review_expired", "the time to decide has run out; nothing was approved")
    if not proposal.statement or statement != proposal.statement:
        raise Conflict(
            "stale_digest", "what you saw is not what is stored now; open the action again"
        )
    if verdict in (Verdict.REJECT, Verdict.REQUEST_CHANGES) and not _says_something(reason):
        raise InvalidInput("reason_missing", "say in a few words why")
    check_reviewer(proposal, makers, reviewer, verdict, prior)
    match verdict:
        case Verdict.APPROVE:
            needed = max(1, proposal.checkers)
            passed = {
                review.identity
                for review in prior
                if review.statement == proposal.statement
                and not {review.person, review.identity} & _all_makers(proposal, makers)
            }
            enough = len(passed | {reviewer.identity}) >= needed
            return Outcome.APPROVED if enough else Outcome.WAITING
        case Verdict.REJECT | Verdict.REQUEST_CHANGES:
            return Outcome.REJECTED
        case Verdict.ESCALATE:
            return Outcome.ESCALATED


def check_reviewer(
    proposal: Proposal,
    makers: frozenset[str],
    reviewer: Principal,
    verdict: Verdict,
    prior: Sequence[Review],
) -> None:
    """Raise NotAllowed or Conflict unless this person may give this verdict on this action."""
    own = {reviewer.id, reviewer.identity}
    if verdict is Verdict.APPROVE and own & _all_makers(proposal, makers):
        raise NotAllowed(
            "maker_is_checker", "you made this action or answer for its agent; someone else decides"
        )
    if reviewer.desk != proposal.desk:
        raise NotAllowed("not_entitled", "only a person of this desk can review")
    if reviewer.disabled or reviewer.kind is not PrincipalKind.PERSON:
        raise NotAllowed("not_entitled", "only an active person can review")
    if not {Role.REVIEWER, Role.CHECKER} & set(reviewer.roles):
        raise NotAllowed("not_entitled", "your role does not review actions")
    if verdict is Verdict.APPROVE:
        _check_authority(proposal, reviewer)
    of_this = [review for review in prior if review.statement == proposal.statement]
    if any(own & {review.person, review.identity} for review in of_this):
        raise Conflict("reviewed_already", "you have reviewed this action already")


def _all_makers(proposal: Proposal, makers: frozenset[str]) -> frozenset[str]:
    """`makers`, and those whom the row itself names."""
    editor = () if proposal.editor is None else (proposal.editor,)
    return makers.union((proposal.agent, *editor))


def _says_something(reason: str) -> bool:
    return any(unicodedata.category(char)[0] not in "CZ" for char in reason)


def _check_authority(proposal: Proposal, reviewer: Principal) -> None:
    """A checker's limit must cover the amount; a reviewer passes `approve` within any own limit."""
    second_pair = proposal.control is Control.MAKER_CHECKER
    if second_pair and Role.CHECKER not in reviewer.roles:
        raise NotAllowed("not_entitled", "this action needs a checker; your role is reviewer")
    value = proposal.value
    if value is None:
        return
    limit = reviewer.limits.get(value.currency)
    if limit is None:
        if second_pair or reviewer.limits:
            raise NotAllowed("not_entitled", f"you have no limit for {value.currency}")
    elif value.minor > limit:
        raise NotAllowed("not_entitled", f"{value.text()} is above your limit")


def why_not(
    proposal: Proposal, makers: frozenset[str], reviewer: Principal, prior: Sequence[Review]
) -> str | None:
    """Why this person may not approve this action, as a sentence, or None when they may."""
    try:
        check_reviewer(proposal, makers, reviewer, Verdict.APPROVE, prior)
    except (NotAllowed, Conflict) as refusal:
        return refusal.message
    return None
