"""The commands about people and agents. They open the desk; a file has room for one opener."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from handrail.bootstrap import DEFAULT_DESK
from handrail.bootstrap import open as open_desk
from handrail.core.money import Money
from handrail.core.principal import PrincipalKind, Role
from handrail.engine.access.people import (
    Changes,
    add_principal_unit,
    change_principal_unit,
    issue_key_unit,
    revoke_key_unit,
    set_password_unit,
)
from handrail.errors import InvalidInput, NotFound
from handrail.store.protocol import Tx
from handrail.surfaces.auth import hash_password, set_password
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress
from handrail.surfaces.embedded import OPERATOR

__all__ = ["agent_app", "ask_password", "person_app"]

T = TypeVar("T")

person_app = typer.Typer(help="People who review, check and audit.", no_args_is_help=True)
agent_app = typer.Typer(help="Agents and their API keys.", no_args_is_help=True)

Mail = Annotated[
    str | None,
    typer.Option(help="Their e-mail address; kept as a keyed hash. The same one, the same person."),
]
Customers = Annotated[
    list[str] | None,
    typer.Option(help="A customer account of their own, which they then decide nothing about."),
]
Disable = Annotated[
    bool | None, typer.Option("--disable/--enable", help="End their access, or give it back.")
]
PersonId = Annotated[str, typer.Argument(help="The person's login name.")]
Delegator = Annotated[
    str | None, typer.Option(help="The person or agent that it acts for; empty for nobody.")
]
AgentId = Annotated[str, typer.Argument(help="The agent's id.")]


@person_app.command("add")
def add_person(
    directory: Directory,
    id: PersonId,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    name: Annotated[str | None, typer.Option(help="The name that colleagues see.")] = None,
    role: Annotated[
        list[Role] | None, typer.Option(help="A role; reviewer if none is given. Repeatable.")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(help="What a checker may pass, like `5000.00 USD`. One per currency."),
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="The same for every account of one natural person.")
    ] = None,
    mail: Mail = None,
    customer: Customers = None,
) -> None:
    """Add a person, and ask for (or read from standard input) their first password."""
    limits = _limits(limit or [])
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        add = add_principal_unit(
            desk,
            id,
            kind=PrincipalKind.PERSON,
            actor=OPERATOR,
            name=name,
            identity=identity,
            roles=tuple(dict.fromkeys(role or [Role.REVIEWER])),
            limits=limits,
            mail=mail,
            customers=customer or (),
        )
        hashed = hash_password(ask_password(id))
        give = set_password_unit(opened.ctx, desk, id, hashed, actor=OPERATOR)

        def both(tx: Tx) -> None:
            add(tx)
            give(tx)

        opened.ctx.store.write(both)
    typer.echo(f"added: {id}")


@person_app.command("password")
def change_password(
    directory: Directory,
    id: PersonId,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Set a person's password; their older one ends."""
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        set_password(opened.ctx, desk, id, ask_password(id), actor=OPERATOR)
    typer.echo(f"password set: {id}")


@person_app.command("change")
def change_person(
    directory: Directory,
    id: PersonId,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    name: Annotated[str | None, typer.Option(help="The name that colleagues see.")] = None,
    role: Annotated[
        list[Role] | None, typer.Option(help="A role they have from now on, in place of all.")
    ] = None,
    no_role: Annotated[bool, typer.Option("--no-role", help="Take every role away.")] = False,
    limit: Annotated[
        list[str] | None, typer.Option(help="A limit from now on, in place of all.")
    ] = None,
    no_limit: Annotated[bool, typer.Option("--no-limit", help="Take every limit away.")] = False,
    identity: Annotated[
        str | None, typer.Option(help="The same for every account of one natural person.")
    ] = None,
    mail: Mail = None,
    customer: Customers = None,
    no_customer: Annotated[
        bool, typer.Option("--no-customer", help="No customer account is their own.")
    ] = False,
    disabled: Disable = None,
) -> None:
    """Change what a person may do, or who they are. What is taken away counts at once."""
    changes = Changes(
        name=name,
        identity=identity,
        roles=() if no_role else _given(dict.fromkeys(role or ())),
        limits={} if no_limit else _limits(limit or []) or None,
        mail=mail,
        customers=() if no_customer else _given(customer or ()),
        disabled=disabled,
    )
    _change(directory, id, PrincipalKind.PERSON, changes, desk, keys, store)


@agent_app.command("change")
def change_agent(
    directory: Directory,
    id: AgentId,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it, by login name.")] = None,
    operator: Annotated[str | None, typer.Option(help="Who runs it; empty for nobody.")] = None,
    deployer: Annotated[str | None, typer.Option(help="Who deploys it; empty for nobody.")] = None,
    delegator: Delegator = None,
    disabled: Disable = None,
) -> None:
    """Change who answers for an agent. Who did before still counts for what it has proposed."""
    if owner == "":
        raise InvalidInput("setting_malformed", "an agent has somebody who answers for it")

    def changes(tx: Tx) -> Changes:
        return Changes(
            owner=_answering(tx, desk, owner),
            operator=_answering(tx, desk, operator),
            deployer=_answering(tx, desk, deployer),
            delegator=_acted_for(tx, desk, delegator),
            disabled=disabled,
        )

    _change(directory, id, PrincipalKind.AGENT, changes, desk, keys, store)


