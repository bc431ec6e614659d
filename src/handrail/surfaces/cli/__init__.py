"""The command line. Every error is one line with its code on standard error, exit status 2."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from handrail import __version__
from handrail.errors import HandrailError
from handrail.surfaces.cli.log import erase, log_app
from handrail.surfaces.cli.people import agent_app, person_app
from handrail.surfaces.cli.serve import demo, serve
from handrail.surfaces.cli_policy import grade, policy_app

__all__ = ["app", "main"]

EXIT_BAD_INPUT = 2

app = typer.Typer(
    help="A control plane for AI customer-support agents: grade, guard, show, prove.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(policy_app, name="policy")
app.add_typer(log_app, name="log")
app.add_typer(person_app, name="person")
app.add_typer(agent_app, name="agent")
app.command()(demo)
app.command()(serve)
app.command()(grade)
app.command()(erase)


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"handrail {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; what is wrong is said in one line."""
    try:
        app()
    except HandrailError as error:
        typer.echo(f"handrail: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except KeyboardInterrupt:
        sys.exit(130)
