"""The embedded desk behind a front that promises less, answers otherwise, or kills its process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from handrail.connectors.protocol import (
    Capability,
    Found,
    Looked,
    Prepared,
    Promise,
    Receipt,
    Reversal,
)
from handrail.connectors.sandbox import Sandbox
from handrail.core.action import Params
from handrail.core.artifact import Line
from tests.store.databases import NOW

__all__ = ["Front", "effects_in", "mortal"]

REVERSALS: Final = ("refund.reverse", "credit.revoke", "draft.discard")
"""Kinds that undo others: a policy promises an undo only when it can be verified."""

Execute = Callable[[], Receipt]


class Front:
    """The embedded desk as a connector whose single verbs can be replaced.

    `calls` are the keys of every execution that was asked for, in order.
    """

    name = "desk"

    def __init__(self, path: Path, *, promise: Promise = Promise.KEYED) -> None:
        self.version = "1"
        self.desk = Sandbox.open(path, now=NOW)
        self.promise = promise
        self.calls: list[str] = []
        self.lookups = 0
        self.doing: Callable[[Execute], Receipt] = lambda execute: execute()
        self.looking: Callable[[Callable[[], Found]], Found] = lambda look: look()
        self.preparing: Callable[[Prepared], Prepared] = lambda prepared: prepared

    def close(self) -> None:
        """Close the embedded desk."""
        self.desk.close()

    def kinds(self) -> Mapping[str, Capability]:
        """What the desk serves, with this front's promise; a reversal can always be looked up."""
        return {
            kind: found
            if kind in REVERSALS
            else msgspec.structs.replace(found, promise=self.promise)
            for kind, found in self.desk.kinds().items()
        }

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        """What the desk reads."""
        return self.preparing(self.desk.prepare(kind, params, now=now))

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        """What the desk shows."""
        return self.desk.preview(kind, request)

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        """What `doing` makes of the desk's execution."""
        self.calls.append(key)
        return self.doing(lambda: self.desk.execute(kind, request, key, now=now))

    def lookup(self, kind: str, key: str) -> Found:
        """What `looking` makes of the desk's answer; nothing for who promised nothing."""
        self.lookups += 1
        if self.promise is Promise.BLIND and kind not in REVERSALS:
            return Found(looked=Looked.CANNOT_TELL)
        return self.looking(lambda: self.desk.lookup(kind, key))

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        """What the desk says."""
        return self.desk.undo(kind, request, receipt)


def effects_in(desk: Sandbox) -> int:
    """How many writes were really done on an embedded desk since it was made."""
    return desk._writer.run(lambda db: int(db.execute("SELECT count(*) FROM effects").get))


_MOMENTS: Final = ("before the effect", "after the effect")


def mortal(front: Front, moment: str) -> None:
    """From now on the process is killed in the middle of an execution, at one of two moments."""
    assert moment in _MOMENTS

    def die(execute: Execute) -> Receipt:
        if moment == _MOMENTS[1]:
            execute()
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("the process lives on")

    front.doing = die
