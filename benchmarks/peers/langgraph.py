"""LangGraph with its SQLite store: a graph whose one node asks a person above a threshold.

The smallest graph that does the work, so that the fewest checkpoints are written. `auto` is one
run of it; `approve` is a run up to `interrupt` and a second one with `Command(resume=...)`. Each
call has a thread of conversation (`thread_id`) of its own.

Many in flight are threads over one graph and one `SqliteSaver`, which locks. The other two ways,
interleaved with this one on an idle disk, four rounds, median ratio to it at 1, 8 and 64 in flight:
`AsyncSqliteSaver` with `ainvoke` 0.76, 0.86, 0.89 (auto) and 0.70, 0.88, 0.79 (approve); a saver
with its own connection for each thread 1.04 and 0.88 (auto) and 0.92 and 0.90 (approve) at 8 and
64, with a p99 three to six times as long. So none is faster by more than a run differs from itself.
"""

from __future__ import annotations

import sqlite3
import sys
import uuid
from pathlib import Path
from typing import Any, Final, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver  # type: ignore[import-not-found]
from langgraph.graph import END, START, StateGraph  # type: ignore[import-not-found]
from langgraph.types import Command, interrupt  # type: ignore[import-not-found]

from benchmarks.peers.lines import serve

__all__ = ["main"]

ALONE_CENTS_MAX: Final = 50_00
SMALL_CENTS: Final = 40_00
LARGE_CENTS: Final = 120_00
FULL: Final = 2


class Refund(TypedDict, total=False):
    """The state of the graph: what is asked for, and what came of it."""

    order: str
    cents: int
    reason: str
    receipt: str


def refund(state: Refund) -> Refund:
    """The only node: ask above the threshold, then run the tool."""
    if state["cents"] > ALONE_CENTS_MAX:
        said = interrupt({name: state[name] for name in ("order", "cents", "reason")})
        if said != "approve":
            return {"receipt": ""}
    return {"receipt": f"refunded {state['cents']} on {state['order']}"}


class Desk:
    """The compiled graph over one database file."""

    def __init__(self, file: Path) -> None:
        self.database = sqlite3.connect(file, check_same_thread=False)
        # the saver leaves this to the build of SQLite; said here, so that every one is the same
        self.database.execute("PRAGMA synchronous=FULL")
        graph = StateGraph(Refund)
        graph.add_node("refund", refund)
        graph.add_edge(START, "refund")
        graph.add_edge("refund", END)
        self.graph: Any = graph.compile(checkpointer=SqliteSaver(self.database))

    def auto(self) -> None:
        """A refund that runs alone."""
        self._must_have_run(self._run(_conversation(), _asked(SMALL_CENTS)))

    def approve(self) -> None:
        """A refund that pauses, is approved, resumes and runs."""
        conversation = _conversation()
        paused = self._run(conversation, _asked(LARGE_CENTS))
        if "__interrupt__" not in paused:
            raise RuntimeError(f"it did not pause: {paused}")
        self._must_have_run(self._run(conversation, Command(resume="approve")))

    def about(self) -> dict[str, object]:
        """How the database is set, as it says itself. Raises RuntimeError unless it is durable."""
        (synchronous,) = self.database.execute("PRAGMA synchronous").fetchone()
        (journal,) = self.database.execute("PRAGMA journal_mode").fetchone()
        if synchronous != FULL:
            raise RuntimeError(f"synchronous is {synchronous}, not FULL")
        return {
            "system": "langgraph",
            "sqlite": sqlite3.sqlite_version,
            "journal": journal,
            "callers": "threads over one SqliteSaver",
        }

    def _run(self, conversation: dict[str, Any], given: object) -> dict[str, Any]:
        done: dict[str, Any] = self.graph.invoke(given, conversation, durability="sync")
        return done

    def _must_have_run(self, state: dict[str, Any]) -> None:
        if not state["receipt"].startswith("refunded"):
            raise RuntimeError(f"it did not run: {state}")


def _conversation() -> dict[str, Any]:
    return {"configurable": {"thread_id": str(uuid.uuid4())}}


def _asked(cents: int) -> Refund:
    return {"order": "A-1001", "cents": cents, "reason": "damaged"}


def main(folder: Path) -> None:
    """Serve measurements of a desk whose database lies in `folder`."""
    desk = Desk(folder / "langgraph.db")
    desk.auto()
    serve({"auto": desk.auto, "approve": desk.approve}, desk.about())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
