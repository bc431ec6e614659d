"""Real receivers on loopback sockets: over HTTP and SMTP, well-behaved and otherwise."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.patience import HANG_S

__all__ = ["PASSWORD", "Mailbox", "Receiver", "certificate", "mailbox", "receiver"]

PASSWORD: Final = "smtp-password-4711"


@dataclass(kw_only=True)
class Receiver:
    """An HTTP server that notes every POST.

    `answer` is a status, `hang`, `drip`, `close` or `flood`.
    """

    url: str = ""
    answer: int | str = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiver(*, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """One on a free port of 127.0.0.1; with `tls` over that."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.got.append(({name.lower(): text for name, text in self.headers.items()}, body))
            match found.answer:
                case int(status):
                    self.send_response(status)
                    self.send_header("location", f"{found.url}/elsewhere")
                    self.send_header("content-length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")
                case "hang":
                    found.over.wait(HANG_S)
                case "drip":
                    _write_on(found, self.wfile, b"H", every_s=0.05)
                case "flood":
                    self.send_response(200)
                    self.end_headers()
                    _write_on(found, self.wfile, b"x" * 65_536)
                case _:
                    self.connection.close()

        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        host, port = server.server_address[:2]
        found.url = f"http://{host!s}:{port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            found.over.set()
            server.shutdown()
            thread.join()


def _write_on(found: Receiver, out: BufferedIOBase, part: bytes, every_s: float = 0.0) -> None:
    """Write it again and again; once nobody reads any more it is over."""
    try:
        for _ in range(10_000):
            if found.over.wait(every_s):
                return
            out.write(part)
    except OSError:
        found.over.set()


@dataclass(kw_only=True)
class Mailbox:
    """An SMTP server that keeps what it takes, as (recipient, message)."""

    port: int = 0
    refuses: bool = False
    got: list[tuple[str, Message]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a message, or not."""
        if self.refuses:
            return "451 not now"
        for to in envelope.rcpt_tos:
            self.got.append((to, message_from_bytes(envelope.content)))
        return "250 taken"


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for `localhost` that nobody trusts, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, secret = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return file, context


@contextmanager
def mailbox(*, user: str | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """One on a free port of 127.0.0.1. With `tls` it wants STARTTLS and the password of `user`."""
    box = Mailbox()

    def check(_: Any, __: Any, ___: Any, mechanism: str, login: Any) -> AuthResult:
        given = (login.login, login.password)
        return AuthResult(success=given == ((user or "").encode(), PASSWORD.encode()))

    options: dict[str, Any] = {}
    if tls is not None:
        options = {
            "tls_context": tls,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": check,
        }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        controller = _Controller(box, listener, **options)
        controller.start()
        try:
            yield box
        finally:
            asyncio.run_coroutine_threadsafe(controller.quiet(), controller.loop).result()
            controller.stop()


class _Controller(Controller):
    """A mail server on a socket that is bound already."""

    def __init__(self, box: Mailbox, listener: socket.socket, **options: Any) -> None:
        host, box.port = listener.getsockname()
        self._listener = listener
        super().__init__(
            box,
            hostname=host,
            port=box.port,
            server_hostname="localhost",  # else the name of this machine is asked for
            ready_timeout=HANG_S,
            **options,
        )

    def _create_server(self) -> Coroutine[Any, Any, asyncio.Server]:
        return self.loop.create_server(self._factory_invoker, sock=self._listener)

    async def quiet(self) -> None:
        """Wait until no connection is open: one that is cut off is a warning in some later test."""
        until = time.monotonic() + HANG_S
        while (len(asyncio.all_tasks()) > 1 or self._open()) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)  # closed, and told so

    def _open(self) -> int:
        """How many connections are open; Python says it to nobody."""
        return len(getattr(self.server, "_clients", ())) or getattr(self.server, "_active_count", 0)
