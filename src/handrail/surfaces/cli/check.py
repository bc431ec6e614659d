"""`handrail policy check`: what is wrong with a policy, by itself or on a desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handrail.bootstrap import DEFAULT_DESK, embedded_offers, inspect
from handrail.core.canonical import quoted
from handrail.core.policy import Policy
from handrail.core.roster import Roster
from handrail.engine.asking.checkers import roster_of
from handrail.engine.asking.quorum import gaps_of
from handrail.errors import PolicyInvalid
from handrail.policy.around import Around
from handrail.policy.draft import open_guesses
from handrail.policy.loader import load_text, problems_of, source_text
from handrail.policy.problem import errors_in
from handrail.surfaces.cli.options import DeskName, KeyFolder, StoreAddress

__all__ = ["check"]


def check(
    file: Annotated[str, typer.Argument(help="A policy file, or the name of a pack.")],
    directory: Annotated[
        Path | None,
        typer.Option("--for", help="The directory of a desk: with its people and connectors."),
    ] = None,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Say what is wrong with a policy, with lines, or that all is well."""
    text = source_text(file)
    roster = None
    if directory is not None:
        with inspect(directory, desk=desk, keys=keys, store=store) as inspected:
            roster = inspected.store.read(lambda tx: roster_of(tx, desk))
    problems = problems_of(text, lambda policy: _around(policy, roster))
    for problem in problems:
        said = f"{file}:{problem.line}: {problem.severity.value}: {problem.text}"
        typer.echo(said, err=True)
    errors = len(errors_in(problems))
    if errors:
        found = "1 error" if errors == 1 else f"{errors} errors"
        raise PolicyInvalid("policy_invalid", f"{found} in {quoted(file)}; it does not load")
    policy = load_text(text, source=file)
    typer.echo(f"ok: {policy.name}, {len(policy.kinds)} kinds, {policy.digest}")
    guesses = open_guesses(text)
    if guesses:
        many = "1 guess waits" if len(guesses) == 1 else f"{len(guesses)} guesses wait"
        said = f"{file}:{guesses[0]}: {many} to be confirmed by a person; see `# CONFIRM:`"
        typer.echo(said, err=True)


def _around(policy: Policy, roster: Roster | None) -> Around:
    """The people and the connectors of a desk; nothing is known where no desk is named."""
    if roster is None:
        return Around()
    return Around(offers=embedded_offers(), gaps=gaps_of(policy, roster))
