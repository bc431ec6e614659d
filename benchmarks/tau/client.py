"""Starts the backend process and talks to it, for code that runs outside .venv-tau."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from benchmarks.tau.venv import ROOT, ensure_venv

__all__ = ["Backend", "BackendRefused", "BackendWrong", "start_backend"]

Known: TypeAlias = str | int | bool | None
"""What a fact holds, None for one that is not known."""

ANSWER_S_MAX: Final = 30
STOP_S_MAX: Final = 10


class BackendRefused(Exception):
    """The shop refused the call; it is certain that nothing changed."""


class BackendWrong(Exception):
    """The request was wrong, or the backend gave no answer that can be read."""


class Backend:
    """One connection to the backend process. Thread-safe: one request at a time.

    `call` raises BackendRefused when the shop says no. Every method raises BackendWrong when the
    request is wrong, and OSError when the backend does not answer: then nothing is known.
    """

    def __init__(self, port: int, process: subprocess.Popen[bytes] | None = None) -> None:
        self.port: Final = port
        self._process = process
        self._turn = threading.Lock()
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S_MAX)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the connection, and end the process if this object started it."""
        self._lines.close()
        self._socket.close()
        if self._process is not None:
            _end(self._process)

    def ask(self, **request: object) -> dict[str, Any]:
        """Send one request as it is and return the answer, whatever it says."""
        line = json.dumps(request).encode() + b"\n"
        with self._turn:
            self._socket.sendall(line)
            said = self._lines.readline()
        if not said.endswith(b"\n"):
            raise ConnectionError("the backend went away")
        answer: dict[str, Any] = json.loads(said)
        return answer

    def _must(self, **request: object) -> dict[str, Any]:
        answer = self.ask(**request)
        if answer.get("ok") is True:
            return answer
        if answer.get("why") == "refused":
            raise BackendRefused(answer["error"])
        raise BackendWrong(answer.get("error"))

    def open(self, domain: str) -> str:
        """A fresh database of `retail` or `airline`; returns the session to name it by."""
        return str(self._must(op="open", domain=domain)["session"])

    def close(self, session: str) -> None:
        """Forget a session and all that it changed."""
        self._must(op="close", session=session)

    def tools(self, domain: str) -> list[dict[str, Any]]:
        """Every tool of a domain: `name`, `type`, `moves_money`, `description`, `parameters`."""
        tools: list[dict[str, Any]] = self._must(op="tools", domain=domain)["tools"]
        return tools

    def call(
        self, session: str, tool: str, arguments: Mapping[str, object], key: str | None = None
    ) -> object:
        """Run a tool; the same key again gives the first answer and does nothing."""
        return self._must(op="call", session=session, tool=tool, arguments=arguments, key=key)[
            "result"
        ]

    def lookup(self, key: str) -> tuple[bool, object]:
        """Whether a call under this key was done, and its answer."""
        answer = self._must(op="lookup", key=key)
        return bool(answer["done"]), answer.get("result")

    def peek(self, session: str, table: str, record_id: str) -> dict[str, Any]:
        """One record as it is now: a user, order, product, flight or reservation."""
        record: dict[str, Any] = self._must(op="peek", session=session, table=table, id=record_id)[
            "record"
        ]
        return record

    def value_cents(self, session: str, tool: str, arguments: Mapping[str, object]) -> int | None:
        """Money a call would move to the customer, in US cents; see worth.value_cents."""
        cents = self._must(op="value", session=session, tool=tool, arguments=arguments)["cents"]
        return None if cents is None else int(cents)

    def hear(self, session: str, messages: Sequence[tuple[str, str]]) -> None:
        """Tell the helpdesk all that customer and desk wrote so far, as role and text."""
        self._must(op="hear", session=session, messages=messages)

    def facts(
        self, session: str, tool: str, arguments: Mapping[str, object]
    ) -> tuple[dict[str, Known], dict[str, Known]]:
        """What is known about a call, from the shop's records and from the thread; see facts.py."""
        answer = self._must(op="facts", session=session, tool=tool, arguments=arguments)
        return answer["records"], answer["thread"]

    def customer_of(self, session: str, arguments: Mapping[str, object]) -> str | None:
        """Whose account a call touches, by the shop's records."""
        who = self._must(op="customer", session=session, arguments=arguments)["customer"]
        return None if who is None else str(who)

    def changed(self, session: str) -> dict[str, list[str]]:
        """Keys of the records that the session changed, by table."""
        changed: dict[str, list[str]] = self._must(op="changed", session=session)["changed"]
        return changed

    def is_pristine(self, domain: str) -> bool:
        """Whether the shared database still hashes as it did when it was loaded."""
        return bool(self._must(op="verify", domain=domain)["pristine"])


def start_backend() -> Backend:
    """Build .venv-tau if needed, start the backend process, connect to it.

    Use it as a context manager. Raises VenvFailed, or BackendWrong when the process dies at once.
    """
    python = ensure_venv()
    process = subprocess.Popen(
        [str(python), "-m", "benchmarks.tau.backend"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    if not first.strip().isdigit():
        _end(process)
        raise BackendWrong("the backend process did not start; its last words are on stderr")
    try:
        return Backend(int(first), process)
    except OSError:
        _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the process end by closing its stdin; kill it if it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(timeout=STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
