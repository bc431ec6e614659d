"""The queue: what waits for a person, the most urgent first."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.attention import Load
from handrail.core.decide import ReasonCode
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.review import why_not
from handrail.engine.asking.checkers import bench_of, makers_of, roster_of
from handrail.engine.base.context import Context
from handrail.engine.deciding.attention import load_for, outlook, tired
from handrail.engine.showing.looks import Presence, presence_of
from handrail.engine.showing.search import LOOKED_AT_MAX, Haul, Search, haul
from handrail.engine.showing.show import Card, cards_of
from handrail.errors import InvalidInput
from handrail.store.protocol import Tx
from handrail.surfaces.console.language.words import GRADES, LOUD_REASONS, REASONS, count_text
from handrail.surfaces.console.pages import Visitor
from handrail.surfaces.console.queue.attention import shown_overflow
from handrail.surfaces.console.queue.presence import presence_text
from handrail.surfaces.console.queue.search import (
    SEARCH_FIELDS,
    address_of,
    kinds_of,
    said_of,
    search_in,
)
from handrail.surfaces.console.text.lines import lines_of, summary

__all__ = ["QUEUE_PAGE", "WaitingRow", "queue", "waiting_rows"]

QUEUE_PAGE: Final = 50
SOON_MS: Final = 60 * 60_000
VERY_SOON_MS: Final = 15 * 60_000
_CURSOR: Final = re.compile(r"([0-9]{1,19})\.(hr_[0-9a-f]{32})")


class WaitingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the queue.

    `summary` says where it goes, or what it does. `flags` are reasons to look twice, each with its
    colour. `not_mine` says why this person may not approve it. `urgency` is the colour of the
    deadline. `presence` says who else is at it. `also` is what else of the same task waits on this
    page of the queue: it is one case.
    """

    card: Card
    summary: str
    ticket: str | None
    needs: str
    flags: tuple[tuple[str, str], ...]
    not_mine: str | None
    urgency: str
    presence: str = ""
    also: tuple[WaitingRow, ...] = ()


def waiting_rows(
    ctx: Context, tx: Tx, viewer: Principal, proposals: list[Proposal], load: Load
) -> list[WaitingRow]:
    """The lines of the queue for one person with this load, in the order given."""
    tickets: dict[str, str | None] = {}
    rows = []
    roster = roster_of(tx, viewer.desk)
    around = presence_of(tx, proposals, viewer.id)
    for card in cards_of(ctx, tx, proposals):
        proposal = card.proposal
        if proposal.task not in tickets:
            task = tx.tasks.get(proposal.desk, proposal.task)
            tickets[proposal.task] = None if task is None else task.ticket
        # With one approval nobody has said anything yet: it would not wait any more.
        prior = tx.proposals.reviews(proposal.desk, proposal.id) if proposal.checkers > 1 else []
        rows.append(
            WaitingRow(
                card=card,
                summary=summary(proposal, card.title, lines_of(tx, proposal)),
                ticket=tickets[proposal.task],
                needs=_needs(proposal),
                flags=_flags(proposal),
                not_mine=why_not(
                    proposal,
                    makers_of(tx, proposal, roster),
                    viewer,
                    prior,
                    bench_of(ctx, tx, proposal, roster=roster),
                )
                or tired(tx, ctx, proposal, viewer, load),
                urgency=_urgency(proposal, tx.now),
                presence=presence_text(around.get(proposal.id, Presence()), tx.now),
            )
        )
    return rows


def put_off(tx: Tx, person: Principal) -> list[Proposal]:
    """What a person has put off and that waits, the next to come back first."""
    found = tx.snoozes.of(person.desk, person.id, tx.now)
    known = tx.proposals.some(person.desk, list(found))
    return [known[id] for id in found if id in known and known[id].state is State.PENDING]


