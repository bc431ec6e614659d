"""Break-glass at the command line: who asks and who confirms each give their own password."""

from __future__ import annotations

from typing import Annotated

import typer

from handrail.bootstrap import DEFAULT_DESK
from handrail.bootstrap import open as open_desk
from handrail.engine.access.breakglass import (
    MINUTE_MS,
    ask_glass_unit,
    close_glass_unit,
    confirm_glass_unit,
    grant_reason,
)
from handrail.store.protocol import Tx
from handrail.surfaces.cli.acting import By, opened_by
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress

__all__ = ["breakglass_app"]

breakglass_app = typer.Typer(
    help="Let somebody check for at most an hour: one asks, another confirms.",
    no_args_is_help=True,
)

GrantId = Annotated[str, typer.Argument(help="The grant's id, as `ask` and `list` print it.")]


@breakglass_app.command("ask")
def ask(
    directory: Directory,
    person: Annotated[str, typer.Argument(help="Who is to check, by login name.")],
    reason: Annotated[str, typer.Option(help="Why it cannot wait.")],
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    minutes: Annotated[int, typer.Option(min=1, max=60, help="How long, once confirmed.")] = 60,
) -> None:
    """Ask for it, with your own password. Nothing is granted by asking. Prints the grant's id."""
    with opened_by(person, directory, desk, keys, store) as opened:
        unit = ask_glass_unit(
            opened.ctx, desk, person=person, reason=reason, span_ms=minutes * MINUTE_MS
        )
        grant = opened.ctx.store.write(unit)
    typer.echo(grant.id)


@breakglass_app.command("confirm")
def confirm(
    directory: Directory,
    id: GrantId,
    by: By,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Put it in force, as an administrator who is another person. Everybody is told."""
    with opened_by(by, directory, desk, keys, store) as opened:
        grant = opened.ctx.store.write(confirm_glass_unit(opened.ctx, desk, id, by=by))
    typer.echo(f"in force: `{grant.person}` may check for {grant.span_ms // MINUTE_MS} minutes")


@breakglass_app.command("close")
def close(
    directory: Directory,
    id: GrantId,
    by: By,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """End it at once."""
    with opened_by(by, directory, desk, keys, store) as opened:
        opened.ctx.store.write(close_glass_unit(desk, id, by=by))
    typer.echo(f"closed: {id}")


@breakglass_app.command("list")
def list_open(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Print what is asked for or in force, a line each."""

    def look(tx: Tx) -> list[str]:
        found = []
        for grant in tx.grants.open(desk):
            stands = "in force" if grant.covers(tx.now) else "not in force"
            found.append(f"{grant.id}  {grant.person}  {stands}  {grant_reason(tx, grant)}")
        return found

    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        for line in opened.ctx.store.read(look):
            typer.echo(line)
