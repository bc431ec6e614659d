"""The command that goes on from a backup, on the word of two people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handrail.bootstrap import DEFAULT_DESK
from handrail.engine.keeping.restore import (
    Looking,
    Losses,
    finish_restoration,
    losses_of,
    restore_log,
)
from handrail.errors import InvalidInput
from handrail.restoring import begun, opened_unchecked, reconcile
from handrail.surfaces.auth import check_password
from handrail.surfaces.cli.log import read_notes
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress
from handrail.surfaces.cli.people import ask_password

__all__ = ["restore"]


def restore(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    by: Annotated[
        str | None, typer.Option(help="Who restores it, by login name; their password is asked.")
    ] = None,
    confirmed_by: Annotated[
        str | None, typer.Option(help="The administrator, another person, who confirms it.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A signed checkpoint saved elsewhere. Repeatable."),
    ] = None,
) -> None:
    """Go on from a backup: say what is lost, look up what may have run since, halt the desk.

    Without `--by` and `--confirmed-by` it only says what is lost.
    """
    if (by is None) != (confirmed_by is None):
        raise InvalidInput("setting_malformed", "give both `--by` and `--confirmed-by`, or neither")
    given = [note for path in checkpoint or [] for note in read_notes(path)]
    with opened_unchecked(directory, desk=desk, keys=keys, store=store) as opened:
        ctx = opened.ctx
        restoration = begun(ctx, desk)
        losses = None if restoration is not None else losses_of(ctx, desk, given)
        if losses is not None:
            _say(losses)
        if by is None or confirmed_by is None:
            return
        for person in (by, confirmed_by):
            check_password(ctx, desk, person, ask_password(person))
        if losses is not None:
            restoration = restore_log(ctx, desk, losses, by=by, confirmed_by=confirmed_by)
        assert restoration is not None
        reconcile(ctx, restoration, tell=_tell)
        finish_restoration(ctx, restoration)
    typer.echo(
        "restored: the desk is halted, and a hand-off says what to look at; `handrail lift` by"
        f" another person than `{restoration.restored_by}` lets work go on"
    )


def _say(losses: Losses) -> None:
    typer.echo(
        f"the log here has {losses.size} entries, root {losses.root.hex()}; its kept checkpoints"
        f" tell of {losses.known}: at least {losses.lost} are lost"
    )


def _tell(looking: Looking) -> None:
    parts = [
        f"{count} {what}"
        for count, what in (
            (looking.found, "had run since"),
            (looking.absent, "had not"),
            (looking.asked, "nobody can tell about but people"),
            (looking.left, "not known yet"),
        )
        if count
    ]
    if parts:
        typer.echo(f"looked up: {', '.join(parts)}", err=True)
