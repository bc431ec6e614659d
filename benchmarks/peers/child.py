"""Starts a peer in its own environment and asks it for measurements, one at a time."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import Figures
from benchmarks.venv import ROOT, ensure

__all__ = ["Child", "PeerFailed", "start", "start_peer"]

READY_S_MAX: Final = 60
ANSWER_S_MAX: Final = 120
"""On top of the seconds asked for: 64 calls that already began may still wait for a slow disk."""
STOP_S_MAX: Final = 10


class PeerFailed(RuntimeError):
    """The peer said that it failed, gave no answer in time, or went away."""


class Child:
    """A running peer. `about` is what it said of itself when it was ready."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.about: Final[dict[str, Any]] = self._answer(READY_S_MAX)["ready"]

    def measure(self, operation: str, *, in_flight: int, seconds: float) -> Figures:
        """Have it do `operation` (`auto` or `approve`) for `seconds`. Raises PeerFailed."""
        asked = {"op": operation, "in_flight": in_flight, "seconds": seconds}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise PeerFailed(f"the peer went away: {error}") from error
        return Figures(**self._answer(seconds + ANSWER_S_MAX))

    def _answer(self, wait_s_max: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ)
            if not ready.select(wait_s_max):
                raise PeerFailed(f"no answer in {wait_s_max} s")
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise PeerFailed("the peer went away; what it said last is above")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerFailed(f"the peer failed:\n{answer['error']}")
        return answer


@contextmanager
def start(command: Sequence[str], folder: Path) -> Iterator[Child]:
    """A child that speaks as `lines.py` does, in `folder`, stopped at the end.

    Raises PeerFailed when it is not ready in time. What it writes to stderr goes to ours.
    """
    # nothing that is measured may report to anybody
    quiet = {"LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | quiet | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield Child(process)
        finally:
            _end(process)


@contextmanager
def start_peer(name: str, folder: Path) -> Iterator[Child]:
    """The peer `name` with its database in `folder`; its environment is built on first use.

    `langgraph` and `agentbarrier` answer `measure`. `fastapi` only serves: its `about` has the
    `host` and `port` for `drive`, its paths are in `fastapi.py`. Raises VenvFailed and PeerFailed.
    """
    command = [str(ensure(name)), "-m", f"benchmarks.peers.{name}", str(folder)]
    with start(command, folder) as child:
        yield child


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with suppress(OSError):
        # its input ending is how it is told to stop
        process.stdin.close()
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
