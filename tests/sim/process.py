"""One process after the other on the same desk: each may be killed at any moment and begun again.

What a killed process leaves is what stood in its files at that moment: they are copied, and the
next one opens the copy. What the provider did stays done.
"""

from __future__ import annotations

import random
import resource
import shutil
from pathlib import Path

import handrail
from handrail.engine.governing.desks import open_desk
from handrail.errors import SetupFailed
from handrail.surfaces.embedded import Desk
from tests.sim.rules import loaded_policy
from tests.sim.view import OTHER
from tests.sim.world import Killed, Provider, Time

__all__ = ["Process"]

_POLICY = loaded_policy()
_ROOM = resource.getrlimit(resource.RLIMIT_FSIZE)
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
        self._full_in: int | None = None
        self._remains: Path | None = None
        provider.moment = self.moment
        provider.kill = self.kill
        self.desk = self._opened()

    def doom(self, moments: int | None) -> None:
        """Be killed after so many moments; None calls it off."""
        self._left = moments

    def fill(self, moments: int) -> None:
        """After so many moments the disk is full, until there is room again."""
        self._full_in = moments

    def make_room(self) -> None:
        """Every file can be written again."""
        self._full_in = None
        resource.setrlimit(resource.RLIMIT_FSIZE, _ROOM)

    def moment(self) -> None:
        """A place where the process can be gone, or the disk full."""
        if self._full_in is not None:
            self._full_in -= 1
            if self._full_in <= 0:
                # The system refuses to write to any file: not a byte fits.
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, _ROOM[1]))
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            self.kill()

    def kill(self) -> None:
        """The process is gone now, with whatever transaction is open."""
        self._left = None
        self.make_room()
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
        """Close in order, and open again; on a full disk that takes until there is room."""
        self.desk.close()
        try:
            self.begin()
        except SetupFailed:
            if resource.getrlimit(resource.RLIMIT_FSIZE) == _ROOM:
                raise
            self.make_room()
            self.begin()

    @property
    def other(self) -> Desk:
        """The second desk of the same store."""
        return Desk(self.desk.ctx, OTHER, on_close=lambda: None)

    def _opened(self) -> Desk:
        desk = handrail.open(
            self._folder,
            policy=_POLICY,
            connectors={"desk": self._provider},
            clock=self._clock,
            entropy=self._random,
        )
        try:
            open_desk(desk.ctx, OTHER, _POLICY, actor="operator")
        except BaseException:
            desk.ctx.store.close()
            raise
        return desk

    def _clock(self) -> int:
        self.moment()
        return self._time.now

    def _random(self, size: int) -> bytes:
        self.moment()
        return self._entropy.randbytes(size)
