"""Real agents' recorded calls through the gateway, decided in six ways.

`python -m benchmarks.tau [--traffic FOLDER] [--json] [--misses] [--chart FOLDER]` prints a table
for each set, the curve and what the checks caught; with `--json` one object and nothing else, with
`--misses` the wrong writes against which nothing speaks. `--chart` draws the curve into a folder,
as SVG with a table beside it. What was replayed is said on stderr. Exit status 0; 1 when the rig
itself went wrong, so that the numbers do not count; 2 for traffic that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tau.chart import write_chart
from benchmarks.tau.client import BackendWrong, start_backend
from benchmarks.tau.gateway import Passed, WentWrong, replay_all
from benchmarks.tau.outcome import Outcome
from benchmarks.tau.report import as_text, curve, misses_table
from benchmarks.tau.score import (
    ALL,
    Catch,
    Judged,
    Score,
    Tally,
    as_json,
    catches,
    judge_all,
    load_labels,
    score_set,
    tally,
    tally_of,
    unmarked,
)
from benchmarks.tau.strategies import Strategy
from benchmarks.tau.traffic import Traffic, TrafficInvalid, pick_traffic
from benchmarks.tau.venv import VenvFailed
from handrail.errors import HandrailError

__all__ = ["Measured", "main", "measure"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = _options(arguments)
    try:
        traffic = pick_traffic(options.traffic)
        print(traffic.origin, file=sys.stderr)
        found = measure(traffic)
    except (TrafficInvalid, VenvFailed) as error:
        print(str(error), file=sys.stderr)
        return 2
    except (WentWrong, BackendWrong, HandrailError, ConnectionError) as error:
        print(f"the rig itself failed, so nothing was measured: {error}", file=sys.stderr)
        return 1
    nobody = sum(one.customer is None for one in traffic.conversations)
    print(
        f"{nobody} of {len(traffic.conversations)} conversations name no customer:"
        " their tasks may touch any",
        file=sys.stderr,
    )
    if options.chart is not None:
        write_chart(options.chart, curve(found.scores[ALL], found.tallies[ALL]))
    if options.json:
        print(json.dumps(as_json(found.tallies, found.scores, found.caught)))
    elif options.misses:
        print(misses_table(found.unmarked))
    else:
        print(as_text(found.tallies, found.scores, found.caught))
    return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What came out: the sets and `all` of them together, each with a score for every strategy."""

    tallies: dict[str, Tally]
    scores: dict[str, dict[str, Score]]
    caught: dict[str, dict[str, Catch]]
    """What each check spoke against, by strategy."""
    unmarked: list[Judged]
    """Wrong writes against which nothing speaks under `handrail`."""


def measure(traffic: Traffic) -> Measured:
    """What every set contains, and the score of every strategy on it, by set and strategy.

    Raises TrafficInvalid for labels that cannot be read, VenvFailed, and WentWrong.
    """
    labels = load_labels(traffic.folder)
    tallies = tally(traffic.conversations, labels)
    scores: dict[str, dict[str, Score]] = {name: {} for name in (*tallies, ALL)}
    outcomes: dict[Strategy, dict[str, Outcome]] = {one: {} for one in Strategy}
    with start_backend() as backend:
        for name in tallies:
            members = [one for one in traffic.conversations if one.set == name]
            for strategy in Strategy:
                passed = replay_all(backend, members, strategy)
                _say_drift(name, strategy, passed)
                found = {one.call_id: one.outcome for one in passed}
                scores[name][strategy.value] = score_set(members, labels, found)
                outcomes[strategy] |= found
    everything = traffic.conversations
    judged = {one: judge_all(everything, labels, outcomes[one]) for one in Strategy}
    for strategy in Strategy:
        scores[ALL][strategy.value] = score_set(everything, labels, outcomes[strategy])
    return Measured(
        tallies={**tallies, ALL: tally_of(everything, labels)},
        scores=scores,
        caught={one.value: catches(judged[one]) for one in Strategy},
        unmarked=unmarked(judged[Strategy.HANDRAIL]),
    )


def _say_drift(name: str, strategy: Strategy, passed: Sequence[Passed]) -> None:
    drifted = [one.call_id for one in passed if one.drifted]
    if drifted:
        said = f"{name}, {strategy.value}: the shop did otherwise than recorded with"
        print(f"{said} {', '.join(drifted)}; see benchmarks.tau.direct", file=sys.stderr)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tau", description=__doc__)
    parser.add_argument("--traffic", type=Path, help="folder of trajectories.jsonl, labels.jsonl")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--misses", action="store_true", help="only what nothing speaks against")
    parser.add_argument("--chart", type=Path, help="folder for measured-case.svg and .md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
