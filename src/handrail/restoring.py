"""Restoring a desk from a backup, from its first look to the opened desk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from handrail.bootstrap import DEFAULT_DESK
from handrail.bootstrap import open as open_desk
from handrail.connectors.protocol import Connector
from handrail.core.restoration import Restoration
from handrail.engine.base.context import Context
from handrail.engine.keeping.restore import (
    Looking,
    finish_restoration,
    look_up_open,
    losses_of,
    restore_log,
)
from handrail.errors import Unavailable
from handrail.surfaces.embedded import Desk

__all__ = ["begun", "opened_unchecked", "reconcile", "restore"]

PAUSE_S: Final = 1.0
PAUSES_MAX: Final = 600
"""How often the open actions are looked up before it is left to another run."""


def restore(
    path: str | os.PathLike[str],
    *,
    by: str,
    confirmed_by: str,
    desk: str = DEFAULT_DESK,
    connectors: Mapping[str, Connector] | None = None,
    checkpoints: Sequence[str] = (),
    pause: Callable[[float], None] = time.sleep,
    **more: Any,
) -> Restoration:
    """Go on from a backup that lies in the desk's directory, or in its database.

    `by` restores it and `confirmed_by`, an administrator and another person, confirms it: two
    people of the desk as the backup knows them. `checkpoints` are signed notes that were kept
    elsewhere. Every action that was open in the backup is looked up by its key, which takes the
    policy's `quiescence`; then the desk is halted, and may be opened. `more` is what
    `handrail.open` takes: `keys`, `store`, `clock`, `entropy`. Run again, it goes on
    where it stopped.

    Raises Conflict `nothing_lost`, NotAllowed, SetupFailed `log_damaged`, and Unavailable
    `connector_unavailable` when a connector does not answer for minutes.
    """
    with opened_unchecked(path, desk=desk, connectors=connectors, **more) as opened:
        restoration = begun(opened.ctx, desk)
        if restoration is None:
            losses = losses_of(opened.ctx, desk, checkpoints)
            restoration = restore_log(opened.ctx, desk, losses, by=by, confirmed_by=confirmed_by)
        reconcile(opened.ctx, restoration, pause=pause)
        return finish_restoration(opened.ctx, restoration)


def opened_unchecked(path: str | os.PathLike[str], **more: Any) -> Desk:
    """A desk whose log is not compared with its kept checkpoints. Nothing may be sent from it."""
    return open_desk(path, policy=None, check=_unchecked, **more)


def begun(ctx: Context, desk: str) -> Restoration | None:
    """The restoration that was begun and is not done, if there is one."""
    known = ctx.store.read(lambda tx: tx.restorations.everything(desk))
    return next((one for one in known if one.done_at is None), None)


def reconcile(
    ctx: Context,
    restoration: Restoration,
    *,
    pause: Callable[[float], None] = time.sleep,
    tell: Callable[[Looking], None] = lambda looking: None,
) -> None:
    """Look up what was open until nothing is left that could not be told apart."""
    looking = Looking()
    for _ in range(PAUSES_MAX):
        looking = look_up_open(ctx, restoration)
        tell(looking)
        if not looking.left:
            return
        pause(PAUSE_S)
    raise Unavailable(
        "connector_unavailable",
        f"{looking.left} actions could not be looked up; run it again once everything answers",
    )


def _unchecked(ctx: Context) -> None:
    return None
