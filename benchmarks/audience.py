"""Open consoles in a process of their own: each notes what the queue says, and when."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Final

from benchmarks.load import LoadFailed
from handrail.surfaces.auth import SESSION_COOKIE

__all__ = ["Audience", "audience"]

OPEN_S_MAX: Final = 60
STOP: Final = "stop"

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Heard = Mapping[str, Sequence[int]]
"""By action: when each console heard that it waits, by this machine's monotonic clock, in ns."""


class Audience:
    """Consoles that listen, until they are asked what they heard."""

    def __init__(self, pipe: Connection, size: int) -> None:
        self._pipe = pipe
        self.size = size

    def heard(self) -> Heard:
        """What was heard so far, and when; then nobody listens any more. Raises LoadFailed."""
        self._pipe.send(STOP)
        return _answer(self._pipe)


@contextmanager
def audience(host: str, port: int, sessions: Sequence[str]) -> Iterator[Audience]:
    """One console for each session, all of them listening. Raises LoadFailed."""
    fresh = multiprocessing.get_context("spawn")
    ours, theirs = fresh.Pipe()
    process = fresh.Process(target=_sit, args=(theirs, host, port, list(sessions)), daemon=True)
    process.start()
    try:
        _answer(ours)
        yield Audience(ours, len(sessions))
    finally:
        process.terminate()
        process.join()


def _answer(pipe: Connection) -> Heard:
    if not pipe.poll(OPEN_S_MAX):
        raise LoadFailed("the consoles do not answer")
    said = pipe.recv()
    if isinstance(said, str):
        raise LoadFailed(said)
    heard: Heard = said
    return heard


def _sit(pipe: Connection, host: str, port: int, sessions: Sequence[str]) -> None:
    try:
        asyncio.run(_listen(pipe, host, port, sessions))
    except (OSError, LoadFailed) as error:
        pipe.send(f"a console lost its stream: {error}")


async def _listen(pipe: Connection, host: str, port: int, sessions: Sequence[str]) -> None:
    heard: dict[str, list[int]] = {}
    streams = [await _opened(host, port, session) for session in sessions]
    listening = [asyncio.create_task(_note(reader, heard)) for reader, _ in streams]
    pipe.send({})
    stop = asyncio.create_task(asyncio.to_thread(pipe.recv))
    done, _ = await asyncio.wait({stop, *listening}, return_when=asyncio.FIRST_COMPLETED)
    if stop not in done:
        raise LoadFailed("a stream has ended")
    pipe.send(heard)


async def _opened(host: str, port: int, session: str) -> Stream:
    """A stream from its first line on. It is closed with its writer, which somebody must keep."""
    reader, writer = await asyncio.open_connection(host, port)
    head = f"GET /live?since=0 HTTP/1.1\r\nHost: localhost\r\nCookie: {SESSION_COOKIE}={session}"
    writer.write(f"{head}\r\n\r\n".encode())
    status = await reader.readline()
    if b" 200 " not in status:
        raise LoadFailed(f"a console was answered with {status!r}")
    while not (await reader.readline()).startswith(b"retry: "):
        pass
    return reader, writer


async def _note(stream: asyncio.StreamReader, heard: dict[str, list[int]]) -> None:
    while line := await stream.readline():
        if line.startswith(b"data: "):
            at = time.monotonic_ns()
            for id in json.loads(line[6:]).get("began", ()):
                heard.setdefault(id, []).append(at)
