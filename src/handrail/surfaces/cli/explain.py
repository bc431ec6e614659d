"""`handrail policy explain`: why an action is decided as it is, and what would change that."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from handrail.bootstrap import DEFAULT_DESK, inspect
from handrail.core.canonical import quoted
from handrail.core.policy import Guard
from handrail.core.reason import Decision
from handrail.engine.showing.explain import Explained, explain_action
from handrail.errors import InvalidInput
from handrail.policy.explain import Explanation, explain
from handrail.policy.loader import load
from handrail.surfaces.cli.options import DeskName, KeyFolder, StoreAddress
from handrail.surfaces.supposed import Supposed, case_of

__all__ = ["explain_command"]

_ACTION: Final = re.compile(r"hr_[0-9a-f]{32}\Z")


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
    supposed = Supposed(
        kind=kind,
        params=dict(_pair(one, "--param") for one in param or []),
        facts=dict(_pair(one, "--fact") for one in fact or []),
        value=value,
        earlier=earlier,
        lane=lane,
        claim=claim,
    )
    case = case_of(rules, supposed, now=time.time_ns() // 1_000_000)
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


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InvalidInput("setting_malformed", f"`{option}` takes NAME=VALUE, not {quoted(text)}")
    return name, value
