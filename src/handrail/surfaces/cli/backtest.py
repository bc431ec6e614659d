"""`handrail policy backtest` and `handrail policy record`: a policy on recorded traffic."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Final

import msgspec
import typer

from handrail.bootstrap import DEFAULT_DESK, inspect
from handrail.core.policy import Policy
from handrail.errors import SetupFailed
from handrail.policy.loader import load_text, source_text
from handrail.prove.backtest.page import page_of
from handrail.prove.backtest.record import page_of as traffic_of
from handrail.prove.backtest.replay import ANSWER_MS
from handrail.prove.backtest.report import record_of, text_of
from handrail.prove.backtest.run import backtest as run_backtest
from handrail.prove.backtest.traffic import encode_line
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress

__all__ = ["backtest", "record"]

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000


def backtest(
    policy: Annotated[str, typer.Argument(help="A policy file, or the name of a pack.")],
    traffic: Annotated[Path, typer.Argument(help="Recorded traffic; see `record`.")],
    against: Annotated[
        str | None, typer.Option(help="A second policy, shown beside the first.")
    ] = None,
    reviewers: Annotated[int, typer.Option(min=1, help="Among how many people it is shared.")] = 1,
    answer_minutes: Annotated[
        int, typer.Option(min=0, help="How long people take where the record has no answer.")
    ] = ANSWER_MS // _MINUTE_MS,
    as_json: Annotated[bool, typer.Option("--json", help="Print a record for machines.")] = False,
    page: Annotated[Path | None, typer.Option(help="Write a page with charts here.")] = None,
) -> None:
    """Say what a policy would have done with recorded traffic: prompts, value at risk, stops."""
    policies = [_loaded(name) for name in (policy, against) if name is not None]
    found = [run_backtest(one, traffic, answer_ms=answer_minutes * _MINUTE_MS) for one in policies]
    outcome, other = found[0], found[1] if len(found) > 1 else None
    if page is not None:
        _write(page, page_of(outcome, reviewers, other))
    if as_json:
        said = record_of(outcome, reviewers)
        if other is not None:
            said["against"] = record_of(other, reviewers)
        typer.echo(msgspec.json.format(msgspec.json.encode(said)).decode())
    else:
        typer.echo(text_of(outcome, reviewers, other), nl=False)


def record(
    directory: Directory,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; the standard output when left out.")
    ] = None,
    content: Annotated[
        bool,
        typer.Option("--content", help="With parameters and facts, in clear, for checks to read."),
    ] = False,
    days: Annotated[int | None, typer.Option(min=1, help="Only the last so many days.")] = None,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Write what a desk has decided as traffic for `backtest`, also while a server has it open."""
    with inspect(directory, desk=desk, keys=keys, store=store) as found:
        now = found.store.read(lambda tx: tx.now)
        since = 0 if days is None else now - days * _DAY_MS

        def write(file: IO[bytes]) -> None:
            after: str | None = ""
            while after is not None:
                look = partial(traffic_of, desk=desk, after=after, content=content, since=since)
                page, after = found.store.read(look)
                file.writelines(map(encode_line, page))

        if out is None:
            write(sys.stdout.buffer)
            return
        try:
            with out.open("wb") as file:
                write(file)
        except OSError as error:
            raise _unwritable(out, error) from error


def _loaded(name: str) -> Policy:
    return load_text(source_text(name), source=name)


def _write(page: Path, text: str) -> None:
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(page, error) from error


def _unwritable(path: Path, error: OSError) -> SetupFailed:
    return SetupFailed("directory_unwritable", f"`{path}` cannot be written: {error.strerror}")
