"""The commands about people and agents. They open the desk, so no server may have it open."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from handrail.bootstrap import DEFAULT_DESK
from handrail.bootstrap import open as open_desk
from handrail.engine.people import issue_key_unit, revoke_key_unit
from handrail.errors import InvalidInput, NotFound
from handrail.surfaces.auth import set_password
from handrail.surfaces.embedded import OPERATOR

__all__ = ["agent_app", "person_app"]

person_app = typer.Typer(help="People who review, check and audit.", no_args_is_help=True)
agent_app = typer.Typer(help="Agents and their API keys.", no_args_is_help=True)

Directory = Annotated[Path, typer.Argument(help="The desk's directory.")]
DeskName = Annotated[str, typer.Option("--desk", help="Which desk of the directory.")]


@person_app.command("add")
def add_person(
    directory: Directory,
    id: Annotated[str, typer.Argument(help="The person's login name.")],
    desk: DeskName = DEFAULT_DESK,
    name: Annotated[str | None, typer.Option(help="The name that colleagues see.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="A role. Repeatable.")] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(help="What a checker may pass, like `5000.00 USD`. One per currency."),
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="The same for every account of one natural person.")
    ] = None,
) -> None:
    """Add a person, and ask for (or read from standard input) their first password."""
    password = _password(id)
    with open_desk(directory, policy=None, desk=desk) as opened:
        opened.person(
            id, roles=role or ["reviewer"], limits=limit or [], name=name, identity=identity
        )
        set_password(opened.ctx, desk, id, password, actor=OPERATOR)
    typer.echo(f"added: {id}")


@person_app.command("password")
def change_password(
    directory: Directory,
    id: Annotated[str, typer.Argument(help="The person's login name.")],
    desk: DeskName = DEFAULT_DESK,
) -> None:
    """Set a person's password; their older one ends."""
    password = _password(id)
    with open_desk(directory, policy=None, desk=desk) as opened:
        set_password(opened.ctx, desk, id, password, actor=OPERATOR)
    typer.echo(f"password set: {id}")


@agent_app.command("add")
def add_agent(
    directory: Directory,
    id: Annotated[str, typer.Argument(help="The agent's id.")],
    owner: Annotated[str, typer.Option(help="The person who answers for it, by login name.")],
    desk: DeskName = DEFAULT_DESK,
    operator: Annotated[str | None, typer.Option(help="Who runs it, if another person.")] = None,
) -> None:
    """Add an agent and print its API key. The key is shown this once."""
    with open_desk(directory, policy=None, desk=desk) as opened:
        opened.agent(id, owner=owner, operator=operator)
        unit = issue_key_unit(opened.ctx, desk, id, actor=OPERATOR)
        typer.echo(opened.ctx.store.write(unit))


@agent_app.command("revoke")
def revoke_key(
    directory: Directory,
    key: Annotated[str, typer.Argument(help="The key, or its public first part.")],
    desk: DeskName = DEFAULT_DESK,
) -> None:
    """End an API key at once."""
    prefix = "_".join(key.split("_")[:2])
    with open_desk(directory, policy=None, desk=desk) as opened:
        if not opened.ctx.store.write(revoke_key_unit(desk, prefix, actor=OPERATOR)):
            raise NotFound("credential_unknown", f"there is no live key `{prefix}`")
    typer.echo(f"revoked: {prefix}")


def _password(id: str) -> str:
    if sys.stdin.isatty():
        first = getpass.getpass(f"password for {id}: ")
        if getpass.getpass("once more: ") != first:
            raise InvalidInput("setting_malformed", "the two passwords differ")
        return first
    given = sys.stdin.readline().rstrip("\n")
    if not given:
        raise InvalidInput("setting_malformed", "no password on standard input")
    return given
