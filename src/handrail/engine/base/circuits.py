"""The circuits of all connectors in this process: who is not asked now, and what is tried again.

One for what is read from a connector and one for what is sent: a system that still answers
questions may have stopped taking orders. They are in memory. A new process starts with all of them
closed, learns from a few calls what an old one knew, and its budget of retries bounds those.
"""

from __future__ import annotations

import hashlib
import threading
from enum import Enum
from typing import Final

from handrail.core.circuit import Circuit, after_answer, after_silence, take, take_retry

__all__ = ["Circuits", "Way", "spread_of"]

_PAUSES_MAX: Final = 10_000


class Way(Enum):
    """What a circuit is for."""

    __hash__ = object.__hash__  # as in `lifecycle.State`

    READ = "read"
    SEND = "send"


class Circuits:
    """Thread-safe. Also remembers which actions are not to be tried before which time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, Way], Circuit] = {}
        self._pauses: dict[tuple[str, str], tuple[int, int]] = {}

    def admits(self, connector: str, way: Way, now: int) -> bool:
        """Whether a call may go out now."""
        place = (connector, way)
        if self._known.get(place, _REST).closed:
            return True
        with self._lock:
            self._known[place], admitted = take(self._known.get(place, _REST), now)
        return admitted

    def may_retry(self, connector: str, now: int) -> bool:
        """Take one from the connector's budget of retries, if one is left."""
        place = (connector, Way.READ)
        with self._lock:
            self._known[place], left = take_retry(self._known.get(place, _REST), now)
        return left

    def answered(self, connector: str, way: Way) -> None:
        """A call was answered, whatever the answer."""
        known = self._known.get((connector, way))
        if known is None or (known.closed and not known.failures):
            return
        with self._lock:
            self._known[connector, way] = after_answer(self._known[connector, way])

    def silent(self, connector: str, way: Way, now: int) -> None:
        """A call was not answered."""
        with self._lock:
            known = self._known.get((connector, way), _REST)
            self._known[connector, way] = after_silence(known, now)

    def open(self) -> list[str]:
        """The connectors that are not asked, or not sent anything, at the moment."""
        return sorted({name for (name, _), one in self._known.items() if not one.closed})

    def rests(self, desk: str, id: str, now: int) -> bool:
        """Whether an action was tried in vain so lately that it waits."""
        paused = self._pauses.get((desk, id))
        return paused is not None and now < paused[1]

    def tries(self, desk: str, id: str) -> int:
        """How often in a row an action was tried in vain."""
        return self._pauses.get((desk, id), (0, 0))[0]

    def pause(self, desk: str, id: str, until: int) -> None:
        """It was tried in vain: not again before `until`."""
        with self._lock:
            if len(self._pauses) >= _PAUSES_MAX:
                self._pauses.clear()
            self._pauses[desk, id] = (self.tries(desk, id) + 1, until)

    def forget(self, desk: str, id: str) -> None:
        """It went on."""
        if (desk, id) in self._pauses:
            with self._lock:
                self._pauses.pop((desk, id), None)


_REST: Final = Circuit()


def spread_of(id: str, tries: int) -> int:
    """A number from 0 to 65,535 for spreading tries out: by chance, and the same each time."""
    return int.from_bytes(hashlib.sha256(f"{id}/{tries}".encode()).digest()[:2])
