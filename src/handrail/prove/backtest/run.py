"""Run a policy over a file of recorded traffic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from handrail.core.policy import Policy
from handrail.engine.context import Rulebook
from handrail.errors import NotFound
from handrail.prove.backtest.replay import ANSWER_MS, Replay
from handrail.prove.backtest.tally import Forecast
from handrail.prove.backtest.traffic import Recorded, chunks_of, read_lines

__all__ = ["backtest"]


def backtest(policy: Policy, traffic: Path, *, answer_ms: int = ANSWER_MS) -> Forecast:
    """What `policy` would have done with the traffic in a file.

    Raises InvalidInput `traffic_malformed` with the line's number, and NotFound `traffic_not_found`
    for a file that cannot be read.
    """
    replay = Replay(Rulebook(policy), answer_ms=answer_ms)
    for records in _records(traffic):
        replay.feed(records)
    return replay.outcome()


def _records(traffic: Path) -> Iterator[list[Recorded]]:
    first = 1
    try:
        with traffic.open("rb") as file:
            for chunk in chunks_of(file):
                records = read_lines(chunk, first)
                first += len(records)
                yield records
    except OSError as error:
        raise NotFound("traffic_not_found", f"`{traffic}`: {error.strerror}") from error
