"""A server of a few lines, played to the core without a socket, a thread or a clock of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from handrail.sdk.retry import Retry
from handrail.sdk.said import TaskGrant
from handrail.sdk.steps import (
    NoReply,
    Pause,
    Said,
    Step,
    Talk,
    ToolFailed,
    ToolReturned,
    ToolRun,
    WireCall,
    WireReply,
)
from handrail.sdk.talk import ClientSetup, TaskTalk

__all__ = [
    "CUT_OFF",
    "ID",
    "NOT_SENT",
    "Late",
    "Played",
    "action",
    "play",
    "problem",
    "task_talk",
]

T = TypeVar("T")

ID: Final = "hr_0001"
NOT_SENT: Final = NoReply(why="ConnectError", sent=False)
CUT_OFF: Final = NoReply(why="ReadError", sent=True)


@dataclass(frozen=True, kw_only=True)
class Late:
    """An answer that comes after a while."""

    seconds: float
    said: WireReply


Line = WireReply | NoReply | Late


@dataclass(kw_only=True)
class Played(Generic[T]):
    """How a conversation went: what was asked of the driver, and what came of it."""

    steps: list[Step] = field(default_factory=list)
    result: T | None = None
    error: Exception | None = None
    now: float = 0.0

    @property
    def said(self) -> list[str]:
        """The steps as short lines."""
        return [_line(step) for step in self.steps]

    def body(self, number: int) -> dict[str, Any]:
        """The body of a call, by its place among the calls."""
        calls = [step for step in self.steps if isinstance(step, WireCall)]
        found: dict[str, Any] = json.loads(calls[number].body or b"null")
        return found


class _Stage:
    """Virtual time for one conversation."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


_STAGE: Final = _Stage()


def task_talk(*, tries: int = 3) -> TaskTalk:
    """A task's conversations, at second 0, with the fullest jitter and no entropy."""
    _STAGE.now = 0.0
    setup = ClientSetup(
        base_url="https://desk.test",
        api_key="hra_1_2",
        retry=Retry(tries=tries, first_s=1.0, longest_s=4.0, jitter=lambda: 1.0),
        wall_ms=lambda: 1_700_000_000_000,
        steady_s=_STAGE,
        entropy=bytes,
    )
    return TaskTalk(setup=setup, grant=TaskGrant(id="tk_1", token="hrt_1"))


def play(talk: Talk[T], lines: Sequence[Line] = ()) -> Played[T]:
    """Hold a conversation; every call is answered by the next line, and no line is left over."""
    left = list(lines)
    played: Played[T] = Played()
    said: Said = None
    try:
        while True:
            step = talk.send(said)
            played.steps.append(step)
            said = _answer(step, left)
    except StopIteration as end:
        played.result = end.value
    except Exception as error:
        played.error = error
    played.now = _STAGE.now
    assert not left, f"never asked for: {left}"
    return played


def action(state: str, **fields: Any) -> WireReply:
    """The answer with an action in a state."""
    final = state not in ("PENDING", "HOLDING", "READY", "EXECUTING", "UNKNOWN")
    record = {
        "id": ID,
        "kind": "coupon.send",
        "state": state,
        "control": "approve",
        "says": f"told: {state}",
        "final": final,
        "can_undo": False,
        **fields,
    }
    return WireReply(status=200, body=json.dumps(record).encode())


def problem(status: int, code: str, *, retry_after_s: float | None = None) -> WireReply:
    """The answer with a problem document."""
    record = {"type": f"/problems/{code}", "status": status, "code": code, "detail": "because"}
    body = json.dumps(record).encode()
    return WireReply(status=status, body=body, retry_after_s=retry_after_s)


def _answer(step: Step, left: list[Line]) -> Said:
    match step:
        case Pause():
            _STAGE.now += step.seconds
            return None
        case ToolRun():
            try:
                return ToolReturned(value=step.call())
            except Exception as error:
                return ToolFailed(error=error)
        case WireCall():
            assert left, f"nothing was to be asked any more: {_line(step)}"
            line = left.pop(0)
            if isinstance(line, Late):
                _STAGE.now += line.seconds
                return line.said
            return line


def _line(step: Step) -> str:
    match step:
        case WireCall():
            return f"{step.method} {step.path}"
        case Pause():
            return f"pause {step.seconds:g}"
        case ToolRun():
            return "run"
