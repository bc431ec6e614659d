"""Checkers: who could decide an action, as the desk's people stand now, and whose word counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from handrail.core.breakglass import Grant
from handrail.core.canonical import canonical
from handrail.core.grade import Grade
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.core.review import Bench, Review, Verdict, able, counted, why_not
from handrail.core.roster import Roster
from handrail.engine.base.context import Context
from handrail.engine.base.record import Content, content_of
from handrail.errors import InvariantBroken, Unavailable
from handrail.store.protocol import Tx

__all__ = [
    "bench_of",
    "lacking",
    "mail_name",
    "makers_of",
    "nobody_text",
    "roster_of",
    "standing",
]

_MAIL: Final = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]{1,253}")
_LINKS_MAX: Final = 100
"""Edits of edits that are followed; a longer chain is a broken one."""


def roster_of(tx: Tx, desk: str) -> Roster:
    """Everybody on a desk."""
    return tx.people.roster(desk)


def makers_of(tx: Tx, proposal: Proposal, roster: Roster | None = None) -> frozenset[str]:
    """Everybody who answers for a proposal, by every name of theirs.

    Its agent's owner, operator and deployer, whom it acts for, and whoever edited it or what it
    took the place of; each as they stood when it was first proposed, and as they stand now. Who
    only lowered an amount is one of them above G2, also when asking anew got it there.
    """
    line = _line_of(tx, proposal)
    named = [one.agent for one in line]
    named += [one.editor for one in line if one.editor is not None]
    if proposal.grade > Grade.G2:
        named += [_lowered_by(tx, one) for one in line if one.supersedes and one.editor is None]
    people = roster_of(tx, proposal.desk) if roster is None else roster
    return people.makers(named, line[-1].created_at)


def bench_of(
    ctx: Context,
    tx: Tx,
    proposal: Proposal,
    *,
    roster: Roster | None = None,
    content: Content | None = None,
    at: int | None = None,
) -> Bench:
    """What `judge` needs to know about the people; `at` is the time of the verdict, now if None."""
    people = roster_of(tx, proposal.desk) if roster is None else roster
    clocks = ctx.rulebook(proposal.desk).policy.clocks
    return Bench(
        roster=people,
        touched=frozenset((proposal.subject, *_mails(tx, proposal, people, content))),
        seasoning_ms=clocks.seasoning_ms,
        grants=_grants(tx, proposal, tx.now if at is None else at),
        since=_line_of(tx, proposal)[-1].created_at,
    )


def mail_name(tx: Tx, desk: str, address: str) -> str:
    """The keyed hash by which an address is known on a desk."""
    said = canonical(["mail", desk, address.strip().casefold()])
    return tx.vault.fingerprint_of(said)


def standing(ctx: Context, tx: Tx, proposal: Proposal, reviews: Sequence[Review]) -> list[Review]:
    """The approvals of the present statement whose people could still give them now.

    One a person. A role that was taken away, a person who was disabled, a limit that was lowered,
    and what somebody was found to have to do with the action, each void what they had said. What
    was said under break-glass stands when the grant was in force then and was not cut short.
    """
    said = [
        review
        for review in counted(reviews)
        if review.verdict is Verdict.APPROVE and review.statement == proposal.statement
    ]
    if not said:
        return []
    roster = roster_of(tx, proposal.desk)
    makers = makers_of(tx, proposal, roster)
    found: list[Review] = []
    met: set[str] = set()
    for review in said:
        person = tx.people.get(proposal.desk, review.person)
        bench = bench_of(ctx, tx, proposal, roster=roster, at=review.at)
        names = roster.names(review.person, review.identity, at=proposal.created_at)
        alone = not names & met
        if person is not None and alone and why_not(proposal, makers, person, (), bench) is None:
            met |= names
            found.append(review)
    return found


def lacking(ctx: Context, tx: Tx, proposal: Proposal, *, roster: Roster | None = None) -> int:
    """How many people more it would take for a waiting action to be decided; 0 when there are."""
    people = roster_of(tx, proposal.desk) if roster is None else roster
    makers = makers_of(tx, proposal, people)
    bench = bench_of(ctx, tx, proposal, roster=people)
    found = able(proposal, makers, bench, without=frozenset())
    return max(0, max(1, proposal.checkers) - len(found))


def nobody_text(proposal: Proposal, short: int) -> str:
    """What the page of an action says that nobody can decide."""
    needed = max(1, proposal.checkers)
    kind = "checkers with the authority" if proposal.control is Control.MAKER_CHECKER else "people"
    return f"it takes {needed} independent {kind}, and {needed - short} could decide"


def _line_of(tx: Tx, proposal: Proposal) -> list[Proposal]:
    """The proposal, what it took the place of, and so on to the first."""
    line = [proposal]
    while line[-1].supersedes is not None and len(line) < _LINKS_MAX:
        before = tx.proposals.look(proposal.desk, line[-1].supersedes)
        if before is None:
            break
        line.append(before)
    return line


def _lowered_by(tx: Tx, proposal: Proposal) -> str:
    """Who did nothing but lower an amount: by the log, for the row of an edit names only makers."""
    actor = tx.log.of_proposal(proposal.desk, proposal.id)[0].entry.actor
    if actor is None:
        raise InvariantBroken("invariant_broken", f"nobody made `{proposal.id}`, by its own log")
    return actor


def _mails(tx: Tx, proposal: Proposal, roster: Roster, content: Content | None) -> Iterator[str]:
    """The addresses that the action shows, hashed; looked for only where people's are known."""
    if not roster.knows_mail:
        return
    if content is None:
        try:
            content = content_of(tx, proposal)
        except Unavailable:
            return
    shown = [line.text for line in content.lines]
    shown += [fact.value for fact in content.facts if isinstance(fact.value, str)]
    for address in {address for text in shown for address in _MAIL.findall(text)}:
        yield f"mail:{mail_name(tx, proposal.desk, address)}"


def _grants(tx: Tx, proposal: Proposal, at: int) -> dict[str, Grant]:
    """The break-glass grants that were in force at `at`, but for what was ended before its time."""
    if proposal.control is not Control.MAKER_CHECKER:
        return {}
    grants = [one for one in tx.grants.latest(proposal.desk) if one.covers(at)]
    return {one.person: one for one in grants if one.closed_at in (None, one.expires_at)}
