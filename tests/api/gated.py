"""The embedded desk behind a gate: what it is told to do waits until the gate is opened."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from handrail.connectors.protocol import Prepared, Receipt
from handrail.connectors.sandbox import Sandbox
from handrail.core.action import Params
from tests.patience import HANG_S

__all__ = ["FarDesk", "GatedDesk"]


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
        assert self.gate.wait(HANG_S)
        return super().execute(kind, request, key, now=now)


class FarDesk(Sandbox):
    """The same under another name, so that it counts as far away: `prepare` waits for the gate."""

    name = "shop"

    def __init__(self, *args: object, **rest: object) -> None:
        super().__init__(*args, **rest)  # type: ignore[arg-type]
        self.gate = threading.Event()

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        assert self.gate.wait(HANG_S)
        return super().prepare(kind, params, now=now)
