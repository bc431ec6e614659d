"""Who may review what, and what a set of reviews amounts to.

Makers and checkers never overlap. One rejection ends it. There is no bypass and no superuser.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import msgspec

from handrail.core.breakglass import Grant
from handrail.core.ground import Ground
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.core.roster import Roster
from handrail.errors import Conflict, HandrailError, InvalidInput, NotAllowed

__all__ = [
    "Bench",
    "Outcome",
    "Review",
    "Verdict",
    "able",
    "check_reviewer",
    "counted",
    "judge",
    "why_not",
]


class Verdict(Enum):
    """What a person says about one digest. TAKE_BACK voids what they approved just before."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"
    ESCALATE = "escalate"
    TAKE_BACK = "take_back"


class Outcome(Enum):
    """What the reviews so far amount to."""

    APPROVED = "approved"
    WAITING = "waiting"
    REJECTED = "rejected"
    ESCALATED = "escalated"
    TAKEN_BACK = "taken_back"


class Review(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One review as stored: a person's verdict on one statement digest, single use.

    `turn` counts what the same person said about this statement before: an approval that was taken
    back can be given again. `ground` is why they said no.
    """

    desk: str
    proposal: str
    n: int
    person: str
    identity: str
    verdict: Verdict
    statement: str
    at: int
    turn: int = 0
    ground: Ground | None = None


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What is known about a desk's people when one action is decided.

    `touched` is what the action touches: the customer's reference, and `mail:` with the hash of
    every address in it. `seasoning_ms` is how much older than the action a checker's role must be.
    `grants` are the break-glass grants in force, by account. `since` is when the first of a row of
    edits was proposed.
    """

    roster: Roster = field(default_factory=Roster)
    touched: frozenset[str] = frozenset()
    seasoning_ms: int = 0
    grants: Mapping[str, Grant] = field(default_factory=dict)
    since: int | None = None

    def at(self, proposal: Proposal) -> int:
        """When what people decide on was first proposed: an edit does not make it younger."""
        return proposal.created_at if self.since is None else self.since


_BARE: Final = Bench()
_SENT: Final = (State.EXECUTING, State.UNKNOWN, State.SUCCEEDED, State.FAILED)


def counted(reviews: Sequence[Review]) -> list[Review]:
    """The reviews that count: without what was taken back, and without the taking back."""
    found: list[Review] = []
    for review in reviews:
        if review.verdict is Verdict.TAKE_BACK:
            said = (review.identity, review.statement)
            found = [one for one in found if (one.identity, one.statement) != said]
        else:
            found.append(review)
    return found


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
    bench: Bench = _BARE,
    ground: Ground | None = None,
) -> Outcome:
    """What the desk does with this verdict; raises with a stable code when it does not count.

    The order of the checks is the order of the codes: not_pending, review_expired, stale_digest,
    reason_missing, maker_is_checker, delegation_cycle, beneficiary_conflict, not_entitled,
    not_seasoned, reviewed_already, not_assigned. Only approvals of this very statement by distinct
    independent people count towards the quorum. A rejection says why: by a `ground`, or in words.
    Taking an approval back needs no time and no reason; see `_check_take_back`.
    """
    prior = counted(prior)
    if verdict is Verdict.TAKE_BACK:
        _check_active(proposal, makers, reviewer, verdict, bench)
        _check_take_back(proposal, reviewer, statement, prior)
        return Outcome.TAKEN_BACK
    _check_open(proposal, statement, prior, now)
    needs_words = verdict is Verdict.REQUEST_CHANGES
    if verdict is Verdict.REJECT:
        needs_words = ground in (None, Ground.OTHER)
    if needs_words and not _says_something(reason):
        raise InvalidInput("reason_missing", "say in a few words why")
    check_reviewer(proposal, makers, reviewer, verdict, prior, bench)
    match verdict:
        case Verdict.APPROVE:
            return _weighed(proposal, makers, reviewer, prior, bench)
        case Verdict.REJECT | Verdict.REQUEST_CHANGES:
            return Outcome.REJECTED
        case Verdict.ESCALATE:
            return Outcome.ESCALATED


