"""A policy as people read it: kinds with their bands and checks, lanes, caps, clocks, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from handrail.core.accumulation import Accumulation
from handrail.core.action import Param
from handrail.core.grade import Grade, grade_of
from handrail.core.policy import Assignment, Band, CheckRule, KindRule, LaneRule, Policy
from handrail.policy.difference import guard_text
from handrail.policy.form import ATTENTION_FORM, CLOCKS_FORM, LIMITS_FORM
from handrail.policy.shape import RecordShape, span_text
from handrail.policy.written import amount_of
from handrail.surfaces.console.desk.caps import CapRow, cap_row

__all__ = ["ShownBand", "ShownKind", "ShownLadder", "ShownPolicy", "shown_policy"]

_LOTS: Final = {
    Assignment.NEVER: "never",
    Assignment.QUORUM: "where two or more must check",
    Assignment.ALWAYS: "always",
}


class ShownBand(msgspec.Struct, frozen=True, kw_only=True):
    """One band: amounts from `above` up to `up_to`, None where there is no such limit."""

    above: str | None
    up_to: str | None
    grade: Grade
    control: str


class ShownLadder(msgspec.Struct, frozen=True, kw_only=True):
    """The bands of one currency, or of several with the same figures."""

    currencies: str
    bands: tuple[ShownBand, ...]


class ShownKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind in words. With `ladders` its `control` is what a currency without bands gets."""

    name: str
    title: str
    grade: Grade
    axes: str
    control: str
    ladders: tuple[ShownLadder, ...]
    about: tuple[tuple[str, str], ...]
    checks: tuple[CheckRule, ...]
    is_cleared: bool
    cleared_when: str | None
    cleared_control: str
    cleared_ladders: tuple[ShownLadder, ...]


class ShownPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A whole policy in words; `clocks`, `limits`, `attention` are (name, value, what it means)."""

    name: str
    version: int
    digest: str
    kinds: tuple[ShownKind, ...]
    lanes: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    caps: tuple[CapRow, ...]
    clocks: tuple[tuple[str, str, str], ...]
    limits: tuple[tuple[str, str, str], ...]
    attention: tuple[tuple[str, str, str], ...]
    sums: tuple[tuple[str, str], ...]
    by_lot: str


def shown_policy(policy: Policy) -> ShownPolicy:
    """The policy as it is shown on a page."""
    clocks = {
        name.removesuffix("_ms"): span_text(ms) if ms else "none"
        for name, ms in msgspec.structs.asdict(policy.clocks).items()
    }
    limits = {
        name: "none" if n is None else str(n)
        for name, n in msgspec.structs.asdict(policy.limits).items()
    }
    attention = {
        name: "none" if n is None else f"{n}%" if name == "dwell_percent" else str(n)
        for name, n in msgspec.structs.asdict(policy.attention).items()
    }
    return ShownPolicy(
        name=policy.name,
        version=policy.version,
        digest=policy.digest,
        kinds=tuple(_kind(rule) for rule in policy.kinds.values()),
        lanes=tuple(
            (lane.name, tuple(_lane(lane, first=place == 0)))
            for place, lane in enumerate(policy.lanes.values())
        ),
        caps=tuple(cap_row(policy, rule) for rule in policy.caps),
        clocks=tuple(_said(CLOCKS_FORM, clocks)),
        limits=tuple(_said(LIMITS_FORM, limits)),
        attention=tuple(_said(ATTENTION_FORM, attention)),
        sums=() if policy.accumulation is None else tuple(_sums(policy.accumulation)),
        by_lot=_LOTS[policy.assignment],
    )


def _said(form: RecordShape, values: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for field in form.fields:
        yield field.name, values[field.name], field.about


def _kind(rule: KindRule) -> ShownKind:
    kind, cleared = rule.kind, rule.cleared
    axes = msgspec.structs.asdict(kind.axes)
    return ShownKind(
        name=kind.name,
        title=kind.title,
        grade=grade_of(kind.axes),
        axes=", ".join(f"{name.replace('_', ' ')} {step}" for name, step in axes.items()),
        control=guard_text(rule.guard),
        ladders=_ladders(rule.bands),
        about=tuple(_about(rule)),
        checks=rule.checks,
        is_cleared=cleared is not None,
        cleared_when=None if cleared is None else cleared.when,
        cleared_control="" if cleared is None else guard_text(cleared.guard),
        cleared_ladders=() if cleared is None else _ladders(cleared.bands),
    )


def _about(rule: KindRule) -> Iterator[tuple[str, str]]:
    kind = rule.kind
    yield "Served by", "the agent itself" if kind.runs_in_agent else kind.connector
    yield "Can be caught in time", kind.catchable.value
    yield "Takes", ", ".join(map(_param, kind.params)) or "nothing"
    if kind.value_from_connector:
        yield "Amount", "from the system of record"
    elif kind.value is not None:
        yield "Amount", kind.value
    if kind.needs:
        yield "Needs the facts", ", ".join(kind.needs)
    if rule.facts:
        facts = (f"{name} ({type_.value})" for name, type_ in rule.facts.items())
        yield "Conditions may name", ", ".join(facts)
    yield "Undone by", kind.undo or "nothing"


def _param(param: Param) -> str:
    said = f"{param.name} ({param.type.value}"
    return said + (")" if param.required else ", optional)")


def _ladders(bands: Mapping[str, tuple[Band, ...]]) -> tuple[ShownLadder, ...]:
    """Currencies with the same figures together, in the order of the policy."""
    together: dict[tuple[ShownBand, ...], list[str]] = {}
    for currency, ladder in bands.items():
        together.setdefault(tuple(_bands(currency, ladder)), []).append(currency)
    return tuple(
        ShownLadder(currencies=", ".join(names), bands=rows) for rows, names in together.items()
    )


def _bands(currency: str, ladder: tuple[Band, ...]) -> Iterator[ShownBand]:
    above: str | None = None
    for band in ladder:
        up_to = None if band.up_to_minor is None else amount_of(band.up_to_minor, currency)
        yield ShownBand(above=above, up_to=up_to, grade=band.grade, control=guard_text(band.guard))
        above = up_to


def _lane(lane: LaneRule, *, first: bool) -> Iterator[tuple[str, str]]:
    yield "Kinds", _names(lane.kinds)
    yield "Connectors", _names(lane.connectors)
    yield "Customers", "any" if lane.any_customer else "those of the task"
    everybody = "all" if first else "all, as far as the first lane goes"
    yield "Agents", _names(lane.agents) if lane.agents else everybody


def _names(names: tuple[str, ...]) -> str:
    return "all" if names == ("*",) else ", ".join(names)


def _sums(adds: Accumulation) -> Iterator[tuple[str, str]]:
    yield "Kept in", f"{adds.currency}, over {span_text(adds.window_ms)}"
    weights = (f"{name} {weight} %" for name, weight in adds.weights.items())
    yield "Adds up", ", ".join(weights)
    if adds.rates:
        yield "Rates for", f"{', '.join(adds.rates)}, with a margin of {adds.margin} %"
    if adds.bunching is not None:
        yield "Tells people", f"when more than {adds.bunching} % lie just below a limit"
