"""The commands of the emergency stop, and for ending a task. No server may have the desk open."""

from __future__ import annotations

import asyncio
import getpass
import sys
from typing import Annotated, Final

import typer

from handrail.bootstrap import DEFAULT_DESK
from handrail.bootstrap import open as open_desk
from handrail.core.halt import Halt, HaltScope
from handrail.engine.access.tasks import revoke_unit
from handrail.errors import InvalidInput, SetupFailed
from handrail.store.protocol import Tx
from handrail.surfaces.auth import Logins, login, logout
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress
from handrail.surfaces.embedded import OPERATOR, Desk

__all__ = ["halt", "halts", "lift", "task_app"]

task_app = typer.Typer(help="Tasks of agents.", no_args_is_help=True)
_SERVED: Final = (
    "a server, or another process, has this desk open: press Stop in its console, or send"
    " `POST /v1/halts`"
)


def halt(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    agent: Annotated[str | None, typer.Option(help="Only this agent.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind of action.")] = None,
    task: Annotated[str | None, typer.Option(help="Only this task, by its id.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer, by their id.")] = None,
    reason: Annotated[str, typer.Option(help="Why, if you like.")] = "",
) -> None:
    """Stop the whole desk, or one agent, kind, task or customer, at once."""
    named = {"agent": agent, "kind": kind, "task": task, "customer": customer}
    given = {scope: name for scope, name in named.items() if name is not None}
    if len(given) > 1:
        raise InvalidInput("setting_malformed", "stop one thing at a time, or the whole desk")
    scope, target = next(iter(given.items()), ("desk", ""))
    with _opened(directory, desk, keys, store) as opened:
        pulled = opened.halt(scope, target, by=OPERATOR, reason=reason)
        typer.echo(f"stopped: {_line(opened, pulled.halt)}")
        if not pulled.met:
            typer.echo("this customer is not known here yet: is the id right?")
        for proposal in pulled.in_flight:
            typer.echo(f"had left already: {proposal.id} {proposal.kind}")


def halts(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """What is stopped now."""
    with _opened(directory, desk, keys, store) as opened:
        found = opened.halts()
        for one in found:
            typer.echo(_line(opened, one))
        if not found:
            typer.echo("nothing is stopped")


def lift(
    directory: Directory,
    halt: Annotated[str, typer.Argument(help="The halt's id, as `handrail halts` shows it.")],
    by: Annotated[str, typer.Option(help="The person who lifts it, by login name.")],
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    reason: Annotated[str, typer.Option(help="Why, if you like.")] = "",
) -> None:
    """Let work go on. It takes another person than the one who stopped it, with their password."""
    with _opened(directory, desk, keys, store) as opened:
        asyncio.run(_check_person(opened, by))
        lifted = opened.lift(halt, by=by, reason=reason)
    typer.echo(f"lifted: {lifted.id}")


@task_app.command("end")
def end_task(
    directory: Directory,
    task: Annotated[str, typer.Argument(help="The task's id.")],
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """End a task's token at once. What it has proposed goes on; use `halt --task` to stop that."""
    with _opened(directory, desk, keys, store) as opened:
        opened.ctx.store.write(revoke_unit(desk, task, by=OPERATOR))
    typer.echo(f"ended: {task}")


def _opened(directory: Directory, desk: str, keys: KeyFolder, store: StoreAddress) -> Desk:
    try:
        return open_desk(directory, policy=None, desk=desk, keys=keys, store=store)
    except SetupFailed as error:
        if error.code != "store_locked":
            raise
        raise SetupFailed(error.code, _SERVED) from error


def _line(desk: Desk, halt: Halt) -> str:
    """One halt in words; a customer by their own id."""

    def look(tx: Tx) -> str | None:
        if halt.scope is HaltScope.CUSTOMER:
            return tx.vault.customer_of(halt.desk, halt.target)
        return halt.target

    named = desk.ctx.store.read(look)
    named = "(erased)" if named is None else named
    return f"{halt.id} {halt.scope.value}{' ' if named else ''}{named}, by {halt.pulled_by}"


async def _check_person(desk: Desk, person: str) -> None:
    """The person's password, asked for or from standard input. Raises `login_failed`."""
    try:
        if sys.stdin.isatty():
            password = getpass.getpass(f"password for {person}: ")
        else:
            password = sys.stdin.readline().rstrip("\n")
    except UnicodeDecodeError:
        raise InvalidInput("text_not_unicode", "the password is not UTF-8") from None
    logins = Logins()
    try:
        token, _ = await login(desk.ctx, logins, desk.id, person, password)
        await logout(desk.ctx, token)
    finally:
        logins.close()