def _by_case(rows: list[WaitingRow]) -> list[WaitingRow]:
    """One line a case, where its most urgent action stands, with the others of the task in it."""
    cases: dict[str, list[WaitingRow]] = {}
    for row in rows:
        cases.setdefault(row.card.proposal.task, []).append(row)
    return [msgspec.structs.replace(case[0], also=tuple(case[1:])) for case in cases.values()]


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is on a page of the queue: its lines, how many are put off, how far the log was."""

    found: Haul
    rows: list[WaitingRow]
    snoozed: int
    since: int


_NOTHING: Final = _Seen(found=Haul(proposals=[], rest=None), rows=[], snoozed=0, since=0)


async def queue(visitor: Visitor) -> Response:
    """The page of the queue; `after` goes on below the last line of the page before.

    What this person has put off is left out; with `snoozed` it alone is shown.
    """
    query, ctx, desk = visitor.request.query_params, visitor.gateway.ctx, visitor.desk
    after, only_snoozed = _cursor(query.get("after")), query.get("snoozed") == "1"
    problem, search, seen = None, Search(), _NOTHING
    overflow, load, waiting = ctx.store.read(
        lambda tx: (outlook(tx, desk), load_for(tx, visitor.person), tx.counters.of(desk))
    )
    try:
        search = search_in(query)
        seen = ctx.store.read(lambda tx: _seen(visitor, tx, search, after, only_snoozed, load))
    except InvalidInput as error:
        problem = error
    found, live = seen.found, problem is None and not only_snoozed
    return visitor.render(
        "queue.html",
        status=200 if problem is None else problem.status,
        rows=_by_case(seen.rows),
        first_page=after is None,
        snoozed=seen.snoozed,
        only_snoozed=only_snoozed,
        next_after=None if found.rest is None else _address(search, found.rest),
        first_address=f"/?{address_of(search)}" if said_of(search) else "/",
        through=LOOKED_AT_MAX if found.through else None,
        live=f"/live?{address_of(search, since=str(seen.since))}" if live else None,
        said=said_of(search),
        typed={name: query.get(name, "") for name in SEARCH_FIELDS},
        problem=None if problem is None else problem.message,
        kinds=kinds_of(ctx, desk),
        grades=GRADES,
        told_grades=sorted({row.card.proposal.grade for row in seen.rows}),
        yours=None if search.mine or only_snoozed else _yours(seen.rows),
        yours_address=f"/?{address_of(msgspec.structs.replace(search, mine=True))}",
        overflow=shown_overflow(overflow, waiting.get("state:PENDING", 0), ctx.clock()),
        decided_today=load.day,
    )


def _seen(
    visitor: Visitor,
    tx: Tx,
    search: Search,
    after: tuple[int, str] | None,
    only_snoozed: bool,
    load: Load,
) -> _Seen:
    ctx, me = visitor.gateway.ctx, visitor.person
    off = put_off(tx, me)
    found = Haul(proposals=off, rest=None)
    if not only_snoozed:
        ids = [one.id for one in off]
        found = haul(ctx, tx, me, search, after=after, without=ids, most=QUEUE_PAGE)
    rows = waiting_rows(ctx, tx, me, found.proposals, load)
    return _Seen(found=found, rows=rows, snoozed=len(off), since=tx.log.size(me.desk))


def _yours(rows: list[WaitingRow]) -> int | None:
    """How many of these one may approve, or None when that is each of them."""
    own = sum(row.not_mine is None for row in rows)
    return None if own == len(rows) else own


def _address(search: Search, rest: tuple[int, str]) -> str:
    return "/?" + address_of(search, after=f"{rest[0]}.{rest[1]}")


def _cursor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None or int(found[1]) >= 2**63:
        raise InvalidInput("field_malformed", "that is not a page of the queue")
    return int(found[1]), found[2]


def _needs(proposal: Proposal) -> str:
    if proposal.control is not Control.MAKER_CHECKER:
        return "one approval"
    return "one checker" if proposal.checkers < 2 else f"{count_text(proposal.checkers)} checkers"


def _flags(proposal: Proposal) -> tuple[tuple[str, str], ...]:
    found = [ReasonCode(code) for code in proposal.reasons.split(",") if code]
    return tuple((REASONS[code], LOUD_REASONS[code]) for code in found if code in LOUD_REASONS)


def _urgency(proposal: Proposal, now: int) -> str:
    left = None if proposal.decide_by is None else proposal.decide_by - now
    if left is None or left > SOON_MS:
        return ""
    return "bad" if left <= VERY_SOON_MS else "warn"
