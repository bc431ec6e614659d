"""The demo ended before its time: by Ctrl-C, and by kill -9 in the middle of its work."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import handrail
from handrail.core.lifecycle import State
from tests.cli.shell import run, serving, start
from tests.patience import HANG_S


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_cleanly(tmp_path: Path, end: signal.Signals) -> None:
    """Exit status 0, no complaint of the agent's, and nothing left behind."""
    with serving("demo", "--port", "0", more={"TMPDIR": str(tmp_path)}) as (process, _):
        assert process.stdout is not None
        assert process.stderr is not None
        assert any(b"T-101" in line for line in process.stdout)
        process.send_signal(end)
        assert process.wait(HANG_S) == 0
        assert process.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lines", [1, 20])
def test_killed_demo_leaves_a_whole_desk(tmp_path: Path, lines: int) -> None:
    """After kill -9 at any point the log verifies, and the desk goes on where it stopped."""
    folder = tmp_path / "desk"
    with start("demo", "--headless", "--directory", folder) as process:
        assert process.stdout is not None
        for _ in range(lines):
            assert process.stdout.readline()
        process.kill()
    done = run("log", "verify", folder)
    assert (done.returncode, done.stderr) == (0, "")
    with handrail.open(folder) as desk:
        desk.work()
        counts = desk.ctx.store.read(lambda tx: tx.counters.of(desk.id))
        assert not counts.get(f"state:{State.READY.value}")
        assert desk.verify().good
