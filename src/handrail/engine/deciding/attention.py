"""Attention: whether a person has looked long enough, what they have decided, what overflows.

Whoever asks about another person's time must be entitled to: that is `crew_of`'s to refuse.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import msgspec

from handrail.core.attention import (
    DAY_MS,
    HOUR_MS,
    Load,
    Look,
    load_of,
    middle_of,
    seconds_left,
    spent_text,
)
from handrail.core.grade import Grade
from handrail.core.overflow import Overflow, estimate
from handrail.core.principal import Principal, Role
from handrail.core.proposal import Proposal
from handrail.core.roster import Roster
from handrail.engine.asking.checkers import roster_of
from handrail.engine.base.context import Context
from handrail.errors import Conflict, NotAllowed
from handrail.store.protocol import Tx

__all__ = [
    "CREW_LOOKS_MAX",
    "OWN_LOOKS_MAX",
    "Reviewer",
    "check_attention",
    "crew_of",
    "is_lead",
    "load_for",
    "outlook",
    "tired",
]

OWN_LOOKS_MAX: Final = 2_000
CREW_LOOKS_MAX: Final = 10_000
"""Decisions of a working day that are looked at, of one person and of a desk."""
WAITING_LOOKED_MAX: Final = 1_000
"""Of a longer queue the most urgent are looked at: the estimate says of how many it is."""
MEASURED_MAX: Final = 200
MEASURED_MIN: Final = 5
"""A median of fewer decisions than this says nothing yet."""
EACH_MS: Final = 60_000
"""What one decision is taken to need while none was measured."""
_WEEK_MS: Final = 7 * 24 * HOUR_MS
_DECIDING: Final = frozenset((Role.REVIEWER, Role.CHECKER))


class Reviewer(msgspec.Struct, frozen=True, kw_only=True):
    """One reviewer and their load, as a lead sees them."""

    person: Principal
    load: Load


def check_attention(tx: Tx, ctx: Context, proposal: Proposal, person: Principal) -> None:
    """Refuse an approval that comes before it can have been read, or after too many others.

    Raises Conflict `too_soon` and NotAllowed `budget_spent`.
    """
    if ctx.rulebook(proposal.desk).policy.attention.dwell_percent:
        look = tx.looks.get(proposal.desk, proposal.id, proposal.statement, person.id)
        if look is None:
            raise Conflict("too_soon", "this was not shown to you yet; open it and read it first")
        left = seconds_left(look, tx.now)
        if left:
            said = "1 second" if left == 1 else f"{left} seconds"
            raise Conflict("too_soon", f"read it first; it can be approved in {said}")
    why = tired(tx, ctx, proposal, person)
    if why is not None:
        raise NotAllowed("budget_spent", why)


def tired(
    tx: Tx, ctx: Context, proposal: Proposal, person: Principal, load: Load | None = None
) -> str | None:
    """Why this person leaves this action to others for now, or None: only what is G3."""
    attention = ctx.rulebook(proposal.desk).policy.attention
    if proposal.grade is not Grade.G3 or (attention.per_hour is None and attention.per_day is None):
        return None
    return spent_text(load_for(tx, person) if load is None else load, attention)


def load_for(tx: Tx, person: Principal) -> Load:
    """What one natural person has decided lately, on all of their accounts."""
    names = roster_of(tx, person.desk).of(person)
    looks: list[Look] = []
    for one in tx.people.everybody(person.desk):
        if one.id in names:
            since = tx.now - DAY_MS
            looks += tx.looks.decided_by(person.desk, one.id, since=since, most=OWN_LOOKS_MAX)
    return load_of(sorted(looks, key=lambda one: -(one.decided_at or 0)), tx.now)


def is_lead(person: Principal) -> bool:
    """Whether this person may see how others spend their time."""
    return Role.ADMIN in person.roles


def crew_of(tx: Tx, lead: Principal) -> list[Reviewer]:
    """Everybody who reviews on the desk, the most loaded first. Raises NotAllowed `role_missing`.

    What still waits for a further checker is left out: that it was decided would tell how.
    """
    if not is_lead(lead):
        raise NotAllowed("role_missing", "only an administrator sees how others spend their time")
    by_person: dict[str, list[Look]] = defaultdict(list)
    for look in tx.looks.decided(lead.desk, since=tx.now - DAY_MS, most=CREW_LOOKS_MAX):
        by_person[look.person].append(look)
    found = [
        Reviewer(person=one, load=load_of(by_person[one.id], tx.now))
        for one in roster_of(tx, lead.desk).people()
        if one.id in by_person or _DECIDING & set(one.roles)
    ]
    return sorted(found, key=lambda one: (-one.load.day, one.person.name))


def outlook(tx: Tx, desk: str) -> Overflow:
    """What waits and cannot be reviewed in time, by who is at work and how long a decision takes.

    Cheap however much waits: it reads a bounded part of the queue, from its index.
    """
    roster = roster_of(tx, desk)
    seen = tx.looks.people_since(desk, tx.now - HOUR_MS)
    at_work = _deciding(roster, frozenset(seen))
    looks = tx.looks.decided(desk, since=tx.now - _WEEK_MS, most=MEASURED_MAX)
    times = [one.took_ms for one in looks if one.took_ms is not None]
    measured = len(times) >= MEASURED_MIN
    found = estimate(
        tx.proposals.deadlines(desk, most=WAITING_LOOKED_MAX),
        people=at_work or _deciding(roster, None),
        each_ms=max(1, middle_of(times)) if measured else EACH_MS,
        now=tx.now,
    )
    return msgspec.structs.replace(found, present=at_work > 0, measured=measured)


def _deciding(roster: Roster, among: frozenset[str] | None) -> int:
    """How many natural persons may decide something: of those accounts, or of all."""
    found: set[str] = set()
    count = 0
    for one in roster.people():
        if (among is None or one.id in among) and _DECIDING & set(one.roles):
            names = roster.of(one)
            count += not names & found
            found |= names
    return count
