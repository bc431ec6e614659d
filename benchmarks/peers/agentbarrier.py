"""agentbarrier with its SQLite store, set as it is shipped (WAL, FULL).

A protected tool and a policy of two rules. `auto` is one call of it (submit, claim, complete);
`approve` is a call that raises ApprovalRequired, the store's `decide`, and the call again, which is
how the library is meant to be resumed. Each call has an idempotency key of its own.

Many in flight are threads over one store, which locks. A store with its own connection for each
thread, interleaved with this one, four rounds, did 0.88 and 0.75 (auto) and 0.96 and 0.79 (approve)
of it at 8 and 64 in flight. Its asynchronous calls hold the event loop while the database writes,
so they have never more than one in flight.
"""

from __future__ import annotations

import sqlite3
import sys
import uuid
from pathlib import Path
from typing import Any, Final

from agentbarrier import Decision  # type: ignore[import-not-found]
from agentbarrier.errors import ApprovalRequired  # type: ignore[import-not-found]
from agentbarrier.runtime import (  # type: ignore[import-not-found]
    RuntimeBarrier,
    RuntimePolicy,
    SQLiteRuntimeStore,
)

from benchmarks.peers.lines import serve

__all__ = ["main"]

SMALL_CENTS: Final = 40_00
LARGE_CENTS: Final = 120_00
FULL: Final = 2
TOOL: Final = "refund.issue"
POLICY: Final = {
    "version": "1",
    "default": "deny",
    "rules": [
        {
            "name": "small refunds run",
            "tool": TOOL,
            "effect": "allow",
            "conditions": [{"path": "cents", "operator": "le", "value": 50_00}],
        },
        {
            "name": "others wait for a person",
            "tool": TOOL,
            "effect": "require_approval",
            "approval_ttl_seconds": 3600,
        },
    ],
}


def refund(key: str, order: str, cents: int, reason: str) -> dict[str, Any]:
    """The tool."""
    return {"refunded": cents, "order": order}


class Desk:
    """The protected tool over one database file."""

    def __init__(self, file: Path) -> None:
        self.store: Any = SQLiteRuntimeStore(file)
        barrier = RuntimeBarrier(
            policy=RuntimePolicy.from_mapping(POLICY),
            store=self.store,
            namespace="support",
            requested_by="agent",
        )
        self.refund: Any = barrier.protect(refund, tool_name=TOOL, idempotency_key="key")

    def auto(self) -> None:
        """A refund that runs alone."""
        self._must_run(uuid.uuid4().hex, SMALL_CENTS)

    def approve(self) -> None:
        """A refund that waits, is approved, and is called again."""
        key = uuid.uuid4().hex
        try:
            self.refund(key, "A-1001", LARGE_CENTS, "damaged")
        except ApprovalRequired as waiting:
            self.store.decide(waiting.action.action_id, Decision.APPROVE, decided_by="rita")
        else:
            raise RuntimeError("it did not wait")
        self._must_run(key, LARGE_CENTS)

    def about(self) -> dict[str, object]:
        """How the database is set, as it says itself. Raises RuntimeError unless it is durable."""
        # only its own connection knows; the version is locked
        database = self.store._sqlite_connection
        (synchronous,) = database.execute("PRAGMA synchronous").fetchone()
        (journal,) = database.execute("PRAGMA journal_mode").fetchone()
        if synchronous != FULL:
            raise RuntimeError(f"synchronous is {synchronous}, not FULL")
        return {
            "system": "agentbarrier",
            "sqlite": sqlite3.sqlite_version,
            "journal": journal,
            "callers": "threads over one SQLiteRuntimeStore",
        }

    def _must_run(self, key: str, cents: int) -> None:
        done = self.refund(key, "A-1001", cents, "damaged")
        if done["refunded"] != cents:
            raise RuntimeError(f"it did not run: {done}")


def main(folder: Path) -> None:
    """Serve measurements of a desk whose database lies in `folder`."""
    desk = Desk(folder / "agentbarrier.db")
    serve({"auto": desk.auto, "approve": desk.approve}, desk.about())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
