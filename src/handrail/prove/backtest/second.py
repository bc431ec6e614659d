"""A second process: another processor's help, which is never needed.

It is started from a module of this package and spoken to in frames over pipes. When it cannot be
started, or ends, nothing is heard of it, and whoever asked does the work.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

__all__ = ["Hear", "Second", "Tell", "serve"]

FILE_BYTES_MIN: Final = 4 * 1024 * 1024
"""Below this much traffic, a second process costs more than it brings."""
_LENGTH_BYTES: Final = 4

Hear = Callable[[], bytes | None]
Tell = Callable[[bytes], None]


class Second:
    """A second process, to be used within a `with`; `module` calls `serve`."""

    def __init__(self, module: str, traffic: Path) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        large = traffic.is_file() and traffic.stat().st_size >= FILE_BYTES_MIN
        if large and len(os.sched_getaffinity(0)) > 1:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def helps(self) -> bool:
        """Whether there is one."""
        return self._process is not None

    def tell(self, what: bytes) -> None:
        """Send a frame."""
        if self._process is None or self._process.stdin is None:
            return
        try:
            _write(self._process.stdin, what)
        except OSError:
            self.end()

    def hear(self, *, wait: bool) -> bytes | None:
        """The next frame; None when there is none yet, or it has ended."""
        if self._process is None or self._process.stdout is None:
            return None
        pipe = self._process.stdout
        if not wait and not select.select([pipe], [], [], 0)[0]:
            return None
        frame = _read(pipe)
        if frame is None:
            self.end()
        return frame

    def end(self) -> None:
        """It is over."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def serve(work: Callable[[Hear, Tell], None]) -> None:
    """Be the second process: work, hearing None once nobody asks any more."""
    with (
        open(0, "rb", buffering=0, closefd=False) as told,
        open(1, "wb", buffering=0, closefd=False) as saying,
    ):
        work(lambda: _read(told), lambda what: _write(saying, what))


def _write(pipe: IO[bytes], data: bytes) -> None:
    left = memoryview(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    while left:
        left = left[pipe.write(left) :]


def _read(pipe: IO[bytes]) -> bytes | None:
    """The next frame; None at the end."""
    length = _exactly(pipe, _LENGTH_BYTES)
    return None if length is None else _exactly(pipe, int.from_bytes(length, "big"))


def _exactly(pipe: IO[bytes], size: int) -> bytes | None:
    found = bytearray()
    while len(found) < size:
        data = pipe.read(size - len(found))
        if not data:
            return None
        found += data
    return bytes(found)
