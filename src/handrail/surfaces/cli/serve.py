"""The commands that serve a desk: `handrail serve` and `demo`.

What serves is imported when it is needed: the other commands start in half the time without.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.bootstrap import DEFAULT_DESK, DEFAULT_POLICY, holds_desk
from handrail.bootstrap import open as open_desk
from handrail.errors import InvalidInput
from handrail.surfaces.cli.options import DeskName, KeyFolder, StoreAddress

if TYPE_CHECKING:
    from handrail.surfaces.provider import ProviderSettings

__all__ = ["demo", "serve"]

Host = Annotated[
    str | None, typer.Option(help="The address to listen on; 127.0.0.1 if none is given.")
]

Address = Annotated[
    str | None,
    typer.Option(
        envvar="HANDRAIL_ADDRESS", help="Where browsers reach it, like https://desk.example.com."
    ),
]
Issuer = Annotated[
    str | None, typer.Option(envvar="HANDRAIL_OIDC_ISSUER", help="The login provider's issuer.")
]
Client = Annotated[
    str | None,
    typer.Option(envvar="HANDRAIL_OIDC_CLIENT", help="The client id that it knows us by."),
]
SecretFile = Annotated[
    Path | None,
    typer.Option(help="A file with the client secret; or the setting HANDRAIL_OIDC_SECRET."),
]


def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Play it with scripted reviewers and stop.")
    ] = False,
    host: Host = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="The port, 0 for any; the first free one from 8470 if not given."
        ),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Keep everything in this new directory.")
    ] = None,
) -> None:
    """Show the embedded desk with an agent at work. No account anywhere is needed."""
    from handrail.surfaces.demo import as_json, play, play_headless
    from handrail.surfaces.server import DEFAULT_HOST

    if headless:
        typer.echo(as_json(play_headless(folder=directory)))
    else:
        play(host=host or DEFAULT_HOST, port=port, folder=directory)


def serve(
    directory: Annotated[Path, typer.Argument(help="The desk's directory; made if it is new.")],
    policy: Annotated[
        str | None, typer.Option(help="A policy file or pack; else the one that is active.")
    ] = None,
    desk: DeskName = DEFAULT_DESK,
    host: Host = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The port, 0 for any free one; 8470 if not given."),
    ] = None,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy on this machine ends https.")
    ] = False,
    address: Address = None,
    oidc_issuer: Issuer = None,
    oidc_client: Client = None,
    oidc_secret_file: SecretFile = None,
    translations: Annotated[
        Path | None, typer.Option(help="A folder with the console in other languages.")
    ] = None,
) -> None:
    """Serve the API for agents and the console for people."""
    from handrail.surfaces.console import console_routes
    from handrail.surfaces.provider import Door, check_installed
    from handrail.surfaces.server import DEFAULT_HOST, DEFAULT_PORT, run

    settings = _provider_settings(oidc_issuer, oidc_client, oidc_secret_file)
    if settings is not None:
        check_installed()
    door = Door(address=address, provider=settings)
    chosen = policy if policy is not None or holds_desk(directory, store=store) else DEFAULT_POLICY
    opened = open_desk(directory, policy=chosen, desk=desk, keys=keys, store=store)
    run(
        opened,
        host=host or DEFAULT_HOST,
        port=DEFAULT_PORT if port is None else port,
        console=partial(console_routes, translations=translations),
        door=door,
        behind_proxy=behind_proxy,
        on_ready=lambda address: typer.echo(
            f"handrail serves `{desk}` at {address}; Ctrl-C ends it"
        ),
    )


def _provider_settings(
    issuer: str | None, client: str | None, secret_file: Path | None
) -> ProviderSettings | None:
    """The login provider as the options and settings name it; the secret never from an option."""
    from handrail.surfaces.provider import ProviderSettings

    if issuer is None and client is None:
        return None
    if issuer is None or client is None:
        raise InvalidInput("setting_malformed", "give both `--oidc-issuer` and `--oidc-client`")
    secret = os.environ.get("HANDRAIL_OIDC_SECRET")
    if secret_file is not None:
        try:
            secret = secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise InvalidInput("setting_malformed", f"cannot read `{secret_file}`") from None
    return ProviderSettings(issuer=issuer, client_id=client, client_secret=secret or None)
