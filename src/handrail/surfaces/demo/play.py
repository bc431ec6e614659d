"""Play the demo: with a browser to decide in, or to the end with scripted reviewers."""

from __future__ import annotations

import errno
import json
import socket
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import typer

from handrail.agent.playbook import PLAYBOOK, Visit
from handrail.agent.support import work_through
from handrail.bootstrap import SANDBOX_FILE, holds_desk
from handrail.core.lifecycle import State
from handrail.errors import Conflict, SetupFailed
from handrail.sdk import Action, Handrail, HandrailError
from handrail.surfaces.console import console_routes
from handrail.surfaces.demo.reviewers import direct, rule_on_queue, undo_first
from handrail.surfaces.demo.stage import AGENT, PEOPLE, Stage, set_up
from handrail.surfaces.provider import Door
from handrail.surfaces.server import DEFAULT_HOST, DEFAULT_PORT, run, serving

__all__ = ["as_json", "play", "play_headless"]

PACE_S: Final = 1.5
PORTS_TRIED: Final = 20
SETTLE_S_MAX: Final = 60.0
GOODBYE_S_MAX: Final = 12.0
"""How long a broken connection may turn out to be the end of the demo, and nothing to speak of."""
_MOVING: Final = (State.READY, State.EXECUTING, State.UNKNOWN, State.HOLDING)


def play(*, host: str = DEFAULT_HOST, port: int | None = None, folder: Path | None = None) -> None:
    """Serve the demo until Ctrl-C, with the agent at work beside it.

    Without a port the first free one of a few is taken, 0 is any free one; without a folder
    everything is gone afterwards. Raises Conflict `desk_exists` for a folder with a desk in it.
    """
    with ExitStack() as stack:
        stage = set_up(_place(stack, folder))
        stop = threading.Event()
        agents: list[threading.Thread] = []

        def ready(address: str) -> None:
            _welcome(stage, address)
            agents.append(
                threading.Thread(
                    target=_agent_at_work, args=(stage, address, stop), name="agent", daemon=True
                )
            )
            agents[0].start()

        try:
            chosen = _first_free(host) if port is None else port
            run(stage.desk, host=host, port=chosen, console=console_routes, on_ready=ready)
        finally:
            stop.set()
            for agent in agents:
                agent.join(GOODBYE_S_MAX)


def play_headless(*, folder: Path | None = None) -> dict[str, object]:
    """Play the same day with scripted reviewers and say what became of it.

    Raises Conflict `desk_exists` for a folder with a desk in it.
    """
    with ExitStack() as stack:
        stage = set_up(_place(stack, folder), scripted=True)
        stack.callback(stage.desk.close)
        # Nobody of the script thinks again.
        at_once = Door(take_back_ms=0)
        with serving(stage.desk, console=console_routes, door=at_once) as address:
            typer.echo(f"The agent `{AGENT}` works through {len(PLAYBOOK)} tickets:")
            done = _agent_day(stage, address)
            typer.echo("\nThe reviewers decide what waits:")
            refused = rule_on_queue(address, stage.passwords, typer.echo)
            typer.echo("  dana   undo             refund.issue 32.00 USD")
            undo_first(address, stage.passwords["dana"], done["T-102:refund.issue"])
            _until_settled(stage)
            _look_at_console(address)
        return _summary(stage, refused)


def _place(stack: ExitStack, folder: Path | None) -> Path:
    if folder is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handrail-demo-")))
    if holds_desk(folder) or (folder / SANDBOX_FILE).exists():
        raise Conflict(
            "desk_exists",
            f"there is a desk in `{folder}` already; the demo wants a new directory, and"
            f" `handrail serve {folder}` goes on with this one",
        )
    return folder


def _first_free(host: str) -> int:
    """The first of the usual ports that nobody listens on; the last one when all are taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED):
        try:
            socket.create_server((host, port), family=family).close()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
        # What else is wrong with the address is said when it is served.
        return port
    return DEFAULT_PORT + PORTS_TRIED - 1


def _welcome(stage: Stage, address: str) -> None:
    typer.echo(f"\nhandrail demo: {address}\n\nOpen it in a browser and log in as one of these:\n")
    for person in PEOPLE:
        typer.echo(f"  {person.id:<6} {stage.passwords[person.id]:<24} {person.shows}")
    typer.echo(
        f"\nThe agent `{AGENT}` works through {len(PLAYBOOK)} tickets now. Ctrl-C ends it.\n"
    )


def _agent_at_work(stage: Stage, address: str, stop: threading.Event) -> None:
    def pause() -> None:
        if stop.wait(PACE_S):
            raise SystemExit

    try:
        with direct() as http:
            client = Handrail(address, api_key=stage.key, http=http)
            work_through(client, pause=pause, watch=_tell)
        typer.echo("\nThe agent is through its tickets. What waits is yours to decide.")
    except HandrailError as error:
        if not stop.wait(GOODBYE_S_MAX):
            typer.echo(f"the agent stopped: {error}", err=True)


def _tell(visit: Visit, action: Action) -> None:
    typer.echo(f"  {visit.ticket}  {action.kind:<15} {action.state}")


def _agent_day(stage: Stage, address: str) -> dict[str, str]:
    """The agent's whole day at once; the id of each action by ticket and kind."""
    done: dict[str, str] = {}

    def watch(visit: Visit, action: Action) -> None:
        _tell(visit, action)
        done[f"{visit.ticket}:{action.kind}"] = action.id

    with direct() as http:
        client = Handrail(address, api_key=stage.key, http=http)
        work_through(client, pause=lambda: None, watch=watch)
    return done


def _until_settled(stage: Stage) -> None:
    """Wait until nothing is on its way any more."""
    until = time.monotonic() + SETTLE_S_MAX
    while time.monotonic() < until:
        counts = stage.desk.ctx.store.read(lambda tx: tx.counters.of(stage.desk.id))
        if not any(counts.get(f"state:{state.value}") for state in _MOVING):
            return
        time.sleep(0.05)
    raise SetupFailed("internal", "the demo's actions did not settle")


def _look_at_console(address: str) -> None:
    """The console answers, and asks who is there."""
    with direct(address) as http:
        http.get("/", follow_redirects=True).raise_for_status()


def _summary(stage: Stage, refused: int) -> dict[str, object]:
    desk, shop = stage.desk, stage.shop
    note = desk.checkpoint()
    report = desk.verify()
    counts = desk.ctx.store.read(lambda tx: tx.counters.of(desk.id))
    return {
        "states": _named(counts, "state:"),
        "controls": _named(counts, "control:"),
        "money_moved_cents": shop.money_moved("USD"),
        "verdicts_refused": refused,
        "log_verified": report.good,
        "log_size": report.size,
        "checkpoint": note,
    }


def _named(counts: dict[str, int], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): n
        for name, n in sorted(counts.items())
        if name.startswith(prefix) and n
    }


def as_json(summary: dict[str, object]) -> str:
    """The summary on one line."""
    return json.dumps(summary, separators=(",", ":"))
