"""The server: one process, one event loop, one address, over an opened desk.

`run` serves until it is told to stop, and closes the desk. `serving` does it beside the caller, in
a thread, for tests, demos and programs that have an event loop of their own.
"""

from __future__ import annotations

import errno
import gc
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import uvicorn

from handrail.errors import SetupFailed, Unavailable
from handrail.surfaces.api.app import Console, create_app
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.embedded import Desk
from handrail.surfaces.provider import Door

__all__ = ["DEFAULT_HOST", "DEFAULT_PORT", "run", "serving"]

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8470
PORT_MAX: Final = 65_535
BACKLOG: Final = 1_024
KEEP_ALIVE_S: Final = 60
ANSWERS_S_MAX: Final = 10
"""How long open requests may take to be answered once the server is told to stop."""
START_S_MAX: Final = 30.0
STOP_S_MAX: Final = 30.0
GARBAGE_THRESHOLDS: Final = (20_000, 20, 20)


def run(
    desk: Desk,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    console: Console | None = None,
    door: Door | None = None,
    behind_proxy: bool = False,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, let what runs finish for a bounded time, close the desk.

    `door` is how people's browsers come in. `on_ready` gets the address once it answers. With
    `behind_proxy` the headers of a proxy on this machine say whether the caller came by https.
    Raises SetupFailed `port_in_use` or `setting_malformed`.
    """
    try:
        with _bound(host, port) as listener:
            server = _server(desk, listener, console=console, door=door, behind_proxy=behind_proxy)
            server.on_ready = on_ready
            _spare_the_collector()
            server.run(sockets=[listener])
    finally:
        desk.close()


@contextmanager
def serving(
    desk: Desk,
    *,
    host: str = DEFAULT_HOST,
    port: int = 0,
    console: Console | None = None,
    door: Door | None = None,
) -> Iterator[str]:
    """Serve in a thread while the block runs; gives the address. The desk stays open.

    Port 0 is any free one. Raises SetupFailed as `run` does, and Unavailable when it does not come
    up.
    """
    with _bound(host, port) as listener:
        server = _server(desk, listener, console=console, door=door, behind_proxy=False)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="handrail-http", daemon=True
        )
        thread.start()
        try:
            if not server.up.wait(START_S_MAX) or not server.started:
                raise Unavailable("server_unreachable", "the server did not come up")
            yield server.address
        finally:
            server.should_exit = True
            thread.join(STOP_S_MAX)


class _Server(uvicorn.Server):
    """uvicorn, but for its end: waiting callers are answered first, and signals only end it."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway, address: str) -> None:
        super().__init__(config)
        self.gateway = gateway
        self.address = address
        self.up = threading.Event()
        self.on_ready: Callable[[str], None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets=sockets)
        finally:
            self.up.set()
        if self.on_ready is not None:
            self.on_ready(self.address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.gateway.runner.interrupt()
        await super().shutdown(sockets=sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # WHY NOT: uvicorn's own, which raises the signal again at the end: the process would be
        # gone before the desk is closed.
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True


def _server(
    desk: Desk,
    listener: socket.socket,
    *,
    console: Console | None,
    door: Door | None,
    behind_proxy: bool,
) -> _Server:
    app = create_app(desk, console=console, door=door)
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="asyncio" if sys.platform == "win32" else "uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=behind_proxy,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=ANSWERS_S_MAX,
    )
    return _Server(config, app.state.gateway, _address(listener))


def _spare_the_collector() -> None:
    """Keep the garbage collector from walking what stays for ever, and from coming by too often.

    Measured at 32 connections: a tenth to a fifth more requests a second, and a third off the
    slowest hundredth. Only for a process whose sole business is to serve.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket, so that the port is known, and ours, before anything starts."""
    if not 0 <= port <= PORT_MAX:
        raise SetupFailed("setting_malformed", f"a port is a number from 0 to {PORT_MAX}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SetupFailed(
                "port_in_use", f"another program listens on `{host}:{port}`; choose another port"
            ) from None
        raise SetupFailed(
            "setting_malformed", f"cannot listen on `{host}:{port}`: {error.strerror}"
        ) from None
    with listener:
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
