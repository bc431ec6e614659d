"""The peer's side of the conversation: a line of JSON in, a line of JSON out.

    said      {"ready": {"system": "...", ...}}                          once, at the start
    asked     {"op": "auto", "in_flight": 8, "seconds": 1.0}
    answered  {"per_s": 101.2, "p50_ms": 70.1, "p99_ms": 160.4, "n": 103}
    or        {"error": "..."}                                           and goes on

It ends when its input does. Standard library only.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import IO, Any, Final

from benchmarks.callers import call_for

__all__ = ["WARM_CALLS", "answer", "say", "serve", "take_stdout"]

WARM_CALLS: Final = 3


def take_stdout() -> IO[str]:
    """The real standard output, for answers alone; whatever a library prints goes to stderr."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def serve(operations: Mapping[str, Callable[[], object]], about: Mapping[str, object]) -> None:
    """Warm every operation up, say `about`, and measure what is asked until the input ends."""
    answers = take_stdout()
    for operation in operations.values():
        for _ in range(WARM_CALLS):
            operation()
    say(answers, {"ready": dict(about)})
    for line in sys.stdin:
        say(answers, answer(operations, line))


def say(answers: IO[str], message: Mapping[str, object]) -> None:
    """Write one message as a line, at once."""
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def answer(operations: Mapping[str, Callable[[], object]], line: str) -> dict[str, Any]:
    """What one asked line gets: figures, or an error that names what went wrong."""
    try:
        asked = json.loads(line)
        figures = call_for(
            operations[asked["op"]], in_flight=asked["in_flight"], seconds=asked["seconds"]
        )
    except Exception:
        return {"error": traceback.format_exc()}
    return figures.as_json()
