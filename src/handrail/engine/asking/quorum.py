"""Quorum: who is drawn to check, what happens when nobody can, and policies that nobody could keep.

The lot is drawn by the gateway from its own randomness; whoever proposes has no part in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.policy import Assignment, Control, Guard, KindRule, Policy
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.core.review import able, counted
from handrail.core.roster import Roster
from handrail.engine.asking.checkers import bench_of, lacking, makers_of, nobody_text, roster_of
from handrail.engine.asking.escalate import open_for
from handrail.engine.base.context import GATEWAY, Context
from handrail.engine.base.record import Content, amend, check_unchanged
from handrail.errors import Conflict, NotAllowed, NotFound
from handrail.policy.around import Gap
from handrail.store.protocol import Tx, Unit

__all__ = [
    "due_draws",
    "gaps_of",
    "impossible",
    "recuse_unit",
    "redraw",
    "staffed",
    "tell_nobody_can",
    "tell_where_nobody_can",
]

_PAGE: Final = 200
_DRAWS_MAX: Final = 200
_LOT_BYTES: Final = 8
_ASKING: Final = (Control.APPROVE, Control.MAKER_CHECKER)


def staffed(ctx: Context, tx: Tx, proposal: Proposal, content: Content) -> tuple[Proposal, int]:
    """A new action with the people who are drawn to check it, and how many too few there are.

    Nobody is drawn where the policy does not say so, and where no more people could check it than
    are needed: then whoever may, may.
    """
    roster = roster_of(tx, proposal.desk)
    bench = bench_of(ctx, tx, proposal, roster=roster, content=content)
    pool = able(proposal, makers_of(tx, proposal, roster), bench, without=frozenset())
    needed = max(1, proposal.checkers)
    if len(pool) <= needed or not _draws(ctx, proposal):
        return proposal, max(0, needed - len(pool))
    drawn = _drawn(ctx, pool, needed)
    clocks = ctx.rulebook(proposal.desk).policy.clocks
    ready = msgspec.structs.replace(
        proposal, assigned=_joined(drawn), assign_by=tx.now + clocks.assignment_ms
    )
    return ready, 0


def tell_nobody_can(tx: Tx, ctx: Context, proposal: Proposal, short: int) -> None:
    """Hand to a person what waits for more people than could decide it. It goes on waiting."""
    said = f"nobody can decide this as things are: {nobody_text(proposal, short)}"
    open_for(tx, ctx, proposal, said, cause=Cause.QUORUM)


def tell_where_nobody_can(tx: Tx, ctx: Context, desk: str) -> None:
    """Look through all that waits, after people have changed."""
    roster = roster_of(tx, desk)
    for proposal in _waiting(tx, desk):
        short = lacking(ctx, tx, proposal, roster=roster)
        if short:
            tell_nobody_can(tx, ctx, proposal, short)


def due_draws(ctx: Context, desk: str, tx: Tx) -> list[Proposal]:
    """What waits for drawn people one of whom can no longer decide, or who have had their time."""
    found = tx.proposals.drawn(desk, most=_DRAWS_MAX)
    if not found:
        return []
    roster = roster_of(tx, desk)
    return [
        one
        for one in found
        if (one.assign_by is not None and tx.now >= one.assign_by) or _gone(ctx, tx, one, roster)
    ]


def redraw(ctx: Context, tx: Tx, proposal: Proposal) -> bool:
    """Draw others for those who cannot decide any more, and one more once the time is over.

    Nobody who still can is taken off the list: it would tell that they have decided already.
    """
    roster = roster_of(tx, proposal.desk)
    gone = _gone(ctx, tx, proposal, roster)
    drawn = [one for one in proposal.assigned.split(",") if one and one not in gone]
    wanted = len(drawn) + len(gone)
    if proposal.assign_by is not None and tx.now >= proposal.assign_by:
        wanted += 1
    wanted = max(wanted, proposal.checkers)
    at = proposal.created_at
    taken = roster.names(*drawn, *_split(proposal.recused), at=at)
    makers, bench = makers_of(tx, proposal, roster), bench_of(ctx, tx, proposal, roster=roster)
    pool = able(proposal, makers, bench, without=taken)
    drawn += [one.id for one in _drawn(ctx, pool, max(0, wanted - len(drawn)))]
    everyone = len(drawn) < max(1, proposal.checkers) or len(pool) + len(drawn) <= wanted
    assigned = "" if everyone else ",".join(drawn)
    clocks = ctx.rulebook(proposal.desk).policy.clocks
    changed = amend(
        tx,
        proposal,
        Tag.ACTION_ASSIGNED,
        actor=GATEWAY,
        data={"people": assigned},
        assigned=assigned,
        assign_by=None if everyone else tx.now + clocks.assignment_ms,
    )
    short = lacking(ctx, tx, changed, roster=roster)
    if short:
        tell_nobody_can(tx, ctx, changed, short)
    return True


def recuse_unit(ctx: Context, desk: str, id: str, *, person: str) -> Unit[Proposal]:
    """The unit by which somebody who was drawn says that they cannot; another one is drawn.

    Raises NotAllowed `not_assigned`, Conflict `not_pending` and `reviewed_already`.
    """

    def unit(tx: Tx) -> Proposal:
        proposal = tx.proposals.get(desk, id)
        if proposal is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        if proposal.state is not State.PENDING:
            raise Conflict("not_pending", f"this action is {proposal.state.value.lower()} already")
        reviews = check_unchanged(tx, proposal)
        names = roster_of(tx, desk).names(person, at=proposal.created_at)
        own = [one for one in _split(proposal.assigned) if one in names]
        if not own:
            raise NotAllowed("not_assigned", "this action was not given to you by lot")
        if any(review.person in names for review in counted(reviews)):
            raise Conflict("reviewed_already", "you have reviewed this action already")
        recused = amend(
            tx,
            proposal,
            Tag.ACTION_RECUSED,
            actor=person,
            by_person=True,
            recused=",".join((*_split(proposal.recused), *own)),
        )
        redraw(ctx, tx, recused)
        changed = tx.proposals.get(desk, id)
        assert changed is not None
        return changed

    return unit


def gaps_of(policy: Policy, roster: Roster) -> tuple[Gap, ...]:
    """What a desk's people could not keep of a policy; nothing when they can.

    For every guard that needs checkers there must be as many independent people with the role, and
    a limit that covers the least amount of its band where anybody has one in that currency: for at
    least one of the desk's agents, or nobody ever could; and for each of them, lest what that agent
    proposes waits in vain. A desk without people is not judged: they come after the desk.
    """
    people = roster.people()
    if not people:
        return ()
    found: dict[Gap, None] = {}
    for rule in policy.kinds.values():
        for guard, least in _guards(rule):
            have = _able_of(roster, people, least)
            amount = "" if least is None else f" from {least.text()} on"
            needs = f"`{rule.kind.name}`{amount} needs {guard.checkers} independent people who may"
            most = max(have.values())
            if most < guard.checkers:
                text = f"{needs} check it, and there are {most}"
                found[Gap(kind=rule.kind.name, text=text, never=True)] = None
                continue
            for agent, count in have.items():
                if count < guard.checkers:
                    text = f"{needs} check it, and for `{agent}` there are {count}: the others own,"
                    text += " operate or deploy it"
                    found[Gap(kind=rule.kind.name, text=text, never=False)] = None
    return tuple(found)


def impossible(policy: Policy, roster: Roster) -> list[str]:
    """Why a desk's people could never keep a policy, a line each; empty when they can."""
    return [gap.text for gap in gaps_of(policy, roster) if gap.never]


