"""Open consoles in a process of their own: each notes what the queue says, and when."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Final

from benchmarks.load import LoadFailed
from handrail.surfaces.auth import SESSION_COOKIE

__all__ = ["Audience", "audience"]

OPEN_S_MAX: Final = 60
HEAR_S_MAX: Final = 60
"""How long the last change may take to be heard everywhere."""
LOOK_S: Final = 0.02

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Heard = Mapping[str, Sequence[int]]
"""By action: when each console heard that it waits, by this machine's monotonic clock, in ns."""


class Audience:
    """Consoles that listen, until each has heard of what it is asked about."""

    def __init__(self, pipe: Connection, size: int) -> None:
        self._pipe = pipe
        self.size = size

    def heard(self, ids: Collection[str]) -> Heard:
        """What was heard, and when, once every console has heard of all of these actions.

        Nobody listens any more then. Raises LoadFailed when that takes too long.
        """
        self._pipe.send(list(ids))
        heard = _answer(self._pipe, HEAR_S_MAX + OPEN_S_MAX)
        for id in ids:
            if len(heard.get(id, ())) != self.size:
                raise LoadFailed(f"{len(heard.get(id, ()))} consoles of {self.size} heard")
        return heard


@contextmanager
def audience(host: str, port: int, sessions: Sequence[str]) -> Iterator[Audience]:
    """One console for each session, all of them listening. Raises LoadFailed."""
    fresh = multiprocessing.get_context("spawn")
    ours, theirs = fresh.Pipe()
    process = fresh.Process(target=_sit, args=(theirs, host, port, list(sessions)), daemon=True)
    process.start()
    try:
        _answer(ours, OPEN_S_MAX)
        yield Audience(ours, len(sessions))
    finally:
        process.terminate()
        process.join()


def _answer(pipe: Connection, within_s: float) -> Heard:
    if not pipe.poll(within_s):
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
    last = asyncio.create_task(_all_heard(pipe, heard, len(sessions)))
    done, _ = await asyncio.wait({last, *listening}, return_when=asyncio.FIRST_COMPLETED)
    if last not in done:
        raise LoadFailed("a stream has ended")
    pipe.send(heard)


async def _all_heard(pipe: Connection, heard: dict[str, list[int]], size: int) -> None:
    """Until every console has heard of what is asked about, or that takes too long."""
    ids: list[str] = await asyncio.to_thread(pipe.recv)
    with suppress(TimeoutError):
        async with asyncio.timeout(HEAR_S_MAX):
            while any(len(heard.get(id, ())) < size for id in ids):
                await asyncio.sleep(LOOK_S)


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
