"""What is measured in every round, in which order, and with what.

Systems that are compared on the same work follow each other, so that they meet the same disk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from benchmarks.awaiting import await_for
from benchmarks.callers import call_for
from benchmarks.figures import Figures
from benchmarks.handrail_desk import RefundDesk
from benchmarks.handrail_server import BATCH, Server, answered
from benchmarks.load import JsonPost, drive
from benchmarks.peers.child import Child
from benchmarks.rounds import Case, Measuring

__all__ = [
    "APPROVE",
    "BATCHED",
    "CHECKED",
    "CONNECTIONS",
    "DECIDE",
    "DEEP_LOG",
    "EMPTY_ASYNC",
    "EMPTY_DEF",
    "EMPTY_LOG",
    "GUARDED",
    "HTTP",
    "IN_FLIGHT",
    "OURS",
    "Parts",
    "measurings",
    "of_peer",
]

OURS: Final = "handrail"
IN_FLIGHT: Final = (1, 8, 64)
CONNECTIONS: Final = 32
WARM_S: Final = 0.1

DECIDE: Final = {n: Case(OURS, "decide", n) for n in IN_FLIGHT}
EXECUTE: Final = {n: Case(OURS, "decide+execute", n) for n in IN_FLIGHT}
APPROVE: Final = {n: Case(OURS, "approve", n) for n in IN_FLIGHT}
GUARDED: Final = Case(OURS, "decide, every cap", 64)
CHECKED: Final = Case(OURS, "approve, maker-checker", 64)
SHIPPED: Final = {n: Case(OURS, "decide, as shipped", n) for n in (1, 64)}
EMPTY_LOG: Final = Case(OURS, "decide, empty log", 64)
DEEP_LOG: Final = Case(OURS, "decide, deep log", 64)
HTTP: Final = Case(OURS, "http decide", CONNECTIONS)
BATCHED: Final = Case(OURS, f"http batch of {BATCH}", CONNECTIONS)
EMPTY_ASYNC: Final = Case("fastapi", "http empty async def", CONNECTIONS)
EMPTY_DEF: Final = Case("fastapi", "http empty def", CONNECTIONS)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that is running. `peers` are by name, and may be left out.

    `folder` is where desks that live for one measurement are made.
    """

    folder: Path
    refunds: RefundDesk
    guarded: RefundDesk
    shipped: RefundDesk
    deep: RefundDesk
    server: Server
    peers: dict[str, Child]


def of_peer(name: str, operation: str, in_flight: int) -> Case:
    """The case of LangGraph or agentbarrier: `auto` or `approve`."""
    return Case(name, operation, in_flight)


def measurings(parts: Parts, *, seconds: float) -> dict[Case, Measuring]:
    """Every case in its order, each to be measured for `seconds`."""
    found: dict[Case, Measuring] = {}
    for in_flight in IN_FLIGHT:
        found |= _in_process(parts, in_flight, seconds)
    guarded = parts.guarded
    found[GUARDED] = _ours(guarded.decide, guarded.decide_soon, 64, seconds)
    found[CHECKED] = _ours(guarded.approve, guarded.approve_soon, 64, seconds)
    found |= _over_http(parts, seconds)
    found[EMPTY_LOG] = partial(_on_empty_log, parts.folder, seconds)
    found[DEEP_LOG] = partial(_on_log, parts.deep, seconds)
    for in_flight, case in SHIPPED.items():
        shipped = parts.shipped
        found[case] = _ours(shipped.decide, shipped.decide_soon, in_flight, seconds)
    return found


def _in_process(parts: Parts, in_flight: int, seconds: float) -> dict[Case, Measuring]:
    """One number in flight: each of our operations, and the peers' on the same work beside it."""
    refunds = parts.refunds
    execute = refunds.decide_and_execute, refunds.decide_and_execute_soon
    return {
        DECIDE[in_flight]: _ours(refunds.decide, refunds.decide_soon, in_flight, seconds),
        **_theirs(parts, "auto", in_flight, seconds),
        EXECUTE[in_flight]: _ours(*execute, in_flight, seconds),
        APPROVE[in_flight]: _ours(refunds.approve, refunds.approve_soon, in_flight, seconds),
        **_theirs(parts, "approve", in_flight, seconds),
    }


def _ours(
    call: Callable[[], object],
    awaited: Callable[[], Awaitable[object]],
    in_flight: int,
    seconds: float,
) -> Measuring:
    """Plain calls for one caller, tasks of one event loop for many.

    WHY NOT: threads for 8. Measured beside each other, tasks did 1.5 to 3 times as many.
    """
    if in_flight == 1:
        return partial(call_for, call, in_flight=1, seconds=seconds)
    return partial(await_for, awaited, in_flight=in_flight, seconds=seconds)


def _theirs(parts: Parts, operation: str, in_flight: int, seconds: float) -> dict[Case, Measuring]:
    return {
        of_peer(name, operation, in_flight): partial(
            parts.peers[name].measure, operation, in_flight=in_flight, seconds=seconds
        )
        for name in ("langgraph", "agentbarrier")
        if name in parts.peers
    }


def _over_http(parts: Parts, seconds: float) -> dict[Case, Measuring]:
    server = parts.server
    found: dict[Case, Measuring] = {
        HTTP: partial(server.decide, connections=CONNECTIONS, seconds=seconds),
    }
    if "fastapi" in parts.peers:
        about = parts.peers["fastapi"].about
        for case, path in ((EMPTY_ASYNC, ""), (EMPTY_DEF, "/threaded")):
            post = JsonPost.refund(f"/v1/proposals{path}", task="tk_1")
            found[case] = partial(_empty, about["host"], about["port"], post, seconds)
    found[BATCHED] = partial(server.decide_batch, connections=CONNECTIONS, seconds=seconds)
    return found


def _empty(host: str, port: int, post: JsonPost, seconds: float) -> Figures:
    return answered(drive(host, port, post, connections=CONNECTIONS, seconds=seconds))


def _on_empty_log(folder: Path, seconds: float) -> Figures:
    with RefundDesk.open(Path(mkdtemp(dir=folder))) as fresh:
        return _on_log(fresh, seconds)


def _on_log(refunds: RefundDesk, seconds: float) -> Figures:
    """64 in flight, after a moment of the same: a desk that was just opened has cold caches."""
    await_for(refunds.decide_soon, in_flight=64, seconds=min(WARM_S, seconds))
    return await_for(refunds.decide_soon, in_flight=64, seconds=seconds)
