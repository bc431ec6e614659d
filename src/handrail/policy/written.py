"""A policy written as YAML again: a text that loads as the very same policy.

What is kept of an active policy is what it means. Its comments and its layout were never part of
it, so that whoever edits it starts from this text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from handrail.core.accumulation import RATE_DECIMALS, Accumulation
from handrail.core.action import TEXT_CHARS_MAX, Param, ParamType
from handrail.core.caps import CapRule, WhenFull
from handrail.core.grade import Catchable
from handrail.core.money import Money
from handrail.core.policy import (
    ANY_KIND,
    Assignment,
    Attention,
    Band,
    CheckRule,
    Cleared,
    Clocks,
    Guard,
    KindRule,
    LaneRule,
    Limits,
    PasskeyRule,
    Policy,
)
from handrail.policy.kind_form import FROM_CONNECTOR, IN_AGENT
from handrail.policy.shape import span_text

__all__ = ["amount_of", "written"]

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_SENTENCE: Final = re.compile(r"[A-Za-z]([A-Za-z0-9 _.()/-]*[A-Za-z0-9_.)/-])?")
_AMOUNT: Final = re.compile(r"[0-9]+(\.[0-9]+)?( [A-Z]{3})?")
_OTHERWISE_READ: Final = frozenset(("yes", "no", "true", "false", "on", "off", "null", "y", "n"))
_LINE_CHARS: Final = 96
_INDENT: Final = "  "
_DECIMALS_MIN: Final = 2


def written(policy: Policy) -> str:
    """The policy as a YAML text, in the order in which it holds its parts."""
    blocks = [
        [f"policy: {_word(policy.name)}", f"version: {policy.version}"],
        _by_lot(policy.assignment),
        _passkeys(policy.passkeys),
        _clocks(policy.clocks),
        ["lanes:", *_inside(line for lane in policy.lanes.values() for line in _lane(lane))],
        _caps(policy.caps),
        [] if policy.accumulation is None else _accumulation(policy.accumulation),
        _limits(policy.limits),
        _attention(policy.attention),
        ["kinds:"],
    ]
    kinds = [[*_inside(_kind(rule))] for rule in policy.kinds.values()]
    head = "\n\n".join("\n".join(block) for block in blocks if block)
    return head + "\n" + "\n\n".join("\n".join(kind) for kind in kinds) + "\n"


def amount_of(minor: int, currency: str) -> str:
    """Minor units of a currency as a policy says them: `50.00`."""
    return Money(minor=minor, currency=currency).text().partition(" ")[0]


def _by_lot(assignment: Assignment) -> list[str]:
    return [] if assignment is Assignment.QUORUM else [f"by_lot: {assignment.value}"]


def _passkeys(rule: PasskeyRule) -> list[str]:
    return [] if rule is PasskeyRule.OWN else [f"passkeys: {rule.value}"]


def _clocks(clocks: Clocks) -> list[str]:
    spans = msgspec.structs.asdict(clocks)
    # No time at all is what is left out; a span of nothing cannot be written.
    said = [f"{name.removesuffix('_ms')}: {span_text(ms)}" for name, ms in spans.items() if ms]
    return ["clocks:", *_inside(said)]


def _limits(limits: Limits) -> list[str]:
    said = [f"{name}: {n}" for name, n in msgspec.structs.asdict(limits).items() if n is not None]
    return ["limits:", *_inside(said)] if said else []


def _attention(attention: Attention) -> list[str]:
    told, plain = msgspec.structs.asdict(attention), msgspec.structs.asdict(Attention())
    said = [f"{name}: {n}" for name, n in told.items() if n != plain[name]]
    return ["attention:", *_inside(said)] if said else []


def _lane(lane: LaneRule) -> list[str]:
    parts = {"kinds": _names(lane.kinds)}
    if lane.connectors != (ANY_KIND,):
        parts["connectors"] = _names(lane.connectors)
    if lane.any_customer:
        parts["any_customer"] = "yes"
    if lane.agents:
        parts["agents"] = _names(lane.agents)
    return _entry(lane.name, parts)


def _caps(caps: Iterable[CapRule]) -> list[str]:
    said = [line for cap in caps for line in _cap(cap)]
    return ["caps:", *_inside(said)] if said else []


def _cap(cap: CapRule) -> list[str]:
    parts = {"scope": cap.scope.value}
    if cap.currency is not None:
        parts["money"] = Money(minor=cap.limit, currency=cap.currency).text()
    else:
        parts["accounts" if cap.distinct else "count"] = str(cap.limit)
    parts["window"] = span_text(cap.window_ms)
    if cap.kinds:
        parts["kinds"] = _names(cap.kinds)
    if cap.when_full is not WhenFull.REFUSE:
        parts["when_full"] = cap.when_full.value
    if cap.halts_agent:
        parts["halts_agent"] = "yes"
    return _entry(cap.name, parts)


def _accumulation(adds: Accumulation) -> list[str]:
    said = [f"window: {span_text(adds.window_ms)}", f"currency: {adds.currency}"]
    said += _entry("kinds", {name: str(weight) for name, weight in adds.weights.items()})
    if adds.rates:
        said += _entry("rates", {name: f'"{_rate(rate)}"' for name, rate in adds.rates.items()})
    if adds.margin:
        said.append(f"margin: {adds.margin}")
    if adds.bunching is not None:
        said.append(f"bunching: {adds.bunching}")
    return ["accumulation:", *_inside(said)]


def _rate(billionths: int) -> str:
    digits = str(billionths).rjust(RATE_DECIMALS + 1, "0")
    whole, decimals = digits[:-RATE_DECIMALS], digits[-RATE_DECIMALS:].rstrip("0")
    return f"{whole}.{decimals.ljust(_DECIMALS_MIN, '0')}"


def _kind(rule: KindRule) -> Iterator[str]:
    kind = rule.kind
    yield f"{_word(kind.name)}:"
    yield from _inside(_about(rule))
    if kind.params:
        params = (line for param in kind.params for line in _param(param))
        yield from _inside(["params:", *_inside(params)])
    if kind.value is not None:
        yield f"{_INDENT}value: {_word(kind.value)}"
    if kind.value_from_connector:
        yield f"{_INDENT}value_from: {FROM_CONNECTOR}"
    if kind.needs:
        yield f"{_INDENT}needs: {_names(kind.needs)}"
    if kind.undo is not None:
        yield f"{_INDENT}undo: {_word(kind.undo)}"
    if kind.runs_in_agent:
        yield f"{_INDENT}runs_in: {IN_AGENT}"
    if rule.facts:
        facts = {name: type_.value for name, type_ in rule.facts.items()}
        yield from _inside(_entry("facts", facts))
    if rule.checks:
        checks = (line for check in rule.checks for line in _check(check))
        yield from _inside(["checks:", *_inside(checks)])
    if rule.cleared is not None:
        yield from _inside(_cleared(rule.cleared))
    yield from _inside(_decided(rule.guard, rule.bands))


def _about(rule: KindRule) -> Iterator[str]:
    kind = rule.kind
    axes = msgspec.structs.asdict(kind.axes)
    yield f"title: {_text(kind.title)}"
    yield f"connector: {_word(kind.connector)}"
    yield from _entry("axes", {name: str(step) for name, step in axes.items()})
    if kind.catchable is not Catchable.UNSURE:
        yield f'catchable: "{kind.catchable.value}"'


def _param(param: Param) -> list[str]:
    parts = {"type": param.type.value}
    if not param.required:
        parts["required"] = "no"
    if param.choices:
        parts["of"] = f"[{', '.join(_word(choice) for choice in param.choices)}]"
    if param.type is ParamType.TEXT and param.chars_max != TEXT_CHARS_MAX:
        parts["chars_max"] = str(param.chars_max)
    return _entry(param.name, parts)


def _check(check: CheckRule) -> Iterator[str]:
    yield f"{_word(check.name)}:"
    said = [f"require: {_text(check.require)}", f"otherwise: {check.otherwise.value}"]
    said.append(f"reviewer: {_text(check.reviewer)}")
    if check.agent is not None:
        said.append(f"agent: {_text(check.agent)}")
    yield from _inside(said)


def _cleared(cleared: Cleared) -> Iterator[str]:
    yield "cleared:"
    if cleared.when is not None:
        yield f"{_INDENT}when: {_text(cleared.when)}"
    yield from _inside(_decided(cleared.guard, cleared.bands))


def _decided(guard: Guard, bands: Mapping[str, Iterable[Band]]) -> Iterator[str]:
    """What is done: by one control, or by bands; of bands the control is not said."""
    if not bands:
        yield f"control: {guard.control.value}"
        if guard.checkers:
            yield f"checkers: {guard.checkers}"
        return
    yield "bands:"
    for currency, ladder in bands.items():
        yield f"{_INDENT}{currency}:"
        yield from (f"{_INDENT * 2}- {_band(band, currency)}" for band in ladder)


def _band(band: Band, currency: str) -> str:
    parts = {}
    if band.up_to_minor is not None:
        amount = amount_of(band.up_to_minor, currency)
        parts["up_to"] = amount if "." in amount else _quoted(amount)
    parts |= {"grade": band.grade.name, "control": band.guard.control.value}
    if band.guard.checkers:
        parts["checkers"] = str(band.guard.checkers)
    return _flow(parts)


def _entry(name: str, parts: Mapping[str, str]) -> list[str]:
    """A small map on one line, or one line a key when that is too long."""
    line = f"{_word(name)}: {_flow(parts)}"
    if len(line) <= _LINE_CHARS - 3 * len(_INDENT):
        return [line]
    return [f"{_word(name)}:", *_inside(f"{_word(key)}: {value}" for key, value in parts.items())]


def _flow(parts: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_word(key)}: {value}" for key, value in parts.items()) + "}"


def _names(names: Iterable[str]) -> str:
    found = tuple(names)
    return f'"{ANY_KIND}"' if found == (ANY_KIND,) else f"[{', '.join(map(_word, found))}]"


def _word(text: str) -> str:
    """A text as it can stand anywhere, in quotes unless it is a plain word."""
    if _PLAIN.fullmatch(text) and text.lower() not in _OTHERWISE_READ:
        return text
    return _quoted(text)


def _text(text: str) -> str:
    """A text as it can stand at the end of a line."""
    return text if _SENTENCE.fullmatch(text) and " " in text else _word(text)


def _quoted(text: str) -> str:
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _inside(lines: Iterable[str]) -> Iterator[str]:
    return (_INDENT + line for line in lines)
