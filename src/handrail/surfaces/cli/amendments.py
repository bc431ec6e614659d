"""The commands by which people change a desk's policy: propose, approve, reject, activate."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from handrail.bootstrap import DEFAULT_DESK, inspect
from handrail.core.amendment import Amendment
from handrail.core.policy import Policy
from handrail.engine.governing.amendment import (
    activate_amendment,
    amendment_reason,
    approve_plan,
    propose_policy_plan,
    reject_unit,
)
from handrail.engine.governing.comparison import differences_of
from handrail.engine.governing.desks import follow_desks
from handrail.engine.governing.versions import (
    active_policy,
    active_version,
    as_stored,
    opened_policy,
)
from handrail.errors import NotFound
from handrail.policy.diff import compare
from handrail.policy.difference import report_text
from handrail.policy.loader import load
from handrail.store.protocol import Tx
from handrail.surfaces.cli.acting import By, opened_by
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress

__all__ = ["add_policy_commands"]

EXIT_MISMATCH: Final = 1

AmendmentId = Annotated[str, typer.Argument(help="Its id, as `propose` and `proposals` print it.")]


def add_policy_commands(group: typer.Typer) -> None:
    """Give `handrail policy` the commands of a policy's life on a desk."""
    for command in (propose, proposals, approve, reject, activate, status):
        group.command()(command)


def propose(
    directory: Directory,
    file: Annotated[str, typer.Argument(help="A policy file, or the name of a pack.")],
    by: By,
    reason: Annotated[str, typer.Option(help="Why it should change.")],
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Propose a policy. Nothing changes by it. Prints what would change, and the proposal's id."""
    policy = load(file)
    with opened_by(by, directory, desk, keys, store) as opened:
        unit = propose_policy_plan(opened.ctx, desk, policy, by=by, reason=reason)
        amendment = opened.ctx.store.write(unit)
        typer.echo(report_text(differences_of(opened.ctx, amendment)))
    typer.echo(_next(amendment))
    typer.echo(amendment.id)


def proposals(
    directory: Directory,
    id: Annotated[str | None, typer.Argument(help="Only this one, with what it changes.")] = None,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Print what is proposed and waits, a line each; works while a server runs."""

    def look(tx: Tx) -> list[tuple[Amendment, str]]:
        found = tx.amendments.open(desk)
        if id is not None:
            one = tx.amendments.get(desk, id)
            found = [] if one is None else [one]
        return [(amendment, amendment_reason(tx, amendment)) for amendment in found]

    with inspect(directory, desk=desk, keys=keys, store=store) as seen:
        found = seen.store.read(look)
        base = seen.store.read(lambda tx: active_policy(tx, desk))
    if id is not None and not found:
        raise NotFound("amendment_not_found", f"there is no proposed policy `{id}` on this desk")
    for amendment, reason in found:
        typer.echo(_line(amendment, reason))
        if id is not None:
            typer.echo(report_text(compare(base, _policy_of(amendment))))


def approve(
    directory: Directory,
    id: AmendmentId,
    by: By,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Approve a proposed policy, as another policy owner than who proposed it."""
    with opened_by(by, directory, desk, keys, store) as opened:
        amendment = opened.ctx.store.write(approve_plan(opened.ctx, desk, id, by=by))
    typer.echo(_next(amendment))


def reject(
    directory: Directory,
    id: AmendmentId,
    by: By,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """End a proposed policy. One person is enough."""
    with opened_by(by, directory, desk, keys, store) as opened:
        opened.ctx.store.write(reject_unit(desk, id, by=by))
    typer.echo(f"rejected: {id}")


def activate(
    directory: Directory,
    id: AmendmentId,
    by: By,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Make a proposed policy the active one: at once if nothing gets looser."""
    with opened_by(by, directory, desk, keys, store) as opened:
        done = opened.ctx.store.write(activate_amendment(opened.ctx, desk, id, by=by))
        follow_desks(opened.ctx)
    typer.echo(f"active: {done.name}, version {done.version}, {done.digest}")


def status(
    directory: Directory,
    file: Annotated[str | None, typer.Argument(help="A policy file or pack to compare.")] = None,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Print the active policy, and whether a file is it; works while a server runs.

    Exit status 1 when the file is not the active policy; then what the file would change is shown.
    """
    policy = None if file is None else load(file)
    with inspect(directory, desk=desk, keys=keys, store=store) as seen:
        base = seen.store.read(lambda tx: active_policy(tx, desk))
        since = seen.store.read(lambda tx: active_version(tx, desk, base.digest))
        waiting = seen.store.read(lambda tx: tx.amendments.open(desk))
    typer.echo(f"active: {base.name}, version {base.version}, {base.digest}")
    typer.echo(f"since {_time(since.activated_at)}, by {since.activated_by}")
    for amendment in waiting:
        typer.echo(_line(amendment, ""))
    if policy is None:
        return
    if policy.digest == base.digest:
        typer.echo(f"`{file}` is the active policy")
        return
    typer.echo(f"`{file}` is not the active policy: version {policy.version}, {policy.digest}")
    typer.echo(report_text(compare(base, as_stored(policy))))
    raise typer.Exit(EXIT_MISMATCH)


def _policy_of(amendment: Amendment) -> Policy:
    return opened_policy(amendment.body, amendment.digest, amendment.desk)


def _line(amendment: Amendment, reason: str) -> str:
    words = [
        f"{amendment.id}  {amendment.name} {amendment.version}  {amendment.state.value}",
        f"{amendment.looser} looser, {amendment.tighter} tighter",
        f"by {amendment.proposed_by}",
    ]
    if amendment.ready_at is not None and amendment.is_open:
        words.append(f"from {_time(amendment.ready_at)}")
    return "  ".join([*words, reason]).rstrip()


def _next(amendment: Amendment) -> str:
    """What is to be done now."""
    if not amendment.looser:
        return "nothing gets looser: it can be activated at once"
    if amendment.ready_at is None:
        return "something gets looser: another policy owner has to approve it"
    return f"approved: it becomes active from {_time(amendment.ready_at)}"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
