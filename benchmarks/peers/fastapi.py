"""An empty FastAPI endpoint: what one validated JSON POST costs before any work is done.

It takes the body of a handrail proposal, validates it with pydantic, decides nothing, writes
nothing and answers with two fields. Models with annotations, as its documentation teaches; no
tricks. Served as handrail is: uvicorn with uvloop and httptools, one worker, no access log, no
headers of a proxy and none about the server, the garbage collector set alike.

Two endpoints do the same: `/v1/proposals` is `async def`, the faster of the two, and
`/v1/proposals/threaded` is `def`, which FastAPI runs in its thread pool: the form that its users
need as soon as the endpoint does blocking work, such as a commit.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI  # type: ignore[import-not-found]
from pydantic import BaseModel

from benchmarks.peers.lines import say, take_stdout

__all__ = ["Proposal", "Refund", "app", "main"]


class Refund(BaseModel):
    """The parameters of a refund."""

    order: str
    amount: str
    reason: str


class Proposal(BaseModel):
    """What an agent proposes."""

    task: str
    kind: str
    params: Refund
    key: str


app = FastAPI()


@app.post("/v1/proposals")  # type: ignore[untyped-decorator]
async def propose(proposal: Proposal) -> dict[str, str]:
    """Validate, and answer, on the event loop."""
    return {"key": proposal.key, "state": "SUCCEEDED"}


@app.post("/v1/proposals/threaded")  # type: ignore[untyped-decorator]
def propose_threaded(proposal: Proposal) -> dict[str, str]:
    """Validate, and answer, from a thread of the pool."""
    return {"key": proposal.key, "state": "SUCCEEDED"}


def main() -> None:
    """Serve on a free port of the loopback until standard input ends."""
    answers = take_stdout()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        port = listening.getsockname()[1]
        server = uvicorn.Server(_config())
        threading.Thread(target=_stop_with_input, args=(server,), daemon=True).start()
        # connections wait in the queue of the socket until the server takes them
        say(answers, {"ready": {"system": "fastapi", "host": "127.0.0.1", "port": port}})
        _spare_the_collector()
        server.run(sockets=[listening])


def _config() -> uvicorn.Config:
    """What handrail's own server is set to, wherever it costs something a request."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
    )


def _spare_the_collector() -> None:
    """As `handrail.surfaces.server` does it, so that the garbage collector makes no difference."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _stop_with_input(server: uvicorn.Server) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True


if __name__ == "__main__":
    main()
