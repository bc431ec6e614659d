"""Policies back to YAML, in the plainest way, for tests of reading."""

from __future__ import annotations

import json

import msgspec

from handrail.core.accumulation import Accumulation
from handrail.core.action import TEXT_CHARS_MAX, ActionKind, Param
from handrail.core.caps import CapRule
from handrail.core.money import Money
from handrail.core.policy import Band, CheckRule, Guard, KindRule, LaneRule, Policy

__all__ = ["written"]


def written(policy: Policy) -> str:
    """A YAML text that means `policy`. JSON is YAML, and puts every text in quotes."""
    record: dict[str, object] = {
        "policy": policy.name,
        "version": policy.version,
        "clocks": {
            name: f"{getattr(policy.clocks, name + '_ms')}ms"
            for name in (
                "approval execution attempt quiescence recall undo task assignment loosening"
            ).split()
        }
        | ({"seasoning": f"{policy.clocks.seasoning_ms}ms"} if policy.clocks.seasoning_ms else {}),
        "by_lot": policy.assignment.value,
        "passkeys": policy.passkeys.value,
        "attention": {
            name: n for name, n in msgspec.structs.asdict(policy.attention).items() if n is not None
        },
        "lanes": {name: _lane(lane) for name, lane in policy.lanes.items()},
        "caps": {cap.name: _cap(cap) for cap in policy.caps},
        "kinds": {name: _kind(rule) for name, rule in policy.kinds.items()},
    }
    limits = {
        name: most
        for name, most in msgspec.structs.asdict(policy.limits).items()
        if most is not None
    }
    record["limits"] = limits
    if policy.accumulation is not None:
        record["accumulation"] = _accumulation(policy.accumulation)
    return json.dumps(record, indent=1, ensure_ascii=False)


def _accumulation(adds: Accumulation) -> dict[str, object]:
    record: dict[str, object] = {
        "window": f"{adds.window_ms}ms",
        "currency": adds.currency,
        "kinds": adds.weights,
        "rates": {name: f"{rate // 10**9}.{rate % 10**9:09}" for name, rate in adds.rates.items()},
        "margin": adds.margin,
    }
    return record if adds.bunching is None else record | {"bunching": adds.bunching}


def _lane(lane: LaneRule) -> dict[str, object]:
    return {
        "kinds": _names(lane.kinds),
        "connectors": _names(lane.connectors),
        "any_customer": "yes" if lane.any_customer else "no",
        **({"agents": _names(lane.agents)} if lane.agents else {}),
    }


def _names(names: tuple[str, ...]) -> object:
    return "*" if names == ("*",) else list(names)


def _cap(cap: CapRule) -> dict[str, object]:
    record: dict[str, object] = {
        "scope": cap.scope.value,
        "window": f"{cap.window_ms}ms",
        "kinds": _names(cap.kinds or ("*",)),
        "when_full": cap.when_full.value,
        "halts_agent": "yes" if cap.halts_agent else "no",
    }
    if cap.distinct:
        return record | {"accounts": cap.limit}
    if cap.currency is None:
        return record | {"count": cap.limit}
    return record | {"money": Money(minor=cap.limit, currency=cap.currency).text()}


def _kind(rule: KindRule) -> dict[str, object]:
    record = _declared(rule.kind) | _decided(rule.guard, rule.bands)
    if rule.facts:
        record["facts"] = {name: type_.value for name, type_ in rule.facts.items()}
    if rule.checks:
        record["checks"] = {check.name: _check(check) for check in rule.checks}
    if rule.cleared is not None:
        cleared = _decided(rule.cleared.guard, rule.cleared.bands)
        when = {} if rule.cleared.when is None else {"when": rule.cleared.when}
        record["cleared"] = cleared | when
    return record


def _decided(guard: Guard, bands: dict[str, tuple[Band, ...]]) -> dict[str, object]:
    if not bands:
        return _guard(guard)
    return {
        "bands": {
            currency: [_band(band, currency) for band in ladder]
            for currency, ladder in bands.items()
        }
    }


def _check(check: CheckRule) -> dict[str, object]:
    record: dict[str, object] = {
        "require": check.require,
        "otherwise": check.otherwise.value,
        "reviewer": check.reviewer,
    }
    return record if check.agent is None else record | {"agent": check.agent}


def _declared(kind: ActionKind) -> dict[str, object]:
    record: dict[str, object] = {
        "title": kind.title,
        "connector": kind.connector,
        "axes": {
            "reversibility": kind.axes.reversibility,
            "blast_radius": kind.axes.blast_radius,
            "stakes": kind.axes.stakes,
        },
        "catchable": kind.catchable.value,
        "params": {param.name: _param(param) for param in kind.params},
        "runs_in": "agent" if kind.runs_in_agent else "gateway",
    }
    if kind.value is not None:
        record["value"] = kind.value
    if kind.value_from_connector:
        record["value_from"] = "connector"
    if kind.needs:
        record["needs"] = list(kind.needs)
    if kind.undo is not None:
        record["undo"] = kind.undo
    return record


def _param(param: Param) -> dict[str, object]:
    record: dict[str, object] = {
        "type": param.type.value,
        "required": "yes" if param.required else "no",
    }
    if param.choices:
        record["of"] = list(param.choices)
    if param.chars_max != TEXT_CHARS_MAX:
        record["chars_max"] = param.chars_max
    return record


def _band(band: Band, currency: str) -> dict[str, object]:
    record: dict[str, object] = {"grade": band.grade.name} | _guard(band.guard)
    if band.up_to_minor is not None:
        amount = Money(minor=band.up_to_minor, currency=currency).text()
        record["up_to"] = amount.removesuffix(f" {currency}")
    return record


def _guard(guard: Guard) -> dict[str, object]:
    record: dict[str, object] = {"control": guard.control.value}
    return record | {"checkers": guard.checkers} if guard.checkers else record
