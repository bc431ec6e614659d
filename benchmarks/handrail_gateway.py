"""One gateway of several on a PostgreSQL database, in a process of its own.

Run as a module with a desk's folder and the database's address. It is asked, and answers, as
`peers.lines` says, with one operation: `decide`, awaited from one event loop.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.awaiting import await_for
from benchmarks.figures import Figures
from benchmarks.handrail_desk import RefundDesk
from benchmarks.peers.child import Child, start
from benchmarks.peers.lines import say, take_stdout

__all__ = ["Gateways", "start_gateways"]


class Gateways:
    """Running gateways that are measured at the same time."""

    def __init__(self, children: list[Child]) -> None:
        self._children = children

    def decide(self, *, gateways: int, in_flight: int, seconds: float) -> Figures:
        """Decisions of the first so many gateways together, `in_flight` in all.

        Their rates are added; the times are those of the slowest.
        """
        asked = self._children[:gateways]
        with ThreadPoolExecutor(len(asked)) as threads:
            waiting = [
                threads.submit(
                    child.measure, "decide", in_flight=in_flight // len(asked), seconds=seconds
                )
                for child in asked
            ]
            each = [answer.result() for answer in waiting]
        return Figures(
            per_s=sum(one.per_s for one in each),
            p50_ms=max(one.p50_ms for one in each),
            p99_ms=max(one.p99_ms for one in each),
            n=sum(one.n for one in each),
        )


@contextmanager
def start_gateways(folder: Path, store: str, *, count: int) -> Iterator[Gateways]:
    """Gateways on a new desk whose keys lie in `folder`. Raises PeerFailed."""
    RefundDesk.open(folder, store=store).desk.close()
    command = [sys.executable, "-m", "benchmarks.handrail_gateway", str(folder), store]
    with ExitStack() as stack:
        yield Gateways([stack.enter_context(start(command, folder)) for _ in range(count)])


def main(folder: Path, store: str) -> None:
    """Be a gateway until standard input ends."""
    answers = take_stdout()
    with RefundDesk.open(folder, store=store) as refunds:
        refunds.decide()
        say(answers, {"ready": {"system": "handrail"}})
        for line in sys.stdin:
            asked = json.loads(line)
            figures = await_for(
                refunds.decide_soon, in_flight=asked["in_flight"], seconds=asked["seconds"]
            )
            say(answers, figures.as_json())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
