"""A server in a process of its own, to be stopped and killed.

As a program it opens a desk, prints its address and a task token as one JSON line, and serves.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

import handrail
from handrail.core.policy import Policy
from handrail.engine.access.tasks import issue_unit
from handrail.policy.loader import load_text
from handrail.policy.packs import pack_text
from handrail.surfaces.server import run
from tests.house.repo import ROOT
from tests.patience import HANG_S

__all__ = ["ServerProcess", "quick_policy", "served_apart"]

KINDS: Final = "\nkinds:\n"


class ServerProcess:
    """A running server: its process, and a client with a task's token."""

    def __init__(self, process: subprocess.Popen[str], said: dict[str, Any]) -> None:
        self.process = process
        self.address: str = said["address"]
        self.headers = {"authorization": f"Bearer {said['token']}"}

    def client(self) -> httpx.Client:
        """A client with the token."""
        return httpx.Client(base_url=self.address, headers=self.headers, timeout=HANG_S)

    def end(self, how: signal.Signals) -> int:
        """Send a signal; the exit status."""
        self.process.send_signal(how)
        return self.process.wait(HANG_S)


@contextmanager
def served_apart(folder: Path) -> Iterator[ServerProcess]:
    """Start a server over a folder; it is killed at the end if it still runs."""
    command = [sys.executable, "-m", "tests.api.process", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, "the server did not come up"
            yield ServerProcess(process, json.loads(line))
        finally:
            process.kill()


def quick_policy() -> Policy:
    """The default pack, but a lost attempt is looked up at once, and no cap is in the way."""
    text = pack_text("support-desk").replace("quiescence: 5s", "quiescence: 1ms")
    head, rest = text.split("\ncaps:\n")
    return load_text(f"{head}\n\nkinds:\n{rest.split(KINDS)[1]}", source="test")


def main(folder: str) -> None:
    """Serve `folder` until a signal comes."""
    desk = handrail.open(folder, policy=quick_policy())
    desk.agent("bot")
    issue = issue_unit(desk.ctx, desk.id, agent="bot", customers=["C-1005", "C-1001"])
    token = desk.ctx.store.write(issue).token

    def tell(address: str) -> None:
        print(json.dumps({"address": address, "token": token}), flush=True)

    run(desk, port=0, on_ready=tell)


if __name__ == "__main__":
    main(sys.argv[1])
