"""The process that sends one ping with the library `apprise`, and then ends.

Apprise opens its connections itself. Here it can open none but to the one address that was looked
at: names are answered from what was handed over, and an audit hook refuses every other connection.
There are no proxies, no netrc, no redirects, no log and no templates, memory and time are bounded,
and what is secret comes on the standard input. Run as `python -m`; how it ended is its exit code.
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

__all__ = ["MALFORMED", "NOT_INSTALLED", "NOT_TAKEN", "main", "pin"]

MALFORMED: Final = 21
"""Exit code: apprise cannot read the address."""
NOT_TAKEN: Final = 22
"""Exit code: the service did not take it, or could not be reached."""
NOT_INSTALLED: Final = 23
"""Exit code: apprise is not there."""
MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024
_CALLS: Final = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg"))
_NEVER: Final = frozenset(
    "socket.gethostbyname socket.gethostbyaddr subprocess.Popen os.system os.exec os.posix_spawn"
    " os.fork os.forkpty".split()
)


def main() -> int:
    """Send what stands on the standard input; 0 when the service took it."""
    call = json.loads(sys.stdin.buffer.read())
    signal.setitimer(signal.ITIMER_REAL, call["within_ms"] / 1_000)
    with suppress(ValueError):  # macOS knows this limit and does not take it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    logging.disable(logging.CRITICAL)
    try:
        import apprise
    except ImportError:
        return NOT_INSTALLED
    pin(call["host"], call["port"], call["address"])
    asset = apprise.AppriseAsset(
        app_id="handrail",
        app_desc="handrail",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask=False,
        http_redirects=False,
        allow_templates=False,
        async_mode=False,
        storage_mode="memory",
    )
    service = apprise.Apprise.instantiate(call["url"], asset=asset)
    if service is None:
        return MALFORMED
    service.verify_certificate = True
    way = apprise.Apprise(asset=asset)
    way.add(service)
    taken = way.notify(call["body"], title=call["title"], body_format=apprise.NotifyFormat.TEXT)
    return 0 if taken else NOT_TAKEN


def pin(host: str, port: int, address: str) -> None:
    """From now on nothing in this process reaches anything but that host at that address."""
    real: Callable[..., list[Any]] = socket.getaddrinfo

    def lookup(name: Any, service: Any, *_: Any, **__: Any) -> list[Any]:
        if (_text(name).lower(), str(service)) != (host, str(port)):
            raise socket.gaierror("it may not be called")
        return real(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NEVER:
            raise PermissionError("it may not be done here")
        if event in _CALLS and tuple(arguments[1][:2]) != (address, port):
            raise PermissionError("it may not be called")

    socket.getaddrinfo = lookup  # type: ignore[assignment]
    sys.addaudithook(watch)


def _text(name: Any) -> str:
    return name.decode("ascii") if isinstance(name, bytes) else str(name)


if __name__ == "__main__":
    sys.exit(main())
