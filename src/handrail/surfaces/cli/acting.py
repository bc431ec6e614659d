"""A desk opened for a person who shows their own password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from handrail.bootstrap import open as open_desk
from handrail.surfaces.auth import check_password
from handrail.surfaces.cli.people import ask_password
from handrail.surfaces.embedded import Desk

__all__ = ["By", "opened_by"]

By = Annotated[str, typer.Option(help="Who does this, by login name; their password is asked.")]


@contextmanager
def opened_by(
    person: str, directory: Path, desk: str, keys: Path | None, store: str | None
) -> Iterator[Desk]:
    """The desk, once the password that was typed is the person's. Raises NotAuthenticated."""
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        check_password(opened.ctx, desk, person, ask_password(person))
        yield opened
