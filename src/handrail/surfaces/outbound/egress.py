"""Calling out: which addresses may be called, and a connection that goes to just that address.

A name is resolved once; the address that was looked at is the one that is connected to, so that a
name cannot lead elsewhere a moment later. An address that is not a public one is refused, unless an
administrator has allowed the host; one that is link-local, where clouds keep their secrets, always.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

__all__ = ["CALL_S_MAX", "TRIES_OF_TIME", "NotSent", "address_of", "bounded", "post"]

CALL_S_MAX: Final = 10.0
"""How long connecting, each write and each read may take."""
TRIES_OF_TIME: Final = 3
"""A whole call takes at most so many times as long."""
ANSWER_BYTES_MAX: Final = 64 * 1024


class NotSent(Exception):
    """It was not sent, or nobody knows that it was; says why, without an address or a secret."""


def address_of(host: str, port: int, *, inside: bool) -> str:
    """The address to connect to. Raises NotSent when any address of the host must not be called."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotSent("the host is not known") from None
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    for address in addresses:
        if not _may_call(address, inside=inside):
            raise NotSent("the host's address is not a public one")
    if not addresses:
        raise NotSent("the host has no address")
    return addresses[0]


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    inside: bool,
    within_s: float = CALL_S_MAX,
) -> int:
    """POST a body; the status of the answer, whatever it says. No redirect is followed.

    `within_s` is for connecting, each write and each read.

    Raises NotSent for a host that may not be called, and when nothing came back in time.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = address_of(host, port, inside=inside)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        with closing(_Pinned(host, port, address, within_s, secure=secure)) as connection:
            connection.connect()
            with bounded(connection.sock, TRIES_OF_TIME * within_s):
                connection.request("POST", path, body, {**headers, "host": parts.netloc})
                answer = connection.getresponse()
                answer.read(ANSWER_BYTES_MAX)
                return answer.status
    except TimeoutError:
        raise NotSent("it did not answer in time") from None
    except (OSError, HTTPException, ValueError) as error:
        raise NotSent(f"it could not be reached ({type(error).__name__})") from None


@contextmanager
def bounded(connection: socket.socket | None, seconds: float) -> Iterator[None]:
    """End a connection after that time, however slowly its other side goes on."""

    def end() -> None:
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _Pinned(HTTPConnection):
    """HTTP to an address that was looked at, under the name that its certificate must have.

    WHY NOT: httpx. It writes the whole address of every call to the log, and in it lies the secret.
    """

    def __init__(
        self, host: str, port: int, address: str, within_s: float, *, secure: bool
    ) -> None:
        super().__init__(host, port, timeout=within_s)
        self._address = address
        self._within_s = within_s
        self._secure = secure

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self._within_s)
        if not self._secure:
            self.sock = plain
            return
        try:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def _may_call(text: str, *, inside: bool) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            address = inner
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    return inside or address.is_global
