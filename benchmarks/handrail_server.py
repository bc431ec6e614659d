"""handrail's server in a process of its own, over the desk with the benchmark's till.

Run as a module it opens a desk in a folder and serves it with the function behind `handrail serve`,
until its standard input ends. `start_server` starts it and speaks to it.

The body of a proposal is the one that the other servers get, without the field `task`: handrail
takes the task from the token.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.figures import Figures
from benchmarks.handrail_desk import CUSTOMER, KIND, LARGE, ORDER, REVIEWER, SMALL, RefundDesk
from benchmarks.load import JsonPost, Load, LoadFailed, drive
from benchmarks.peers.child import Child, start
from benchmarks.peers.lines import say, take_stdout
from handrail.core.lifecycle import State
from handrail.engine.access.tasks import issue_unit
from handrail.store.protocol import Means
from handrail.surfaces.auth import opener
from handrail.surfaces.console import console_routes
from handrail.surfaces.embedded import DEFAULT_AGENT, Desk
from handrail.surfaces.server import run

__all__ = ["BATCH", "CONSOLES", "Server", "answered", "start_server"]

BATCH: Final = 50
CONSOLES: Final = 200
PROPOSE: Final = "/v1/proposals"
PROPOSE_BATCH: Final = "/v1/proposals/batch"
DECIDED: Final = frozenset(("EXECUTING", "SUCCEEDED"))
KEY: Final = "@KEY@"
REFUND: Final = {"order": ORDER, "amount": SMALL, "reason": "damaged"}
ANSWER_S_MAX: Final = 30
KIB_PER_MB: Final = 1024
PROC: Final = Path("/proc")


class Server:
    """A running server of ours, and a task on it."""

    def __init__(self, child: Child) -> None:
        about = child.about
        self.host: str = about["host"]
        self.port: int = about["port"]
        self._pid: int = about["pid"]
        self.sessions: list[str] = about["sessions"]
        self._headers = {"Authorization": f"Bearer {about['token']}"}
        self._check()

    def decide(self, *, connections: int, seconds: float) -> Figures:
        """Refunds that run alone, each answered when its decision and intent are durable.

        The server executes and settles them meanwhile; that is in the figures too.
        """
        return self._drive(PROPOSE, self._item(KEY), connections, seconds)

    def decide_batch(self, *, connections: int, seconds: float) -> Figures:
        """The same in batches of `BATCH`: actions a second, and milliseconds of a batch."""
        items = [self._item(f"{KEY}-{number}") for number in range(BATCH)]
        figures = self._drive(PROPOSE_BATCH, {"items": items}, connections, seconds)
        return figures.in_batches_of(BATCH)

    def hold(self) -> str:
        """A refund that waits for a person; its id."""
        params = {**REFUND, "amount": LARGE}
        held = self._ask(PROPOSE, {"kind": KIND, "params": params, "key": uuid.uuid4().hex})
        if held.get("state") != State.PENDING.value:
            raise LoadFailed(f"a refund that must wait is {held.get('state')}")
        return str(held["id"])

    def resident_mb(self) -> float | None:
        """The resident memory of the serving process, None where the system does not say."""
        status = PROC / str(self._pid) / "status"
        if not status.exists():
            return None
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / KIB_PER_MB
        return None

    def _item(self, key: str) -> dict[str, Any]:
        return {"kind": KIND, "params": REFUND, "key": key}

    def _drive(self, path: str, body: dict[str, Any], connections: int, seconds: float) -> Figures:
        post = JsonPost(path=path, body=json.dumps(body).encode(), headers=self._headers)
        load = drive(self.host, self.port, post, connections=connections, seconds=seconds)
        return answered(load)

    def _check(self) -> None:
        """Ask both once, and look at what is answered: under load only the status is."""
        alone = self._ask(PROPOSE, self._item("first"))
        items = [self._item(f"first-{number}") for number in range(BATCH)]
        together = self._ask(PROPOSE_BATCH, {"items": items})
        states = {one.get("state") for one in (alone, *together["items"])}
        if not states <= DECIDED:
            raise LoadFailed(f"the server does not let it run: {states}")

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://{self.host}:{self.port}{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self._headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S_MAX) as answer:
                said: dict[str, Any] = json.load(answer)
        except OSError as error:
            raise LoadFailed(f"the server answers no proposal: {error}") from error
        return said


def answered(load: Load) -> Figures:
    """The figures of a load, all of which must have been answered with 200. Raises LoadFailed."""
    if set(load.statuses) != {200}:
        raise LoadFailed(f"answered with {dict(load.statuses)}")
    return load.figures


@contextmanager
def start_server(folder: Path) -> Iterator[Server]:
    """A server over a new desk in `folder`.

    Raises PeerFailed when it does not come up, LoadFailed when it does not let a refund run.
    """
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.handrail_server", str(folder)]
    with start(command, folder) as child:
        yield Server(child)


def main(folder: Path) -> None:
    """Serve a desk in `folder` on a free port of the loopback until standard input ends."""
    answers = take_stdout()
    desk = RefundDesk.open(folder).desk
    issue = issue_unit(desk.ctx, desk.id, agent=DEFAULT_AGENT, customers=[CUSTOMER])
    issued = desk.ctx.store.write(issue)

    sessions = _log_in(desk)

    def ready(address: str) -> None:
        place = urlsplit(address)
        about = {
            "system": "handrail",
            "host": place.hostname,
            "port": place.port,
            "pid": os.getpid(),
            "token": issued.token,
            "sessions": sessions,
        }
        say(answers, {"ready": about})

    threading.Thread(target=_stop_with_input, daemon=True).start()
    run(desk, port=0, console=console_routes, on_ready=ready)


def _log_in(desk: Desk) -> list[str]:
    """The tokens of as many sessions as there are consoles."""
    opened = [opener(desk.ctx, desk.id, Means.PASSWORD) for _ in range(CONSOLES)]
    desk.ctx.store.write(lambda tx: [open_session(tx, REVIEWER) for _, open_session in opened])
    return [token for token, _ in opened]


def _stop_with_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
