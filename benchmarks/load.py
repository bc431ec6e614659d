"""A load generator for any HTTP/1.1 server: many connections, kept alive, in a process of its own.

It shares no interpreter with the server, so the server has its whole core. Each connection sends
its next request when the answer to the last one is complete: what is in flight is the number of
connections, and a slow server is asked more slowly.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

from benchmarks.figures import NS_PER_S, Figures

__all__ = ["JsonPost", "Load", "LoadFailed", "RequestFactory", "drive", "read_response"]

ANSWER_S_MAX: Final = 60
"""On top of the seconds asked for: how long answers that are under way may take."""
KEY: Final = b"@KEY@"

RequestFactory = Callable[[str], bytes]
"""Makes the bytes of one whole request. It is given a key that no other request ever had; it must
be possible to pickle it, since it is called in the generator's process."""


class LoadFailed(RuntimeError):
    """The server closed a connection in the middle, answered no HTTP, or not in time."""


class Response(NamedTuple):
    """A whole response in a buffer: its status, where it ends, whether the server hangs up."""

    status: int
    end: int
    closes: bool


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one drive says: `figures` of all answered requests and how many had which status."""

    figures: Figures
    statuses: Mapping[int, int]


@dataclass(frozen=True, kw_only=True)
class JsonPost:
    """A request factory: POST `body` to `path`, with every `@KEY@` in the body made unique.

    A body that needs several keys says `@KEY@-1`, `@KEY@-2` and so on.
    """

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def refund(cls, path: str, *, task: str, headers: Mapping[str, str] | None = None) -> JsonPost:
        """One proposal of a $40 refund, the body that every server in the benchmark gets."""
        params = {"order": "A-1001", "amount": "40.00 USD", "reason": "damaged"}
        body = {"task": task, "kind": "refund.issue", "params": params, "key": KEY.decode()}
        return cls(path=path, body=json.dumps(body).encode(), headers=headers or {})

    def __call__(self, key: str) -> bytes:
        body = self.body.replace(KEY, key.encode())
        head = {"Host": "localhost", "Content-Type": "application/json", **self.headers}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {said}" for name, said in head.items())]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def drive(
    host: str, port: int, factory: RequestFactory, *, connections: int, seconds: float
) -> Load:
    """Send requests over `connections` connections for `seconds`, and say how that went.

    A request that was sent in time counts, and the clock runs until the last one is answered;
    starting the process and connecting do not count. Any status counts as an answer: look at
    `statuses`. Raises LoadFailed, and OSError when it cannot connect.
    """
    if connections < 1 or seconds <= 0:
        raise ValueError(f"`{connections}` connections for `{seconds}` s are no load")
    # WHY NOT: fork; the caller may have threads, and their locks would be copied as they stand
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as process:
        work = process.submit(_drive, host, port, factory, connections, seconds)
        return work.result()


def read_response(buffer: bytes) -> Response | None:
    """The first whole response in `buffer`, or None when it is not all there yet.

    Its length must be said: by `Content-Length`, by chunks, or by a status that has no body.
    Interim responses (1xx) are passed over. Raises LoadFailed for anything else.
    """
    start = 0
    while True:
        head_end = buffer.find(b"\r\n\r\n", start)
        if head_end < 0:
            return None
        head = buffer[start:head_end].lower()
        if not head.startswith(b"http/1.") or not head[9:12].isdigit():
            raise LoadFailed(f"no HTTP: {buffer[start : start + 40]!r}")
        status, body = int(head[9:12]), head_end + 4
        if status >= 200:
            break
        start = body
    end = _body_end(buffer, body, head, status)
    if end is None or end > len(buffer):
        return None
    return Response(status, end, b"\r\nconnection: close" in head or head.startswith(b"http/1.0"))


def _body_end(buffer: bytes, body: int, head: bytes, status: int) -> int | None:
    if status in (204, 304):
        return body
    found = head.find(b"\r\ncontent-length:")
    if found >= 0:
        return body + int(head[found + 17 :].split(b"\r\n", 1)[0])
    if b"\r\ntransfer-encoding: chunked" in head:
        return _chunks_end(buffer, body)
    raise LoadFailed("a response without a length")


def _chunks_end(buffer: bytes, at: int) -> int | None:
    """Where a chunked body that starts `at` ends; RFC 9112, section 7.1."""
    while True:
        line_end = buffer.find(b"\r\n", at)
        if line_end < 0:
            return None
        size = int(buffer[at:line_end].split(b";", 1)[0], 16)
        if size == 0:
            break
        at = line_end + 2 + size + 2
    # after the last chunk come trailer lines, if any, and an empty one
    if buffer.startswith(b"\r\n", line_end + 2):
        return line_end + 4
    trailers_end = buffer.find(b"\r\n\r\n", line_end + 2)
    return None if trailers_end < 0 else trailers_end + 4


class _Run:
    """What the connections of one drive share."""

    def __init__(self, factory: RequestFactory) -> None:
        self.factory = factory
        self.token = secrets.token_hex(8)
        self.sent = 0
        self.until_ns = 0
        self.end_ns = 0
        self.took_ns: list[int] = []
        self.statuses: Counter[int] = Counter()

    def request(self) -> bytes:
        self.sent += 1
        return self.factory(f"{self.token}-{self.sent}")


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.buffer = b""
        self.sent_ns = 0
        self.hung_up: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """Done when this connection is: True if the server will not take another request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's
        self.transport = cast(asyncio.Transport, transport)

    def send(self) -> None:
        request = self.run.request()
        self.sent_ns = time.perf_counter_ns()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        try:
            found = read_response(self.buffer)
        except (LoadFailed, ValueError) as error:
            self._end(LoadFailed(str(error)))
            return
        if found is None:
            return
        now_ns = time.perf_counter_ns()
        self.buffer = self.buffer[found.end :]
        self.run.took_ns.append(now_ns - self.sent_ns)
        self.run.statuses[found.status] += 1
        self.run.end_ns = now_ns
        if now_ns >= self.run.until_ns:
            self._end(False)
        elif found.closes:
            self._end(True)
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(LoadFailed(f"the server hung up before it answered: {exc}"))

    def _end(self, how: bool | LoadFailed) -> None:
        if self.hung_up.done():
            return
        if isinstance(how, LoadFailed):
            self.hung_up.set_exception(how)
        else:
            self.hung_up.set_result(how)
        self.transport.close()