@agent_app.command("add")
def add_agent(
    directory: Directory,
    id: AgentId,
    owner: Annotated[str, typer.Option(help="The person who answers for it, by login name.")],
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    operator: Annotated[
        str | None, typer.Option(help="The person who runs it, if another, by login name.")
    ] = None,
    deployer: Annotated[
        str | None, typer.Option(help="The person who deploys it, if another, by login name.")
    ] = None,
    delegator: Delegator = None,
) -> None:
    """Add an agent and print its API key. The key is shown this once."""
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        issue = issue_key_unit(opened.ctx, desk, id, actor=OPERATOR)

        def both(tx: Tx) -> str:
            add_principal_unit(
                desk,
                id,
                kind=PrincipalKind.AGENT,
                actor=OPERATOR,
                owner=_identity(tx, desk, owner),
                operator=_answering(tx, desk, operator),
                deployer=_answering(tx, desk, deployer),
                delegator=_acted_for(tx, desk, delegator),
            )(tx)
            return issue(tx)

        key = opened.ctx.store.write(both)
    typer.echo(key)


@agent_app.command("key")
def issue_key(
    directory: Directory,
    id: AgentId,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Print another API key for an agent, to replace one. The older ones go on until revoked."""
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        key = opened.ctx.store.write(issue_key_unit(opened.ctx, desk, id, actor=OPERATOR))
    typer.echo(key)


@agent_app.command("revoke")
def revoke_key(
    directory: Directory,
    key: Annotated[str, typer.Argument(help="The key, or its public first part.")],
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """End an API key at once."""
    prefix = "_".join(key.split("_")[:2])
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        if not opened.ctx.store.write(revoke_key_unit(desk, prefix, actor=OPERATOR)):
            raise NotFound("credential_unknown", f"there is no live key `{prefix}`")
    typer.echo(f"revoked: {prefix}")


def _change(
    directory: Path,
    id: str,
    kind: PrincipalKind,
    changes: Changes | Callable[[Tx], Changes],
    desk: str,
    keys: Path | None,
    store: str | None,
) -> None:
    """Change one of a kind, in one transaction with looking up whom the change names."""
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:

        def unit(tx: Tx) -> None:
            found = tx.people.get(desk, id)
            if found is None or found.kind is not kind:
                raise NotFound("principal_not_found", f"there is no {kind.value} `{id}`")
            wanted = changes if isinstance(changes, Changes) else changes(tx)
            change_principal_unit(opened.ctx, desk, id, wanted, actor=OPERATOR)(tx)

        opened.ctx.store.write(unit)
    typer.echo(f"changed: {id}")


def _given(items: Iterable[T]) -> tuple[T, ...] | None:
    """What an option was given, or None when it was not: then nothing changes."""
    return tuple(items) or None


def _answering(tx: Tx, desk: str, person: str | None) -> str | None:
    """The identity of a named person; empty stays empty, which means nobody."""
    return _identity(tx, desk, person) if person else person


def _acted_for(tx: Tx, desk: str, delegator: str | None) -> str | None:
    if delegator and tx.people.get(desk, delegator) is None:
        raise NotFound("principal_not_found", f"there is no `{delegator}` on this desk")
    return delegator


def _limits(texts: list[str]) -> dict[str, int]:
    limits: dict[str, int] = {}
    for amount in map(Money.parse, texts):
        if amount.currency in limits:
            raise InvalidInput("setting_malformed", f"two limits in {amount.currency}; give one")
        limits[amount.currency] = amount.minor
    return limits


def _identity(tx: Tx, desk: str, person: str) -> str:
    """The natural person behind a login name: independence is judged by that."""
    found = tx.people.get(desk, person)
    if found is None or found.kind is not PrincipalKind.PERSON:
        raise NotFound("principal_not_found", f"there is no person `{person}` on this desk")
    return found.identity


def ask_password(id: str) -> str:
    """A person's password, asked on the terminal or read from standard input."""
    try:
        if sys.stdin.isatty():
            first = getpass.getpass(f"password for {id}: ")
            if getpass.getpass("once more: ") != first:
                raise InvalidInput("setting_malformed", "the two passwords differ")
            return first
        given = sys.stdin.readline().rstrip("\n")
    except UnicodeDecodeError:
        raise InvalidInput("text_not_unicode", "the password is not UTF-8") from None
    if not given:
        raise InvalidInput("setting_malformed", "no password on standard input")
    return given
