"""Bunching: amounts that lie just below a band's limit more often than chance explains.

Amounts are counted per week as they are proposed. The sweep looks at the counts now and then, and
tells people once a week per kind and limit.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import partial
from typing import Final

from handrail.core.bunching import is_bunched, is_near
from handrail.core.entry import Tag
from handrail.core.escalation import Cause
from handrail.core.money import Money
from handrail.engine.asking.escalate import open_for_desk
from handrail.engine.base.context import GATEWAY, Context
from handrail.engine.base.record import Data, note_on_desk
from handrail.engine.proposing.prepare import Plan
from handrail.store.protocol import Tx

__all__ = ["WEEK_MS", "note_amount", "watch_bunching"]

WEEK_MS: Final = 7 * 24 * 3_600_000
LOOK_MS: Final = 60_000
"""How often the counts are looked at."""
_NAME: Final = "bunching"
_CAP: Final = "@bunching"
_COUNTED: Final = "all"
_NEAR: Final = "near"


def note_amount(tx: Tx, plan: Plan) -> None:
    """Count an amount that an agent proposes under the limit of the band it falls into."""
    adds, kind, value = plan.rules.policy.accumulation, plan.draft.kind, plan.value
    if adds is None or adds.bunching is None or kind not in adds.weights or value is None:
        return
    if plan.draft.maker != plan.task.agent or plan.draft.undoes is not None:
        return
    bands = plan.rules.policy.kinds[kind].bands.get(value.currency, ())
    limits = [band.up_to_minor for band in bands if band.up_to_minor is not None]
    place = bisect_left(limits, value.minor)
    if place == len(limits):
        return
    name = f"{_NAME}:{tx.now // WEEK_MS}:{kind}:{value.currency}:{limits[place]}"
    tx.counters.add(plan.task.desk, f"{name}:{_COUNTED}")
    if is_near(value.minor, limits[place]):
        tx.counters.add(plan.task.desk, f"{name}:{_NEAR}")


def watch_bunching(ctx: Context) -> None:
    """Tell people of every desk where too many amounts lie just below a limit."""
    for desk in list(ctx.rulebooks):
        _watch(ctx, desk, ctx.clock())


def _watch(ctx: Context, desk: str, now: int) -> None:
    adds, seen_at = ctx.rulebook(desk).policy.accumulation, ctx.watched.get(desk)
    if adds is None or adds.bunching is None:
        return
    if seen_at is not None and 0 <= now - seen_at < LOOK_MS:
        return
    ctx.watched[desk] = now
    counts = ctx.store.read(lambda tx: tx.counters.of(desk))
    for name in _bunched(counts, adds.bunching, now):
        ctx.store.write(partial(_alarm, ctx, desk, name))


def _bunched(counts: dict[str, int], percent: int, now: int) -> list[str]:
    """The weeks, kinds and limits that are alarming, of this week and the one before."""
    found = []
    for name, counted in counts.items():
        parts = name.split(":")
        if parts[0] != _NAME or parts[-1] != _COUNTED or int(parts[1]) < now // WEEK_MS - 1:
            continue
        stem = name.removesuffix(f":{_COUNTED}")
        if is_bunched(counts.get(f"{stem}:{_NEAR}", 0), counted, percent):
            found.append(stem)
    return found


def _alarm(ctx: Context, desk: str, name: str, tx: Tx) -> None:
    if not tx.caps.trip(desk, _CAP, name, tx.now):
        return
    _, _, kind, currency, limit = name.split(":")
    data: Data = {"kind": kind, "currency": currency}
    note_on_desk(tx, desk, Tag.BUNCHING_ALARMED, actor=GATEWAY, data=data, by_person=False)
    amount = Money(minor=int(limit), currency=currency).text()
    concern = f"more amounts of `{kind}` lie just below {amount} this week than chance explains"
    open_for_desk(tx, ctx, desk, concern, cause=Cause.BUNCHING)
