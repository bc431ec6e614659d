"""Who is at an action: noting that it is shown, saying who else looks, taking it for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import JSONResponse, Response

from handrail.core.attention import Look, seconds_left
from handrail.core.lifecycle import State
from handrail.core.principal import Role
from handrail.engine.deciding.attention import load_for, tired
from handrail.engine.showing.looks import (
    Presence,
    leave_unit,
    presence_of,
    seen_unit,
    shown_unit,
    take_unit,
)
from handrail.engine.showing.show import Shown
from handrail.errors import Unavailable
from handrail.store.protocol import Tx
from handrail.surfaces.console.language.times import clock_text
from handrail.surfaces.console.pages import SECURITY_HEADERS, Visitor, redirect
from handrail.surfaces.console.text.literal import clipped

__all__ = [
    "TAKERS",
    "Attended",
    "attended",
    "leave_action",
    "noted",
    "presence_text",
    "seen",
    "streak_text",
    "take_action",
]

TAKERS: Final = (Role.REVIEWER, Role.CHECKER)
_NAME_CHARS_MAX: Final = 60
_NAMES_MAX: Final = 3


class Attended(msgspec.Struct, frozen=True, kw_only=True):
    """What a case page says about its reader's attention, and about who else is there.

    `seconds` are left until they may approve, `all_seconds` is how long it takes in all. `tired`
    says why they leave it to others. `mine` is until when they have taken it, `may_take` whether
    it is free to take.
    """

    seconds: int = 0
    all_seconds: int = 0
    tired: str | None = None
    streak: str = ""
    said: str = ""
    mine: int | None = None
    may_take: bool = False


async def noted(visitor: Visitor, shown: Shown) -> None:
    """Keep that this person is shown this version now; not for what only fetches it ahead."""
    request = visitor.request
    if request.method != "GET" or "prefetch" in request.headers.get("sec-purpose", ""):
        return
    ctx = visitor.gateway.ctx
    if shown.card.proposal.state is not State.PENDING:
        return
    try:
        await ctx.store.submit(shown_unit(ctx, shown, visitor.person))
    except Unavailable:
        # It can still be read. What was not kept does not count as shown, and nothing is approved.
        return


def attended(visitor: Visitor, shown: Shown) -> Attended:
    """What the page of a waiting action says about attention; nothing of any other."""
    proposal, person = shown.card.proposal, visitor.person
    if proposal.state is not State.PENDING:
        return Attended()
    ctx = visitor.gateway.ctx

    def look(tx: Tx) -> Attended:
        own = tx.looks.get(proposal.desk, proposal.id, proposal.statement, person.id)
        load = load_for(tx, person)
        around = presence_of(tx, [proposal], person.id)
        here = around.get(proposal.id, Presence())
        return Attended(
            seconds=0 if own is None else seconds_left(own, tx.now),
            all_seconds=0 if own is None else seconds_left(_afresh(own, tx.now), tx.now),
            tired=tired(tx, ctx, proposal, person, load),
            streak=streak_text(load.streak, load.streak_ms),
            said=presence_text(here, tx.now),
            mine=here.mine,
            may_take=here.mine is None and here.taken is None and proposal.checkers < 2,
        )

    return ctx.store.read(look)


def presence_text(here: Presence, now: int) -> str:
    """Who else is there, as a sentence or two; empty when nobody is."""
    parts = []
    if here.looking:
        verb = "is" if len(here.looking) == 1 else "are"
        parts.append(f"{_names(here.looking)} {verb} looking at this.")
    if here.taken is not None:
        name, until = here.taken
        who = clipped(name, _NAME_CHARS_MAX)
        parts.append(f"{who} has taken this until {clock_text(until, now)}.")
    return " ".join(parts)


def streak_text(streak: int, slowest_ms: int) -> str:
    """A kind word after many very fast approvals; empty when there were none."""
    if not streak:
        return ""
    seconds = slowest_ms // 1_000 + 1
    return f"{streak} approvals in a row in under {seconds} s each: take the next one slowly."


async def seen(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """An open page that its person still looks at: who else does, and whether it still waits."""
    id = visitor.request.path_params["id"]
    ctx = visitor.gateway.ctx
    unit = seen_unit(visitor.desk, id, person=visitor.person.id, statement=form.get("digest", ""))
    here = await ctx.store.submit(unit)
    said = "" if here is None else presence_text(here, ctx.clock())
    return JSONResponse(
        {"said": said, "over": here is None},
        headers={**SECURITY_HEADERS, "cache-control": "no-store"},
    )


async def take_action(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Take an action for a while."""
    id = visitor.request.path_params["id"]
    await visitor.gateway.ctx.store.submit(take_unit(visitor.desk, id, person=visitor.person))
    return redirect(f"/actions/{id}")


async def leave_action(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Let go of what one has taken; then to the queue, where others see it again."""
    id = visitor.request.path_params["id"]
    await visitor.gateway.ctx.store.submit(leave_unit(visitor.desk, id, person=visitor.person))
    return redirect("/")


def _afresh(look: Look, now: int) -> Look:
    return msgspec.structs.replace(look, first_at=now)


def _names(names: tuple[str, ...]) -> str:
    shown = [clipped(name, _NAME_CHARS_MAX) for name in names[:_NAMES_MAX]]
    more = len(names) - len(shown)
    if more:
        shown.append("one more" if more == 1 else f"{more} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
