"""Real agents' recorded calls through the gateway, decided in four ways.

`python -m benchmarks.tau [--traffic FOLDER] [--json]` prints a table for each set, or with `--json`
one object and nothing else. What was replayed is said on stderr. Exit status 0; 1 when the rig
itself went wrong, so that the numbers do not count; 2 for traffic that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.tau.client import BackendWrong, start_backend
from benchmarks.tau.gateway import Passed, WentWrong, replay_all
from benchmarks.tau.score import Score, Tally, as_json, load_labels, score_set, tally
from benchmarks.tau.strategies import Strategy
from benchmarks.tau.traffic import Traffic, TrafficInvalid, pick_traffic
from benchmarks.tau.venv import VenvFailed
from handrail.errors import HandrailError

__all__ = ["main", "measure"]

_COLUMNS: Final = (
    ("strategy", 10),
    ("judged", 7),
    ("alone", 6),
    ("held", 6),
    ("refused", 8),
    ("per 1,000", 10),
    ("| wrong: alone", 15),
    ("USD", 11),
    ("held", 6),
    ("USD", 11),
    ("refused", 8),
    ("flagged USD", 12),
    ("| right refused", 16),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = _options(arguments)
    try:
        traffic = pick_traffic(options.traffic)
        print(traffic.origin, file=sys.stderr)
        tallies, scores = measure(traffic)
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
    print(json.dumps(as_json(tallies, scores)) if options.json else _text(tallies, scores))
    return 0


def measure(traffic: Traffic) -> tuple[dict[str, Tally], dict[str, dict[str, Score]]]:
    """What every set contains, and the score of every strategy on it, by set and strategy.

    Raises TrafficInvalid for labels that cannot be read, VenvFailed, and WentWrong.
    """
    labels = load_labels(traffic.folder)
    tallies = tally(traffic.conversations, labels)
    scores: dict[str, dict[str, Score]] = {}
    with start_backend() as backend:
        for name in tallies:
            members = [one for one in traffic.conversations if one.set == name]
            scores[name] = {}
            for strategy in Strategy:
                passed = replay_all(backend, members, strategy)
                _say_drift(name, strategy, passed)
                outcomes = {one.call_id: one.outcome for one in passed}
                scores[name][strategy.value] = score_set(members, labels, outcomes)
    return tallies, scores


def _say_drift(name: str, strategy: Strategy, passed: Sequence[Passed]) -> None:
    drifted = [one.call_id for one in passed if one.drifted]
    if drifted:
        said = f"{name}, {strategy.value}: the shop did otherwise than recorded with"
        print(f"{said} {', '.join(drifted)}; see benchmarks.tau.direct", file=sys.stderr)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tau", description=__doc__)
    parser.add_argument("--traffic", type=Path, help="folder of trajectories.jsonl, labels.jsonl")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    return parser.parse_args(arguments)


def _text(tallies: Mapping[str, Tally], scores: Mapping[str, Mapping[str, Score]]) -> str:
    lines: list[str] = []
    for name, counted in tallies.items():
        lines += [
            f"{name}: {counted.trajectories} conversations, {counted.calls} calls,"
            f" {counted.writes} writes; {counted.wrong} writes are wrong, the shop accepts"
            f" {counted.wrong_accepted} of them and gives away"
            f" {_usd(counted.wrong_to_customer_cents)} USD by them",
            _row([title for title, _ in _COLUMNS]),
            *(_row(_cells(strategy, found)) for strategy, found in scores[name].items()),
            "",
        ]
    return "\n".join(lines).rstrip()


def _row(cells: Sequence[str]) -> str:
    first, *rest = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, (_, width)) in enumerate(zip(cells, _COLUMNS, strict=True))
    )
    return "".join([first, *rest])


def _cells(strategy: str, found: Score) -> list[str]:
    return [
        strategy,
        str(found.judged_calls),
        str(found.ran_alone),
        str(found.held),
        str(found.refused),
        str(found.interruptions_per_1000),
        str(found.wrong_ran_alone),
        _usd(found.wrong_ran_alone_cents),
        str(found.wrong_held),
        _usd(found.wrong_held_cents),
        str(found.wrong_refused),
        _usd(found.wrong_flagged_cents),
        str(found.right_refused),
    ]


def _usd(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02d}"


if __name__ == "__main__":
    sys.exit(main())
