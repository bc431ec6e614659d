"""A peer that needs no environment of its own: what a runner looks like, with nothing behind it."""

from __future__ import annotations

import sys

from benchmarks.peers.lines import WARM_CALLS, serve

__all__ = ["main"]


def main(way: str) -> None:
    """Serve one operation that works and one that fails, or misbehave in the named way."""
    calls: list[None] = []

    def fail() -> None:
        # not yet while warming up, when every runner has to work
        if len(calls) > WARM_CALLS:
            raise RuntimeError("the store is locked")

    def work() -> None:
        print("a library that prints")
        calls.append(None)

    if way == "dies":
        sys.exit(3)
    if way == "works":
        fail = work
    serve({"auto": work, "approve": fail}, {"system": "stand-in", "way": way})


if __name__ == "__main__":
    main(sys.argv[1])
