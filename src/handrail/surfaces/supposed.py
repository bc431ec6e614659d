"""A supposed action, as people type it in: the case that `policy explain` and the console explain.

Everything comes as text; what it has to be is said by the policy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from handrail.core.action import ActionKind, ParamType, params_parser
from handrail.core.grade import Grade
from handrail.core.money import Money
from handrail.core.policy import FactType, KindRule, Policy
from handrail.errors import InvalidInput
from handrail.policy.case import Case, found_by

__all__ = ["Supposed", "case_of"]

_FLAGS: Final = {"yes": True, "true": True, "no": False, "false": False}
_WHOLE: Final = re.compile(r"-?\d{1,18}\Z", re.ASCII)


class Supposed(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed in; None and a missing name for what was left out.

    `value` is the amount where the connector says it, `earlier` what the customer had lately.
    """

    kind: str
    params: Mapping[str, str] = {}
    facts: Mapping[str, str] = {}
    value: str | None = None
    earlier: str | None = None
    lane: str | None = None
    claim: str | None = None


def case_of(policy: Policy, typed: Supposed, *, now: int) -> Case:
    """The case of a supposed action under a policy.

    Raises InvalidInput for what is not what the policy says, `setting_malformed` for the rest.
    """
    rule = policy.kinds.get(typed.kind)
    params = _params(rule, typed.params)
    amount = _value(rule, params, typed.value)
    return Case(
        kind=typed.kind,
        now=now,
        lane=typed.lane,
        params=params,
        facts=_facts(rule, typed.facts),
        value=amount,
        found=found_by(None if rule is None else rule.kind, params, amount),
        earlier=_earlier(policy, typed.earlier),
        claim=_claim(typed.claim),
    )


def _params(rule: KindRule | None, texts: Mapping[str, str]) -> dict[str, object]:
    """Parameters as they are typed; those that are not given are left out."""
    if rule is None:
        return dict(texts)
    kind: ActionKind = msgspec.structs.replace(
        rule.kind,
        params=tuple(msgspec.structs.replace(one, required=False) for one in rule.kind.params),
    )
    types = {param.name: param.type for param in kind.params}
    raw = {name: _typed(text, types.get(name), name) for name, text in texts.items()}
    return params_parser(kind)(raw)


def _typed(text: str, type_: ParamType | None, name: str) -> Any:
    match type_:
        case ParamType.INTEGER:
            return _whole(text, name)
        case ParamType.BOOLEAN:
            return _flag(text, name)
        case ParamType.RECORD:
            try:
                return msgspec.json.decode(text)
            except msgspec.DecodeError:
                raise InvalidInput("field_malformed", f"`{name}` must be JSON") from None
        case _:
            return text


def _facts(rule: KindRule | None, texts: Mapping[str, str]) -> dict[str, str | int | bool | None]:
    types = {} if rule is None else rule.facts
    facts: dict[str, str | int | bool | None] = {}
    for name, text in texts.items():
        match types.get(name):
            case FactType.INTEGER:
                facts[name] = _whole(text, name)
            case FactType.BOOLEAN:
                facts[name] = _flag(text, name)
            case _:
                facts[name] = text
    return facts


def _value(rule: KindRule | None, params: dict[str, object], given: str | None) -> Money | None:
    """The amount: what is given, or the parameter that the policy looks at."""
    if given is not None:
        return Money.parse(given)
    found = None if rule is None or rule.kind.value is None else params.get(rule.kind.value)
    return found if isinstance(found, Money) else None


def _earlier(policy: Policy, given: str | None) -> int:
    if given is None:
        return 0
    money, adds = Money.parse(given), policy.accumulation
    if adds is None or money.currency != adds.currency:
        kept = "adds nothing up" if adds is None else f"keeps the sum in {adds.currency}"
        raise InvalidInput("setting_malformed", f"`earlier`: this policy {kept}")
    return money.minor


def _claim(given: str | None) -> Grade | None:
    if given is None:
        return None
    try:
        return Grade[given]
    except KeyError:
        raise InvalidInput("setting_malformed", "`claim` is one of G0, G1, G2, G3") from None


def _whole(text: str, name: str) -> int:
    if not _WHOLE.match(text):
        raise InvalidInput("field_wrong_type", f"`{name}` must be a whole number")
    return int(text)


def _flag(text: str, name: str) -> bool:
    if text not in _FLAGS:
        raise InvalidInput("field_wrong_type", f"`{name}` must be yes or no")
    return _FLAGS[text]
