"""`handrail policy shadow`: a candidate decides beside the active policy; nothing acts on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from handrail.bootstrap import DEFAULT_DESK, inspect
from handrail.bootstrap import open as open_desk
from handrail.core.contrast import Leaning
from handrail.core.grade import Grade
from handrail.engine.base.context import OPERATOR
from handrail.engine.governing.candidates import start_unit, stop_unit
from handrail.engine.proposing.shadow import Shadowed, shadowed_by
from handrail.errors import SetupFailed
from handrail.policy.loader import load_text, source_text
from handrail.store.protocol import Differing
from handrail.surfaces.api.shadow_views import shadow_view
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress
from handrail.surfaces.embedded import Desk

__all__ = ["shadow_app"]

shadow_app = typer.Typer(
    help="Let a candidate policy decide beside the active one; nothing acts on it.",
    no_args_is_help=True,
)
_SERVED = "a server, or another process, has this desk open: send `POST /v1/shadow`"


@shadow_app.command()
def start(
    directory: Directory,
    policy: Annotated[str, typer.Argument(help="A policy file, or the name of a pack.")],
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """From now on the candidate decides beside the active policy, in place of any other."""
    loaded = load_text(source_text(policy), source=policy)
    with _opened(directory, desk, keys, store) as opened:
        candidate = opened.ctx.store.write(start_unit(opened.ctx, desk, loaded, by=OPERATOR))
    typer.echo(f"decides beside the policy: {candidate.name}, as {candidate.id}")


@shadow_app.command()
def stop(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """End it. What it has decided stays to be read."""
    with _opened(directory, desk, keys, store) as opened:
        candidate = opened.ctx.store.write(stop_unit(desk, by=OPERATOR))
    typer.echo(f"ended: {candidate.name}, {candidate.id}")


@shadow_app.command()
def report(
    directory: Directory,
    as_json: Annotated[bool, typer.Option("--json", help="Print a record for machines.")] = False,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Say where the newest candidate decides otherwise; also while a server has the desk open."""
    with inspect(directory, desk=desk, keys=keys, store=store) as found:
        shadowed = found.store.read(shadowed_by(desk))
    if as_json:
        record = msgspec.json.encode(shadow_view(shadowed))
        typer.echo(msgspec.json.format(record).decode())
    else:
        typer.echo(_text(shadowed))


def _text(found: Shadowed) -> str:
    candidate = found.candidate
    until = "still runs" if candidate.stopped_at is None else f"until {_time(candidate.stopped_at)}"
    looser, tighter = found.count(Leaning.LOOSER), found.count(Leaning.TIGHTER)
    lines = [
        f"candidate {candidate.name} ({candidate.digest[:12]}), {candidate.id}",
        f"since {_time(candidate.started_at)}, {until}",
        f"the same: {found.same}",
        f"looser: {looser}",
        f"tighter: {tighter}",
        f"could not be evaluated: {found.failed}",
        f"refused before anything was read, not compared: {found.unread}",
    ]
    if found.sums_apart:
        lines.append(
            "it adds up otherwise than the active policy, so both were compared without sums; a"
            " backtest replays them"
        )
    lines += [_line(one) for one in found.differing]
    return "\n".join(lines)


def _line(one: Differing) -> str:
    was = _guard(one.live_control, one.live_checkers, one.live_grade)
    became = _guard(one.control, one.checkers, one.grade)
    return f"  {one.direction}  {one.kind}: {was} -> {became}, {one.n} times, last {one.example}"


def _guard(control: str, checkers: int, grade: int) -> str:
    return f"{control}{f' x{checkers}' if checkers else ''} {Grade(grade).name}"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _opened(directory: Directory, desk: str, keys: KeyFolder, store: StoreAddress) -> Desk:
    try:
        return open_desk(directory, policy=None, desk=desk, keys=keys, store=store)
    except SetupFailed as error:
        if error.code != "store_locked":
            raise
        raise SetupFailed(error.code, _SERVED) from error
