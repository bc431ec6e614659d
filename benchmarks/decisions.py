"""Durable decisions a second: `python -m benchmarks.decisions` (`make bench`).

handrail in process and over HTTP, and beside it, in the same interleaved rounds and on the same
disk, the systems in `peers`. What each row is stands in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.cases import CONNECTIONS, Parts, measurings
from benchmarks.consoles import case_page, tell_consoles
from benchmarks.figures import Figures
from benchmarks.handrail_depth import deepen, queue_page, verify
from benchmarks.handrail_desk import RefundDesk
from benchmarks.handrail_server import Server, start_server
from benchmarks.load import LoadFailed
from benchmarks.peers.child import PeerFailed, start_peer
from benchmarks.probe import NotADisk, fdatasync, scratch
from benchmarks.report import Measured, text
from benchmarks.rounds import run_rounds
from benchmarks.tau.venv import VenvFailed
from benchmarks.venv import peers

__all__ = ["FULL", "QUICK", "Effort", "at_least_one", "main", "measure", "more_than_zero"]

EXIT_FAILED: Final = 2
MILLION: Final = 1_000_000
VERIFY_TURNS: Final = 3
DEEP: Final = "deep"
"""Folder of the desk with much behind it."""
LOAD_S_MAX: Final = 5.0
LOAD_PER_S: Final = 10_000
"""About how many decisions a second a load asks for: it is not cut short, so rather too few."""

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is done.

    `rounds` of `seconds` for each case; a desk with `pending` actions that wait and `entries` in
    its log; a server that has decided `decisions` times before its memory is looked at.
    """

    rounds: int
    seconds: float
    pending: int
    entries: int
    decisions: int
    peers: bool = True


FULL: Final = Effort(rounds=5, seconds=0.8, pending=100_000, entries=MILLION, decisions=100_000)
QUICK: Final = Effort(rounds=1, seconds=0.3, pending=5_000, entries=50_000, decisions=5_000)


def measure(effort: Effort, tell: Tell) -> Measured:
    """Measure everything once through. `tell` gets a line now and then.

    Raises NotADisk, VenvFailed, PeerFailed and LoadFailed; a run with holes compares nothing.
    """
    with scratch() as folder, _running(folder, effort, tell) as parts:
        # before the rounds, which decide on the deep desk too
        tell(f"the queue, with {effort.pending:,} waiting")
        queue = queue_page(parts.deep, seconds=effort.seconds)
        tell(f"the log of {effort.entries:,} entries, verified")
        verified = verify(parts.deep, folder / DEEP, turns=VERIFY_TURNS)
        tell(f"the page of a case, with {effort.pending:,} waiting")
        case = case_page(parts.deep, seconds=effort.seconds)
        rounds = run_rounds(
            measurings(parts, seconds=effort.seconds),
            rounds=effort.rounds,
            probe=partial(fdatasync, folder, seconds=effort.seconds / 8),
            tell=tell,
        )
        tell("the queue's stream, to many open consoles")
        told = tell_consoles(parts.server, rounds=effort.rounds, seconds=3 * effort.seconds)
        tell(f"{effort.decisions:,} decisions over HTTP")
        load = _decide_many(parts.server, effort)
        return Measured(
            rounds=rounds,
            queue=queue,
            case=case,
            told=told,
            verified=verified,
            load=load,
            resident_mb=parts.server.resident_mb(),
            pending=effort.pending,
            entries=effort.entries,
            decisions=effort.decisions,
        )


@contextmanager
def _running(folder: Path, effort: Effort, tell: Tell) -> Iterator[Parts]:
    with ExitStack() as stack:
        # the peers first: building their environments may take a minute, or fail
        names = peers() if effort.peers else []
        started = {name: stack.enter_context(start_peer(name, folder)) for name in names}
        parts = Parts(
            folder=folder,
            refunds=stack.enter_context(RefundDesk.open(folder / "desk")),
            guarded=stack.enter_context(RefundDesk.open_guarded(folder / "guarded")),
            shipped=stack.enter_context(RefundDesk.open_shipped(folder / "shipped")),
            deep=stack.enter_context(RefundDesk.open(folder / DEEP)),
            server=stack.enter_context(start_server(folder / "served")),
            peers=started,
        )
        tell(f"a desk with {effort.pending:,} waiting and {effort.entries:,} entries in its log")
        deepen(parts.deep, pending=effort.pending, entries=effort.entries)
        yield parts


def _decide_many(server: Server, effort: Effort) -> Figures:
    """Batches until the server has decided so often, the rounds not counted."""
    done: list[Figures] = []
    left = effort.decisions
    while left > 0:
        seconds = min(LOAD_S_MAX, max(effort.seconds, left / LOAD_PER_S))
        done.append(server.decide_batch(connections=CONNECTIONS, seconds=seconds))
        left -= done[-1].n
    return Figures.median(done)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    asked = _parser().parse_args(arguments)
    effort = QUICK if asked.quick else FULL
    effort = replace(
        effort,
        rounds=asked.rounds or effort.rounds,
        seconds=asked.seconds or effort.seconds,
        decisions=MILLION if asked.million else effort.decisions,
        peers=not asked.no_peers,
    )
    try:
        measured = measure(effort, tell=lambda line: print(line, file=sys.stderr, flush=True))
    except (NotADisk, VenvFailed, PeerFailed, LoadFailed) as error:
        print(f"benchmarks.decisions: {error}", file=sys.stderr)
        return EXIT_FAILED
    print(json.dumps(measured.document()) if asked.json else text(measured))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decisions", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.add_argument("--rounds", type=at_least_one, metavar="N", help="how often each case")
    parser.add_argument("--seconds", type=more_than_zero, metavar="S", help="how long each time")
    parser.add_argument("--quick", action="store_true", help="one short round, a shallow desk")
    parser.add_argument("--no-peers", action="store_true", help="handrail alone")
    parser.add_argument(
        "--million",
        action="store_true",
        help="look at the server's memory after a million decisions, not 100,000 (minutes more)",
    )
    return parser


def at_least_one(said: str) -> int:
    """A number of rounds on the command line."""
    value = int(said)
    if value < 1:
        raise ValueError(f"`{said}` rounds")
    return value


def more_than_zero(said: str) -> float:
    """A number of seconds on the command line."""
    value = float(said)
    if not 0 < value < float("inf"):
        raise ValueError(f"`{said}` seconds")
    return value


if __name__ == "__main__":
    sys.exit(main())
