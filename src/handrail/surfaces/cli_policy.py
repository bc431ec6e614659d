"""The commands about policies: `handrail policy check|schema|show`, and `handrail grade`."""

from __future__ import annotations

import sys
from typing import Annotated, Final, NoReturn

import typer

from handrail.core.grade import AXIS_MAX, AXIS_MEANINGS, Axes, Catchable, Grade, grade_of
from handrail.errors import HandrailError, InvalidInput
from handrail.policy.grader import AXIS_QUESTIONS, CATCHABLE_QUESTION, Advice, advise, yaml_of
from handrail.policy.packs import pack_text
from handrail.policy.schema import schema_text

__all__ = ["EXIT_BAD_INPUT", "grade", "policy_app"]

EXIT_BAD_INPUT: Final = 2

policy_app = typer.Typer(help="Check and read policies.", no_args_is_help=True)


@policy_app.command()
def schema() -> None:
    """Print the JSON Schema of policy files."""
    typer.echo(schema_text(), nl=False)


@policy_app.command()
def show(name: Annotated[str, typer.Argument(help="The name of a pack.")]) -> None:
    """Print a policy that comes with handrail."""
    try:
        typer.echo(pack_text(name), nl=False)
    except HandrailError as error:
        _fail(error)


_AxisOption = Annotated[int | None, typer.Option(min=0, max=AXIS_MAX, help="0 to 3.")]


def grade(
    reversibility: _AxisOption = None,
    blast_radius: _AxisOption = None,
    stakes: _AxisOption = None,
    catchable: Annotated[
        Catchable | None,
        typer.Option(help=CATCHABLE_QUESTION),
    ] = None,
    undo: Annotated[
        bool | None, typer.Option("--undo/--no-undo", help="Whether it can be undone.")
    ] = None,
    money: Annotated[
        bool | None, typer.Option("--money/--no-money", help="Whether it moves money.")
    ] = None,
) -> None:
    """Grade a kind of action, and say which control fits and why.

    What is not given is asked, one by one, on a terminal. Without a terminal the three axes must be
    given; the rest is taken to be: not sure whether it is catchable, no undo, no money.
    """
    given = {"reversibility": reversibility, "blast_radius": blast_radius, "stakes": stakes}
    asking = sys.stdin.isatty()
    lacking = [name for name, value in given.items() if value is None]
    if lacking and not asking:
        options = ", ".join(f"--{name.replace('_', '-')} 0..{AXIS_MAX}" for name in lacking)
        _fail(InvalidInput("setting_malformed", f"missing {options}"))
    values = {name: _ask_axis(name) if value is None else value for name, value in given.items()}
    axes = Axes(**values)
    if catchable is None and asking and grade_of(axes) >= Grade.G2:
        catchable = _ask_catchable()
    if undo is None and asking:
        undo = typer.confirm("Can it be undone?")
    if money is None and asking:
        money = typer.confirm("Does it move money?")
    advice = advise(axes, catchable or Catchable.UNSURE, undo=bool(undo), money=bool(money))
    typer.echo(_advice_text(advice))


def _ask_axis(name: str) -> int:
    typer.echo(AXIS_QUESTIONS[name])
    for step, meaning in enumerate(AXIS_MEANINGS[name]):
        typer.echo(f"  {step}  {meaning}")
    while True:
        answer: str = typer.prompt(name.replace("_", " "), type=str)
        if answer.strip() in {str(step) for step in range(AXIS_MAX + 1)}:
            return int(answer)
        typer.echo(f"a number from 0 to {AXIS_MAX}, please")


def _ask_catchable() -> Catchable:
    answers = "/".join(answer.value for answer in Catchable)
    while True:
        answer: str = typer.prompt(f"{CATCHABLE_QUESTION} ({answers})", type=str)
        try:
            return Catchable(answer.strip())
        except ValueError:
            typer.echo(f"{answers}, please")


def _advice_text(advice: Advice) -> str:
    checkers = f", {advice.guard.checkers} checker" if advice.guard.checkers else ""
    cap = ", with a cap" if advice.capped else ""
    return "\n".join(
        [
            f"grade: {advice.grade.name}",
            "why:",
            *(f"  - {sentence}" for sentence in advice.why),
            f"control: {advice.control.value}{checkers}{cap}",
            "",
            "# for the policy file; names and amounts are examples",
            yaml_of(advice).rstrip("\n"),
        ]
    )


def _fail(error: HandrailError) -> NoReturn:
    typer.echo(f"handrail: {error}", err=True)
    raise typer.Exit(EXIT_BAD_INPUT)
