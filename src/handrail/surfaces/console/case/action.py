"""One action's page: the literal thing first, then the facts, then the decision."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.artifact import Fact
from handrail.core.decide import FailedCheck
from handrail.core.ground import GROUNDS
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import Role
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict, check_reviewer
from handrail.engine.access.passkeys import keys_for
from handrail.engine.asking.checkers import roster_of
from handrail.engine.base.context import Context
from handrail.engine.deciding.testify import needed_for
from handrail.engine.governing.halt import halt_over
from handrail.engine.showing.search import is_theirs
from handrail.engine.showing.show import Card, Shown, cards_of, show
from handrail.errors import Conflict, NotAllowed
from handrail.store.protocol import Tx
from handrail.surfaces.console.case.attachments import shortened, shown_files
from handrail.surfaces.console.case.deciding import TurnedDown, deciding_of
from handrail.surfaces.console.case.markup import html_part, with_frame
from handrail.surfaces.console.case.standing import standing_of
from handrail.surfaces.console.language.words import (
    GRADES,
    LOUD_REASONS,
    REASONS,
    VERDICTS,
    control_text,
    count_text,
)
from handrail.surfaces.console.pages import Visitor
from handrail.surfaces.console.queue.presence import attended, noted
from handrail.surfaces.console.queue.queue import SOON_MS, put_off
from handrail.surfaces.console.text.lines import FINDS_MAX, consequence, shown_finds, shown_lines
from handrail.surfaces.console.text.literal import json_text

__all__ = ["DECIDERS", "ShownFact", "action", "action_page", "may_undo", "why_nothing"]

NEXT_AMONG: Final = 50
"""Most urgent actions among which the next one to decide is looked for."""
CASE_ROWS: Final = 50
"""Newest actions about a customer among which those of one case are looked for."""
DECIDERS: Final = (Role.REVIEWER, Role.CHECKER, Role.ADMIN)
"""Who may undo what ran and close what was handed over, as over HTTP."""


class ShownFact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact in words; `text` is None when it could not be read."""

    name: str
    text: str | None
    source: str
    against: str | None


class _Around(msgspec.Struct, frozen=True, kw_only=True):
    """What the page says beside the action itself; `also` is what else of its task waits."""

    ticket: str | None
    names: dict[str, str]
    following: Card | None
    also: tuple[Card, ...]
    halted: str | None


async def action(visitor: Visitor) -> Response:
    """The page of one action."""
    id = visitor.request.path_params["id"]
    since, shown = _looked_at(visitor, id)
    await noted(visitor, shown)
    return await _page(visitor, shown, since)


async def action_page(
    visitor: Visitor, id: str, *, refused: TurnedDown | None = None, typed: str = ""
) -> Response:
    """The page of one action, after a form that was turned down if any; `typed` is its reason."""
    since, shown = _looked_at(visitor, id)
    return await _page(visitor, shown, since, refused=refused, typed=typed)


def _looked_at(visitor: Visitor, id: str) -> tuple[int, Shown]:
    """An action, and how long the log was before: what happens in between is told to the page."""
    ctx = visitor.gateway.ctx
    since = ctx.store.read(lambda tx: tx.log.size(visitor.desk))
    return since, show(ctx, visitor.desk, id, viewer=visitor.person)


async def _page(
    visitor: Visitor,
    shown: Shown,
    since: int,
    *,
    refused: TurnedDown | None = None,
    typed: str = "",
) -> Response:
    ctx = visitor.gateway.ctx
    attention = attended(visitor, shown)
    proposal = shown.card.proposal
    around, deciding = ctx.store.read(
        lambda tx: (_around(visitor, tx, shown), deciding_of(visitor, tx, shown, refused))
    )
    heard = await _heard(visitor, shown, around.ticket)
    over = proposal.decide_by is not None and ctx.clock() >= proposal.decide_by
    undecided = proposal.state is State.PENDING
    html = html_part(shown)
    page = visitor.render(
        "action.html",
        status=200 if refused is None else refused.error.status,
        shown=shown,
        deciding=deciding,
        grounds=GROUNDS,
        card=shown.card,
        proposal=proposal,
        standing=standing_of(shown),
        **_in_words(shown, proposal),
        undecided=undecided,
        over=undecided and over,
        soon=proposal.decide_by is not None and proposal.decide_by - ctx.clock() <= SOON_MS,
        why_not=around.halted or shown.why_not or attention.tired or _why_never(ctx, proposal),
        attention=attention,
        why_nothing=why_nothing(visitor, shown) if undecided else None,
        drawn=_is_drawn(visitor, shown),
        why_no_undo=may_undo(visitor) or shown.why_no_undo,
        may_recall=may_undo(visitor) is None,
        request_json=json_text(shortened(shown.artifact.get("request"))),
        files=shown_files(shown.artifact.get("request"), shown.spans),
        html=html,
        verdicts=VERDICTS,
        signing=_signing(visitor, proposal) if undecided else "",
        problem=None if refused is None else refused.error.message,
        typed=typed,
        around=around,
        **heard,
        since=since,
        two_needed=proposal.state is State.UNKNOWN and needed_for(ctx, proposal) > 1,
    )
    return with_frame(page, html)


async def _heard(visitor: Visitor, shown: Shown, ticket: str | None) -> dict[str, object]:
    """What the helpdesk says for the page: both are asked at once, so that it waits only once."""
    talks, gateway = visitor.pages.talks, visitor.gateway
    connector, request = shown.card.proposal.connector, shown.artifact.get("request")
    talk, original = await asyncio.gather(
        talks.heard(gateway, visitor.desk, ticket), talks.original(gateway, connector, request)
    )
    return {"talk": talk, "original": original}


