"""`handrail policy explain`: why an action is decided as it is, and what would change that."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from handrail.bootstrap import DEFAULT_DESK, inspect
from handrail.core.action import ActionKind, ParamType, params_parser
from handrail.core.canonical import quoted
from handrail.core.grade import Grade
from handrail.core.money import Money
from handrail.core.policy import FactType, Guard, KindRule, Policy
from handrail.core.reason import Decision
from handrail.engine.explain import Explained, explain_action
from handrail.errors import InvalidInput
from handrail.policy.case import Case, found_by
from handrail.policy.explain import Explanation, explain
from handrail.policy.loader import load
from handrail.surfaces.cli.options import DeskName, KeyFolder, StoreAddress

__all__ = ["explain_command"]

_ACTION: Final = re.compile(r"hr_[0-9a-f]{32}\Z")
_FLAGS: Final = {"yes": True, "true": True, "no": False, "false": False}
_WHOLE: Final = re.compile(r"-?\d{1,18}\Z", re.ASCII)


def explain_command(
    policy: Annotated[
        str, typer.Argument(help="A policy file or a pack; for one action, the desk's directory.")
    ],
    kind: Annotated[str, typer.Argument(help="A kind of action, or the id of one action.")],
    param: Annotated[
        list[str] | None, typer.Option("--param", help="A parameter: `order=O-5003`.")
    ] = None,
    fact: Annotated[
        list[str] | None, typer.Option("--fact", help="A fact: `refundable=40.00 USD`.")
    ] = None,
    value: Annotated[
        str | None, typer.Option(help="The amount, where the connector says it: `60.00 USD`.")
    ] = None,
    earlier: Annotated[
        str | None, typer.Option(help="What the customer was given lately: `100.00 USD`.")
    ] = None,
    lane: Annotated[str | None, typer.Option(help="The lane of the task.")] = None,
    claim: Annotated[str | None, typer.Option(help="What the agent says it is: G0 to G3.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Say what a policy does with an action, why, and what would have to be different."""
    if _ACTION.match(kind):
        with inspect(Path(policy), desk=desk, keys=keys, store=store) as inspected:
            _say_one(explain_action(inspected.store, desk, kind), as_json=as_json)
        return
    rules = load(policy)
    rule = rules.kinds.get(kind)
    params = _params(rule, param or [])
    amount = _value(rule, params, value)
    case = Case(
        kind=kind,
        now=time.time_ns() // 1_000_000,
        lane=lane,
        params=params,
        facts=_facts(rule, fact or []),
        value=amount,
        found=found_by(None if rule is None else rule.kind, params, amount),
        earlier=_earlier(rules, earlier),
        claim=_claim(claim),
    )
    explanation = explain(rules, case)
    typer.echo(_as_json(explanation) if as_json else "\n".join(_lines(explanation)))


def _say_one(found: Explained, *, as_json: bool) -> None:
    if as_json:
        typer.echo(_as_json(found.explanation))
        return
    row = found.proposal
    typer.echo(f"{row.id}: {row.kind}, now {row.state.value}")
    typer.echo(f"policy {found.policy}, version {found.version} of this desk")
    stood = Guard(control=row.control, checkers=row.checkers)
    if (stood, row.grade) != (found.again.guard, found.again.grade):
        typer.echo(f"it was given {_guard(stood)}, {row.grade.name}: {row.reasons}")
    typer.echo("\n".join(_lines(found.explanation)))


def _lines(found: Explanation) -> list[str]:
    said = [f"control: {_guard(found.decision.guard)}", f"grade: {found.decision.grade.name}"]
    said.append("because:")
    said += [f"  - {one.code.value}: {one.text}" for one in found.decision.reasons]
    if found.passed or found.failed:
        said.append("checks:")
        said += [f"  - {name}: passed" for name in found.passed]
        for one in found.failed:
            how = "could not be told" if one.broken else "did not pass"
            said.append(f"  - {one.name}: {how} ({one.outcome.value}): {one.text}")
        said.append(f"  cleared: {'yes' if found.cleared else 'no'}")
    if found.looks_at:
        said.append("facts that it looks at:")
        said += [f"  - {name}: {_fact(value)}" for name, value in found.looks_at.items()]
    said.append("it would be different, if")
    for turn in found.turns:
        way = "looser" if turn.looser else "stricter"
        said.append(f"  - {turn.what}: {way}, {_outcome(turn.decision)}")
    if not found.turns:
        said.append("  - nothing that was tried: the policy decides it in every case like this")
    return said


def _guard(guard: Guard) -> str:
    checkers = f" by {guard.checkers}" if guard.checkers else ""
    return f"{guard.control.value}{checkers}"


def _outcome(decision: Decision) -> str:
    return f"{_guard(decision.guard)}, {decision.grade.name}"


def _fact(value: str | int | bool | None) -> str:
    if value is None:
        return "not known"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _as_json(found: Explanation) -> str:
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _params(rule: KindRule | None, given: list[str]) -> dict[str, object]:
    """Parameters as they are typed; those that are not given are left out."""
    texts = dict(_pair(one, "--param") for one in given)
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


def _facts(rule: KindRule | None, given: list[str]) -> dict[str, str | int | bool | None]:
    types = {} if rule is None else rule.facts
    facts: dict[str, str | int | bool | None] = {}
    for one in given:
        name, text = _pair(one, "--fact")
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
        raise InvalidInput("setting_malformed", f"`--earlier`: this policy {kept}")
    return money.minor


def _claim(given: str | None) -> Grade | None:
    if given is None:
        return None
    try:
        return Grade[given]
    except KeyError:
        raise InvalidInput("setting_malformed", "`--claim` is one of G0, G1, G2, G3") from None


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InvalidInput("setting_malformed", f"`{option}` takes NAME=VALUE, not {quoted(text)}")
    return name, value


def _whole(text: str, name: str) -> int:
    if not _WHOLE.match(text):
        raise InvalidInput("field_wrong_type", f"`{name}` must be a whole number")
    return int(text)


def _flag(text: str, name: str) -> bool:
    if text not in _FLAGS:
        raise InvalidInput("field_wrong_type", f"`{name}` must be yes or no")
    return _FLAGS[text]
