"""A real handrail server behind a real socket, in a thread of the test process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

import handrail
from handrail.engine.access.people import issue_key_unit
from handrail.surfaces.auth import set_password
from handrail.surfaces.embedded import Desk
from handrail.surfaces.provider import Door
from handrail.surfaces.server import serving
from tests.patience import HANG_S

__all__ = ["RunningDesk", "ShiftedClock", "running"]

POLICY: Final = Path(__file__).parent / "desk.yaml"
AGENT: Final = "agent"
PERSON: Final = "rita"
PASSWORD: Final = "correct horse battery"


@dataclass(kw_only=True)
class ShiftedClock:
    """The time of day, and as much later as a test says."""

    shift_ms: int = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.shift_ms


@dataclass(frozen=True, kw_only=True)
class RunningDesk:
    """A served desk: its address, an agent's key, and a person at work on it."""

    url: str
    api_key: str
    desk: Desk
    clock: ShiftedClock
    _sessions: list[httpx.Client] = field(default_factory=list)

    def review(self, id: str, verdict: str, reason: str = "") -> None:
        """A person reads the action and decides, over HTTP like everybody."""
        person = self._person()
        shown = person.get(f"/v1/proposals/{id}/full").raise_for_status().json()
        body = {"verdict": verdict, "digest": shown["digest"], "reason": reason}
        person.post(f"/v1/proposals/{id}/reviews", json=body).raise_for_status()

    def detail(self, id: str) -> dict[str, Any]:
        """What a person sees of an action."""
        found: dict[str, Any] = self._person().get(f"/v1/proposals/{id}/full").json()
        return found

    def counts(self) -> dict[str, int]:
        """How many actions are in each state."""
        found: dict[str, int] = self._person().get("/v1/queue").raise_for_status().json()["counts"]
        return found

    def close(self) -> None:
        """Let go of the person's connections."""
        for session in self._sessions:
            session.close()

    def _person(self) -> httpx.Client:
        if not self._sessions:
            person = httpx.Client(base_url=self.url, timeout=HANG_S)
            self._sessions.append(person)
            login = person.post("/v1/session", json={"person": PERSON, "password": PASSWORD})
            person.headers["x-csrf-token"] = login.raise_for_status().json()["csrf"]
        return self._sessions[0]


@contextmanager
def running(folder: Path) -> Iterator[RunningDesk]:
    """Serve a fresh desk until the block ends."""
    clock = ShiftedClock()
    with handrail.open(folder, policy=str(POLICY), clock=clock) as desk:
        desk.agent(AGENT)
        desk.person(PERSON)
        set_password(desk.ctx, desk.id, PERSON, PASSWORD)
        key = desk.ctx.store.write(issue_key_unit(desk.ctx, desk.id, AGENT, actor="operator"))
        with serving(desk, door=Door(take_back_ms=0)) as url:
            served = RunningDesk(url=url, api_key=key, desk=desk, clock=clock)
            try:
                yield served
            finally:
                served.close()
