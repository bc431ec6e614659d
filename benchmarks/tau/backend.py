"""The shops behind a loopback socket: one JSON object a line in, one a line out.

Run by .venv-tau's Python as `python -m benchmarks.tau.backend`, normally through client.py. The
first line on stdout is the port on 127.0.0.1; the process ends when its stdin does, so it never
outlives who started it. README.md lists the operations. Bad input gets an error answer.
"""

from __future__ import annotations

import json
import math
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeAlias

from benchmarks.tau.shops import DOMAINS, Refused, Shop, Visit, silence

__all__ = ["LINE_BYTES_MAX", "Server", "main"]

LINE_BYTES_MAX: Final = 1_048_576
POLL_S: Final = 0.05
"""How often the server looks whether it should stop."""
VISITS_MAX: Final = 10_000
"""Conversations open at once."""
KEYS_MAX: Final = 100_000
"""Idempotency keys remembered; a new one beyond that is refused, never silently forgotten."""

Answer: TypeAlias = dict[str, Any]
Request: TypeAlias = Mapping[str, Any]


class BadRequest(Exception):
    """The request itself is wrong, as opposed to a call that the shop refuses."""


class Desk:
    """Answers requests, one at a time. Holds the shops, the open visits and the keys seen."""

    def __init__(self, shops: Mapping[str, Shop]) -> None:
        self._shops = shops
        self._visits: dict[str, tuple[Shop, Visit]] = {}
        self._opened = 0
        self._done: dict[str, tuple[str, object]] = {}
        self._turn = threading.Lock()
        self._ops: Mapping[str, Callable[[Request], Answer]] = {
            "open": self._open,
            "close": self._close,
            "tools": self._tools,
            "call": self._call,
            "lookup": self._lookup,
            "peek": self._peek,
            "value": self._value,
            "hear": self._hear,
            "facts": self._facts,
            "customer": self._customer,
            "changed": self._changed,
            "verify": self._verify,
        }

    def answer(self, line: bytes) -> Answer:
        """Answer one line. Never raises: whatever is wrong becomes an answer that says so."""
        try:
            request = _parse(line)
            op = self._ops.get(_text(request, "op"))
            if op is None:
                raise BadRequest(
                    f"no operation `{request['op']}`; there are {', '.join(self._ops)}"
                )
            with self._turn:
                said = {"ok": True, **op(request)}
            # A result that JSON cannot carry is found here, not while writing to the socket.
            json.dumps(said, allow_nan=False)
            return said
        except Refused as refusal:
            return {"ok": False, "why": "refused", "error": str(refusal)}
        except BadRequest as wrong:
            return {"ok": False, "why": "request", "error": str(wrong)}
        except Exception as error:
            return {"ok": False, "why": "request", "error": f"{type(error).__name__}: {error}"}

    def _open(self, request: Request) -> Answer:
        if len(self._visits) >= VISITS_MAX:
            raise BadRequest(f"{VISITS_MAX} conversations are open: close some")
        shop = self._shop(request)
        self._opened += 1
        session = f"{shop.domain}-{self._opened}"
        self._visits[session] = (shop, shop.visit())
        return {"session": session}

    def _close(self, request: Request) -> Answer:
        self._visit(request)
        del self._visits[request["session"]]
        return {}

    def _tools(self, request: Request) -> Answer:
        return {"tools": self._shop(request).tools()}

    def _call(self, request: Request) -> Answer:
        visit = self._visit(request)
        tool, arguments = _text(request, "tool"), _arguments(request)
        key = request.get("key")
        if key is None:
            return {"result": visit.call(tool, arguments)}
        content = json.dumps([request["session"], tool, arguments], sort_keys=True)
        key = _text(request, "key")
        if key in self._done:
            first, result = self._done[key]
            if first != content:
                raise BadRequest(f"the key `{key}` was used for another call")
            return {"result": result}
        if len(self._done) >= KEYS_MAX:
            raise BadRequest(f"{KEYS_MAX} keys are in use: start another backend")
        result = visit.call(tool, arguments)
        self._done[key] = (content, result)
        return {"result": result}

    def _lookup(self, request: Request) -> Answer:
        done = self._done.get(_text(request, "key"))
        return {"done": False} if done is None else {"done": True, "result": done[1]}

    def _peek(self, request: Request) -> Answer:
        try:
            record = self._visit(request).peek(_text(request, "table"), _text(request, "id"))
        except LookupError as missing:
            raise BadRequest(str(missing.args[0])) from missing
        return {"record": record}

    def _value(self, request: Request) -> Answer:
        tool, arguments = _text(request, "tool"), _arguments(request)
        return {"cents": self._visit(request).value_cents(tool, arguments)}

    def _hear(self, request: Request) -> Answer:
        messages = request.get("messages")
        if not isinstance(messages, list) or not all(_is_message(one) for one in messages):
            raise BadRequest("`messages` must be a list of pairs of texts: role and message")
        self._visit(request).hear([(role, text) for role, text in messages])
        return {}

    def _facts(self, request: Request) -> Answer:
        read = self._visit(request).facts(_text(request, "tool"), _arguments(request))
        return {"records": read.records, "thread": read.thread}

    def _customer(self, request: Request) -> Answer:
        return {"customer": self._visit(request).customer_of(_arguments(request))}

    def _changed(self, request: Request) -> Answer:
        return {"changed": self._visit(request).changed()}

    def _verify(self, request: Request) -> Answer:
        shop = self._shop(request)
        now = shop.digest_now()
        return {"pristine": now == shop.digest, "digest": now}

    def _shop(self, request: Request) -> Shop:
        domain = _text(request, "domain")
        if domain not in self._shops:
            raise BadRequest(f"no domain `{domain}`; there are {', '.join(self._shops)}")
        return self._shops[domain]

    def _visit(self, request: Request) -> Visit:
        session = _text(request, "session")
        if session not in self._visits:
            raise BadRequest(f"no open session `{session}`")
        return self._visits[session][1]


def _not_json(constant: str) -> NoReturn:
    raise BadRequest(f"`{constant}` is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise BadRequest(f"`{number}` is too large")
    return value


def _parse(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line, parse_constant=_not_json, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BadRequest("not a line of JSON") from error
    if not isinstance(request, dict):
        raise BadRequest("not a JSON object")
    return request


def _text(request: Request, name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"`{name}` must be a text")
    return value


def _arguments(request: Request) -> dict[str, Any]:
    value = request.get("arguments")
    if not isinstance(value, dict):
        raise BadRequest("`arguments` must be an object")
    return value


def _is_message(value: object) -> bool:
    return isinstance(value, list) and [type(one) for one in value] == [str, str]


class _Lines(socketserver.StreamRequestHandler):
    """One connection: a line, an answer, until the other side closes."""

    server: Server
    # Answers are small and each is waited for: Nagle's algorithm would delay every one.
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while line := self.rfile.readline(LINE_BYTES_MAX + 1):
            if len(line) > LINE_BYTES_MAX:
                wrong = {"ok": False, "why": "request", "error": "the line is over 1 MiB"}
                self._send(wrong)
                return
            self._send(self.server.desk.answer(line))

    def _send(self, answer: Answer) -> None:
        self.wfile.write(json.dumps(answer, allow_nan=False).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(("127.0.0.1", 0), _Lines)
        self.desk = desk

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nobody's error; anything else still goes to stderr."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main() -> int:
    """Serve until stdin ends."""
    silence()
    shops = {domain: Shop(domain) for domain in DOMAINS}
    with Server(Desk(shops)) as server:
        threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.buffer.read()
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
