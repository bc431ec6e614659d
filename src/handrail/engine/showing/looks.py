"""Looks: what people are shown, who is looking at it, and who has taken it.

Kept where handrail itself shows an action to somebody who is logged in: in the console and over
HTTP. An embedding program shows things in its own way, and nothing is kept of that.

Of what takes several checkers, who are blind to each other, nothing is told at all: somebody who
was there, is gone, and left it waiting has approved it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from handrail.core.attention import PRESENT_MS, TAKEN_MS, Look, dwell_ms
from handrail.core.lifecycle import State
from handrail.core.principal import Principal, Role
from handrail.core.proposal import Proposal
from handrail.engine.base.context import Context
from handrail.engine.showing.show import Shown
from handrail.engine.telling.notify import KEPT_MS
from handrail.errors import Conflict, NotAllowed, NotFound
from handrail.store.protocol import Tx, Unit

__all__ = [
    "Presence",
    "leave_unit",
    "presence_of",
    "prune_looks",
    "seen_unit",
    "shown_unit",
    "take_unit",
]

PRUNED_MAX: Final = 1_000
"""Looks that are forgotten in one unit."""

_DECIDING: Final = frozenset((Role.REVIEWER, Role.CHECKER))


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """Who else is at an action now, by name, and who has taken it until when.

    `mine` is until when the one who asks has taken it themselves, None when they have not.
    """

    looking: tuple[str, ...] = ()
    taken: tuple[str, int] | None = None
    mine: int | None = None


def shown_unit(ctx: Context, shown: Shown, person: Principal) -> Unit[Look | None]:
    """The unit that notes that a person is shown a waiting action, in the version of `shown`.

    Their look, with the time of the first showing; None for what nobody is asked about any more.
    """
    proposal = shown.card.proposal
    percent = ctx.rulebook(proposal.desk).policy.attention.dwell_percent
    dwell = dwell_ms(shown.lines, proposal.grade, percent)

    def unit(tx: Tx) -> Look | None:
        stands = tx.proposals.look(proposal.desk, proposal.id)
        if stands is None or stands.state is not State.PENDING:
            return None
        look = Look(
            desk=proposal.desk,
            proposal=proposal.id,
            statement=proposal.statement,
            person=person.id,
            first_at=tx.now,
            seen_at=tx.now,
            dwell_ms=dwell,
        )
        tx.looks.show(look)
        return tx.looks.get(look.desk, look.proposal, look.statement, look.person)

    return unit


def seen_unit(desk: str, id: str, *, person: str, statement: str) -> Unit[Presence | None]:
    """The unit by which an open page says that its person still looks; who else does.

    None when what the page shows is not what waits any more.
    """

    def unit(tx: Tx) -> Presence | None:
        stands = tx.proposals.look(desk, id)
        if stands is None or stands.state is not State.PENDING or stands.statement != statement:
            return None
        look = tx.looks.get(desk, id, statement, person)
        if look is not None:
            tx.looks.show(msgspec.structs.replace(look, seen_at=tx.now))
        return presence_of(tx, [stands], person).get(id, Presence())

    return unit


def presence_of(tx: Tx, proposals: Sequence[Proposal], person: str) -> dict[str, Presence]:
    """Who is at each of these actions of one desk, as `person` sees it; nobody has no entry."""
    found: dict[str, Presence] = {}
    ids = [one.id for one in proposals if not _is_blind(one)]
    if not ids:
        return found
    desk = proposals[0].desk
    for look in tx.looks.around(desk, ids, since=tx.now - PRESENT_MS, now=tx.now):
        known = found.get(look.proposal, Presence())
        until = look.taken_until
        holds = until is not None and until > tx.now
        if look.person == person:
            found[look.proposal] = msgspec.structs.replace(known, mine=until if holds else None)
            continue
        name = _name(tx, desk, look.person)
        if holds and until is not None:
            found[look.proposal] = msgspec.structs.replace(known, taken=(name, until))
        elif name not in known.looking:
            found[look.proposal] = msgspec.structs.replace(known, looking=(*known.looking, name))
    return found


def take_unit(desk: str, id: str, *, person: Principal) -> Unit[Look]:
    """The unit by which somebody takes an action for a while. It keeps nobody from deciding it.

    One person at a time. Raises NotFound `proposal_not_found`, NotAllowed `not_entitled`, and
    Conflict `not_pending`, `checked_blind` where several check it, `stale_digest` for whom it was
    not shown as it stands, and `taken_already`.
    """

    def unit(tx: Tx) -> Look:
        if not _DECIDING & set(person.roles):
            raise NotAllowed("not_entitled", "your role does not review actions")
        proposal = tx.proposals.get(desk, id)
        if proposal is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        if proposal.state is not State.PENDING:
            raise Conflict("not_pending", f"this action is {proposal.state.value.lower()} already")
        if _is_blind(proposal):
            raise Conflict(
                "checked_blind", "several check this without knowing of each other; nobody takes it"
            )
        look = tx.looks.get(desk, id, proposal.statement, person.id)
        if look is None:
            raise Conflict("stale_digest", "open the action first, as it stands now")
        taken = presence_of(tx, [proposal], person.id).get(id, Presence()).taken
        if taken is not None:
            raise Conflict("taken_already", f"{taken[0]} has taken this; you can still decide it")
        until = tx.now + TAKEN_MS
        tx.looks.take(look, until)
        return msgspec.structs.replace(look, taken_until=until)

    return unit


def leave_unit(desk: str, id: str, *, person: Principal) -> Unit[None]:
    """The unit by which somebody lets go of what they have taken. Raises `proposal_not_found`."""

    def unit(tx: Tx) -> None:
        proposal = tx.proposals.look(desk, id)
        if proposal is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        look = tx.looks.get(desk, id, proposal.statement, person.id)
        if look is not None:
            tx.looks.take(look, None)

    return unit


def prune_looks(ctx: Context, desk: str) -> int:
    """Forget who looked at what ended long ago, some at a time; how many. As long as notices."""
    before = ctx.clock() - KEPT_MS
    return ctx.store.write(lambda tx: tx.looks.prune(desk, before, most=PRUNED_MAX))


def _is_blind(proposal: Proposal) -> bool:
    return proposal.checkers > 1


def _name(tx: Tx, desk: str, person: str) -> str:
    found = tx.people.get(desk, person)
    return person if found is None else found.name
