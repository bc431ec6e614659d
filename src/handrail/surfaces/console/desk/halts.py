"""The emergency stop: what is stopped, the form that stops it, and who may let it go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.halt import Halt, HaltScope
from handrail.engine.base.context import Context
from handrail.engine.governing.halt import HALT_REASON, Stop, in_flight_of, lift_unit, why_no_lift
from handrail.engine.showing.show import Card, cards_of
from handrail.errors import InvalidInput, Unavailable
from handrail.store.protocol import Tx
from handrail.surfaces.console.desk.stoppable import STOP_GROUPS, Stoppable, stoppable
from handrail.surfaces.console.language.words import HALT_SCOPES
from handrail.surfaces.console.pages import Visitor, redirect

__all__ = ["HaltRow", "halts", "lift", "stop"]

PAST_MOST: Final = 20


class HaltRow(msgspec.Struct, frozen=True, kw_only=True):
    """One halt in words. `target` is None once its customer was erased.

    `in_flight` are actions that had left before and cannot be stopped. `why_no_lift` says why this
    person may not let it go on.
    """

    halt: Halt
    what: str
    target: str | None
    reason: str | None
    in_flight: tuple[Card, ...]
    why_no_lift: str | None


async def halts(visitor: Visitor) -> Response:
    """The page of what is stopped, and was lately; `scope` and `target` fill the form in."""
    ctx, desk = visitor.gateway.ctx, visitor.desk
    asked = visitor.request.query_params

    def look(tx: Tx) -> tuple[list[HaltRow], list[HaltRow], Stoppable]:
        active = [_row(ctx, tx, visitor, one) for one in tx.halts.list_active(desk)]
        past = [one for one in tx.halts.latest(desk, most=PAST_MOST) if not one.active]
        return active, [_row(ctx, tx, visitor, one) for one in past], stoppable(ctx, tx, desk)

    active, past, choices = ctx.store.read(look)
    return visitor.render(
        "halts.html",
        rows=active,
        past=past,
        choices=choices,
        groups=STOP_GROUPS,
        scopes=HALT_SCOPES,
        chosen=asked.get("scope", "desk"),
        target=asked.get("target", "")[:200],
        unmet=asked.get("unmet") == "1",
    )


async def stop(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Stop it. No reason is needed, and nobody is asked to confirm.

    `what` is a choice of the list, a scope and its target; else `scope` and `target` were typed.
    """
    chosen, _, named = form.get("what", "").partition(" ")
    try:
        scope = HaltScope(chosen or form.get("scope", ""))
    except ValueError:
        raise InvalidInput("field_malformed", "choose what to stop") from None
    target = "" if scope is HaltScope.DESK else (named or form.get("target", "")).strip()
    wanted = Stop(scope=scope, target=target, reason=form.get("reason", "").strip())
    pulled = await visitor.gateway.halt(visitor.desk, wanted, by=visitor.person.id)
    return redirect("/halts" if pulled.met else "/halts?unmet=1")


async def lift(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Let it go on."""
    id = visitor.request.path_params["id"]
    reason = form.get("reason", "").strip()
    unit = lift_unit(visitor.desk, id, by=visitor.person.id, reason=reason)
    await visitor.gateway.ctx.store.submit(unit)
    return redirect("/halts")


def _row(ctx: Context, tx: Tx, visitor: Visitor, halt: Halt) -> HaltRow:
    target: str | None = halt.target
    if halt.scope is HaltScope.CUSTOMER:
        try:
            target = tx.vault.customer_of(halt.desk, halt.target)
        except Unavailable:
            target = None
    try:
        data = tx.vault.get(halt.desk, halt.id, HALT_REASON)
    except Unavailable:
        data = None
    refusal = why_no_lift(tx, halt, visitor.person) if halt.active else None
    return HaltRow(
        halt=halt,
        what=HALT_SCOPES[halt.scope],
        target=target,
        reason=None if data is None else data.decode(),
        in_flight=tuple(cards_of(ctx, tx, list(in_flight_of(tx, halt)))) if halt.active else (),
        why_no_lift=None if refusal is None else refusal[1],
    )
