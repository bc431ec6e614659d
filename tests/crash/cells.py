"""One cell of the matrix: a process that is struck at a moment, and the next one, which recovers.

What is done to it is real: `kill -9` to a forked process, a limit that the system sets to the size
of files, a clock that is another. The database is gone in the way that a server's is: from one call
to the next nothing answers any more.
"""

from __future__ import annotations

import os
import resource
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec

from handrail.connectors.protocol import Promise
from handrail.core.lifecycle import FINAL, State
from handrail.errors import HandrailError
from tests.crash.actions import ACTIONS
from tests.crash.bank import Done
from tests.crash.moments import Moment, Moments
from tests.crash.stage import DESK, MINUTE, SECOND, Stage, Template
from tests.store.databases import NOW

__all__ = ["Cell", "Fault", "Left", "check_end", "check_found", "recover", "struck", "woken"]

_JUMP_MS: Final = 60 * MINUTE
_SPANS: Final = (SECOND, 10 * SECOND, 10 * SECOND, 40 * MINUTE, 300 * MINUTE, 25 * 60 * MINUTE)
"""Time that passes while nobody does anything but sweep: longer than everything that may wait."""
_ROOM: Final = resource.getrlimit(resource.RLIMIT_FSIZE)
_MAY_HAVE_HAPPENED: Final = (State.EXECUTING, State.UNKNOWN, State.SUCCEEDED)


class Fault(Enum):
    """What is done to a process."""

    KILL = "SIGKILL"
    GONE = "database gone"
    FULL = "disk full"
    AHEAD = "clock ahead"
    BACK = "clock back"


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """Which action, against a system of record of which promise, struck when and by what."""

    action: str
    promise: Promise
    moment: Moment
    fault: Fault

    def __str__(self) -> str:
        step, side = self.moment
        return f"{self.action}, {self.promise.value} / {step} / {side} / {self.fault.value}"


class Left(msgspec.Struct, kw_only=True):
    """What a process leaves behind outside its files."""

    done: list[Done]
    passed: list[Moment] = []
    now: int = NOW


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what a process tells while it lives."""

    now: int
    passed: list[Moment] = []
    done: Done | None = None


def struck(
    folder: Path, template: Template, cell: Cell, left: Left, live: Callable[[Stage], None]
) -> Left:
    """Live a life that is struck at the cell's moment, and let go of its files."""
    if cell.fault is Fault.KILL:
        told = _killed(lambda tell: _live(folder, template, cell, left, live, tell))
    else:
        told = []
        try:
            _live(folder, template, cell, left, live, told.append).close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, _ROOM)
    return Left(
        done=[*left.done, *(one.done for one in told if one.done is not None)],
        passed=next((one.passed for one in told if one.passed), []),
        now=told[-1].now,
    )


def _killed(live: Callable[[Callable[[_Told], None]], object]) -> list[_Told]:
    """Live it in a process of its own, which must end by being killed; what it told."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            live(lambda told: _write(writing, told))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as lines:
        told = [msgspec.json.decode(line, type=_Told) for line in lines]
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the process ended by itself"
    assert os.WTERMSIG(status) == signal.SIGKILL
    return told


def _write(writing: int, told: _Told) -> None:
    os.write(writing, msgspec.json.encode(told) + b"\n")


def _live(
    folder: Path,
    template: Template,
    cell: Cell,
    left: Left,
    live: Callable[[Stage], None],
    tell: Callable[[_Told], None],
) -> Stage:
    def strike() -> None:
        if cell.fault is Fault.AHEAD:
            stage.clock.now += _JUMP_MS
        elif cell.fault is Fault.BACK:
            stage.clock.now -= _JUMP_MS
        tell(_Told(now=stage.clock.now, passed=list(moments.passed)))
        if cell.fault is Fault.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif cell.fault is Fault.GONE:
            stage.store.gone = True
        elif cell.fault is Fault.FULL:
            # From now on the system refuses to write to any file: not a byte fits.
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, _ROOM[1]))

    moments = Moments(cell.moment, strike)
    stage = Stage(
        folder,
        template,
        cell.promise,
        done=left.done,
        now=left.now,
        moments=moments,
        tell=lambda done: tell(_Told(now=stage.clock.now, done=done)),
    )
    with suppress(HandrailError):
        live(stage)
    tell(_Told(now=stage.clock.now))
    return stage


def woken(folder: Path, template: Template, cell: Cell, left: Left) -> Stage:
    """The next process, a moment later. Whatever was done to the last one is over."""
    return Stage(folder, template, cell.promise, done=left.done, now=left.now + SECOND)


def check_found(stage: Stage) -> None:
    """What the next process finds is in order before it does anything."""
    rows, effects = stage.rows(), stage.effects()
    assert len(rows) <= 1
    assert len(effects) <= len(rows)
    assert all(row.state is not State.PROPOSED for row in rows)
    for row in rows[: len(effects)]:
        assert (row.id, row.attempt) == (effects[0].key, 1)
        assert row.state in _MAY_HAVE_HAPPENED


def recover(stage: Stage, cell: Cell) -> None:
    """The normal path: sweeps, the agent that repeats its call, people who go on, and time."""
    stage.desk.work()
    with suppress(HandrailError):
        ACTIONS[cell.action].live(stage)
    for span in _SPANS:
        stage.clock.now += span
        stage.desk.work()


def check_end(stage: Stage, cell: Cell) -> None:
    """At most one effect, a state that says so, a reservation that fits, a log that verifies."""
    rows, effects = stage.rows(), stage.effects()
    assert len(effects) <= 1
    assert len(rows) == 1
    (row,) = rows
    if row.state is State.UNKNOWN:
        assert cell.promise is Promise.BLIND
        open_ones = stage.inner.read(lambda tx: tx.escalations.open(DESK, most=9))
        assert [one.proposal for one in open_ones] == [row.id]
    else:
        assert row.state in FINAL
        assert len(effects) == (row.state is State.SUCCEEDED)
    assert _reserved(stage, row.id) == {
        State.SUCCEEDED: {"posted"},
        State.UNKNOWN: {"pending"},
    }.get(row.state, set())
    report = stage.desk.verify()
    assert report.findings == ()
    counters = stage.inner.read(lambda tx: tx.counters.of(DESK))
    states = [row.state.value, State.SUCCEEDED.value]
    for state in State:
        assert counters.get(f"state:{state.value}", 0) == states.count(state.value)


def _reserved(stage: Stage, id: str) -> set[str]:
    """What is held under the caps for an action; what was given back is not."""
    found = stage.sql("SELECT state FROM reservation WHERE proposal = ?", id)
    return {str(state) for (state,) in found} - {"voided"}
