"""The load generator: what it reads, and a real server that it drives."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import JsonPost, LoadFailed, drive, read_response

OK = b"HTTP/1.1 200 OK\r\n"
SIZED = OK + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("whole", "status", "closes"),
    [
        (SIZED, 200, False),
        (OK + b"content-length:  0\r\nserver: x\r\n\r\n", 200, False),
        (OK + b"Content-Length: 0\r\nConnection: close\r\n\r\n", 200, True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, False),
        (b"HTTP/1.1 429 Slow Down\r\nContent-Length: 2\r\n\r\n{}", 429, False),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + SIZED, 200, False),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", 200, False),
        (CHUNKED + b"5\r\nhello\r\nA;x=y\r\n\r\n\r\n0\r\n0123\r\n0\r\n\r\n", 200, False),
        (CHUNKED + b"0\r\nDigest: abc\r\nOther: d\r\n\r\n", 200, False),
    ],
)
def test_a_response_is_read_when_it_is_whole(whole: bytes, status: int, closes: bool) -> None:
    """Every beginning of it is not all there yet; what follows it does not belong to it."""
    assert read_response(whole) == (status, len(whole), closes)
    assert read_response(whole + SIZED) == (status, len(whole), closes)
    for cut in range(len(whole)):
        assert read_response(whole[:cut]) is None, whole[:cut]


@pytest.mark.parametrize(
    ("bytes_", "why"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "no HTTP"),
        (OK + b"Connection: close\r\n\r\neverything until the end", "without a length"),
    ],
)
def test_what_cannot_be_read_is_said(bytes_: bytes, why: str) -> None:
    """A wrong port or an endless answer is an error, not a figure."""
    with pytest.raises(LoadFailed, match=why):
        read_response(bytes_)


def test_each_request_has_its_own_key() -> None:
    """The refund that every server gets is valid JSON, with one key a request."""
    post = JsonPost.refund("/v1/proposals", task="t1", headers={"Authorization": "Bearer x"})
    head, _, body = post("k7").partition(b"\r\n\r\n")
    assert head.splitlines()[0] == b"POST /v1/proposals HTTP/1.1"
    assert b"Authorization: Bearer x" in head.splitlines()
    assert f"Content-Length: {len(body)}".encode() in head.splitlines()
    asked = json.loads(body)
    assert (asked["task"], asked["kind"], asked["key"]) == ("t1", "refund.issue", "k7")
    assert JsonPost(path="/", body=b"@KEY@-1 @KEY@-2")("k").endswith(b"k-1 k-2")


@pytest.mark.parametrize("answer", ["sized", "chunked", "closing"])
def test_drives_a_real_server(answer: str) -> None:
    """What it counts is what the server saw: one answer for each request, no key twice."""
    with _serving() as server:
        post = JsonPost.refund(f"/{answer}", task="t1")
        found = drive("127.0.0.1", server.server_port, post, connections=4, seconds=0.2)
        keys = list(server.keys)
    assert found.figures.n == len(keys) == len(set(keys)) >= 4
    assert found.statuses == {200: len(keys)}
    assert 0 < found.figures.p50_ms <= found.figures.p99_ms
    if answer != "closing":
        assert server.connections == 4


def test_two_drives_repeat_no_key() -> None:
    """The same factory driven twice asks for new work each time."""
    with _serving() as server:
        post = JsonPost.refund("/sized", task="t1")
        for _ in range(2):
            drive("127.0.0.1", server.server_port, post, connections=1, seconds=0.01)
        assert len(set(server.keys)) == len(server.keys) >= 2


def test_refusals_are_counted_by_status() -> None:
    """An error answer is an answer; the statuses tell."""
    with _serving() as server:
        post = JsonPost.refund("/refused", task="t1")
        found = drive("127.0.0.1", server.server_port, post, connections=2, seconds=0.01)
    assert found.statuses == {422: found.figures.n}


def test_a_server_that_hangs_up_is_an_error() -> None:
    """A request without an answer is not counted away."""
    post = JsonPost.refund("/gone", task="t1")
    with _serving() as server, pytest.raises(LoadFailed, match="hung up before it answered"):
        drive("127.0.0.1", server.server_port, post, connections=2, seconds=0.2)


def test_no_server_is_an_error() -> None:
    """A port where nobody listens is said at once."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can
        port = silent.getsockname()[1]
        with pytest.raises(OSError, match=r"[Cc]onnect"):
            drive("127.0.0.1", port, JsonPost(path="/", body=b""), connections=1, seconds=0.2)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.keys: list[str] = []
        self.connections = 0


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        """Answer in the way that the path names."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/gone":
            self.close_connection = True
            return
        self.server.keys.append(asked["key"])
        self.send_response(422 if self.path == "/refused" else 200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b"2\r\n{}\r\n", b"1\r\n \r\n", b"0\r\n\r\n"):
                self.wfile.write(part)
            return
        if self.path == "/closing":
            self.send_header("Connection", "close")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def _serving() -> Iterator[_Server]:
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
