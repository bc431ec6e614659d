"""The queue: what waits for a person, the most urgent first."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from starlette.responses import JSONResponse, Response

from handrail.core.decide import ReasonCode
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.review import why_not
from handrail.engine.bench import bench_of, makers_of, roster_of
from handrail.engine.context import Context
from handrail.engine.show import Card, cards_of
from handrail.errors import InvalidInput
from handrail.store.protocol import Tx
from handrail.surfaces.console.lines import lines_of, summary
from handrail.surfaces.console.pages import SECURITY_HEADERS, Visitor
from handrail.surfaces.console.words import LOUD_REASONS, REASONS, count_text

__all__ = ["QUEUE_PAGE", "WaitingRow", "pulse", "queue", "waiting_rows"]

QUEUE_PAGE: Final = 50
SOON_MS: Final = 60 * 60_000
VERY_SOON_MS: Final = 15 * 60_000
_CURSOR: Final = re.compile(r"([0-9]{1,19})\.(hr_[0-9a-f]{32})")
_ASKING: Final = (Control.APPROVE, Control.MAKER_CHECKER)


class WaitingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the queue.

    `summary` says where it goes, or what it does. `flags` are reasons to look twice, each with its
    colour. `not_mine` says why this person may not approve it. `urgency` is the colour of the
    deadline. `also` is what else of the same task waits on this page of the queue: it is one case.
    """

    card: Card
    summary: str
    ticket: str | None
    needs: str
    flags: tuple[tuple[str, str], ...]
    not_mine: str | None
    urgency: str
    also: tuple[WaitingRow, ...] = ()


def waiting_rows(
    ctx: Context, tx: Tx, viewer: Principal, proposals: list[Proposal]
) -> list[WaitingRow]:
    """The lines of the queue for one person, in the order given."""
    tickets: dict[str, str | None] = {}
    rows = []
    roster = roster_of(tx, viewer.desk)
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
                ),
                urgency=_urgency(proposal, tx.now),
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


async def queue(visitor: Visitor) -> Response:
    """The page of the queue; `after` goes on below the last line of the page before.

    What this person has put off is left out; with `snoozed` it alone is shown.
    """
    after = _cursor(visitor.request.query_params.get("after"))
    ctx, desk = visitor.gateway.ctx, visitor.desk
    only_snoozed = visitor.request.query_params.get("snoozed") == "1"

    def look(tx: Tx) -> tuple[list[WaitingRow], bool, int]:
        off = put_off(tx, visitor.person)
        if only_snoozed:
            return waiting_rows(ctx, tx, visitor.person, off), False, len(off)
        without = [one.id for one in off]
        found = tx.proposals.queue(desk, after=after, without=without, most=QUEUE_PAGE + 1)
        rows = waiting_rows(ctx, tx, visitor.person, found[:QUEUE_PAGE])
        return rows, len(found) > QUEUE_PAGE, len(off)

    rows, more, snoozed = ctx.store.read(look)
    last = rows[-1].card.proposal if more else None
    return visitor.render(
        "queue.html",
        rows=_by_case(rows),
        first_page=after is None,
        snoozed=snoozed,
        only_snoozed=only_snoozed,
        next_after=None if last is None else f"{last.rank}.{last.id}",
        asked=_asked(ctx.store.read(lambda tx: tx.counters.of(desk))),
    )


async def pulse(visitor: Visitor) -> Response:
    """Two numbers for a page that is open: how many ever waited, and how many wait now."""
    counts = visitor.gateway.ctx.store.read(lambda tx: tx.counters.of(visitor.desk))
    return JSONResponse(
        {"asked": _asked(counts), "waiting": max(0, counts.get("state:PENDING", 0))},
        headers={**SECURITY_HEADERS, "cache-control": "no-store"},
    )


def _asked(counts: dict[str, int]) -> int:
    """How many actions were ever put before a person."""
    return sum(counts.get(f"control:{control.value}", 0) for control in _ASKING)


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
