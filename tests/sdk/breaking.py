"""A real line to a server that breaks when it is told to."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

__all__ = ["BreakingLine", "breaking_line"]

BLOCK: Final = 65_536


class BreakingLine:
    """Carries one request a connection. `after` requests from now, `breaks` answers are lost.

    The lost ones arrive at the server all the same: only their answers never come back.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.url = ""
        self.carried: list[str] = []
        self._after = 0
        self._breaks = 0

    def lose_answers(self, breaks: int, *, after: int = 0) -> None:
        """Let the next ones through, then lose as many."""
        self._after, self._breaks = after, breaks

    def carry(self, caller: socket.socket) -> None:
        """One request there and its answer back, or not."""
        request = _message(caller)
        if not request:
            return
        self.carried.append(request.split(b" HTTP/", 1)[0].decode())
        with socket.create_connection(self.target) as server:
            server.sendall(request)
            answer = _message(server)
        if self._after > 0:
            self._after -= 1
        elif self._breaks > 0:
            self._breaks -= 1
            return
        # Said aloud, or the client may send its next request down a line that is just closing.
        caller.sendall(answer.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))


@contextmanager
def breaking_line(url: str) -> Iterator[BreakingLine]:
    """A line to the server at `url`, with an address of its own."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    line = BreakingLine((parts.hostname, parts.port))

    class Carrier(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            line.carry(self.request)

    class Carriers(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Carriers(("127.0.0.1", 0), Carrier) as carriers:
        line.url = f"http://127.0.0.1:{carriers.server_address[1]}"
        thread = threading.Thread(target=carriers.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield line
        finally:
            carriers.shutdown()
            thread.join()


def _message(peer: socket.socket) -> bytes:
    """One HTTP message with its body; nothing when the peer has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        block = peer.recv(BLOCK)
        if not block:
            return b""
        data += block
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += peer.recv(BLOCK)
    return head + b"\r\n\r\n" + body
