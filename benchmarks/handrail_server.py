"""handrail's server in a process of its own, with the benchmark's till or as it is shipped.

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.figures import Figures
from benchmarks.handrail_desk import KIND, RefundDesk
from benchmarks.load import JsonPost, Load, LoadFailed, RequestFactory
from benchmarks.peers.child import Child, start
from benchmarks.peers.lines import say, take_stdout
from handrail.engine.tasks import issue_unit
from handrail.surfaces.embedded import DEFAULT_AGENT
from handrail.surfaces.server import run

__all__ = ["BATCH", "Server", "answered", "start_server"]

BATCH: Final = 50
PROPOSE: Final = "/v1/proposals"
PROPOSE_BATCH: Final = "/v1/proposals/batch"
DECIDED: Final = frozenset(("EXECUTING", "SUCCEEDED"))
KEY: Final = "@KEY@"
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
        self._order: str = about["order"]
        self._amount: str = about["amount"]
        self._headers = {"Authorization": f"Bearer {about['token']}"}
        self._check()

    def one(self) -> RequestFactory:
        """One proposal of a refund that runs alone; answered when it is durable."""
        return self._post(PROPOSE, self._item(KEY))

    def batch(self) -> RequestFactory:
        """A batch of `BATCH` such proposals."""
        items = [self._item(f"{KEY}-{number}") for number in range(BATCH)]
        return self._post(PROPOSE_BATCH, {"items": items})

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
        params = {"order": self._order, "amount": self._amount, "reason": "damaged"}
        return {"kind": KIND, "params": params, "key": key}

    def _post(self, path: str, body: dict[str, Any]) -> JsonPost:
        return JsonPost(path=path, body=json.dumps(body).encode(), headers=self._headers)

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
        with urllib.request.urlopen(request, timeout=ANSWER_S_MAX) as answer:
            said: dict[str, Any] = json.load(answer)
        return said


def answered(load: Load) -> Figures:
    """The figures of a load, all of which must have been answered with 200. Raises LoadFailed."""
    if set(load.statuses) != {200}:
        raise LoadFailed(f"answered with {dict(load.statuses)}")
    return load.figures


@contextmanager
def start_server(folder: Path, *, real: bool = False) -> Iterator[Server]:
    """A server over a new desk in `folder`; with `real`, as it is shipped.

    Raises PeerFailed when it does not come up, LoadFailed when it does not let a refund run.
    """
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.handrail_server", str(folder)]
    with start([*command, "real"] if real else command, folder) as child:
        yield Server(child)


def main(folder: Path, *, real: bool) -> None:
    """Serve a desk in `folder` on a free port of the loopback until standard input ends."""
    answers = take_stdout()
    refunds = RefundDesk.open_real(folder) if real else RefundDesk.open(folder)
    ctx, desk = refunds.ctx, refunds.desk
    issued = ctx.store.write(issue_unit(ctx, desk.id, agent=DEFAULT_AGENT, customers=["C-1001"]))

    def ready(address: str) -> None:
        place = urlsplit(address)
        about = {
            "system": "handrail",
            "host": place.hostname,
            "port": place.port,
            "pid": os.getpid(),
            "token": issued.token,
            "order": refunds.order,
            "amount": refunds.small,
        }
        say(answers, {"ready": about})

    threading.Thread(target=_stop_with_input, daemon=True).start()
    run(desk, port=0, on_ready=ready)


def _stop_with_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(Path(sys.argv[1]), real="real" in sys.argv[2:])