def _drive(host: str, port: int, factory: RequestFactory, connections: int, seconds: float) -> Load:
    """In the generator's own process: everything."""
    return _runner()(_send_all(host, port, factory, connections, seconds))


async def _send_all(
    host: str, port: int, factory: RequestFactory, connections: int, seconds: float
) -> Load:
    run = _Run(factory)

    async def connect() -> _Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: _Connection(run), host, port
        )
        return connection

    async def keep_sending(connection: _Connection) -> None:
        connection.send()
        while await connection.hung_up:
            connection = await connect()
            connection.send()

    opened = [await connect() for _ in range(connections)]
    begin_ns = time.perf_counter_ns()
    run.until_ns = begin_ns + int(seconds * NS_PER_S)
    sending = asyncio.gather(*(keep_sending(connection) for connection in opened))
    try:
        await asyncio.wait_for(sending, seconds + ANSWER_S_MAX)
    except TimeoutError:
        raise LoadFailed(f"no answer in {ANSWER_S_MAX} s") from None
    return Load(figures=Figures.of(run.took_ns, run.end_ns - begin_ns), statuses=dict(run.statuses))


def _runner() -> Callable[..., Load]:
    """uvloop's where it is installed: the generator must not be what is measured."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    runner: Callable[..., Load] = uvloop.run
    return runner
