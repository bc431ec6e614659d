"""The newest of a desk's record, for a backtest that has to answer in seconds."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

import handrail
from handrail.prove.backtest import record
from handrail.prove.backtest.record import newest_of, page_of
from handrail.prove.backtest.traffic import Recorded
from tests.console.scene import MovableClock


def test_newest_are_the_end_of_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many from the end, in the order of time, over several pages; none older than `since`."""
    clock = MovableClock()
    monkeypatch.setattr(record, "PAGE", 3)
    desk = handrail.open(tmp_path / "desk", clock=clock)
    try:
        desk.person("lee", roles=("reviewer",))
        desk.agent("scout", owner="lee")
        task = desk.task(ticket="T-101", agent="scout")
        for number in range(10):
            clock.ahead_ms += 1_000
            desk.propose(task, "kb.search", {"query": f"question {number}"})

        def newest(most: int, since: int = 0) -> list[Recorded]:
            return desk.ctx.store.read(
                lambda tx: newest_of(tx, "main", most=most, content=True, since=since)
            )

        everything: list[Recorded] = []
        after: str | None = ""
        while after is not None:
            look = partial(page_of, desk="main", after=after, content=True)
            found, after = desk.ctx.store.read(look)
            everything += found
        assert len(everything) == 10
        assert newest(100) == everything
        assert newest(4) == everything[-4:]
        assert newest(3) == everything[-3:]
        assert newest(100, since=everything[5].at) == everything[5:]
        assert newest(2, since=everything[5].at) == everything[-2:]
        assert newest(100, since=clock() + 1) == []
    finally:
        desk.close()
