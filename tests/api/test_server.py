"""The server as a process: it comes up, stops when told, and survives being killed."""

from __future__ import annotations

import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

import handrail
from handrail.connectors.sandbox import Sandbox
from handrail.core.lifecycle import FINAL, State
from handrail.core.proposal import Proposal
from handrail.errors import SetupFailed
from handrail.surfaces.embedded import Desk
from handrail.surfaces.server import run, serving
from tests.api.process import ServerProcess, quick_policy, served_apart
from tests.patience import HANG_S, wait_until

CENTS: Final = 100
SENDERS: Final = 4
ROUNDS: Final = 3


def refund(key: str) -> dict[str, Any]:
    """A refund of one dollar, from an order that has thousands left."""
    params = {"order": "O-5005", "amount": "1.00 USD", "reason": "damaged"}
    return {"kind": "refund.issue", "params": params, "key": key}


def every_action(desk: Desk) -> list[Proposal]:
    """All actions of the desk."""
    return desk.ctx.store.read(lambda tx: tx.proposals.page(desk.id, after="", most=100_000))


def recovered(folder: Path) -> Desk:
    """Open the folder again, and do what is due until nothing is under way."""
    desk = handrail.open(folder, policy=quick_policy())
    until = time.monotonic() + HANG_S
    while any(one.state not in FINAL for one in every_action(desk)) and time.monotonic() < until:
        desk.work()
    return desk


def money_moved(desk: Desk) -> int:
    """What the embedded desk has really paid back, in cents."""
    connector = desk.ctx.connectors["desk"]
    assert isinstance(connector, Sandbox)
    return connector.money_moved("USD")


def send_until(stop: threading.Event, server: ServerProcess, name: str, seen: list[str]) -> None:
    """Refund after refund; the ids that were acknowledged."""
    number = 0
    try:
        with server.client() as client:
            while not stop.is_set():
                number += 1
                answer = client.post("/v1/proposals", json=refund(f"{name}-{number}"))
                if answer.status_code == 200:
                    seen.append(answer.json()["id"])
    except httpx.HTTPError:
        return  # the server is gone: that is the story


def wait_for_more(seen: list[str]) -> None:
    """Wait until more were acknowledged than there are senders."""
    before = len(seen)
    wait_until(lambda: len(seen) > before + SENDERS)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly(tmp_path: Path, how: signal.Signals) -> None:
    """Told to stop, it answers who waits, finishes what runs, closes the desk and exits with 0."""
    with served_apart(tmp_path) as server, server.client() as client:
        held = client.post("/v1/proposals", json={"kind": "no.such", "params": {}}).json()
        answers: list[httpx.Response] = []

        def wait() -> None:
            path = f"/v1/proposals/{held['id']}?wait_ms=30000"
            answers.append(httpx.get(server.address + path, headers=server.headers, timeout=HANG_S))

        waiting = threading.Thread(target=wait)
        waiting.start()
        wait_until(lambda: "handrail_callers_waiting 1.0" in client.get("/metrics").text)
        for number in range(20):
            client.post("/v1/proposals", json=refund(f"{number}"))
        assert server.end(how) == 0
        waiting.join(HANG_S)
        assert answers[0].json()["state"] == "PENDING"
    with handrail.open(tmp_path, policy=quick_policy()) as desk:
        states = [one.state for one in every_action(desk)]
        assert states.count(State.SUCCEEDED) == 20
        assert states.count(State.PENDING) == 1
        assert desk.work().total == 0
        assert money_moved(desk) == 20 * CENTS
        assert desk.verify().good


def test_killed_under_load(tmp_path: Path) -> None:
    """kill -9 in the middle: nothing acknowledged is lost, nothing is done twice, the log is whole.

    Three times over the same desk, at different moments.
    """
    acknowledged: list[str] = []
    for round in range(ROUNDS):
        stop = threading.Event()
        with served_apart(tmp_path) as server:
            senders = [
                threading.Thread(
                    target=send_until, args=(stop, server, f"{round}-{number}", acknowledged)
                )
                for number in range(SENDERS)
            ]
            for sender in senders:
                sender.start()
            wait_for_more(acknowledged)
            time.sleep(0.25 + 0.17 * round)
            assert server.end(signal.SIGKILL) == -signal.SIGKILL
            stop.set()
            for sender in senders:
                sender.join(HANG_S)
    with recovered(tmp_path) as desk:
        actions = {one.id: one for one in every_action(desk)}
        assert len(acknowledged) > ROUNDS * SENDERS
        assert set(acknowledged) <= set(actions)
        assert {one.state for one in actions.values()} == {State.SUCCEEDED}
        assert money_moved(desk) == len(actions) * CENTS
        report = desk.verify()
        assert report.good, report.findings
        assert report.proposals == len(actions)


def test_client_that_hangs_up(tmp_path: Path) -> None:
    """Requests whose sender is gone before the answer are done all the same, once."""
    with served_apart(tmp_path) as server:
        host, port = server.address.removeprefix("http://").split(":")
        for number in range(10):
            body = httpx.Request("POST", server.address, json=refund(f"{number}")).content
            head = (
                f"POST /v1/proposals HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n"
                f"authorization: {server.headers['authorization']}\r\n\r\n"
            )
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(head.encode() + body)
        with server.client() as client:
            again = [client.post("/v1/proposals", json=refund(f"{n}")).json() for n in range(10)]
            for one in again:
                done = client.get(f"/v1/proposals/{one['id']}?wait_ms=30000").json()
                assert done["state"] == "SUCCEEDED"
        assert server.end(signal.SIGTERM) == 0
    with handrail.open(tmp_path, policy=quick_policy()) as desk:
        assert len(every_action(desk)) == 10
        assert money_moved(desk) == 10 * CENTS


def test_port_that_is_taken(tmp_path: Path) -> None:
    """It says so, by code, and the desk is closed again."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SetupFailed, match="port_in_use"):
            run(handrail.open(tmp_path), port=port)
    with handrail.open(tmp_path) as desk:
        assert desk.verify().good


@pytest.mark.parametrize(("host", "port"), [("not a host", 0), ("127.0.0.1", 70_000)])
def test_address_that_makes_no_sense(tmp_path: Path, host: str, port: int) -> None:
    """A host or port that cannot be is a wrong setting."""
    with (
        handrail.open(tmp_path) as desk,
        pytest.raises(SetupFailed, match="setting_malformed"),
        serving(desk, host=host, port=port),
    ):
        raise AssertionError("it must not come up")


def test_desk_stays_open_beside_a_server(tmp_path: Path) -> None:
    """The program that serves in a thread goes on using its desk, during and after."""
    with handrail.open(tmp_path, policy=quick_policy()) as desk:
        task = desk.task(customers=["C-1005"])
        with serving(desk) as address:
            assert httpx.get(f"{address}/readyz", timeout=HANG_S).json()["ready"]
            assert (
                desk.propose(task, "refund.issue", refund("x")["params"]).state is State.SUCCEEDED
            )
        assert desk.propose(task, "refund.issue", refund("y")["params"]).state is State.SUCCEEDED
        assert desk.verify().good
