"""The options that many commands share, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["DeskName", "Directory", "KeyFolder", "StoreAddress"]

Directory = Annotated[Path, typer.Argument(help="The desk's directory.")]
DeskName = Annotated[str, typer.Option("--desk", help="Which desk of the directory.")]
KeyFolder = Annotated[
    Path | None,
    typer.Option(
        "--keys", envvar="HANDRAIL_KEYS", help="Where the key files lie, if not in the directory."
    ),
]
StoreAddress = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="HANDRAIL_STORE",
        show_default=False,
        help="A PostgreSQL database instead of the directory's file: `postgresql://...`.",
    ),
]
