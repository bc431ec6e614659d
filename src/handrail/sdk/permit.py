"""Permit mode: the tool's own function runs here, under a permit that is good for one run.

The gateway decides, freezes the parameters and hands out the permit; this process runs the tool
with exactly those parameters and reports how it ended. What is never reported (a crash in between)
the server turns into unknown when the permit's time is over: nobody runs it again, a person looks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable, iscoroutine
from typing import Final

from handrail.sdk.errors import (
    AlreadyRan,
    CallConflict,
    CallInvalid,
    ClientError,
    Ended,
    Held,
    InDoubt,
    NoResult,
    Refused,
)
from handrail.sdk.kept import NOT_KEPT, kept, was_kept
from handrail.sdk.said import TaskAction
from handrail.sdk.steps import Pause, Said, Talk, ToolFailed, ToolReturned, ToolRun
from handrail.sdk.talk import TaskTalk

__all__ = ["PermitTool", "finished", "no_result"]

ERROR_CHARS_MAX: Final = 2_000
CAP_PAUSE_S: Final = 1.0
"""Between two tries to take up an approved action whose cap is full."""

_READY: Final = "READY"
_log: Final = logging.getLogger("handrail.sdk")


@dataclass(frozen=True, kw_only=True, slots=True)
class PermitTool:
    """A tool under a permit. `bound` fits frozen parameters to its function, without running it.

    `not_done` are the tool's own errors that mean, for certain, that nothing happened. With `says`
    an action that does not run gives the text for the model in place of an error.
    """

    bound: Callable[[Mapping[str, object]], Callable[[], object]]
    not_done: tuple[type[Exception], ...] = ()
    wait: float = 0.0
    says: bool = False


def finished(talk: TaskTalk, first: Talk[TaskAction], tool: PermitTool) -> Talk[object]:
    """Bring an action to its end: wait for it, take its permit, run the tool once, report.

    `first` proposes the action or reads it. Returns what the tool returned, now or earlier under
    the same key. Raises a NoResult that says why there is nothing to return, or the tool's error.
    """
    clock = talk.setup.steady_s
    deadline = clock() + tool.wait
    action = yield from first
    while True:
        if action.state == _READY and action.permit is None:
            action = yield from _taken_up(talk, action.id)
        if action.permit is not None:
            return (yield from _run(talk, action, action.permit, tool))
        stored = was_kept(action.result) if action.ran else None
        if stored is not None:
            return stored[0]
        left = deadline - clock()
        if action.final or left <= 0:
            if tool.says:
                return action.says
            raise no_result(action)
        if action.state == _READY:
            yield Pause(seconds=min(CAP_PAUSE_S, left))
        else:
            action = yield from talk.poll(action.id, left, stop=_moved_on)


def no_result(action: TaskAction) -> NoResult:
    """Why an action has no result to return."""
    if action.ran:
        return AlreadyRan(action)
    if action.refused:
        return Refused(action)
    if action.waits:
        return Held(action)
    return Ended(action) if action.final else InDoubt(action)


def _moved_on(action: TaskAction) -> bool:
    return action.final or action.state == _READY or action.permit is not None


def _taken_up(talk: TaskTalk, id: str) -> Talk[TaskAction]:
    """The action with its permit; without one when it may not run yet, or somebody was faster."""
    try:
        return (yield from talk.claim(id))
    except CallConflict:
        return (yield from talk.get(id))


def _run(talk: TaskTalk, action: TaskAction, permit: str, tool: PermitTool) -> Talk[object]:
    try:
        call = tool.bound(action.params or {})
    except ClientError as error:
        misfit = error
    else:
        # INVARIANT: this is the only place where a tool runs, and a permit comes here once.
        said = yield ToolRun(call=call)
        if isinstance(said, ToolReturned) and not isawaitable(said.value):
            yield from _reported(talk, action, permit, "done", result=kept(said.value))
            return said.value
        return (yield from _failed(talk, action, permit, tool, _error_of(said)))
    yield from _reported(talk, action, permit, "not_done", error=str(misfit))
    raise misfit


def _error_of(said: Said) -> Exception:
    """Why the tool did not come back with a result."""
    if isinstance(said, ToolFailed):
        return said.error
    if not isinstance(said, ToolReturned):
        return TypeError(f"a driver answered a tool's run with {said!r}")
    if iscoroutine(said.value):
        said.value.close()
    return CallInvalid("setting_malformed", "the tool must be guarded as a coroutine function")


def _failed(
    talk: TaskTalk, action: TaskAction, permit: str, tool: PermitTool, error: Exception
) -> Talk[object]:
    outcome = "not_done" if isinstance(error, tool.not_done) else "unknown"
    text = f"{type(error).__name__}: {error}"[:ERROR_CHARS_MAX]
    text = text.encode("utf-8", "replace").decode()
    yield from _reported(talk, action, permit, outcome, error=text)
    error.add_note(f"handrail: reported as {outcome} for {action.id}")
    raise error


def _reported(
    talk: TaskTalk,
    action: TaskAction,
    permit: str,
    outcome: str,
    *,
    result: dict[str, object] | None = None,
    error: str | None = None,
) -> Talk[None]:
    """Report how the run ended. A report that does not get through changes nothing here.

    WHY NOT raise: the tool has run. An error in place of its result would invite a second run.
    """
    try:
        try:
            yield from talk.receipt(action.id, permit, outcome, result=result, error=error)
        except CallInvalid:
            if result is None:
                raise
            yield from talk.receipt(action.id, permit, outcome, result=NOT_KEPT)
    except ClientError as failure:
        _log.warning(
            "%s ran and ended as %s, but the report failed (%s); the server will hold it for"
            " unknown until a person has looked",
            action.id,
            outcome,
            failure,
        )
