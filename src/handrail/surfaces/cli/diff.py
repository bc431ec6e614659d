"""The command that compares two policies by meaning: `handrail policy diff`."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import typer

from handrail.policy.diff import compare
from handrail.policy.difference import is_loosening, plain_of, report_text
from handrail.policy.loader import load

__all__ = ["EXIT_LOOSER", "diff"]

EXIT_LOOSER: Final = 1


def diff(
    old: Annotated[str, typer.Argument(help="A policy file, or the name of a pack.")],
    new: Annotated[str, typer.Argument(help="What would take its place.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which inputs change, and which way. Exit status 1 when anything gets looser."""
    found = compare(load(old), load(new))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode([plain_of(one) for one in found])))
    else:
        typer.echo(report_text(found))
    if is_loosening(found):
        raise typer.Exit(EXIT_LOOSER)
