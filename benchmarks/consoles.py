"""The console under load: the page of one case, and what changes told to many open consoles."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from benchmarks.audience import audience
from benchmarks.callers import call_for
from benchmarks.cases import CONNECTIONS
from benchmarks.figures import Figures
from benchmarks.handrail_desk import REVIEWER, RefundDesk
from benchmarks.handrail_server import Server
from benchmarks.load import LoadFailed
from handrail.store.protocol import Means
from handrail.surfaces.auth import SESSION_COOKIE, opener
from handrail.surfaces.console import console_routes
from handrail.surfaces.server import serving

__all__ = ["Told", "case_page", "tell_consoles"]

CASES: Final = 200
"""The most urgent actions, whose pages are read in turn."""
CHANGE_S: Final = 0.25
"""Between two changes to the queue while it is watched."""


class Told(NamedTuple):
    """What it takes to keep `consoles` up to date.

    `last` are the times from the answer to a change until the last console has heard of it; its
    rate says nothing. `alone` and `watched` are decisions over HTTP without anybody watching, and
    with all of them and a few changes a second, in turns; `shares` is the second by the first.
    """

    consoles: int
    last: Figures
    alone: Figures
    watched: Figures
    shares: Sequence[float]


def case_page(refunds: RefundDesk, *, seconds: float) -> Figures:
    """Read pages of cases through the server, one after the other, over one connection."""
    ctx, desk = refunds.ctx, refunds.desk
    token, opened = opener(ctx, desk.id, Means.PASSWORD)
    ctx.store.write(lambda tx: opened(tx, REVIEWER))
    ids = itertools.cycle([card.proposal.id for card in desk.queue(most=CASES)])
    with serving(desk, console=console_routes) as address:
        place = urlsplit(address)
        assert place.hostname is not None
        connection = http.client.HTTPConnection(place.hostname, place.port)

        def read() -> None:
            cookie = {"Cookie": f"{SESSION_COOKIE}={token}"}
            connection.request("GET", f"/actions/{next(ids)}", headers=cookie)
            answer = connection.getresponse()
            page = answer.read()
            if answer.status != 200 or b"Your decision" not in page:
                raise LoadFailed(f"the page of a case was answered with {answer.status}")

        try:
            return call_for(read, in_flight=1, seconds=seconds)
        finally:
            connection.close()


def tell_consoles(server: Server, *, rounds: int, seconds: float) -> Told:
    """Decide with and without an audience, in turns, while now and then something must wait."""
    alone, watched, last_ns = [], [], []
    for _ in range(rounds):
        alone.append(server.decide(connections=CONNECTIONS, seconds=seconds))
        with audience(server.host, server.port, server.sessions) as listening:
            with _changing(server) as asked:
                watched.append(server.decide(connections=CONNECTIONS, seconds=seconds))
            heard = listening.heard(asked)
        last_ns += [max(1, max(heard[id]) - at_ns) for id, at_ns in asked.items()]
    return Told(
        consoles=len(server.sessions),
        last=Figures.of(last_ns, sum(last_ns)),
        alone=Figures.median(alone),
        watched=Figures.median(watched),
        shares=[one.per_s / other.per_s for one, other in zip(watched, alone, strict=True)],
    )


@contextmanager
def _changing(server: Server) -> Iterator[dict[str, int]]:
    """Let something begin to wait a few times a second: which, and when that was answered."""
    asked: dict[str, int] = {}
    over = threading.Event()

    def change() -> None:
        while True:
            id = server.hold()
            asked[id] = time.monotonic_ns()
            if over.wait(CHANGE_S):
                return

    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        over.set()
        thread.join()