def _check_open(proposal: Proposal, statement: str, prior: Sequence[Review], now: int) -> None:
    """It waits for people, in time, and is what they were shown."""
    ended = any(review.verdict is not Verdict.APPROVE for review in prior)
    if proposal.state is not State.PENDING or ended:
        said = "decided" if ended else proposal.state.value.lower()
        raise Conflict("not_pending", f"this action is {said} already")
    # A pending action without a deadline could be approved for ever; it counts as run out.
    if proposal.decide_by is None or now >= proposal.decide_by:
        raise Conflict("review_expired", "the time to decide has run out; nothing was approved")
    if not proposal.statement or statement != proposal.statement:
        raise _not_what_was_seen()


def _weighed(
    proposal: Proposal,
    makers: frozenset[str],
    reviewer: Principal,
    prior: Sequence[Review],
    bench: Bench,
) -> Outcome:
    """Whether this approval is enough, with those that were given before by others."""
    at = bench.at(proposal)
    passed = [bench.roster.of(reviewer, at)]
    for review in prior:
        names = bench.roster.names(review.person, review.identity, at=at)
        alone = not any(names & others for others in passed)
        independent = not names & _all_makers(proposal, makers)
        if review.statement == proposal.statement and independent and alone:
            passed.append(names)
    enough = len(passed) >= max(1, proposal.checkers)
    return Outcome.APPROVED if enough else Outcome.WAITING


def _check_take_back(
    proposal: Proposal, reviewer: Principal, statement: str, prior: Sequence[Review]
) -> None:
    """A person takes back their own approval of this statement while nothing was ever sent.

    Raises Conflict: take_back_too_late, not_pending, stale_digest, nothing_to_take_back.
    """
    tried = proposal.state is State.READY and proposal.attempt
    if proposal.state in _SENT or tried:
        raise Conflict("take_back_too_late", "it was sent before you took it back")
    if proposal.state not in (State.PENDING, State.READY):
        said = proposal.state.value.lower()
        raise Conflict("not_pending", f"this action is {said} already")
    if not proposal.statement or statement != proposal.statement:
        raise _not_what_was_seen()
    mine = (Verdict.APPROVE, reviewer.identity, statement)
    if mine not in [(one.verdict, one.identity, one.statement) for one in prior]:
        raise Conflict("nothing_to_take_back", "no approval of yours stands on this action")


def _not_what_was_seen() -> Conflict:
    return Conflict("stale_digest", "what you saw is not what is stored now; open the action again")


def check_reviewer(
    proposal: Proposal,
    makers: frozenset[str],
    reviewer: Principal,
    verdict: Verdict,
    prior: Sequence[Review],
    bench: Bench = _BARE,
) -> None:
    """Raise NotAllowed or Conflict unless this person may give this verdict on this action."""
    at = bench.at(proposal)
    own = bench.roster.of(reviewer, at)
    if verdict is Verdict.APPROVE:
        _check_independence(proposal, makers, reviewer, own, bench)
    lifted = _check_active(proposal, makers, reviewer, verdict, bench)
    if verdict is Verdict.APPROVE:
        _check_authority(proposal, reviewer, lifted=lifted)
        _check_seasoned(proposal, reviewer, bench, lifted=lifted)
    of_this = [one for one in counted(prior) if one.statement == proposal.statement]
    if any(own & bench.roster.names(one.person, one.identity, at=at) for one in of_this):
        raise Conflict("reviewed_already", "you have reviewed this action already")
    asked = proposal.state is State.PENDING
    if verdict is Verdict.APPROVE and proposal.assigned and asked:
        _check_assigned(proposal, own, bench)


def _check_active(
    proposal: Proposal,
    makers: frozenset[str],
    reviewer: Principal,
    verdict: Verdict,
    bench: Bench,
) -> bool:
    """Somebody of this desk who has a say at all; whether break-glass lends them the role."""
    if reviewer.desk != proposal.desk:
        raise NotAllowed("not_entitled", "only a person of this desk can review")
    if reviewer.disabled or reviewer.kind is PrincipalKind.AGENT:
        raise NotAllowed("not_entitled", "only an active person can review")
    if verdict is Verdict.APPROVE and reviewer.kind is not PrincipalKind.PERSON:
        raise NotAllowed("not_entitled", "only a person can approve; a service may say no")
    lifted = _lifted(proposal, makers, reviewer, bench)
    if not lifted and not {Role.REVIEWER, Role.CHECKER} & set(reviewer.roles):
        raise NotAllowed("not_entitled", "your role does not review actions")
    return lifted