def _in_words(shown: Shown, proposal: Proposal) -> dict[str, object]:
    """What the action is, and why it is here."""
    return {
        "lines": shown_lines(proposal, shown.lines, shown.spans),
        "finds": shown_finds(shown.lines, shown.spans, shown.found, shown.texts),
        "finds_most": FINDS_MAX,
        "facts": shown_facts(shown.facts, shown.failed),
        "reasons": [
            (REASONS[one.code], one.text, LOUD_REASONS.get(one.code)) for one in shown.reasons
        ],
        "meaning_of_grade": GRADES[proposal.grade],
        "control": control_text(proposal.control, proposal.checkers),
        "consequence": consequence(proposal, shown.card.title, shown.lines),
        "checkers": count_text(proposal.checkers),
        "together": proposal.control is Control.MAKER_CHECKER and proposal.checkers > 1,
    }


def shown_facts(facts: tuple[Fact, ...], failed: tuple[FailedCheck, ...] = ()) -> list[ShownFact]:
    """The facts in words: first what speaks against the action, then what could not be read.

    A check that failed stands beside each fact that it names.
    """
    found = [
        ShownFact(
            name=one.name,
            text=_fact_text(one.value),
            source=one.source,
            against=". ".join(_against(one, failed)) or None,
        )
        for one in facts
    ]
    return sorted(found, key=lambda one: (one.against is None, one.text is not None))


def _against(fact: Fact, failed: tuple[FailedCheck, ...]) -> Iterator[str]:
    """What speaks against the action by a fact: the connector, then the checks that name it."""
    if fact.against is not None:
        yield fact.against
    yield from (check.text.rstrip(".") for check in failed if fact.name in check.facts)


def _signing(visitor: Visitor, proposal: Proposal) -> str:
    """Whether a passkey must sign this person's approval: `yes`, or `none` when they have none."""
    ctx = visitor.gateway.ctx
    keys = ctx.store.read(lambda tx: keys_for(tx, ctx, proposal, visitor.person))
    if keys is None:
        return ""
    return "yes" if keys else "none"


def _is_drawn(visitor: Visitor, shown: Shown) -> bool:
    """Whether this person was drawn to check it and could leave it to another one."""
    drawn = shown.card.proposal.assigned.split(",")
    return visitor.person.id in drawn and not shown.reviews


def may_undo(visitor: Visitor) -> str | None:
    """Why this person may undo nothing, or None."""
    if set(DECIDERS) & set(visitor.person.roles):
        return None
    return "your role does not undo actions"


def _fact_text(value: str | int | bool | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _reasons(shown: Shown) -> list[tuple[str, str, str | None]]:
    """Every reason with its name, its sentence and its colour."""
    return [(REASONS[one.code], one.text, LOUD_REASONS.get(one.code)) for one in shown.reasons]


def _why_never(ctx: Context, proposal: Proposal) -> str | None:
    """Why nobody can approve it, or None: what nothing serves could never run."""
    kind = ctx.rulebook(proposal.desk).kind(proposal.kind)
    if kind is not None and (kind.runs_in_agent or ctx.capability(kind) is not None):
        return None
    return f"nothing here can carry out `{proposal.kind}`"


def why_nothing(visitor: Visitor, shown: Shown) -> str | None:
    """Why this person may not even reject or escalate, or None."""
    prior = [given.review for given in shown.reviews]
    makers = frozenset(shown.makers)
    try:
        check_reviewer(shown.card.proposal, makers, visitor.person, Verdict.REJECT, prior)
    except (NotAllowed, Conflict) as refusal:
        return refusal.message
    return None


def _next(visitor: Visitor, tx: Tx, proposal: Proposal) -> list[Proposal]:
    """The most urgent other action that this person may approve, or else the most urgent."""
    me = visitor.person
    off = [one.id for one in put_off(tx, me)]
    waiting = tx.proposals.queue(me.desk, without=[*off, proposal.id], most=NEXT_AMONG)
    theirs = is_theirs(visitor.gateway.ctx, tx, me, roster_of(tx, me.desk))
    first = next(filter(theirs, waiting), None)
    return waiting[:1] if first is None else [first]


def _around(visitor: Visitor, tx: Tx, shown: Shown) -> _Around:
    proposal = shown.card.proposal
    task = tx.tasks.get(proposal.desk, proposal.task)
    names = {}
    for id in {*shown.makers, proposal.agent, *(one.person for one in shown.witnesses)}:
        found = tx.people.get(proposal.desk, id)
        names[id] = id if found is None or found.name == id else f"{found.name} ({id})"
    of_case = [
        one
        for one in tx.proposals.of_subject(proposal.desk, proposal.subject, most=CASE_ROWS)
        if one.task == proposal.task and one.state is State.PENDING and one.id != proposal.id
    ]
    of_case.sort(key=lambda one: (one.rank or 0, one.id))
    # One case after the other: what else of it waits comes before anything of another.
    following = of_case[:1] or _next(visitor, tx, proposal)
    cards = cards_of(visitor.gateway.ctx, tx, following)
    return _Around(
        ticket=None if task is None else task.ticket,
        names=names,
        following=cards[0] if cards else None,
        also=tuple(cards_of(visitor.gateway.ctx, tx, of_case)),
        halted=None if halt_over(tx, proposal) is None else "work of this kind is stopped for now",
    )
