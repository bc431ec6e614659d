"""The embedded desk behind a gate: what it is told to do waits until the gate is opened."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from handrail.connectors.protocol import Receipt
from handrail.connectors.sandbox import Sandbox

__all__ = ["GatedDesk"]

GATE_S_MAX = 30


class GatedDesk(Sandbox):
    """The whole embedded desk; `execute` counts its calls and waits for the gate."""

    def __init__(self, *args: object, **rest: object) -> None:
        super().__init__(*args, **rest)  # type: ignore[arg-type]
        self.gate = threading.Event()
        self.began = threading.Event()
        self.calls = 0

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        self.calls += 1
        self.began.set()
        assert self.gate.wait(GATE_S_MAX)
        return super().execute(kind, request, key, now=now)
