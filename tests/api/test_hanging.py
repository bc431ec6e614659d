"""A connector that never comes back takes one thread with it, and nothing else."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from handrail.connectors.protocol import Found, Receipt
from handrail.errors import Unavailable
from handrail.surfaces.api import crew as crews
from handrail.surfaces.api.crew import HANG_S as LOST_S
from handrail.surfaces.api.crew import Crew
from handrail.surfaces.api.runner import THREADS
from tests.api.stage import Stage, staged
from tests.engine.connectors import Execute, Front
from tests.patience import HANG_S, wait_until


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What hangs comes back once this is set; at the end it always is."""
    opened = threading.Event()
    yield opened
    opened.set()


@pytest.fixture
def crew() -> Iterator[Crew]:
    """Two threads that count as lost after a fifth of a second."""
    made = Crew("test", 2, hang_s=0.2)
    made.start()
    yield made
    made.stop()


def _hang(gate: threading.Event) -> None:
    gate.wait()


def test_the_line_goes_on_behind_what_hangs(crew: Crew, gate: threading.Event) -> None:
    """Both threads hang; two others take their place, and the lost ones go home when back."""
    for _ in range(2):
        crew.put(lambda: _hang(gate))
    went_on = threading.Event()
    crew.put(went_on.set)
    assert not went_on.wait(0.3)

    def both_are_lost() -> bool:
        crew.mend()
        return crew.lost == 2

    wait_until(both_are_lost)
    assert went_on.wait(HANG_S)
    assert crew.lost == 2
    gate.set()
    wait_until(lambda: not crew.lost)
    assert crew.ask(lambda: 7, within_s=HANG_S) == 7


def test_a_caller_waits_for_a_bounded_time(crew: Crew, gate: threading.Event) -> None:
    """From the event loop and from a thread: no answer in time is an error with a code."""
    with pytest.raises(Unavailable, match="did not answer in time"):
        asyncio.run(crew.call(gate.wait))
    crew.mend()
    with pytest.raises(Unavailable, match="did not answer in time"):
        crew.ask(gate.wait, within_s=0.05)


def test_what_a_call_raises_is_raised() -> None:
    """An error of the work itself comes through, a TimeoutError too."""

    def fail() -> None:
        raise TimeoutError("its own")

    crew = Crew("test", 1, hang_s=HANG_S)
    crew.start()
    with pytest.raises(TimeoutError, match="its own"):
        asyncio.run(crew.call(fail))
    with pytest.raises(TimeoutError, match="its own"):
        crew.ask(fail, within_s=HANG_S)
    crew.stop()


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """A front to the embedded desk of `stage`."""
    made = Front(tmp_path / "desk.db")
    yield made
    made.close()


@pytest.fixture
def stage(tmp_path: Path, front: Front) -> Iterator[Stage]:
    """A served desk behind `front`."""
    with staged(tmp_path / "desk", connectors={"desk": front}) as opened:
        yield opened


def test_hung_calls_do_not_stop_the_others(
    stage: Stage, front: Front, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More calls hang than there are threads, and a look-up too: a later refund still runs."""

    def lost(execute: Execute) -> Receipt:
        raise TimeoutError

    def hangs(execute: Execute) -> Receipt:
        gate.wait()
        raise TimeoutError

    def never(look: object) -> Found:
        gate.wait()
        raise TimeoutError

    task = stage.task()
    amounts = {"order": "O-5001", "amount": "1.00 USD", "reason": "damaged"}
    front.doing, front.looking = lost, never
    stage.propose(task, "refund.issue", amounts)
    wait_until(lambda: front.lookups)
    front.doing = hangs
    for cents in range(1, 10):
        more = amounts | {"amount": f"1.0{cents} USD"}
        assert stage.propose(task, "refund.issue", more)["state"] == "EXECUTING"
    wait_until(lambda: len(front.calls) == 1 + THREADS)
    front.doing = lambda execute: execute()
    now = time.monotonic
    monkeypatch.setattr(crews, "time", SimpleNamespace(monotonic=lambda: now() + LOST_S))
    made = stage.propose(task, "refund.issue", amounts | {"amount": "2.00 USD"}, wait_ms=30_000)
    assert made["state"] == "SUCCEEDED"
    assert "handrail_calls_hanging" in stage.http.get("/metrics").text
