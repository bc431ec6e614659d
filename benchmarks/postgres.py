"""Durable decisions on PostgreSQL, several gateways: `python -m benchmarks.postgres`.

Beside a bare loop on the same server, in the same interleaved rounds: one row, one commit, one
connection. The server is a real one, from the wheel that the tests use, on the repository's disk.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import psycopg

from benchmarks.callers import call_for
from benchmarks.decisions import at_least_one, more_than_zero
from benchmarks.handrail_gateway import Gateways, start_gateways
from benchmarks.peers.child import PeerFailed
from benchmarks.probe import NotADisk, fdatasync, scratch
from benchmarks.rounds import Case, Measuring, Rounds, run_rounds
from tests.store.server import Server

__all__ = ["BARE", "GATEWAYS", "main", "measure", "text"]

EXIT_FAILED: Final = 2
IN_FLIGHT: Final = 64
GATEWAYS: Final = {
    n: Case("handrail", f"decide, {n} gateway{'s' * (n > 1)}", IN_FLIGHT) for n in (1, 2)
}
BARE: Final = Case("postgresql", "insert + commit", 1)
WANTED: Final = 1.0
"""Decisions of two gateways over bare commits: 1,000/s where a bare loop does 1,000/s."""
ROW: Final = "x" * 200

Tell = Callable[[str], None]


def measure(*, rounds: int, seconds: float, tell: Tell = lambda line: None) -> Rounds:
    """Measure each case in every round. Raises NotADisk and PeerFailed."""
    with scratch() as folder, _server(folder) as server, ExitStack() as stack:
        place = folder / "desk"
        place.mkdir()
        store = server.address("measured")
        running = stack.enter_context(start_gateways(place, store, count=max(GATEWAYS)))
        db = stack.enter_context(psycopg.connect(server.address("bare"), autocommit=True))
        db.execute("CREATE TABLE bare (id bigint PRIMARY KEY, body text NOT NULL)")
        return run_rounds(
            _measurings(running, db, seconds),
            rounds=rounds,
            probe=partial(fdatasync, folder, seconds=seconds / 8),
            tell=tell,
        )


def text(rounds: Rounds) -> str:
    """The table, and what became of the target."""
    ratio = rounds.ratio(GATEWAYS[2], BARE)
    word = "reached" if ratio.median >= WANTED else "missed"
    said = f"decide, 2 gateways: {ratio.median:.2f} times insert + commit"
    return f"{rounds.text()}\n\n{word:8} {said} ({ratio.low:.2f} to {ratio.high:.2f})"


@contextmanager
def _server(folder: Path) -> Iterator[Server]:
    """A server with its files in `folder`, whoever it must run as."""
    folder.chmod(0o755)
    place = folder / "pg"
    place.mkdir()
    server = Server(place)
    try:
        yield server
    finally:
        server.stop()


def _measurings(
    running: Gateways, db: psycopg.Connection[tuple[object, ...]], seconds: float
) -> dict[Case, Measuring]:
    numbers = itertools.count()

    def insert() -> None:
        db.execute("INSERT INTO bare VALUES (%s, %s)", (next(numbers), ROW), prepare=True)

    found: dict[Case, Measuring] = {
        BARE: partial(call_for, insert, in_flight=1, seconds=seconds),
    }
    for count, case in GATEWAYS.items():
        found[case] = partial(running.decide, gateways=count, in_flight=IN_FLIGHT, seconds=seconds)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.postgres", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.add_argument("--rounds", type=at_least_one, default=5, metavar="N")
    parser.add_argument("--seconds", type=more_than_zero, default=2.0, metavar="S")
    asked = parser.parse_args(arguments)
    tell = partial(print, file=sys.stderr, flush=True)
    try:
        rounds = measure(rounds=asked.rounds, seconds=asked.seconds, tell=tell)
    except (NotADisk, PeerFailed) as error:
        print(f"benchmarks.postgres: {error}", file=sys.stderr)
        return EXIT_FAILED
    print(json.dumps(rounds.document()) if asked.json else text(rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
