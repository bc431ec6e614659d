"""The command line. Every error is one line with its code on standard error, exit status 2."""

from __future__ import annotations

import errno
import io
import re
import sys
import traceback
from typing import Annotated, Any, Final

import typer

from handrail import __version__
from handrail.errors import HandrailError
from handrail.surfaces.cli.amendments import add_policy_commands
from handrail.surfaces.cli.backtest import backtest, record
from handrail.surfaces.cli.breakglass import breakglass_app
from handrail.surfaces.cli.channels import channel_app
from handrail.surfaces.cli.check import check
from handrail.surfaces.cli.diff import diff
from handrail.surfaces.cli.explain import explain_command
from handrail.surfaces.cli.halts import halt, halts, lift, task_app
from handrail.surfaces.cli.identities import add_identity_commands
from handrail.surfaces.cli.init import init
from handrail.surfaces.cli.log import erase, log_app
from handrail.surfaces.cli.people import agent_app, person_app
from handrail.surfaces.cli.proof import add_proof_commands
from handrail.surfaces.cli.report import report_app
from handrail.surfaces.cli.restore import restore
from handrail.surfaces.cli.serve import demo, serve
from handrail.surfaces.cli.shadow import shadow_app
from handrail.surfaces.cli.verify import verify
from handrail.surfaces.cli_policy import grade, policy_app

__all__ = ["app", "main"]

EXIT_BAD_INPUT: Final = 2
_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_QUOTES: Final = re.compile(r"'([^']*)'")

app = typer.Typer(
    help="A control plane for AI customer-support agents: grade, guard, show, prove.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
policy_app.command()(check)
policy_app.command("explain")(explain_command)
policy_app.command()(diff)
policy_app.command()(backtest)
policy_app.command()(record)
add_policy_commands(policy_app)
policy_app.add_typer(shadow_app, name="shadow")
app.add_typer(policy_app, name="policy")
add_proof_commands(log_app)
app.add_typer(log_app, name="log")
add_identity_commands(person_app)
app.add_typer(person_app, name="person")
app.add_typer(agent_app, name="agent")
app.add_typer(task_app, name="task")
app.add_typer(breakglass_app, name="breakglass")
app.add_typer(channel_app, name="channel")
app.add_typer(report_app, name="report")
app.command()(demo)
app.command()(init)
app.command()(serve)
app.command()(grade)
app.command()(erase)
app.command()(restore)
app.command()(halt)
app.command()(halts)
app.command()(lift)
app.command()(verify)


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"handrail {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; what is wrong is said in one line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that the terminal does not have is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = typer.main.get_command(app).main(standalone_mode=False)
    except Exception as error:
        said = _said(error)
        if said:
            typer.echo(f"handrail: {_on_one_line(said)}", err=True)
        status = EXIT_BAD_INPUT
    sys.exit(status)


def _said(error: Exception) -> str:
    """The code and the words for whatever ended a command; empty when all was said."""
    if isinstance(error, HandrailError):
        return str(error)
    if isinstance(error, typer.Abort):
        return "setting_malformed: stopped before everything was answered"
    # WHY NOT: its class. What the options' parser raises has no public name.
    if hasattr(error, "format_message"):
        return _usage(error)
    if isinstance(error, OSError) and error.errno in _FULL:
        return "store_full: the disk is full"
    where = traceback.extract_tb(error.__traceback__)[-1]
    what = f"unexpected {type(error).__name__}: {error}"
    return f"internal: {what} ({where.name}, line {where.lineno} of {where.filename})"


def _usage(error: Any) -> str:
    """What the parser has against the words of the command, in our own form."""
    context = getattr(error, "ctx", None)
    path = "handrail" if context is None else context.command_path
    text = str(error.format_message())
    if context is not None and type(error).__name__.startswith("NoArgs"):
        # A group without a command asks what there is; the answer is on the standard output.
        typer.echo(text)
        return ""
    text = _QUOTES.sub(r"`\1`", text).strip().rstrip(".")
    text = text.replace(": Value error, ", ": ").replace(": Input ", ": it ")
    return f"setting_malformed: {text[:1].lower()}{text[1:]}; see `{path} --help`"


def _on_one_line(text: str) -> str:
    """A name with a line break or an escape sequence in it is shown, not obeyed."""
    flat = " ".join(text.split())
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in flat)
