"""Who waits for actions to move, woken without anybody looking over and over again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["Waiters"]


class Waiters:
    """Waiting callers by the action that they wait for. Touched by the event loop's thread only.

    `stirred` is set whenever something may have begun to wait for a person, or no longer does; who
    waits for it clears it.
    """

    def __init__(self) -> None:
        self.count = 0
        self.stirred = asyncio.Event()
        self._changed: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def waiting_for(self, id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the action may have moved, while the block runs."""
        changed = asyncio.Event()
        self._changed.setdefault(id, set()).add(changed)
        self.count += 1
        try:
            yield changed
        finally:
            self.count -= 1
            mine = self._changed[id]
            mine.discard(changed)
            if not mine:
                del self._changed[id]

    def wake(self, id: str) -> None:
        """Let everybody who waits for this action look again."""
        self.stirred.set()
        self.settle(id)

    def settle(self, id: str) -> None:
        """The same for an action that no list of what waits has had for a while, if ever."""
        for changed in self._changed.get(id, ()):
            changed.set()

    def wake_from(self, loop: asyncio.AbstractEventLoop, id: str) -> None:
        """The same from any thread: another process has moved this action."""
        # The loop may be closed by now; then nobody waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self.wake, id)

    def wake_all(self) -> None:
        """Let everybody who waits look again."""
        self.stirred.set()
        for events in self._changed.values():
            for changed in events:
                changed.set()
