"""The commands that link people with their logins at a provider, and invite them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from handrail.bootstrap import DEFAULT_DESK
from handrail.bootstrap import open as open_desk
from handrail.engine.access.identities import invite_unit, link_unit, unlink_unit
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress
from handrail.surfaces.cli.people import PersonId
from handrail.surfaces.embedded import OPERATOR

__all__ = ["add_identity_commands"]


def add_identity_commands(app: typer.Typer) -> None:
    """Put them below `handrail person`."""
    app.command("invite")(invite_person)
    app.command("link")(link_person)
    app.command("unlink")(unlink_person)


def invite_person(
    directory: Directory,
    id: PersonId,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Print the end of a link by which a person links their login, or chooses a password, once."""
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        token = opened.ctx.store.write(invite_unit(opened.ctx, desk, id, actor=OPERATOR))
    about = "" if desk == DEFAULT_DESK else f"&desk={quote(desk, safe='')}"
    typer.echo(f"/login/invited?token={token}{about}")


def link_person(
    directory: Directory,
    id: PersonId,
    issuer: Annotated[str, typer.Option(help="The provider's issuer, exactly.")],
    subject: Annotated[str, typer.Option(help="What the provider calls them in `sub`.")],
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Link a person with their login at the provider."""
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        unit = link_unit(opened.ctx, desk, id, issuer=issuer, subject=subject, actor=OPERATOR)
        opened.ctx.store.write(unit)
    typer.echo(f"linked: {id}")


def unlink_person(
    directory: Directory,
    id: PersonId,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Take every login at the provider from a person, and end their sessions."""
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        opened.ctx.store.write(unlink_unit(opened.ctx, desk, id, actor=OPERATOR))
    typer.echo(f"unlinked: {id}")