def able(
    proposal: Proposal, makers: frozenset[str], bench: Bench, *, without: frozenset[str]
) -> list[Principal]:
    """Who may approve this action, one account a person, by id; nobody who goes by `without`.

    Neither what they have said already nor whom the lot has drawn makes a difference.
    """
    found: list[Principal] = []
    met: set[str] = set(without)
    whole = msgspec.structs.replace(proposal, assigned="")
    for person in sorted(bench.roster.people(), key=lambda one: one.id):
        names = bench.roster.of(person, bench.at(proposal))
        if not names & met and why_not(whole, makers, person, (), bench) is None:
            met |= names
            found.append(person)
    return found


def _check_independence(
    proposal: Proposal,
    makers: frozenset[str],
    reviewer: Principal,
    own: frozenset[str],
    bench: Bench,
) -> None:
    if own & _all_makers(proposal, makers):
        raise NotAllowed(
            "maker_is_checker", "you made this action or answer for its agent; someone else decides"
        )
    if bench.roster.acts_in_a_circle(proposal.agent):
        raise NotAllowed(
            "delegation_cycle", "its agent acts for itself by way of others; nobody answers for it"
        )
    if bench.touched & bench.roster.interests(reviewer, bench.at(proposal)):
        raise NotAllowed(
            "beneficiary_conflict", "this action touches your own account; someone else decides"
        )


def _lifted(proposal: Proposal, makers: frozenset[str], reviewer: Principal, bench: Bench) -> bool:
    """Whether break-glass lends this person the role; not when a maker has confirmed it."""
    grant = bench.grants.get(reviewer.id)
    if grant is None or grant.confirmed_by is None:
        return False
    confirmer = bench.roster.names(grant.confirmed_by, at=bench.at(proposal))
    return not confirmer & _all_makers(proposal, makers)


def _check_seasoned(proposal: Proposal, reviewer: Principal, bench: Bench, *, lifted: bool) -> None:
    """What somebody was given after an action was proposed does not count for it."""
    if proposal.control is not Control.MAKER_CHECKER or lifted:
        return
    if reviewer.granted > bench.at(proposal) - bench.seasoning_ms:
        raise NotAllowed(
            "not_seasoned", "your role or limit is too new for this action; someone else decides"
        )


def _check_assigned(proposal: Proposal, own: frozenset[str], bench: Bench) -> None:
    drawn = proposal.assigned.split(",")
    if not own & bench.roster.names(*drawn, at=bench.at(proposal)):
        named = {one.id: one.name for one in bench.roster.everybody}
        who = " and ".join(named.get(id, id) for id in drawn)
        raise NotAllowed("not_assigned", f"it was given by lot to {who}")


def _all_makers(proposal: Proposal, makers: frozenset[str]) -> frozenset[str]:
    """`makers`, and those whom the row itself names."""
    editor = () if proposal.editor is None else (proposal.editor,)
    return makers.union((proposal.agent, *editor))


def _says_something(reason: str) -> bool:
    return any(unicodedata.category(char)[0] not in "CZ" for char in reason)


def _check_authority(proposal: Proposal, reviewer: Principal, *, lifted: bool = False) -> None:
    """A checker's limit must cover what the bands were judged by, the amount or the customer's sum.

    A reviewer passes `approve` within any own limit.
    """
    second_pair = proposal.control is Control.MAKER_CHECKER
    if second_pair and not lifted and Role.CHECKER not in reviewer.roles:
        raise NotAllowed("not_entitled", "this action needs a checker; your role is reviewer")
    value, judged = proposal.value, proposal.judged
    if value is None or judged is None:
        return
    limit = reviewer.limits.get(value.currency)
    if limit is None:
        if second_pair or reviewer.limits:
            raise NotAllowed("not_entitled", f"you have no limit for {value.currency}")
    elif value.minor > limit:
        raise NotAllowed("not_entitled", f"{value.text()} is above your limit")
    elif judged.minor > limit:
        raise NotAllowed(
            "not_entitled",
            "together with what this customer was given lately it is above your limit",
        )


def why_not(
    proposal: Proposal,
    makers: frozenset[str],
    reviewer: Principal,
    prior: Sequence[Review],
    bench: Bench = _BARE,
) -> str | None:
    """Why this person may not approve this action, as a sentence, or None when they may."""
    try:
        check_reviewer(proposal, makers, reviewer, Verdict.APPROVE, prior, bench)
    except HandrailError as refusal:
        return refusal.message
    return None