def _guards(rule: KindRule) -> Iterator[tuple[Guard, Money | None]]:
    """Every guard of a kind that needs checkers, with the least amount that it is for."""
    if not rule.bands and rule.guard.control is Control.MAKER_CHECKER:
        yield rule.guard, None
    ladders = [*rule.bands.items()]
    if rule.cleared is not None:
        ladders += rule.cleared.bands.items()
        if not rule.cleared.bands and rule.cleared.guard.control is Control.MAKER_CHECKER:
            yield rule.cleared.guard, None
    for currency, bands in ladders:
        floor = 0
        for band in bands:
            if band.guard.control is Control.MAKER_CHECKER:
                yield band.guard, Money(minor=floor + 1, currency=currency)
            floor = band.up_to_minor or 0


def _able_of(roster: Roster, people: Sequence[Principal], least: Money | None) -> dict[str, int]:
    """How many distinct people could check this, by agent; for any other, where there is none."""
    limited = least is not None and any(least.currency in one.limits for one in people)
    fit = [
        one
        for one in people
        if Role.CHECKER in one.roles
        and (least is None or not limited or one.limits.get(least.currency, -1) >= least.minor)
    ]
    agents = [
        one.id for one in roster.everybody if one.kind is PrincipalKind.AGENT and not one.disabled
    ]
    makers = {id: roster.makers((id,)) for id in agents} or {"": frozenset[str]()}
    return {id: _distinct(roster, fit, side) for id, side in makers.items()}


def _distinct(roster: Roster, people: Sequence[Principal], makers: frozenset[str]) -> int:
    met: set[str] = set(makers)
    count = 0
    for person in people:
        names = roster.of(person)
        if not names & met:
            met |= names
            count += 1
    return count


def _draws(ctx: Context, proposal: Proposal) -> bool:
    if proposal.control is not Control.MAKER_CHECKER:
        return False
    match ctx.rulebook(proposal.desk).policy.assignment:
        case Assignment.NEVER:
            return False
        case Assignment.QUORUM:
            return proposal.checkers > 1
        case Assignment.ALWAYS:
            return True


def _drawn(ctx: Context, pool: Sequence[Principal], count: int) -> list[Principal]:
    """`count` of them, each with the same chance."""
    lots = sorted((ctx.entropy(_LOT_BYTES), one.id, one) for one in pool)
    return sorted((one for _, _, one in lots[:count]), key=lambda one: one.id)


def _gone(ctx: Context, tx: Tx, proposal: Proposal, roster: Roster) -> list[str]:
    """Who was drawn and may not approve it any more, or said that they cannot."""
    makers, bench = makers_of(tx, proposal, roster), bench_of(ctx, tx, proposal, roster=roster)
    recused = _split(proposal.recused)
    found = able(proposal, makers, bench, without=frozenset())
    names = roster.names(*(one.id for one in found), at=proposal.created_at)
    return [one for one in _split(proposal.assigned) if one not in names or one in recused]


def _waiting(tx: Tx, desk: str) -> Iterator[Proposal]:
    after: tuple[int, str] | None = None
    while page := tx.proposals.queue(desk, after=after, most=_PAGE):
        yield from (one for one in page if one.control in _ASKING)
        after = (page[-1].rank or 0, page[-1].id)


def _joined(people: Sequence[Principal]) -> str:
    return ",".join(one.id for one in people)


def _split(text: str) -> list[str]:
    return text.split(",") if text else []
