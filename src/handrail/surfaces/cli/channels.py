"""`handrail channel`: how people are told outside the console, at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from handrail.bootstrap import DEFAULT_DESK, inspect
from handrail.core.notice import Channel
from handrail.engine.telling.channels import (
    WantedChannel,
    add_channel_unit,
    end_channel_unit,
    try_channel_unit,
)
from handrail.errors import InvalidInput
from handrail.store.protocol import ChannelState, Tx
from handrail.surfaces.cli.acting import By, opened_by
from handrail.surfaces.cli.files import read_bounded
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress

__all__ = ["channel_app"]

FILE_BYTES_MAX: Final = 256 * 1024

channel_app = typer.Typer(
    help="How people are told outside the console. Kept by administrators.", no_args_is_help=True
)

ChannelId = Annotated[str, typer.Argument(help="The channel's id, as `list` prints it.")]


@channel_app.command("list")
def list_channels(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Print the channels in use, and whether they work. Nothing secret is shown."""
    with inspect(directory, desk=desk, keys=keys, store=store) as inspection:

        def look(tx: Tx) -> list[tuple[Channel, ChannelState]]:
            return [(one, tx.channels.state(desk, one.id)) for one in tx.channels.live(desk)]

        for channel, state in inspection.store.read(look):
            fares = f"failed {state.failed} times: {state.error}" if state.failed else "ok"
            typer.echo(
                f"{channel.id}  {channel.kind.value:<8} {channel.host}:{channel.port}"
                f"  {channel.carries.value}  sent {state.sent}, given up {state.given_up}"
                f"  {fares}  ({ascii(channel.label)[1:-1]})"
            )


@channel_app.command("add")
def add(
    directory: Directory,
    file: Annotated[Path, typer.Argument(help="A JSON file with what `POST /v1/channels` takes.")],
    by: By,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Add a channel. Prints its id and, once, the secret that a webhook is signed with."""
    wanted = _read(file)
    with opened_by(by, directory, desk, keys, store) as opened:
        unit = add_channel_unit(opened.ctx, desk, wanted, by=by)
        channel, signing = opened.ctx.store.write(unit)
    typer.echo(channel.id)
    if signing:
        typer.echo(signing)


@channel_app.command("end")
def end(
    directory: Directory,
    id: ChannelId,
    by: By,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """End a channel: nothing more is sent on it."""
    with opened_by(by, directory, desk, keys, store) as opened:
        opened.ctx.store.write(end_channel_unit(desk, id, by=by))
    typer.echo(f"ended: {id}")


@channel_app.command("try")
def try_(
    directory: Directory,
    id: ChannelId,
    by: By,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Have a test message sent to everybody it leads to, by the server once it runs."""
    with opened_by(by, directory, desk, keys, store) as opened:
        count = opened.ctx.store.write(try_channel_unit(opened.ctx, desk, id, by=by))
    typer.echo(f"on its way to {count}")


def _read(file: Path) -> WantedChannel:
    """The settings in a file. Raises InvalidInput by code, and repeats nothing of the file."""
    data = read_bounded(file, FILE_BYTES_MAX)
    try:
        return msgspec.json.decode(data, type=WantedChannel)
    except msgspec.ValidationError as error:
        raise InvalidInput("channel_invalid", str(error).lower()) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInput("json_malformed", f"`{file}` is not JSON") from None
