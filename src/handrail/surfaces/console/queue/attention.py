"""Attention: one's own load against the budget, what cannot be reviewed in time, a lead's view."""

from __future__ import annotations

from typing import Final

import msgspec
from markupsafe import Markup
from starlette.responses import Response

from handrail.core.attention import Load
from handrail.core.overflow import Overflow
from handrail.core.principal import Role
from handrail.engine.deciding.attention import Reviewer, crew_of, is_lead, load_for, outlook
from handrail.prove.backtest.charts import Series, legend, stacked
from handrail.store.protocol import Tx
from handrail.surfaces.console.language.times import clock_text, span_text
from handrail.surfaces.console.pages import Visitor
from handrail.surfaces.console.queue.presence import streak_text
from handrail.surfaces.console.text.literal import clipped

__all__ = ["CrewRow", "ShownLoad", "ShownOverflow", "attention", "shown_load", "shown_overflow"]

_FULL: Final = 100
_NEARLY: Final = 80
_NAME_CHARS_MAX: Final = 24
_BARS_MAX: Final = 30


class ShownLoad(msgspec.Struct, frozen=True, kw_only=True):
    """A load in words. `shares` are (what, how much, percent of the budget or None, colour)."""

    some: bool
    shares: tuple[tuple[str, str, int | None, str], ...]
    median: str
    streak: str


class ShownOverflow(msgspec.Struct, frozen=True, kw_only=True):
    """What cannot be reviewed in time, and what the estimate assumes; `missed` may be 0."""

    missed: int
    headline: str
    then: str
    assumes: str


class CrewRow(msgspec.Struct, frozen=True, kw_only=True):
    """One reviewer as a lead sees them."""

    name: str
    hour: str
    day: str
    median: str
    approved: str
    streak: str


async def attention(visitor: Visitor) -> Response:
    """The page: one's own load, the overflow, and for a lead the whole desk."""
    me, ctx = visitor.person, visitor.gateway.ctx
    budget = ctx.rulebook(visitor.desk).policy.attention
    lead = is_lead(me)

    def look(tx: Tx) -> tuple[Load, Overflow, list[Reviewer]]:
        return load_for(tx, me), outlook(tx, visitor.desk), crew_of(tx, me) if lead else []

    load, overflow, crew = ctx.store.read(look)
    return visitor.render(
        "attention.html",
        own=shown_load(load, budget.per_hour, budget.per_day),
        decides=bool({Role.REVIEWER, Role.CHECKER} & set(me.roles)),
        budget=budget,
        overflow=shown_overflow(overflow, _waiting(visitor), ctx.clock()),
        lead=lead,
        crew=[_row(one) for one in crew],
        chart=_chart(crew),
    )


def shown_load(load: Load, per_hour: int | None, per_day: int | None) -> ShownLoad:
    """One's own load, against the budget if there is one."""
    return ShownLoad(
        some=load.day > 0,
        shares=(
            _share("In the last hour", load.hour, per_hour),
            _share("Today", load.day, per_day),
        ),
        median="" if load.median_ms is None else span_text(load.median_ms),
        streak=streak_text(load.streak, load.streak_ms),
    )


def shown_overflow(overflow: Overflow, waiting: int, now: int) -> ShownOverflow:
    """The estimate in words. `waiting` is how much waits in all."""
    beyond = waiting > overflow.looked
    among = f"the {overflow.looked} most urgent of {waiting}" if beyond else str(overflow.looked)
    then = ""
    if overflow.first_at is not None:
        first = "It runs out of time" if overflow.missed == 1 else "The first runs out of time"
        then = (
            f"{first} at {clock_text(overflow.first_at, now)}: then it expires, nothing runs, a"
            " hand-off is opened, and the agent is told to say that a person follows up."
        )
        headline = f"{overflow.missed} of {among} cannot be reviewed in time{_by(overflow)}."
    elif overflow.looked:
        what = f"Of what waits, {among}" if beyond else "All that waits"
        headline = f"{what} can be reviewed in time."
    else:
        headline = "Nothing waits."
    return ShownOverflow(
        missed=overflow.missed, headline=headline, then=then, assumes=_assumed(overflow)
    )


def _by(overflow: Overflow) -> str:
    """Who is there for it: mostly they are too few, so it stands in the first line."""
    if overflow.people < 1:
        return ": nobody may decide"
    return f" with {_people(overflow)} {'at work' if overflow.present else 'who may decide'}"


def _people(overflow: Overflow) -> str:
    return "1 person" if overflow.people == 1 else f"{overflow.people} people"


def _assumed(overflow: Overflow) -> str:
    basis = "at work in the last hour"
    if not overflow.present:
        basis = "who may decide, as nobody was at work in the last hour"
    measured = "the median here" if overflow.measured else "as too few were measured here"
    return (
        f"An estimate. It assumes {_people(overflow)} {basis}, who do nothing else and take the"
        f" most urgent first, and {span_text(overflow.each_ms)} for each decision ({measured})."
        " What needs two people is never ready with one. It does not know what comes in later."
    )


def _waiting(visitor: Visitor) -> int:
    counts = visitor.gateway.ctx.store.read(lambda tx: tx.counters.of(visitor.desk))
    return max(0, counts.get("state:PENDING", 0))


def _share(what: str, n: int, most: int | None) -> tuple[str, str, int | None, str]:
    if most is None:
        return what, str(n), None, ""
    percent = min(_FULL, n * _FULL // most)
    tone = "bad" if percent >= _FULL else "warn" if percent >= _NEARLY else ""
    return what, f"{n} of {most}", percent, tone


def _row(one: Reviewer) -> CrewRow:
    load = one.load
    return CrewRow(
        name=clipped(one.person.name, _NAME_CHARS_MAX * 2),
        hour=str(load.hour),
        day=str(load.day),
        median="" if load.median_ms is None else span_text(load.median_ms),
        approved=f"{load.approved * _FULL // load.day} %" if load.day else "",
        streak=f"{load.streak} in under {load.streak_ms // 1_000 + 1} s" if load.streak else "",
    )


def _chart(crew: list[Reviewer]) -> Markup:
    """Who decided how much today, as bars. The charts escape every text that they are given."""
    shown = [one for one in crew if one.load.day][:_BARS_MAX]
    if not shown:
        return Markup()
    names = ("Approved", "Anything else")
    approved = [one.load.approved for one in shown]
    other = [one.load.day - one.load.approved for one in shown]
    series = [
        Series(name=name, values=tuple(values), texts=tuple(str(n) for n in values))
        for name, values in zip(names, (approved, other), strict=True)
    ]
    labels = [clipped(one.person.name, _NAME_CHARS_MAX) for one in shown]
    drawn = stacked(labels, series, title="Decisions today by reviewer", first="Reviewer")
    return Markup(legend(names) + drawn)
