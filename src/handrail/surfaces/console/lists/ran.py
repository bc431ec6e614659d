"""What ran alone: actions that nobody was asked about, each with its undo."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from handrail.core.policy import Control, KindRule
from handrail.core.principal import PrincipalKind
from handrail.engine.base.context import Context
from handrail.engine.proposing.undo import why_no_undo
from handrail.engine.showing.show import Card, cards_of
from handrail.errors import InvalidInput
from handrail.store.protocol import Tx
from handrail.surfaces.console.case.action import may_undo
from handrail.surfaces.console.language.words import STATE_TONES, STATES
from handrail.surfaces.console.pages import Visitor
from handrail.surfaces.console.text.lines import consequence, lines_of, summary

__all__ = ["RAN_PAGE", "RanRow", "ran"]

RAN_PAGE: Final = 50
_FILTER_CHARS_MAX: Final = 200
_ID: Final = re.compile(r"hr_[0-9a-f]{32}")


class RanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One action that ran alone. `did` says the whole of it, `summary` what its headline leaves."""

    card: Card
    did: str
    summary: str
    label: str
    tone: str
    why_no_undo: str | None


async def ran(visitor: Visitor) -> Response:
    """The page of what ran alone, newest first; `undid` is the undo that was just made.

    `kind`, `agent` and `customer` leave out what is of another one.
    """
    ctx, desk = visitor.gateway.ctx, visitor.desk
    query = visitor.request.query_params
    before, undid = _id(query.get("before")), _id(query.get("undid"))
    kind, agent, customer = (_text(query.get(name)) for name in ("kind", "agent", "customer"))

    def look(tx: Tx) -> tuple[list[RanRow], bool, Card | None]:
        subject = None if customer is None else tx.vault.find_ref(desk, customer)
        found = []
        if customer is None or subject is not None:
            found = tx.proposals.ran_alone(
                desk, before=before, kind=kind, agent=agent, subject=subject, most=RAN_PAGE + 1
            )
        rows = [_row(ctx, tx, card) for card in cards_of(ctx, tx, found[:RAN_PAGE])]
        done = None if undid is None else tx.proposals.get(desk, undid)
        cards = [] if done is None or done.undoes is None else cards_of(ctx, tx, [done])
        return rows, len(found) > RAN_PAGE, cards[0] if cards else None

    rows, more, undone = ctx.store.read(look)
    chosen = {"kind": kind, "agent": agent, "customer": customer}
    return visitor.render(
        "ran.html",
        rows=rows,
        next_before=rows[-1].card.proposal.id if more else None,
        first_page=before is None,
        kinds=_kinds(ctx, desk),
        agents=ctx.store.read(lambda tx: tx.people.all(desk, PrincipalKind.AGENT)),
        chosen=chosen,
        filters=urlencode([(name, text) for name, text in chosen.items() if text is not None]),
        undone=undone,
        undone_label=None if undone is None else STATES[undone.proposal.state],
        undone_tone=None if undone is None else STATE_TONES.get(undone.proposal.state, ""),
        why_not_me=may_undo(visitor),
    )


def _row(ctx: Context, tx: Tx, card: Card) -> RanRow:
    proposal = card.proposal
    undone = proposal.undone_by is not None
    lines = lines_of(tx, proposal)
    return RanRow(
        card=card,
        did=consequence(proposal, card.title, lines),
        summary=summary(proposal, card.title, lines),
        label="Undone" if undone else STATES[proposal.state],
        tone="" if undone else STATE_TONES.get(proposal.state, ""),
        why_no_undo=why_no_undo(ctx, proposal, tx.now),
    )


def _kinds(ctx: Context, desk: str) -> dict[str, str]:
    """The kinds of the policy that some amount of may run alone, with their titles."""
    rules = ctx.rulebook(desk).policy.kinds
    return {
        name: rule.kind.title
        for name, rule in rules.items()
        if Control.RUN_AND_NOTIFY in _controls(rule)
    }


def _controls(rule: KindRule) -> set[Control]:
    """Everything that may be done about a kind, by amount and when it is cleared."""
    found = {rule.guard.control}
    found |= {band.guard.control for ladder in rule.bands.values() for band in ladder}
    if rule.cleared is not None:
        found.add(rule.cleared.guard.control)
        found |= {one.guard.control for ladder in rule.cleared.bands.values() for one in ladder}
    return found


def _text(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    if len(text) > _FILTER_CHARS_MAX:
        raise InvalidInput("too_large", "the filter is longer than any id")
    return text.strip()


def _id(text: str | None) -> str | None:
    if text is not None and not _ID.fullmatch(text):
        raise InvalidInput("field_malformed", "that is not the id of an action")
    return text
