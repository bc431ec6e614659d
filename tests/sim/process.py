"""One process after the other on the same desk: each may be killed at any moment and begun again.

What a killed process leaves is what stood in its files at that moment: they are copied, and the
next one opens the copy. What the provider did stays done.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import handrail
from handrail.surfaces.embedded import Desk
from tests.sim.rules import loaded_policy
from tests.sim.world import Killed, Provider, Time

__all__ = ["Process"]

_POLICY = loaded_policy()
_NOT_KEPT = shutil.ignore_patterns("*-shm", "*.lock")


class Process:
    """The process that has the desk open now. `moment` is where it can be killed."""

    def __init__(self, folder: Path, provider: Provider, time: Time, seed: int) -> None:
        self.killed = 0
        self._root = folder
        self._folder = folder / "desk-0"
        self._provider = provider
        self._time = time
        self._entropy = random.Random(f"{seed}/entropy")
        self._left: int | None = None
        self._remains: Path | None = None
        provider.moment = self.moment
        provider.kill = self.kill
        self.desk = self._opened()

    def doom(self, moments: int | None) -> None:
        """Be killed after so many moments; None calls it off."""
        self._left = moments

    def moment(self) -> None:
        """A place where the process can be gone."""
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            self.kill()

    def kill(self) -> None:
        """The process is gone now, with whatever transaction is open."""
        self._left = None
        self.killed += 1
        self._remains = self._root / f"desk-{self.killed}"
        shutil.copytree(self._folder, self._remains, ignore=_NOT_KEPT)
        raise Killed

    def bury(self) -> None:
        """Let go of what is left of a killed process, without a word to its files."""
        assert self._remains is not None
        self.desk.ctx.store.close()
        shutil.rmtree(self._folder)
        self._folder, self._remains = self._remains, None

    def begin(self) -> None:
        """The next process opens what was left; it may be killed over that, too."""
        while True:
            try:
                self.desk = self._opened()
                return
            except Killed:
                assert self._remains is not None
                shutil.rmtree(self._folder)
                self._folder, self._remains = self._remains, None

    def restart(self) -> None:
        """Close in order, and open again."""
        self.desk.close()
        self.begin()

    def _opened(self) -> Desk:
        return handrail.open(
            self._folder,
            policy=_POLICY,
            connectors={"desk": self._provider},
            clock=self._clock,
            entropy=self._random,
        )

    def _clock(self) -> int:
        self.moment()
        return self._time.now

    def _random(self, size: int) -> bytes:
        self.moment()
        return self._entropy.randbytes(size)
