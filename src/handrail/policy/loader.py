"""Loads a policy: a pack by its name, a file, or a text."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final

import msgspec

from handrail.core.accumulation import RATE_DECIMALS, Accumulation
from handrail.core.action import TEXT_CHARS_MAX, ActionKind, Param, ParamType
from handrail.core.artifact import digest_of
from handrail.core.canonical import canonical, quoted
from handrail.core.caps import CapRule, Scope, WhenFull
from handrail.core.grade import Axes, Catchable, Grade
from handrail.core.money import Money
from handrail.core.policy import (
    ANY_KIND,
    Assignment,
    Attention,
    Band,
    CheckRule,
    Cleared,
    Clocks,
    Control,
    FactType,
    Guard,
    KindRule,
    LaneRule,
    Limits,
    Otherwise,
    PasskeyRule,
    Policy,
)
from handrail.errors import InvalidInput, NotFound, PolicyInvalid
from handrail.policy.around import Around
from handrail.policy.form import POLICY_FORM
from handrail.policy.kind_form import FROM_CONNECTOR, IN_AGENT
from handrail.policy.lint import lint
from handrail.policy.packs import pack_names, pack_text
from handrail.policy.problem import Path, Problem, errors_in
from handrail.policy.reading import BAD, Bad, Reading
from handrail.policy.source import TEXT_BYTES_MAX, compose

__all__ = [
    "PROBLEMS_MAX",
    "digest_body",
    "digest_policy",
    "load",
    "load_text",
    "problems_of",
    "read_body",
    "source_text",
]

PROBLEMS_MAX: Final = 100
"""Problems that one message names; it says how many more there are."""

_FILE_SUFFIXES: Final = (".yaml", ".yml")

Record = Mapping[str, Any]
"""A record as `reading` hands it over, every key of its form present."""


def load(name_or_path: str | os.PathLike[str]) -> Policy:
    """The policy of a pack or a file.

    Raises NotFound `policy_not_found`, and PolicyInvalid as `load_text` does.
    """
    return load_text(source_text(name_or_path), source=os.fspath(name_or_path))


def load_text(text: str, *, source: str) -> Policy:
    """The policy that a YAML text means, with its digest; `source` names the text in messages.

    Raises PolicyInvalid `policy_invalid` with one line `SOURCE:LINE: what is wrong` per problem.
    """
    policy, problems = _examined(text)
    errors = errors_in(problems)
    if policy is None or errors:
        said = [f"{source}:{problem.line}: {problem.text}" for problem in errors[:PROBLEMS_MAX]]
        if len(errors) > PROBLEMS_MAX:
            said.append(f"{source}: and {len(errors) - PROBLEMS_MAX} more problems")
        raise PolicyInvalid("policy_invalid", "\n".join(said))
    return policy


def problems_of(text: str, around: Callable[[Policy], Around] | None = None) -> list[Problem]:
    """Every problem of a policy text by line, warnings included; empty when all is well.

    `around` says what stands around the policy, once it is read.
    """
    return _examined(text, around)[1]


def source_text(name_or_path: str | os.PathLike[str]) -> str:
    """The text of a pack or a file. A name with a slash or a YAML suffix is a file.

    Raises NotFound `policy_not_found`, and PolicyInvalid for bytes that are not UTF-8.
    """
    name = os.fspath(name_or_path)
    is_path = PurePath(name).name != name or name.endswith(_FILE_SUFFIXES)
    if not is_path and name in pack_names():
        return pack_text(name)
    try:
        with open(name, "rb") as file:
            # One byte more than allowed, so that the reader of the text sees that it is too long.
            raw = file.read(TEXT_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        raise _not_found(name, is_path, error) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(raw) > TEXT_BYTES_MAX:
            return raw.decode("utf-8-sig", errors="replace")
        line = raw.count(b"\n", 0, error.start) + 1
        raise PolicyInvalid("policy_invalid", f"{name}:{line}: the file is not UTF-8") from None


def read_body(body: str) -> Policy:
    """A policy as it was stored: the canonical form, which a digest is over."""
    return msgspec.json.decode(body, type=Policy).in_order()


def digest_body(body: str) -> str:
    """The digest of a policy as it was stored, also by a version that knew fewer settings."""
    stored = msgspec.json.decode(body)
    return digest_of(canonical({**stored, "digest": ""}))


def digest_policy(policy: Policy) -> str:
    """SHA-256 (hex) over the canonical form of a policy without its digest."""
    return digest_of(canonical(msgspec.structs.replace(policy, digest="")))


def _not_found(name: str, is_path: bool, error: Exception) -> NotFound:
    if not is_path:
        packs = ", ".join(pack_names())
        said = f"there is no pack and no file {quoted(name)}; the packs are: {packs}"
    else:
        why = (getattr(error, "strerror", None) or "not a file name").lower()
        said = f"the policy file {quoted(name)} cannot be read: {why}"
    return NotFound("policy_not_found", said)


def _examined(
    text: str, around: Callable[[Policy], Around] | None = None
) -> tuple[Policy | None, list[Problem]]:
    """The policy as far as it can be read, and everything that is wrong with it."""
    node, problems = compose(text)
    if node is None:
        return None, problems
    reading = Reading()
    top = reading.read(node, POLICY_FORM)
    policy = None if top is BAD else _policy(top, reading)
    if policy is not None and _can_lint(top):
        reading.problems += lint(
            policy,
            around=None if around is None else around(policy),
            line_of=reading.line_of,
            unread=_unread(policy, reading),
        )
    problems = sorted([*problems, *reading.problems], key=lambda problem: problem.line)
    return policy, problems


def _can_lint(top: Record) -> bool:
    """Whether the maps that refer to each other were read at all."""
    known = isinstance(top["kinds"], dict) and isinstance(top["lanes"], dict)
    return known and top["caps"] is not BAD


def _unread(policy: Policy, reading: Reading) -> list[Path]:
    """The kinds, lanes and caps that the file names and the policy does not hold."""
    named = [path for path in reading.lines if len(path) == 2]
    held = {
        *(("kinds", name) for name in policy.kinds),
        *(("lanes", name) for name in policy.lanes),
        *(("caps", cap.name) for cap in policy.caps),
    }
    return [path for path in named if path[0] in ("kinds", "lanes", "caps") and path not in held]


def _policy(top: Record, reading: Reading) -> Policy:
    """Put a policy together from what could be read."""
    kinds: dict[str, KindRule] = {}
    for name, record in _entries(top["kinds"]):
        rule = _kind(name, record, reading)
        if rule is not None:
            kinds[name] = rule
    name, version, clocks = top["policy"], top["version"], top["clocks"]
    chosen, signing = top["by_lot"], top["passkeys"]
    policy = Policy(
        name=name if isinstance(name, str) else "",
        version=version if isinstance(version, int) else 0,
        kinds=kinds,
        lanes={name: _lane(name, record) for name, record in _entries(top["lanes"])},
        caps=tuple(_cap(name, record) for name, record in _entries(top["caps"])),
        clocks=_clocks(clocks) if isinstance(clocks, dict) else Clocks(),
        limits=Limits(**top["limits"]) if isinstance(top["limits"], dict) else Limits(),
        accumulation=_accumulation(top["accumulation"]),
        assignment=Assignment.QUORUM if chosen is BAD else Assignment(chosen),
        passkeys=PasskeyRule.OWN if signing is BAD else PasskeyRule(signing),
        attention=_attention(top["attention"]),
        lane_order=tuple(name for name, _ in _entries(top["lanes"])),
    )
    return msgspec.structs.replace(policy, digest=digest_policy(policy))


def _entries(read: object) -> list[tuple[str, Record]]:
    """The entries of a map that may be absent or BAD."""
    return list(read.items()) if isinstance(read, dict) else []


def _clocks(record: Record) -> Clocks:
    return Clocks(**{f"{name}_ms": span for name, span in record.items() if span is not None})


def _attention(record: object) -> Attention:
    if not isinstance(record, dict):
        return Attention()
    return Attention(**{name: n for name, n in record.items() if n is not None})


def _accumulation(record: object) -> Accumulation | None:
    if not isinstance(record, dict):
        return None
    return Accumulation(
        window_ms=record["window"],
        currency=record["currency"],
        weights=record["kinds"],
        rates={currency: _rate(text) for currency, text in (record["rates"] or {}).items()},
        margin=record["margin"],
        bunching=record["bunching"],
    )


def _rate(text: str) -> int:
    """A rate in billionths; its form is checked when it is read."""
    whole, _, decimals = text.partition(".")
    return int(whole + decimals.ljust(RATE_DECIMALS, "0"))


def _lane(name: str, record: Record) -> LaneRule:
    return LaneRule(
        name=name,
        kinds=record["kinds"],
        connectors=record["connectors"],
        any_customer=record["any_customer"],
        agents=record["agents"] or (),
    )


def _cap(name: str, record: Record) -> CapRule:
    money: Money | None = record["money"]
    kinds: tuple[str, ...] = record["kinds"]
    return CapRule(
        name=name,
        scope=Scope(record["scope"]),
        limit=(record["count"] or record["accounts"]) if money is None else money.minor,
        currency=None if money is None else money.currency,
        distinct=record["accounts"] is not None,
        window_ms=record["window"],
        kinds=() if kinds == (ANY_KIND,) else kinds,
        when_full=WhenFull(record["when_full"]),
        halts_agent=record["halts_agent"],
    )


def _kind(name: str, record: Record, reading: Reading) -> KindRule | None:
    """The rule of one kind, or None when a band of it cannot be read."""
    path = ("kinds", name)
    bands = _bands(record, (*path, "bands"), reading)
    cleared = _cleared(record["cleared"], (*path, "cleared"), reading)
    if bands is None or cleared is BAD:
        return None
    kind = ActionKind(
        name=name,
        title=record["title"],
        connector=record["connector"],
        axes=Axes(**record["axes"]),
        catchable=Catchable(record["catchable"]),
        params=tuple(_param(name, param) for name, param in _entries(record["params"])),
        value=record["value"],
        value_from_connector=record["value_from"] == FROM_CONNECTOR,
        needs=record["needs"] or (),
        undo=record["undo"],
        runs_in_agent=record["runs_in"] == IN_AGENT,
    )
    return KindRule(
        kind=kind,
        guard=_guard_of(record, bands),
        bands=bands,
        facts={name: FactType(type_) for name, type_ in _entries(record["facts"])},
        checks=tuple(_check(name, check) for name, check in _entries(record["checks"])),
        cleared=cleared if isinstance(cleared, Cleared) else None,
    )


def _check(name: str, record: Record) -> CheckRule:
    return CheckRule(
        name=name,
        require=record["require"],
        otherwise=Otherwise(record["otherwise"]),
        reviewer=record["reviewer"],
        agent=record["agent"],
    )


def _cleared(record: Record | None, path: Path, reading: Reading) -> Cleared | Bad | None:
    if record is None:
        return None
    bands = _bands(record, (*path, "bands"), reading)
    if bands is None:
        return BAD
    return Cleared(when=record["when"], guard=_guard_of(record, bands), bands=bands)


def _bands(record: Record, path: Path, reading: Reading) -> dict[str, tuple[Band, ...]] | None:
    """The bands of a record by currency, or None when one of them cannot be read."""
    bands: dict[str, tuple[Band, ...]] = {}
    ladders: Mapping[str, tuple[Record, ...]] = record["bands"] or {}
    for currency, records in ladders.items():
        read = [
            _band(band, currency, (*path, currency, place), reading)
            for place, band in enumerate(records)
        ]
        bands[currency] = tuple(band for band in read if band is not None)
        if len(bands[currency]) != len(read):
            return None
    return bands


def _guard_of(record: Record, bands: Mapping[str, tuple[Band, ...]]) -> Guard:
    """What has bands is never decided by its guard; it carries the strictest for who looks."""
    guards = [band.guard for ladder in bands.values() for band in ladder]
    return max(guards, key=lambda guard: guard.order) if guards else _guard(record)


def _param(name: str, record: Record) -> Param:
    return Param(
        name=name,
        type=ParamType(record["type"]),
        required=record["required"],
        choices=record["of"] or (),
        chars_max=record["chars_max"] or TEXT_CHARS_MAX,
    )


def _band(record: Record, currency: str, path: Path, reading: Reading) -> Band | None:
    up_to: int | None = None
    if record["up_to"] is not None:
        try:
            up_to = Money.parse(f"{record['up_to']} {currency}").minor
        except InvalidInput as refusal:
            reading.report(reading.line_of((*path, "up_to")), f"`up_to`: {refusal.message}")
            return None
    return Band(up_to_minor=up_to, grade=Grade[record["grade"]], guard=_guard(record))


def _guard(record: Record) -> Guard:
    return Guard(control=Control(record["control"]), checkers=record["checkers"] or 0)
