"""The commands that serve: `handrail serve` and `handrail demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handrail.bootstrap import DEFAULT_DESK, DEFAULT_POLICY, STORE_FILE
from handrail.bootstrap import open as open_desk
from handrail.surfaces.console import console_routes
from handrail.surfaces.demo import as_json, play, play_headless
from handrail.surfaces.server import DEFAULT_HOST, DEFAULT_PORT, run

__all__ = ["demo", "serve"]


def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Play it with scripted reviewers and stop.")
    ] = False,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = DEFAULT_HOST,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port; else the first free one.")
    ] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Keep everything in this new directory.")
    ] = None,
) -> None:
    """Show the embedded desk with an agent at work. No account anywhere is needed."""
    if headless:
        typer.echo(as_json(play_headless(folder=directory)))
    else:
        play(host=host, port=port, folder=directory)


def serve(
    directory: Annotated[Path, typer.Argument(help="The desk's directory; made if it is new.")],
    policy: Annotated[
        str | None, typer.Option(help="A policy file or pack; else the one that is active.")
    ] = None,
    desk: Annotated[
        str, typer.Option("--desk", help="Which desk of the directory.")
    ] = DEFAULT_DESK,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = DEFAULT_HOST,
    port: Annotated[int, typer.Option(min=1, max=65535)] = DEFAULT_PORT,
    keys: Annotated[
        Path | None,
        typer.Option(envvar="HANDRAIL_KEYS", help="Where the key files lie."),
    ] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy on this machine ends https.")
    ] = False,
) -> None:
    """Serve the API for agents and the console for people."""
    known = (directory / STORE_FILE).exists()
    chosen = policy if policy is not None or known else DEFAULT_POLICY
    opened = open_desk(directory, policy=chosen, desk=desk, keys=keys)
    run(
        opened,
        host=host,
        port=port,
        console=console_routes,
        behind_proxy=behind_proxy,
        on_ready=lambda address: typer.echo(f"handrail serves `{desk}` at {address}"),
    )
